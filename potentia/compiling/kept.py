"""Where machine code is kept between processes: a folder that can be written, and Numba's cache in it."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import sys
import tempfile
import warnings
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

_PACKAGE = Path(__file__).parents[1]


@lru_cache(maxsize=1)
def cache_folder() -> Path | None:
    """The first of these that can be written; None, with a warning, if none can.

    ``NUMBA_CACHE_DIR``; the package's own ``__pycache__``; the user's cache folder; with a warning, a folder of this
    user alone among the temporary ones.
    """
    folder = find_folder()
    *lasting, last = _candidates()
    if folder in lasting:
        return folder
    where = "anew in each process" if folder is None else f"as often as {last} is cleared"
    tried = ", ".join(map(str, lasting))
    warnings.warn(
        f"grid worlds and counts are compiled {where}, since none of {tried} can be written: "
        "set NUMBA_CACHE_DIR to a folder that can",
        RuntimeWarning, stacklevel=4,
    )  # fmt: skip
    return folder


@lru_cache(maxsize=1)
def find_folder() -> Path | None:
    """`cache_folder`, without a warning."""
    *lasting, last = _candidates()
    for folder in lasting:
        if _can_be_written(folder):
            return folder
    return last if _can_be_written(last) and _is_private(last) else None


def _candidates() -> Iterator[Path]:
    mine = f"potentia-{hashlib.sha256(str(_PACKAGE).encode()).hexdigest()[:12]}"  # of this installation
    if set_by_user := os.environ.get("NUMBA_CACHE_DIR"):
        yield Path(set_by_user) / mine
    yield _PACKAGE / "__pycache__"
    with contextlib.suppress(RuntimeError):  # nobody's home
        cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
        yield Path(cache) / mine
    with contextlib.suppress(OSError):
        user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
        yield Path(tempfile.gettempdir()) / f"{mine}-{user}"
        return
    yield Path(os.devnull) / mine


def _can_be_written(folder: Path) -> bool:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return False
    return True


def _is_private(folder: Path) -> bool:
    """Whether nobody else can put something there: what is loaded from it is run."""
    if not hasattr(os, "getuid"):
        return True  # Windows gives each user a temporary folder
    state = folder.lstat()
    return state.st_uid == os.getuid() and not state.st_mode & 0o022


def is_kept(name: str, digest: str) -> bool:
    """Whether this or an earlier process compiled it; asks Numba nothing."""
    folder = find_folder()
    return folder is not None and (folder / f"{_base(name, digest)}.nbi").exists()


def _base(name: str, digest: str) -> str:
    version = f"py{sys.version_info[0]}{sys.version_info[1]}{getattr(sys, 'abiflags', '')}"
    return f"{re.sub(r'[^a-z0-9_]+', '-', name.lower()).strip('-')}-{digest}.{version}"


def keep(dispatcher: Any, folder: Path, name: str, digest: str) -> None:
    """Makes a dispatcher of Numba load and save its machine code in a folder, and forget that of older sources."""
    from numba.core.caching import CompileResultCacheImpl, FunctionCache, _CacheLocator  # noqa: PLC0415

    base = _base(name, digest)

    class Locator(_CacheLocator):
        def get_cache_path(self) -> str:
            return str(folder)

        def get_source_stamp(self) -> str:
            return digest

        def get_disambiguator(self) -> str:
            return digest

        @classmethod
        def from_function(cls, py_func: Any, py_file: str) -> Locator:
            return cls()

    class Implementation(CompileResultCacheImpl):
        _locator_classes = [Locator]  # type: ignore[list-item]  # noqa: RUF012 - Numba's attribute

        def get_filename_base(self, fullname: str, abiflags: str) -> str:
            return base

    class Cache(FunctionCache):
        _impl_class = Implementation

        def _index_key(self, sig: Any, codegen: Any) -> Any:
            return sig, codegen.magic_tuple()  # the digest knows the rest, and the same in each process

    dispatcher._cache = Cache(dispatcher.py_func)  # type: ignore[no-untyped-call]
    for path in folder.glob(f"{_base(name, '[0-9a-f]' * 16)}.*"):
        if not path.name.startswith(base):
            with contextlib.suppress(OSError):
                path.unlink()
