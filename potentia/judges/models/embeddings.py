"""A judge that compares sentences: small, offline, and easily fooled."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from potentia.judges.judge import Judge
from potentia.judges.models.sentence_encoder import SentenceEncoder
from potentia.judges.question import Achieved, Answer, Forward, Holds, Prefers, Progress, Question
from potentia.judges.usage import Usage

__all__ = ["Embeddings"]


class Embeddings(Judge):
    r"""Answers by ``c(a, b)``, the cosine of the sentence vectors of two texts (all-MiniLM-L6-v2, offline).

    With ``s(x) = 1 / (1 + exp(-sharpness x))``:

    - `Achieved`, for each subgoal: ``s(max(c(subgoal, message) - alike, c(subgoal, after) - c(subgoal, before) -
      rise))``. A part whose text is "" is left out. With neither, it can't say.
    - `Progress`: ``c(goal, state)``, from ``low`` to ``high`` stretched to [0, 1].
    - `Prefers`: ``tanh(sharpness / 2 * (c(goal, first) - c(goal, second)))``, so the order of the two does not matter.
      The context is not read.
    - `Forward`: ``s(c(goal, after) - c(goal, before))``, or ``s(c(goal, action) - alike)`` where after is "".
    - `Holds`, for each criterion: ``s(c(criterion, text) - alike)``.
    - `Ideas` it has none.

    It is a weak judge. It measures what texts are about, not what they say: "the door is open" and "the door is not
    open" are nearly one to it, and a text that repeats the goal is the nearest of all. Only the first 256 tokens of a
    text are read. ELLM (Du et al. 2023, arXiv 2302.06692) rewards by the same similarity.

    Args:
        sharpness: How fast a similarity becomes a certainty.
        alike: The similarity from which a sentence counts as said.
        rise: The least rise of a similarity that counts as an event.
        low: The similarity to the goal at which nothing is done.
        high: The similarity at which all is done.
        path: The folder of another sentence model, read by its mean. None is the one in the package.
        device: Where the model runs.

    Raises:
        ValueError: If ``low`` is not less than ``high``, or ``sharpness`` is not positive.
    """

    def __init__(
        self,
        *,
        sharpness: float = 20.0,
        alike: float = 0.5,
        rise: float = 0.05,
        low: float = 0.0,
        high: float = 0.8,
        path: str | Path | None = None,
        device: str = "cpu",
    ) -> None:
        if not low < high:
            raise ValueError(f"low must be less than high, got {low} and {high}")
        if sharpness <= 0:
            raise ValueError(f"sharpness must be positive, got {sharpness}")
        self.sharpness, self.alike, self.rise, self.low, self.high = sharpness, alike, rise, low, high
        self.encoder = SentenceEncoder(path, device=device)
        self.name = "embeddings " + ("all-MiniLM-L6-v2" if path is None else Path(path).name)

    @property
    def identity(self) -> dict[str, Any]:
        """The model and the numbers of the formulas."""
        names = ("sharpness", "alike", "rise", "low", "high")
        return super().identity | {"formulas": 1} | {name: getattr(self, name) for name in names}

    def embed(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Unit vectors ``(N, D)``, D = 384 for the model in the package: products are cosine similarities.

        Raises:
            ImportError: If the extra is not installed.
        """
        return self.encoder(texts)

    def features(self, text: str, width: int) -> np.ndarray[Any, Any]:
        """A vector of float32 ``(width,)``, as `potentia.envs.text.IndexedCommands` takes of its ``encoder``.

        It is the text's unit vector, or, if that is longer, a projection onto ``width`` directions that are drawn once
        and for all, under which cosines stay nearly what they are (Johnson and Lindenstrauss 1984).

        Raises:
            ValueError: If ``width`` is more than the length of the model's vectors.
            ImportError: If the extra is not installed.
        """
        vector: np.ndarray[Any, Any] = self.embed([text])[0]
        if width == len(vector):
            return vector
        if not 0 < width < len(vector):
            raise ValueError(f"width must be at most {len(vector)}, the length of this model's vectors, got {width}")
        turned: np.ndarray[Any, Any] = vector @ _directions(len(vector), width)
        return turned.astype(np.float32)

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """The formulas' numbers.

        Raises:
            ImportError: If the extra is not installed.
        """
        texts = list(dict.fromkeys(text for question in questions for text in _read(question)))
        vectors = dict(zip(texts, self.embed(texts), strict=True)) if texts else {}

        def alike(one: str, other: str) -> float:
            return float(vectors[one] @ vectors[other])

        answers = [self._one(question, alike) for question in questions]
        silent = sum(not answer.valid for answer in answers)
        self._spend(Usage(questions=len(answers), calls=len(answers), invalid=silent))
        return answers

    def _one(self, question: Question, alike: Callable[[str, str], float]) -> Answer:
        match question:
            case Achieved():
                return self._achieved(question, alike)
            case Progress(goal, state):
                part = (alike(goal, state) - self.low) / (self.high - self.low)
                values = [min(max(part, 0.0), 1.0)]
            case Prefers(goal, first, second):
                values = [math.tanh(self.sharpness / 2 * (alike(goal, first) - alike(goal, second)))]
            case Forward(goal, before, action, after):
                sign = alike(goal, after) - alike(goal, before) if after else alike(goal, action) - self.alike
                values = [self._sure(sign)]
            case Holds(criteria, text):
                values = [self._sure(alike(criterion, text) - self.alike) for criterion in criteria]
            case _:
                return question.nothing("a judge that compares sentences writes none")
        return Answer(tuple(values))

    def _achieved(self, question: Achieved, alike: Callable[[str, str], float]) -> Answer:
        message, before, after = question.message, question.before, question.after
        signs: list[list[float]] = []
        if message:
            signs.append([alike(subgoal, message) - self.alike for subgoal in question.subgoals])
        if before and after:
            signs.append([alike(subgoal, after) - alike(subgoal, before) - self.rise for subgoal in question.subgoals])
        if not signs:
            return question.nothing("there is neither a message nor a state before and after the step")
        return Answer(tuple(self._sure(max(both)) for both in zip(*signs, strict=True)))

    def _sure(self, sign: float) -> float:
        return 1.0 / (1.0 + math.exp(-self.sharpness * sign))


@cache
def _directions(length: int, width: int) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).standard_normal((length, width)) / math.sqrt(width)


def _read(question: Question) -> list[str]:
    """The texts of a question that are compared."""
    match question:
        case Achieved(subgoals, before, _, after, message):
            return [*subgoals, *filter(None, (before, after, message))]
        case Progress(goal, state):
            return [goal, state]
        case Prefers(goal, first, second):
            return [goal, first, second]
        case Forward(goal, before, action, after):
            return [goal, before, after] if after else [goal, action]
        case Holds(criteria, text):
            return [*criteria, text]
    return []
