"""Advantages and returns: they read the rollout's discount, know no gamma, and pass over masked steps."""

from __future__ import annotations

from typing import NamedTuple

from potentia.arrays import array_namespace
from potentia.rollout import Array, Rollout


def gae(
    rollout: Rollout,
    values: Array,
    next_values: Array,
    lambda_: float,
    *,
    reward: Array | None = None,
    discount: Array | None = None,
    gamma: float | None = None,
    episodic: bool = True,
) -> Array:
    """``A_t = delta_t + discount_t lambda A_t+``, where ``delta_t = reward_t + discount_t V(next_obs_t) - V(obs_t)``.

    Schulman, Moritz, Levine, Jordan and Abbeel 2015, arXiv 1506.02438. ``t+`` is the next step of the column whose mask
    is True. A_t+ is 0 beyond the rollout and, for an episodic stream, across an episode's end. A stream that is not
    episodic (Burda et al. 2018, arXiv 1810.12894, 2.3) goes on into the next episode: at an end ``V(obs_t+)`` replaces
    ``V(next_obs_t)``, unless the rollout ends there too, so that ``obs_t+`` is unknown.

    Args:
        rollout: Experience ``(T, B)``.
        values: V(obs), ``(T, B)``.
        next_values: V(next_obs), ``(T, B)``.
        lambda_: The weight of longer returns, in [0, 1].
        reward: ``(T, B)``, by default ``rollout.reward``.
        discount: ``(T, B)``, by default ``rollout.discount``.
        gamma: The discount factor of a stream that has its own, instead of a column. For an episodic stream it
            becomes 0 at those ends at which ``rollout.discount`` is 0.
        episodic: False if the return goes on across the ends of episodes.

    Returns:
        ``(T, B)``, 0 where the mask is False.

    Raises:
        ValueError: If ``lambda_`` lies outside [0, 1] or a shape is not ``(T, B)``.
    """
    if not 0 <= lambda_ <= 1:
        raise ValueError(f"lambda_ must lie in [0, 1], got {lambda_}")
    step = _prepare(rollout, values, next_values, reward, discount, gamma, episodic)
    xp = array_namespace(values)
    zeros = xp.zeros_like(values)
    delta = xp.where(rollout.mask, step.reward + step.discount * step.next_values - values, zeros)
    decay = xp.where(rollout.mask, xp.where(step.ends, zeros, step.discount * lambda_), xp.ones_like(values))
    trace = zeros[0, :]
    advantages = []
    for t in range(rollout.num_steps - 1, -1, -1):
        trace = delta[t, :] + decay[t, :] * trace
        advantages.append(trace)
    return xp.where(rollout.mask, xp.stack(advantages[::-1]), zeros)


def lambda_returns(
    rollout: Rollout,
    values: Array,
    next_values: Array,
    lambda_: float,
    *,
    reward: Array | None = None,
    discount: Array | None = None,
    gamma: float | None = None,
    episodic: bool = True,
) -> Array:
    """``gae(...) + V(obs)``: the targets of TD(lambda), ``(T, B)``, 0 where the mask is False. Arguments as `gae`."""
    advantages = gae(
        rollout, values, next_values, lambda_, reward=reward, discount=discount, gamma=gamma, episodic=episodic
    )
    xp = array_namespace(values)
    return xp.where(rollout.mask, advantages + values, xp.zeros_like(values))


def n_step_returns(
    rollout: Rollout,
    values: Array,
    next_values: Array,
    n: int | None,
    *,
    reward: Array | None = None,
    discount: Array | None = None,
    gamma: float | None = None,
    episodic: bool = True,
) -> Array:
    """``G_t = reward_t + discount_t * G_t+``, n rewards long, then ``V(next_obs)``.

    A return is shorter where its episode or the rollout ends. ``t+`` and the other arguments are as for `gae`.

    Args:
        rollout: Experience ``(T, B)``.
        values: V(obs), ``(T, B)``.
        next_values: V(next_obs), ``(T, B)``.
        n: How many rewards, at least 1. None for as many as there are.
        reward: As for `gae`.
        discount: As for `gae`.
        gamma: As for `gae`.
        episodic: As for `gae`.

    Returns:
        ``(T, B)``, 0 where the mask is False.

    Raises:
        ValueError: If ``n`` is less than 1 or a shape is not ``(T, B)``.
    """
    if n is not None and n < 1:
        raise ValueError(f"n must be at least 1, or None for all, got {n}")
    step = _prepare(rollout, values, next_values, reward, discount, gamma, episodic)
    xp = array_namespace(values)
    zeros = xp.zeros_like(values)
    # longest[k] is the return of k + 1 rewards from the next unmasked step on, for each column.
    horizon = rollout.num_steps if n is None else min(n, rollout.num_steps)
    returns = []
    longest = [zeros[0, :]] * horizon
    known = xp.zeros_like(rollout.mask[0, :])
    for t in range(rollout.num_steps - 1, -1, -1):
        mask = rollout.mask[t, :]
        ends = step.ends[t, :] | ~known
        now = []
        for k in range(horizon):
            after = step.next_values[t, :] if k == 0 else xp.where(ends, step.next_values[t, :], longest[k - 1])
            now.append(xp.where(mask, step.reward[t, :] + step.discount[t, :] * after, longest[k]))
        longest, known = now, known | mask
        returns.append(longest[-1])
    return xp.where(rollout.mask, xp.stack(returns[::-1]), zeros)


class _Step(NamedTuple):
    """What a backward pass needs, each ``(T, B)``: ``ends`` is True where nothing later may flow back."""

    reward: Array
    discount: Array
    next_values: Array
    ends: Array


def _prepare(
    rollout: Rollout,
    values: Array,
    next_values: Array,
    reward: Array | None,
    discount: Array | None,
    gamma: float | None,
    episodic: bool,
) -> _Step:
    xp = array_namespace(values)
    reward = rollout.reward if reward is None else reward
    column: Array = rollout.discount if discount is None else discount
    if gamma is not None:
        if discount is not None:
            raise ValueError("give discount, a column, or gamma, a number, not both")
        ends = rollout.done & (rollout.discount == 0) & episodic
        column = xp.where(ends, xp.zeros_like(values), xp.full_like(values, gamma))
    want = tuple(rollout.discount.shape)
    for name, array in (("values", values), ("next_values", next_values), ("reward", reward), ("discount", column)):
        if tuple(array.shape) != want:
            raise ValueError(f"{name} must have shape (T, B) = {want}, as the rollout has, got {tuple(array.shape)}")
    if episodic:
        return _Step(reward, column, next_values, rollout.done)
    next_values = xp.where(rollout.done, _following(rollout.mask, values, next_values), next_values)
    return _Step(reward, column, next_values, xp.zeros_like(rollout.done))


def _following(mask: Array, values: Array, otherwise: Array) -> Array:
    """The value at each column's next unmasked step, ``otherwise`` where there is none."""
    xp = array_namespace(values)
    known = xp.zeros_like(mask[0, :])
    latest = xp.zeros_like(values[0, :])
    rows = []
    for t in range(mask.shape[0] - 1, -1, -1):
        rows.append(xp.where(known, latest, otherwise[t, :]))
        latest = xp.where(mask[t, :], values[t, :], latest)
        known = known | mask[t, :]
    return xp.stack(rows[::-1])
