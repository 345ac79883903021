"""How soon tabular Q-learning is near the optimum under designed and learned rewards, in their authors' worlds.

    python benchmarks/designed_rewards.py [exprd | explors] [--seeds 10] [--ties first]

The true return of the greedy policy is computed, not sampled: its expectation within the world's time limit. Told are
the steps until it is at least 0.9 of the best there is, at two evaluations in a row: the median of the seeds with a 95%
interval by bootstrap. A seed that does not get there counts as the budget, and as ">" in the table. With ``--ties
first`` the first of equally good actions is taken, as NumPy's argmax does, and not one of them at random.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

import gymnasium as gym
import numpy as np

from potentia.agents import EnvCollector, Loop, QLearning, QLearningConfig
from potentia.envs import exact
from potentia.shaping import EXPRD, ExploRS, PotentialShaping, Shaper

Make = Callable[[exact.TransitionModel, float], Shaper | None]


def by_values(model: exact.TransitionModel, gamma: float) -> Shaper:
    """The dense ideal: the optimal values are the potential."""
    return PotentialShaping(exact.optimum(model, gamma).values)


def explors(**settings: float) -> Make:
    """ExploRS in a table, clipped as its authors do for Q-learning."""
    return lambda model, gamma: ExploRS(
        gym.spaces.Discrete(model.num_states), gym.spaces.Discrete(model.num_actions), clip=0.01, **settings
    )


DESIGNED: dict[str, Make] = {
    "original": lambda model, gamma: None,
    "PBRS, potential V*": by_values,
    "EXPRD, 1 state": lambda model, gamma: EXPRD(model, gamma=gamma, budget=1),
    "EXPRD, 5 states": lambda model, gamma: EXPRD(model, gamma=gamma, budget=5, corners=16),
    "EXPRD, all states": lambda model, gamma: EXPRD(model, gamma=gamma, corners=16),
    "EXPRD, 5 states, a corner": lambda model, gamma: EXPRD(model, gamma=gamma, budget=5),
    "EXPRD, all states, a corner": lambda model, gamma: EXPRD(model, gamma=gamma),
}
LEARNED: dict[str, Make] = {
    "original": lambda model, gamma: None,
    "bonus alone": explors(learning_rate=0.0),
    "SelfRS": explors(bonus=0.0),
    "ExploRS": explors(),
}
AUTHORS = {"reward": 1.0, "random_move": 0.05, "ends": False, "time_limit": 30}


def steps_needed(
    model: exact.TransitionModel, shaper: Shaper | None, gamma: float, seed: int, budget: int, every: int,
    config: QLearningConfig, episodes: int, first: bool,
) -> int:  # fmt: skip
    """How many steps until the greedy policy is near the optimum, at most ``budget``."""
    limit = model.time_limit
    assert limit is not None
    envs = exact.TabularVectorEnv(model, 1, autoreset_mode="SameStep")
    agent = QLearning(envs.single_observation_space, envs.single_action_space, config, seed=seed)
    if first:
        agent.values -= 1e-9 * np.arange(model.num_actions)
    loop = Loop(EnvCollector(envs, episodes * limit, gamma=gamma), agent, shaper)
    loop.begin(seed)
    best, near, due = exact.return_within(model, limit), 0, every
    while loop.steps < budget:
        loop.iterate()
        if loop.steps >= due:
            greedy = np.eye(model.num_actions)[agent.values.argmax(axis=1)]
            near = near + 1 if exact.return_within(model, limit, greedy) >= 0.9 * best else 0
            if near == 2:
                return loop.steps
            due += every
    return budget


def table(
    what: str, model: exact.TransitionModel, makers: dict[str, Make], seeds: int, gamma: float, budget: int, every: int,
    config: QLearningConfig, episodes: int, first: bool = False,
) -> None:  # fmt: skip
    """Prints one table."""
    print(f"\n{what}: at most {budget:,} steps\n\n| shaping | steps | 95% interval | reached |\n|---|---|---|---|")
    designs: dict[str, Shaper | None] = {}
    for name, make in makers.items():
        needed = []
        for seed in range(seeds):
            shaper = designs[name] if name in designs else make(model, gamma)
            if shaper is None or not shaper.learns:
                designs[name] = shaper  # it is the same for every seed
            needed.append(steps_needed(model, shaper, gamma, seed, budget, every, config, episodes, first))
        drawn = np.random.default_rng(0).choice(needed, (10_000, seeds))
        low, high = np.quantile(np.median(drawn, axis=1), (0.025, 0.975))
        reached, sign = sum(n < budget for n in needed), ">" if np.median(needed) >= budget else ""
        print(
            f"| {name} | {sign}{np.median(needed):,.0f} | {low:,.0f} to {high:,.0f} | {reached} of {seeds} |",
            flush=True,
        )


def main() -> None:
    """Prints the tables of one paper, or of both."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("paper", nargs="?", choices=("exprd", "explors"))
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--ties", choices=("random", "first"), default="random")
    given = parser.parse_args()
    if given.paper != "explors":
        config = QLearningConfig(learning_rate=0.5, epsilon=0.1)  # both as in the paper
        table("Room", exact.room(), DESIGNED, given.seeds, 0.95, 60_000, 500, config, 1, given.ties == "first")
    if given.paper != "exprd":
        config = QLearningConfig(learning_rate=0.1, epsilon=0.05)
        for what, model in {
            "TwoWayChain with its distractor": exact.two_way_chain(),
            "Room of 2022 with its distractor": exact.room(**AUTHORS, distractor=0.01),
        }.items():
            table(what, model, LEARNED, given.seeds, 0.99, 40_000, 1000, config, 5, given.ties == "first")


if __name__ == "__main__":
    main()
