"""Rewards that are wrong on purpose: flipped by chance, random, inverted. Controls for what a reward teaches."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.limits import check_among
from potentia.rollout import Rollout
from potentia.shaping._models.keys import state_keys
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper

_TRANSITION = frozenset({"obs", "action", "next_obs"})


class _Draws(Shaper):
    """Draws a number in [0, 1) for a key, anew after each update. Until then equal keys have equal draws."""

    saved = ("_seen",)

    def __init__(self, seed: int, name: str | None) -> None:
        super().__init__(name)
        self.seed, self._seen = seed, 0

    def _uniform(self, rollout: Rollout, *columns: Any) -> np.ndarray[Any, Any]:
        """Numbers ``(T, B)`` that depend on columns, by default the transition, the seed and the steps seen."""
        keys = host_array(state_keys(columns or (rollout.obs, rollout.action, rollout.next_obs)))
        salted = state_keys((keys[:, None], np.full((len(keys), 1), self.seed), np.full((len(keys), 1), self._seen)))
        uniform = (host_array(salted).view(np.uint64) >> np.uint64(11)).astype(np.float64) / 2.0**53
        return np.asarray(uniform.reshape(tuple(rollout.discount.shape)))

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Draws anew from now on."""
        del policy
        self._seen += int(rollout.mask.sum())
        return {}


class FlipNoise(_Draws):
    """``1 - 2 r`` with probability p, else 0: a reward r of 0 or 1 is flipped, so the learner sees ``1 - r``.

    Lv et al. 2025, "The climb carves wisdom deeper than the summit", arXiv 2505.22653: one draw a question, that all
    its answers share and that is made anew at each visit. A gradient is then scaled by 1 - 2 p in the mean. A draw for
    each step is milder, for it averages out within the group. Draws depend on the seed, what they are drawn for, and
    how many steps `update` has seen. So the same rollout is flipped alike, however it is cut, and the next one anew.

    Args:
        probability: p.
        by: What shares a draw: ``"step"`` (equal transitions), ``"episode"`` (its first transition decides, so that
            episodes that begin alike share one), or ``"group"`` (equal values of an info column).
        group: The info column that names the group.
        seed: Whose draws.
        name: The term's name.

    Raises:
        ValueError: If p lies outside [0, 1], or a group has no column.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> states, zeros = np.arange(1000)[:, None], np.zeros((1000, 1))
    >>> rollout = Rollout(
    ...     obs=states, action=zeros, next_obs=states, terms={"env": zeros}, discount=zeros, terminated=zeros == 0,
    ...     truncated=zeros > 0)
    >>> FlipNoise(0.25).shape(rollout)[0].reward.mean().item()  # a quarter of the zeros are ones
    0.25...
    """

    def __init__(
        self,
        probability: float,
        by: Literal["step", "episode", "group"] = "step",
        *,
        group: str | None = None,
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(seed, name)
        check_among(("step", "episode", "group"), by=by)
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must lie in [0, 1], got {probability}")
        if (by == "group") != (group is not None):
            raise ValueError(
                f'group= names the info column of by="group" and of nothing else, got by={by!r}, {group!r}'
            )
        self.probability, self.by, self.group = probability, by, group
        reads = {"reward"} | (set(_TRANSITION) if group is None else {f"info:{group}"})
        reads |= {"terminated", "truncated"} if by == "episode" else set()
        self.contract: Contract = Contract(reads=frozenset(reads), scope="lifelong", rescales=True)

    def init(self, num_envs: int) -> Carry:
        """By episode: each environment's draw plus 1, ``(B,)``, 0 before its first step."""
        return np.zeros(num_envs) if self.by == "episode" else ()

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shared = () if self.group is None else (info_column(rollout, self.group, self.name),)
        drawn = self._uniform(rollout, *shared)
        if self.by == "episode":
            drawn, carry = _of_episode(drawn, rollout, carry)
        reward = np.asarray(host_array(rollout.reward), np.float64)
        term = np.where(drawn < self.probability, 1.0 - 2.0 * reward, 0.0)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry


def _of_episode(drawn: np.ndarray[Any, Any], rollout: Rollout, carry: Carry) -> tuple[np.ndarray[Any, Any], Carry]:
    """Each episode's first draw at all its steps."""
    mask, done = host_array(rollout.mask), host_array(rollout.done)
    held = np.zeros(drawn.shape[1]) if isinstance(carry, tuple) else np.array(host_array(carry))
    kept = np.zeros(drawn.shape)
    for t in range(len(drawn)):
        held = np.where(mask[t] & (held == 0), drawn[t] + 1.0, held)
        kept[t] = held - 1.0
        held = np.where(mask[t] & done[t], 0.0, held)
    return kept, held


class RandomReward(_Draws):
    """``u - r``: the reward r so far is replaced by chance, u = 1 with probability p, else 0.

    A control: what is learned from it was not taught by the reward (Shao et al. 2025, "Spurious rewards", arXiv
    2506.10947). Draws are those of `FlipNoise` by step.

    Args:
        probability: p.
        when: ``"end"`` replaces the reward of steps that end an episode, ``"always"`` that of every step.
        seed: Whose draws.
        name: The term's name.

    Raises:
        ValueError: If p lies outside [0, 1], or ``when`` is unknown.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> states, zeros = np.arange(1000)[:, None], np.zeros((1000, 1))
    >>> rollout = Rollout(
    ...     obs=states, action=zeros, next_obs=states, terms={"env": zeros + 9.0}, discount=zeros,
    ...     terminated=zeros == 0, truncated=zeros > 0)
    >>> RandomReward(0.5).shape(rollout)[0].reward.mean().item()
    0.5...
    """

    def __init__(
        self,
        probability: float = 0.5,
        *,
        when: Literal["end", "always"] = "end",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(seed, name)
        check_among(("end", "always"), when=when)
        if not 0 <= probability <= 1:
            raise ValueError(f"probability must lie in [0, 1], got {probability}")
        self.probability, self.when = probability, when
        reads = {"reward"} | _TRANSITION | ({"terminated", "truncated"} if when == "end" else set())
        self.contract: Contract = Contract(reads=frozenset(reads), scope="lifelong", rescales=True)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        drawn = self._uniform(rollout)
        reward = np.asarray(host_array(rollout.reward), np.float64)
        term = np.where(drawn < self.probability, 1.0, 0.0) - reward
        if self.when == "end":
            term = np.where(host_array(rollout.done), term, 0.0)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry


class InvertedReward(Shaper):
    """``-2 r``: the learner sees ``-r``, or ``low + high - r`` if the reward's range is given.

    A control: whoever does well with it was not taught by the reward.

    Args:
        low: The least reward of a step.
        high: The greatest. Both or none.
        name: The term's name.

    Raises:
        ValueError: If one bound is given without the other.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": np.array([[1.0, 0.25]])}, discount=zeros,
    ...     terminated=no, truncated=no)
    >>> InvertedReward(0.0, 1.0).shape(rollout)[0].reward[0].tolist()
    [0.0, 0.75]
    """

    contract = Contract(reads=frozenset({"reward"}), rescales=True)

    def __init__(self, low: float | None = None, high: float | None = None, *, name: str | None = None) -> None:
        super().__init__(name)
        if (low is None) != (high is None):
            raise ValueError(f"low and high go together, got {low} and {high}")
        self.middle = 0.0 if low is None or high is None else float(low + high)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, self.middle - 2.0 * rollout.reward), carry
