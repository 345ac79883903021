"""Importing somebody else's package, with an error that says how to get it."""

from __future__ import annotations

import importlib
from typing import Any

__all__ = ["package"]


def package(module: str, install: str) -> Any:
    """The module.

    Raises:
        ImportError: If it is missing.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise ImportError(f"this world needs the package {install!r}: pip install {install} ({error})") from error
