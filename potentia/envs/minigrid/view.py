"""MiniGrid's partial view, bit for bit, several times faster: most of a MiniGrid step goes into drawing it."""

from __future__ import annotations

from functools import lru_cache
from operator import itemgetter
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from potentia.envs.light import spread

if TYPE_CHECKING:
    from minigrid.core.world_object import WorldObj
    from minigrid.minigrid_env import MiniGridEnv

__all__ = ["View", "no_view"]

_UNSEEN, _EMPTY, _WALL = bytes((0, 0, 0)), bytes((1, 0, 0)), bytes((2, 5, 0))


def no_view() -> dict[str, Any]:
    """Stands in for ``MiniGridEnv.gen_obs``, so that the game does not draw what `View` draws."""
    return {}


class View:
    """What ``MiniGridEnv.gen_obs`` returns: image ``(n, n, 3)`` of object, colour, state; direction; mission.

    The cells in view are gathered through a table for each pose. Which of them are seen is found row by row, from the
    agent's row outwards: the cells of a row that are lit, and those that let light pass, decide the row and the light
    that falls on the next, so each case is worked out once and remembered.

    Args:
        game: A MiniGrid environment with its standard view.
    """

    def __init__(self, game: MiniGridEnv) -> None:
        self._game = game
        self._size: int = game.agent_view_size
        self._gather: dict[tuple[int, int, int], itemgetter[Any]] = {}
        self._walls: dict[WorldObj, bytes] = {}
        self._shape = (-1, -1)

    def __call__(self) -> dict[str, Any]:
        """The view now; its image is a new array."""
        game = self._game
        return {"image": self._image(), "direction": game.agent_dir, "mission": game.mission}

    def _image(self) -> NDArray[np.uint8]:
        game, size = self._game, self._size
        if (game.grid.width, game.grid.height) != self._shape:
            self._shape, self._gather = (game.grid.width, game.grid.height), {}
        pose = (int(game.agent_pos[0]), int(game.agent_pos[1]), int(game.agent_dir))
        gather = self._gather.get(pose)
        if gather is None:
            gather = self._gather[pose] = itemgetter(*self._cells(*pose))
        # The last entry stands for all that lies outside of the grid, which looks like wall.
        cells = gather([*game.grid.grid, False])
        codes, opaque = self._look(cells)
        if not game.see_through_walls:
            for k in self._hidden(opaque):
                codes[k] = _UNSEEN
        here = size // 2 * size + size - 1
        codes[here] = _EMPTY if game.carrying is None else bytes(game.carrying.encode())
        return np.frombuffer(bytearray(b"".join(codes)), np.uint8).reshape(size, size, 3)

    def _look(self, cells: tuple[Any, ...]) -> tuple[list[bytes], int]:
        """The code of each cell, and a number whose bit k says that cell k stops the light."""
        walls = self._walls
        codes, opaque, bit = [], 0, 1
        for cell in cells:
            if cell is None:
                codes.append(_EMPTY)
            elif cell is False:
                codes.append(_WALL)
                opaque |= bit
            else:
                code = walls.get(cell)
                if code is None:
                    code = bytes(cell.encode())
                    if cell.type == "wall":
                        walls[cell] = code  # a wall never changes
                codes.append(code)
                if not cell.see_behind():
                    opaque |= bit
            bit <<= 1
        return codes, opaque

    def _hidden(self, opaque: int) -> tuple[int, ...]:
        return _hidden(opaque, self._size)

    def _cells(self, x: int, y: int, direction: int) -> list[int]:
        """The index in the grid's list of each cell in view, column by column; -1 outside."""
        size, (width, height) = self._size, self._shape
        ahead = ((1, 0), (0, 1), (-1, 0), (0, -1))[direction]
        right = (-ahead[1], ahead[0])
        found = []
        for i in range(size):
            for j in range(size):
                forward, aside = size - 1 - j, i - size // 2
                column = x + ahead[0] * forward + right[0] * aside
                row = y + ahead[1] * forward + right[1] * aside
                inside = 0 <= column < width and 0 <= row < height
                found.append(row * width + column if inside else -1)
        return found


@lru_cache(maxsize=65536)
def _hidden(opaque: int, size: int) -> tuple[int, ...]:
    """The cells that MiniGrid's ``Grid.process_vis`` leaves dark; cell ``i * size + j`` is column i, row j."""
    lit = 1 << size // 2
    hidden = []
    for j in range(size - 1, -1, -1):
        clear = 0
        for i in range(size):
            clear |= (~opaque >> (i * size + j) & 1) << i
        row, lit = spread(lit, clear, size)
        hidden += [i * size + j for i in range(size) if not row >> i & 1]
    return tuple(hidden)
