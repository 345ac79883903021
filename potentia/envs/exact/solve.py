"""Exact answers about a `TransitionModel`: optimum, returns within a limit, shortest paths."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from potentia.envs.exact.model import BoolArray, FloatArray, TransitionModel

__all__ = ["Optimum", "optimum", "policy_values", "return_within", "shortest_distance"]


@dataclass(frozen=True, eq=False)
class Optimum:
    """The solution of the Bellman optimality equation.

    Attributes:
        values: V*(s), shape (S,). It is 0 at terminal states.
        action_values: Q*(s, a), shape (S, A). It is 0 at terminal states.
        optimal: Shape (S, A): the optimal actions, those within ``tolerance`` of the best.
        policy: The first optimal action of each state, shape (S,).
    """

    values: FloatArray
    action_values: FloatArray
    optimal: BoolArray
    policy: NDArray[np.int64]


def policy_values(model: TransitionModel, policy: FloatArray, discount: float) -> FloatArray:
    """V = (I - discount * P_pi)^-1 r_pi, by one linear solve, shape (S,).

    Args:
        model: The world.
        policy: pi(a | s), shape (S, A).
        discount: In [0, 1).

    Returns:
        V_pi(s), 0 at terminal states.
    """
    _check_discount(discount)
    onward = np.einsum("sa,sat->st", policy, model.continuing())
    reward = np.einsum("sa,sa->s", policy, model.expected_reward())
    reward[model.terminal] = 0.0
    return np.linalg.solve(np.eye(model.num_states) - discount * onward, reward)


def optimum(model: TransitionModel, discount: float, *, tolerance: float = 1e-10) -> Optimum:
    """V*, Q* and the set of optimal actions, by policy iteration with exact evaluation.

    Args:
        model: The world.
        discount: In [0, 1).
        tolerance: Two actions whose values differ by less than this, times the largest |Q|, are both optimal.

    Returns:
        The optimum, in float64.

    Raises:
        ValueError: If the discount is not in [0, 1).
    """
    _check_discount(discount)
    reward, onward = model.expected_reward(), model.continuing()
    live = ~model.terminal
    policy = reward.argmax(axis=1)
    while True:
        values = policy_values(model, np.eye(model.num_actions)[policy], discount)
        q = np.where(live[:, None], reward + discount * (onward @ values), 0.0)
        slack = tolerance * max(1.0, float(np.abs(q).max()))
        best = q.max(axis=1)
        # Only a strict improvement changes the policy, so that rounding cannot make it cycle.
        improved = best > np.take_along_axis(q, policy[:, None], axis=1)[:, 0] + slack
        if not improved.any():
            optimal = q >= best[:, None] - slack
            return Optimum(best, q, optimal, optimal.argmax(axis=1))
        policy = np.where(improved, q.argmax(axis=1), policy)


def return_within(model: TransitionModel, horizon: int, policy: FloatArray | None = None) -> float:
    """Expected undiscounted return of an episode of at most ``horizon`` steps, by backward induction.

    Args:
        model: The world.
        horizon: Number of steps after which the episode is truncated.
        policy: pi(a | s), shape (S, A). None stands for the best policy, which may depend on the time left.

    Returns:
        The expectation over the start distribution.
    """
    reward, onward = model.expected_reward(), model.continuing()
    reward[model.terminal] = 0.0
    values = np.zeros(model.num_states)
    for _ in range(horizon):
        q = reward + onward @ values
        values = q.max(axis=1) if policy is None else (policy * q).sum(axis=1)
    return float(model.start @ values)


def shortest_distance(model: TransitionModel) -> FloatArray:
    """Fewest steps to a success state in the support graph, shape (S,). It is -1.0 where there is no way.

    The support graph has an edge wherever some action has a positive probability: in a stochastic world the
    distance is that of the luckiest run, not an expectation.
    """
    edge: BoolArray = np.asarray((model.continuing() > 0).any(axis=1))
    arrive: BoolArray = np.asarray((model.transition > 0).any(axis=1) & ~model.terminal[:, None])
    distance = np.where(model.success, 0.0, -1.0)
    frontier = model.success
    step = 0
    while frontier.any():
        step += 1
        graph = arrive if step == 1 else edge
        frontier = np.asarray(graph[:, frontier].any(axis=1) & (distance < 0))
        distance[frontier] = step
    return distance


def _check_discount(discount: float) -> None:
    if not 0.0 <= discount < 1.0:
        raise ValueError(
            f"discount must be in [0, 1), got {discount}; for undiscounted returns within a limit use return_within"
        )
