"""Policies as actions in anybody's environments: what one sees who runs each policy alone."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

import potentia  # noqa: F401 - registers the worlds
from potentia.collect import collect
from potentia.envs.control import Network
from potentia.testing import check_env
from potentia.wrappers import PolicyAsAction


def alone(env: Any, genome: Any, network: Network, seed: int) -> tuple[float, int, Any]:
    """The return, the steps and the last observation of a policy of choices."""
    obs, _ = env.reset(seed=seed)
    total, steps, done = 0.0, 0, False
    while not done:
        obs, reward, terminated, truncated, _ = env.step(int(network.outputs(genome[None], obs[None])[0].argmax()))
        total, steps, done = total + float(reward), steps + 1, terminated or truncated
    return total, steps, obs


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_it_is_each_policy_alone_in_every_autoreset_mode(mode: AutoresetMode) -> None:
    """CartPole, where episodes end at different times. Later episodes are seeded from the first seed."""
    inner = SyncVectorEnv([lambda: gym.make("CartPole-v1")] * 6, autoreset_mode=mode)
    envs = PolicyAsAction(inner, hidden=(4,), descriptor=lambda obs, info: obs[:, :2])
    network = Network((4, 4, 2))
    assert envs.network == network
    assert envs.autoreset_mode is AutoresetMode.SAME_STEP
    rng = np.random.default_rng(0)
    obs, info = envs.reset(seed=3)
    assert obs.shape == (6, 1)
    assert info["descriptor"].shape == (6, 2)
    assert info["area"].tolist() == [-1] * 6
    for round_ in range(2):
        genomes = rng.normal(size=(6, network.genome_size)).astype(np.float32)
        _, reward, terminated, truncated, info = envs.step(genomes)
        assert terminated.all()
        assert not truncated.any()
        for n in range(6):
            seeds = [3 + n, *np.random.default_rng(3 + n).integers(2**31, size=1)]
            total, steps, last = alone(gym.make("CartPole-v1"), genomes[n], network, int(seeds[round_]))
            assert (reward[n], info["final_info"]["steps"][n]) == (total, steps)
            np.testing.assert_array_equal(info["final_info"]["descriptor"][n], last[:2])
    assert len(set(reward)) > 2
    envs.close()


def test_in_a_compiled_world_it_is_the_compiled_loop() -> None:
    options: dict[str, Any] = {"time_limit": 70}
    compiled = gym.make_vec("potentia/HardMazePolicies-v0", 5, **options)
    wrapped = gym.make_vec("potentia/PolicyAsAction-v0", 5, env="potentia/HardMaze-v0", **options)
    assert compiled.single_action_space == wrapped.single_action_space
    genomes = np.random.default_rng(0).normal(size=(5, 72))
    found = []
    for envs in (compiled, wrapped):
        envs.reset(seed=0)
        _, reward, _, _, info = envs.step(genomes)
        found.append((reward, info["final_info"]["steps"], info["final_info"]["descriptor"]))
    np.testing.assert_array_equal(found[0][0], found[1][0])
    np.testing.assert_array_equal(found[0][1], found[1][1])
    np.testing.assert_allclose(found[0][2], found[1][2], atol=1e-6)


def test_one_environment_keeps_every_rule() -> None:
    check_env(
        lambda: gym.make("potentia/PolicyAsAction-v0", env="CartPole-v1", descriptor=lambda obs, info: obs[:, :1]),
        max_steps=20,
    )


class Robot(gym.Env[Any, Any]):
    """Goes by its action, which is unbounded, for four steps; its observation is a dictionary."""

    observation_space = spaces.Dict(
        {"observation": spaces.Box(-9, 9, (2, 1)), "achieved_goal": spaces.Box(-99, 99, (2,))}
    )
    action_space = spaces.Box(np.array([-1.0, -np.inf], np.float32), np.array([3.0, np.inf], np.float32))

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.time = np.zeros(2, np.float32), 0
        return self._shown(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.place, self.time = self.place + action, self.time + 1
        return self._shown(), 1.0, False, self.time == 4, {}

    def _shown(self) -> dict[str, Any]:
        return {"observation": np.zeros((2, 1), np.float32), "achieved_goal": self.place.copy()}


def test_dictionaries_bounds_and_a_limit() -> None:
    """With all weights 0 a policy answers tanh(b): b = 0 is the middle of [-1, 3], which is 1, and 0 without bounds."""
    envs = PolicyAsAction(SyncVectorEnv([Robot] * 2), hidden=(), descriptor="achieved_goal", max_steps=3)
    assert envs.single_action_space.shape == (4 * 2 + 2,)
    envs.reset(seed=0)
    genomes = np.zeros((2, 10))
    genomes[1, -2:] = np.arctanh(0.5)
    _, reward, _, _, info = envs.step(genomes)
    assert reward.tolist() == [3.0, 3.0]
    np.testing.assert_allclose(info["final_info"]["descriptor"], [[3.0, 0.0], [6.0, 1.5]], rtol=1e-6)


def test_a_rollout_of_it_tells_what_each_policy_did() -> None:
    envs = gym.make_vec("potentia/HardMazePolicies-v0", 3, time_limit=40)

    class Actor:
        def init(self, num_envs: int) -> Any:
            return ()

        def act(self, obs: Any, carry: Any) -> Any:
            return np.random.default_rng(0).normal(size=(3, 72)).astype(np.float32), carry

    columns = ("descriptor", "next_descriptor", "next_area", "next_steps")
    rollout, _ = collect(envs, Actor(), 2, gamma=0.99, columns=columns, seed=0)
    assert rollout.mask.all()
    assert rollout.terminated.all()
    assert (np.asarray(rollout.info["descriptor"]) == [108.0, 552.0]).all()
    assert (np.asarray(rollout.info["next_descriptor"]) != [108.0, 552.0]).any(axis=-1).all()
    assert (np.asarray(rollout.info["next_steps"]) == 40).all()


def test_what_no_policy_can_take_is_refused() -> None:
    with pytest.raises(TypeError, match="observations must be a Box or a Dict of them"):
        PolicyAsAction(gym.make_vec("potentia/Chain-v0", 2))
    with pytest.raises(KeyError, match="descriptor must be the name of an info key"):
        PolicyAsAction(gym.make_vec("CartPole-v1", 2, "sync")).reset(seed=0)
