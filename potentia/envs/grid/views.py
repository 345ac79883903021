"""What an environment of the grid worlds may show instead of MiniGrid's view of 7 x 7 cells, which a step writes.

Each is equal to a wrapper of MiniGrid: `AgentView` to ``ViewSizeWrapper``, `WholeMap` to ``FullyObsWrapper``, `Picture`
to ``RGBImgObsWrapper`` or ``RGBImgPartialObsWrapper``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from potentia.compiling import compiled
from potentia.envs.grid.cells import EMPTY, LOOK
from potentia.envs.grid.levels.build import WALL as WALL_CELL
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.render import render_world
from potentia.envs.grid.rules import CARRIED, DIRECTION, MARGIN, POSITION, VIEW, Plan, World
from potentia.envs.light import spread

OBSERVATIONS = ("image", "dict", "flat", "full", "rgb", "rgb_view")
"""MiniGrid's encoding of the view; with direction and mission; in one row; of the whole map; pictures of both."""
_AGENT = 10
"""MiniGrid's number of the agent as an object."""
TILE = 8
"""Pixels along each side of a cell, as in MiniGrid's wrappers."""


class Shown(Protocol):
    """Something to show of worlds."""

    def shape_of(self, level: Level) -> tuple[int, ...]:
        """The shape of what is shown of one world, uint8."""
        ...

    def write(self, worlds: Any, shown: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> None:
        """Writes what is shown now of the worlds of a mask into the rows of ``shown``."""
        ...


@dataclass(frozen=True)
class AgentView:
    """What the agent sees in a square of ``size`` cells before it: column, row, (object, colour, state)."""

    size: int

    def shape_of(self, level: Level) -> tuple[int, ...]:
        """A square."""
        return self.size, self.size, 3

    def write(self, worlds: Any, shown: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> None:
        """Compiled, unless it is called seldom."""
        state: World = worlds.state
        see_through = worlds.level.see_through
        view_loop(state.cells, state.agent, shown, mask, self.size, worlds.plan.stride, see_through)


@compiled("the views of another size", work=lambda cells, agent, shown, mask, size, *_: 6 * size**2 * mask.sum())
def view_loop(cells, agent, shown, mask, size, stride, see_through):  # type: ignore[no-untyped-def]
    """What is seen in the worlds of a mask, in views of any odd size."""
    rows = cells.shape[1] // stride
    looks = np.empty(size, np.uint32)
    for n in range(len(mask)):
        if not mask[n]:
            continue
        x, y, facing = agent[n, POSITION] % stride, agent[n, POSITION] // stride, agent[n, DIRECTION]
        right, down = (facing == 0) * 1 - (facing == 2) * 1, (facing == 1) * 1 - (facing == 3) * 1
        lit = 1 << size // 2
        for depth in range(size):
            clear = 0
            for column in range(size):
                aside = column - size // 2
                cx, cy = x + right * depth - down * aside, y + down * depth + right * aside
                inside = 0 <= cx < stride and 0 <= cy < rows
                looks[column] = LOOK[cells[n, cy * stride + cx] if inside else WALL_CELL]
                clear |= int(looks[column] >> 24 & 1) << column
            seen, lit = spread(lit, clear, size)
            if see_through:
                seen = (1 << size) - 1
            if depth == 0:
                looks[size // 2] = LOOK[agent[n, CARRIED] if agent[n, CARRIED] != 0 else EMPTY]
            for column in range(size):
                look = looks[column] if seen >> column & 1 else np.uint32(0)
                for byte in range(3):
                    shown[n, column, size - 1 - depth, byte] = look >> 8 * byte & 0xFF


@dataclass(frozen=True)
class WholeMap:
    """The whole map: column, row, (object, colour, state); the agent is the object 10, its state the direction."""

    def shape_of(self, level: Level) -> tuple[int, ...]:
        """The map's."""
        return level.width, level.height, 3

    def write(self, worlds: Any, shown: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> None:
        """All worlds of the mask at once."""
        plan: Plan = worlds.plan
        agent = worlds.state.agent[mask]
        rows = worlds.state.cells[mask].reshape(len(agent), -1, plan.stride)
        looks = LOOK[rows[:, MARGIN : MARGIN + plan.height, MARGIN : MARGIN + plan.width]].transpose(0, 2, 1)
        image = np.stack([looks >> shift & 0xFF for shift in (0, 8, 16)], axis=-1).astype(np.uint8)
        y, x = np.divmod(agent[:, POSITION], plan.stride)
        here = np.stack([np.full(len(agent), _AGENT), np.zeros(len(agent), int), agent[:, DIRECTION]], axis=-1)
        image[np.arange(len(agent)), x - MARGIN, y - MARGIN] = here
        shown[mask] = image


@dataclass(frozen=True)
class Picture:
    """A picture in red, green and blue: of the map, or of what the agent sees."""

    agent_view: bool

    def shape_of(self, level: Level) -> tuple[int, ...]:
        """Rows, columns, colours."""
        height, width = (VIEW, VIEW) if self.agent_view else (level.height, level.width)
        return height * TILE, width * TILE, 3

    def write(self, worlds: Any, shown: np.ndarray[Any, Any], mask: np.ndarray[Any, Any]) -> None:
        """One world after the other."""
        for n in np.flatnonzero(mask):
            shown[n] = render_world(worlds, int(n), tile_size=TILE, agent_view=self.agent_view)


def shown_as(observation: str, view_size: int) -> Shown | None:
    """What is shown for an observation of that name; None for the view that the step itself writes.

    Raises:
        ValueError: If there is no such observation, or not in that size.
    """
    if observation not in OBSERVATIONS:
        raise ValueError(f"observation must be one of {', '.join(map(repr, OBSERVATIONS))}, got {observation!r}")
    if (
        isinstance(view_size, bool)
        or not isinstance(view_size, int | np.integer)
        or view_size < 3
        or view_size % 2 == 0
    ):
        raise ValueError(f"view_size must be an odd number of at least 3, got {view_size!r}")
    if observation in ("full", "rgb", "rgb_view"):
        if view_size != VIEW:
            raise ValueError(f'view_size goes with observation "image", "dict" or "flat", not with {observation!r}')
        return WholeMap() if observation == "full" else Picture(agent_view=observation == "rgb_view")
    return None if view_size == VIEW else AgentView(int(view_size))
