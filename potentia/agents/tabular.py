"""Q-learning and SARSA in a table, for worlds whose optimum is known (see `potentia.envs.exact.optimum`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from potentia.arrays import host_array
from potentia.collect import Actor
from potentia.rollout import Rollout
from potentia.trees import Tree

_NEXT_ACTION = "next_action"


class QLearning:
    """``Q(s, a) += learning_rate * (reward + discount * Q(s', a') - Q(s, a))``.

    Watkins 1989 (``target="best"``: a' is the best action); Rummery and Niranjan 1994, SARSA (``target="taken"``: a' is
    the action taken next). The discount is the rollout's. Steps are learned from in the order of time, those of all
    environments at one time together.

    With look-ahead advice (Wiewiora, Cottrell and Elkan 2003) the shaped Q is the true one minus the advice, so actions
    are compared by ``Q + advice``. The shaping pays for the action taken next, so the target must be ``"taken"``.

    Args:
        num_states: States are observations 0, ..., num_states - 1.
        num_actions: Actions are 0, ..., num_actions - 1.
        learning_rate: The step size.
        epsilon: The probability of an action drawn uniformly.
        temperature: If positive, other actions are drawn from ``softmax((Q + advice) / temperature)``; 0 for the best,
            with ties broken at random.
        target: Which a' the target uses.
        advice: ``(num_states, num_actions)``: look-ahead advice, added to Q where actions are compared.
        initial: The value of each entry at the start.
        seed: Seeds the actions.

    Raises:
        ValueError: If the advice has another shape, or is used with ``target="best"``.
    """

    def __init__(
        self,
        num_states: int,
        num_actions: int,
        *,
        learning_rate: float = 0.1,
        epsilon: float = 0.1,
        temperature: float = 0.0,
        target: Literal["best", "taken"] = "best",
        advice: np.ndarray[Any, Any] | None = None,
        initial: float = 0.0,
        seed: int = 0,
    ) -> None:
        shape = (num_states, num_actions)
        self.advice = np.zeros(shape) if advice is None else np.asarray(advice, dtype=np.float64)
        if self.advice.shape != shape:
            raise ValueError(f"advice must have shape (num_states, num_actions) = {shape}, got {self.advice.shape}")
        if advice is not None and target != "taken":
            raise ValueError("look-ahead advice pays for the action taken next, so the target must be 'taken' (SARSA)")
        if target not in ("best", "taken"):
            raise ValueError(f"target must be 'best' (Q-learning) or 'taken' (SARSA), got {target!r}")
        self.values = np.full(shape, float(initial))
        self.learning_rate, self.epsilon, self.temperature, self.target = learning_rate, epsilon, temperature, target
        self.rng = np.random.default_rng(seed)
        self.policy = None

    def init(self, num_envs: int) -> Tree:
        """It has no memory within an episode."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Explores with ``epsilon`` and ``temperature``."""
        return _choose(self._scores(obs), self.epsilon, self.temperature, self.rng), carry

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor on a copy of the table."""
        copy = QLearning(*self.values.shape, epsilon=self.epsilon, temperature=self.temperature, seed=seed)
        copy.values, copy.advice = self.values.copy(), self.advice
        if greedy:
            copy.epsilon = copy.temperature = 0.0
        return copy

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """One pass over the rollout in the order of time; masked steps do not exist.

        Raises:
            ValueError: If the target needs the column ``next_action`` and the rollout lacks it.
        """
        if self.target == "taken" and _NEXT_ACTION not in rollout.info:
            raise ValueError("target='taken' needs info['next_action']; collect with columns=('next_action',)")
        obs, action, reward, discount, next_obs, mask = (
            host_array(column)
            for column in (
                rollout.obs,
                rollout.action,
                rollout.reward,
                rollout.discount,
                rollout.next_obs,
                rollout.mask,
            )
        )
        taken = host_array(rollout.info[_NEXT_ACTION]) if self.target == "taken" else None
        total, count = 0.0, 0
        for t in range(rollout.num_steps):
            rows = np.flatnonzero(mask[t])
            state, following = obs[t, rows].astype(np.int64), next_obs[t, rows].astype(np.int64)
            chosen = self.values[following].argmax(-1) if taken is None else taken[t, rows]
            error = reward[t, rows] + discount[t, rows] * self.values[following, chosen]
            error = error - self.values[state, action[t, rows]]
            np.add.at(self.values, (state, action[t, rows]), self.learning_rate * error)
            total, count = total + float(np.abs(error).sum()), count + rows.size
        return {"td_error": total / count} if count else {}

    def state_dict(self) -> dict[str, Any]:
        """The table and the state of the generator."""
        return {"values": self.values.copy(), "rng": self.rng.bit_generator.state}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned.

        Raises:
            ValueError: If the table has another shape.
        """
        values = np.array(state["values"], dtype=np.float64)
        if values.shape != self.values.shape:
            raise ValueError(f"the saved table must have shape {self.values.shape}, got {values.shape}")
        self.values = values
        self.rng.bit_generator.state = state["rng"]

    def _scores(self, obs: Tree) -> np.ndarray[Any, Any]:
        state = host_array(obs).astype(np.int64)
        scores: np.ndarray[Any, Any] = self.values[state] + self.advice[state]
        return scores


def _choose(
    scores: np.ndarray[Any, Any], epsilon: float, temperature: float, rng: np.random.Generator
) -> np.ndarray[Any, Any]:
    if temperature > 0:
        action = (scores / temperature + rng.gumbel(size=scores.shape)).argmax(-1)
    else:
        best = scores == scores.max(-1, keepdims=True)
        action = np.where(best, rng.random(scores.shape), -1.0).argmax(-1)
    uniform = rng.integers(scores.shape[-1], size=len(scores))
    chosen: np.ndarray[Any, Any] = np.where(rng.random(len(scores)) < epsilon, uniform, action)
    return chosen
