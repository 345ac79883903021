"""Pictures of pages as arrays."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

__all__ = ["read_png"]


def read_png(data: bytes) -> np.ndarray[Any, Any]:
    """The pixels of a PNG, ``(H, W, 3)`` uint8."""
    from PIL import Image  # noqa: PLC0415 - only who looks at pictures needs it

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert("RGB"))
