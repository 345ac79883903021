"""Checkpoints: written whole or not at all, and loaded without running any code that is in the file."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

_ARRAY = "__numpy__"
_PLAIN = (bool, int, float, str, bytes, type(None))


def save(path: str | os.PathLike[str], **parts: Any) -> None:
    """Writes ``parts`` to ``path``: to a file beside it, then in one move, so that the old file survives a failure.

    Args:
        path: The file. Its folder must exist.
        **parts: Tensors, numpy arrays, numbers, strings, bytes and None, in dicts (with strings, bytes or integers
            for keys), lists and tuples. An example is ``agent=agent.state_dict(), shaper=shaper.state_dict(),
            steps=steps``.

    Raises:
        TypeError: If a part can't be saved. The message says where it is.
        OSError: If it can't be written. The file that was there is untouched.
    """
    write_whole(path, dumps(parts), "checkpoint")


def write_whole(path: str | os.PathLike[str], data: bytes, what: str) -> None:
    """Writes bytes to a file beside ``path``, then moves it there, so that the old file survives a failure.

    Args:
        path: The file. Its folder must exist.
        data: What is to be in it.
        what: What that is, for messages.

    Raises:
        OSError: If it can't be written. The file that was there is untouched.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        _discard(temporary)
        raise type(error)(
            error.errno,
            f"could not write the {what} ({error.strerror or error}): free some space or choose a writable folder; "
            f"the previous {what}, if there was one, is untouched",
            str(path),
        ) from error
    except BaseException:
        _discard(temporary)
        raise
    _sync_folder(path.parent)


def dumps(parts: Mapping[str, Any]) -> bytes:
    """What `save` writes, as bytes.

    Raises:
        TypeError: As for `save`.
    """
    buffer = io.BytesIO()
    torch.save(_pack(parts, ""), buffer)
    return buffer.getvalue()


def loads(data: bytes, device: torch.device | str = "cpu") -> dict[str, Any]:
    """What `dumps` was given."""
    parts: dict[str, Any] = _unpack(torch.load(io.BytesIO(data), map_location=device, weights_only=True))
    return parts


def load(path: str | os.PathLike[str], device: torch.device | str = "cpu") -> dict[str, Any]:
    """Reads what `save` wrote: the parts by name, tensors on ``device``, arrays as numpy arrays.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the file is damaged or was not written by `save`.
    """
    try:
        packed = torch.load(path, map_location=device, weights_only=True)
        parts = _unpack(packed)
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, TypeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(
            f"{path} is not a whole checkpoint of potentia ({reason}); delete it to start afresh"
        ) from error
    if not isinstance(parts, dict):
        raise ValueError(f"{path} is not a checkpoint of potentia: wanted named parts, got {type(parts).__name__}")
    return parts


def _pack(value: Any, where: str) -> Any:
    if type(value) in _PLAIN:
        return value
    if isinstance(value, torch.Tensor):
        return value.detach().cpu().clone()  # a view would drag its whole storage along
    if isinstance(value, np.ndarray | np.generic):
        return _pack_array(value, where)
    if isinstance(value, Mapping):
        for key in value:
            if type(key) not in (str, bytes, int):
                message = f"the keys of{where or ' the checkpoint'} must be strings, bytes or integers, got {key!r}"
                raise TypeError(message)
        return {key: _pack(part, f"{where}[{key!r}]") for key, part in value.items()}
    if type(value) in (list, tuple):
        return type(value)(_pack(part, f"{where}[{index}]") for index, part in enumerate(value))
    raise TypeError(
        f"{where} can't be saved: got {type(value).__qualname__}; a checkpoint holds tensors, arrays, numbers, "
        "strings, bytes and None in dicts, lists and tuples"
    )


def _pack_array(value: Any, where: str) -> dict[str, Any]:
    array = np.asarray(value)
    if array.dtype.hasobject or array.dtype.names is not None:
        raise TypeError(
            f"{where} can't be saved: got an array of dtype {array.dtype}; make it numbers, strings or a list"
        )
    kind = "array" if isinstance(value, np.ndarray) else "scalar"
    return {
        _ARRAY: kind,
        "dtype": array.dtype.str,
        "shape": tuple(array.shape),
        "bytes": array.tobytes() or None,
    }  # torch.load refuses empty bytes


def _unpack(value: Any) -> Any:
    if isinstance(value, dict):
        if _ARRAY in value:
            dtype = np.dtype(value["dtype"])
            flat = np.frombuffer(value["bytes"], dtype) if value["bytes"] else np.empty(0, dtype)
            array = flat.reshape(value["shape"]).copy()
            return array if value[_ARRAY] == "array" else array[()]
        return {key: _unpack(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_unpack(part) for part in value)
    return value


def _discard(path: Path) -> None:
    try:
        path.unlink(missing_ok=True)
    except OSError:
        return  # a folder that refuses the write may refuse this too; the first error is the one to report


def _sync_folder(folder: Path) -> None:
    """Makes the move itself durable where the system allows it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError:
        return
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
