"""What a search found, as a file of its run: what policies did and what it earned, a few thousand of them at most."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

FILE = "archive.npz"
MOST = 4_000
"""How many points a file holds: about 50 kB of two numbers and a return each."""

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class ArchiveMap:
    """Points of a behaviour space and their returns.

    Attributes:
        descriptor: ``(n, d)``.
        returns: ``(n,)``.
        bounds: ``(d, 2)``: the lowest and the highest value of each number. None if they are not known.
        size: How many points there were before they were thinned out, at least n.

    Raises:
        ValueError: If the shapes do not fit each other.
    """

    descriptor: Array
    returns: Array
    bounds: Array | None = None
    size: int = 0

    def __post_init__(self) -> None:
        n, d = self.descriptor.shape if self.descriptor.ndim == 2 else (-1, -1)
        if self.returns.shape != (n,) or (self.bounds is not None and self.bounds.shape != (d, 2)):
            bounds = "" if self.bounds is None else f", bounds {self.bounds.shape}"
            raise ValueError(
                "an archive's map must have descriptor (n, d), returns (n,) and perhaps bounds (d, 2), got descriptor "
                f"{self.descriptor.shape}, returns {self.returns.shape}{bounds}"
            )

    @classmethod
    def of(cls, arrays: Mapping[str, Any], bounds: Any = None) -> ArchiveMap:
        """That of a search's ``archive_map()``: its arrays ``descriptor``, ``return``, and perhaps ``bounds``.

        Args:
            arrays: By name. Others are not looked at.
            bounds: Those to take if there are none among the arrays.
        """
        bounds = arrays.get("bounds", bounds)
        return cls(
            np.asarray(arrays["descriptor"], np.float64),
            np.asarray(arrays["return"], np.float64),
            None if bounds is None else np.asarray(bounds, np.float64),
            int(arrays.get("size", len(arrays["return"]))),
        )

    def save(self, folder: Path) -> None:
        """Writes ``archive.npz`` into a run's folder in one move: float32, at most `MOST` points, evenly thinned out.

        Raises:
            OSError: If it can't be written.
        """
        few = np.linspace(0, len(self.returns) - 1, min(len(self.returns), MOST)).round().astype(int)
        arrays: dict[str, Any] = {
            "descriptor": self.descriptor[few].astype(np.float32),
            "return": self.returns[few].astype(np.float32),
            "size": np.array(self.size),
        }
        data = io.BytesIO()
        if self.bounds is not None:
            arrays["bounds"] = self.bounds
        np.savez_compressed(data, **arrays)
        temporary = folder / f".{FILE}.{os.getpid()}.tmp"
        temporary.write_bytes(data.getvalue())
        os.replace(temporary, folder / FILE)

    @classmethod
    def load(cls, folder: Path) -> ArchiveMap | None:
        """That of a run's folder. It is None where there is none, or the file is damaged."""
        try:
            with open(folder / FILE, "rb") as file, np.load(file, allow_pickle=False) as arrays:
                return cls.of(arrays)
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None
