"""One control world as a Gymnasium environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.envs.control.catalogue import find_rules
from potentia.envs.control.loops import DISABLED
from potentia.envs.control.rules import Rules
from potentia.envs.control.worlds import ControlWorlds
from potentia.envs.info_keys import flag, number, whole
from potentia.envs.world import World
from potentia.limits import check_at_least

__all__ = ["PICTURE", "ControlEnv", "checked_render_mode", "first_row"]

PICTURE = (256, 256, 3)
"""The shape of a rendered picture."""
_FORMS = {"success": flag, "state_hash": whole, "area": whole, "steps": whole, "potential": number, "progress": number}


class ControlEnv(World, gym.Env[Any, Any]):
    """A world of real numbers whose rules are compiled.

    It gives, number for number, what `potentia.envs.control.ControlVectorEnv` gives for each of its worlds.

    Args:
        world: A name in `potentia.envs.control.WORLDS`, such as ``"HardMaze"``, or rules.
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``. `potentia.envs.world.ask` adds more.
        time_limit: Another time limit than the world's own.
        render_mode: "rgb_array" or None.
        options: The world's own.

    Raises:
        ValueError: If there is no such world, or an option is none.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": 30}  # noqa: RUF012 - Gymnasium's attribute

    def __init__(
        self,
        world: str | Rules,
        *,
        info_keys: Sequence[str] | None = None,
        time_limit: int | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        self.rules = find_rules(world, **options)
        check_at_least(1, time_limit=time_limit)
        self.render_mode = checked_render_mode(render_mode, self.rules)
        self.worlds = self._make_worlds(time_limit)
        self.observation_space, self.action_space = self.worlds.observation_space, self.worlds.action_space
        self.chance = self.rules.chance
        self._seeded = False
        self._one = np.ones(1, bool)
        self.offer(self.worlds.keys, self.worlds.free_keys, info_keys)

    def _make_worlds(self, time_limit: int | None) -> ControlWorlds:
        return ControlWorlds(self.rules, 1, DISABLED, limit=time_limit)

    @property
    def time_limit(self) -> int | None:
        """The world's own, or the one that was set."""
        return self.worlds.time_limit

    @property
    def random_return(self) -> float | None:
        """The expected return of random actions, None where it is not known."""
        return self.worlds.random_return

    @property
    def optimal_return(self) -> float | None:
        """The largest expected return there is, None where it is not known."""
        return self.worlds.optimal_return

    @property
    def action_names(self) -> Sequence[str]:
        """The names of the choices, if an action is one of several."""
        return self.rules.actions if self.rules.discrete else ()

    def action_text(self, action: Any) -> str:
        """An action in words."""
        return self.worlds.action_text(action)

    def goal_text(self) -> str:
        """What is to be done, in words."""
        return self.rules.goal

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode. Without a seed the random numbers go on."""
        super().reset(seed=seed)
        if seed is not None or not self._seeded:
            self.worlds.seed(0, seed)
            self._seeded = True
        self.worlds.begin(self._one)
        return self._observe(), self._info()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One action, clipped to its bounds.

        Raises:
            ValueError: If it has another shape or is no number.
            RuntimeError: If it comes before the first reset.
        """
        if not self._seeded:
            raise RuntimeError("step() came before reset(): call reset() first")
        worlds = self.worlds
        worlds.waiting[0] = False
        worlds.step(worlds.rows(np.asarray(action)[None]))
        return (
            self._observe(), worlds.reward.item(), worlds.terminated.item(), worlds.truncated.item(), self._info()
        )  # fmt: skip

    def render(self) -> Any:
        """A picture of the world, ``(256, 256, 3)``."""
        if self.render_mode is None:
            raise ValueError('render_mode is None: make the environment with render_mode="rgb_array"')
        return self.worlds.picture(PICTURE)[0]

    def save(self) -> tuple[Any, ...]:
        """A copy of the whole state, random numbers included, for `restore` here or in another copy of the world."""
        return self.worlds.save()

    def restore(self, saved: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
        """Goes back to a saved state. Returns what is seen there and its info."""
        self.worlds.restore(saved)
        self._seeded = True
        return self._observe(), self._info()

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        if not self._seeded:
            return {}
        info = self._info()
        return info | {"subgoals": {name: flag(False) for name in info["subgoals"]}} if "subgoals" in info else info

    def _observe(self) -> Any:
        return self.worlds.observation[0].copy()

    def _info(self) -> dict[str, Any]:
        return first_row(self.worlds.info(self.info_keys))


def first_row(columns: dict[str, Any]) -> dict[str, Any]:
    """The info of the first of several worlds, in the types that a single environment gives."""
    info: dict[str, Any] = {}
    for key, column in columns.items():
        if isinstance(column, dict):
            info[key] = {name: flag(happened[0]) for name, happened in column.items()}
        else:
            info[key] = _FORMS[key](column[0]) if key in _FORMS else column[0]
    return info


def checked_render_mode(render_mode: str | None, rules: Rules) -> str | None:
    """The render mode.

    Raises:
        ValueError: If it is neither None nor "rgb_array", or the world draws no picture.
    """
    if render_mode not in (None, "rgb_array"):
        raise ValueError(f'render_mode must be "rgb_array" or None, got {render_mode!r}')
    if render_mode and rules.paint is None:
        raise ValueError(f"{rules.name} draws no picture: render_mode must be None, got {render_mode!r}")
    return render_mode
