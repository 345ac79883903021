"""The files of the wheel ``miniwob``, served as they are."""

from __future__ import annotations

import functools
import mimetypes
from importlib.util import find_spec
from pathlib import Path

from potentia.envs.web.http import Request, Response

__all__ = ["HOST", "page_folder", "serve"]

HOST = "miniwob.test"


@functools.cache
def page_folder() -> Path:
    """Where the wheel's pages are. The package itself is not imported, so Selenium is not needed.

    Raises:
        ImportError: If it is not installed.
    """
    spec = find_spec("miniwob")
    if spec is None or spec.origin is None:
        raise ImportError(
            "MiniWoB's pages come with the package 'miniwob', which is not installed: pip install 'potentia[miniwob]' "
            "(beside nle, which asks for an older gymnasium: pip install --no-deps miniwob)"
        )
    return Path(spec.origin).parent / "html"


def serve(request: Request) -> Response:
    """A file below `page_folder`."""
    if request.path == "/favicon.ico":
        return Response(204)
    found = _read(request.path)
    return Response(404, b"There is no such file.", "text/plain") if found is None else found


@functools.lru_cache(maxsize=2048)
def _read(path: str) -> Response | None:
    folder = page_folder().resolve()
    file = (folder / path.lstrip("/")).resolve()
    if not file.is_relative_to(folder) or not file.is_file():
        return None
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    kind += "; charset=utf-8" if kind.startswith("text/") or kind.endswith("javascript") else ""
    return Response(200, file.read_bytes(), kind, lasting=True)
