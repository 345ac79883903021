"""Actions in words, for whoever reads them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from potentia.arrays import host_array
from potentia.trees import Tree


def action_words(actions: Tree, names: Sequence[str] | None = None) -> Callable[[int, int], str]:
    """From step t and environment b to the action in words: a text as it is, a number by its name, else "".

    >>> import numpy as np
    >>> action_words(np.array([[1], [0]]), ["wait", "go"])(0, 0)
    'go'
    """
    column = None if isinstance(actions, dict | tuple) else host_array(actions)
    if column is not None and column.dtype.kind in "OU" and column.ndim == 2:
        texts = column
        return lambda t, b: str(texts[t, b])
    if column is None or names is None or column.dtype.kind not in "iu" or column.ndim != 2:
        return lambda t, b: ""
    numbers = column
    return lambda t, b: names[int(numbers[t, b])] if 0 <= numbers[t, b] < len(names) else ""
