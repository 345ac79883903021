"""Pictures of the compiled worlds, pixel for pixel those that MiniGrid draws of its own.

A tile is a list of strokes, a shape and a paint each, laid one over another on a canvas three times as fine as the
picture, which is then averaged. Shapes are tested at the centres of the canvas's pixels, in coordinates from 0 to 1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.grid.cells import BALL, BOX, DOOR, EMPTY, FLOOR, GOAL, KEY, LAVA, LOCKED, LOOK, LOOKS, OPEN, WALL
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, VIEW

if TYPE_CHECKING:
    from potentia.envs.grid.worlds import GridWorlds

_UP = 3
_FINER = 3
"""Pixels of the canvas along each side of one of the picture."""
_PAINTS = np.array([(255, 0, 0), (0, 255, 0), (0, 0, 255), (112, 39, 195), (255, 255, 0), (100, 100, 100)])
"""Of the colours of `potentia.envs.grid.cells`, red to grey."""
_BLACK, _RED, _GREY, _ORANGE = np.zeros(3, int), _PAINTS[0], _PAINTS[5], np.array((255, 128, 0))

_Shape = Callable[[NDArray[np.float64], NDArray[np.float64]], NDArray[np.bool_]]
"""Which pixels it covers, from their x in a row and their y in a column."""
_Stroke = tuple[_Shape, NDArray[Any]]


def render_world(
    worlds: GridWorlds, n: int, *, tile_size: int = 32, highlight: bool = True, agent_view: bool = False
) -> NDArray[np.uint8]:
    """The picture of a world as it stands, equal to that of MiniGrid's ``get_frame``.

    Args:
        worlds: The worlds.
        n: Which of them.
        tile_size: Pixels along each side of a cell.
        highlight: Whether the cells that the agent sees are lighter. In its own view they always are.
        agent_view: Whether the picture is of what the agent sees: 7 x 7 cells, the agent below in the middle, facing up
            and drawn over what it carries. What it cannot see is drawn as empty.

    Returns:
        ``(height * tile_size, width * tile_size, 3)`` uint8: red, green, blue.

    Raises:
        ValueError: If ``tile_size`` is not a whole number of at least 1.
        RuntimeError: If the world was not drawn yet.
    """
    if not isinstance(tile_size, int | np.integer) or isinstance(tile_size, bool) or tile_size < 1:
        raise ValueError(f"tile_size must be an integer of at least 1, got {tile_size!r}")
    plan, cells = worlds.plan, worlds.state.cells[n]
    position, direction, carried = (int(worlds.state.agent[n, part]) for part in (POSITION, DIRECTION, CARRIED))
    if position == 0:
        raise RuntimeError(f"world {n} has no state yet: call reset() first")
    view = position + worlds.offsets.view(np.int64).reshape(4, VIEW, VIEW)[direction]
    visible = _visible(cells[view], worlds.light)
    if agent_view:
        seen = np.where(visible, cells[view], EMPTY)
        seen[0, VIEW // 2] = carried or EMPTY
        return _picture(seen[::-1], visible[::-1], (VIEW - 1, VIEW // 2), _UP, int(tile_size))
    lighter = np.zeros(cells.shape, bool)
    if highlight:
        lighter[view[visible]] = True
    within = np.s_[MARGIN : MARGIN + plan.height, MARGIN : MARGIN + plan.width]
    y, x = divmod(position, plan.stride)
    return _picture(
        cells.reshape(-1, plan.stride)[within],
        lighter.reshape(-1, plan.stride)[within],
        (y - MARGIN, x - MARGIN),
        direction,
        int(tile_size),
    )


def _visible(codes: NDArray[np.uint8], light: NDArray[np.uint16]) -> NDArray[np.bool_]:
    """Which cells of a view, nearest row first, the agent sees."""
    columns = np.arange(VIEW)
    transparent = ((LOOK[codes] >> 24).astype(int) << columns).sum(axis=1)
    visible = np.zeros((VIEW, VIEW), bool)
    lit = 1 << VIEW // 2
    for depth in range(VIEW):
        found = int(light[lit, transparent[depth]])
        visible[depth] = found >> columns & 1
        lit = found >> VIEW
    return visible


def _picture(
    codes: NDArray[np.uint8], lighter: NDArray[np.bool_], agent: tuple[int, int], direction: int, size: int
) -> NDArray[np.uint8]:
    """The tiles of a rectangle of cells, side by side. The agent is in the row and column ``agent``."""
    height, width = codes.shape
    picture = np.empty((height, size, width, size, 3), np.uint8)
    for y, (row, light) in enumerate(zip(codes.tolist(), lighter.tolist(), strict=True)):
        for x, cell in enumerate(row):
            picture[y, :, x] = _tile(LOOKS[cell], direction if (y, x) == agent else None, light[x], size)
    return picture.reshape(height * size, width * size, 3)


@lru_cache(maxsize=1024)
def _tile(look: tuple[int, int, int], agent: int | None, lighter: bool, size: int) -> NDArray[np.uint8]:
    """``(size, size, 3)``: a cell with that look, and the agent on it if it has a direction."""
    fine = _FINER * size
    centres = (np.arange(fine) + 0.5) / fine
    canvas = np.zeros((fine, fine, 3), np.uint8)
    strokes = [*_lines_of_the_grid(), *_strokes(*look)]
    if agent is not None:
        strokes.append((_arrow(agent), _RED))
    for covers, paint in strokes:
        canvas[covers(centres, centres[:, None])] = paint.astype(np.uint8)
    if lighter:
        canvas = (canvas + 0.3 * (255 - canvas)).astype(np.uint8)
    # Fractions are cut off, so that the order of the two means matters where one ends a bit short of a whole number.
    means = canvas.reshape(size, _FINER, size, _FINER, 3).mean(axis=3).mean(axis=1)
    return np.asarray(means, np.uint8)


def _rectangle(left: float, right: float, top: float, bottom: float) -> _Shape:
    return lambda x, y: (left <= x) & (x <= right) & (top <= y) & (y <= bottom)


def _disc(middle_x: float, middle_y: float, radius: float) -> _Shape:
    return lambda x, y: (x - middle_x) * (x - middle_x) + (y - middle_y) * (y - middle_y) <= radius * radius


def _segment(start: tuple[float, float], end: tuple[float, float], radius: float) -> _Shape:
    """What lies no farther than the radius from the way between two points, which MiniGrid knows to 32 bits."""
    first = np.array(start, np.float32)
    way = np.array(end, np.float32) - first
    length = np.linalg.norm(way)
    (x0, y0), (along_x, along_y) = first.astype(float), (way / length).astype(float)

    def covers(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        nearest = np.clip((x - x0) * along_x + (y - y0) * along_y, 0.0, float(length))
        away_x, away_y = x - (x0 + nearest * along_x), y - (y0 + nearest * along_y)
        return np.asarray(np.sqrt(away_x * away_x + away_y * away_y) <= radius)

    return covers


def _arrow(direction: int) -> _Shape:
    """The agent: a triangle that points to the right, or is turned clockwise by so many quarters.

    Its corners, too, are known to 32 bits, and so are the constants of its barycentric coordinates u and v.
    """
    corner, tip, other = np.array([(0.12, 0.19), (0.87, 0.50), (0.12, 0.81)], np.float32)
    side, edge = other - corner, tip - corner
    side2, both, edge2 = float(side @ side), float(side @ edge), float(edge @ edge)
    scale = float(1 / (side @ side * (edge @ edge) - side @ edge * (side @ edge)))
    (corner_x, corner_y), (side_x, side_y), (edge_x, edge_y) = corner.tolist(), side.tolist(), edge.tolist()
    cosine, sine = math.cos(-0.5 * math.pi * direction), math.sin(-0.5 * math.pi * direction)

    def covers(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.bool_]:
        x, y = x - 0.5, y - 0.5
        x, y = 0.5 + x * cosine - y * sine - corner_x, 0.5 + y * cosine + x * sine - corner_y
        on_side, on_edge = side_x * x + side_y * y, edge_x * x + edge_y * y
        u = (edge2 * on_side - both * on_edge) * scale
        v = (side2 * on_edge - both * on_side) * scale
        return np.asarray((u >= 0) & (v >= 0) & (u + v < 1))

    return covers


_WHOLE = _rectangle(0, 1, 0, 1)


def _lines_of_the_grid() -> list[_Stroke]:
    return [(_rectangle(0, 0.031, 0, 1), _GREY), (_rectangle(0, 1, 0, 0.031), _GREY)]


def _strokes(kind: int, color: int, state: int) -> list[_Stroke]:
    """How a thing is drawn, the lowest stroke first."""
    paint = _PAINTS[color]
    strokes: dict[int, list[_Stroke]] = {
        WALL: [(_WHOLE, paint)],
        GOAL: [(_WHOLE, paint)],
        FLOOR: [(_rectangle(0.031, 1, 0.031, 1), paint / 2)],
        LAVA: _lava(),
        DOOR: _door(paint, state),
        KEY: [
            (_rectangle(0.50, 0.63, 0.31, 0.88), paint),
            (_rectangle(0.38, 0.50, 0.59, 0.66), paint),
            (_rectangle(0.38, 0.50, 0.81, 0.88), paint),
            (_disc(0.56, 0.28, 0.190), paint),
            (_disc(0.56, 0.28, 0.064), _BLACK),
        ],
        BALL: [(_disc(0.5, 0.5, 0.31), paint)],
        BOX: [
            (_rectangle(0.12, 0.88, 0.12, 0.88), paint),
            (_rectangle(0.18, 0.82, 0.18, 0.82), _BLACK),
            (_rectangle(0.16, 0.84, 0.47, 0.53), paint),
        ],
    }
    return strokes.get(kind, [])


def _lava() -> list[_Stroke]:
    """Three waves of two crests each. Lava of any colour is orange."""
    strokes: list[_Stroke] = [(_WHOLE, _ORANGE)]
    for wave in range(3):
        low, high = 0.3 + 0.2 * wave, 0.4 + 0.2 * wave
        points = [(0.1, low), (0.3, high), (0.5, low), (0.7, high), (0.9, low)]
        strokes += [(_segment(start, end, 0.03), _BLACK) for start, end in pairwise(points)]
    return strokes


def _door(paint: NDArray[Any], state: int) -> list[_Stroke]:
    if state == OPEN:
        return [(_rectangle(0.88, 1, 0, 1), paint), (_rectangle(0.92, 0.96, 0.04, 0.96), _BLACK)]
    if state == LOCKED:
        inner, keyhole = _rectangle(0.06, 0.94, 0.06, 0.94), _rectangle(0.52, 0.75, 0.50, 0.56)
        return [(_WHOLE, paint), (inner, 0.45 * paint), (keyhole, paint)]
    return [
        (_WHOLE, paint),
        (_rectangle(0.04, 0.96, 0.04, 0.96), _BLACK),
        (_rectangle(0.08, 0.92, 0.08, 0.92), paint),
        (_rectangle(0.12, 0.88, 0.12, 0.88), _BLACK),
        (_disc(0.75, 0.50, 0.08), paint),
    ]
