"""From a MiniGrid environment to the compiled rules, as it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from potentia.envs.grid.cells import BOX, CLOSED, DOOR, EMPTY, KEY, LOCKED, code
from potentia.envs.grid.env import GridEnv
from potentia.envs.grid.levels import LEVELS
from potentia.envs.grid.levels.ascii_map import EVENTS_OF_A_MAP
from potentia.envs.grid.levels.build import WALL
from potentia.envs.grid.levels.level import COLORS, SEARCHED, Family, Level
from potentia.envs.grid.levels.things import FETCH_PHRASES
from potentia.envs.grid.pcg64 import pcg64_state
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, STEPS, VIEW
from potentia.envs.grid.worlds import GridWorlds

if TYPE_CHECKING:
    import gymnasium as gym


def level_name(minigrid_id: str) -> str:
    """The name of a level in `potentia.envs.grid.LEVELS`, or one that is not there, from MiniGrid's id."""
    name, _, version = minigrid_id.removeprefix("MiniGrid-").rpartition("-v")
    return f"{name}-v0" if version == "0" and f"{name}-v0" in LEVELS else name


def from_minigrid(
    env: gym.Env[Any, Any],
    *,
    judge: Callable[..., int] | None = None,
    observation: str = "dict",
    info_keys: Sequence[str] | None = (),
) -> GridEnv:
    """An environment under the compiled rules in the present state of a MiniGrid environment, random numbers included.

    Its ``step`` gives the observation, reward, terminated and truncated that the MiniGrid environment would give. A
    level of your own, a subclass of ``MiniGridEnv``, keeps drawing its levels: ``reset`` calls its ``reset``. Its exact
    distance is found by a search over the states that can be reached (`potentia.envs.grid.state_search`).

    Args:
        env: The MiniGrid environment, after a reset.
        judge: The rules that a level of your own adds, if its ``step`` is not MiniGrid's: a `potentia.compiling.part`,
            see `potentia.envs.grid.Family`.
        observation: As of `GridEnv`.
        info_keys: The same.

    Raises:
        ValueError: If its rules are its own and ``judge`` does not say them, if there are things of its own in it, if
            it is one of MiniGrid's levels in another size than as registered, or if it was not reset.
    """
    game: Any = env.unwrapped
    spec = env.spec.id if env.spec is not None else ""
    name = level_name(spec)
    if getattr(game, "grid", None) is None or game.agent_pos is None:
        raise ValueError(f"{type(game).__name__} has no state yet: call env.reset() first")
    if not spec.startswith("MiniGrid-") or name not in LEVELS:
        return OwnLevel(game, judge, observation, info_keys)
    level = LEVELS[name]
    if (game.width, game.height, game.agent_view_size) != (level.width, level.height, 7):
        made = f"{game.width}x{game.height} with a view of {game.agent_view_size}"
        raise ValueError(f"{name} must be {level.width}x{level.height} with a view of 7, as registered, got {made}")
    here = replace(level, see_through=game.see_through_walls)
    ours = GridEnv(here, observation=observation, info_keys=info_keys, max_steps=int(game.max_steps))
    load(ours.worlds, 0, game)
    ours.restore(ours.save())
    return ours


class _MissionOf:
    """What a MiniGrid game tells the agent now."""

    def __init__(self, game: Any) -> None:
        self.game = game

    def __call__(self, task: Sequence[int]) -> str:
        return str(self.game.mission)


class OwnLevel(GridEnv):
    """A level of somebody's own under the compiled rules, drawn by MiniGrid; see `from_minigrid`.

    Attributes:
        game: The MiniGrid environment that draws the levels.
    """

    def __init__(
        self, game: Any, judge: Callable[..., int] | None, observation: str, info_keys: Sequence[str] | None
    ) -> None:
        _check_rules(game, judge)
        self.game = game
        family = Family(type(game).__name__, _is_drawn_by_minigrid, EVENTS_OF_A_MAP, SEARCHED, judge=judge)
        level = Level(
            family, int(game.width), int(game.height), int(game.max_steps), _MissionOf(game),
            see_through=bool(game.see_through_walls),
        )  # fmt: skip
        view_size = VIEW if observation in ("full", "rgb", "rgb_view") else int(game.agent_view_size)
        super().__init__(level, observation=observation, view_size=view_size, info_keys=info_keys)
        self._load()

    def _load(self) -> None:
        for thing in self.game.grid.grid:
            if thing is not None and type(thing).__module__ != "minigrid.core.world_object":
                raise ValueError(f"the compiled rules know MiniGrid's things only, not {type(thing).__name__}")
        load(self.worlds, 0, self.game)
        super().restore(super().save())

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Lets MiniGrid draw a new level."""
        self.game.reset(seed=seed, options=options)
        self._np_random = self.game.np_random
        self._load()
        return self.observe(), self._info()

    def save(self) -> tuple[Any, ...]:
        """The world's state, and that of the random numbers by which MiniGrid draws the next."""
        return (*super().save(), self.game.np_random.bit_generator.state)

    def restore(self, saved: tuple[Any, ...]) -> tuple[Any, dict[str, Any]]:
        """Goes back to a saved state; the mission stays that of the last reset."""
        *world, random = saved
        self.game.np_random.bit_generator.state = random
        return super().restore(tuple(world))


def _is_drawn_by_minigrid(world: Any, n: Any, plan: Any, parameters: Any) -> None:
    raise RuntimeError("a level of your own is drawn by MiniGrid: call the environment's reset()")


def _check_rules(game: Any, judge: Callable[..., int] | None) -> None:
    from minigrid.minigrid_env import MiniGridEnv  # noqa: PLC0415 - an extra

    name = type(game).__name__
    if not isinstance(game, MiniGridEnv):
        raise ValueError(f"env must be an environment of MiniGrid, got {name}")
    if type(game).step is not MiniGridEnv.step and judge is None:
        raise ValueError(
            f"{name} has no compiled rules: it has a step() of its own. Say what that adds to MiniGrid's rules as "
            f"judge=, or take one of {', '.join(LEVELS)}"
        )
    if type(game)._reward is not MiniGridEnv._reward:
        raise ValueError(f"{name} has a _reward() of its own, which the compiled rules don't know")


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
