"""The study ``grid_learning.yaml`` by Stable-Baselines3 on MiniGrid itself: wall-clock and true return at equal frames.

``python benchmarks/grid_learning_sb3.py KeyCorridorS3R3 --seed 100``: the world is MiniGrid's environment; its twin
among the compiled worlds, which has the same seed and the same actions and so the same state, tells the potential. PPO
is Stable-Baselines3's, with the study's numbers and a network of the same shape, one thread. Printed are the seconds of
training, and return and success over 128 new episodes, actions drawn.
"""

from __future__ import annotations

import argparse
import os
import time
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import gymnasium as gym
import minigrid  # noqa: F401 - registers its worlds
import numpy as np
import torch
import yaml
from device_ppo import extractor
from minigrid.wrappers import ImgObsWrapper
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv
from torch import nn

from potentia.agents.grid import GridPPOConfig
from potentia.envs.grid import GridEnv, GridVectorEnv
from potentia.shaping import Progress, Scale
from potentia.wrappers import ShapeReward

STUDY = yaml.safe_load((Path(__file__).parent / "grid_learning.yaml").read_text())


class Twin(gym.Wrapper[Any, Any, Any, Any]):
    """MiniGrid's environment, whose info has the potential that its twin among the compiled worlds tells."""

    def __init__(self, env: gym.Env[Any, Any], level: str) -> None:
        super().__init__(env)
        self.twin = GridEnv(level, info_keys=("potential",))

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Resets both."""
        obs, info = self.env.reset(seed=seed, options=options)
        image, told = self.twin.reset(seed=seed)
        assert (image == obs).all()
        return obs, info | told

    def step(self, action: Any) -> Any:
        """Steps both."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward, terminated, truncated, info | self.twin.step(int(action))[4]


def train(level: str, seed: int) -> None:
    """Trains and evaluates; prints a line."""
    torch.set_num_threads(1)
    environment = next(one for one in STUDY["environments"] if one["id"] == f"potentia/{level}-v0")
    numbers, shaper = STUDY["learners"][0]["config"], STUDY["shapings"][0]["shapers"][0]
    discount, count = STUDY["discount"], environment["num_envs"]

    versions = [name for name in gym.registry if name.startswith(f"MiniGrid-{level}-v")]

    def make() -> gym.Env[Any, Any]:
        env = Twin(ImgObsWrapper(gym.make(max(versions))), level)
        shaped = ShapeReward(env, Scale(Progress(shaper["potential"]), shaper["weight"]), gamma=discount)
        return gym.wrappers.FlattenObservation(shaped)

    model = PPO(
        "MlpPolicy", DummyVecEnv([make] * count), n_steps=numbers["rollout_steps"], n_epochs=4, gamma=discount,
        batch_size=count * numbers["rollout_steps"] // numbers["n_minibatches"], ent_coef=numbers["ent_coef"],
        learning_rate=numbers["learning_rate"], seed=seed, device="cpu",
        policy_kwargs={
            "net_arch": {"pi": numbers["widths"], "vf": numbers["widths"]}, "activation_fn": nn.ReLU,
            "features_extractor_class": extractor(GridPPOConfig()),
        },
    )  # fmt: skip
    make().reset(seed=0)  # compiles
    begin = time.perf_counter()
    model.learn(environment["steps"])
    seconds = time.perf_counter() - begin
    envs = GridVectorEnv(level, 128, info_keys=())
    image, _ = envs.reset(seed=10_000 + seed)
    returns, over = np.zeros(128), np.zeros(128, bool)
    while not over.all():
        actions, _ = model.predict(image.reshape(128, -1), deterministic=False)
        image, reward, terminated, truncated, _ = envs.step(actions)
        returns += np.where(over, 0.0, reward)
        over |= terminated | truncated
    print(
        f"{level} seed {seed}: {model.num_timesteps:,} frames in {seconds:.0f} s ({model.num_timesteps / seconds:,.0f} "
        f"a second), return {returns.mean():.3f}, success {(returns > 0).mean():.3f}",
        flush=True,
    )


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("levels", nargs="+")
    parser.add_argument("--seed", type=int, default=100)
    given = parser.parse_args()
    for level in given.levels:
        train(level, given.seed)


if __name__ == "__main__":
    main()
