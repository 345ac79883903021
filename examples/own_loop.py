"""The library's PPO in a loop of one's own, on a world where luck alone finds the treasure once in 1024 episodes.

`potentia.agents.Loop` does the same in a line. On sign and scale of a potential: docs/potentials.md.
"""

from __future__ import annotations

import argparse

import gymnasium as gym

import potentia  # noqa: F401 - registers the worlds
from potentia.agents import PPO, PPOConfig, evaluate
from potentia.collect import collect
from potentia.shaping import Chain, Count, PotentialShaping, Scale

GAMMA = 0.99


def train(shaper: Chain, steps: int) -> float:
    """Returns the mean true return after training."""
    envs = gym.make_vec("potentia/DeepSea-v0", 16, size=10)
    agent = PPO(
        envs.single_observation_space,
        envs.single_action_space,
        PPOConfig(n_minibatches=8),
        streams=shaper.streams,
        seed=1,
    )
    carry, state = shaper.init(envs.num_envs), None
    for index in range(steps // (64 * envs.num_envs)):
        rollout, state = collect(
            envs,
            agent,
            64,
            gamma=GAMMA,
            state=state,
            columns=shaper.contract.info_columns,
            seed=1 if index == 0 else None,
        )
        shaped, carry = shaper.shape(rollout, carry)
        agent.learn(shaped)
        shaper.update(shaped)
    envs.close()
    played = evaluate(lambda: gym.make_vec("potentia/DeepSea-v0", 16, size=10), agent, 32, seed=2)
    return played.metrics["return_mean"]


def main() -> None:
    """Compares three shapings on the true return."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=24_576)
    steps = parser.parse_args().steps
    shapings = {
        "none": Chain(),
        "count": Chain(Scale(Count("state_hash"), 0.05)),
        "oracle and count": Chain(PotentialShaping("potential"), Scale(Count("state_hash"), 0.05)),
    }
    for name, shaper in shapings.items():
        print(f"{name:18} true return {train(shaper, steps):.3f} of 0.99")


if __name__ == "__main__":
    main()
