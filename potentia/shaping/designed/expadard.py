"""A designed reward that is computed anew for the learner as it is: adaptive informativeness."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.arrays import host_array
from potentia.envs.exact import TransitionModel
from potentia.gamma import needs_gamma
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping.designed.action_chances import action_chances
from potentia.shaping.designed.exprd import model_of, reads_of, replaced
from potentia.shaping.designed.linear_program import LinearProgram
from potentia.shaping.designed.reward_design import Invariance
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree

__all__ = ["ExpAdaRD", "occupancy"]

Floats = NDArray[np.float64]


class ExpAdaRD(Shaper):
    """``R(obs, action) - reward``: R keeps the optimal policies of a known world, and teaches the policy of now most.

    Devidze, Kamalaruban and Singla 2024, "Informativeness of reward functions in reinforcement learning" (AAMAS). Every
    few episodes a linear program maximises ``sum over s, a of mu_T(s) mu(s, a) pi(a | s) (A(s, a) - A(s, pi)) (R(s, a)
    - R(s, pi))``. pi is the learner's policy, ``f(s, pi) = sum_b pi(b | s) f(s, b)``, A are the world's own optimal
    advantages, mu(s, a) is how often the learner is in s and does a, and mu_T(s) how often a teacher is in s who does
    what is optimal, but for a random action now and then. The constraints are those of `potentia.shaping.EXPRD`.
    Both mu are discounted, and sum to 1 over the states that don't end the episode. Before the first update pi is
    uniform.

    R holds in one world at one discount, so the contract promises nothing. `potentia.audit.certify` proves in a world
    what holds there, of R as it is then.

    Args:
        model: The world, or the id of an enumerable world of `potentia.envs.exact`.
        gamma: The learner's discount factor, below 1.
        every: The number of episodes after which R is computed anew.
        r_max: No reward is larger, of either sign. None stands for the world's own largest.
        features: R is linear in these, ``(S, A, d)``. Of ``(S, d)`` each action has its own. None: R is free.
        epsilon: How often the teacher acts at random.
        observations: What the policy sees in each state, a tree of arrays ``(S, ...)``. None: the state's number.
        states: As for `potentia.shaping.EXPRD`.
        options: What the function that makes the model takes, if ``model`` is an id.
        name: The term's name.

    Attributes:
        reward: R as it is, ``(S, A)``.

    Raises:
        ValueError: If ``model`` is an unknown id, or no reward of these features within ``r_max`` keeps the optimum.
        ImportError: If SciPy is not installed (the extra ``designed``).

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> no = np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=np.array([[2, 2]]), action=np.array([[1, 0]]), next_obs=np.array([[3, 1]]),
    ...     terms={"env": np.zeros((1, 2))}, discount=np.full((1, 2), 0.9), terminated=no, truncated=no)
    >>> shaper = ExpAdaRD("potentia/Chain-v0", gamma=0.9, options={"length": 6})
    >>> right, left = shaper.shape(rollout)[0].reward[0]
    >>> (right - left > 0).item(), float(abs(shaper.reward).max().round(6))  # right is told from left, within r_max
    (True, 1.0)
    """

    saved = ("reward", "_episodes")

    @needs_gamma
    def __init__(
        self,
        model: TransitionModel | str,
        *,
        gamma: float,
        every: int = 5,
        r_max: float | None = None,
        features: Any = None,
        epsilon: float = 0.4,
        observations: Tree = None,
        states: str | None = None,
        options: Mapping[str, Any] | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(1, every=every)
        self.model, self.every, self.states = model_of(model, options), every, states
        count, actions = self.model.num_states, self.model.num_actions
        self._kept = kept = Invariance(self.model, gamma)
        own = self.model.expected_reward()[kept.live]
        self._limit = float(np.abs(own).max()) if r_max is None else float(r_max)
        self._features = _features(features, count, actions)[kept.live].reshape(len(kept.live) * actions, -1)
        self._observations = np.arange(count) if observations is None else observations
        best = kept.optimal.argmax(axis=1)
        greedy = (1.0 - epsilon) * np.eye(actions)[best] + epsilon / actions
        self._teacher = occupancy(self.model, kept.live, greedy, gamma)
        q = kept.optimum.action_values[kept.live]
        self._advantage = q - q.max(axis=1, keepdims=True)
        self._episodes = 0
        self.reward = self._designed(np.full((len(kept.live), actions), 1.0 / actions))
        self.contract: Contract = Contract(
            reads=reads_of(states) | {"terminated", "truncated"}, scope="lifelong", needs_policy=True, rescales=True
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return replaced(rollout, self.reward, self.states, self.name), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Counts the episodes that ended, and computes R anew for the policy if there are enough.

        Raises:
            ValueError: If there is no policy.
        """
        self._episodes += int((host_array(rollout.done) & host_array(rollout.mask)).sum())
        if self._episodes < self.every:
            return {}
        self._episodes %= self.every
        chances = action_chances(policy, self._observations, self.model.num_actions, 0, self.name)
        pi = chances.cpu().numpy()[self._kept.live]
        self.reward = self._designed(pi)
        return {"informativeness": self.informativeness(self.reward, pi)}

    def informativeness(self, reward: Floats, policy: Floats) -> float:
        """What is maximised, of a reward ``(S, A)`` for a policy pi(a | s), ``(L, A)`` of the states that don't end."""
        return float((self._weights(policy) * reward[self._kept.live]).sum())

    def _weights(self, pi: Floats) -> Floats:
        """What each R(s, a) counts in what is maximised, ``(L, A)``."""
        visits = occupancy(self.model, self._kept.live, pi, self._kept.gamma)
        usual = (pi * self._advantage).sum(axis=1, keepdims=True)
        worth = (self._teacher * visits)[:, None] * pi**2 * (self._advantage - usual)  # mu(s, a) has a pi in it
        weights: Floats = worth - pi * worth.sum(axis=1, keepdims=True)
        return weights

    def _designed(self, pi: Floats) -> Floats:
        program = LinearProgram()
        weights = self._weights(pi)
        weights = weights / max(float(np.abs(weights).max()), 1e-300)  # a solver's tolerances are absolute
        size = self._features.shape[1]
        # With features of their own bound, R's bound is a constraint.
        rewards = program.add(size, -np.inf, np.inf, weights.ravel() @ self._features)
        for sign in (1.0, -1.0):
            program.at_least([(rewards, sign * self._features)], -self._limit)
        self._kept.constrain(program, rewards, self._features)
        found = program.solve(
            f"no reward of these features and of at most {self._limit:g} keeps the optimal policies; raise r_max, or "
            "give features that tell the states apart"
        )
        reward = self._features @ found[rewards]
        return self._kept.spread(np.where(np.abs(reward) < 1e-9, 0.0, reward))


def occupancy(model: TransitionModel, live: NDArray[np.int64], policy: Floats, gamma: float) -> Floats:
    """How often a policy is in each state that does not end the episode, discounted, ``(L,)``. They sum to 1."""
    onward = np.einsum("sa,sat->st", policy, model.continuing()[live][:, :, live])
    visits = np.linalg.solve(np.eye(len(live)) - gamma * onward.T, model.start[live])
    found: Floats = visits / visits.sum()
    return found


def _features(features: Any, states: int, actions: int) -> Floats:
    """Features of states and actions, ``(S, A, d)``.

    Raises:
        ValueError: If their shape is another.
    """
    if features is None:
        return np.eye(states * actions).reshape(states, actions, -1)
    found = np.asarray(features, np.float64)
    if found.shape[:1] == (states,) and found.ndim == 2:
        crossed: Floats = np.einsum("sd,ab->sabd", found, np.eye(actions))
        return crossed.reshape(states, actions, -1)
    if found.ndim != 3 or found.shape[:2] != (states, actions):
        raise ValueError(
            f"features must have shape (S, d) or (S, A, d) with S={states} and A={actions}, got {found.shape}"
        )
    return found
