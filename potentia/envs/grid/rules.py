"""The rules of MiniGrid as scalar functions: one world's step and what its agent sees.

The state of N worlds is a struct of arrays; world n is a row of each:

- ``cells`` ``(N, rows * stride)`` uint8: codes of `potentia.envs.grid.cells`, row by row, within a margin of wall as
  wide as the view is deep, so that nothing is ever out of bounds;
- ``agent`` ``(N, 4)`` int32: the index of its cell, its direction (0 right, 1 down, 2 left, 3 up), the code of what
  it carries (0: nothing), and the steps of its episode;
- ``rng`` ``(N, 6)`` uint64: see `potentia.envs.grid.pcg64`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from potentia.envs.grid.cells import EMPTY, ENTER, GOAL, KIND, LAVA, LOOK, PICK_UP, TOGGLED
from potentia.envs.light import spread

LEFT, RIGHT, FORWARD, TAKE, DROP, TOGGLE, DONE = range(7)
VIEW = 7
MARGIN = VIEW - 1
_SEE = np.uint32(24)
POSITION, DIRECTION, CARRIED, STEPS = range(4)


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
    """``(4, 49)``: how far each cell in view lies from the agent's in ``cells``, nearest row first."""
    offsets = np.zeros((4, VIEW, VIEW), np.int32)
    for direction, (x, y) in enumerate(((1, 0), (0, 1), (-1, 0), (0, -1))):
        for depth in range(VIEW):
            for column in range(VIEW):
                aside = column - VIEW // 2
                offsets[direction, depth, column] = (y * depth + x * aside) * stride + x * depth - y * aside
    return offsets.reshape(4, VIEW * VIEW)


LIGHT = _light()
EVERYTHING = np.full_like(LIGHT, (1 << 2 * VIEW) - 1)
"""The table of light where walls are transparent."""


@njit
def step_one(cells, agent, n, action, stride, max_steps):  # type: ignore[no-untyped-def]
    """One action in world n; returns the reward, whether the task ended, and whether it ended in success."""
    agent[n, STEPS] += 1
    here, direction, carried = agent[n, POSITION], agent[n, DIRECTION], agent[n, CARRIED]
    ahead = here + (1, stride, -1, -stride)[direction]
    cell = cells[n, ahead]
    if action == LEFT:
        agent[n, DIRECTION] = (direction + 3) % 4
    elif action == RIGHT:
        agent[n, DIRECTION] = (direction + 1) % 4
    elif action == FORWARD:
        if ENTER[cell]:
            agent[n, POSITION] = ahead
        if KIND[cell] == GOAL:
            return 1.0 - 0.9 * (agent[n, STEPS] / max_steps), True, True
        if KIND[cell] == LAVA:
            return 0.0, True, False
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
    return 0.0, False, False


@njit
def observe_one(cells, agent, n, image, offsets, light):  # type: ignore[no-untyped-def]
    """Writes what the agent of world n sees into ``image[n]``, ``(7, 7, 3)``: column, row, (object, colour, state).

    Unsigned indices spare the test for negative ones; a packed look is one load for a cell.
    """
    n, here, carried = np.uint64(n), np.int64(agent[n, POSITION]), agent[n, CARRIED]
    direction = np.uint64(agent[n, DIRECTION])
    lit = np.uint64(1 << VIEW // 2)
    for depth in range(VIEW):
        row, first = np.uint64(VIEW - 1 - depth), np.uint64(depth * VIEW)
        clear = np.uint64(0)
        for column in range(VIEW):
            place = np.uint64(here + offsets[direction, first + np.uint64(column)])
            clear |= np.uint64(LOOK[np.uint64(cells[n, place])] >> _SEE) << np.uint64(column)
        found = np.uint64(light[lit, clear])
        for column in range(VIEW):
            place = np.uint64(here + offsets[direction, first + np.uint64(column)])
            look = LOOK[np.uint64(cells[n, place])]
            if depth == 0 and column == VIEW // 2:
                look = LOOK[np.uint64(carried if carried else EMPTY)]
            look = look if found >> np.uint64(column) & np.uint64(1) else np.uint32(0)
            image[n, np.uint64(column), row, np.uint64(0)] = np.uint8(look)
            image[n, np.uint64(column), row, np.uint64(1)] = np.uint8(look >> np.uint32(8))
            image[n, np.uint64(column), row, np.uint64(2)] = np.uint8(look >> np.uint32(16))
        lit = found >> np.uint64(VIEW)
