"""Trees: an array, or a dict or tuple of trees. They are observations of ``Dict`` and ``Tuple`` spaces, and carries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

Tree = Any
"""An array-like leaf, or a ``dict`` or ``tuple`` whose values are trees."""


def map_tree(function: Callable[..., Any], tree: Tree, *others: Tree) -> Tree:
    """Applies ``function`` to each leaf of ``tree`` (and to the leaves at the same place in ``others``)."""
    if not isinstance(tree, dict | tuple):
        return function(tree, *others)
    if isinstance(tree, dict):
        return {key: map_tree(function, value, *(other[key] for other in others)) for key, value in tree.items()}
    return tuple(map_tree(function, *values) for values in zip(tree, *others, strict=True))


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    """Yields ``(path, leaf)`` for each leaf. The path of a bare leaf is empty."""
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield from leaves(value, f"{path}[{key!r}]")
    elif isinstance(tree, tuple):
        for index, value in enumerate(tree):
            yield from leaves(value, f"{path}[{index}]")
    else:
        yield path, tree
