"""The forms in which `gym.make` gives a text world, by one argument: in words, or numbered and as vectors."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec, load_env_creator, registry
from gymnasium.envs.registration import register as register_id
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.envs.text.indexed import IndexedCommands
from potentia.envs.text.vector import make_vector

__all__ = ["Form", "make_text_vector", "make_text_world", "register_text_world"]

Form = str | Mapping[str, Any]
"""``"text"``; ``"indexed"``, which is `IndexedCommands`; ``"flat"``, the same as one vector; or arguments of it."""

_FORMS: dict[str, dict[str, Any] | None] = {"text": None, "indexed": {}, "flat": {"flat": True}}


def register_text_world(name: str, game: str, **kwargs: Any) -> None:
    """Registers ``potentia/<name>-v0``, if it is not registered yet, without importing the world.

    Args:
        name: Of the id.
        game: "module:function", which makes a `TextGame` of keyword arguments.
        kwargs: Its arguments, unless `gym.make` is given others.
    """
    if (identifier := f"potentia/{name}-v0") not in registry:
        register_id(
            id=identifier,
            entry_point="potentia.envs.text.forms:make_text_world",
            vector_entry_point="potentia.envs.text.forms:make_text_vector",
            kwargs={"game": game, **kwargs},
        )


def make_text_world(game: str, *, form: Form = "text", **kwargs: Any) -> gym.Env[Any, Any]:
    """A text world in the form wanted.

    Args:
        game: As for `register_text_world`.
        form: ``"text"``: observations and actions are texts. ``"indexed"``: an action is the number of a command, and
            an observation a dict of vectors, see `IndexedCommands`. ``"flat"``: the same as one vector. A mapping is
            ``"indexed"`` with these arguments of `IndexedCommands`.
        kwargs: Of the world.

    Raises:
        ValueError: If there is no such form.
    """
    if isinstance(form, Mapping):
        options: dict[str, Any] | None = dict(form)
    elif form in _FORMS:
        options = _FORMS[form]
    else:
        raise ValueError(f"form must be among {tuple(_FORMS)} or arguments of IndexedCommands, got {form!r}")
    creator: Any = load_env_creator(game)
    env: gym.Env[Any, Any] = creator(**kwargs)
    return env if options is None else _Formed(env, **options)


def make_text_vector(
    game: str,
    num_envs: int = 1,
    *,
    processes: bool = False,
    autoreset_mode: AutoresetMode | str = AutoresetMode.NEXT_STEP,
    **kwargs: Any,
) -> VectorEnv[Any, Any, Any]:
    """N text worlds as `make_vector` makes them, each of them by `make_text_world`."""
    return make_vector(
        make_text_world, num_envs, processes=processes, autoreset_mode=autoreset_mode, game=game, **kwargs
    )


class _Formed(IndexedCommands):
    """`IndexedCommands` that the id's own arguments ask for: its specification has them already."""

    @property
    def spec(self) -> EnvSpec | None:  # type: ignore[override]  # read-only as in gym.Wrapper
        return self.env.spec
