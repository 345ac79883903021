"""A rollout as `GridPPO` learns from it: every step is a row, masked ones weigh nothing, and nothing waits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from torch import Tensor

from potentia.agents.batches import Batch
from potentia.agents.grid.towers import Towers
from potentia.collect import rollout_tensors
from potentia.rollout import Rollout
from potentia.trees import Tree

ACTOR_SEEN = "actor_seen"
"""The info column of what the network took in when it acted, ``(T, B, ...)``."""
ACTOR_LOG_PROB = "actor_log_prob"
"""The info column of the actions' log-probabilities when they were drawn, ``(T, B)``."""
ACTOR_VALUES = "actor_values"
"""The info column of V(obs) as it was then, ``(T, B, heads)``."""
ACTOR_NEXT_VALUES = "actor_next_values"
"""The info column of V(next_obs) as it was then, ``(T, B, heads)``."""

_KNOWN = (ACTOR_SEEN, ACTOR_LOG_PROB, ACTOR_VALUES, ACTOR_NEXT_VALUES)


class GridBatch(Batch):
    """Every step of a rollout, in the order of time, then of environments. A masked one has weight 0.

    What the network said when it acted is not computed again where the rollout's info has it.

    Args:
        network: The network.
        rollout: Experience.
    """

    network: Towers

    def __init__(self, network: Towers, rollout: Rollout) -> None:
        device = network.device
        info = {name: rollout.info[name] for name in _KNOWN if name in rollout.info}
        # Only what is on the host is asked whether there is anything to learn: an accelerator would be waited for.
        empty = isinstance(rollout.mask, np.ndarray) and not rollout.mask.any()
        self.rollout = rollout_tensors(replace(rollout, info=info), device)
        self.network, self.size = network, 0 if empty else rollout.num_steps * rollout.num_envs
        self.weight: Tensor = self.rollout.mask.float().flatten()
        seen = self.rollout.info[ACTOR_SEEN] if ACTOR_SEEN in info else network.read(self.rollout.obs)
        self.seen, self.action = seen.flatten(0, 1), self.rollout.action.flatten()

    def rows(self, tree: Tree) -> Any:
        """The rows of ``(T, B, ...)``: ``(n, ...)``."""
        return tree.flatten(0, 1)

    def matrix(self, rows: Tensor) -> Tensor:
        """Rows ``(n, ...)`` as ``(T, B, ...)``."""
        matrix: Tensor = rows.unflatten(0, self.rollout.mask.shape)
        return matrix

    def old(self) -> tuple[Tensor, Tensor]:
        """``log pi(action)`` ``(n,)`` and values ``(n, heads)``, by the parameters that acted."""
        info = self.rollout.info
        if ACTOR_LOG_PROB in info and ACTOR_VALUES in info:
            return info[ACTOR_LOG_PROB].flatten(), info[ACTOR_VALUES].flatten(0, 1)
        log_prob, _, values = self.network.evaluate(self.seen, self.action)
        return log_prob, values

    def next_values(self, values: Tensor) -> Tensor:
        """V(next_obs), ``(T, B, heads)``."""
        if ACTOR_NEXT_VALUES in self.rollout.info:
            known: Tensor = self.rollout.info[ACTOR_NEXT_VALUES]
            return known
        return self.matrix(self.network.critic(self.rows(self.network.read(self.rollout.next_obs))))

    def minibatches(self, count: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Rows. Each row is in one of the parts."""
        yield from torch.randperm(self.size, generator=generator, device=self.weight.device).tensor_split(count)

    def pieces(self, part: Tensor) -> Iterator[tuple[tuple[Any, ...], Tensor, Tensor | None]]:
        """As many rows at a time as the caches hold."""
        whole = self.weight.index_select(0, part).sum().clamp(min=1.0)
        for rows in part.split(self.network.rows_at_once):
            inputs = self.seen.index_select(0, rows), self.action.index_select(0, rows)
            yield inputs, rows, self.weight.index_select(0, rows) / whole
