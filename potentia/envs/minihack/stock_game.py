"""Builds the stock MiniHack or NLE task that a world drives, without what makes it slow."""

from __future__ import annotations

import functools
import importlib
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from potentia.envs.minihack.level_files import install_level, read_description

NEEDED_BUFFERS = ("glyphs", "blstats", "message", "program_state", "internal")
"""What NLE's own rules read at each step."""


@functools.cache
def _packages() -> tuple[Any, Any]:
    """Imports nle and minihack, once."""
    try:
        with warnings.catch_warnings():
            # minihack asks setuptools' pkg_resources for two paths. Version 81 of setuptools says that it will be
            # removed.
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=UserWarning)
            warnings.filterwarnings("ignore", message="pkg_resources is deprecated", category=DeprecationWarning)
            nle_nethack = importlib.import_module("nle.nethack")
            minihack = importlib.import_module("minihack")
    except ImportError as error:
        raise ImportError(
            f"this needs the extra 'minihack': pip install 'potentia[minihack]' (while importing: {error})"
        ) from error
    return nle_nethack, minihack


def nethack() -> Any:
    """The module `nle.nethack`: constants and glyph arithmetic."""
    return _packages()[0]


@functools.cache
def _game_class(entry_point: str) -> type[Any]:
    """The stock class, with levels compiled by `level_files` instead of by a shell script."""
    _packages()
    module, name = entry_point.split(":")
    stock: type[Any] = getattr(importlib.import_module(module), name)
    if not hasattr(stock, "_patch_nhdat"):
        return stock
    base = importlib.import_module("minihack.base")

    def install(self: Any, des_file: str) -> None:
        install_level(
            read_description(des_file, Path(base.PATH_DAT_DIR)),
            game_folder=self.nethack._vardir,
            compiler=str(Path(base.HACKDIR, "lev_comp")),
            fixed_files=base.LIB_DIR,
        )

    return type(name, (stock,), {"_patch_nhdat": install})


def build_game(entry_point: str, extra_buffers: Sequence[str] = (), **kwargs: Any) -> Any:
    """An instance of the stock task that fills only the observation buffers somebody reads.

    Args:
        entry_point: "module:Class" of the stock task.
        extra_buffers: NLE observation keys wanted besides `NEEDED_BUFFERS`.
        **kwargs: arguments of the stock class.
    """
    cls = _game_class(entry_point)
    # Without this, moon phase and Friday the 13th would come from the machine's clock: luck, and with it
    # whether a stuck door opens, would differ from day to day under one seed.
    kwargs.setdefault("fix_moon_phase", True)
    with warnings.catch_warnings():
        # MultiRoom-N4 asks minigrid for version 0 of a level that has a version 1.
        warnings.filterwarnings("ignore", message=".*is out of date", category=DeprecationWarning)
        game = cls(**kwargs)
    keys = list(dict.fromkeys((*NEEDED_BUFFERS, *extra_buffers)))
    if getattr(game, "reward_manager", None) is not None:
        # Reward rules look things up by buffer, screen descriptions included: leave all of them.
        keys = list(dict.fromkeys((*game._observation_keys, *keys)))
    _select_buffers(game, keys)
    # The stock methods copy, crop and pad here. The world makes its own observation from the buffers.
    game._get_observation = _as_it_is
    return game


def _as_it_is(observation: tuple[np.ndarray, ...]) -> tuple[np.ndarray, ...]:
    return observation


def _select_buffers(game: Any, keys: list[str]) -> None:
    """Makes NLE fill `keys` only, in that order. Screen descriptions alone cost it 130 KB a step."""
    describe = nethack().OBSERVATION_DESC
    inner = game.nethack
    inner._obs_buffers = {key: np.zeros(describe[key]["shape"], describe[key]["dtype"]) for key in keys}
    inner._pynethack.set_buffers(**inner._obs_buffers)
    inner._obs = tuple(inner._obs_buffers.values())
    game._observation_keys = keys
    for name in ("glyph", "blstats", "message", "program_state", "internal"):
        setattr(game, f"_{name}_index", keys.index("glyphs" if name == "glyph" else name))
    game._original_observation_keys = tuple(keys)
    game._original_indices = tuple(range(len(keys)))
    if "screen_descriptions" in keys and hasattr(game, "_scr_descr_index"):
        game._scr_descr_index = keys.index("screen_descriptions")
