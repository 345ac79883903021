"""Count-based bonuses: over a lifetime and within an episode, exact and hashed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from potentia.arrays import host_array, like_column
from potentia.rollout import Array, Rollout
from potentia.shaping._models.count_table import CountTable
from potentia.shaping._models.keys import Keys, state_keys
from potentia.shaping._models.visits import no_visits, visit
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree

Key = Callable[[Tree], Array] | str | None
"""What tells states apart: a function of observations, the name of an info column, or None, all of the observation."""


class States:
    """What tells the states apart that a shaper counts.

    Args:
        key: As for `Count`.
        hash_bits: As for `Count`.
        seed: As for `Count`.
        reader: The name of the shaper.

    Attributes:
        reads: The columns that it looks at.

    Raises:
        ValueError: If ``hash_bits`` is not in 1..62.
    """

    def __init__(self, key: Key, hash_bits: int | None, seed: int, reader: str) -> None:
        if hash_bits is not None and not 1 <= hash_bits <= 62:
            raise ValueError(f"hash_bits must lie in 1..62, got {hash_bits}")
        self._key, self._hash_bits, self._seed, self._reader = key, hash_bits, seed, reader
        self.reads = frozenset({f"info:next_{key}"} if isinstance(key, str) else {"next_obs"})

    def keys(self, rollout: Rollout) -> Keys:
        """The keys of the states that were arrived in, ``(T * B,)``."""
        if isinstance(self._key, str):
            arrived = info_column(rollout, f"next_{self._key}", self._reader)
        else:
            arrived = rollout.next_obs if self._key is None else self._key(rollout.next_obs)
        return state_keys(arrived, self._hash_bits, self._seed)

    def visit(self, rollout: Rollout, carry: Carry) -> tuple[Any, Carry]:
        """How often each was visited before in its episode, ``(T, B)``, and the visits so far."""
        keys, flags = self.keys(rollout), (rollout.mask, rollout.done)
        mask, done = flags if isinstance(keys, Tensor) else map(host_array, flags)
        return visit(keys, mask, done, carry or no_visits(rollout.num_envs))


class Count(Shaper):
    """``1 / sqrt(n(next_obs) + 1)``: n counts the visits to a state before this rollout, over a lifetime.

    Strehl and Littman 2008 (MBIE-EB), and Bellemare et al. 2016, arXiv 1606.01868. Hashed: Tang et al. 2017, arXiv
    1611.04717. Counts change only in `update`. A rollout is shaped before that, so all its steps are scored by what
    was known before it.

    Args:
        key: What tells states apart: None for all of the observation, the name of an info column of the world (such as
            ``"state_hash"``), or a function from observations ``(T, B, ...)`` to keys ``(T, B, ...)``.
        hash_bits: None counts each distinct key. A number k counts the sign pattern of k random projections of the
            key instead (SimHash, as in Tang et al.). Then similar states share a count, and there are at most 2 ** k.
        capacity: How many states there is room for at first. The table grows when it is full.
        limit: How many states are told apart: at most some 100 MB by default. All that come later share one count, so
            that noise, which never recurs, becomes known like any other state.
        device: Where the counts are. If the rollouts are elsewhere, keys and counts are moved at each call.
        seed: Seeds the projections.
        name: The term's name.

    Raises:
        ValueError: If ``hash_bits`` is not in 1..62, or ``capacity`` or ``limit`` is less than 1.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1]]), action=np.zeros((2, 1)), next_obs=np.array([[1], [1]]),
    ...     terms={"env": np.zeros((2, 1))}, discount=np.ones((2, 1)),
    ...     terminated=np.zeros((2, 1), bool), truncated=np.zeros((2, 1), bool))
    >>> count = Count()
    >>> count.shape(rollout)[0].terms["Count"][:, 0].tolist()
    [1.0, 1.0]
    >>> count.update(rollout)
    {'states': 1.0}
    >>> count.shape(rollout)[0].terms["Count"][:, 0].round(3).tolist()  # state 1 was visited twice: 1 / sqrt(3)
    [0.577, 0.577]
    """

    saved = ("table",)

    def __init__(
        self,
        key: Key = None,
        *,
        hash_bits: int | None = None,
        capacity: int = 512,
        limit: int = 1 << 22,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.states = States(key, hash_bits, seed, self.name)
        for what, number in (("capacity", capacity), ("limit", limit)):
            if number < 1:
                raise ValueError(f"{what} must be at least 1, got {number}")
        self.table = CountTable(device, capacity, limit)
        self.contract: Contract = Contract(guarantee="vanishing", reads=self.states.reads, scope="lifelong")

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        seen = self.table.counts(self.states.keys(rollout))
        return rollout.add(self.name, like_column((seen + 1.0) ** -0.5, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Counts the unmasked ``next_obs``."""
        del policy
        self.table.add(self.states.keys(rollout), rollout.mask.ravel())
        return {"states": float(len(self.table))} if self.table.compiled else {}


class EpisodicCount(Shaper):
    """``1 / sqrt(n(next_obs) + 1)``: n counts the earlier visits to a state in this episode.

    Savinov et al. 2019, arXiv 1810.02274, and Zhang et al. 2021 (NovelD), arXiv 2012.08621, use episodic counts so.
    With ``first_visit=True`` the term is 1 at the first visit in an episode and 0 afterwards (NovelD's restriction).
    The bonus is new in each episode. It never vanishes, so it can change what is optimal. It is positive at each step,
    so it also pays for surviving.

    Args:
        key: As for `Count`.
        first_visit: Pay the first visit only.
        hash_bits: As for `Count`.
        seed: Seeds the projections of ``hash_bits``.
        name: The term's name.

    Raises:
        ValueError: If ``hash_bits`` is not in 1..62.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1], [1]]), action=np.zeros((3, 1)), next_obs=np.array([[1], [1], [2]]),
    ...     terms={"env": np.zeros((3, 1))}, discount=np.ones((3, 1)),
    ...     terminated=np.zeros((3, 1), bool), truncated=np.zeros((3, 1), bool))
    >>> shaped, carry = EpisodicCount().shape(rollout)
    >>> shaped.terms["EpisodicCount"][:, 0].round(3).tolist()  # 1, 1 / sqrt(2) at the second visit to state 1, and 1
    [1.0, 0.707, 1.0]
    >>> EpisodicCount().shape(rollout, carry)[0].terms["EpisodicCount"][:, 0].round(3).tolist()  # the episode goes on
    [0.577, 0.5, 0.707]
    """

    def __init__(
        self,
        key: Key = None,
        *,
        first_visit: bool = False,
        hash_bits: int | None = None,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.first_visit = first_visit
        self.states = States(key, hash_bits, seed, self.name)
        self.contract: Contract = Contract(reads=self.states.reads | {"terminated", "truncated"}, scope="episode")

    def init(self, num_envs: int) -> Carry:
        """An empty table for each environment."""
        return no_visits(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        seen, carry = self.states.visit(rollout, carry)
        bonus = (seen == 0) * 1.0 if self.first_visit else (seen + 1.0) ** -0.5
        return rollout.add(self.name, like_column(bonus, rollout.discount)), carry
