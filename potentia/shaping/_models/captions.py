"""A small network that reads captions byte by byte: classes of captions, or which of two is better."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from potentia.encoders import fresh_networks
from potentia.limits import check_at_least
from potentia.shaping._models.keys import mixed
from potentia.shaping._models.learned import Learned, own_modes

_SHORTEST = 126
_AT_ONCE, _KEPT = 512, 100_000


def caption_bytes(texts: Sequence[str], length: int) -> Tensor:
    """The first bytes of texts in UTF-8, then zeros: ``(N, length)`` uint8."""
    rows = np.zeros((len(texts), length), np.uint8)
    for row, text in zip(rows, texts, strict=True):
        data = text.encode("utf-8", "replace")[:length]
        row[: len(data)] = np.frombuffer(data, np.uint8)
    return torch.from_numpy(rows)


class CaptionNetwork(nn.Module):
    """The encoder of Motif (Klissarov et al. 2023, arXiv 2310.00166) and ONI over bytes, and a head.

    An embedding of each byte, two convolutions of width 7 and four of width 3, pooled by 3 after the first, the second
    and the last, then a hidden layer.

    Args:
        outputs: How many numbers a caption gets.
        length: Bytes of a caption that are read.
        embedding: Numbers a byte.
        channels: Channels of a convolution.
        hidden: Width of the hidden layer.

    Raises:
        ValueError: If ``length`` is too small for the convolutions, or a size is less than 1.
    """

    def __init__(self, outputs: int, length: int, embedding: int, channels: int, hidden: int) -> None:
        super().__init__()
        check_at_least(1, embedding=embedding, channels=channels, hidden=hidden)
        check_at_least(_SHORTEST, length=length)
        self.embedding = nn.Embedding(256, embedding)
        layers: list[nn.Module] = []
        width = embedding
        for size, pools in ((7, True), (7, True), (3, False), (3, False), (3, False), (3, True)):
            layers += [nn.Conv1d(width, channels, size), nn.ReLU()]
            layers += [nn.MaxPool1d(3)] if pools else []
            width = channels
            length = (length - size + 1) // 3 if pools else length - size + 1
        self.layers = nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * length, hidden), nn.ReLU())
        self.head = nn.Linear(hidden, outputs)

    def forward(self, codes: Tensor) -> Tensor:
        """``(N, length)`` bytes to ``(N, outputs)``."""
        numbers: Tensor = self.head(self.layers(self.embedding(codes.long()).mT))
        return numbers


def scale_of(numbers: Tensor) -> list[float]:
    """The mean and the deviation of numbers ``(N,)``, the latter not below 1e-6."""
    return [float(numbers.mean()), max(float(numbers.std(correction=0)), 1e-6)]


def scaled_above(numbers: Tensor, scale: Sequence[float], least: float) -> list[float]:
    """``(number - mean) / deviation`` where that is above ``least``, else 0. The scale is (mean, deviation)."""
    mean, deviation = scale
    scaled = (numbers - mean) / deviation
    return torch.where(scaled > least, scaled, 0.0).tolist()


class CaptionModel(Learned):
    """Numbers of captions, learned from classes or from preferences.

    Args:
        length: As for `CaptionNetwork`.
        embedding: As for `CaptionNetwork`.
        channels: As for `CaptionNetwork`.
        hidden: As for `CaptionNetwork`.
        learning_rate: Adam's step size.
        batch_size: Captions, or pairs, in a minibatch.
        device: Where the network lives.
        seed: Seeds the network and the minibatches.
    """

    saved = ("network", *Learned.saved)

    def __init__(
        self,
        *,
        length: int,
        embedding: int,
        channels: int,
        hidden: int,
        learning_rate: float,
        batch_size: int,
        device: torch.device | str,
        seed: int,
    ) -> None:
        device = torch.device(device)
        self.length = length
        with fresh_networks(seed):
            self.network = CaptionNetwork(1, length, embedding, channels, hidden).to(device)
        super().__init__(self.network.parameters(), learning_rate, batch_size, device, seed)
        self._exact: nn.Module | None = None
        self._found: dict[str, float] = {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        super().load_state_dict(state)
        self._forget()

    def numbers(self, texts: Sequence[str]) -> Tensor:
        """A number for each caption, ``(N,)`` float64: the logit of "yes", or how good it is."""
        new = [text for text in dict.fromkeys(texts) if text not in self._found]
        if new:
            self._found.update(zip(new, self._computed(new), strict=True))
        found = torch.tensor([self._found[text] for text in texts], dtype=torch.float64)
        if len(self._found) > _KEPT:
            self._found.clear()
        return found

    @own_modes(gradients=False)
    def _computed(self, texts: Sequence[str]) -> list[float]:
        # In 64 bits and rounded, so that a caption's number does not depend on those that are computed with it.
        if self._exact is None:
            self._exact = copy.deepcopy(self.network).double()
        parts = self._codes(texts).split(_AT_ONCE)
        return [round(number, 9) for part in parts for number in self._exact(part)[:, 0].tolist()]

    def _forget(self) -> None:
        """The network is another one now."""
        self._exact = None
        self._found = {}

    def classify(self, texts: Sequence[str], labels: Sequence[float], steps: int) -> float:
        """``steps`` steps on minibatches of captions and their labels in [0, 1]. Returns the mean cross entropy."""
        codes, wanted = self._codes(texts), self._column(labels)

        def losses(rows: Tensor) -> Tensor:
            found = self.network(codes[rows])[:, 0]
            return nn.functional.binary_cross_entropy_with_logits(found, wanted[rows], reduction="none")

        return self._fit(losses, len(texts), steps)

    def rank(self, first: Sequence[str], second: Sequence[str], shares: Sequence[float], steps: int) -> float:
        """``steps`` steps on minibatches of pairs, of which the first is better with the probabilities ``shares``.

        The loss is that of Bradley and Terry (1952): P(first is better) = sigmoid(R(first) - R(second)). A tie, a share
        of 1/2, has the loss log 2 where both are equal, and no gradient there. Returns the mean loss.
        """
        one, other, wanted = self._codes(first), self._codes(second), self._column(shares)

        def losses(rows: Tensor) -> Tensor:
            both = self.network(torch.cat([one[rows], other[rows]]))[:, 0]
            margin = both[: len(rows)] - both[len(rows) :]
            return nn.functional.binary_cross_entropy_with_logits(margin, wanted[rows], reduction="none")

        return self._fit(losses, len(first), steps)

    def _fit(self, losses: Callable[[Tensor], Tensor], size: int, steps: int) -> float:
        number = steps * self.batch_size
        places = torch.arange(number, device=self.device)
        # Drawn with replacement, by a hash of how often it was trained before.
        drawn = (mixed(places + mixed(self._passes + self._seed)) >> 1) % size
        with own_modes(gradients=True):
            everything = torch.ones(number, dtype=torch.bool, device=self.device)
            loss = float(self._train(lambda rows: losses(drawn[rows]), everything))
        self._forget()
        return loss

    def _codes(self, texts: Sequence[str]) -> Tensor:
        return caption_bytes(texts, self.length).to(self.device)

    def _column(self, numbers: Sequence[float]) -> Tensor:
        return torch.tensor(list(numbers), dtype=torch.float32, device=self.device)
