"""Compiled games on disk, by what they were made of, safe for several processes at once."""

from __future__ import annotations

import functools
import hashlib
import importlib.metadata
import json
import os
import shutil
import tempfile
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from potentia.envs.text.textworld.kinds import generate
from potentia.envs.text.textworld.planner import Planner
from potentia.envs.text.textworld.symbols import Symbols, read_symbols

__all__ = ["Story", "default_cache", "story"]

_FORMAT = 2
"""Of what is kept beside a story. Another number makes all of them anew."""
_IN_MEMORY = 64
"""Games whose logic and distances are kept in memory."""


@dataclass(frozen=True)
class Story:
    """A game ready to be played.

    Attributes:
        key: Equal for equal games.
        path: Of the compiled story. TextWorld's own tools play it, for its ``game.json`` lies beside it.
        symbols: Its logic.
        planner: Its distances, of all states that were asked about.
        made_of: The arguments of `story`. A copy is the same game, found by them.
    """

    key: str
    path: str
    symbols: Symbols
    planner: Planner
    made_of: tuple[Any, ...]

    def __reduce__(self) -> tuple[Any, ...]:
        return story, self.made_of


def default_cache() -> Path:
    """``$XDG_CACHE_HOME/potentia/textworld``, usually in ``~/.cache``."""
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "potentia" / "textworld"


def story(kind: str, settings: dict[str, Any], number: int, cache: str | Path | None = None) -> Story:
    """A game of a kind: out of memory, from the cache, or generated and compiled, which takes seconds.

    Args:
        kind: A key of `KINDS`.
        settings: All of the kind's settings.
        number: Of the game.
        cache: The folder where games are kept. None is `default_cache`. If it can't be written to, they are kept in a
            temporary folder, and a warning says so.
    """
    made_of = json.dumps([_version(), _FORMAT, kind, settings, number], sort_keys=True)
    key = hashlib.sha256(made_of.encode()).hexdigest()[:24]
    return _story(key, kind, json.dumps(settings, sort_keys=True), number, str(cache or default_cache()))


@functools.cache
def _version() -> str:
    try:
        return importlib.metadata.version("textworld")
    except importlib.metadata.PackageNotFoundError as error:
        raise ImportError('TextWorld\'s games need the extra "text": pip install "potentia[text]"') from error


@functools.lru_cache(maxsize=_IN_MEMORY)
def _story(key: str, kind: str, settings: str, number: int, cache: str) -> Story:
    folder = Path(cache) / key
    if not (folder / "symbols.json").exists():
        folder = _make(_writable(Path(cache)) / key, kind, json.loads(settings), number)
    symbols = Symbols.from_json((folder / "symbols.json").read_text())
    made_of = kind, json.loads(settings), number, cache
    return Story(key, str(folder / "game.z8"), symbols, Planner(symbols), made_of)


def _writable(cache: Path) -> Path:
    try:
        cache.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=cache):
            return cache
    except OSError as error:
        folder = _temporary()
        warnings.warn(
            f"games can't be kept in {cache} ({error}): they are kept in {folder} until this process ends; "
            "give cache= a folder that can be written to",
            RuntimeWarning,
            stacklevel=5,
        )
        return folder


@functools.cache
def _temporary() -> Path:
    return Path(_temporary_folder().name)


@functools.cache
def _temporary_folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="potentia-textworld-")


def _make(folder: Path, kind: str, settings: dict[str, Any], number: int) -> Path:
    """Generates and compiles beside the folder, and then moves. Who comes second finds it there."""
    from textworld import GameOptions  # noqa: PLC0415 - the extra "text"
    from textworld.generator import compile_game  # noqa: PLC0415

    game = generate(kind, settings, number)
    work = Path(tempfile.mkdtemp(prefix=".making-", dir=folder.parent))
    try:
        options = GameOptions()
        options.path = str(work / "game.z8")
        compile_game(game, options)
        for other in work.iterdir():
            if other.name not in ("game.z8", "game.json"):
                other.unlink()
        (work / "symbols.json").write_text(read_symbols(game).to_json())
        try:
            work.rename(folder)
        except OSError:
            if not (folder / "symbols.json").exists():
                raise
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder
