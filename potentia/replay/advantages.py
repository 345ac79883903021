"""Advantages from episodes alone: what a step brought beyond what its state brings on average."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Steps:
    """The N steps of some episodes, one episode after the other.

    Attributes:
        state: The number of the state in which each begins, ``(N,)``, below S.
        next_state: That of the state to which it leads, ``(N,)``. It is -1 if no step begins there.
        last: Whether each is the last of its episode, ``(N,)``.
        kept: Where each stands among all steps of the episodes, ``(N,)``.
    """

    state: Ints
    next_state: Ints
    last: NDArray[np.bool_]
    kept: Ints

    @classmethod
    def of(cls, keys: Ints, next_keys: Ints, last: NDArray[np.bool_], terminated: NDArray[np.bool_]) -> Steps:
        """Tells states apart by their keys.

        Where an episode is cut off, what would have come is taken from the other visits of the state that it was in. If
        there are none, its last steps are left out, back to a state that a kept step begins in.

        Args:
            keys: ``(N,)``, as are the others.
            next_keys: Those of the next states.
            last: Whether a step is the last of its episode.
            terminated: Whether the episode truly ended with it.
        """
        kept = np.arange(len(keys))
        last = last.copy()
        while True:
            known = np.isin(next_keys[kept], keys[kept])
            lost = last[kept] & ~terminated[kept] & ~known
            if not lost.any():
                break
            for step in kept[lost].tolist():
                if step > 0 and not last[step - 1]:
                    last[step - 1] = True
            kept = kept[~lost]
        names, state = np.unique(keys[kept], return_inverse=True)
        place = np.searchsorted(names, next_keys[kept])
        found = np.isin(next_keys[kept], names)
        return cls(state.astype(np.int64), np.where(found, place, -1).astype(np.int64), last[kept], kept)

    @property
    def num_states(self) -> int:
        """S."""
        return int(self.state.max(initial=-1)) + 1

    def advantages(self, reward: Sequence[float] | Floats, discount: Sequence[float] | Floats) -> Floats:
        """``A = r + discount V(s') - V(s)``, V(s) the mean return-to-go over the visits of s, ``(N,)``.

        The return of an episode that is cut off goes on with the V of the state that it was in.

        A state potential changes V by exactly the potential, and no advantage: V' = V - phi.

        Args:
            reward: Of all steps, kept or not.
            discount: What the value of the next state is multiplied by, likewise. It is 0 where an episode terminates.

        Raises:
            ValueError: If a V does not exist: nothing ever ends from a state, at a discount of 1.

        >>> every = np.array([0, 1, 0, 2])  # two episodes from state 0: by state 1 to a reward of 1, by state 2 to none
        >>> steps = Steps.of(every, np.array([1, 9, 2, 9]), np.array([False, True] * 2), np.array([False, True] * 2))
        >>> steps.advantages([0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]).tolist()  # V = 1/4, 1, 0
        [0.25, 0.0, -0.25, 0.0]
        """
        gain, onward = (np.asarray(column, np.float64)[self.kept] for column in (reward, discount))
        values = self._values(gain, onward)
        following = np.where(self.next_state >= 0, values[self.next_state], 0.0)
        return np.asarray(gain + onward * following - values[self.state])

    def _values(self, gain: Floats, onward: Floats) -> Floats:
        """Each return is ``own + weight * V(end)``, in which V(end) is known once all V of such ends are."""
        own, weight, end = np.zeros(len(gain)), np.zeros(len(gain)), np.zeros(len(gain), np.int64)
        for t in range(len(gain) - 1, -1, -1):
            if self.last[t]:
                open_end = onward[t] != 0 and self.next_state[t] >= 0
                own[t], weight[t], end[t] = gain[t], onward[t] if open_end else 0.0, max(self.next_state[t], 0)
            else:
                own[t], weight[t], end[t] = gain[t] + onward[t] * own[t + 1], onward[t] * weight[t + 1], end[t + 1]
        visits = np.bincount(self.state, minlength=self.num_states)
        mean = np.bincount(self.state, own, self.num_states) / visits
        ends = np.unique(end[weight != 0])
        if not len(ends):
            return np.asarray(mean)
        pull = np.zeros((self.num_states, len(ends)))
        open_steps = np.flatnonzero(weight != 0)
        np.add.at(pull, (self.state[open_steps], np.searchsorted(ends, end[open_steps])), weight[open_steps])
        pull /= visits[:, None]
        system = np.eye(len(ends)) - pull[ends]
        if np.linalg.matrix_rank(system) < len(ends):
            raise ValueError(
                "at a discount of 1 the value of a state that no episode ever ends from does not exist; play more "
                "episodes, or audit a run whose gamma is below 1"
            )
        return np.asarray(mean + pull @ np.linalg.solve(system, mean[ends]))
