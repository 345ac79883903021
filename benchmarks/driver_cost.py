"""What the drivers cost, beside Gymnasium's own reward wrappers in the same run, and what shaping whole rollouts costs.

``python benchmarks/driver_cost.py`` prints two Markdown tables: medians over interleaved rounds.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.wrappers import NormalizeReward, TransformReward
from gymnasium.wrappers import vector as vector_wrappers

from potentia.rollout import Rollout
from potentia.shaping import Chain, Count, EpisodicCount, PotentialShaping, Scale
from potentia.wrappers import ShapeReward, ShapeVectorReward

ROUNDS = 9
SPACE = gym.spaces.Box(-1.0, 1.0, (4,), np.float32)
ACTIONS = gym.spaces.Discrete(2)


def height(obs: Any) -> Any:
    """A potential that costs next to nothing."""
    return obs[..., 0]


def chain() -> Chain:
    """A potential and an episodic count."""
    return Chain(PotentialShaping(height), Scale(EpisodicCount(), 0.1))


class Null(gym.Env[Any, Any]):
    """A world that does nothing; an episode ends every 100 steps."""

    observation_space, action_space = SPACE, ACTIONS

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode."""
        self.t = 0
        return np.zeros(4, np.float32), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Does nothing."""
        self.t += 1
        return np.zeros(4, np.float32), 1.0, self.t % 100 == 0, False, {}


class NullVector(VectorEnv[Any, Any, Any]):
    """Many of it."""

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.metadata = {"autoreset_mode": AutoresetMode.NEXT_STEP}
        self.single_observation_space, self.single_action_space = SPACE, ACTIONS
        self.observation_space = gym.vector.utils.batch_space(SPACE, num_envs)
        self.action_space = gym.vector.utils.batch_space(ACTIONS, num_envs)
        self._obs = np.zeros((num_envs, 4), np.float32)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        """Starts all episodes."""
        self.t = 0
        return self._obs, {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Does nothing."""
        self.t += 1
        ends = np.full(self.num_envs, self.t % 100 == 0)
        return self._obs, np.ones(self.num_envs), ends, np.zeros_like(ends), {}


def steps(env: Any, action: Any, count: int) -> float:
    """Microseconds a step."""
    env.reset(seed=0)
    single = isinstance(env, gym.Env)
    start = time.perf_counter()
    for _ in range(count):
        _, _, ends, _, _ = env.step(action)
        if single and ends:
            env.reset()
    return 1e6 * (time.perf_counter() - start) / count


def drivers() -> None:
    """Prints the cost that each wrapper adds to a step."""
    print("| us added to a step | 1 env | 16 envs | 1024 envs |")
    print("|---|---|---|---|")
    makers: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
        "none": (lambda env: env, lambda env: env),
        "TransformReward": (
            lambda env: TransformReward(env, lambda r: 0.5 * r),
            lambda env: vector_wrappers.TransformReward(env, lambda r: 0.5 * r),
        ),
        "NormalizeReward": (NormalizeReward, vector_wrappers.NormalizeReward),
        "Shape: PotentialShaping": (
            lambda env: ShapeReward(env, PotentialShaping(height), gamma=0.99),
            lambda env: ShapeVectorReward(env, PotentialShaping(height), gamma=0.99),
        ),
        "Shape: potential + EpisodicCount": (
            lambda env: ShapeReward(env, chain(), gamma=0.99),
            lambda env: ShapeVectorReward(env, chain(), gamma=0.99),
        ),
    }
    medians: dict[tuple[str, int], float] = {}
    for envs in (1, 16, 1024):
        count = {1: 2000, 16: 1000, 1024: 200}[envs]
        times: dict[str, list[float]] = {name: [] for name in makers}
        for _ in range(ROUNDS):
            for name, (single, many) in makers.items():
                env = single(Null()) if envs == 1 else many(NullVector(envs))
                times[name].append(steps(env, 0 if envs == 1 else np.zeros(envs, int), count))
        for name in makers:
            medians[name, envs] = statistics.median(times[name]) - statistics.median(times["none"])
    for name in list(makers)[1:]:
        print(f"| {name} | {' | '.join(f'{medians[name, n]:.1f}' for n in (1, 16, 1024))} |")
    for other in ("TransformReward", "NormalizeReward"):
        ratios = [medians["Shape: PotentialShaping", n] / medians[other, n] for n in (1, 16, 1024)]
        print(f"| PotentialShaping / {other} | {' | '.join(f'{ratio:.2f}x' for ratio in ratios)} |")


def rollouts() -> None:
    """Prints the cost of shaping a whole rollout, for each transition."""
    rng = np.random.default_rng(0)
    shape = (128, 1024)
    ends = rng.random(shape) < 0.01
    obs = rng.integers(0, 50, (*shape, 4)).astype(np.float32)
    data = Rollout(
        obs=obs,
        action=np.zeros(shape, int),
        next_obs=np.roll(obs, -1, axis=0),
        terms={"env": rng.normal(size=shape)},
        discount=0.99 * ~ends,
        terminated=ends,
        truncated=np.zeros(shape, bool),
    )
    shapers = {"PotentialShaping": PotentialShaping(height), "Count": Count(), "EpisodicCount": EpisodicCount()}
    print("\n| ns a transition, rollout (128, 1024) | numpy | torch |\n|---|---|---|")
    for name, shaper in shapers.items():
        cells = []
        for rollout in (data, data.map(torch.as_tensor)):
            times = []
            for _ in range(5):
                start = time.perf_counter()
                shaper.shape(rollout, shaper.init(shape[1]))
                times.append(1e9 * (time.perf_counter() - start) / np.prod(shape))
            cells.append(f"{statistics.median(times):.1f}")
        print(f"| {name} | {' | '.join(cells)} |")


if __name__ == "__main__":
    torch.set_num_threads(1)
    drivers()
    rollouts()
