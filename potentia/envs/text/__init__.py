"""Text worlds: a text in, a text out, and the symbolic truth behind it.

Each world has a module of its own, which registers its ids without importing an engine.
"""

from __future__ import annotations

import importlib

from potentia.envs.text.forms import register_text_world
from potentia.envs.text.game import PlainGame, TextGame, Turn, text_hash
from potentia.envs.text.indexed import IndexedCommands
from potentia.envs.text.vector import make_vector
from potentia.envs.text.vectors import hashed_words

__all__ = [
    "IndexedCommands",
    "PlainGame",
    "TextGame",
    "Turn",
    "hashed_words",
    "make_vector",
    "register",
    "register_text_world",
    "text_hash",
]

_WORLDS: tuple[str, ...] = (
    "calculation",
    "code_repair",
    "household",
    "inquiry",
    "textworld",
)


def register() -> None:
    """Register the ids of all text worlds."""
    for world in _WORLDS:
        importlib.import_module(f"potentia.envs.text.{world}").register()
