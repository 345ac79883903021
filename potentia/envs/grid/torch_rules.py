"""The compiled rules once more, in PyTorch: all worlds at once, from the same tables, on any device that PyTorch knows.

For devices for which Numba can't compile, and to check the compiled rules: two texts, one game. Levels are drawn by
`potentia.envs.grid.GridWorlds` on the host. From there on nothing is read back, so that the device never waits.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from potentia.envs.grid.cells import (
    BALL,
    BLUE,
    DOOR,
    EMPTY,
    ENTER,
    GOAL,
    KIND,
    LAVA,
    LOOK,
    OPEN,
    PICK_UP,
    SIZE,
    TOGGLED,
    code,
)
from potentia.envs.grid.levels.dynamic_obstacles import judge_crash, move_obstacles
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.levels.memory import judge_memory, toggle_instead_of_taking
from potentia.envs.grid.levels.red_blue_doors import judge_red_blue
from potentia.envs.grid.levels.things import judge_fetch, judge_go_to, judge_put_near
from potentia.envs.grid.levels.unlock import judge_open, judge_pick_up
from potentia.envs.grid.rules import (
    CRASH,
    DONE,
    DROP,
    EVERYTHING,
    FAILURE,
    FORWARD,
    LEFT,
    LIGHT,
    MARGIN,
    PLAYING,
    RIGHT,
    SUCCESS,
    TAKE,
    TOGGLE,
    VIEW,
    view_offsets,
)  # fmt: skip

if TYPE_CHECKING:
    from potentia.envs.grid.worlds import GridWorlds

__all__ = ["TorchRules", "TorchState", "TorchStep"]

_MIDDLE = VIEW // 2
_OUTCOME = np.select([KIND == GOAL, KIND == LAVA], [SUCCESS, FAILURE], PLAYING)
"""What it comes to to walk against a cell."""
_BUMP = (KIND != EMPTY) & (KIND != GOAL)
"""What it is a crash to walk against in Dynamic-Obstacles."""
_IS_OPEN = np.equal(LOOK & 0xFF00FF, LOOK[code(DOOR, 0, OPEN)] & 0xFF00FF)


_PREPARED = (None, move_obstacles, toggle_instead_of_taking)
_JUDGED = (
    None, judge_open, judge_pick_up, judge_red_blue, judge_memory, judge_fetch, judge_go_to, judge_put_near, judge_crash
)  # fmt: skip
"""What levels add to the rules and is written here once more."""
_OBSTACLE, _TRIES = code(BALL, BLUE), 101
"""What stands in the way in Dynamic-Obstacles, and how often it tries to move."""


class TorchState(NamedTuple):
    """The state of N worlds, as `potentia.envs.grid.rules.World` has it, without what only drawing needs.

    Attributes:
        cells: ``(N, G)`` uint8.
        agent: ``(N, 4)`` int64.
        task: ``(N, T)`` int64.
    """

    cells: Tensor
    agent: Tensor
    task: Tensor

    @classmethod
    def from_worlds(cls, worlds: GridWorlds, device: torch.device | str = "cpu") -> TorchState:
        """A copy of the worlds' state as it is now, on ``device``."""
        cells, agent, task = worlds.state.cells, worlds.state.agent, worlds.state.task
        return cls(
            torch.tensor(cells, device=device),
            torch.tensor(agent, dtype=torch.int64, device=device),
            torch.tensor(task, dtype=torch.int64, device=device),
        )


class TorchStep(NamedTuple):
    """What a step gives.

    Attributes:
        state: The state after it.
        reward: ``(N,)`` float64. On Apple's GPUs, which have no float64, it is float32.
        terminated: ``(N,)`` bool.
        truncated: ``(N,)`` bool.
        success: ``(N,)`` bool.
    """

    state: TorchState
    reward: Tensor
    terminated: Tensor
    truncated: Tensor
    success: Tensor


class TorchRules:
    """The rules of one level: ``step(state, actions)`` and ``observe(state)``, the same bits as the compiled ones.

    Both are functions: they write into nothing that they are given and remember nothing. Worlds that ended don't wait,
    but go on, if they aren't put aside. Only the obstacles of Dynamic-Obstacles move by other random numbers than
    MiniGrid's, with the same probabilities.

    Args:
        level: The level.
        max_steps: Another time limit than the level's.
        device: Where the states will be.
        generator: What moves the obstacles, on that device. None stands for PyTorch's own.

    Raises:
        ValueError: If the level has rules of its own.
    """

    def __init__(
        self,
        level: Level,
        *,
        max_steps: int | None = None,
        device: torch.device | str = "cpu",
        generator: torch.Generator | None = None,
    ) -> None:
        if not self.know(level):
            name = level.family.name
            raise ValueError(f"{name} has rules of its own, which are not written in PyTorch: use GridVectorEnv")
        self.level, self.device, self.generator = level, torch.device(device), generator
        self.max_steps = level.max_steps if max_steps is None else max_steps
        self.stride = stride = level.width + 2 * MARGIN
        self._float = torch.float32 if self.device.type == "mps" else torch.float64
        # A tensor, since CUDA would multiply by the reciprocal of a number instead of dividing by it.
        self._limit = torch.tensor(self.max_steps, dtype=self._float, device=self.device)
        self._heading = self._table(np.array([1, stride, -1, -stride]))
        self._enter, self._pick_up, self._is_open = (self._table(table != 0) for table in (ENTER, PICK_UP, _IS_OPEN))
        self._bump = self._table(_BUMP)
        self._around = self._table(np.array([row * stride + column for row in (-1, 0, 1) for column in (-1, 0, 1)]))
        self._toggled = self._table(TOGGLED.reshape(-1).astype(np.int64))
        self._outcome = self._table(_OUTCOME)
        self._look = self._table(LOOK.astype(np.int32))
        self._columns = torch.arange(VIEW, dtype=torch.int32, device=self.device)
        # In the image the farthest row comes first.
        offsets = view_offsets(stride).view(np.int64).reshape(4, VIEW, VIEW)[:, ::-1]
        self._offsets = self._table(offsets.reshape(4, VIEW * VIEW))
        light = (EVERYTHING if level.see_through else LIGHT).reshape(-1).astype(np.int64)
        self._onward = self._table(light >> VIEW << VIEW)
        self._shown = self._table((light[:, None] >> np.arange(VIEW) & 1).astype(np.int32))

    @staticmethod
    def know(level: Level) -> bool:
        """Whether what a level adds to the rules is written here."""
        return level.family.prepare in _PREPARED and level.family.judge in _JUDGED

    def _table(self, values: np.ndarray[Any, Any]) -> Tensor:
        return torch.tensor(np.ascontiguousarray(values), device=self.device)

    def step(self, state: TorchState, actions: Tensor) -> TorchStep:
        """One action in each world.

        Args:
            state: The state, on the device of the rules.
            actions: ``(N,)`` of any integer dtype, 0 to 6. Any other does nothing but pass time (in
                Dynamic-Obstacles what is no step is a turn): to refuse it would be to wait for the device.
        """
        if self.level.family.prepare is move_obstacles:
            state, actions = self._move_obstacles(state, actions)
        position, direction, carried, steps = state.agent.unbind(1)
        if self.level.family.prepare is toggle_instead_of_taking:
            actions = torch.where(actions == TAKE, actions + (TOGGLE - TAKE), actions)
        ahead = position + self._heading[direction]
        cell = state.cells.gather(1, ahead[:, None])[:, 0].long()

        forward = actions == FORWARD
        take = (actions == TAKE) & self._pick_up[cell] & (carried == 0)
        drop = (actions == DROP) & (cell == EMPTY) & (carried != 0)
        toggled = self._toggled[cell * SIZE + carried]
        left = torch.where(drop, carried, torch.where(actions == TOGGLE, toggled, cell)).masked_fill(take, EMPTY)
        agent = (
            torch.where(forward & self._enter[cell], ahead, position),
            (direction + (actions == RIGHT).long() - (actions == LEFT).long()) & 3,
            torch.where(take, cell, carried.masked_fill(drop, 0)),
            steps + 1,
        )
        cells = state.cells.scatter(1, ahead[:, None], left[:, None].to(torch.uint8))
        after = TorchState(cells, torch.stack(agent, 1), state.task)

        outcome = self._judge(after, actions, ahead, carried, self._outcome[cell] * forward)
        success = outcome == SUCCESS
        pay = 1.0 - 0.9 * (agent[3].to(self._float) / self._limit)
        reward = torch.where(success, pay, torch.zeros_like(pay)).masked_fill(outcome == CRASH, -1.0)
        return TorchStep(after, reward, outcome != PLAYING, agent[3] >= self.max_steps, success)

    def _move_obstacles(self, state: TorchState, actions: Tensor) -> tuple[TorchState, Tensor]:
        """Moves each obstacle to a free cell around it, as if by tries. The actions are then turns or steps."""
        actions = actions.masked_fill(actions > FORWARD, LEFT)
        cells, (position, direction, _, _), task = state.cells, state.agent.unbind(1), list(state.task.unbind(1))
        ahead = cells.gather(1, (position + self._heading[direction])[:, None])[:, 0].long()
        task[0] = ((actions == FORWARD) & self._bump[ahead]).long()
        for k in range(1, len(task)):
            old = task[k]
            places = old[:, None] + self._around
            free = (cells.gather(1, places) == EMPTY) & (places != position[:, None])
            drawn = torch.rand((len(old), 10), generator=self.generator, device=self.device)
            chosen = drawn[:, :9].masked_fill(~free, -1.0).argmax(1, keepdim=True)
            moves = drawn[:, 9] >= (1 - free.sum(1) / 9) ** _TRIES  # else none of the tries hits a free cell
            task[k] = torch.where(moves, places.gather(1, chosen)[:, 0], old)
            cells = cells.scatter(1, old[:, None], EMPTY).scatter(1, task[k][:, None], _OBSTACLE)
        return TorchState(cells, state.agent, torch.stack(task, 1)), actions

    def _judge(self, after: TorchState, actions: Tensor, ahead: Tensor, carried: Tensor, outcome: Tensor) -> Tensor:
        """What an action comes to in this level. ``carried`` is what the agent carried before it."""
        judge, task = self.level.family.judge, after.task
        here, holds = after.agent[:, 0], after.agent[:, 2]
        if judge is judge_open:
            outcome = outcome.masked_fill((actions == TOGGLE) & self._stands_open(after, 0), SUCCESS)
        elif judge is judge_pick_up:
            outcome = outcome.masked_fill((actions == TAKE) & (holds == task[:, 0]), SUCCESS)
        elif judge is judge_red_blue:
            red, blue = self._stands_open(after, 0), self._stands_open(after, 1)
            toggle = actions == TOGGLE
            red_was, blue_was = red ^ (toggle & (ahead == task[:, 0])), blue ^ (toggle & (ahead == task[:, 1]))
            outcome = outcome.masked_fill(blue & red_was, SUCCESS)
            outcome = outcome.masked_fill((blue & ~red_was) | (~blue & red & blue_was), FAILURE)
        elif judge is judge_memory:
            outcome = outcome.masked_fill(here == task[:, 1], FAILURE).masked_fill(here == task[:, 0], SUCCESS)
        elif judge is judge_fetch:
            some = holds != 0
            outcome = outcome.masked_fill(some, FAILURE).masked_fill(some & (holds == task[:, 0]), SUCCESS)
        elif judge is judge_go_to:
            apart = (here - task[:, 0]).abs()
            done, beside = actions == DONE, (apart == 1) | (apart == self.stride)
            outcome = outcome.masked_fill(done | (actions == TOGGLE), FAILURE).masked_fill(done & beside, SUCCESS)
        elif judge is judge_put_near:
            tries = (actions == DROP) & (carried != 0)
            wrong = (actions == TAKE) & (holds != 0) & (holds != task[:, 0])
            placed = tries & (holds == 0) & self._near(ahead, task[:, 1])
            outcome = outcome.masked_fill(wrong | tries, FAILURE).masked_fill(placed, SUCCESS)
        elif judge is judge_crash:
            outcome = outcome.masked_fill(task[:, 0] != 0, CRASH)
        return outcome

    def _stands_open(self, state: TorchState, note: int) -> Tensor:
        """Whether the cell whose index the task notes is an open door."""
        return self._is_open[state.cells.gather(1, state.task[:, note, None])[:, 0].long()]

    def _near(self, place: Tensor, other: Tensor) -> Tensor:
        columns = (place % self.stride - other % self.stride).abs()
        rows = (place // self.stride - other // self.stride).abs()
        return (columns <= 1) & (rows <= 1)

    def observe(self, state: TorchState) -> Tensor:
        """What the agents see, ``(N, 7, 7, 3)`` uint8: column, row, (object, colour, state)."""
        position, direction, carried, _ = state.agent.unbind(1)
        cells = state.cells.gather(1, position[:, None] + self._offsets[direction])
        look = self._look.index_select(0, cells.reshape(-1).int()).reshape(-1, VIEW, VIEW)  # world, row, column
        clear = (look >> 24 << self._columns).sum(2)
        light = clear[:, -1] + (1 << _MIDDLE << VIEW)
        rows = [light]
        for row in range(VIEW - 2, -1, -1):
            light = self._onward[light] + clear[:, row]
            rows.insert(0, light)
        look[:, -1, _MIDDLE] = self._look[carried.masked_fill(carried == 0, EMPTY)]
        shown = self._shown.index_select(0, torch.stack(rows, 1).reshape(-1)).reshape_as(look)
        seen = (look * shown).transpose(1, 2).contiguous()
        return torch.stack([(seen >> shift & 255).to(torch.uint8) for shift in (0, 8, 16)], 3)
