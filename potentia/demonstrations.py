"""Demonstrations: whole episodes of somebody who can do the task, checked, kept in files and read again.

They are a `Rollout` with one episode a column, ``(T, B)``, as `potentia.collect.collect_episodes` gives it.
`potentia.recording` records them, and `potentia.adapters.minari` exchanges them with Minari.
"""

from __future__ import annotations

import io
import json
import os
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.arrays import array_namespace, host_array
from potentia.checkpoint import write_whole
from potentia.rollout import Array, Rollout
from potentia.trees import Tree, map_tree

Demonstrations = Rollout | str | os.PathLike[str]
"""What whoever learns from demonstrations takes: a rollout of whole episodes, or the path of a file of `save`."""

_FORMAT, _VERSION = "potentia.demonstrations", 1
_HEADER = "header"
_FIELDS = tuple(field.name for field in fields(Rollout))


def as_demonstrations(
    value: Demonstrations,
    observation_space: spaces.Space[Any] | None = None,
    action_space: spaces.Space[Any] | None = None,
) -> Rollout:
    """The rollout of whole episodes that ``value`` is or names.

    Args:
        value: The rollout, or the path of a file of `save`.
        observation_space: What the observations must fit, see `check_spaces`. None asks nothing.
        action_space: What the actions must fit.

    Raises:
        TypeError: If it is neither.
        ValueError: If a column is not one whole episode, or a space does not fit.
        OSError: If the file can't be read.
    """
    if not isinstance(value, Rollout | str | os.PathLike):
        raise TypeError(
            f"demonstrations must be a Rollout of whole episodes or the path of a file, got {type(value).__name__}; "
            "make them with potentia.recording.record_demonstrations"
        )
    rollout = value if isinstance(value, Rollout) else load(value)
    check_episodes(rollout)
    check_spaces(rollout, observation_space, action_space)
    return rollout


def check_episodes(rollout: Rollout) -> None:
    """Raises ``ValueError`` unless each column is one whole episode: steps, the last of which ends it, then padding."""
    mask, done = host_array(rollout.mask), host_array(rollout.done)
    lengths = mask.sum(0)
    steps = np.arange(mask.shape[0])[:, None]
    wrong = (mask != (steps < lengths)).any(0) | (lengths == 0) | ((done & mask) != (steps == lengths - 1)).any(0)
    if wrong.any():
        b = int(np.flatnonzero(wrong)[0])
        raise ValueError(
            f"each column of demonstrations must be one whole episode that ends at its last step, got column {b} with "
            f"{int(lengths[b])} steps and {int((done & mask)[:, b].sum())} ends ({int(wrong.sum())} such columns of "
            f"{wrong.size}); collect them with potentia.collect.collect_episodes"
        )


def check_spaces(
    rollout: Rollout, observation_space: spaces.Space[Any] | None, action_space: spaces.Space[Any] | None = None
) -> None:
    """Raises ``ValueError`` if the observations or actions of demonstrations don't fit a space.

    They fit if they have the space's parts, shapes and kind of number. The values of a ``Discrete`` must lie in it.

    Args:
        rollout: The demonstrations.
        observation_space: The space of one observation. None asks nothing.
        action_space: The space of one action. None asks nothing.

    >>> from gymnasium.spaces import Box, Discrete
    >>> import numpy as np
    >>> zeros, last = np.zeros((2, 1)), np.array([[False], [True]])
    >>> rollout = Rollout(obs=np.zeros((2, 1, 3)), action=zeros.astype(int), next_obs=np.zeros((2, 1, 3)),
    ...     terms={"env": zeros}, discount=zeros, terminated=last, truncated=last & False)
    >>> check_spaces(rollout, Box(-1, 1, (3,)), Discrete(2))
    >>> check_spaces(rollout, Box(-1, 1, (4,)))
    Traceback (most recent call last):
    ValueError: the demonstrations' obs must have shape (T, B, 4) as Box(-1.0, 1.0, (4,), float32) has, ...
    """
    for name, tree, space in (
        ("obs", rollout.obs, observation_space),
        ("next_obs", rollout.next_obs, observation_space),
        ("action", rollout.action, action_space),
    ):
        if space is not None:
            _check_part(tree, space, f"the demonstrations' {name}", host_array(rollout.mask))


def _check_part(tree: Tree, space: spaces.Space[Any], where: str, mask: np.ndarray[Any, Any]) -> None:
    advice = "record them in an environment of the same form, in the same wrappers"
    if isinstance(space, spaces.Dict | spaces.Tuple):
        keys = list(space.spaces) if isinstance(space, spaces.Dict) else list(range(len(space.spaces)))
        kind = dict if isinstance(space, spaces.Dict) else tuple
        parts = list(tree) if isinstance(tree, dict) else list(range(len(tree))) if isinstance(tree, tuple) else None
        if not isinstance(tree, kind) or sorted(map(str, parts or ())) != sorted(map(str, keys)):
            got = "one array" if parts is None else f"a {type(tree).__name__} of {parts}"
            raise ValueError(f"{where} must be a {kind.__name__} of {keys}, got {got}; {advice}")
        for key in keys:
            _check_part(tree[key], space.spaces[key], f"{where}[{key!r}]", mask)  # type: ignore[index]
        return
    if isinstance(tree, dict | tuple):
        raise ValueError(f"{where} must be one array for {space}, got a {type(tree).__name__}; {advice}")
    array = host_array(tree)
    if isinstance(space, spaces.Text):
        fits, wanted = array.dtype.kind in "OU", "be texts"
    elif space.shape is None or space.dtype is None:
        return
    else:
        axes = ", ".join(["T", "B", *map(str, space.shape)])
        if array.shape[2:] != space.shape:
            raise ValueError(f"{where} must have shape ({axes}) as {space} has, got {array.shape}; {advice}")
        fits, wanted = np.can_cast(array.dtype, space.dtype, "same_kind"), f"be numbers like {space.dtype}"
    if not fits:
        raise ValueError(f"{where} must {wanted} as {space} has, got dtype {array.dtype}; {advice}")
    if isinstance(space, spaces.Discrete):
        outside = mask & ((array < space.start) | (array >= space.start + space.n))
        if outside.any():
            raise ValueError(f"{where} must lie in {space}, got {array[outside][0]}; {advice}")


def beside(rollouts: Sequence[Rollout]) -> Rollout:
    """Puts episodes side by side, ``(longest, B1 + B2 + ...)``. Shorter ones are filled up with masked steps.

    Args:
        rollouts: Whole episodes, one a column, with the same terms and info columns.

    Raises:
        ValueError: If there are none, or they differ in what they hold.
    """
    if not rollouts:
        raise ValueError("nothing to put side by side: got no rollout")
    first = rollouts[0]
    for other in rollouts[1:]:
        if other.terms.keys() != first.terms.keys() or other.info.keys() != first.info.keys():
            raise ValueError(
                "episodes side by side must have the same terms and info columns, got "
                f"{sorted(first.terms)} + {sorted(first.info)} and {sorted(other.terms)} + {sorted(other.info)}"
            )
    longest = max(int(host_array(rollout.mask).sum(0).max()) for rollout in rollouts)
    padded = [_padded(rollout, longest) for rollout in rollouts]

    def join(*arrays: Array) -> Array:
        return array_namespace(arrays[0]).concat(arrays, axis=1)

    def joined(name: str) -> Tree:
        return map_tree(join, *(getattr(rollout, name) for rollout in padded))

    return Rollout(**{name: joined(name) for name in _FIELDS})


def _padded(rollout: Rollout, num_steps: int) -> Rollout:
    """So many steps of a rollout. Those behind it repeat its last one, pay nothing, end nothing and are masked."""
    count = num_steps - rollout.num_steps
    if count <= 0:
        return rollout[:num_steps] if count else rollout

    def pad(array: Array, fill: bool) -> Array:
        xp = array_namespace(array)
        last = xp.zeros_like(array[-1:]) if fill else array[-1:]
        return xp.concat([array, *[last] * count], axis=0)

    zeroed = ("terms", "discount", "terminated", "truncated", "mask")
    return Rollout(**{name: map_tree(partial(pad, fill=name in zeroed), getattr(rollout, name)) for name in _FIELDS})


def save(path: str | os.PathLike[str], rollout: Rollout, **labels: str | float | bool | None) -> None:
    """Writes demonstrations to an ``.npz`` file: whole or not at all, compressed, readable without running code.

    Args:
        path: The file. Its folder must exist.
        rollout: Whole episodes, one a column: NumPy arrays, tensors, and arrays of texts.
        labels: What is known of their making, such as ``environment="potentia/DoorKey-5x5-v0"``, ``seed=0``. `labels`
            reads it.

    Raises:
        ValueError: If a column is not one whole episode, or the path does not end in ``.npz``.
        TypeError: If the rollout holds something other than numbers and texts.
        OSError: If it can't be written.
    """
    path = Path(path)
    if path.suffix != ".npz":
        raise ValueError(f"a file of demonstrations must end in .npz, got {path.name!r}")
    check_episodes(rollout)
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    trees = {name: _pack(getattr(rollout, name), name, arrays) for name in _FIELDS}
    header = {"format": _FORMAT, "version": _VERSION, "labels": labels, "trees": trees}
    buffer = io.BytesIO()
    np.savez_compressed(buffer, **{_HEADER: np.array(json.dumps(header))}, **arrays)  # type: ignore[arg-type]
    write_whole(path, buffer.getvalue(), "demonstrations")


def load(path: str | os.PathLike[str]) -> Rollout:
    """The demonstrations in a file of `save`, as NumPy arrays.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged, or `save` did not write it.
    """
    header, arrays = _read(path, whole=True)
    try:
        return Rollout(**{name: _unpack(tree, arrays) for name, tree in header["trees"].items()})
    except (KeyError, TypeError) as error:
        raise _not_ours(path, f"{type(error).__name__}: {error}") from error


def labels(path: str | os.PathLike[str]) -> dict[str, Any]:
    """What the file at ``path`` says of how its demonstrations were made. It raises as `load` does."""
    return dict(_read(path, whole=False)[0]["labels"])


def _read(path: str | os.PathLike[str], whole: bool) -> tuple[dict[str, Any], dict[str, np.ndarray[Any, Any]]]:
    try:
        with open(path, "rb") as stream, np.load(stream, allow_pickle=False) as file:
            header = json.loads(str(file[_HEADER]))
            arrays = {name: file[name] for name in file.files} if whole else {}
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"there is no file {os.fspath(path)!r} of demonstrations; record them with "
            "potentia.recording.record_demonstrations and save them with potentia.demonstrations.save"
        ) from error
    except (ValueError, KeyError, EOFError, TypeError, IndexError, zipfile.BadZipFile) as error:
        raise _not_ours(path, str(error)) from error
    if not isinstance(header, dict) or header.get("format") != _FORMAT or header.get("version") != _VERSION:
        raise _not_ours(path, f"its header must have format {_FORMAT!r} and version {_VERSION}")
    return header, arrays


def _not_ours(path: str | os.PathLike[str], reason: str) -> ValueError:
    return ValueError(
        f"{os.fspath(path)} is not a whole file of demonstrations ({reason}); "
        "write it with potentia.demonstrations.save"
    )


def _pack(tree: Tree, where: str, arrays: dict[str, np.ndarray[Any, Any]]) -> Any:
    """A tree as JSON: a leaf is the name of its array. Texts are one array of bytes and one of lengths."""
    if isinstance(tree, Mapping):
        return {"dict": {key: _pack(part, f"{where}[{key!r}]", arrays) for key, part in tree.items()}}
    if isinstance(tree, tuple):
        return {"tuple": [_pack(part, f"{where}[{index}]", arrays) for index, part in enumerate(tree)]}
    array, name = host_array(tree), f"a{len(arrays)}"
    if array.dtype.kind in "biufc":
        arrays[name] = array
        return name
    if not all(isinstance(text, str) for text in array.flat):
        raise TypeError(
            f"{where} can't be saved: got an array of {array.dtype} that is not of texts; a file of demonstrations "
            "holds numbers and texts"
        )
    encoded = [text.encode("utf-8", "surrogatepass") for text in array.flat]
    arrays[name] = np.frombuffer(b"".join(encoded), np.uint8)
    arrays[f"{name}.lengths"] = np.array([len(text) for text in encoded], np.int64).reshape(array.shape)
    return {"text": name, "lengths": f"{name}.lengths", "objects": array.dtype == object}


def _unpack(tree: Any, arrays: dict[str, np.ndarray[Any, Any]]) -> Tree:
    if isinstance(tree, str):
        return arrays[tree]
    if "dict" in tree:
        return {key: _unpack(part, arrays) for key, part in tree["dict"].items()}
    if "tuple" in tree:
        return tuple(_unpack(part, arrays) for part in tree["tuple"])
    lengths, data = arrays[tree["lengths"]], arrays[tree["text"]].tobytes()
    ends = np.cumsum(lengths.ravel())
    found = np.empty(lengths.size, object)
    for index, (end, length) in enumerate(zip(ends.tolist(), lengths.ravel().tolist(), strict=True)):
        found[index] = data[end - length : end].decode("utf-8", "surrogatepass")
    found = found.reshape(lengths.shape)
    return found if tree["objects"] else found.astype(str)
