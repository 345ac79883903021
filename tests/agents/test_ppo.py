"""PPO: exact resume, exact masks, streams, memory, and worlds that it solves."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia import checkpoint
from potentia.agents import PPO, ElementPPOConfig, GridPPOConfig, PPOConfig, RandomAgent, evaluate
from potentia.collect import collect, reset_seed
from potentia.rollout import Rollout
from potentia.shaping import RND, Chain, Count, PotentialShaping, Stream

BOX = gym.spaces.Box(-1.0, 1.0, (3,), np.float32)
TWO = gym.spaces.Discrete(2)


class Signal(gym.Env[Any, Any]):
    """The first observation tells which action pays at the last of three steps; ``late`` hides it after the first."""

    observation_space, action_space = BOX, TWO

    def __init__(self, hidden: bool = False) -> None:
        self.hidden = hidden

    def _obs(self) -> np.ndarray:
        shown = self.sign if self.t == 0 or not self.hidden else 0.0
        return np.array([shown, self.t / 3, 1.0], np.float32)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t, self.sign = 0, float(self.np_random.choice([-1.0, 1.0]))
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        over = self.t == 3
        reward = float(over and action == (self.sign > 0))
        return self._obs(), reward, over, False, {}


def worlds(hidden: bool = False, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: Signal(hidden)] * 8, autoreset_mode=mode)


def train(agent: PPO, rollouts: int, hidden: bool = False, mode: AutoresetMode = AutoresetMode.SAME_STEP) -> None:
    envs, state = worlds(hidden, mode), None
    for _ in range(rollouts):
        rollout, state = collect(envs, agent, 24, gamma=0.9, state=state, seed=0 if state is None else None)
        agent.learn(rollout)


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_it_solves_a_world_whose_optimum_is_one(mode: AutoresetMode) -> None:
    agent = PPO(BOX, TWO, PPOConfig(learning_rate=3e-3), seed=1)
    assert evaluate(worlds, RandomAgent(BOX, TWO, seed=0), 64, seed=5).metrics["return_mean"] == pytest.approx(
        0.5, abs=0.2
    )
    train(agent, 25, mode=mode)
    assert evaluate(worlds, agent, 64, seed=5, greedy=True).metrics["return_mean"] == 1.0


def test_with_a_memory_it_solves_what_it_cannot_see() -> None:
    """One success proves that the memory carries the sign; about 1 seed in 16 settles on ignoring it."""

    def played(config: PPOConfig, seed: int, rollouts: int) -> float:
        agent = PPO(BOX, TWO, config, seed=seed)
        train(agent, rollouts, hidden=True)
        return float(evaluate(lambda: worlds(True), agent, 64, seed=5, greedy=True).metrics["return_mean"])

    assert any(played(PPOConfig(learning_rate=5e-3, recurrent=16), seed, 40) == 1.0 for seed in (1, 2, 3))
    # Without a memory the last action can only be right for one of the two signs.
    assert played(PPOConfig(learning_rate=5e-3), 1, 20) == pytest.approx(0.5, abs=0.2)


def test_evaluation_leaves_the_agent_as_it_was() -> None:
    agent = PPO(BOX, TWO, seed=1)
    before = {key: value.clone() for key, value in agent.policy.state_dict().items()}
    generator = agent.state_dict()["generator"].clone()
    first = evaluate(worlds, agent, 16, seed=5)
    assert evaluate(worlds, agent, 16, seed=5) == first
    assert all(torch.equal(value, before[key]) for key, value in agent.policy.state_dict().items())
    assert torch.equal(agent.state_dict()["generator"], generator)


def interval(agent: PPO, shaper: Any, number: int) -> list[dict[str, float]]:
    """One interval between checkpoints: it begins with a reset by a seed of its own."""
    envs, state, seen = worlds(), None, []
    carry = shaper.init(8)
    for _ in range(3):
        seed = reset_seed(7, number) if state is None else None
        rollout, state = collect(envs, agent, 16, gamma=0.9, state=state, seed=seed)
        shaped, carry = shaper.shape(rollout, carry)
        seen.append(agent.learn(shaped) | shaper.update(shaped))
    return seen


def test_two_intervals_equal_one_a_checkpoint_and_another_bit_for_bit(tmp_path: Path) -> None:
    def parts() -> tuple[PPO, Chain]:
        shaper = Chain(PotentialShaping(lambda obs: obs[..., 1]), Count(), RND(BOX, batch_size=32, seed=3))
        return PPO(BOX, TWO, streams=shaper.streams, seed=2), shaper

    agent, shaper = parts()
    interval(agent, shaper, 0)
    checkpoint.save(tmp_path / "run.pt", agent=agent.state_dict(), shaper=shaper.state_dict())
    want = interval(agent, shaper, 1)
    fresh, other = parts()
    saved = checkpoint.load(tmp_path / "run.pt")
    fresh.load_state_dict(saved["agent"])
    other.load_state_dict(saved["shaper"])
    assert interval(fresh, other, 1) == want
    for one, two in zip(agent.policy.state_dict().values(), fresh.policy.state_dict().values(), strict=True):
        assert torch.equal(one, two)


@pytest.mark.parametrize(("recurrent", "shared"), [(0, False), (8, False), (8, True)])
def test_what_stands_behind_the_mask_has_no_influence_at_all(recurrent: int, shared: bool) -> None:
    def learned(dirty: bool) -> dict[str, torch.Tensor]:
        agent = PPO(BOX, TWO, PPOConfig(recurrent=recurrent, shared=shared), seed=1)
        envs = worlds(mode=AutoresetMode.NEXT_STEP)
        rollout, _ = collect(envs, agent, 24, gamma=0.9, seed=0)
        assert not rollout.mask.all()
        if dirty:
            hidden = ~rollout.mask

            def spoil(array: np.ndarray) -> np.ndarray:
                return np.where(hidden.reshape(hidden.shape + (1,) * (array.ndim - 2)), np.nan, array)

            spoiled = {name: spoil(getattr(rollout, name)) for name in ("obs", "next_obs", "discount")}
            rollout = replace(rollout, **spoiled, terms={"env": spoil(rollout.terms["env"])})
        agent.learn(rollout)
        return dict(agent.policy.state_dict())

    clean, dirty = learned(False), learned(True)
    for name, value in clean.items():
        assert torch.equal(value, dirty[name]), name


def test_a_stream_is_valued_apart() -> None:
    agent = PPO(BOX, TWO, streams={"bonus": Stream(gamma=0.5, episodic=False, weight=0.0)}, seed=1)
    plain = PPO(BOX, TWO, streams={"bonus": Stream(gamma=0.5, episodic=False, weight=0.0)}, seed=1)
    rollout, _ = collect(worlds(), agent, 24, gamma=0.9, seed=0)
    again, _ = collect(worlds(), plain, 24, gamma=0.9, seed=0)
    zero, large = (np.full(rollout.discount.shape, value) for value in (0.0, 100.0))
    one = agent.learn(rollout.add("bonus", zero))
    other = plain.learn(again.add("bonus", large))
    # With weight 0 the bonus leaves the policy's gradient alone, but its own head must fit values of about 200.
    assert one["policy_loss"] == pytest.approx(other["policy_loss"], abs=0.05)
    assert other["value_loss"] > 100 * one["value_loss"]
    with pytest.raises(ValueError, match=r"the streams \['bonus'\] have no term"):
        agent.learn(rollout)


def test_collect_makes_true_transitions_in_every_mode() -> None:
    ledgers = []
    for mode in AutoresetMode:
        rollout, _ = collect(worlds(mode=mode), RandomAgent(BOX, TWO, seed=4), 12, gamma=0.9, seed=0)
        real = rollout.mask[:, 0]
        inside = ~rollout.done[:-1, 0] & rollout.mask[:-1, 0]
        np.testing.assert_array_equal(rollout.next_obs[:-1, 0][inside], rollout.obs[1:, 0][inside])
        np.testing.assert_array_equal(rollout.discount[:, 0][real], 0.9 * ~rollout.terminated[:, 0][real])
        assert (rollout.next_obs[:, 0, 1][rollout.done[:, 0]] == 1.0).all()  # the true last observation
        ledgers.append(int(real.sum()))
    assert ledgers == [9, 12, 12]  # NEXT_STEP spends three of twelve steps on resets


def test_a_reward_that_is_no_number_is_told_where() -> None:
    class Broken(Signal):
        def step(self, action: Any) -> Any:
            obs, _, over, cut, info = super().step(action)
            return obs, float("nan") if over else 0.0, over, cut, info

    with pytest.raises(ValueError, match=r"reward term 'env' must be finite, got nan at \(t, b\) = \(2, 0\)"):
        collect(SyncVectorEnv([Broken] * 2), RandomAgent(BOX, TWO, seed=0), 6, gamma=0.9)


def test_a_rollout_of_nothing_but_resets_teaches_nothing() -> None:
    agent = PPO(BOX, TWO, seed=1)
    rollout, _ = collect(worlds(), agent, 4, gamma=0.9, seed=0)
    empty: Rollout = replace(rollout, mask=np.zeros_like(rollout.mask))
    assert agent.learn(empty) == {}


@pytest.mark.parametrize("recurrent", [0, 8])
def test_no_more_steps_are_taken_once_the_policy_has_gone_far_enough(recurrent: int) -> None:
    taken, moved = [], []
    for limit in (None, 1e9, 0.01, 0.0):
        agent = PPO(BOX, TWO, PPOConfig(learning_rate=0.005, target_kl=limit, recurrent=recurrent), seed=1)
        rollout, _ = collect(worlds(), agent, 24, gamma=0.9, seed=0)
        metrics = agent.learn(rollout)
        taken.append(int(next(iter(agent.optimizer.state.values()))["step"]))
        moved.append(metrics["kl"])
    assert taken[:2] == [16, 16]
    assert 1 < taken[2] < 16
    assert taken[3] <= 2  # the second step's minibatch is of the policy after the first
    assert moved[0] == moved[1] > moved[2]
    assert moved[2] <= 0.01


@pytest.mark.parametrize("config", [PPOConfig, GridPPOConfig, ElementPPOConfig])
def test_a_setting_of_another_name_is_told_its_name_here(config: Any) -> None:
    with pytest.raises(TypeError, match=r"has no setting 'lambda_': write gae_lambda"):
        config(lambda_=0.9)
    with pytest.raises(TypeError, match=r"has no setting 'update_epochs': write n_epochs"):
        config(update_epochs=3)
    assert {name.split()[0] for name in config.renamed.values()} <= {field.name for field in fields(config)}
    assert replace(config(n_epochs=3), clip_range=0.1) == config(n_epochs=3, clip_range=0.1)


def test_a_configuration_of_another_learner_is_refused() -> None:
    with pytest.raises(TypeError, match="PPO needs a PPOConfig, got GridPPOConfig"):
        PPO(BOX, TWO, GridPPOConfig())  # type: ignore[arg-type]


def test_with_memories_apart_the_values_have_a_memory_of_their_own() -> None:
    """The policy's gradient leaves the values' layers alone, and the other way round."""
    agent = PPO(BOX, TWO, PPOConfig(recurrent=8), seed=1)
    rollout, _ = collect(worlds(), agent, 6, gamma=0.9, seed=0)
    batch = agent.make_batch(rollout)
    log_prob, _, values = agent.network.evaluate(batch.columns, batch.action)  # type: ignore[attr-defined]
    for of, others in ((log_prob, ("critic", "cells.1", "value_head")), (values, ("encoder", "cells.0", "head"))):
        agent.network.zero_grad(set_to_none=True)
        of.sum().backward(retain_graph=True)
        weights = agent.network.named_parameters()
        touched = {name for name, weight in weights if weight.grad is not None and weight.grad.any()}
        assert touched
        assert not [name for name in touched if name.startswith(others)]


def test_learning_remembers_as_acting_did() -> None:
    """The memories of whole columns are those of acting step by step, for both halves."""
    agent = PPO(BOX, TWO, PPOConfig(recurrent=8), seed=1)
    rollout, state = collect(worlds(), agent, 7, gamma=0.9, seed=0)
    batch = agent.make_batch(rollout)
    memory = agent.network.memories(batch.columns)  # type: ignore[attr-defined, operator]
    assert memory.shape == (7, 8, 16)
    carried = torch.as_tensor(rollout.info["actor_carry"])
    going_on = ~torch.as_tensor(rollout.done)[:-1]
    torch.testing.assert_close(memory[:-1][going_on], carried[1:][going_on])
    torch.testing.assert_close(memory[-1], torch.as_tensor(state.carry))
