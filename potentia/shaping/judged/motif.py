"""Motif: a reward learned from preferences between captions, before the agent learns."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch

from potentia.judges import Judge, Prefers
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.captions import CaptionModel, scale_of, scaled_above
from potentia.shaping.judged.caption_counts import COUNTED, add_by_count, no_captions, reward_of_captions
from potentia.shaping.shaper import Carry, Contract, Shaper

Preferences = Sequence[Sequence[Any]]
"""Pairs of captions (first, second, preference): 1 if the first is better, -1 if the second is, 0 for a tie."""


class Motif(Shaper):
    """``r(next caption) / N ** beta``: N is how often the episode showed that caption, r is learned from preferences.

    Klissarov et al. 2023, "Motif: intrinsic motivation from artificial intelligence feedback", arXiv 2310.00166. A
    judge has compared captions of some data. A network's R is fitted to that when the shaper is made, by the loss of
    Bradley and Terry, and normalised to mean 0 and deviation 1 over the captions of the data. r is R where that lies
    above a quantile of the data, else 0. Nothing is learned afterwards: `ONI` does the same while the agent learns.

    The paper fits 500 000 pairs for 10 epochs of minibatches of 1024 at 1e-5, with the network of `ONI`'s paper. The
    defaults here are for a CPU. The bonus is new in every episode, and can change what is optimal.

    Args:
        preferences: Pairs of captions (first, second, preference): 1 if the first is better, -1 if the second is, 0 for
            a tie, or numbers between. Or a file of such lists, one a line, as JSON.
        beta: The power of the count.
        quantile: The share of the captions whose R is too little to be paid.
        epochs: How often the network sees all pairs.
        holdout: The share of the pairs that it never sees, by which ``fitted["accuracy"]`` is measured.
        batch_size: Pairs in a minibatch.
        learning_rate: Adam's step size.
        length: Bytes of a caption that the network reads.
        embedding: Numbers a byte.
        channels: Channels of a convolution.
        hidden: Width of the hidden layer.
        device: Where the network lives.
        seed: Seeds the network, its minibatches and who is held out.
        name: The term's name.

    Attributes:
        fitted: The mean ``loss`` of the last epoch, and the ``accuracy`` on pairs held out that are no ties.

    Raises:
        ValueError: If there are less than two pairs, one is none, or a number is out of range.
        OSError: If the file can't be read.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> pairs = [("a key", "a wall", 1), ("a wall", "a key", -1)] * 32
    >>> motif = Motif(pairs, epochs=50, channels=8, hidden=16)
    >>> motif.fitted["accuracy"], motif.rewards(["a key", "a wall"])  # 1 deviation above the mean
    (1.0, [1.0, 0.0])
    >>> text, zeros = lambda *rows: np.array([rows]).T, np.zeros((3, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 0.9,
    ...     terminated=zeros > 0, truncated=zeros > 0, info={
    ...         "caption": text("a wall", "a key", "a wall"), "next_caption": text("a key", "a wall", "a key")})
    >>> motif.shape(rollout)[0].terms["Motif"][:, 0].tolist()  # 1, 0, 1 / 2 ** 3
    [1.0, 0.0, 0.125]
    """

    saved = ("network", "_scale")

    def __init__(
        self,
        preferences: Preferences | Path,
        *,
        beta: float = 3.0,
        quantile: float = 0.5,
        epochs: int = 10,
        holdout: float = 0.2,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        length: int = 256,
        embedding: int = 16,
        channels: int = 32,
        hidden: int = 64,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(1, epochs=epochs)
        if not 0 <= quantile < 1 or not 0 <= holdout < 1:
            raise ValueError(f"quantile and holdout must lie in [0, 1), got {quantile} and {holdout}")
        self.beta = float(beta)
        self.network = CaptionModel(
            length=length, embedding=embedding, channels=channels, hidden=hidden,
            learning_rate=learning_rate, batch_size=batch_size, device=device, seed=seed,
        )  # fmt: skip
        self.contract: Contract = Contract(reads=COUNTED, scope="lifelong")
        self._scale = [0.0, 1.0, 0.0]
        self.fitted = self._fit(_read(preferences), quantile, epochs, holdout, seed)

    @classmethod
    def of_captions(
        cls, captions: Sequence[str], judge: Judge, goal: str, *, pairs: int = 1000, seed: int = 0, **settings: Any
    ) -> Self:
        """Draws pairs of different captions, has a judge compare them, and fits.

        Args:
            captions: What the agent may meet, with or without repetitions.
            judge: A judge of `potentia.judges.Prefers`.
            goal: What is to be done, in words.
            pairs: How many.
            seed: Seeds the pairs and the fit.
            settings: As for `Motif`.

        Raises:
            ValueError: If there are less than two captions, or the judge has no opinion of at least two pairs.
        """
        different = list(dict.fromkeys(captions))
        if len(different) < 2:
            raise ValueError(f"pairs need two captions at least, got {different}")
        rng = np.random.default_rng(seed)
        drawn = [rng.choice(len(different), 2, replace=False).tolist() for _ in range(pairs)]
        questions = [Prefers(goal, different[one], different[other]) for one, other in drawn]
        answers = zip(questions, judge.answer(questions), strict=True)
        found = [[one.first, one.second, answer.value] for one, answer in answers if answer.valid]
        return cls(found, seed=seed, **settings)

    def init(self, num_envs: int) -> Carry:
        """No captions yet."""
        return no_captions(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        reward = reward_of_captions(rollout, self.rewards, self.name)
        return add_by_count(rollout, carry, reward, self.beta, self.name)

    def rewards(self, captions: Sequence[str]) -> list[float]:
        """R of each caption."""
        mean, deviation, least = self._scale
        return scaled_above(self.network.numbers(captions), (mean, deviation), least)

    def _fit(self, pairs: Preferences, quantile: float, epochs: int, holdout: float, seed: int) -> dict[str, float]:
        order = np.random.default_rng(seed).permutation(len(pairs))
        held = order[: int(holdout * len(pairs))]
        columns = list(zip(*(pairs[place] for place in order[len(held) :]), strict=True))
        shares = [(preference + 1) / 2 for preference in columns[2]]
        steps = max(1, len(shares) // self.network.batch_size)
        for _ in range(epochs):
            loss = self.network.rank(columns[0], columns[1], shares, steps)
        captions = list(dict.fromkeys(caption for pair in pairs for caption in pair[:2]))
        numbers = self.network.numbers(captions)
        mean, deviation = scale_of(numbers)
        self._scale = [mean, deviation, float(torch.quantile((numbers - mean) / deviation, quantile))]
        tried = [pairs[place] for place in held if pairs[place][2] != 0]
        if not tried:
            return {"loss": loss}
        first, second = (self.network.numbers([pair[side] for pair in tried]) for side in (0, 1))
        right = (first > second).numpy(force=True) == np.array([pair[2] > 0 for pair in tried])
        return {"loss": loss, "accuracy": float(right.mean())}


def _read(preferences: Preferences | Path) -> list[tuple[str, str, float]]:
    rows: Sequence[Any] = preferences  # type: ignore[assignment]
    if isinstance(preferences, Path):
        rows = [json.loads(line) for line in preferences.read_text("utf-8").split("\n") if line.strip()]
    if len(rows) < 2:
        raise ValueError(f"Motif needs two pairs of captions at least, got {len(rows)}")
    pairs = []
    for row in rows:
        right = isinstance(row, list | tuple) and len(row) == 3 and all(isinstance(text, str) for text in row[:2])
        if not right or not isinstance(row[2], int | float) or not -1 <= row[2] <= 1:
            raise ValueError(f"a preference must be (first, second, number in [-1, 1]), got {row!r}")
        pairs.append((row[0], row[1], float(row[2])))
    return pairs
