"""What the models that shapers learn have in common: their modes, a pass over a rollout's rows, and what is saved."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn

from potentia import arrays
from potentia.encoders import observation_tensors
from potentia.limits import check_at_least
from potentia.shaping._models.keys import mixed
from potentia.state import Stateful
from potentia.trees import Tree, leaves, map_tree

_AT_ONCE = 1 << 18
"""Numbers in the widest layer that a CPU computes at a time."""


@contextmanager
def own_modes(*, gradients: bool) -> Iterator[None]:
    """What is computed inside does not depend on the caller's modes, and may be changed in place outside of them."""
    precision = next((device for device in ("cpu", "cuda") if torch.is_autocast_enabled(device)), None)
    full = nullcontext() if precision is None else torch.autocast(precision, enabled=False)
    with torch.inference_mode(False), torch.set_grad_enabled(gradients), full:
        yield


class Learned(Stateful):
    """A model trained by Adam on minibatches of rows. Nothing here waits for an accelerator.

    Args:
        parameters: What is trained.
        learning_rate: Adam's step size.
        batch_size: Rows in a minibatch.
        device: Where the model is.
        seed: Seeds the order of the minibatches.

    Raises:
        ValueError: If ``batch_size`` is less than 1 or ``learning_rate`` is negative.
    """

    saved: tuple[str, ...] = ("optimizer", "_passes")
    """A model adds its networks."""

    def __init__(
        self, parameters: Iterable[nn.Parameter], learning_rate: float, batch_size: int, device: torch.device, seed: int
    ) -> None:
        check_at_least(1, batch_size=batch_size)
        check_at_least(0, learning_rate=learning_rate)
        self.batch_size, self.device, self._seed = batch_size, device, seed
        self.optimizer = torch.optim.Adam(parameters, lr=learning_rate, fused=device.type in ("cpu", "cuda"))
        self._passes = torch.zeros((), dtype=torch.int64, device=device)

    def _train(self, losses: Callable[[Tensor], Tensor], mask: Tensor, proportion: float = 1.0) -> Tensor:
        """One pass over a share of the unmasked rows. Returns the mean loss. Without such rows nothing changes.

        Args:
            losses: From the indices of some rows to the loss of each.
            mask: ``(N,)``.
            proportion: The share of the rows that is trained on.
        """
        order, number = self._order(mask), (proportion * mask.sum().double()).ceil()
        on_cpu = arrays.on_cpu(self.device)
        order = order[: int(number) if on_cpu else math.ceil(proportion * len(order))]
        total = torch.zeros((), dtype=torch.float32, device=self.device)
        # An empty tensor is split into one part, which is empty.
        for places in torch.arange(len(order), device=self.device).split(self.batch_size)[: len(order)]:
            share = (places < number).float()
            loss = (losses(order[places]) * (share / share.sum().clamp(min=1))).sum()
            self.optimizer.zero_grad()
            loss.backward()
            if not on_cpu:
                # Without a gradient Adam moves on too; this flag of its own keeps it where it is, and waits for nobody.
                self.optimizer.found_inf = (~share.any()).float()  # type: ignore[attr-defined]
            self.optimizer.step()
            total += loss.detach() * share.sum()
        self._passes = self._passes + mask.any()
        return total / number.clamp(min=1).float()

    def _order(self, mask: Tensor) -> Tensor:
        """The rows in a random order, the same on each device, with the masked ones last."""
        rows = torch.arange(len(mask), device=self.device)
        drawn = mixed(rows + mixed(mixed(self._passes) + self._seed)) >> 1  # a bit less, so that nothing overflows
        return torch.where(mask, drawn, torch.iinfo(torch.int64).max).argsort()


def rows_at_once(width: int, device: torch.device) -> int:
    """How many rows are computed at a time whose widest layer is so wide: on a CPU so many as stay in its caches."""
    return max(1, _AT_ONCE // width) if arrays.on_cpu(device) else 1 << 20


def rows_of(tree: Tree, device: torch.device, mask: Tensor | None = None) -> Tree:
    """A tree of ``(T, B, ...)`` as tensors ``(T * B, ...)`` on ``device``. Numbers are 0 where ``mask`` is False."""
    lead = next(leaf for _, leaf in leaves(tree)).shape[:2]
    flat = map_tree(lambda leaf: leaf.reshape((lead[0] * lead[1], *leaf.shape[2:])), tree)
    rows = observation_tensors(flat, device)
    if mask is None or (arrays.on_cpu(device) and bool(mask.all())):
        return rows
    return map_tree(lambda leaf: torch.where(mask.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0), rows)
