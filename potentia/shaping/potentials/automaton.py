"""A finite automaton that follows an episode, and the potential of its states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping.potentials.guards import columns_of, values_of
from potentia.shaping.shaper import Carry, Contract, Shaper

_MOST_ATOMS = 12


@dataclass(frozen=True, eq=False)
class Automaton:
    """States, and where each letter leads. A letter says which of k atoms hold: bit i is the i-th atom.

    Attributes:
        names: The name of each state, Q of them.
        atoms: The atoms, k of them.
        following: The next state, ``(Q, 2 ** k)``.
        start: The number of the first state.
        accepting: Whether a state is a goal, ``(Q,)``.
        dead: Whether no goal can be reached from a state, ``(Q,)``.
    """

    names: tuple[str, ...]
    atoms: tuple[str, ...]
    following: NDArray[np.int64]
    start: int
    accepting: NDArray[np.bool_]
    dead: NDArray[np.bool_]

    @property
    def distance(self) -> NDArray[np.float64]:
        """The fewest steps from each state to an accepting one, ``(Q,)``, infinite where there is no way."""
        found = np.where(self.accepting, 0.0, np.inf)
        for _ in range(len(self.names)):
            found = np.minimum(found, 1.0 + found[self.following].min(axis=1))
        return np.where(self.accepting, 0.0, found)


def check_atoms(atoms: Sequence[str]) -> None:
    """Raises ``ValueError`` if there are too many for a table."""
    if len(atoms) > _MOST_ATOMS:
        raise ValueError(f"at most {_MOST_ATOMS} events and conditions fit into one automaton, got {len(atoms)}")


class AutomatonShaping(Shaper):
    """``discount * potential(q') - potential(q)``, q the state of an automaton that reads the episode's events.

    The automaton is in its start state when an episode begins. The potential of whatever state an episode ends in
    counts as 0, at truncations too: the learner's values do not know the automaton's state, so nothing may be kept.

    Args:
        automaton: The automaton.
        potential: The potential of each of its states, ``(Q,)``.
        events: Which names of its atoms are events of ``info["subgoals"]``. All others are info columns.
        name: The term's name.
    """

    def __init__(
        self, automaton: Automaton, potential: NDArray[Any], events: Sequence[str], *, name: str | None = None
    ) -> None:
        super().__init__(name)
        self.automaton, self.potential = automaton, np.asarray(potential, np.float64)
        self.events = frozenset(events)
        reads = {f"info:{column}" for column in columns_of(list(automaton.atoms), self.events)}
        self.contract: Contract = Contract(
            guarantee="policy_invariant",
            basis="history",
            reads=frozenset(reads | {"discount", "terminated", "truncated"}),
            scope="episode",
        )

    def init(self, num_envs: int) -> Carry:
        """The automaton's state in each environment, less its start state, so that 0 is the beginning, ``(B,)``."""
        return np.zeros(num_envs, np.int64)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        size, start = len(self.automaton.names), self.automaton.start
        held = self.init(rollout.num_envs) if isinstance(carry, tuple) else host_array(carry)
        state = (held + start) % size
        letter, mask, done = self._letters(rollout), host_array(rollout.mask), host_array(rollout.done)
        left, entered = (np.zeros(letter.shape, np.int64) for _ in range(2))
        for t in range(len(letter)):
            left[t] = state
            entered[t] = np.where(mask[t], self.automaton.following[state, letter[t]], state)
            state = np.where(mask[t] & done[t], start, entered[t])
        ahead = np.where(done, 0.0, host_array(rollout.discount) * self.potential[entered])
        term = like_column(ahead - self.potential[left], rollout.discount)
        return rollout.add(self.name, term), (state - start) % size

    def _letters(self, rollout: Rollout) -> NDArray[Any]:
        letter = np.zeros(tuple(rollout.discount.shape), np.int64)
        for bit, atom in enumerate(self.automaton.atoms):
            letter |= values_of(atom, rollout, self.events, self.name).astype(np.int64) << bit
        return letter


def assignments(atoms: Sequence[str]) -> dict[str, NDArray[np.bool_]]:
    """What each atom is in each letter, ``(2 ** k,)``."""
    letters = np.arange(2 ** len(atoms))
    return {atom: (letters >> bit & 1) > 0 for bit, atom in enumerate(atoms)}
