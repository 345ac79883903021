"""A rollout as a learner's network sees it: masked steps are gone, and minibatches are whole where memory needs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor

from potentia.agents.networks import PolicyNetwork, Sequences
from potentia.collect import ACTOR_CARRY, rollout_tensors
from potentia.rollout import Rollout
from potentia.trees import Tree, leaves, map_tree


def float_rollout(rollout: Rollout, device: torch.device) -> Rollout:
    """What a learner reads of a rollout, as tensors on ``device`` in single precision."""
    info = {name: rollout.info[name] for name in (ACTOR_CARRY,) if name in rollout.info}
    moved = rollout_tensors(
        Rollout(
            obs=rollout.obs,
            action=rollout.action,
            next_obs=rollout.next_obs,
            terms=rollout.terms,
            discount=rollout.discount,
            terminated=rollout.terminated,
            truncated=rollout.truncated,
            mask=rollout.mask,
            info=info,
        ),
        device,
    )
    terms = {name: term.float() for name, term in moved.terms.items()}
    return Rollout(
        moved.obs, moved.action, moved.next_obs, terms, moved.discount.float(), moved.terminated, moved.truncated,
        moved.mask, moved.info,
    )  # fmt: skip


class Batch(ABC):
    """What PPO learns from: n rows, one for each transition, in the order of time, then of environments.

    Attributes:
        network: What has seen them.
        rollout: The experience, as tensors on the network's device.
        size: n.
        weight: How much each row counts, ``(n,)``. None means that all count alike.
    """

    network: PolicyNetwork
    rollout: Rollout
    size: int
    weight: Tensor | None = None

    @abstractmethod
    def rows(self, tree: Tree) -> Any:
        """The rows of a tree of ``(T, B, ...)``: a tree of ``(n, ...)``."""

    @abstractmethod
    def matrix(self, rows: Tensor) -> Tensor:
        """Rows ``(n, ...)`` put back into ``(T, B, ...)``, with zeros between them."""

    @abstractmethod
    def old(self) -> tuple[Tensor, Tensor]:
        """``log pi(action)`` ``(n,)`` and values ``(n, heads)``, by the parameters that acted."""

    @abstractmethod
    def next_values(self, values: Tensor) -> Tensor:
        """V(next_obs), ``(T, B, heads)``, where V(obs) is ``values``."""

    @abstractmethod
    def minibatches(self, count: int, generator: torch.Generator) -> Iterator[Tensor]:
        """``count`` parts, at random, of all there is."""

    @abstractmethod
    def pieces(self, part: Tensor) -> Iterator[tuple[tuple[Any, ...], Tensor, Tensor | None]]:
        """A part as one or several triples, whose gradients add up to the part's.

        They are the arguments of the network's ``evaluate``, the numbers of the rows, and the rows' shares of the part
        (None if all count alike).
        """


class FlatBatch(Batch):
    """Single transitions, for a network without memory. Masked ones are no rows.

    Args:
        network: The network.
        rollout: Experience as tensors.
    """

    def __init__(self, network: PolicyNetwork, rollout: Rollout) -> None:
        self.network, self.rollout = network, rollout
        self.keep = rollout.mask.flatten().nonzero().squeeze(1)
        self.size = int(self.keep.shape[0])
        self.action = self.rows(rollout.action)
        self.seen = network.read(self.rows(rollout.obs)) if self.size else ()

    def rows(self, tree: Tree) -> Any:
        """The rows of a tree of ``(T, B, ...)``: a tree of ``(n, ...)``."""
        return map_tree(lambda leaf: leaf.flatten(0, 1).index_select(0, self.keep), tree)

    def matrix(self, rows: Tensor) -> Tensor:
        """Rows ``(n, ...)`` put back into ``(T, B, ...)``, with zeros between them."""
        shape = self.rollout.mask.shape
        flat = torch.zeros(shape[0] * shape[1], *rows.shape[1:], dtype=rows.dtype, device=rows.device)
        matrix: Tensor = flat.index_copy(0, self.keep, rows).unflatten(0, shape)
        return matrix

    def old(self) -> tuple[Tensor, Tensor]:
        """``log pi(action)`` ``(n,)`` and values ``(n, heads)``, by the parameters that acted."""
        log_prob, _, values = self.network.evaluate(self.seen, self.action)
        return log_prob, values

    def minibatches(self, count: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Rows. Each row is in one of the parts."""
        order = torch.randperm(self.size, generator=generator, device=self.keep.device)
        yield from order.tensor_split(min(count, self.size))

    def pieces(self, part: Tensor) -> Iterator[tuple[tuple[Any, ...], Tensor, Tensor | None]]:
        """The whole part at once."""
        seen, action = (map_tree(lambda leaf: leaf.index_select(0, part), tree) for tree in (self.seen, self.action))
        yield (seen, action), part, None

    def next_values(self, values: Tensor) -> Tensor:
        """V(obs) one step later, or a forward pass where that is another state."""
        unknown = _unknown(self.rollout)
        obs = map_tree(lambda leaf: leaf[unknown], self.rollout.next_obs)
        return _fill(values, unknown, self.after(obs, unknown))

    def after(self, next_obs: Tree, where: Tensor) -> Tensor:
        """The values of observations that follow the steps ``where``, ``(T, B)`` bool."""
        del where
        seen = self.network.read(next_obs)
        features, _ = self.network.features(seen)
        return self.network.values(features, seen)


class SequenceBatch(FlatBatch):
    """Whole columns of a rollout, for a network with memory. Rows are numbered as in `FlatBatch`.

    Raises:
        ValueError: If the rollout does not say with which memory its first step was acted on.
    """

    def __init__(self, network: PolicyNetwork, rollout: Rollout) -> None:
        if ACTOR_CARRY not in rollout.info:
            raise ValueError(
                f"a recurrent agent needs the column info[{ACTOR_CARRY!r}], got {sorted(rollout.info) or 'none'}; "
                "make the rollout with potentia.collect.collect"
            )
        super().__init__(network, rollout)
        self.number = torch.cumsum(rollout.mask.flatten(), 0).unflatten(0, rollout.mask.shape) - 1
        ended = rollout.done | ~rollout.mask
        start = torch.cat([torch.zeros_like(ended[:1]), ended[:-1]])
        if self.size:
            obs = map_tree(self._filled, rollout.obs)
            self.columns = Sequences(obs, rollout.info[ACTOR_CARRY][0], start, rollout.mask)
        self._memory: Any = None

    def _filled(self, leaf: Tensor) -> Tensor:
        """Observations with those behind the mask replaced, as a network with memory runs over them."""
        valid = leaf.flatten(0, 1)[self.keep[0]]
        mask = self.rollout.mask
        return torch.where(mask.reshape(*mask.shape, *(1,) * (leaf.ndim - 2)), leaf, valid)

    def old(self) -> tuple[Tensor, Tensor]:
        """``log pi(action)`` ``(n,)`` and values ``(n, heads)``, by the parameters that acted."""
        features, self._memory = self.network.features(self.columns)
        log_prob, _, values = self.network.evaluate_at(features, self.columns, self.action)
        return log_prob, values

    def minibatches(self, count: int, generator: torch.Generator) -> Iterator[Tensor]:
        """Columns. Each column is in one of the parts."""
        columns = self.rollout.mask.any(0).nonzero().squeeze(1)
        order = columns[torch.randperm(len(columns), generator=generator, device=columns.device)]
        yield from order.tensor_split(min(count, len(columns)))

    def pieces(self, part: Tensor) -> Iterator[tuple[tuple[Any, ...], Tensor, Tensor | None]]:
        """The columns' unmasked steps, all at once."""
        obs, carry, start, live = self.columns
        seen = Sequences(
            map_tree(lambda leaf: leaf.index_select(1, part), obs),
            carry.index_select(0, part),
            start.index_select(1, part),
            live.index_select(1, part),
        )
        rows = self.number.index_select(1, part)[seen.live]
        yield (seen, map_tree(lambda leaf: leaf.index_select(0, rows), self.action)), rows, None

    def after(self, next_obs: Tree, where: Tensor) -> Tensor:
        """One more step of the memory that `old` left."""
        features, _ = self.network.features(next_obs, self._memory[where])
        return self.network.values(features, next_obs)


def _unknown(rollout: Rollout) -> Tensor:
    """``(T, B)`` bool: unmasked steps whose ``next_obs`` is not what the next step acts on."""
    apart = torch.ones_like(rollout.mask)
    changed = rollout.done[:-1] | ~rollout.mask[1:]
    for (_, before), (_, following) in zip(leaves(rollout.next_obs), leaves(rollout.obs), strict=True):
        changed = changed | (before[:-1] != following[1:]).reshape(*changed.shape, -1).any(-1)
    apart[:-1] = changed
    unknown: Tensor = apart & rollout.mask
    return unknown


def _fill(values: Tensor, where: Tensor, rows: Tensor) -> Tensor:
    shifted = torch.cat([values[1:], torch.zeros_like(values[:1])])
    shifted[where] = rows
    return shifted
