"""Count-based bonuses: over a lifetime and within an episode, exact and hashed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout
from potentia.shaping.keys import state_keys
from potentia.shaping.potential import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper, check_keys
from potentia.trees import Tree

Key = Callable[[Tree], Array] | str | None
"""What tells states apart: a function of observations, the name of an info column, or None, all of the observation."""


class Count(Shaper):
    """``scale / sqrt(n(next_obs) + 1)``: n counts the visits to a state before this rollout, over a lifetime.

    Strehl and Littman 2008 (MBIE-EB); Bellemare et al. 2016, arXiv 1606.01868; hashed: Tang et al. 2017, arXiv
    1611.04717. Counts change only in `update`, after the rollout is scored, so all its steps are scored by what was
    known before it.

    Args:
        key: What tells states apart: None for all of the observation, the name of an info column of the world (such as
            ``"state_hash"``), or a function from observations ``(T, B, ...)`` to keys ``(T, B, ...)``.
        scale: The bonus of a state never seen.
        hash_bits: None counts each distinct key exactly, in a dictionary. A number k counts the sign pattern of k
            random projections of the key instead (SimHash, as in Tang et al.): similar states share a count, memory
            is at most 2 ** k numbers.
        seed: Seeds the projections.
        name: The term's name.

    Raises:
        ValueError: If ``hash_bits`` is not in 1..62.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1]]), action=np.zeros((2, 1)), next_obs=np.array([[1], [1]]),
    ...     terms={"env": np.zeros((2, 1))}, discount=np.ones((2, 1)),
    ...     terminated=np.zeros((2, 1), bool), truncated=np.zeros((2, 1), bool))
    >>> count = Count(scale=3.0)
    >>> count.shape(rollout)[0].terms["Count"][:, 0].tolist()
    [3.0, 3.0]
    >>> count.update(rollout)
    {'states': 1.0}
    >>> count.shape(rollout)[0].terms["Count"][:, 0].round(3).tolist()  # state 1 was visited twice: 3 / sqrt(3)
    [1.732, 1.732]
    """

    def __init__(
        self,
        key: Key = None,
        *,
        scale: float = 1.0,
        hash_bits: int | None = None,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.key, self.scale = key, float(scale)
        self.hash_bits, self.seed = hash_bits, seed
        if hash_bits is not None and not 1 <= hash_bits <= 62:
            raise ValueError(f"hash_bits must lie in 1..62, got {hash_bits}")
        self.counts: dict[bytes, int] = {}
        self.contract: Contract = Contract(guarantee="vanishing", reads=_reads(key), scope="lifelong")

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term."""
        get = self.counts.get
        seen = [get(key, 0) for key in self._keys(rollout)]
        return rollout.add(self.name, _column(rollout, self.scale / np.sqrt(np.array(seen, np.float64) + 1))), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Counts the unmasked ``next_obs``."""
        del policy
        counts, mask = self.counts, _host(rollout.mask).ravel().tolist()
        for key, real in zip(self._keys(rollout), mask, strict=True):
            if real:
                counts[key] = counts.get(key, 0) + 1
        return {"states": float(len(counts))}

    def _keys(self, rollout: Rollout) -> list[bytes]:
        return state_keys(_arrived(rollout, self.key, self.name), self.hash_bits, self.seed)

    def state_dict(self) -> dict[str, Any]:
        """The counts."""
        return {"counts": dict(self.counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores the counts."""
        check_keys(self, state, ("counts",))
        self.counts = dict(state["counts"])


class EpisodicCount(Shaper):
    """``scale / sqrt(n(next_obs) + 1)``: n counts the earlier visits to a state in this episode.

    Savinov et al. 2019, arXiv 1810.02274, and Zhang et al. 2021 (NovelD), arXiv 2012.08621, use episodic counts so.
    With ``first_visit=True`` the term is ``scale`` at the first visit in an episode and 0 afterwards (NovelD's
    restriction). It never vanishes, so it can change what is optimal. Beware an episodic bonus that is positive: it
    pays for surviving.

    Args:
        key: As for `Count`.
        scale: The bonus of the first visit.
        first_visit: Pay the first visit only.
        hash_bits: As for `Count`.
        seed: Seeds the projections of ``hash_bits``.
        name: The term's name.
    """

    def __init__(
        self,
        key: Key = None,
        *,
        scale: float = 1.0,
        first_visit: bool = False,
        hash_bits: int | None = None,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.key, self.scale, self.first_visit = key, float(scale), first_visit
        self.hash_bits, self.seed = hash_bits, seed
        if hash_bits is not None and not 1 <= hash_bits <= 62:
            raise ValueError(f"hash_bits must lie in 1..62, got {hash_bits}")
        self.contract: Contract = Contract(reads=_reads(key) | {"terminated", "truncated"}, scope="episode")

    def init(self, num_envs: int) -> Carry:
        """One empty table of counts for each environment."""
        return [{} for _ in range(num_envs)]

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term; a table is emptied after the step that ends its episode."""
        steps, envs = rollout.num_steps, rollout.num_envs
        tables = carry or self.init(envs)
        keys = state_keys(_arrived(rollout, self.key, self.name), self.hash_bits, self.seed)
        mask, done = _host(rollout.mask), _host(rollout.done)
        seen = np.zeros((steps, envs))
        for t in range(steps):
            for b in np.flatnonzero(mask[t]).tolist():
                table, key = tables[b], keys[t * envs + b]
                seen[t, b] = table.get(key, 0)
                table[key] = table.get(key, 0) + 1
                if done[t, b]:
                    tables[b] = {}
        bonus = (seen == 0).astype(np.float64) if self.first_visit else 1 / np.sqrt(seen + 1)
        return rollout.add(self.name, _column(rollout, self.scale * bonus)), tables


def _reads(key: Key) -> frozenset[str]:
    return frozenset({f"info:next_{key}"} if isinstance(key, str) else {"next_obs"})


def _arrived(rollout: Rollout, key: Key, name: str) -> Tree:
    if not isinstance(key, str):
        return rollout.next_obs if key is None else key(rollout.next_obs)
    return info_column(rollout, f"next_{key}", name)


def _host(array: Array) -> np.ndarray[Any, Any]:
    return np.asarray(array.cpu() if hasattr(array, "cpu") else array)


def _column(rollout: Rollout, values: np.ndarray[Any, Any]) -> Array:
    xp = array_namespace(rollout.discount)
    values = values.reshape(tuple(rollout.discount.shape))
    return values if isinstance(rollout.discount, np.ndarray) else xp.asarray(values, device=rollout.discount.device)
