"""The rules of MiniGrid as scalar functions: one world's step and what its agent sees.

They take no object but arrays and numbers, so that one text is compiled for every machine.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from potentia.compiling import part
from potentia.envs.grid.cells import EMPTY, ENTER, GOAL, KIND, LAVA, LOOK, PICK_UP, TOGGLED
from potentia.envs.light import spread

LEFT, RIGHT, FORWARD, TAKE, DROP, TOGGLE, DONE = range(7)
PLAYING, SUCCESS, FAILURE, CRASH = range(4)
"""What an action comes to: the episode goes on, or it ends and pays 1 - 0.9 * steps / limit, 0, or -1."""
VIEW = 7
MARGIN = VIEW - 1
POSITION, DIRECTION, CARRIED, STEPS = range(4)


class World(NamedTuple):
    """The state of N worlds. World n is a row of each array.

    Attributes:
        cells: ``(N, rows * stride)`` uint8, codes of `potentia.envs.grid.cells`, row by row, within a margin of wall as
            wide as the view is deep, so that nothing is ever out of bounds.
        agent: ``(N, 4)`` int32: the index of its cell, its direction (0 right, 1 down, 2 left, 3 up), the code of what
            it carries (0: nothing), and the steps of its episode.
        task: ``(N, T)`` int32: what the level notes of its task, such as the code of the thing wanted.
        rng: ``(N, 6)`` uint64, see `potentia.envs.grid.pcg64`.
        scratch: ``(N, S)`` int32: what the level notes while it is drawn. It means nothing afterwards.
    """

    cells: Any
    agent: Any
    task: Any
    rng: Any
    scratch: Any


class Plan(NamedTuple):
    """What all worlds of a level share.

    Attributes:
        width: Columns, with the walls around.
        height: Rows, with the walls around.
        stride: How far a cell is from the one below it in ``cells``.
        max_steps: What scales the reward.
        limit: After how many steps episodes are cut.
        moves: Whether things move of themselves.
    """

    width: int
    height: int
    stride: int
    max_steps: int
    limit: int
    moves: bool


def _light() -> np.ndarray[Any, Any]:
    """``(128, 128)``: `spread` from the lit and the transparent cells of a row (bit i: column i).

    Bits 0 to 6 are the row's own, bits 7 to 13 those of the row beyond.
    """
    table = np.zeros((128, 128), np.uint16)
    for lit in range(128):
        for clear in range(128):
            here, beyond = spread(lit, clear, VIEW)
            table[lit, clear] = here | beyond << VIEW
    return table


def view_offsets(stride: int) -> np.ndarray[Any, Any]:
    """``(4 * 49,)`` uint64: how far each cell in view lies from the agent's in ``cells``, nearest row first.

    A cell that lies before it is 2 ** 64 less.
    """
    offsets = np.zeros((4, VIEW, VIEW), np.int64)
    for direction, (x, y) in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
        for depth in range(VIEW):
            for column in range(VIEW):
                aside = column - VIEW // 2
                offsets[direction, depth, column] = (y * depth + x * aside) * stride + x * depth - y * aside
    return offsets.reshape(-1).view(np.uint64)


LIGHT = _light()
EVERYTHING = np.full_like(LIGHT, (1 << 2 * VIEW) - 1)
"""The table of light where walls are transparent."""


@part(forceinline=True)
def next_to(place, facing, stride):  # type: ignore[no-untyped-def]
    """The index of the neighbour of a cell in a direction."""
    return place + (facing == 0) - (facing == 2) + stride * (facing == 1) - stride * (facing == 3)


@part(forceinline=True)
def ahead_of(world, n, stride):  # type: ignore[no-untyped-def]
    """The index of the cell in front of the agent."""
    return next_to(world.agent[n, POSITION], world.agent[n, DIRECTION], stride)


@part(forceinline=True)
def step_one(world, n, action, stride):  # type: ignore[no-untyped-def]
    """One action in world n, and what it comes to by the rules that all levels share."""
    cells, agent = world.cells, world.agent
    agent[n, STEPS] += 1
    ahead = ahead_of(world, n, stride)
    cell, carried = cells[n, ahead], agent[n, CARRIED]
    if action == LEFT:
        agent[n, DIRECTION] = (agent[n, DIRECTION] + 3) & 3
    elif action == RIGHT:
        agent[n, DIRECTION] = (agent[n, DIRECTION] + 1) & 3
    elif action == FORWARD:
        if ENTER[cell]:
            agent[n, POSITION] = ahead
        if KIND[cell] == GOAL:
            return SUCCESS
        if KIND[cell] == LAVA:
            return FAILURE
    elif action == TAKE:
        if PICK_UP[cell] and carried == 0:
            agent[n, CARRIED] = cell
            cells[n, ahead] = EMPTY
    elif action == DROP:
        if cell == EMPTY and carried != 0:
            cells[n, ahead] = carried
            agent[n, CARRIED] = 0
    elif action == TOGGLE:
        cells[n, ahead] = TOGGLED[cell, carried]
    return PLAYING


@part
def reward_of(outcome, steps, max_steps):  # type: ignore[no-untyped-def]
    """What an outcome pays."""
    if outcome == SUCCESS:
        return 1.0 - 0.9 * (steps / max_steps)
    return -1.0 if outcome == CRASH else 0.0


@part(forceinline=True)
def _look(cells, n, here, offsets, k):  # type: ignore[no-untyped-def]
    """The look of a cell in view. Unsigned indices need no test for negative ones, and wrap around."""
    return LOOK[np.uint64(cells[n, here + offsets[np.uint64(k)]])]


@part(forceinline=True)
def _show(image, n, column, row, look, lit):  # type: ignore[no-untyped-def]
    """Writes a look where the light falls on its column."""
    seen = look if lit >> np.uint64(column) & np.uint64(1) else np.uint32(0)
    first = np.uint64(column * VIEW * 3) + row * np.uint64(3)
    image[n, first] = np.uint8(seen)
    image[n, first + np.uint64(1)] = np.uint8(seen >> np.uint32(8))
    image[n, first + np.uint64(2)] = np.uint8(seen >> np.uint32(16))


@part(forceinline=True)
def observe_one(world, n, image, offsets, light):  # type: ignore[no-untyped-def]
    """Writes what the agent of world n sees into ``image[n]``, ``(147,)``: column, row, (object, colour, state).

    The seven cells of a row are read together and kept, since they would have to be read again after each write.
    """
    cells = world.cells
    n, here, carried = np.uint64(n), np.uint64(world.agent[n, POSITION]), world.agent[n, CARRIED]
    first = np.uint64(world.agent[n, DIRECTION]) * np.uint64(VIEW * VIEW)
    lit = np.uint64(1 << VIEW // 2)
    for depth in range(VIEW):
        row, k = np.uint64(VIEW - 1 - depth), first + np.uint64(depth * VIEW)
        a = _look(cells, n, here, offsets, k)
        b = _look(cells, n, here, offsets, k + np.uint64(1))
        c = _look(cells, n, here, offsets, k + np.uint64(2))
        d = _look(cells, n, here, offsets, k + np.uint64(3))
        e = _look(cells, n, here, offsets, k + np.uint64(4))
        f = _look(cells, n, here, offsets, k + np.uint64(5))
        g = _look(cells, n, here, offsets, k + np.uint64(6))
        clear = a >> 24 | b >> 24 << 1 | c >> 24 << 2 | d >> 24 << 3 | e >> 24 << 4 | f >> 24 << 5 | g >> 24 << 6
        found = np.uint64(light[lit, np.uint64(clear)])
        if depth == 0:
            d = LOOK[np.uint64(carried if carried else EMPTY)]
        _show(image, n, 0, row, a, found)
        _show(image, n, 1, row, b, found)
        _show(image, n, 2, row, c, found)
        _show(image, n, 3, row, d, found)
        _show(image, n, 4, row, e, found)
        _show(image, n, 5, row, f, found)
        _show(image, n, 6, row, g, found)
        lit = found >> np.uint64(VIEW)
