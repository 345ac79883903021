"""ONI: rewards from a judge of the captions that the agent itself has just met, while it learns."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import torch

from potentia.arrays import host_array
from potentia.judges import Holds, Judge, Prefers
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.captions import CaptionModel, scale_of, scaled_above
from potentia.shaping.columns import text_column
from potentia.shaping.judged.answers import Answers, truth_columns
from potentia.shaping.judged.caption_counts import COUNTED, add_by_count, no_captions, reward_of_captions
from potentia.shaping.shaper import Carry, Contract, Shaper

_EVENTS, _POTENTIAL = "next_subgoals", "next_potential"
_KEPT, _SCALED = 10_000, 512


class ONI(Shaper):
    """``r(next caption) / N ** beta``: N is how often the episode showed that caption, r what a judge taught.

    Zheng et al. 2024, "Online intrinsic rewards for decision making agents from large language model feedback" (ONI),
    arXiv 2410.23022. The judge labels captions that the agent has met, the newest first. r is one of three:

    - "hashing": 1 if the caption was found helpful, 0 if not or if it was not asked about yet.
    - "classification": 1 if a network, trained on those labels, gives it a probability above 1/2.
    - "ranking": the judge compares two captions. A network's R is trained by the loss of Bradley and Terry, normalised
      to mean 0 and deviation 1 over the captions met, and r is R where that is above -1/2, else 0.

    Where the judge is slow, let it be asked in the background. A label helps from the next update on. The networks are
    trained only when labels arrive, some ``steps`` each time, and no more once there are ``most`` labels. The paper
    takes 32 steps of 256 captions at 1e-4, 25 000 labels, and a network of 64 channels and a hidden layer of 128. The
    defaults here are for a CPU. The bonus is new in every episode, and can change what is optimal.

    Where a world gives ``subgoals`` (or ``potential``, for ranking), the judge is measured by whether a subgoal was
    reached with the caption (by which of two has the higher potential).

    Args:
        judge: A `potentia.judges.Judge` of `potentia.judges.Holds`, or of `potentia.judges.Prefers` for "ranking".
        goal: What is to be done, in words.
        model: "hashing", "classification" or "ranking".
        criterion: What a caption must meet to be helpful, in words.
        beta: The power of the count.
        threshold: Another one than 1/2 for classes, and -1/2 for ranking.
        questions: How many new captions or pairs an update asks about at most.
        pairs: How many pairs an update draws, for ranking.
        most: The most labels that are learned from.
        steps: Steps of the network for each arrival of labels.
        batch_size: Captions or pairs in a minibatch.
        learning_rate: Adam's step size.
        length: Bytes of a caption that the network reads.
        embedding: Numbers a byte.
        channels: Channels of a convolution.
        hidden: Width of the hidden layer.
        background: Ask on a thread, so that `update` does not wait either.
        device: Where the network lives.
        seed: Seeds the network, its minibatches and the pairs.
        name: The term's name.

    Raises:
        TypeError: If ``judge`` is no judge.
        ValueError: If the model is another, or a size is too small.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.judges import Rules
    >>> helpful = Rules(lambda asked: (float("key" in asked.text),))
    >>> text, zeros = lambda *rows: np.array([rows]).T, np.zeros((4, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 0.9,
    ...     terminated=zeros > 0, truncated=zeros > 0, info={
    ...         "caption": text("You wake.", "a key", "a wall", "a key"),
    ...         "next_caption": text("a key", "a wall", "a key", "a key")})
    >>> ONI(helpful, "Leave.").shape(rollout)[0].terms["ONI"][:, 0].round(3).tolist()  # 1, 0, 1 / 2 ** 3, 1 / 3 ** 3
    [1.0, 0.0, 0.125, 0.037]
    """

    def __init__(
        self,
        judge: Judge,
        goal: str = "",
        model: Literal["hashing", "classification", "ranking"] = "hashing",
        *,
        criterion: str = "It helps to reach the goal.",
        beta: float = 3.0,
        threshold: float | None = None,
        questions: int = 256,
        pairs: int = 64,
        most: int = 25_000,
        steps: int = 8,
        batch_size: int = 64,
        learning_rate: float = 1e-3,
        length: int = 256,
        embedding: int = 16,
        channels: int = 32,
        hidden: int = 64,
        background: bool = False,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if model not in ("hashing", "classification", "ranking"):
            raise ValueError(f'model must be "hashing", "classification" or "ranking", got {model!r}')
        check_at_least(1, pairs=pairs, most=most, steps=steps)
        self.goal, self.model, self.criterion, self.beta = goal, model, criterion, float(beta)
        self.threshold = (-0.5 if model == "ranking" else 0.5) if threshold is None else threshold
        self.pairs, self.most, self.steps = pairs, most, steps
        self.update_size = batch_size
        self.answers = Answers(judge, questions, background=background)
        self.saved = ("answers",)
        if model != "hashing":
            self.network = CaptionModel(
                length=length, embedding=embedding, channels=channels, hidden=hidden,
                learning_rate=learning_rate, batch_size=batch_size, device=device, seed=seed,
            )  # fmt: skip
            self._labels: dict[str, list[Any]] = {}
            self._met: dict[str, float | None] = {}
            self._scale = [0.0, 1.0]
            self._rng = np.random.default_rng(seed)
            self.saved = ("answers", "network", "_labels", "_met", "_scale", "_rng")
        reads, measures = truth_columns(judge, _POTENTIAL if model == "ranking" else _EVENTS)
        self.contract: Contract = Contract(reads=COUNTED | reads, measures=measures, scope="lifelong")

    def init(self, num_envs: int) -> Carry:
        """No captions yet."""
        return no_captions(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return add_by_count(rollout, carry, self._reward(rollout), self.beta, self.name)

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Asks about captions, and trains the network if labels came. Returns what `Answers.ask` returns, and more.

        ``labels``: how many there are. ``loss``: of the network, if it was trained.
        """
        del policy
        steps = np.argwhere(host_array(rollout.mask)).tolist()
        if self.model == "hashing":
            asked = self._asked(rollout)
            return dict(self.answers.ask(asked(t, b) for t, b in steps))
        self._meet(rollout, steps)
        if self.model == "ranking":
            metrics = self.answers.ask(self._pairs() if steps else ())
        else:
            asked = self._asked(rollout)
            metrics = self.answers.ask(asked(t, b) for t, b in steps)
        fresh = self._take()
        if fresh:
            metrics["loss"] = self._learn()
        return metrics | {"labels": float(len(self._labels))}

    def _reward(self, rollout: Rollout) -> Callable[[int, int], float]:
        """R of the caption of ``next_obs`` at each step."""
        if self.model == "hashing":
            asked = self._asked(rollout)
            return lambda t, b: float((self.answers.get(asked(t, b)) or (0.0,))[0] >= self.threshold)
        if not self._labels:
            return lambda t, b: 0.0
        return reward_of_captions(rollout, self._rewards, self.name)

    def _rewards(self, texts: Sequence[str]) -> list[float]:
        numbers = self.network.numbers(texts)
        if self.model == "classification":
            return (numbers.sigmoid() > self.threshold).double().tolist()
        return scaled_above(numbers, self._scale, self.threshold)

    def _asked(self, rollout: Rollout) -> Callable[[int, int], Holds]:
        """Whether the caption of a step is helpful. The truth is whether a subgoal was reached."""
        captions = text_column(rollout, "next_caption", self.name)
        events = rollout.info.get(_EVENTS)
        happened = [host_array(column) for column in events.values()] if isinstance(events, dict) else None

        def asked(t: int, b: int) -> Holds:
            truth = None if happened is None else (float(any(column[t, b] for column in happened)),)
            return Holds((self.criterion,), str(captions[t, b]), self.goal, truth=truth)

        return asked

    def _meet(self, rollout: Rollout, steps: list[list[int]]) -> None:
        """Notes the captions of a rollout, and the potential of the states that they describe."""
        captions, potential = text_column(rollout, "next_caption", self.name), rollout.info.get(_POTENTIAL)
        numbers = None if potential is None or self.model != "ranking" else host_array(potential)
        met = {str(captions[t, b]): None if numbers is None else float(numbers[t, b]) for t, b in reversed(steps)}
        for caption in sorted(met):
            self._met.pop(caption, None)
            self._met[caption] = met[caption]
        for caption in list(self._met)[:-_KEPT]:
            del self._met[caption]

    def _pairs(self) -> list[Prefers]:
        """Pairs of captions drawn from those met. The truth is which has the higher potential."""
        captions = list(self._met)
        if len(captions) < 2:
            return []
        first = self._rng.integers(len(captions), size=self.pairs)
        second = (first + 1 + self._rng.integers(len(captions) - 1, size=self.pairs)) % len(captions)
        pairs = []
        for one, other in zip(first.tolist(), second.tolist(), strict=True):
            heights = self._met[captions[one]], self._met[captions[other]]
            truth = None if None in heights else (float(np.sign(heights[0] - heights[1])),)  # type: ignore[operator]
            pairs.append(Prefers(self.goal, captions[one], captions[other], truth=truth))
        return pairs

    def _take(self) -> int:
        """Keeps the labels that have arrived. Returns how many of them are new."""
        before = len(self._labels)
        for question, values in self.answers.arrived:
            if len(self._labels) >= self.most:
                break
            if isinstance(question, Prefers):
                self._labels[f"{question.first}\0{question.second}"] = [
                    question.first, question.second, (values[0] + 1) / 2
                ]  # fmt: skip
            elif isinstance(question, Holds):
                self._labels[question.text] = [question.text, values[0]]
        return len(self._labels) - before

    def _learn(self) -> float:
        columns = list(zip(*(self._labels[key] for key in sorted(self._labels)), strict=True))
        if self.model == "classification":
            return self.network.classify(columns[0], columns[1], self.steps)
        loss = self.network.rank(columns[0], columns[1], columns[2], self.steps)
        self._scale = scale_of(self.network.numbers(sorted(list(self._met)[-_SCALED:])))
        return loss
