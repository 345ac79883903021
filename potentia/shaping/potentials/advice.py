"""Potential-based advice: potentials of states and actions (Wiewiora, Cottrell and Elkan 2003)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column, look_up
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.transitions import NEXT_ACTION
from potentia.trees import Tree

Table = Sequence[Sequence[float]] | np.ndarray[Any, Any]
"""One number for each state and action."""


class LookAheadAdvice(Shaper):
    """``discount * advice(next_obs, next_action) - advice(obs, action)``, for a learner that acts on Q + advice.

    Wiewiora, Cottrell and Elkan 2003, "Principled methods for advising reinforcement learning agents". The learner's
    values become Q' = Q - advice, so it must **act on Q' + advice**: on Q' alone the advice would be undone. It needs
    the next action, in the info column ``next_action``. Shape whole rollouts of an on-policy learner with it:
    `potentia.collect.collect` supplies the column.

    Args:
        advice: A function from ``(obs, action)`` to ``(T, B)``, or a table ``(states, actions)`` for integer
            observations and actions.
        name: The term's name.

    Raises:
        TypeError: If ``advice`` is neither a function nor a table.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0]]), action=np.array([[1]]), next_obs=np.array([[1]]), terms={"env": np.zeros((1, 1))},
    ...     discount=np.array([[0.5]]), terminated=np.zeros((1, 1), bool), truncated=np.zeros((1, 1), bool),
    ...     info={"next_action": np.array([[0]])})
    >>> shaped, _ = LookAheadAdvice([[1.0, 2.0], [6.0, 8.0]]).shape(rollout)
    >>> shaped.terms["LookAheadAdvice"].item()  # 0.5 * 6 - 2
    1.0
    """

    contract = Contract(
        guarantee="policy_invariant",
        basis="state_action",
        reads=frozenset({"obs", "action", "next_obs", "discount", f"info:{NEXT_ACTION}"}),
    )

    def __init__(
        self,
        advice: Callable[[Tree, Tree], Array] | Sequence[Sequence[float]] | np.ndarray[Any, Any],
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._advice = _function_of(advice)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        now = as_column("advice", self._advice(rollout.obs, rollout.action), rollout)
        next_action = info_column(rollout, NEXT_ACTION, self.name)
        after = as_column("advice", self._advice(rollout.next_obs, next_action), rollout)
        ahead = array_namespace(now).where(rollout.discount == 0, 0.0, rollout.discount * after)
        return rollout.add(self.name, ahead - now), carry


class LookBackAdvice(Shaper):
    """``advice(obs, action) - advice(obs-, action-) / discount-``: paid at once, taken back at the next step.

    Wiewiora, Cottrell and Elkan 2003. obs-, action- and discount- are those of the step before. At an episode's first
    step there is nothing to take back. The learner acts on Q as usual. At an end, where the discount is 0 and no step
    follows to take the advice back, it is not paid. So the discounted sum over an episode that ends is exactly 0.
    (The paper treats continuing tasks. The rule at an end is the limit of one more, absorbing, step that pays nothing.)

    Args:
        advice: As for `LookAheadAdvice`.
        name: The term's name.

    Raises:
        TypeError: If ``advice`` is neither a function nor a table.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.array([[0], [1]]), action=np.array([[1], [0]]), next_obs=np.array([[1], [0]]),
    ...     terms={"env": np.zeros((2, 1))}, discount=np.array([[0.5], [0.5]]), terminated=np.zeros((2, 1), bool),
    ...     truncated=np.zeros((2, 1), bool))
    >>> shaped, debt = LookBackAdvice([[1.0, 2.0], [6.0, 8.0]]).shape(rollout)
    >>> shaped.terms["LookBackAdvice"][:, 0].tolist(), debt.tolist()  # 2, 6 - 2 / 0.5, and 6 / 0.5 is owed
    ([2.0, 2.0], [12.0])
    """

    contract = Contract(
        guarantee="policy_invariant",
        basis="history",
        reads=frozenset({"obs", "action", "discount", "terminated", "truncated"}),
        scope="episode",
    )

    def __init__(
        self,
        advice: Callable[[Tree, Tree], Array] | Sequence[Sequence[float]] | np.ndarray[Any, Any],
        *,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self._advice = _function_of(advice)

    def init(self, num_envs: int) -> Carry:
        """What the next step must take back: advice / discount, ``(B,)``."""
        return np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        now = as_column("advice", self._advice(rollout.obs, rollout.action), rollout)
        xp = array_namespace(now)
        debt = xp.astype(_debt_like(carry, rollout), now.dtype)
        ends = (rollout.discount == 0) | rollout.done
        owed = xp.where(ends, 0.0, now / xp.where(ends, xp.ones_like(now), rollout.discount))
        paid = xp.where(rollout.discount == 0, 0.0, now)
        term = xp.empty_like(paid)
        for t in range(rollout.num_steps):
            term[t] = paid[t] - debt
            debt = xp.where(rollout.mask[t], owed[t], debt)
        return rollout.add(self.name, term), debt


def _debt_like(carry: Carry, rollout: Rollout) -> Array:
    """The debt ``(B,)`` on the rollout's own device, zeros if the carry is still ``()``."""
    xp = array_namespace(rollout.discount)
    if isinstance(carry, tuple):
        return xp.zeros(rollout.num_envs, dtype=rollout.discount.dtype, device=rollout.discount.device)
    return carry if type(carry) is type(rollout.discount) else xp.asarray(carry, device=rollout.discount.device)


def _function_of(advice: Any) -> Callable[[Tree, Tree], Array]:
    if callable(advice):
        return advice  # type: ignore[no-any-return]
    try:
        table = np.asarray(advice, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"advice must be a function of (obs, action) or a table (states, actions), got {type(advice).__name__}"
        ) from error
    if table.ndim != 2:
        raise TypeError(f"an advice table must have shape (states, actions), got {table.shape}")
    return lambda obs, action: look_up(table, "states and actions", obs, action)
