"""A level drawn as text: one character a cell."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Mapping
from typing import NamedTuple

from potentia.compiling import part
from potentia.envs.grid.cells import BALL, BOX, CLOSED, DOOR, FLOOR, KEY, LAVA, LOCKED, OPEN, code
from potentia.envs.grid.cells import EMPTY as EMPTY_CELL
from potentia.envs.grid.levels.build import GOAL, WALL, at, clear, put_agent_anywhere
from potentia.envs.grid.levels.level import COLORS, SEARCHED, Family, Level
from potentia.envs.grid.levels.unlock import judge_pick_up
from potentia.envs.grid.rules import DIRECTION, POSITION

__all__ = ["EVENTS_OF_A_MAP", "Drawing", "draw_map", "level_of_map"]

_FIXED = {"#": WALL, ".": EMPTY_CELL, " ": EMPTY_CELL, "G": GOAL, "~": code(LAVA)}
_FACING = ">v<^"
_KINDS = {"floor": FLOOR, "door": DOOR, "key": KEY, "ball": BALL, "box": BOX}
_STATES = {"open": OPEN, "closed": CLOSED, "locked": LOCKED}
_ANYWHERE = -1
EVENTS_OF_A_MAP = (
    "picked_up_key", "picked_up_ball", "picked_up_box", "dropped_object", "opened_box", "unlocked_door",
    "opened_door", "passed_door", "reached_goal", "fell_into_lava", "picked_up_target",
)  # fmt: skip


class Drawing(NamedTuple):
    """What a map shows.

    Attributes:
        cells: The codes of the cells, row by row.
        place: The number of the agent's cell, row by row; -1: anywhere.
        direction: Where it looks.
        wanted: The code of the thing to pick up; 0: none.
    """

    cells: bytes
    place: int
    direction: int
    wanted: int


@part
def draw_map(world, n, plan, drawing):  # type: ignore[no-untyped-def]
    """Copies the map; the agent is drawn, if it may start anywhere. The task: the code of the thing wanted."""
    clear(world, n, plan)
    for y in range(plan.height):
        for x in range(plan.width):
            world.cells[n, at(x, y, plan)] = drawing.cells[y * plan.width + x]
    world.task[n, 0] = drawing.wanted
    if drawing.place == _ANYWHERE:
        put_agent_anywhere(world, n, plan)
    else:
        world.agent[n, POSITION] = at(drawing.place % plan.width, drawing.place // plan.width, plan)
        world.agent[n, DIRECTION] = drawing.direction


MAP = Family("Map", draw_map, EVENTS_OF_A_MAP, SEARCHED)
MAP_TO_PICK_UP = Family("Map", draw_map, EVENTS_OF_A_MAP, SEARCHED, judge=judge_pick_up)


def level_of_map(
    text: str,
    legend: Mapping[str, str] | None = None,
    *,
    pick_up: str | None = None,
    judge: Callable[..., int] | None = None,
    mission: str = "",
    max_steps: int | None = None,
    see_through: bool = False,
) -> Level:
    r"""A level from a map: one line a row, one character a cell.

    ``#`` is a wall, ``.`` or a blank nothing, ``G`` the goal, ``~`` lava, and ``>``, ``v``, ``<`` or ``^`` the agent,
    looking there; without one of them it starts anywhere. All other characters are explained by ``legend``.

    Success is to reach the goal, or to pick up a thing. The exact distance to it is found by a search over the states
    that can be reached (`potentia.envs.grid.state_search`), so a map may hold several keys, doors, boxes and balls.

    Args:
        text: The map. Blank lines around it and what all lines are indented by don't count.
        legend: From a character to a thing, in words: a kind (floor, door, key, ball, box) with its colour, of a door
            also whether it is open, closed or locked, of a box also what it holds: "yellow key", "locked red door",
            "grey box with blue key".
        pick_up: The character of the thing to pick up for success.
        judge: More rules, as `potentia.envs.grid.Family` has them.
        mission: What the agent is told.
        max_steps: The time limit; 4 * width * height by default.
        see_through: Whether walls hide nothing.

    Raises:
        ValueError: If the lines are not equally long, the border is not of walls, or a character means nothing.

    >>> from potentia.envs.grid import GridEnv, level_of_map
    >>> level = level_of_map('''
    ... #######
    ... #>.k#G#
    ... #...D.#
    ... #######
    ... ''', {"k": "yellow key", "D": "locked yellow door"})
    >>> env = GridEnv(level, info_keys=("distance",))
    >>> env.reset(seed=0)[1]  # forward, pick up, right, forward, left, forward, toggle, 2 forward, left, forward
    {'distance': np.float64(11.0)}
    """
    rows = _rows_of(text)
    height, width = len(rows), len(rows[0])
    codes = dict(_FIXED) | {character: _code_of(character, words) for character, words in (legend or {}).items()}
    if pick_up is not None and (pick_up not in codes or pick_up in _FIXED):
        raise ValueError(f"pick_up must be a character of the legend, got {pick_up!r}")
    cells, agents = bytearray(), []
    for y, row in enumerate(rows):
        for x, drawn in enumerate(row):
            character = drawn
            if drawn in _FACING and drawn not in codes:
                agents.append((y * width + x, _FACING.index(drawn)))
                character = "."
            if character not in codes:
                raise ValueError(f"the map's {character!r} at column {x}, row {y} means nothing: explain it in legend")
            if codes[character] != WALL and (x in (0, width - 1) or y in (0, height - 1)):
                raise ValueError(f"the map's border must be of walls (#), got {character!r} at column {x}, row {y}")
            cells.append(codes[character])
    if len(agents) > 1:
        raise ValueError(f"the map must have one agent, or none to start anywhere, got {len(agents)}")
    place, direction = agents[0] if agents else (_ANYWHERE, 0)
    drawing = Drawing(bytes(cells), place, direction, codes[pick_up] if pick_up else 0)
    family = MAP if pick_up is None else MAP_TO_PICK_UP
    if judge is not None:
        family = Family("Map", draw_map, EVENTS_OF_A_MAP, SEARCHED, judge=judge)
    steps = 4 * width * height if max_steps is None else max_steps
    return Level(family, width, height, steps, mission, drawing, see_through=see_through)


def _rows_of(text: str) -> list[str]:
    rows = textwrap.dedent(text).strip("\n").splitlines()
    if len(rows) < 3 or len(set(map(len, rows))) != 1 or len(rows[0]) < 3:
        raise ValueError(f"a map must have 3 lines or more of one length, 3 or more, got {[len(row) for row in rows]}")
    return rows


def _code_of(character: str, words: str) -> int:
    """The code of a thing in words."""
    thing, _, inside = words.partition(" with ")
    try:
        if len(character) != 1 or character in _FIXED:
            raise ValueError
        held = _look_of(inside)[:2] if inside else None
        return code(*_look_of(thing), inside=held)
    except (ValueError, KeyError, StopIteration):
        raise ValueError(
            f"the legend's {character!r}: {words!r} is none: give one character that is not of {' '.join(_FIXED)}, and "
            "a thing such as 'yellow key', 'locked red door', 'grey box with blue key'"
        ) from None


def _look_of(thing: str) -> tuple[int, int, int]:
    words = thing.split()
    kind = _KINDS[words[-1]]
    color = next(COLORS.index(word) for word in words if word in COLORS)
    state = next((_STATES[word] for word in words if word in _STATES), CLOSED if kind == DOOR else OPEN)
    if len(words) - 2 != any(word in _STATES for word in words) or (kind != DOOR and state != OPEN):
        raise ValueError
    return kind, color, state
