"""The hard maze of novelty search: a robot on two wheels, a deceptive way, and a reward only at the end."""

from __future__ import annotations

import math

import numpy as np

from potentia.compiling import part
from potentia.envs.control.drawing import clear, disc, segment
from potentia.envs.control.paying import pay_of
from potentia.envs.control.rules import Area, Part, Rules, area_of, world
from potentia.envs.control.walls import Nearby, nearby, ways_to
from potentia.limits import check_among

__all__ = ["AREAS", "WALLS", "hard_maze"]

_SCALE = 3.0
"""From Lehman and Stanley's coordinates to the 600 x 600 in which the later papers measure."""
WALLS = tuple(
    tuple(_SCALE * number for number in wall)
    for wall in (
        (41, 5, 3, 8), (3, 8, 4, 49), (4, 49, 57, 53), (4, 49, 7, 202), (7, 202, 195, 198), (195, 198, 186, 8),
        (186, 8, 39, 5), (56, 54, 56, 157), (57, 106, 158, 162), (77, 201, 108, 164), (6, 80, 33, 121),
        (192, 146, 87, 91), (56, 55, 133, 30),
    )
)  # fmt: skip
"""Lehman and Stanley 2011, "Abandoning Objectives", Evolutionary Computation 19(2): their hard map, three times as
large. x grows to the right, y downwards."""
_START = (_SCALE * 36, _SCALE * 184, 0.0)
AREAS = {
    "easy": Area("easy", (500.0, 545.0), 45.0),
    "hard": Area("hard", (_SCALE * 31, _SCALE * 20), 45.0),
}
"""The hard one is around the goal of Lehman and Stanley, the easy one lies on the way that leads away from it."""
_BOUNDS = (0.0, 0.0, 610.0, 610.0)
_RADIUS, _RANGE = 10.0, 100.0
_X, _Y, _HEADING, _COS, _SIN = range(5)
_SQRT_HALF = math.sqrt(0.5)
_WHITE, _BLACK, _GREEN, _BLUE, _RED = (255, 255, 255), (0, 0, 0), (120, 200, 120), (40, 80, 220), (220, 60, 40)


@world("HardMaze")
def hard_maze(*, areas: tuple[str, ...] = ("easy", "hard"), reward: str = "final") -> Rules:
    """The maze of Lehman and Stanley 2011 with the robot, sizes and reward of SERENE (Paolo et al. 2021, GECCO).

    A robot of radius 10 on two wheels, each of which moves by its action in [-1, 1] a step: it turns by
    ``(left - right) / 20``, and then goes ``(left + right) / 2`` ahead, or stays where it is if a wall is in the way.
    It senses the distance to the nearest wall, up to 100, in five directions from left to right, as a part of 100. An
    episode lasts 2000 steps.

    Args:
        areas: The areas that pay, of ``"easy"`` and ``"hard"``.
        reward: "final" pays ``(radius - distance) / radius`` for where in an area the episode ends. "arrival" pays 1
            for entering an area, which ends the episode.

    Raises:
        ValueError: If an area or the reward is none of these.
    """
    check_among(("final", "arrival"), reward=reward)
    for name in areas:
        check_among(tuple(AREAS), areas=name)
    paying = tuple(AREAS[name] for name in areas)
    names = " or the ".join(areas)
    task = "be in the {} area at the end" if reward == "final" else "reach the {} area"
    return Rules(
        name="HardMaze",
        goal=task.format(names) if areas else "explore",
        state=("x", "y", "heading", "_cos", "_sin"),
        begin=_begin,
        step=_step_of(paying, reward),
        observe=_observe,
        observed=("left", "front left", "front", "front right", "right"),
        observation_low=(0.0,) * 5,
        observation_high=(1.0,) * 5,
        actions=("left wheel", "right wheel"),
        limit=2000,
        descriptor=_describe,
        described=("x", "y"),
        descriptor_low=(0.0, 0.0),
        descriptor_high=(600.0, 600.0),
        areas=paying,
        potential=_potential_of(paying) if paying else None,
        paint=_paint_of(paying),
        optimal_return=1.0 if paying else 0.0,
    )


_ENDS = np.array(WALLS)
_INVERSE_SQUARE = 1.0 / ((_ENDS[:, 2:] - _ENDS[:, :2]) ** 2).sum(axis=1)
_NEAR: Nearby = nearby(WALLS, _BOUNDS, _RANGE, 20.0)
_ROWS, _COLUMNS, _WALL, _LEAST = (
    _NEAR.rows,
    _NEAR.columns,
    _NEAR.wall,
    _NEAR.least - 1e-9,
)  # a point on an edge may count to either cell
_PER_UNIT, _PER_RANGE, _PER_WIDTH = 1.0 / _NEAR.size, 1.0 / _RANGE, 0.5 / _RADIUS


@part
def _cell(x, y):  # type: ignore[no-untyped-def]
    """The cell of the grid that a point is in. A state that somebody wrote may lie outside."""
    row, column = min(max(int(y * _PER_UNIT), 0), _ROWS - 1), min(max(int(x * _PER_UNIT), 0), _COLUMNS - 1)
    return row * _COLUMNS + column


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    state[_X], state[_Y], state[_HEADING] = _START
    state[_COS], state[_SIN] = 1.0, 0.0


@part
def _is_free(x, y):  # type: ignore[no-untyped-def]
    """Whether no wall is nearer to a point than the robot's radius."""
    cell = _cell(x, y)
    k = 0
    while _LEAST[cell, k] < _RADIUS:
        wall = _WALL[cell, k]
        x0, y0 = _ENDS[wall, 0], _ENDS[wall, 1]
        dx, dy = _ENDS[wall, 2] - x0, _ENDS[wall, 3] - y0
        share = min(max(((x - x0) * dx + (y - y0) * dy) * _INVERSE_SQUARE[wall], 0.0), 1.0)
        away_x, away_y = x - x0 - share * dx, y - y0 - share * dy
        if away_x * away_x + away_y * away_y < _RADIUS * _RADIUS:
            return False
        k += 1
    return True


def _step_of(areas: tuple[Area, ...], reward: str) -> Part:
    """The step of a maze in which these areas pay."""
    pay = pay_of(areas, reward)

    @part
    def step(state, action, left, draws):  # type: ignore[no-untyped-def]
        heading = state[_HEADING] + (action[0] - action[1]) * _PER_WIDTH
        if heading > math.pi:
            heading -= 2.0 * math.pi
        elif heading < -math.pi:
            heading += 2.0 * math.pi
        cos, sin = math.cos(heading), math.sin(heading)
        state[_HEADING], state[_COS], state[_SIN] = heading, cos, sin
        ahead = 0.5 * (action[0] + action[1])
        x, y = state[_X] + ahead * cos, state[_Y] + ahead * sin
        if _is_free(x, y):
            state[_X], state[_Y] = x, y
        return pay(state, left)

    return step


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    """The five distances, by one look at each wall nearby, in the robot's own frame.

    A wall from a to b meets the line through the robot in a direction d where d x a and d x b differ in sign, at the
    distance (a x b) / (d x b - d x a), which is negative behind it.
    """
    x, y, cos, sin = state[_X], state[_Y], state[_COS], state[_SIN]
    left = front_left = front = front_right = right = farthest = _RANGE
    cell = _cell(x, y)
    k = 0
    while _LEAST[cell, k] < farthest:
        wall = _WALL[cell, k]
        k += 1
        ax, ay, bx, by = _ENDS[wall, 0] - x, _ENDS[wall, 1] - y, _ENDS[wall, 2] - x, _ENDS[wall, 3] - y
        a_ahead, a_aside = cos * ax + sin * ay, cos * ay - sin * ax
        b_ahead, b_aside = cos * bx + sin * by, cos * by - sin * bx
        area = ax * by - ay * bx
        if (a_aside < 0.0) != (b_aside < 0.0):
            t = area / (b_aside - a_aside)
            if 0.0 <= t < front:
                front = t
        if (a_ahead < 0.0) != (b_ahead < 0.0):
            t = area / (b_ahead - a_ahead)
            if 0.0 <= t < left:
                left = t
            if 0.0 <= -t < right:
                right = -t
        a_turned, b_turned = _SQRT_HALF * (a_aside + a_ahead), _SQRT_HALF * (b_aside + b_ahead)
        if (a_turned < 0.0) != (b_turned < 0.0):
            t = area / (b_turned - a_turned)
            if 0.0 <= t < front_left:
                front_left = t
        a_turned, b_turned = _SQRT_HALF * (a_aside - a_ahead), _SQRT_HALF * (b_aside - b_ahead)
        if (a_turned < 0.0) != (b_turned < 0.0):
            t = area / (b_turned - a_turned)
            if 0.0 <= t < front_right:
                front_right = t
        farthest = max(left, front_left, front, front_right, right)
    out[0], out[1], out[2] = left * _PER_RANGE, front_left * _PER_RANGE, front * _PER_RANGE
    out[3], out[4] = front_right * _PER_RANGE, right * _PER_RANGE


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = state[_X], state[_Y]


def _potential_of(areas: tuple[Area, ...]) -> Part:
    """The length of the shortest way to an area that pays, as a part of the longest in the maze, negative."""
    ways = ways_to([(area.centre, area.radius) for area in areas], WALLS, _BOUNDS, radius=_RADIUS, spacing=4.0)
    spacing, inside = ways.spacing, area_of(areas)
    longest = float(ways.length[np.isfinite(ways.length)].max())
    table = np.where(np.isinf(ways.length), longest, ways.length)
    rows, columns = table.shape

    @part
    def potential(state):  # type: ignore[no-untyped-def]
        if inside(state) >= 0:
            return 0.0
        x, y = state[_X] / spacing, state[_Y] / spacing
        column, row = min(max(int(x), 0), columns - 2), min(max(int(y), 0), rows - 2)
        u, v = x - column, y - row
        above = (1.0 - u) * table[row, column] + u * table[row, column + 1]
        below = (1.0 - u) * table[row + 1, column] + u * table[row + 1, column + 1]
        return -min(max(((1.0 - v) * above + v * below) / longest, 0.0), 1.0)

    return potential


def _paint_of(areas: tuple[Area, ...]) -> Part:
    centres = np.array([area.centre for area in areas]).reshape(-1, 2)
    radii = np.array([area.radius for area in areas])
    count = len(areas)
    view = _BOUNDS

    @part
    def paint(state, image):  # type: ignore[no-untyped-def]
        clear(image, _WHITE)
        for k in range(count):
            disc(image, view, centres[k, 0], centres[k, 1], radii[k], _GREEN)
        for k in range(len(_ENDS)):
            segment(image, view, _ENDS[k, 0], _ENDS[k, 1], _ENDS[k, 2], _ENDS[k, 3], 4.0, _BLACK)
        x, y = state[_X], state[_Y]
        disc(image, view, x, y, 1.6 * _RADIUS, _BLUE)
        tip = 1.6 * _RADIUS
        segment(image, view, x, y, x + tip * state[_COS], y + tip * state[_SIN], 6.0, _RED)

    return paint
