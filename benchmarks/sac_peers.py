"""The time of a gradient step of SAC beside Stable-Baselines3's, in one process and in turn.

    OMP_NUM_THREADS=1 python benchmarks/sac_peers.py

Observations of 39 numbers and actions of 4, as Meta-World's; two layers of 256 or 64, minibatches of 256. Both sample
their replay, update twin critics, policy and temperature, and move the targets. Times are of the process's CPU.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import stable_baselines3
import torch

from potentia.agents import SAC, SACConfig
from potentia.rollout import Rollout

OBS, ACTIONS = gym.spaces.Box(-np.inf, np.inf, (39,)), gym.spaces.Box(-1.0, 1.0, (4,))
STORED, STEPS, ROUNDS = 2_000, 100, 5


class Noise(gym.Env[Any, Any]):
    """Observations drawn at random."""

    observation_space, action_space = OBS, ACTIONS

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        """A drawn observation."""
        super().reset(seed=seed)
        return self.np_random.normal(size=39).astype(np.float32), {}

    def step(self, action: Any) -> Any:
        """Another one."""
        return self.np_random.normal(size=39).astype(np.float32), 0.0, False, False, {}


def ours(width: int) -> Callable[[], Any]:
    """Takes `STEPS` gradient steps."""
    rng = np.random.default_rng(0)
    no = np.zeros((STORED, 1), bool)
    rollout = Rollout(
        obs=rng.normal(size=(STORED, 1, 39)), action=rng.uniform(-1, 1, (STORED, 1, 4)),
        next_obs=rng.normal(size=(STORED, 1, 39)), terms={"env": rng.normal(size=(STORED, 1))},
        discount=np.full((STORED, 1), 0.99), terminated=no, truncated=no,
    )  # fmt: skip
    config = SACConfig(learning_starts=0, updates_per_step=STEPS / STORED, widths=(width, width), buffer_size=STORED)
    agent = SAC(OBS, ACTIONS, config)
    return lambda: agent.learn(rollout)


def theirs(width: int) -> Callable[[], Any]:
    """Takes `STEPS` gradient steps."""
    settings: dict[str, Any] = {"policy_kwargs": {"net_arch": [width, width]}, "learning_starts": 2 * STORED}
    model = stable_baselines3.SAC("MlpPolicy", Noise(), device="cpu", buffer_size=STORED, **settings)
    model.learn(STORED)
    return lambda: model.train(STEPS, 256)


def main() -> None:
    """Prints the table."""
    torch.set_num_threads(1)
    print("| layers | potentia | Stable-Baselines3 | ratio |\n|---|---|---|---|")
    for width in (64, 256):
        run = {"ours": ours(width), "theirs": theirs(width)}
        best = dict.fromkeys(run, np.inf)
        for _ in range(ROUNDS):
            for name, function in run.items():
                begin = time.process_time()
                function()
                best[name] = min(best[name], (time.process_time() - begin) / STEPS * 1e3)
        print(
            f"| 2 x {width} | {best['ours']:.2f} ms | {best['theirs']:.2f} ms | {best['theirs'] / best['ours']:.2f} |"
        )


if __name__ == "__main__":
    main()
