"""Which of several actions is the right step: instances, their files, and how well a judge tells (WebPRMBench)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from potentia.judges import Judge, Prefers


@dataclass(frozen=True)
class StepPreference:
    """A page, a goal, and actions of which some are right steps: one line of a benchmark.

    Attributes:
        goal: What is to be done, in words.
        page: The page as text.
        candidates: Actions, each unlike the others. There are five in WebPRMBench (Zhang et al. 2026, arXiv
            2601.21872).
        right: The indices of those that are right steps: one in WebPRMBench, several where several ways are as short.

    Raises:
        ValueError: If candidates repeat, or right names none of them, all of them, or one that is not there.
    """

    goal: str
    page: str
    candidates: tuple[str, ...]
    right: tuple[int, ...]

    def __post_init__(self) -> None:
        if not isinstance(self.goal, str) or not isinstance(self.page, str):
            raise ValueError("goal and page must be str")
        for name, kind in (("candidates", str), ("right", int)):
            values = getattr(self, name)
            if not isinstance(values, list | tuple) or not all(type(value) is kind for value in values):
                raise ValueError(f"{name} must be a list of {kind.__name__}, got {values!r}")
            object.__setattr__(self, name, tuple(values))
        if len(set(self.candidates)) != len(self.candidates):
            raise ValueError(f"candidates must differ from each other, got {self.candidates}")
        count = len(self.candidates)
        known = set(self.right) <= set(range(count)) and len(set(self.right)) == len(self.right)
        if not known or not 0 < len(self.right) < count:
            raise ValueError(
                f"right must hold some but not all of the indices 0..{count - 1}, each once, got {self.right}"
            )

    @property
    def wrong(self) -> tuple[int, ...]:
        """The indices of the others."""
        return tuple(index for index in range(len(self.candidates)) if index not in self.right)


def write_preferences(path: str | Path, instances: Iterable[StepPreference]) -> None:
    """Writes one JSON object a line: goal, page, candidates, right."""
    lines = [json.dumps(asdict(instance), ensure_ascii=False) + "\n" for instance in instances]
    Path(path).write_text("".join(lines), encoding="utf-8")


def read_preferences(path: str | Path) -> list[StepPreference]:
    """Reads what `write_preferences` wrote. Empty lines don't matter.

    Raises:
        ValueError: ``"<path>:<line>: <what is wrong>"``.
    """
    keys = {field.name for field in fields(StepPreference)}
    instances = []
    # Not splitlines(): it would also cut at the line separators that JSON leaves inside strings.
    for number, line in enumerate(Path(path).read_text(encoding="utf-8").split("\n"), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            if not isinstance(row, dict) or set(row) != keys:
                got = sorted(row) if isinstance(row, dict) else type(row).__name__
                raise ValueError(f"a line must be an object with the keys {sorted(keys)}, got {got}")
            instances.append(StepPreference(**row))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"{path}:{number}: {error}") from error
    return instances


Margins = np.ndarray[Any, Any]
"""By how much each right candidate (rows) beats each wrong one (columns). 0 is a tie, less is a defeat."""


def scored_margins(instances: Iterable[StepPreference], score: Callable[[str, str, str], float]) -> list[Margins]:
    """The margins of a judge that gives (goal, page, action) a number."""
    margins = []
    for instance in instances:
        scores = np.array([score(instance.goal, instance.page, action) for action in instance.candidates], float)
        margins.append(scores[list(instance.right), None] - scores[None, list(instance.wrong)])
    return margins


def compared_margins(instances: Iterable[StepPreference], judge: Judge, rng: np.random.Generator) -> list[Margins]:
    """The margins of a judge that compares two actions. Which of them it reads first is drawn at random.

    All is asked in one batch, as `potentia.judges.Prefers` with the page as the context. A comparison without a valid
    answer is a tie.
    """
    listed = list(instances)
    questions, signs = [], []
    for instance in listed:
        for better in instance.right:
            for worse in instance.wrong:
                right, wrong = instance.candidates[better], instance.candidates[worse]
                question = Prefers(instance.goal, right, wrong, context=instance.page)
                first = rng.random() < 0.5
                questions.append(question if first else question.swapped())
                signs.append(1.0 if first else -1.0)
    verdicts = iter([sign * answer.value for sign, answer in zip(signs, judge.answer(questions), strict=True)])
    return [np.array([[next(verdicts) for _ in one.wrong] for _ in one.right]) for one in listed]


def pairwise_accuracy(margins: Sequence[Margins]) -> float:
    """``mean 1[right > wrong]`` over the pairs of an instance, then over instances. A tie is no win.

    Who does not know gets 1/2. Zhang et al. 2026, arXiv 2601.21872.

    Raises:
        ValueError: If there is no instance, or a margin is not finite.
    """
    return float(np.mean([(_checked(margin) > 0).mean() for margin in _some(margins)]))


def best_of_n_accuracy(margins: Sequence[Margins]) -> float:
    """``mean 1[some right candidate > every wrong one]``: whether the judge's favourite of n is right. Ties lose.

    With one right and four wrong this is ``mean prod_q 1[right > wrong_q]`` (Zhang et al. 2026, arXiv 2601.21872). By
    chance it is 1/16 for comparisons that are independent and 1/5 for scores, which can't contradict each other: so
    compare judges of one kind.

    Raises:
        ValueError: If there is no instance, or a margin is not finite.
    """
    return float(np.mean([(_checked(margin) > 0).all(1).any() for margin in _some(margins)]))


def _some(margins: Sequence[Margins]) -> Sequence[Margins]:
    if not len(margins):
        raise ValueError("an accuracy needs at least one instance, got none")
    return margins


def _checked(margin: Margins) -> Margins:
    margin = np.asarray(margin, dtype=np.float64)
    if margin.ndim != 2 or 0 in margin.shape or not np.isfinite(margin).all():
        raise ValueError(
            f"margins must be finite and of shape (right candidates, wrong candidates), got shape {margin.shape}: "
            f"{margin.tolist()}"
        )
    return margin
