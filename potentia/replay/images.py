"""Frames as lossless pictures: WebP where Pillow is installed and it is smaller, else PNG."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any, Literal

import numpy as np

Frame = np.ndarray[Any, Any]
Kind = Literal["png", "webp"]

_PNG = b"\x89PNG\r\n\x1a\n"
_WEBP_LIMIT = 16383
"""WebP has 14 bits for a side."""


class Encoder:
    """Encodes the frames of an episode. Which kind is smaller is tried out on the first of them.

    The pictures of grids and of terminals are 2 to 5 times smaller as WebP than as PNG.
    """

    def __init__(self) -> None:
        self._kind: Kind | None = None

    def __call__(self, frame: Frame) -> bytes:
        """The picture as a file.

        Args:
            frame: ``(height, width, 3)`` uint8.

        Raises:
            ValueError: If it has another shape or dtype.
        """
        frame = _checked(frame)
        if self._kind is None:
            png, webp = encode_png(frame), _encode_webp(frame)
            self._kind = "png" if webp is None or len(png) <= len(webp) else "webp"
            return png if webp is None or self._kind == "png" else webp
        if self._kind == "webp":
            webp = _encode_webp(frame)
            if webp is not None:
                return webp
        return encode_png(frame)


def encode_png(frame: Frame) -> bytes:
    """A PNG file: each row as its difference from the one above (filter 2), compressed.

    Args:
        frame: ``(height, width, 3)`` uint8.
    """
    height, width, _ = frame.shape
    rows = frame.reshape(height, 3 * width)
    filtered = np.empty((height, 1 + 3 * width), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])  # modulo 256, as PNG has it
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = {b"IHDR": header, b"IDAT": zlib.compress(filtered.tobytes(), 6), b"IEND": b""}
    return _PNG + b"".join(_chunk(name, data) for name, data in parts.items())


def media_type(picture: bytes) -> str:
    """The media type of an encoded picture.

    Raises:
        ValueError: If it is neither PNG nor WebP.
    """
    if picture.startswith(_PNG):
        return "image/png"
    if picture[:4] == b"RIFF" and picture[8:12] == b"WEBP":
        return "image/webp"
    raise ValueError(f"a picture must be PNG or WebP, got one that begins with {picture[:12]!r}")


def _encode_webp(frame: Frame) -> bytes | None:
    try:
        from PIL import Image, features  # noqa: PLC0415 - optional; matplotlib brings it
    except ImportError:
        return None
    if max(frame.shape) > _WEBP_LIMIT or not features.check("webp"):
        return None
    file = io.BytesIO()
    Image.fromarray(frame).save(file, "WEBP", lossless=True, method=4)
    return file.getvalue()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def _checked(frame: Frame) -> Frame:
    frame = np.asarray(frame)
    if frame.dtype != np.uint8 or frame.ndim != 3 or frame.shape[2] != 3 or not frame.size:
        raise ValueError(f"a frame must be (height, width, 3) uint8, got {frame.shape} {frame.dtype}")
    return np.ascontiguousarray(frame)
