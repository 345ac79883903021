"""Automatic discount scheduling on the chain whose best imitator depends on gamma alone, against other gammas.

    python benchmarks/ads_chain.py

Q-learning is paid ``info["resemblance"]`` and nothing else. The table says the true return of the greedy policy (the
share of episodes in which the load is carried to the far end; 0.96 is the most) over ten seeds, and how often the load
was lifted at all.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the worlds
from potentia.agents import EpisodeCollector, Loop, QLearning, QLearningConfig, evaluate
from potentia.collect import collect_episodes
from potentia.recording import record_demonstrations
from potentia.rollout import Rollout
from potentia.shaping import AutomaticDiscount, Chain, Contract, HideReward, ScheduleDiscount, Shaper
from potentia.shaping.schedules import Exponential, Horizon, Linear

STEPS, ENVS, SEEDS = 80_000, 8, 10
FIFTH, WHOLE = 5, 25  # of the demonstrations' steps


class Resemblance(Shaper):
    """``info["next_resemblance"]``: what imitation pays here."""

    contract = Contract(reads=frozenset({"info:next_resemblance"}))

    def shape(self, rollout: Rollout, carry: Any = ()) -> tuple[Rollout, Any]:
        """Adds it."""
        return rollout.add(self.name, rollout.info["next_resemblance"]), carry


def worlds(count: int = ENVS) -> Any:
    """The chain."""
    return gym.make_vec("potentia/ProgressChain-v0", count, vectorization_mode="vector_entry_point")


def one_hot(obs: Any) -> Any:
    """A state as a feature vector: no state is more like another."""
    return np.eye(64)[np.asarray(obs, np.int64)]


def schedules(shown: Rollout) -> dict[str, Callable[[], Shaper]]:
    """Who sets the discount."""
    first = 0.2 ** (1 / FIFTH)
    return {
        "0.9": lambda: ScheduleDiscount(0.9),
        "0.99": lambda: ScheduleDiscount(0.99),
        "exponential": lambda: ScheduleDiscount(Exponential(first, 0.99, STEPS // 10)),
        "oracle": lambda: ScheduleDiscount(Horizon(Linear(FIFTH, WHOLE, STEPS // 2))),
        "ADS": lambda: AutomaticDiscount(shown, encoder=one_hot, every=1_000),
    }


def learned(discount: Shaper, seed: int) -> tuple[float, float, float]:
    """The greedy policy's true return, how often it lifts the load, and the last gamma."""
    envs = worlds()
    config = QLearningConfig(learning_rate=0.2, epsilon=0.1)
    agent = QLearning(envs.single_observation_space, envs.single_action_space, config, seed=seed)
    shaper = Chain(discount, HideReward(), Resemblance())
    loop = Loop(EpisodeCollector(envs, ENVS, gamma=0.99, columns=shaper.contract), agent, shaper)
    loop.begin(seed)
    while loop.steps < STEPS:
        loop.iterate()
    found = evaluate(worlds, agent, 200, seed=5, greedy=True)
    played = collect_episodes(worlds(), agent.frozen(greedy=True), 8, gamma=0.99, seed=5)
    lifted = float((np.asarray(played.next_obs) == 20).any(0).mean())
    return float(np.mean(found.returns)), lifted, discount.gamma  # type: ignore[attr-defined]


def main() -> None:
    """Prints the table."""
    envs = worlds(5)
    shown, _ = record_demonstrations(envs, 5, gamma=0.99, seed=0)
    print("| discount | true return, mean of ten seeds | least and most | lifted | last gamma |\n|---|---|---|---|---|")
    for name, make in schedules(shown).items():
        runs = np.array([learned(make(), seed) for seed in range(SEEDS)])
        score, lifted, gamma = runs.mean(0)
        print(
            f"| {name} | {score:.3f} | {runs[:, 0].min():.2f} to {runs[:, 0].max():.2f} | {lifted:.2f} | {gamma:.4f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
