"""Novelty search as a reward: how far the behaviour of an episode is from those of earlier ones."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from potentia.arrays import host_array, like_column
from potentia.envs.text.vectors import KeptVectors
from potentia.limits import check_at_least
from potentia.rollout import Array, Rollout
from potentia.shaping._models.keys import state_keys
from potentia.shaping._models.nearest import nearest_of
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree, leaves, map_tree

Descriptor = Callable[[Tree], Array] | str | None
"""A function of observations, the name of an info column, or None, all of the observation."""

Rows = np.ndarray[Any, Any]


class NoveltyBonus(Shaper):
    """``mean over the k nearest a in the archive of |d - a|``, where an episode ends: d describes its behaviour.

    Lehman and Stanley 2011, "Abandoning objectives: evolution through the search for novelty alone", Evolutionary
    Computation 19(2), whose k is 15. There it selects policies. Here it is a term for any learner. An episode is scored
    by the archive as it was before, and enters it in `update`. While the archive has fewer than k entries, the mean is
    over those. It is 0 while there are none. The term can change what is optimal.

    d is read where the episode ends: from ``next_obs``, or from an info column that describes that state. Numbers are
    taken as they are, truth values as 0 and 1. A text becomes its hashed words
    (`potentia.envs.text.hashed_words`), a vector of length 1, so that texts without a common word are 2 ** 0.5 apart.
    Distances are Euclidean, so numbers on unlike scales need a function that scales them.

    The archive is on the host and holds at most ``4 * capacity * size of d`` bytes: 80 kB for 10,000 positions, 2.6 MB
    for as many texts. More than k episodes of the same behaviour are k entries, which changes no mean. Once the archive
    is full, the behaviours whose hash is least stay: a sample of all of them that does not depend on their order (the
    k-minimum-values sketch of Bar-Yossef et al. 2002).

    Args:
        descriptor: Where d comes from. A name of an info column: ``"descriptor"`` where a world has one, or
            ``"caption"`` for grids, texts and pages. A function from observations ``(T, B, ...)`` to ``(T, B)`` or
            ``(T, B, d)``, such as the place of the agent. None takes all of the observation.
        neighbours: k.
        capacity: How many entries the archive holds at most.
        spread: Pay an episode's novelty in equal parts at its steps, not at its end. That needs whole episodes.
        width: How many numbers a text becomes.
        name: The term's name.

    Raises:
        ValueError: If ``neighbours`` is not in 1..``capacity``, or ``width`` is less than 1.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> def ends_at(*places):  # one episode of two steps for each place
    ...     last = np.array([[False], [True]]) & np.ones((2, len(places)), bool)
    ...     obs = np.zeros((2, len(places), 2)) + np.array(places)
    ...     return Rollout(obs=obs, action=obs, next_obs=obs, terms={"env": last * 0.0}, discount=1.0 - last,
    ...                    terminated=last, truncated=last & False)
    >>> bonus = NoveltyBonus(neighbours=2)
    >>> bonus.update(ends_at((0, 0), (0, 1), (5, 5)))
    {'episodes': 3.0}
    >>> bonus.shape(ends_at((3, 4)))[0].terms["NoveltyBonus"].T.round(3).tolist()  # the mean of 18 ** 0.5 and 5 ** 0.5
    [[0.0, 3.239]]
    """

    saved = ("_archive", "_episodes")

    def __init__(
        self,
        descriptor: Descriptor = None,
        *,
        neighbours: int = 15,
        capacity: int = 10_000,
        spread: bool = False,
        width: int = 64,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(1, width=width)
        if not 1 <= neighbours <= capacity:
            raise ValueError(f"neighbours must lie in 1..capacity = {capacity}, got {neighbours}")
        self.descriptor, self.neighbours, self.capacity, self.spread = descriptor, neighbours, capacity, spread
        self._vectors = KeptVectors(width, None)
        self._archive: Rows = np.zeros((0, 0), np.float32)
        self._episodes = 0
        source = f"info:next_{descriptor}" if isinstance(descriptor, str) else "next_obs"
        reads = frozenset({source, "terminated", "truncated"})
        self.contract: Contract = Contract(reads=reads, scope="lifelong", needs_episodes=spread)

    @property
    def archive(self) -> Rows:
        """The descriptors that are kept, ``(A, d)`` float32. Don't change them."""
        return self._archive

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term, mask = np.zeros(tuple(rollout.discount.shape)), host_array(rollout.mask)
        steps, envs = self._ends(rollout)
        if steps.size and len(self._archive):
            found = self._novelty(self._described(rollout, steps, envs))
            if self.spread:
                begins = np.zeros(rollout.num_envs, int)
                for t, b, novelty in zip(steps, envs, found, strict=True):
                    own = mask[begins[b] : t + 1, b]
                    term[begins[b] : t + 1, b] = own * (novelty / own.sum())
                    begins[b] = t + 1
            else:
                term[steps, envs] = found
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Adds the episodes that ended to the archive. Returns how many there were so far."""
        del policy
        steps, envs = self._ends(rollout)
        if steps.size:
            self._keep(self._described(rollout, steps, envs))
        return {"episodes": float(self._episodes)}

    @staticmethod
    def _ends(rollout: Rollout) -> tuple[Rows, Rows]:
        """The steps and environments in which episodes ended, in the order of time."""
        steps, envs = np.nonzero(host_array(rollout.mask & rollout.done))
        return steps, envs

    def _described(self, rollout: Rollout, steps: Rows, envs: Rows) -> Rows:
        """The descriptors of the episodes that ended there, ``(n, d)`` float32.

        Raises:
            ValueError: If a number is not finite, or there are other numbers of them than in the archive.
        """
        if isinstance(self.descriptor, str):
            column = info_column(rollout, f"next_{self.descriptor}", self.name)
        else:
            column = rollout.next_obs
        last = map_tree(lambda leaf: leaf[steps, envs][None], column)
        if callable(self.descriptor):
            last = self.descriptor(last)
        found = np.concatenate([self._numbers(host_array(leaf)) for _, leaf in leaves(last)], axis=1)
        if len(found) != len(steps) or not np.isfinite(found).all():
            raise ValueError(
                f"{self.name} wants finite descriptors, one for each of {len(steps)} episodes that ended, got "
                f"{found.tolist()!s:.200}; mend what the descriptor is read from"
            )
        if self._episodes and found.shape[1] != self._archive.shape[1]:
            raise ValueError(
                f"{self.name} has descriptors of {self._archive.shape[1]} numbers in its archive, got "
                f"{found.shape[1]}; use one shaper for each kind of world"
            )
        return found

    def _numbers(self, leaf: Rows) -> Rows:
        """Of entries ``(1, n, ...)``, the numbers ``(n, ...)``."""
        if leaf.dtype.kind in "OUS":
            texts = [" ".join(map(str, np.ravel(entry))) for entry in leaf[0]]
            return np.stack([self._vectors(text) for text in texts])
        numbers: Rows = leaf[0].reshape(leaf.shape[1], -1).astype(np.float32)
        return numbers

    def _novelty(self, described: Rows) -> Rows:
        squares = nearest_of(torch.from_numpy(described), torch.from_numpy(self._archive), self.neighbours)
        distances = squares.double().sqrt()[:, : len(self._archive)]
        return distances.mean(1).numpy()

    def _keep(self, described: Rows) -> None:
        """The entries of the least hashes stay, up to k of each."""
        entries = np.concatenate([self._archive.reshape(-1, described.shape[1]), described])
        keys = host_array(state_keys(entries[None]))
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        copy = np.arange(len(order)) - np.searchsorted(ordered, ordered)  # how many like it come before
        self._archive = entries[order[copy < self.neighbours][: self.capacity]]
        self._episodes += len(described)
