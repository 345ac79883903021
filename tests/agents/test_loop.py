"""The loop: it does what its parts do, and a number that stops being finite is found where it appears."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.agents import PPO, EnvCollector, EpisodeCollector, GridPPOConfig, Loop, PPOConfig, QLearning, evaluate
from potentia.agents.grid import device_loop
from potentia.collect import collect
from potentia.envs.grid import GridVectorEnv
from potentia.shaping import RND, Chain, Contract, Count, PotentialShaping, Scale, Shaper
from potentia.shaping.fit import FitError
from tests.agents.test_ppo import BOX, TWO, Signal, worlds
from tests.staying import as_on_an_accelerator


def loop_of(envs: Any, agent: Any, shaper: Any = None, **more: Any) -> Loop:
    loop = Loop(EnvCollector(envs, 16, gamma=0.9), agent, shaper, **more)
    loop.begin(0)
    return loop


@pytest.mark.parametrize("mode", [AutoresetMode.SAME_STEP, AutoresetMode.NEXT_STEP])
def test_it_is_collect_shape_learn_and_update_in_turn(mode: AutoresetMode) -> None:
    def parts() -> tuple[PPO, Chain]:
        shaper = Chain(PotentialShaping(lambda obs: obs[..., 1]), Count(), RND(BOX, batch_size=32, seed=3))
        return PPO(BOX, TWO, streams=shaper.streams, seed=2), shaper

    agent, shaper = parts()
    loop = loop_of(worlds(mode=mode), agent, shaper)
    turns = [loop.iterate() for _ in range(3)]
    other, own = parts()
    envs, carry, state, steps = worlds(mode=mode), own.init(8), None, 0
    for turn in turns:
        rollout, state = collect(envs, other, 16, state=state, gamma=0.9, seed=0 if state is None else None)
        rollout, carry = own.shape(rollout, carry)
        assert turn.learned == other.learn(rollout)
        assert turn.updated == own.update(rollout, policy=other.policy)
        np.testing.assert_array_equal(turn.rollout.reward, rollout.reward)
        steps += int(rollout.mask.sum())
    assert loop.steps == steps == (384 if mode is AutoresetMode.SAME_STEP else 288)
    assert set(turns[0].seconds) == {"collect", "shape", "learn", "update"}
    assert loop.profile.seconds["learn"] == pytest.approx(sum(turn.seconds["learn"] for turn in turns))


class Broken(Signal):
    """From the 40th step on, something is not a number."""

    def __init__(self, what: str) -> None:
        super().__init__()
        self.what, self.steps = what, 0

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = super().step(action)
        self.steps += 1
        bad = self.steps >= 40
        if bad and self.what == "observation":
            obs[1] = np.inf
        return obs, np.nan if bad and self.what == "reward" else reward, terminated, truncated, info


class Worse(Count):
    """Its metric breaks in the third update."""

    updates = 0

    def update(self, rollout: Any, *, policy: Any = None) -> dict[str, Any]:
        self.updates += 1
        return {"part": {"loss": float("inf") if self.updates == 3 else 0.5}}


def broken(what: str) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: Broken(what)] * 2, autoreset_mode=AutoresetMode.SAME_STEP)


def turn_five_times(loop: Loop) -> None:
    for _ in range(5):
        loop.iterate()


class Spoiled(PPO):
    """Ends each update with a weight that is no number."""

    def learn(self, rollout: Any) -> Any:
        metrics = super().learn(rollout)
        with torch.no_grad():
            next(self.network.encoder.parameters()).fill_(float("nan"))
        return metrics


@pytest.mark.parametrize(
    ("make", "message"),
    [
        # The 40th step is the first of an episode, and the third rollout's eighth: its successor is row 7's.
        (
            lambda: loop_of(broken("observation"), PPO(BOX, TWO, seed=1)),
            r"^next observation must be finite, got inf at \(t, b\) = \(7, 0\) .* after 64 steps; mend the environment",
        ),
        (lambda: loop_of(broken("reward"), PPO(BOX, TWO, seed=1)), "reward term 'env' must be finite, got nan"),
        (
            lambda: loop_of(worlds(), PPO(BOX, TWO, seed=1), Scale(Count(), float("nan"))),
            r"^reward term 'Count' must be finite, got nan at .* after 0 steps; mend the shaper that adds it",
        ),
        (
            lambda: loop_of(worlds(), PPO(BOX, TWO, PPOConfig(learning_rate=1e30), seed=1)),
            r"^the learner's \w+ must be finite, got (nan|inf) in the update after 0 steps; lower learning_rate",
        ),
        (
            lambda: loop_of(worlds(), Spoiled(BOX, TWO, PPOConfig(n_epochs=1, n_minibatches=1))),
            r"^the learner's weights must be finite, got nan in encoder\S+ after the update after 0 steps",
        ),
        (
            lambda: loop_of(worlds(), PPO(BOX, TWO, seed=1), Worse(), steps=1000),
            r"^the shaper's part\.loss must be finite, got inf in the update after 1,256 steps; mend the shaper",
        ),
    ],
)
def test_what_is_not_finite_is_told_with_its_name_and_step(make: Any, message: str) -> None:
    loop = make()
    with pytest.raises(ValueError, match=message):
        turn_five_times(loop)


def test_what_stands_behind_the_mask_may_be_anything() -> None:
    class Dirty(EnvCollector):
        def collect(self, agent: Any) -> Any:
            rollout = super().collect(agent)
            assert not rollout.mask.all()
            rollout.obs[~rollout.mask] = np.nan
            return rollout

    loop = Loop(Dirty(worlds(mode=AutoresetMode.NEXT_STEP), 16, gamma=0.9), PPO(BOX, TWO, seed=1))
    loop.begin(0)
    assert np.isfinite(loop.iterate().learned["value_loss"])


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_a_table_that_is_not_finite_is_told() -> None:
    envs = gym.make_vec("potentia/Chain-v0", 4, length=4)
    agent = QLearning(envs.single_observation_space, envs.single_action_space)
    agent.values[:] = np.inf
    with pytest.raises(ValueError, match="the learner's td_error must be finite, got"):
        loop_of(envs, agent).iterate()


def test_on_an_accelerator_nothing_raises_until_it_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    as_on_an_accelerator(monkeypatch)
    envs = GridVectorEnv("Empty-5x5", 4, device="cpu", info_keys=())
    loop = device_loop(envs, GridPPOConfig(learning_rate=1e30), num_steps=8, gamma=0.99, shaper=Count())
    loop.check()  # nothing was done, nothing is wrong
    turn = loop.iterate()
    assert isinstance(turn.learned["policy_loss"], torch.Tensor)
    loop.iterate()
    message = r"the learner's \w+ must be finite, it is not in the rollout .* after 0 steps"
    with pytest.raises(ValueError, match=message):
        loop.check()


def test_an_evaluation_of_what_is_not_finite_is_refused() -> None:
    agent = PPO(BOX, TWO, seed=1)
    message = "true reward must be finite, got nan in environment 0, step 1 of its episode; mend the environment"
    with pytest.raises(ValueError, match=message):
        evaluate(lambda: broken("reward"), agent, 40, seed=1)


class Outcome(Shaper):
    """Pays at every step what the whole episode paid."""

    contract = Contract(reads=frozenset({"reward"}), needs_episodes=True)

    def shape(self, rollout: Any, carry: Any = ()) -> Any:
        assert (rollout.done.sum(0) == 1).all()  # a whole episode in each column, and nothing after it
        whole = np.where(rollout.mask, rollout.reward, 0.0).sum(0, keepdims=True)
        return rollout.add(self.name, np.where(rollout.mask, whole, 0.0)), carry


def test_whole_episodes_are_collected_for_a_shaper_that_needs_them() -> None:
    agent = PPO(BOX, TWO, seed=1)
    with pytest.raises(FitError, match=r"Outcome does not fit a loop of rollouts: it needs whole episodes"):
        loop_of(worlds(), agent, Outcome())
    loop = Loop(EpisodeCollector(worlds(), 12, gamma=0.9), agent, Outcome())
    loop.begin(3)
    first, second = loop.iterate(), loop.iterate()
    assert loop.steps == 2 * 12 * 3
    won = first.rollout.terms["Outcome"][0]
    assert set(won.tolist()) == {0.0, 1.0}
    np.testing.assert_array_equal(first.rollout.terms["Outcome"], np.broadcast_to(won, (3, 12)))
    assert not np.array_equal(first.rollout.obs, second.rollout.obs)  # new episodes, not the first ones again
    again = Loop(EpisodeCollector(worlds(), 12, gamma=0.9), PPO(BOX, TWO, seed=1), Outcome())
    again.begin(3)
    np.testing.assert_array_equal(again.iterate().rollout.obs, first.rollout.obs)


def test_a_stream_that_the_agent_could_value_apart_and_does_not_is_told() -> None:
    shaper = RND(BOX, batch_size=32)
    with pytest.warns(UserWarning, match="its terms RND ask for value heads of their own"):
        loop_of(worlds(), PPO(BOX, TWO, seed=1), shaper)
    loop_of(worlds(), PPO(BOX, TWO, streams=shaper.streams, seed=1), shaper)
    with pytest.raises(FitError, match="it reads 'nowhere', which is not in the environment's info; that has success"):
        loop_of(worlds(), PPO(BOX, TWO, seed=1), Count("nowhere"), keys=frozenset({"success"}))
