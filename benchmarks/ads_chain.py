"""Automatic discount scheduling on the chain whose best imitator depends on gamma alone, against other gammas.

    python benchmarks/ads_chain.py

The imitator is exact: in each of forty rounds it has the policy that is optimal for ``info["resemblance"]`` at the
present gamma, and plays ten episodes, from which whoever sets the discount learns. The table says how the last round's
policy does over 200 episodes and ten seeds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the worlds
from potentia.collect import collect_episodes, reset_seed
from potentia.envs.exact.progress_chain import progress_chain
from potentia.envs.exact.solve import optimum
from potentia.recording import record_demonstrations
from potentia.rollout import Rollout
from potentia.shaping import AutomaticDiscount, ScheduleDiscount, Shaper
from potentia.shaping.schedules import Exponential, Horizon, Linear

ROUNDS, EPISODES, SEEDS, LENGTH = 40, 10, 10, 50
STEPS = ROUNDS * EPISODES * LENGTH // 2  # of whoever comes to the end in half of the time
LIFTED = 20  # the state


class BestImitator:
    """The policy that is optimal for resemblance at some gamma."""

    def __init__(self, gamma: float) -> None:
        model = progress_chain()
        alike = np.broadcast_to(model.columns["resemblance"], model.transition.shape)
        self._policy = optimum(replace(model, reward=alike), gamma).policy

    def init(self, num_envs: int) -> Any:
        """No memory."""
        return ()

    def act(self, obs: Any, carry: Any) -> Any:
        """The best action of each state."""
        return self._policy[np.asarray(obs)], carry


def worlds(count: int) -> Any:
    """The chain."""
    return gym.make_vec("potentia/ProgressChain-v0", count, vectorization_mode="vector_entry_point")


def one_hot(obs: Any) -> Any:
    """A state as a feature vector: no state is more like another."""
    return np.eye(64)[np.asarray(obs, np.int64)]


def schedules(shown: Rollout) -> dict[str, Callable[[], Shaper]]:
    """Who sets the discount. Those that end somewhere are there well before the last round."""
    first, whole = 5, shown.num_steps  # a fifth of the demonstrations' steps, and all
    return {
        "0.9": lambda: ScheduleDiscount(0.9),
        "0.99": lambda: ScheduleDiscount(0.99),
        "exponential to 0.99": lambda: ScheduleDiscount(Exponential(0.2 ** (1 / first), 0.99, STEPS // 8)),
        "oracle": lambda: ScheduleDiscount(Horizon(Linear(first, whole, STEPS // 2))),
        "ADS": lambda: AutomaticDiscount(shown, encoder=one_hot, every=1),
    }


def played(discount: Any, seed: int) -> tuple[float, float, float]:
    """The last policy's true return, how often it lifts the load, and its gamma."""
    envs = worlds(EPISODES)
    for turn in range(ROUNDS):
        discount.update(
            collect_episodes(envs, BestImitator(discount.gamma), EPISODES, gamma=0.99, seed=reset_seed(seed, turn))
        )
    last = collect_episodes(worlds(200), BestImitator(discount.gamma), 200, gamma=0.99, seed=reset_seed(seed, ROUNDS))
    lifted = (np.asarray(last.next_obs) == LIFTED).any(0)
    return float(last.terms["env"].sum(0).mean()), float(lifted.mean()), discount.gamma


def main() -> None:
    """Prints the table."""
    shown, _ = record_demonstrations(worlds(5), 5, gamma=0.99, seed=0)
    print("| discount | true return | from, to | load lifted | last gamma |\n|---|---|---|---|---|")
    for name, make in schedules(shown).items():
        runs = np.array([played(make(), seed) for seed in range(SEEDS)])
        score, lifted, gamma = runs.mean(0)
        least, most = runs[:, 0].min(), runs[:, 0].max()
        print(f"| {name} | {score:.3f} | {least:.3f}, {most:.3f} | {lifted:.2f} | {gamma:.4f} |", flush=True)


if __name__ == "__main__":
    main()
