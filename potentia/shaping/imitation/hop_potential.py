"""Progress pieced together from hops between states, as a potential that no action can farm."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from potentia.arrays import array_namespace, host_array
from potentia.limits import check_among, check_at_least
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column
from potentia.shaping.imitation.hops import FUSIONS, Fusion, at_distance, fused, oracle_hop
from potentia.shaping.potentials.arrival import held_like
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree, map_tree


class HopPotential(Shaper):
    """``discount * progress(t + 1) - progress(t)``: progress is fused from hops, and a true end has none.

    Tan et al. 2025, "Robo-Dopamine: general process reward modeling for high-precision robotic manipulation", arXiv
    2512.23703. A hop H(p, q) in [-1, 1] says how much of the way left q is ahead of p, or how much of the way done it
    is behind. Three hops lead to the state that a step arrives at: from the state before, from the first state of the
    episode, and from the goal. Each gives an estimate of the progress there, and one is made of the three
    (`potentia.shaping.imitation.hops.fused`). It is kept, in the carry, as the progress of the state that is left next,
    so the terms telescope though it depends on the way (Devlin and Kudenko 2012).

    The paper's reward also pays for reaching the goal. That is the world's to say and is left out. The paper lets a
    last state keep its potential, which pays for ending wherever progress is high. Here a true end has none: the
    discounted terms of an episode that ends sum to -progress(0). Where an episode is cut and the learner uses the next
    value, progress is the estimate from the goal, as that depends on the last state alone: the terms then sum to
    (product of discounts) * progress(last) - progress(0), and the way between does not matter. progress(0) is the
    estimate from the goal too. So no optimal policy changes, whatever the hops are.

    Args:
        hop: A function of two arrays of observations ``(T, B, ...)`` that gives the hops from the first to the second,
            ``(T, B)``. Or the name of an info column of progress in [0, 1], such as ``"progress"``: then hops are
            those of the oracle.
        goal: The observation at the goal, without the axes ``(T, B)``. A column needs none.
        fusion: ``"consistent"``, the paper's; ``"mean"`` of the three; or one of them: ``"incremental"``, ``"forward"``
            or ``"backward"``.
        alpha: How fast trust falls where the forward and the backward estimate disagree.
        name: The term's name.

    Raises:
        ValueError: If a function comes without a goal, or a setting is wrong.

    >>> from potentia import Rollout
    >>> zeros, ends = np.zeros((3, 1)), np.array([[False], [False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=np.array([[0.5], [0.5], [0.0]]),
    ...     terminated=ends, truncated=ends & False,
    ...     info={"progress": np.array([[0.0], [0.4], [0.2]]), "next_progress": np.array([[0.4], [0.2], [1.0]])})
    >>> shaped, _ = HopPotential("progress").shape(rollout)
    >>> shaped.terms["HopPotential"][:, 0].round(6).tolist()  # 0.5 * 0.4 - 0, 0.5 * 0.2 - 0.4, and 0 - 0.2
    [0.2, -0.3, -0.2]
    """

    def __init__(
        self,
        hop: Callable[[Tree, Tree], Array] | str,
        goal: Tree | None = None,
        *,
        fusion: Fusion = "consistent",
        alpha: float = 1.0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(FUSIONS, fusion=fusion)
        check_at_least(0, alpha=alpha)
        if (goal is None) != isinstance(hop, str):
            raise ValueError(
                "a function of hops needs a goal, the observation to which they lead, and a column of progress needs "
                f"none, got hop={hop!r} and {'no goal' if goal is None else 'a goal'}"
            )
        self.hop, self.fusion, self.alpha = hop, fusion, alpha
        self._goal: Tree = 1.0 if goal is None else goal
        self._column = hop if isinstance(hop, str) else None
        seen = {"obs", "next_obs"} if self._column is None else {f"info:{hop}", f"info:next_{hop}"}
        self.contract: Contract = Contract(
            guarantee="policy_invariant",
            basis="history",
            reads=frozenset(seen | {"discount", "terminated", "truncated"}),
            scope="episode",
        )

    def init(self, num_envs: int) -> Carry:
        """What an episode began with, its progress there, and its progress now: NaN before an episode."""

        def begin(leaf: Any) -> np.ndarray[Any, Any]:
            return np.zeros((num_envs, *np.shape(leaf)), host_array(leaf).dtype)

        nan = np.full(num_envs, np.nan)
        return {"first": map_tree(begin, self._goal), "start": nan, "progress": nan.copy()}

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        if rollout.num_steps == 0:
            return rollout.add(self.name, rollout.discount), carry
        carry = carry or self.init(rollout.num_envs)
        discount = rollout.discount
        xp = array_namespace(discount)
        progress, start = (held_like(carry[name], discount) for name in ("progress", "start"))
        before, after = self._seen(rollout, ""), self._seen(rollout, "next_")
        first, carried = _first_states(before, carry["first"], rollout, np.isnan(host_array(progress)))
        goal = map_tree(_everywhere, self._goal, after)
        hops = [self._hops(state, after, rollout) for state in (before, first, goal)]
        starts, ends = at_distance(self._hops(goal, before, rollout)), at_distance(hops[2])
        term = xp.zeros_like(discount)
        for t in range(rollout.num_steps):
            new = xp.isnan(progress)
            left, begun = xp.where(new, starts[t], progress), xp.where(new, starts[t], start)
            arrived = fused(self.fusion, left, begun, (hops[0][t], hops[1][t], hops[2][t]), self.alpha)
            ahead = xp.where(rollout.done[t], ends[t], arrived)
            term[t] = xp.where(discount[t] == 0, 0.0, discount[t] * ahead) - left
            nothing = xp.full_like(arrived, xp.nan)
            live, done = rollout.mask[t], rollout.done[t]
            progress = xp.where(live, xp.where(done, nothing, arrived), progress)
            start = xp.where(live, xp.where(done, nothing, begun), start)
        return rollout.add(self.name, term), {"first": carried, "start": start, "progress": progress}

    def _seen(self, rollout: Rollout, prefix: str) -> Tree:
        """What the hops are between: observations, or a column of progress."""
        if self._column is None:
            return getattr(rollout, f"{prefix}obs")
        return as_column("progress", info_column(rollout, f"{prefix}{self._column}", self.name), rollout)

    def _hops(self, before: Tree, after: Tree, rollout: Rollout) -> Array:
        hop = oracle_hop if isinstance(self.hop, str) else self.hop
        found = as_column("a hop", hop(before, after), rollout)
        return array_namespace(found).clip(found, -1.0, 1.0)


def _everywhere(leaf: Any, like: Array) -> Array:
    """One observation, or a part of it, at each step of a column ``(T, B, ...)``."""
    xp = array_namespace(like)
    return xp.zeros_like(like) + xp.asarray(leaf, dtype=like.dtype, device=like.device)


def _first_states(before: Tree, carried: Tree, rollout: Rollout, waiting: np.ndarray[Any, Any]) -> tuple[Tree, Tree]:
    """The state that each step's episode began with ``(T, B, ...)``, and what is carried of it ``(B, ...)``.

    ``waiting`` says where no episode runs, ``(B,)``.
    """
    mask, done = host_array(rollout.mask), host_array(rollout.done)
    origin = np.zeros(mask.shape, np.int64)  # 0 is what was carried, t + 1 what step t saw
    now = np.zeros(rollout.num_envs, np.int64)
    for t in range(rollout.num_steps):
        now = np.where(mask[t] & waiting, t + 1, now)
        waiting = np.where(mask[t], done[t], waiting)
        origin[t] = now
    columns = np.arange(rollout.num_envs)

    def joined(leaf: Array, begun: Array) -> Array:
        xp = array_namespace(leaf)
        begun = xp.asarray(begun, device=leaf.device)
        return xp.concat([xp.astype(begun, leaf.dtype)[None], leaf], axis=0)

    def take(leaf: Array, index: np.ndarray[Any, Any]) -> Array:
        xp = array_namespace(leaf)
        places = xp.asarray(index, device=leaf.device), xp.asarray(columns, device=leaf.device)
        return leaf[places]

    both = map_tree(joined, before, carried)
    return map_tree(lambda leaf: take(leaf, origin), both), map_tree(lambda leaf: take(leaf, now), both)
