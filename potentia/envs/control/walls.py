"""Straight walls: what a round robot senses of them and runs into, and the shortest ways among them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Nearby", "Ways", "distances_to_walls", "nearby", "ways_to"]

Walls = Sequence[tuple[float, ...]]
"""Each from (x0, y0) to (x1, y1)."""
Floats = NDArray[np.float64]


def distances_to_walls(points: Floats, walls: Walls) -> Floats:
    """How far points ``(..., 2)`` are from each of K walls, ``(..., K)``."""
    ends = np.asarray(walls, np.float64)
    begin, along = ends[:, :2], ends[:, 2:] - ends[:, :2]
    away = points[..., None, :] - begin
    share = np.clip((away * along).sum(-1) / np.maximum((along**2).sum(-1), 1e-300), 0.0, 1.0)
    found: Floats = np.linalg.norm(away - share[..., None] * along, axis=-1)
    return found


class Nearby(NamedTuple):
    """The walls within reach of each cell of a grid, the nearest first.

    Attributes:
        left: x of the grid's corner.
        top: y of the grid's corner.
        size: The side of a cell.
        columns: How many cells there are beside one another.
        rows: How many there are above one another.
        wall: ``(cells, most)`` int16: their numbers; then -1.
        least: ``(cells, most)``: no point of the cell is nearer to the wall; then infinite.
    """

    left: float
    top: float
    size: float
    columns: int
    rows: int
    wall: NDArray[np.int16]
    least: Floats


def nearby(walls: Walls, bounds: tuple[float, float, float, float], reach: float, size: float) -> Nearby:
    """The walls that a point in each cell of a grid within bounds (left, top, right, bottom) may be within reach of."""
    left, top, right, bottom = bounds
    columns, rows = math.ceil((right - left) / size), math.ceil((bottom - top) / size)
    centres = np.stack(
        np.meshgrid(left + size * (np.arange(columns) + 0.5), top + size * (np.arange(rows) + 0.5)), axis=-1
    ).reshape(-1, 2)
    least = np.maximum(distances_to_walls(centres, walls) - size * math.sqrt(0.5), 0.0)
    order = np.argsort(least, axis=1, kind="stable")
    least = np.take_along_axis(least, order, axis=1)
    near = least < reach
    most = int(near.sum(axis=1).max()) + 1
    wall = np.where(near, order, -1).astype(np.int16)
    wall, least = (
        np.pad(wall, ((0, 0), (0, 1)), constant_values=-1),
        np.pad(np.where(near, least, np.inf), ((0, 0), (0, 1)), constant_values=np.inf),
    )
    return Nearby(left, top, size, columns, rows, wall[:, :most].copy(), least[:, :most].copy())


class Ways(NamedTuple):
    """The lengths of shortest ways from the points of a grid.

    Attributes:
        left: x of the first column.
        top: y of the first row.
        spacing: Between points.
        length: ``(rows, columns)``: to the nearest goal. It is infinite where no robot can be, or from where no way is.
    """

    left: float
    top: float
    spacing: float
    length: Floats


_REACH = 3
"""Moves on the grid go up to so many points in each direction, which makes lengths at most 1.4 % too long."""
_OUTWARD = 2
"""How many points into the walls lengths are continued, so that they can be interpolated beside one."""


def ways_to(
    goals: Sequence[tuple[tuple[float, ...], float]],
    walls: Walls,
    bounds: tuple[float, float, float, float],
    *,
    radius: float,
    spacing: float,
) -> Ways:
    """The lengths of the ways of a round robot's centre to the nearest of some discs.

    The shortest sums of moves between grid points (Bellman and Ford), of which each goes as far as a chess knight or a
    little farther.

    Args:
        goals: Centres and radii of the discs.
        walls: Where the robot's centre may come no nearer than its radius.
        bounds: (left, top, right, bottom) of the grid.
        radius: The robot's.
        spacing: Between grid points; less than half the radius, so that no move leaps over a wall.
    """
    left, top, right, bottom = bounds
    x, y = np.arange(left, right + spacing, spacing), np.arange(top, bottom + spacing, spacing)
    points = np.stack(np.meshgrid(x, y), axis=-1)
    blocked = distances_to_walls(points, walls).min(axis=-1) < radius
    length = np.full(blocked.shape, np.inf)
    for centre, size in goals:
        away = np.maximum(np.linalg.norm(points - np.asarray(centre), axis=-1) - size, 0.0)
        near = (away <= spacing) & ~blocked
        length[near] = np.minimum(length, away)[near]
    moves = [
        (row, column)
        for row in range(-_REACH, _REACH + 1)
        for column in range(-_REACH, _REACH + 1)
        if math.gcd(row, column) == 1
    ]
    while True:
        shorter = _moved(length, moves, spacing)
        shorter[blocked] = np.inf
        if (shorter >= length).all():
            break
        length = np.minimum(length, shorter)
    for _ in range(_OUTWARD):
        length = np.where(
            np.isinf(length), _moved(length, [m for m in moves if max(map(abs, m)) == 1], spacing), length
        )
    return Ways(left, top, spacing, length)


def _moved(length: Floats, moves: list[tuple[int, int]], spacing: float) -> Floats:
    """The least over the moves of a move's length and the length from where it leads."""
    padded = np.pad(length, _REACH, constant_values=np.inf)
    rows, columns = length.shape
    found = np.full_like(length, np.inf)
    for row, column in moves:
        there = padded[_REACH + row : _REACH + row + rows, _REACH + column : _REACH + column + columns]
        np.minimum(found, there + spacing * math.hypot(row, column), out=found)
    return found
