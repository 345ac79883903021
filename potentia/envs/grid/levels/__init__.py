"""The levels: how each is drawn, what it adds to the rules, and the sizes in which MiniGrid registers them.

`draw` is compiled where the kind is a constant, so that of all its ways only one is left.
"""

from __future__ import annotations

from numba import njit

from potentia.envs.grid.levels.catalogue import LEVELS, Kind, Level, find_level
from potentia.envs.grid.levels.crossing import crossing
from potentia.envs.grid.levels.door_key import door_key
from potentia.envs.grid.levels.dynamic_obstacles import dynamic_obstacles, judge_crash, move_obstacles
from potentia.envs.grid.levels.empty import empty
from potentia.envs.grid.levels.four_rooms import four_rooms
from potentia.envs.grid.levels.go_to_door import go_to_door
from potentia.envs.grid.levels.key_corridor import key_corridor
from potentia.envs.grid.levels.lava import dist_shift, lava_gap
from potentia.envs.grid.levels.locked_room import locked_room
from potentia.envs.grid.levels.memory import judge_memory, memory
from potentia.envs.grid.levels.multi_room import multi_room
from potentia.envs.grid.levels.objects import (
    fetch,
    go_to_object,
    judge_fetch,
    judge_go_to,
    judge_put_near,
    put_near,
)  # fmt: skip
from potentia.envs.grid.levels.obstructed_maze import obstructed_maze
from potentia.envs.grid.levels.playground import playground
from potentia.envs.grid.levels.red_blue_doors import judge_red_blue, red_blue_doors
from potentia.envs.grid.levels.unlock import judge_open, judge_pick_up, unlock
from potentia.envs.grid.rules import TAKE, TOGGLE

__all__ = ["FIRST_WITH_RULES", "LEVELS", "Kind", "Level", "draw", "find_level", "judge", "prepare"]

# Members of an enumeration are no constants to the compiler.
_EMPTY, _DOOR_KEY, _FOUR_ROOMS, _LAVA_GAP, _DIST_SHIFT, _CROSSING, _MULTI_ROOM, _UNLOCK = (
    int(k) for k in list(Kind)[:8]
)
_UNLOCK_PICKUP, _KEY_CORRIDOR, _OBSTRUCTED_MAZE, _RED_BLUE_DOORS = (int(k) for k in list(Kind)[8:12])
_LOCKED_ROOM, _MEMORY, _FETCH, _GO_TO_DOOR, _GO_TO_OBJECT, _PUT_NEAR = (int(k) for k in list(Kind)[12:18])
_DYNAMIC_OBSTACLES, _PLAYGROUND = (int(k) for k in list(Kind)[18:])

FIRST_WITH_RULES = _UNLOCK
"""Kinds before it add nothing to the rules."""


@njit(inline="always")
def draw(kind, world, n, plan):  # type: ignore[no-untyped-def]
    """Draws a new level into world n."""
    if kind == _EMPTY:
        empty(world, n, plan)
    elif kind == _DOOR_KEY:
        door_key(world, n, plan)
    elif kind == _FOUR_ROOMS:
        four_rooms(world, n, plan)
    elif kind == _LAVA_GAP:
        lava_gap(world, n, plan)
    elif kind == _DIST_SHIFT:
        dist_shift(world, n, plan)
    elif kind == _CROSSING:
        crossing(world, n, plan)
    elif kind == _MULTI_ROOM:
        multi_room(world, n, plan)
    elif kind == _UNLOCK or kind == _UNLOCK_PICKUP:
        unlock(world, n, plan)
    elif kind == _KEY_CORRIDOR:
        key_corridor(world, n, plan)
    elif kind == _OBSTRUCTED_MAZE:
        obstructed_maze(world, n, plan)
    elif kind == _RED_BLUE_DOORS:
        red_blue_doors(world, n, plan)
    elif kind == _LOCKED_ROOM:
        locked_room(world, n, plan)
    elif kind == _MEMORY:
        memory(world, n, plan)
    elif kind == _FETCH:
        fetch(world, n, plan)
    elif kind == _GO_TO_DOOR:
        go_to_door(world, n, plan)
    elif kind == _GO_TO_OBJECT:
        go_to_object(world, n, plan)
    elif kind == _PUT_NEAR:
        put_near(world, n, plan)
    elif kind == _DYNAMIC_OBSTACLES:
        dynamic_obstacles(world, n, plan)
    else:
        playground(world, n, plan)


@njit(forceinline=True)
def prepare(world, n, plan, action):  # type: ignore[no-untyped-def]
    """What happens before the agent acts, and the action that it then takes."""
    kind = plan.kind
    if kind == _DYNAMIC_OBSTACLES:
        action = move_obstacles(world, n, plan, action)
    elif kind == _MEMORY:
        action = TOGGLE if action == TAKE else action
    return action


@njit(forceinline=True)
def judge(world, n, plan, action, carried, outcome):  # type: ignore[no-untyped-def]
    """What an action comes to in this level; ``carried`` is what the agent carried before it."""
    kind = plan.kind
    if kind == _UNLOCK:
        outcome = judge_open(world, n, action, outcome)
    elif kind == _UNLOCK_PICKUP or kind == _KEY_CORRIDOR or kind == _OBSTRUCTED_MAZE:
        outcome = judge_pick_up(world, n, action, outcome)
    elif kind == _RED_BLUE_DOORS:
        outcome = judge_red_blue(world, n, plan, action, outcome)
    elif kind == _MEMORY:
        outcome = judge_memory(world, n, outcome)
    elif kind == _FETCH:
        outcome = judge_fetch(world, n, outcome)
    elif kind == _GO_TO_DOOR or kind == _GO_TO_OBJECT:
        outcome = judge_go_to(world, n, plan, action, outcome)
    elif kind == _PUT_NEAR:
        outcome = judge_put_near(world, n, plan, action, carried, outcome)
    elif kind == _DYNAMIC_OBSTACLES:
        outcome = judge_crash(world, n, outcome)
    return outcome
