"""Gymnasium-Robotics' mazes for a ball and an ant, with a goal drawn at each reset and the way to it known."""

from __future__ import annotations

import heapq
import importlib
import math
import os
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from potentia.envs.info_keys import number
from potentia.envs.mujoco.catalogue import MAZE_BODIES, MAZES
from potentia.envs.mujoco.simulation import Obs, SimulatedWorld, share
from potentia.limits import check_among

__all__ = ["Maze", "Ways"]

Cell = tuple[int, int]

_NEAR = 0.45
"""Metres from the goal within which it is reached, in Gymnasium-Robotics."""


class Maze(SimulatedWorld):
    """A ball or an ant that is to reach a goal in a maze (Fu et al. 2020, arXiv 2004.07219), from Gymnasium-Robotics.

    The reward is 1 when the body comes within 0.45 m of the goal, which ends the episode, and 0 elsewhere. Each reset
    draws the goal and the start from this world's own random numbers. What is seen is one row of numbers: the body's
    place, the rest of its state, and the goal's place.

    ``info`` has ``success``, and on request ``descriptor`` (the body's place ``(x, y)``), ``potential`` =
    ``-min(d, D) / D`` and ``progress`` = ``1 - d / d at the reset``, in [0, 1]. Here d is the length of the way through
    the maze that is left, see `Ways`, and D the longest that there is.

    Args:
        body: A name in `MAZE_BODIES`.
        maze: A name in `MAZES`, or rows of cells as Gymnasium-Robotics writes them: 1 a wall, 0 free, "g" a goal, "r" a
            start, "c" both.
        max_steps: The time limit, None for Gymnasium-Robotics' own. A map of one's own needs one.
        terminate_on_success: Whether success ends the episode.
        info_keys: Keys of the info, "all", or None for ``success``.
        render_mode: "rgb_array" or None.

    Raises:
        ImportError: If the extra "robotics" is not installed.
        ValueError: On an unknown body, maze, info key or render_mode.
    """

    kept = (*SimulatedWorld.kept, "_at", "_begun_at")

    def __init__(
        self,
        body: str,
        maze: str | list[list[int | str]] = "UMaze",
        *,
        max_steps: int | None = None,
        terminate_on_success: bool = True,
        info_keys: Any = None,
        render_mode: str | None = None,
    ) -> None:
        check_among(MAZE_BODIES, body=body)
        self.body = body
        if isinstance(maze, str):
            check_among(tuple(MAZES), maze=maze)
            name, ball, ant = MAZES[maze]
            rows = getattr(_robotics("maze.maps"), name)
            max_steps = max_steps or (ball if body == "PointMaze" else ant)
        else:
            rows = maze
        if max_steps is None:
            raise ValueError("max_steps must be a number of steps for a maze of one's own, got None")
        super().__init__(max_steps=max_steps, terminate_on_success=terminate_on_success, render_mode=render_mode)
        self._inner, moved = _build(body, rows, render_mode)
        self.action_space = spaces.Box(-1.0, 1.0, self._inner.action_space.shape, np.float32)
        size = self._inner.observation_space["observation"].shape[0] + (2 if body == "PointMaze" else 4)
        self._shows_place = body == "PointMaze"
        self.observation_space = spaces.Box(-_FAR, _FAR, (size,), np.float64)
        self._ways = Ways(rows, self._inner.maze.maze_size_scaling)
        self._at, self._begun_at = np.zeros(2), 0.0
        self.simulate(moved.model, moved.data, [self._inner, moved])
        self.offer(("success", "potential", "progress", "descriptor"), ("success",), info_keys)

    def goal_text(self) -> str:
        """Where the goal is."""
        return f"reach ({self._inner.goal[0]:.2f}, {self._inner.goal[1]:.2f})" if self._begun else ""

    def render(self) -> Any:
        """A picture from above."""
        return self._inner.render()

    def close(self) -> None:
        """Gives back what draws pictures."""
        self._inner.close()

    def next_point(self) -> NDArray[np.float64]:
        """The next point ``(x, y)`` of the way to the goal."""
        return self._ways.onward(self._at, self._inner.goal)[1]

    def _begin(self) -> Obs:
        seen, _ = self._inner.reset()
        obs = self._flat(seen)
        self._begun_at = self._left()
        return obs

    def _advance(self, action: NDArray[np.float32]) -> Obs:
        return self._flat(self._inner.step(action)[0])

    def _flat(self, seen: dict[str, Obs]) -> Obs:
        self._at = seen["achieved_goal"].copy()
        place = () if self._shows_place else (self._at,)
        return np.concatenate([*place, seen["observation"], seen["desired_goal"]])

    def _success(self) -> bool:
        return bool(np.linalg.norm(self._at - self._inner.goal) <= _NEAR)

    def _left(self) -> float:
        return 0.0 if self._success() else self._ways.length(self._at, self._inner.goal) - _NEAR

    def _tell(self, key: str) -> Any:
        if key == "descriptor":
            return self._at.copy()
        if key == "potential":
            return number(-min(self._left() / (self._ways.longest - _NEAR), 1.0))
        known = 0.0 < self._begun_at < math.inf
        return share(1.0 if self._success() else 1.0 - self._left() / self._begun_at if known else 0.0)


_FAR = 1000.0
"""More than any number that is seen: metres, radians, and both a second."""


class Ways:
    """Lengths of ways through a maze of square cells.

    A way leads straight to the centre of this cell or of one beside it, on from centre to centre, and straight to the
    goal in the same cell or one beside it. None crosses a wall. Where many cells lie open, it is longer than a straight
    line, by 42 % at most.

    Args:
        rows: Cells, 1 a wall.
        scale: The side of a cell in metres.
    """

    def __init__(self, rows: list[list[int | str]], scale: float) -> None:
        self._scale = scale
        self._height, self._width = len(rows), len(rows[0])
        self._free = [(i, j) for i, row in enumerate(rows) for j, cell in enumerate(row) if cell != 1]
        among = set(self._free)
        self._beside = {
            (i, j): [(i, j), *(near for near in ((i + 1, j), (i - 1, j), (i, j + 1), (i, j - 1)) if near in among)]
            for i, j in self._free
        }
        self._centres = {cell: self._centre(cell) for cell in self._free}
        self._goal: tuple[float, float] | None = None
        self._from: dict[Cell, float] = {}
        self.longest = max(distance + scale for cell in self._free for distance in self._lengths({cell: 0.0}).values())

    def length(self, place: NDArray[np.float64], goal: NDArray[np.float64]) -> float:
        """Metres from a place to the goal, infinite if there is no way."""
        return self.onward(place, goal)[0]

    def onward(self, place: NDArray[np.float64], goal: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        """The length of the way from a place to the goal, and its next point."""
        here, there = self._cell(place), self._cell(goal)
        if here in self._beside[there]:
            return math.dist(place, goal), goal
        if (key := (float(goal[0]), float(goal[1]))) != self._goal:
            self._goal = key
            self._from = self._lengths({cell: math.dist(self._centres[cell], goal) for cell in self._beside[there]})
        length, cell = min(
            (math.dist(place, self._centres[cell]) + self._from.get(cell, math.inf), cell)
            for cell in self._beside[here]
        )
        return length, np.array(self._centres[cell])

    def _lengths(self, begun: dict[Cell, float]) -> dict[Cell, float]:
        """The least lengths from cells' centres, where those in ``begun`` are known (Dijkstra)."""
        found: dict[Cell, float] = {}
        queue = [(length, cell) for cell, length in begun.items()]
        heapq.heapify(queue)
        while queue:
            length, cell = heapq.heappop(queue)
            if cell in found:
                continue
            found[cell] = length
            for near in self._beside[cell]:
                if near not in found:
                    heapq.heappush(queue, (length + self._scale, near))
        return found

    def _centre(self, cell: Cell) -> tuple[float, float]:
        i, j = cell
        return (j + 0.5 - self._width / 2) * self._scale, (self._height / 2 - i - 0.5) * self._scale

    def _cell(self, place: NDArray[np.float64]) -> Cell:
        """The free cell that a place lies in, or next to if it is a body's that leans over a wall."""
        cell = (
            math.floor(self._height / 2 - place[1] / self._scale),
            math.floor(place[0] / self._scale + self._width / 2),
        )
        if cell in self._beside:
            return cell
        return min(self._free, key=lambda near: math.dist(self._centres[near], place))


def _build(body: str, rows: list[list[int | str]], render_mode: str | None) -> tuple[Any, Any]:
    """The maze of Gymnasium-Robotics, and the body's environment in it."""
    options: dict[str, Any] = {"maze_map": rows, "render_mode": render_mode, "continuing_task": False}
    if body == "PointMaze":
        inner = _robotics("maze.point_maze").PointMazeEnv(**options)
        moved = inner.point_env
    else:
        inner = _robotics("maze.ant_maze_v5").AntMazeEnv(**options, include_cfrc_ext_in_observation=False)
        moved = inner.ant_env
    os.unlink(inner.tmp_xml_file_path)  # it was read, and nobody else would remove it
    return inner, moved


def _robotics(name: str) -> Any:
    try:
        return importlib.import_module(f"gymnasium_robotics.envs.{name}")
    except ImportError as error:
        raise ImportError('the mazes need the extra "robotics": pip install "potentia[robotics]"') from error
