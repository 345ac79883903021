"""Tasks that still teach: those whose repeated outcomes vary."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

import numpy as np

Task = TypeVar("Task")


def variance_filter(
    outcomes: Mapping[Task, Sequence[float]], *, least: float = 0.0, most: float = np.inf, tries: int = 2
) -> list[Task]:
    """The tasks whose repeated outcomes have a variance above ``least`` and at most ``most``, in their order.

    Where each try of a task comes to the same, a group's advantages are all 0 and nothing is learned (the data
    selection of Temporal-R1 and of many who train by groups). ``most`` leaves out tasks that are mere chance.

    Args:
        outcomes: The returns of repeated tries, by task.
        least: The variance (over all tries, divided by their number) that must be exceeded.
        most: The greatest variance.
        tries: How many tries a task needs to be judged at all. Tasks with fewer are left out.

    Raises:
        ValueError: If an outcome is not finite, or ``tries`` is less than 2.

    >>> variance_filter({"easy": [1, 1, 1], "even": [0, 1, 1], "hopeless": [0, 0, 0], "new": [1]})
    ['even']
    """
    if tries < 2:
        raise ValueError(f"a variance needs two tries at least, got tries={tries}")
    kept = []
    for task, returns in outcomes.items():
        values = np.asarray(returns, np.float64)
        if not np.isfinite(values).all():
            raise ValueError(f"the outcomes of {task!r} must be finite, got {values.tolist()}; leave failed tries out")
        if len(values) >= tries and least < values.var() <= most:
            kept.append(task)
    return kept
