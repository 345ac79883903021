"""A sparse reward that tells optimal actions from others soon, by linear programming on a world that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from potentia.envs.exact import Optimum, TransitionModel, optimum
from potentia.gamma import check_gamma, needs_gamma
from potentia.limits import check_at_least
from potentia.shaping.designed.linear_program import LinearProgram

__all__ = ["Design", "Invariance", "design_reward"]

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

HORIZONS = (1, 4, 8, 16, 32)
_SLACK = 1.0 + 1e-5
"""What the gaps are divided by, as in the authors' code: the world's own reward must not fail by rounding."""
_SAMPLED = 8


@dataclass(frozen=True, eq=False)
class Design:
    """What `design_reward` found.

    Attributes:
        reward: R(s, a), ``(S, A)``, 0 where nothing is paid.
        states: The states in which it may be other than 0, in order.
        informativeness: I(R), at most 0. It is 0 if each optimal action is told from the others within each horizon.
        objective: ``I(R) - sparsity * |R|_1``.
    """

    reward: Floats
    states: tuple[int, ...]
    informativeness: float
    objective: float


class Invariance:
    """The constraints under which optimal policies stay optimal, and no others become so: linear in R.

    They are on R and on V, its values of an optimal policy: ``V(s) = R(s, a) + gamma P V`` for each action that is
    optimal in truth, and ``V(s) - R(s, a) - gamma P V >= delta(s)`` for the others. So every optimal policy is optimal
    under R, as if each had constraints of its own. delta(s) is the least that is lost by an action that is not optimal,
    with the world's own reward.

    Args:
        model: The world.
        gamma: The learner's discount factor.

    Attributes:
        live: The states that don't end the episode, ``(L,)``. All below is of these.
        optimum: The world's own, of all states.
        optimal: The optimal actions, ``(L, A)``.
        gap: delta, ``(L,)``. It is 0 where all actions are optimal.
        onward: P(s' | s, a), ``(L * A, L)``.
    """

    def __init__(self, model: TransitionModel, gamma: float) -> None:
        self.model, self.gamma = model, gamma
        self.live = np.flatnonzero(~model.terminal)
        self.optimum: Optimum = optimum(model, gamma)
        self.optimal: Bools = self.optimum.optimal[self.live]
        q = self.optimum.action_values[self.live]
        lost = np.where(self.optimal, np.inf, q.max(axis=1, keepdims=True) - q).min(axis=1)
        self.gap: Floats = np.where(np.isinf(lost), 0.0, lost) / _SLACK
        self.onward = model.continuing()[self.live][:, :, self.live].reshape(-1, len(self.live))

    def acting(self, policy: NDArray[np.int64]) -> Floats:
        """The map from numbers of states and actions ``(L * A,)`` to those of the actions that a policy takes."""
        chosen = np.zeros((len(policy), len(policy), self.model.num_actions))
        rows = np.arange(len(policy))
        chosen[rows, rows, policy] = 1.0
        return chosen.reshape(len(policy), -1)

    def constrain(self, program: LinearProgram, rewards: slice, features: Floats) -> None:
        """Adds V and the constraints. R is ``features @ x[rewards]``, ``(L * A,)``."""
        values = program.add(len(self.live), -np.inf, np.inf)
        own = np.repeat(np.eye(len(self.live)), self.model.num_actions, axis=0) - self.gamma * self.onward
        best = self.optimal.ravel()
        program.equal([(values, own[best]), (rewards, -features[best])], 0.0)
        lost = np.repeat(self.gap, self.model.num_actions)[~best]
        program.at_least([(values, own[~best]), (rewards, -features[~best])], lost)

    def spread(self, reward: Floats) -> Floats:
        """R of the live states as a table ``(S, A)``."""
        table = np.zeros((self.model.num_states, self.model.num_actions))
        table[self.live] = reward.reshape(len(self.live), -1)
        return table

    def policies(self, most: int) -> list[NDArray[np.int64]]:
        """All deterministic optimal policies, or so many of them drawn at random, if there are more."""
        counts = self.optimal.sum(axis=1)
        if np.log(counts).sum() <= np.log(most) + 1e-9:
            ways = np.unravel_index(np.arange(counts.prod()), tuple(counts[counts > 1])) if (counts > 1).any() else ()
            picked = np.zeros((int(counts.prod()), len(counts)), np.int64)
            picked[:, counts > 1] = np.stack(ways, axis=1) if ways else 0
        else:
            picked = np.random.default_rng(0).integers(0, counts, (most, len(counts)))
        order = np.argsort(~self.optimal, axis=1, kind="stable")
        return [np.take_along_axis(order, row[:, None], axis=1)[:, 0] for row in picked]


@needs_gamma
def design_reward(
    model: TransitionModel,
    *,
    gamma: float,
    horizons: Sequence[int] = HORIZONS,
    r_max: float | None = None,
    budget: int | None = None,
    sparsity: float = 0.0,
    policies: int = _SAMPLED,
    corners: int = 1,
) -> Design:
    """Maximises ``I(R) - sparsity |R|_1`` over rewards that keep the optimal policies: EXPRD.

    Devidze, Radanovic, Kamalaruban and Singla 2021, "Explicable reward design for reinforcement learning agents"
    (NeurIPS). ``I(R) = -mean over policies, horizons h and states of max(0, max_a (delta(s) - (Q_h(s, pi(s)) -
    Q_h(s, a))))``. a are the actions that are not optimal. Q_h(s, a) is the discounted sum of R(s, a) and the h rewards
    after it by an optimal policy pi. The mean is over all deterministic optimal policies, or over some drawn at
    random, if there are more than ``policies``. States in which all actions are optimal count as 0.

    With a budget, R is 0 but in so many states. They begin with those in which the world pays, and the state is added
    whose addition is worth most, one after another. Then one linear program is solved for each state that may be
    added.

    Args:
        model: The world, which is known.
        gamma: The learner's discount factor, below 1.
        horizons: The h.
        r_max: No reward is larger, of either sign. None stands for the world's own largest.
        budget: In how many states the reward may be other than 0. None: in all.
        sparsity: The price of a reward's size. The authors' main results have 0.
        policies: How many optimal policies are averaged at most.
        corners: Many rewards are equally good. HiGHS finds a corner of their set, whose numbers are as large as they
            may be. The mean of so many corners is as good, and lies nearer to the middle, where the interior-point
            solver of the authors ends.

    Raises:
        ValueError: If gamma is 1, the budget is smaller than the number of states in which the world pays, or there is
            no such reward within ``r_max``.
        ImportError: If SciPy is not installed.

    >>> from potentia.envs.exact import chain
    >>> found = design_reward(chain(6), gamma=0.9)  # in each cell "right" can be told from "left" at once
    >>> found.informativeness, found.states
    (0.0, (1, 2, 3, 4))
    >>> sparse = design_reward(chain(9), gamma=0.9, horizons=[0, 1], budget=2)  # the world pays in cells 1 and 7
    >>> sparse.states, sparse.informativeness < 0  # in cells 3 to 5 nothing is told within a step
    ((1, 7), True)
    """
    gamma = check_gamma(gamma)
    check_at_least(0, sparsity=sparsity, least_horizon=min(horizons))
    check_at_least(1, policies=policies, corners=corners)
    kept = Invariance(model, gamma)
    own = model.expected_reward()
    paying = [int(s) for s in kept.live if np.abs(own[s]).any()]
    if budget is not None and budget < len(paying):
        raise ValueError(
            f"the world pays in {len(paying)} states, which must be among those that the budget allows, "
            f"got budget={budget}"
        )
    limit = float(np.abs(own[kept.live]).max()) if r_max is None else float(r_max)
    designer = _Designer(kept, horizons, limit, sparsity, policies)
    if budget is None or budget >= len(kept.live):
        return designer.best([int(s) for s in kept.live], corners)
    found = designer.best(paying)
    while len(found.states) < budget and found.objective < -1e-9:
        others = [int(s) for s in kept.live if s not in found.states]
        found = max((designer.best([*found.states, one]) for one in others), key=lambda one: round(one.objective, 9))
    return designer.best(found.states, corners) if corners > 1 else found


class _Designer:
    """The linear programs of one world: they differ in the states that pay."""

    def __init__(self, kept: Invariance, horizons: Sequence[int], limit: float, sparsity: float, policies: int) -> None:
        self.kept, self.limit, self.sparsity = kept, limit, sparsity
        # Of each policy and horizon, the map from R to the gaps, (L * A, L * A).
        self._gaps = [gap for policy in kept.policies(policies) for gap in self._gaps_of(policy, tuple(horizons))]
        self._counts = len(self._gaps) * len(kept.live)

    def _gaps_of(self, policy: NDArray[np.int64], horizons: tuple[int, ...]) -> list[Floats]:
        kept = self.kept
        own = kept.acting(policy)
        step = kept.gamma * kept.onward @ own
        total = power = np.eye(len(step))
        found = {}
        for h in range(max(horizons) + 1):
            if h:
                power = power @ step
                total = total + power
            if h in horizons:
                gap = np.repeat(own @ total, kept.model.num_actions, axis=0) - total
                found[h] = np.where(np.abs(gap) < 1e-9, 0.0, gap)  # what is 0 but for rounding slows the solver down
        return [found[h] for h in horizons]

    def best(self, states: Sequence[int], corners: int = 1) -> Design:
        """The best reward that is other than 0 in these states at most, or the mean of so many that are as good."""
        kept, actions = self.kept, self.kept.model.num_actions
        columns = (np.searchsorted(kept.live, sorted(states))[:, None] * actions + np.arange(actions)).ravel()
        program = LinearProgram()
        rewards = program.add(len(columns), -self.limit, self.limit)
        kept.constrain(program, rewards, np.eye(len(kept.onward))[:, columns])
        others = ~kept.optimal
        told = np.flatnonzero(others.any(axis=1))  # where there is anything to tell apart
        of = np.eye(len(told))[np.repeat(np.arange(len(told)), others[told].sum(axis=1))]
        wanted = of @ kept.gap[told]
        shortfalls = []
        for gap in self._gaps:
            short = program.add(len(told), 0.0, np.inf, -1.0 / self._counts)
            program.at_least([(rewards, gap[others.ravel()][:, columns]), (short, of)], wanted)
            shortfalls.append(short)
        if self.sparsity:
            size, one = program.add(len(columns), 0.0, np.inf, -self.sparsity), np.eye(len(columns))
            program.at_least([(rewards, one), (size, one)], 0.0)
            program.at_least([(rewards, -one), (size, one)], 0.0)
        values = program.solve(
            f"no reward of at most {self.limit:g} in the states {sorted(states)} keeps the optimal policies; "
            "raise r_max or the budget"
        )
        if corners > 1:
            values = program.middle(values, rewards, corners)
        reward = np.zeros(len(kept.onward))
        reward[columns] = values[rewards]
        reward[np.abs(reward) < 1e-9] = 0.0
        informativeness = -sum(float(values[short].sum()) for short in shortfalls) / self._counts
        return Design(
            reward=kept.spread(reward),
            states=tuple(sorted(states)),
            informativeness=informativeness + 0.0,
            objective=informativeness - self.sparsity * float(np.abs(reward).sum()),
        )
