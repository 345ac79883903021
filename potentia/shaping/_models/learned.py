"""What the models that shapers learn have in common: a pass over a rollout's rows, and what is saved."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn

from potentia import arrays
from potentia.encoders import observation_tensors
from potentia.state import Stateful
from potentia.trees import Tree, leaves, map_tree


class Learned(Stateful):
    """A model trained by Adam on minibatches of rows. Nothing here waits for the device.

    Args:
        parameters: What is trained.
        learning_rate: Adam's step size.
        batch_size: Rows in a minibatch.
        device: Where the model is.
        seed: Seeds the order of the minibatches.
    """

    saved: tuple[str, ...] = ("optimizer", "_generator")
    """A model adds its networks."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], learning_rate: float, batch_size: int, device: torch.device, seed: int
    ) -> None:
        self.batch_size, self.device = batch_size, device
        self.optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=device.type in ("cpu", "cuda"))
        self._generator = torch.Generator(device).manual_seed(seed)

    def _train(self, losses: Callable[[Tensor], Tensor], mask: Tensor, proportion: float = 1.0) -> Tensor:
        """One pass over a share of the rows, not counting masked ones. Returns the mean loss.

        Args:
            losses: From the indices of some rows to the loss of each.
            mask: ``(N,)``.
            proportion: The share of the rows that is trained on.
        """
        order = torch.randperm(len(mask), generator=self._generator, device=self.device)
        order = order[: max(1, round(proportion * len(mask)))]
        weights, total = mask.float(), torch.zeros((), device=self.device)
        for rows in torch.split(order, self.batch_size):
            share = weights.index_select(0, rows)
            loss = (losses(rows) * (share / share.sum().clamp(min=1))).sum()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += loss.detach() * (len(rows) / len(order))
        return total


def rows_of(tree: Tree, device: torch.device, mask: Tensor | None = None) -> Tree:
    """A tree of ``(T, B, ...)`` as tensors ``(T * B, ...)`` on ``device``. Numbers are 0 where ``mask`` is False."""
    lead = next(leaf for _, leaf in leaves(tree)).shape[:2]
    flat = map_tree(lambda leaf: leaf.reshape((lead[0] * lead[1], *leaf.shape[2:])), tree)
    rows = observation_tensors(flat, device)
    if mask is None or (arrays.on_cpu(device) and bool(mask.all())):
        return rows
    return map_tree(lambda leaf: torch.where(mask.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0), rows)
