"""A world together with what a shaper remembers: what is a history for the one is a state for both."""

from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.arrays import host_array
from potentia.audit.solving import Problem
from potentia.audit.transitions import Transitions
from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Shaper
from potentia.trees import leaves, map_tree


@dataclass(frozen=True, eq=False)
class Shaped:
    """The world's transitions as the learner sees them, a copy for each memory with which the shaper can meet them.

    Attributes:
        problem: Transitions between nodes, which are pairs of a state and a memory.
        state: The state of each node, ``(M,)``.
        origin: Which of the world's transitions each is, ``(N,)``.
        added: What the shaper adds to the reward, ``(N,)``.
        discount: The discount as the shaper leaves it, ``(N,)``.
        start: The distribution of the first node, ``(M,)``.
    """

    problem: Problem
    state: NDArray[np.int64]
    origin: NDArray[np.int64]
    added: NDArray[np.float64]
    discount: NDArray[np.float64]
    start: NDArray[np.float64]


def shaped_problem(world: Transitions, shaper: Shaper, gamma: float, max_nodes: int) -> Shaped:
    """Shapes every transition with every memory that can be had when it begins.

    Raises:
        ValueError: If there are more than ``max_nodes`` pairs, as for a memory that grows without end.
    """
    discount = gamma * world.rollout.discount
    rollout = Rollout(**{**world.rollout.__dict__, "discount": discount}) if gamma != 1 else world.rollout
    fresh = shaper.init(1)
    if not any(True for _ in leaves(fresh)):
        return _without_memory(world, shaper, rollout)
    return _Walk(world, shaper, rollout, fresh, max_nodes).walked()


def _terms(shaper: Shaper, rollout: Rollout, carry: Carry) -> tuple[Any, Any, Carry]:
    shaped, after = shaper.shape(rollout, carry)
    added = sum((host_array(shaped.terms[name])[0] for name in shaper.term_names), np.zeros(rollout.num_envs))
    return np.asarray(added, np.float64), np.asarray(host_array(shaped.discount)[0], np.float64), after


def _without_memory(world: Transitions, shaper: Shaper, rollout: Rollout) -> Shaped:
    added, discount, _ = _terms(shaper, rollout, shaper.init(rollout.num_envs))
    size = world.num_states
    problem = Problem(world.state, world.action, world.next_state, world.probability, size, world.num_actions)
    return Shaped(problem, np.arange(size), np.arange(len(world.state)), added, discount, world.start)


class _Walk:
    """Finds the pairs of state and memory, a layer of new ones at a time."""

    def __init__(self, world: Transitions, shaper: Shaper, rollout: Rollout, fresh: Carry, max_nodes: int) -> None:
        self.world, self.shaper, self.rollout, self.max_nodes = world, shaper, rollout, max_nodes
        self.number: dict[tuple[int, bytes], int] = {}
        self.state: list[int] = []
        self.memory: list[Carry] = []
        first = _rows(fresh, 1)[0]
        for state in np.flatnonzero(world.start > 0).tolist():
            self._node(state, first)
        self.starts = len(self.state)
        self.offset = np.searchsorted(world.state, np.arange(world.num_states + 1))

    def _node(self, state: int, memory: Carry) -> int:
        key = (state, _key(memory))
        found = self.number.get(key)
        if found is None:
            if len(self.state) == self.max_nodes:
                raise ValueError(
                    f"{self.shaper.name} can be in more than {self.max_nodes} pairs of state and memory here: its "
                    "memory grows without end, or the world is large; give a larger max_nodes, or one without memory"
                )
            found = self.number[key] = len(self.state)
            self.state.append(state)
            self.memory.append(memory)
        return found

    def walked(self) -> Shaped:
        parts: list[tuple[Any, ...]] = []
        done = 0
        while done < len(self.state):
            nodes = np.arange(done, len(self.state))
            done = len(self.state)
            begin, end = (self.offset[np.array(self.state)[nodes] + k] for k in (0, 1))
            node = np.repeat(nodes, end - begin)
            origin = np.concatenate([np.arange(a, b) for a, b in zip(begin, end, strict=True)]).astype(np.int64)
            if not len(origin):
                continue
            carry = _together([self.memory[n] for n in node.tolist()])
            added, discount, after = _terms(self.shaper, self.rollout[:, origin], carry)
            ends = self.world.terminated[origin]
            rows = _rows(after, len(origin))
            following = [
                0 if over else self._node(state, row)
                for over, state, row in zip(ends.tolist(), self.world.next_state[origin].tolist(), rows, strict=True)
            ]
            parts.append((node, origin, np.array(following, np.int64), added, discount))
        node, origin, after, added, discount = (np.concatenate(column) for column in zip(*parts, strict=True))
        world, size = self.world, len(self.state)
        start = np.zeros(size)
        start[: self.starts] = world.start[self.state[: self.starts]]
        problem = Problem(node, world.action[origin], after, world.probability[origin], size, world.num_actions)
        return Shaped(problem, np.array(self.state), origin, added, discount, start)


def _rows(carry: Carry, size: int) -> list[Carry]:
    """The memory of each environment alone, with the axis of environments, as copies."""

    def row(leaf: Any, b: int) -> Any:
        return [leaf[b]] if isinstance(leaf, list) else np.array(host_array(leaf)[b : b + 1])

    return [map_tree(lambda leaf, b=b: row(leaf, b), carry) for b in range(size)]


def _key(memory: Carry) -> bytes:
    """Equal for equal memories. Zeros by which an array has grown along its second axis mean nothing."""
    plain: list[Any] = []
    for _, leaf in leaves(memory):
        if isinstance(leaf, list):
            plain.append(leaf)
            continue
        rows = leaf[0] if leaf.ndim > 1 else leaf
        used = np.flatnonzero(rows.reshape(len(rows), -1).any(axis=1))
        plain.append(rows[: used[-1] + 1 if len(used) else 0].tobytes())
    return pickle.dumps(plain)


def _together(memories: list[Carry]) -> Carry:
    """The memories of many environments as one carry. Shorter rows are filled up with zeros, which mean nothing."""

    def join(*parts: Any) -> Any:
        if isinstance(parts[0], list):
            return [entry for part in parts for entry in part]
        shape = np.max([part.shape[1:] for part in parts], axis=0).astype(int) if parts[0].ndim > 1 else ()
        joined = np.zeros((len(parts), *shape), parts[0].dtype)
        for b, part in enumerate(parts):
            place: Any = (b, *(slice(0, width) for width in part.shape[1:]))
            joined[place] = part[0]
        return joined

    return map_tree(join, *memories)
