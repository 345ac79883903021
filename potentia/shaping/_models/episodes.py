"""The episodes of a rollout side by side, for shapers that judge each as a whole."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from potentia.arrays import host_array
from potentia.rollout import Rollout


@dataclass(frozen=True)
class Episodes:
    """N episodes in rows, filled up to the length L of the longest: an episode's unmasked steps in the order of time.

    Attributes:
        steps: ``(N, L)``: the step t of each.
        envs: ``(N,)``: the column b of each.
        mask: ``(N, L)``: False where a row is filled up.
        ended: ``(N,)``: whether it ended in the rollout. The last of a column may go on after it.
        shape: ``(T, B)`` of the rollout.
    """

    steps: Tensor
    envs: Tensor
    mask: Tensor
    ended: Tensor
    shape: tuple[int, int]

    @classmethod
    def of(cls, rollout: Rollout, device: torch.device | str = "cpu") -> Episodes:
        """The episodes of a rollout, column by column.

        >>> no = np.zeros((3, 1), bool)
        >>> rollout = Rollout(
        ...     obs=no, action=no, next_obs=no, terms={"env": np.arange(3.0)[:, None]}, discount=np.ones((3, 1)),
        ...     terminated=np.array([[True], [False], [False]]), truncated=no)
        >>> found = Episodes.of(rollout)
        >>> found.take(torch.arange(3.0)[:, None]).tolist(), found.ended.tolist()
        ([[0.0, 0.0], [1.0, 2.0]], [True, False])
        """
        mask, done = host_array(rollout.mask), host_array(rollout.done)
        envs, steps = np.nonzero(mask.T)  # column by column, in the order of time
        ends = done[steps, envs]
        new = np.ones(len(steps), bool)
        new[1:] = ends[:-1] | (envs[1:] != envs[:-1])
        number, starts = np.cumsum(new) - 1, np.flatnonzero(new)
        lengths = np.diff(np.append(starts, len(steps)))
        place = np.arange(len(steps)) - starts[number]
        table = np.zeros((len(starts), int(lengths.max(initial=0))), np.int64)
        table[number, place] = steps
        return cls(
            steps=torch.as_tensor(table, device=device),
            envs=torch.as_tensor(envs[starts], device=device),
            mask=torch.as_tensor(np.arange(table.shape[1]) < lengths[:, None], device=device),
            ended=torch.as_tensor(ends[starts + lengths - 1], device=device),
            shape=(rollout.num_steps, rollout.num_envs),
        )

    def __len__(self) -> int:
        return len(self.envs)

    def take(self, column: Tensor) -> Tensor:
        """A column ``(T, B, ...)`` by episode, ``(N, L, ...)``. Where a row is filled up it means nothing."""
        return column[self.steps, self.envs[:, None]]

    def rows(self, index: Tensor) -> Episodes:
        """Some of the episodes."""
        parts = {name: getattr(self, name)[index] for name in ("steps", "envs", "mask", "ended")}
        return replace(self, **parts)

    def put(self, values: Tensor) -> Tensor:
        """Values ``(N, L)`` back as a column ``(T, B)``, 0 where no episode has a step."""
        column = values.new_zeros(self.shape)
        column[self.steps[self.mask], self.envs[:, None].expand_as(self.steps)[self.mask]] = values[self.mask]
        return column
