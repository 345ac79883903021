"""PURPLE: a reward is paid less where the world reacts steeply, so that its value can't be steeper still."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from potentia.encoders import fresh_networks
from potentia.shaping._models.learned import Learned, own_modes, rows_at_once
from potentia.shaping._models.running import RunningMoments
from potentia.shaping.imitation.adversary import layers
from potentia.shaping.imitation.lipschitz import jacobian_norms


class Preconditioner(Learned):
    """``kappa = clamp(exp(-max(0, |grad f| - limit)^2 / sigma), least, 1)``: f predicts the next state.

    Blonde, Strasser and Kalousis 2020, arXiv 2006.16785. f has the form ``x -> state + g(x)`` and is trained on
    squared errors. ``|grad f|`` is the Frobenius norm of its Jacobian, and sigma the running standard deviation of
    the squares.

    Args:
        states: Numbers of a state, the first of a row.
        inputs: Numbers of a row: of a state and an action.
        limit: The norm that is free.
        least: The least kappa.
        hidden: Width of the two hidden layers of g.
        learning_rate: Adam's step size.
        batch_size: Rows in a minibatch.
        device: Where the network is.
        seed: Seeds it and its minibatches.
    """

    saved = ("network", "spread", *Learned.saved)

    def __init__(
        self,
        states: int,
        inputs: int,
        *,
        limit: float,
        least: float,
        hidden: int,
        learning_rate: float,
        batch_size: int,
        device: torch.device,
        seed: int,
    ) -> None:
        self.states, self.limit, self.least = states, limit, least
        with fresh_networks(seed):
            self.network = layers(inputs, hidden, states).to(device)
        self.spread = RunningMoments((), device)
        self._rows_at_once = rows_at_once(hidden * states, device)
        super().__init__(self.network.parameters(), learning_rate, batch_size, device, seed)

    def predict(self, x: Tensor) -> Tensor:
        """The next states ``(N, states)`` after rows ``(N, inputs)``."""
        predicted: Tensor = x[:, : self.states] + self.network(x)
        return predicted

    @own_modes(gradients=False)
    def kappa(self, x: Tensor) -> Tensor:
        """What the reward of each row ``(N, inputs)`` is multiplied by, ``(N,)``: 1 before anything was learned."""
        weights = (-self._excess(x) / (self.spread.std + 1e-8)).exp().clamp(self.least, 1).float()
        return torch.where(self.spread.count > 0, weights, 1.0)

    def learn(self, x: Tensor, after: Tensor, mask: Tensor) -> Tensor:
        """One pass over the unmasked rows. Returns the mean loss."""

        def losses(rows: Tensor) -> Tensor:
            wanted = after.index_select(0, rows)
            return nn.functional.mse_loss(self.predict(x.index_select(0, rows)), wanted, reduction="none").mean(1)

        with own_modes(gradients=True):
            loss = self._train(losses, mask)
        with own_modes(gradients=False):
            self.spread.update(self._excess(x).double(), mask)
        return loss

    def _excess(self, x: Tensor) -> Tensor:
        parts = [jacobian_norms(self.predict, part) for part in x.split(self._rows_at_once)]
        return (torch.cat(parts) - self.limit).clamp(min=0).square()
