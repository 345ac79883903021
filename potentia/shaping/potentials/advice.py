"""Potential-based advice: potentials of states and actions (Wiewiora, Cottrell and Elkan 2003)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column, look_up
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree


class Advice(Shaper):
    """``discount * advice(s', a') - advice(s, a)``, or look-back ``advice(s, a) - advice(s-, a-) / discount-``.

    Wiewiora, Cottrell and Elkan 2003, "Principled methods for advising reinforcement learning agents".

    *Look-ahead* makes the learner's values Q' = Q - advice, so it must **act on Q' + advice**; on Q' alone the advice
    would be undone. It needs the next action, in the info column ``next_action``: shape whole rollouts of an on-policy
    learner with it (`potentia.collect.collect` supplies it).

    *Look-back* pays the advice for an action at once and takes it back, grown by one discount, at the next step (s-, a-
    and discount- are the previous step's; at an episode's first step there is nothing to take back). The learner acts
    on Q as usual. At an end, where the discount is 0 and no step follows to take the advice back, it is not paid. So
    the discounted sum over an episode that ends is exactly 0. (The paper treats continuing tasks; the rule at an end
    is the limit of one more, absorbing, step that pays nothing.)

    Args:
        advice: A function from ``(obs, action)`` to ``(T, B)``, or a table ``(states, actions)`` for integer
            observations and actions.
        look: ``"ahead"`` or ``"back"``.
        name: The term's name.

    Raises:
        ValueError: If ``look`` is neither.
        TypeError: If ``advice`` is neither a function nor a table.
    """

    def __init__(
        self,
        advice: Callable[[Tree, Tree], Array] | Any,
        *,
        look: Literal["ahead", "back"] = "back",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if look not in ("ahead", "back"):
            raise ValueError(f"look must be 'ahead' or 'back', got {look!r}")
        self.look = look
        self._advice = advice if callable(advice) else _table(advice)
        reads = {"obs", "action", "discount"}
        if look == "ahead":
            self.contract: Contract = Contract(
                guarantee="policy_invariant",
                basis="state_action",
                reads=frozenset(reads | {"next_obs", "info:next_action"}),
            )
        else:
            self.contract = Contract(
                guarantee="policy_invariant",
                basis="history",
                reads=frozenset(reads | {"terminated", "truncated"}),
                scope="episode",
            )

    def init(self, num_envs: int) -> Carry:
        """For look-back, what the next step must take back: advice / discount, ``(B,)``."""
        return () if self.look == "ahead" else np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term.

        Raises:
            ValueError: If look-ahead finds no info column ``next_action``, or the advice's shape is not ``(T, B)``.
        """
        now = self._values(rollout, rollout.obs, rollout.action)
        xp = array_namespace(now)
        zero = xp.zeros_like(now)
        if self.look == "ahead":
            after = self._values(rollout, rollout.next_obs, info_column(rollout, "next_action", self.name))
            ahead = xp.where(rollout.discount == 0, zero, rollout.discount * after)
            return rollout.add(self.name, ahead - now), carry
        debt = xp.astype(carry_like(carry, rollout), now.dtype)
        ends = (rollout.discount == 0) | rollout.done
        owed = xp.where(ends, zero, now / xp.where(ends, xp.ones_like(now), rollout.discount))
        paid = xp.where(rollout.discount == 0, zero, now)
        rows = []
        for t in range(rollout.num_steps):
            rows.append(paid[t] - debt)
            debt = xp.where(rollout.mask[t], owed[t], debt)
        return rollout.add(self.name, xp.stack(rows)), debt

    def _values(self, rollout: Rollout, obs: Tree, action: Tree) -> Array:
        return as_column("advice", self._advice(obs, action), rollout)


def carry_like(carry: Carry, rollout: Rollout) -> Array:
    """A carry of one number per environment on the rollout's own device; zeros if it is still ``()``."""
    xp = array_namespace(rollout.discount)
    if isinstance(carry, tuple):
        return xp.zeros_like(rollout.discount[0]) if rollout.num_steps else np.zeros(rollout.num_envs)
    return carry if type(carry) is type(rollout.discount) else xp.asarray(carry, device=rollout.discount.device)


def _table(values: Any) -> Callable[[Tree, Tree], Array]:
    try:
        table = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"advice must be a function of (obs, action) or a table (states, actions), got {type(values).__name__}"
        ) from error
    if table.ndim != 2:
        raise TypeError(f"an advice table must have shape (states, actions), got {table.shape}")

    def advice(obs: Tree, action: Tree) -> Array:
        return look_up(table, "states and actions", obs, action)

    return advice
