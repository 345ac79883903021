"""The watch: sums that must agree and don't, scales that drift, and a proxy that parts from the truth."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from stable_baselines3 import PPO
from stable_baselines3.common.logger import configure
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize

from potentia.agents.loop import EnvCollector, Loop
from potentia.agents.sb3 import ShapingCallback, WatchCallback
from potentia.agents.tabular import QLearning
from potentia.audit import Watch
from potentia.shaping import Chain, Count, PotentialShaping
from potentia.wrappers import ShapeReward, ShapeVectorReward
from tests.episodes import rollout

TABLE = np.arange(16.0)


def lake() -> gym.Env[Any, Any]:
    return gym.make("FrozenLake-v1", is_slippery=False)


def names(watch: Watch) -> list[str]:
    return [finding.name for finding in watch.findings]


def test_a_potential_telescopes_over_rollouts_and_ends() -> None:
    """Two rollouts, an end in the second: -potential(first) = -3, whatever lies between."""
    shaper = PotentialShaping([3.0, 1.0, 7.0, 2.0])
    watch = Watch(shaper)
    first, carry = shaper.shape(rollout([0, 1, 2]))
    assert watch.observe(first)["telescoping"] is None  # no episode has ended
    second, _ = shaper.shape(rollout([2, 1, 3], terminated=True, rewards=[0, 1]), carry)
    told = watch.observe(second)
    assert told["telescoping"] == pytest.approx(0, abs=1e-12)
    assert told["returns"]["env"] == 1.0
    total = sum(float(part.terms["PotentialShaping"].sum()) for part in (first, second))
    assert told["returns"]["PotentialShaping"] == pytest.approx(total)
    assert told["gap"] == pytest.approx(total)
    assert names(watch) == []
    cut, _ = shaper.shape(rollout([0, 1, 2], truncated=True))  # the next episode starts from nothing
    assert watch.observe(cut)["telescoping"] == pytest.approx(0, abs=1e-12)


def test_a_term_that_something_clips_does_not_telescope() -> None:
    shaper = PotentialShaping([0.0, 4.0, 0.0])
    shaped, _ = shaper.shape(rollout([0, 1, 2], terminated=True))
    clipped = replace(shaped, terms={name: np.clip(term, -1, 1) for name, term in shaped.terms.items()})
    watch = Watch(shaper)
    # 0.99 * 4 - 0 and -4 become 1 and -1: 1 - 0.99 = 0.01 instead of 0, of a greatest potential of 4.
    assert watch.observe(clipped)["telescoping"] == pytest.approx(0.01 / 4)
    assert names(watch) == ["telescoping"]


def test_a_reset_observation_taken_for_the_next_one_does_not_telescope() -> None:
    """The mistake of whoever reads ``obs`` after an automatic reset at a cut, or in the midst of an episode."""
    shaper = PotentialShaping([0.0, 4.0, 8.0])
    wrong = replace(rollout([0, 1, 2], truncated=True), next_obs=np.array([[0], [2]]))
    watch = Watch(shaper)
    watch.observe(shaper.shape(wrong)[0])
    assert names(watch) == ["telescoping"]


@pytest.mark.parametrize("mode", list(AutoresetMode)[:2])
def test_a_vector_in_a_plain_loop_has_sums_that_agree(mode: AutoresetMode) -> None:
    shaper = Chain(PotentialShaping(TABLE), Count())
    envs = ShapeVectorReward(SyncVectorEnv([lake] * 3, autoreset_mode=mode), shaper, gamma=0.9)
    envs.reset(seed=0)
    envs.action_space.seed(0)
    watch, episodes = Watch(shaper), 0
    for _ in range(60):
        _, reward, terminated, truncated, info = envs.step(envs.action_space.sample())
        told = watch.step(reward, terminated, truncated, info)
        assert told["ledger"] == pytest.approx(0, abs=1e-12)
        episodes += "env" in told["returns"]
    assert episodes > 3
    assert names(watch) == []


def test_what_changes_the_reward_outside_is_in_no_ledger() -> None:
    env = wrappers.TransformReward(ShapeReward(lake(), PotentialShaping(TABLE), gamma=0.9), lambda r: 2 * r)
    env.reset(seed=0)
    watch = Watch()
    _, reward, terminated, truncated, info = env.step(2)  # from 0 to 1: 0.9, doubled
    assert watch.step(reward, terminated, truncated, info)["ledger"] == pytest.approx(0.9)
    assert names(watch) == ["ledger"]
    with pytest.raises(KeyError, match=r"put potentia\.wrappers\.ShapeReward inside"):
        watch.step(1.0, False, False, {})


def episode(true: float, bonus: float) -> dict[str, Any]:
    return {"reward": true + bonus, "terminated": True, "truncated": False,
            "info": {"terms": {"env": true, "bonus": bonus}, "discount": 0.0}}  # fmt: skip


@pytest.mark.parametrize(
    ("true", "bonus", "alarm"),
    [
        (-0.02, 0.05, ["hacking"]),  # a bonus is learned at the expense of the task
        (0.02, 0.05, []),  # both rise
        (-0.02, 0.0, []),  # both fall
        (0.0, 0.05, []),  # the task does not suffer
    ],
)
def test_the_alarm_rings_if_the_proxy_rises_and_the_truth_falls(true: float, bonus: float, alarm: list[str]) -> None:
    watch, rng = Watch(window=100), np.random.default_rng(0)
    for t in range(200):
        watch.step(**episode(true * t + rng.normal(), bonus * t + rng.normal()))
    assert names(watch) == alarm


def test_noise_alone_rings_no_alarm() -> None:
    watch, rng = Watch(window=50), np.random.default_rng(0)
    for _ in range(3000):
        watch.step(**episode(rng.normal(), rng.normal()))
    assert names(watch) == []


def test_a_scale_that_drifts_is_named_once() -> None:
    watch, quiet = Watch(window=10), rollout([0, 1])
    for t in range(12):
        told = watch.observe(quiet, {"NormalizeReward/sigma": 1.1**t, "loss": 1.0})
    assert told["drift"] == {"NormalizeReward/sigma": pytest.approx(1.1**9)}
    assert names(watch) == ["drift"]
    assert not watch.findings[0].severe
    with pytest.raises(ValueError, match="at least 8"):
        Watch(window=4)


def ppo(env: Any, callback: Any) -> dict[str, Any]:
    logged: dict[str, Any] = {}
    model = PPO("MlpPolicy", env, n_steps=64, batch_size=64, gamma=0.9, seed=0, device="cpu")
    model.set_logger(configure(None, []))
    model.logger.record = lambda key, value, **rest: logged.update({key: value})  # type: ignore[method-assign]
    model.logger.record_mean = lambda key, value, **rest: logged.update({key: value})  # type: ignore[method-assign]
    model.learn(256, callback=callback)
    return {key: value for key, value in logged.items() if key.startswith("audit/")}


def test_a_callback_watches_wrappers_also_inside_of_a_normalizer() -> None:
    envs = DummyVecEnv([lambda: ShapeReward(lake(), Count(), gamma=0.9)] * 2)
    watch = Watch()
    logged = ppo(VecNormalize(envs, norm_obs=False, gamma=0.9), WatchCallback(watch))
    assert logged["audit/ledger"] == pytest.approx(0, abs=1e-6)
    assert logged["audit/gap"] > 0  # the bonus
    assert names(watch) == []


def test_the_callback_that_shapes_shows_its_rollouts() -> None:
    shaper = PotentialShaping(TABLE)
    watch = Watch(shaper)
    logged = ppo(DummyVecEnv([lake] * 2), ShapingCallback(shaper, watch=watch))
    assert logged["audit/telescoping"] == pytest.approx(0, abs=1e-6)
    assert names(watch) == []


def test_our_loop_hands_over_its_rollouts() -> None:
    shaper = Chain(PotentialShaping(TABLE), Count())
    envs = SyncVectorEnv([lake] * 4)
    agent = QLearning(envs.single_observation_space, envs.single_action_space)
    loop = Loop(EnvCollector(envs, 32, gamma=0.9, columns=shaper.contract), agent, shaper)
    watch, residuals = Watch(shaper), []
    for _ in range(10):
        turn = loop.iterate()
        residuals.append(watch.observe(turn.rollout, turn.updated)["telescoping"])
    assert max(value for value in residuals if value is not None) == pytest.approx(0, abs=1e-6)
    assert names(watch) == []
