"""From a MiniGrid environment to the compiled rules, as it stands."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from potentia.envs.grid.cells import EMPTY, code
from potentia.envs.grid.levels import LEVELS
from potentia.envs.grid.levels.build import WALL
from potentia.envs.grid.pcg64 import pcg64_state
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, STEPS
from potentia.envs.grid.vector import GridEnv
from potentia.envs.grid.worlds import DISABLED, GridWorlds

if TYPE_CHECKING:
    import gymnasium as gym

_CLASSES = {
    "EmptyEnv", "DoorKeyEnv", "FourRoomsEnv", "LavaGapEnv", "DistShiftEnv", "CrossingEnv", "MultiRoomEnv",
}  # fmt: skip


def from_minigrid(env: gym.Env[Any, Any]) -> GridEnv:
    """An environment under the compiled rules in the present state of a MiniGrid environment, random numbers included.

    Its ``step`` gives the observation, reward, terminated and truncated that the MiniGrid environment would give.

    Raises:
        ValueError: If its class has rules that are not compiled, or it was not reset.
    """
    game: Any = env.unwrapped
    spec = env.spec.id if env.spec is not None else None
    name = (spec or "").removeprefix("MiniGrid-").rsplit("-v", 1)[0]
    if type(game).__name__ not in _CLASSES or name not in LEVELS:
        known = ", ".join(LEVELS)
        raise ValueError(f"{type(game).__name__} ({spec}) has no compiled rules; there are those of {known}")
    if getattr(game, "grid", None) is None or game.agent_pos is None:
        raise ValueError(f"{name} has no state yet: call env.reset() first")
    level = replace(LEVELS[name], mission=game.mission, see_through=game.see_through_walls)
    worlds = GridWorlds(level, 1, DISABLED, int(game.max_steps))
    load(worlds, 0, game)
    worlds.observe()
    return GridEnv(worlds)


def load(worlds: GridWorlds, n: int, game: Any) -> None:
    """Writes the state of a MiniGrid game into world n."""
    worlds.cells[n] = WALL
    for y in range(game.grid.height):
        for x in range(game.grid.width):
            worlds.cells[n, (y + MARGIN) * worlds.stride + x + MARGIN] = _code(game.grid.get(x, y))
    x, y = (int(place) for place in game.agent_pos)
    worlds.agent[n, POSITION] = (y + MARGIN) * worlds.stride + x + MARGIN
    worlds.agent[n, DIRECTION] = game.agent_dir
    worlds.agent[n, CARRIED] = 0 if game.carrying is None else _code(game.carrying)
    worlds.agent[n, STEPS] = game.step_count
    worlds.rng[n] = pcg64_state(game.np_random)
    worlds.waiting[n] = False


def _code(thing: Any) -> int:
    if thing is None:
        return EMPTY
    contains = getattr(thing, "contains", None)
    inside = None if contains is None else (int(contains.encode()[0]), int(contains.encode()[1]))
    kind, color, state = (int(part) for part in thing.encode())
    return code(kind, color, state, inside)
