"""From a MiniGrid environment to the compiled rules, as it stands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from potentia.envs.grid.cells import BOX, CLOSED, DOOR, EMPTY, KEY, LOCKED, code
from potentia.envs.grid.env import GridEnv
from potentia.envs.grid.levels import LEVELS
from potentia.envs.grid.levels.build import WALL
from potentia.envs.grid.levels.level import COLORS
from potentia.envs.grid.levels.things import FETCH_PHRASES
from potentia.envs.grid.pcg64 import pcg64_state
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, STEPS
from potentia.envs.grid.worlds import GridWorlds

if TYPE_CHECKING:
    import gymnasium as gym


def level_name(minigrid_id: str) -> str:
    """The name of a level in `potentia.envs.grid.LEVELS`, or one that is not there, from MiniGrid's id."""
    name, _, version = minigrid_id.removeprefix("MiniGrid-").rpartition("-v")
    return f"{name}-v0" if version == "0" and f"{name}-v0" in LEVELS else name


def from_minigrid(env: gym.Env[Any, Any]) -> GridEnv:
    """An environment under the compiled rules in the present state of a MiniGrid environment, random numbers included.

    Its ``step`` gives the observation, reward, terminated and truncated that the MiniGrid environment would give.

    Raises:
        ValueError: If its id has no compiled rules, its view is not 7 wide, or it was not reset.
    """
    game: Any = env.unwrapped
    spec = env.spec.id if env.spec is not None else ""
    name = level_name(spec)
    if not spec.startswith("MiniGrid-") or name not in LEVELS:
        raise ValueError(
            f"{type(game).__name__} ({spec}) has no compiled rules; there are those of {', '.join(LEVELS)}"
        )
    level = LEVELS[name]
    if (game.width, game.height, game.agent_view_size) != (level.width, level.height, 7):
        made = f"{game.width}x{game.height} with a view of {game.agent_view_size}"
        raise ValueError(f"{name} must be {level.width}x{level.height} with a view of 7, as registered, got {made}")
    if getattr(game, "grid", None) is None or game.agent_pos is None:
        raise ValueError(f"{name} has no state yet: call env.reset() first")
    here = replace(level, see_through=game.see_through_walls)
    ours = GridEnv(here, observation="dict", info_keys=(), max_steps=int(game.max_steps))
    load(ours.worlds, 0, game)
    ours.restore(ours.save())
    return ours


def load(worlds: GridWorlds, n: int, game: Any) -> None:
    """Writes the state of a MiniGrid game into world n."""
    state = worlds.state
    state.cells[n] = WALL
    for y in range(game.grid.height):
        for x in range(game.grid.width):
            state.cells[n, _place((x, y), worlds)] = _code(game.grid.get(x, y))
    state.agent[n, POSITION] = _place(game.agent_pos, worlds)
    state.agent[n, DIRECTION] = game.agent_dir
    state.agent[n, CARRIED] = 0 if game.carrying is None else _code(game.carrying)
    state.agent[n, STEPS] = game.step_count
    state.rng[n] = pcg64_state(game.np_random)
    state.task[n] = 0
    notes = _NOTES.get(worlds.level.family.name, _nothing)(game, worlds)
    state.task[n, : len(notes)] = notes
    worlds.out.waiting[n] = False


def _place(position: Any, worlds: GridWorlds) -> int:
    x, y = (int(part) for part in position)
    return (y + MARGIN) * worlds.plan.stride + x + MARGIN


def _code(thing: Any) -> int:
    if thing is None:
        return EMPTY
    contains = getattr(thing, "contains", None)
    inside = None if contains is None else (int(contains.encode()[0]), int(contains.encode()[1]))
    kind, color, state = (int(part) for part in thing.encode())
    return code(kind, color, state, inside)


def _named(kind: str, color: str) -> int:
    number = {"door": DOOR, "key": KEY, "ball": KEY + 1, "box": BOX}[kind]
    return code(number, COLORS.index(color), CLOSED if kind == "door" else 0)


def _nothing(game: Any, worlds: GridWorlds) -> list[int]:
    return []


def _wanted(game: Any, worlds: GridWorlds) -> list[int]:
    return [_code(game.obj)]


def _locked_room(game: Any, worlds: GridWorlds) -> list[int]:
    words = game.mission.split()  # get the RED key from the BLUE room, unlock ...
    return [code(DOOR, COLORS.index(words[2]), LOCKED), code(DOOR, COLORS.index(words[6]), CLOSED)]


def _fetch(game: Any, worlds: GridWorlds) -> list[int]:
    phrase = game.mission.removesuffix(f" {game.targetColor} {game.targetType}")
    return [_named(game.targetType, game.targetColor), FETCH_PHRASES.index(phrase)]


def _put_near(game: Any, worlds: GridWorlds) -> list[int]:
    moved = _named(game.move_type, game.moveColor)
    return [moved, _place(game.target_pos, worlds), _named(game.target_type, game.target_color)]


_NOTES: dict[str, Callable[[Any, GridWorlds], list[int]]] = {
    "Unlock": lambda game, worlds: [_place(game.door.cur_pos, worlds)],
    "UnlockPickup": _wanted,
    "BlockedUnlockPickup": _wanted,
    "KeyCorridor": _wanted,
    "ObstructedMaze": _wanted,
    "RedBlueDoors": lambda game, worlds: [
        _place(_find(game, game.red_door), worlds),
        _place(_find(game, game.blue_door), worlds),
    ],
    "LockedRoom": _locked_room,
    "Memory": lambda game, worlds: [_place(game.success_pos, worlds), _place(game.failure_pos, worlds)],
    "Fetch": _fetch,
    "GoToDoor": lambda game, worlds: [_place(game.target_pos, worlds), _named("door", game.target_color)],
    "GoToObject": lambda game, worlds: [
        _place(game.target_pos, worlds),
        _named(game.targetType, game.target_color),
    ],
    "PutNear": _put_near,
    "DynamicObstacles": lambda game, worlds: [
        0,
        *(_place(obstacle.cur_pos, worlds) for obstacle in game.obstacles),
    ],
}
"""What the state's ``task`` holds, for the families of levels that need it."""


def _find(game: Any, thing: Any) -> tuple[int, int]:
    index = game.grid.grid.index(thing)
    return index % game.grid.width, index // game.grid.width
