"""Data in files: arrays, tables and lists, for whoever takes them as an argument."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from potentia.objects.kinds import Kind, add_kind


def read_file(path: Path) -> Any:
    """What a file holds: ``.npy`` an array, ``.npz`` a dict of arrays, ``.json`` its value, ``.jsonl`` a list of lines.

    Arrays of objects are refused, because to read one can run any code.

    Args:
        path: The file.

    Raises:
        ValueError: If its name ends otherwise, or it does not hold what its name says.
        OSError: If it can't be read.
    """
    if path.suffix == ".npy":
        return np.load(path, allow_pickle=False)
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    if path.suffix == ".json":
        return json.loads(path.read_text("utf-8"))
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]
    raise ValueError(f"a file must end in .npy, .npz, .json or .jsonl, got {path.name!r}")


FILES = add_kind(Kind("file", (np.ndarray,), lambda: {"file": read_file}))
