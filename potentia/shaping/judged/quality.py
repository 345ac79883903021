"""How well a judge's answers agree with what the world knows."""

from __future__ import annotations

from collections.abc import Sequence

from potentia.judges import Progress, Question
from potentia.state import Stateful

_BINS = 10


class Quality(Stateful):
    """Counts of a judge's valid answers against `potentia.judges.Question.truth`, over all questions that have it.

    A number and its truth are stretched to [0, 1]. A truth of 0 or 1 is a decision, unless the question is of
    `potentia.judges.Progress`: from 1/2 on the judge says yes.

    >>> from potentia.judges import Forward
    >>> quality = Quality()
    >>> for truth, said in [(1, 0.9), (1, 0.9), (1, 0.1), (0, 0.9), (0, 0.1)]:
    ...     quality.add(Forward("Leave.", "A room.", "go", truth=(truth,)), (said,))
    >>> {name: round(value, 3) for name, value in quality.metrics.items()}  # doctest: +NORMALIZE_WHITESPACE
    {'truths': 5.0, 'error': 0.42, 'calibration': 0.3, 'accuracy': 0.6, 'precision': 0.667, 'recall': 0.667,
     'f1': 0.667}
    """

    saved = ("_decisions", "_bins", "_error")

    def __init__(self) -> None:
        self._decisions = [0.0] * 4  # true yes, false yes, false no, true no
        self._bins = [[0.0] * 3 for _ in range(_BINS)]  # how many, the sum of what was said, that of the truth
        self._error = 0.0

    def add(self, question: Question, values: Sequence[float]) -> None:
        """Counts an answer. Without a truth there is nothing to count."""
        if question.truth is None:
            return
        low = question.low
        for value, true in zip(values, question.truth, strict=True):
            said, is_so = (value - low) / (1 - low), (true - low) / (1 - low)
            place = self._bins[min(int(said * _BINS), _BINS - 1)]
            place[0] += 1.0
            place[1] += said
            place[2] += is_so
            self._error += abs(said - is_so)
            if is_so in (0.0, 1.0) and not isinstance(question, Progress):
                self._decisions[(0 if is_so else 1) if said >= 0.5 else (2 if is_so else 3)] += 1.0

    @property
    def metrics(self) -> dict[str, float]:
        """``truths``: how many numbers had a truth. ``error``: the mean distance to it.

        ``calibration``: the expected calibration error, in ten bins. ``accuracy``, ``precision``, ``recall`` and ``f1``
        are of decisions. What has no denominator is left out.
        """
        number = sum(place[0] for place in self._bins)
        if not number:
            return {}
        yes, false_yes, missed, no = self._decisions
        parts = {
            "accuracy": (yes + no, yes + false_yes + missed + no),
            "precision": (yes, yes + false_yes),
            "recall": (yes, yes + missed),
            "f1": (2 * yes, 2 * yes + false_yes + missed),
        }
        return {
            "truths": number,
            "error": self._error / number,
            "calibration": sum(abs(place[1] - place[2]) for place in self._bins) / number,
            **{name: part / whole for name, (part, whole) in parts.items() if whole},
        }
