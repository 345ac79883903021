"""The network that tells demonstrations from what a learner does, and how it is kept from being too sure."""

from __future__ import annotations

import math
from typing import Literal

import torch
from torch import Tensor, nn

from potentia.encoders import fresh_networks
from potentia.shaping._models.keys import mixed
from potentia.shaping._models.learned import Learned, own_modes, rows_at_once
from potentia.shaping.imitation.lipschitz import gradient_penalty

Penalty = Literal["wgan-gp", "dragan", "nagard", "bare"]
"""Where the gradient is penalised: between demonstrations and the learner's rows, around the one, around the other, or
at the learner's rows."""

PENALTIES: tuple[Penalty, ...] = ("wgan-gp", "dragan", "nagard", "bare")
_BITS = 53
_SLOPE = 0.1


class Adversary(Learned):
    """``logit(x)``, trained so that ``D = sigmoid(logit)`` is 1 on demonstrations and 0 on what the learner did.

    Args:
        inputs: The numbers of a row.
        hidden: Width of the two hidden layers.
        penalty: Where the gradient is penalised. None penalises nowhere.
        penalty_weight: lambda.
        lipschitz: k, the norm of the gradient that is free.
        noise: The standard deviation of what ``"dragan"`` and ``"nagard"`` add to a row.
        spectral_norm: Whether each layer is divided by its greatest singular value.
        smoothing: A demonstration's target is drawn uniformly between these.
        ent_coef: The weight of D's entropy, which is maximised.
        learning_rate: Adam's step size.
        batch_size: Rows of the learner in a minibatch, and as many of the demonstrations.
        device: Where the network is.
        seed: Seeds it, its minibatches and what is drawn in them.
    """

    saved = ("network", *Learned.saved)

    def __init__(
        self,
        inputs: int,
        *,
        hidden: int,
        penalty: Penalty | None,
        penalty_weight: float,
        lipschitz: float,
        noise: float,
        spectral_norm: bool,
        smoothing: tuple[float, float],
        ent_coef: float,
        learning_rate: float,
        batch_size: int,
        device: torch.device,
        seed: int,
    ) -> None:
        self.penalty, self.penalty_weight, self.lipschitz, self.noise = penalty, penalty_weight, lipschitz, noise
        self.smoothing, self.ent_coef = smoothing, ent_coef
        with fresh_networks(seed):
            self.network = layers(inputs, hidden, 1)
            if spectral_norm:
                for layer in list(self.network)[::2]:
                    nn.utils.parametrizations.spectral_norm(layer)
        # Power iterations go on only while it learns, so that what is paid does not depend on how often it is asked.
        self.network.to(device).eval()
        self._rows_at_once = rows_at_once(hidden, device)
        super().__init__(self.network.parameters(), learning_rate, batch_size, device, seed)

    def logit(self, x: Tensor) -> Tensor:
        """``log D - log(1 - D)`` of each row ``(N, inputs)``, ``(N,)``."""
        logit: Tensor = self.network(x).squeeze(1)
        return logit

    @own_modes(gradients=False)
    def logits(self, x: Tensor) -> Tensor:
        """`logit` of many rows, part by part."""
        return torch.cat([self.logit(part) for part in x.split(self._rows_at_once)])

    def learn(self, learner: Tensor, shown: Tensor, mask: Tensor) -> dict[str, Tensor]:
        """One pass over the unmasked rows of the learner ``(N, inputs)``, each beside a row drawn from ``shown``.

        Returns:
            The mean loss without the penalty, and the mean penalty.
        """
        penalties: list[Tensor] = []
        numbers = mask.cumsum(0) - 1  # so that masked rows change nothing that is drawn for others

        def losses(at: Tensor) -> Tensor:
            rows = numbers.index_select(0, at)
            places = (self._uniform(rows, 0) * len(shown)).long()
            mine, theirs = learner.index_select(0, at), shown.index_select(0, places)
            loss = self._cross_entropy(mine, theirs, rows)
            if self.penalty is None:
                return loss
            found = gradient_penalty(self.logit, self._between(mine, theirs, rows), self.lipschitz)
            weights = mask.index_select(0, at).float()
            penalties.append(torch.stack([(found.detach() * weights).sum(), weights.sum()]))
            return loss + self.penalty_weight * found

        self.network.train()
        with own_modes(gradients=True):
            loss = self._train(losses, mask)
        self.network.eval()
        if not penalties:
            return {"loss": loss}
        total, number = torch.stack(penalties).sum(0)
        penalty = total / number.clamp(min=1)
        return {"loss": loss - self.penalty_weight * penalty, "penalty": penalty}

    def _cross_entropy(self, mine: Tensor, theirs: Tensor, rows: Tensor) -> Tensor:
        logits = self.logit(torch.cat([mine, theirs]))
        low, high = self.smoothing
        wanted = low + (high - low) * self._uniform(rows, 1).float()
        wanted = torch.cat([torch.zeros_like(wanted), wanted])
        loss = nn.functional.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
        probability = logits.sigmoid()
        entropy = (1 - probability) * logits - nn.functional.logsigmoid(logits)
        both: Tensor = (loss - self.ent_coef * entropy).unflatten(0, (2, -1)).sum(0)
        return both

    def _between(self, mine: Tensor, theirs: Tensor, rows: Tensor) -> Tensor:
        """Where the gradient is penalised."""
        if self.penalty == "bare":
            return mine
        if self.penalty == "wgan-gp":
            share = self._uniform(rows, 2).float()[:, None]
            return share * theirs + (1 - share) * mine
        center = theirs if self.penalty == "dragan" else mine
        numbers = rows[:, None] * center.shape[1] + torch.arange(center.shape[1], device=self.device)
        # Box and Muller's way, as generators of PyTorch differ between devices.
        radius = (-2 * (1 - self._uniform(numbers, 3)).log()).sqrt()
        normal = radius * (2 * math.pi * self._uniform(numbers, 4)).cos()
        return center + self.noise * normal.float()

    def _uniform(self, numbers: Tensor, stream: int) -> Tensor:
        """Drawn from [0, 1) in float64, for each number of this pass and stream its own, the same on each device."""
        key = mixed(mixed(mixed(self._passes) + self._seed) + stream)
        drawn: Tensor = (mixed(numbers + key) >> (64 - _BITS)) & ((1 << _BITS) - 1)
        return drawn.double() / (1 << _BITS)


def layers(inputs: int, hidden: int, outputs: int) -> nn.Sequential:
    """Two hidden layers, as in Blonde et al. 2020: leaky ReLUs of slope 0.1, orthogonal weights."""
    found: list[nn.Module] = []
    for before, after in ((inputs, hidden), (hidden, hidden), (hidden, outputs)):
        layer = nn.Linear(before, after)
        nn.init.orthogonal_(layer.weight, nn.init.calculate_gain("leaky_relu", _SLOPE))
        nn.init.zeros_(layer.bias)
        found += [layer, nn.LeakyReLU(_SLOPE)]
    return nn.Sequential(*found[:-1])
