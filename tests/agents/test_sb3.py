"""Stable-Baselines3 under shaping: the numbers its learners see, and the mistakes of its stack."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

pytest.importorskip("stable_baselines3")

from stable_baselines3 import A2C, DQN, PPO, SAC, TD3, HerReplayBuffer
from stable_baselines3.common.logger import configure
from stable_baselines3.common.monitor import Monitor
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecEnvWrapper, VecMonitor, VecNormalize

from potentia import checkpoint
from potentia.agents.sb3 import ShapingCallback, check_stack, shape_replay
from potentia.agents.sb3.replay import replay_home
from potentia.rollout import concatenate
from potentia.shaping import Contract, Count, EpisodicCount, LookAheadAdvice, PotentialShaping, ScheduleDiscount, Shaper
from potentia.shaping.fit import require_fit
from potentia.shaping.schedules import Linear
from potentia.wrappers import ShapeReward

GAMMA = 0.9
TABLE = np.linspace(-1.0, 3.0, 16) ** 2


def lake(limit: int = 5) -> gym.Env[Any, Any]:
    """Slippery, so that episodes end by holes, by the goal and by the limit."""
    return Monitor(gym.make("FrozenLake-v1", is_slippery=True, max_episode_steps=limit))


def ppo(shaper: Shaper | None, env: Any = None, **changes: Any) -> PPO:
    settings: dict[str, Any] = {
        "n_steps": 40,
        "batch_size": 40,
        "n_epochs": 1,
        "gamma": GAMMA,
        "gae_lambda": 0.7,
        "seed": 3,
    }
    model = PPO("MlpPolicy", env or DummyVecEnv([lake] * 2), device="cpu", **settings | changes)
    model.learn(80, callback=ShapingCallback(shaper) if shaper else None)
    return model


class Zero(Shaper):
    """Adds nothing, and keeps what it was shown."""

    def shape(self, rollout: Any, carry: Any = ()) -> Any:
        self.seen = rollout
        return rollout.add(self.name, 0 * rollout.discount), carry


def test_the_rewards_that_enter_gae_are_the_ledger_of_the_same_transitions() -> None:
    zero = Zero()
    plain = ppo(zero).rollout_buffer.rewards.copy()
    shaped = ppo(PotentialShaping(TABLE)).rollout_buffer.rewards
    seen = zero.seen
    # The policies acted alike, for the first update comes after the first rollout: 40 steps x 2.
    assert seen.done.sum() > 10
    assert seen.truncated.any()
    assert seen.terminated.any()
    want = seen.discount * TABLE[seen.next_obs] - TABLE[seen.obs]
    np.testing.assert_allclose(seen.discount[seen.truncated], GAMMA)
    np.testing.assert_allclose(shaped - plain, want, atol=1e-6)


def test_the_transitions_are_true_across_ends() -> None:
    zero = Zero()
    ppo(zero)
    seen = zero.seen
    inside = ~seen.done[:-1]
    np.testing.assert_array_equal(seen.next_obs[:-1][inside], seen.obs[1:][inside])
    assert (seen.obs[1:][~inside] == 0).all()  # a new episode starts at the upper left
    assert (seen.next_obs[:-1][~inside] != 0).any()  # and that is not what came last
    assert set(np.unique(seen.terms["env"])) <= {0.0, 1.0}  # not the reward with the bootstrapped value in it


class Spy(ShapingCallback):
    """Keeps what the advantages were computed from."""

    def _on_rollout_end(self) -> None:
        super()._on_rollout_end()
        buffer = self.model.rollout_buffer
        self.kept = {
            name: getattr(buffer, name).copy() for name in ("rewards", "values", "episode_starts", "advantages")
        }
        self.last = self.locals["values"].detach().numpy().ravel(), self.locals["dones"].astype(float)


def test_the_advantages_come_after_the_shaping() -> None:
    model = PPO(
        "MlpPolicy", DummyVecEnv([lake] * 2), n_steps=40, batch_size=40, gamma=GAMMA, gae_lambda=0.7, device="cpu"
    )
    spy = Spy(PotentialShaping(TABLE))
    model.learn(80, callback=spy)
    last_values, last_dones = spy.last
    values = np.concatenate([spy.kept["values"], last_values[None]])
    starts = np.concatenate([spy.kept["episode_starts"], last_dones[None]])
    trace, want = np.zeros(2), []
    for t in reversed(range(40)):
        goes_on = 1 - starts[t + 1]
        delta = spy.kept["rewards"][t] + GAMMA * goes_on * values[t + 1] - values[t]
        trace = delta + GAMMA * 0.7 * goes_on * trace
        want.append(trace)
    np.testing.assert_allclose(spy.kept["advantages"], want[::-1], atol=1e-4)


def test_a_wrapper_pays_the_same_as_the_callback() -> None:
    zero = Zero()
    ppo(zero)
    paid = []
    for column in range(2):
        env = ShapeReward(lake(), PotentialShaping(TABLE), gamma=GAMMA)
        env.reset(seed=3 + column)
        for action in zero.seen.action[:, column]:
            _, reward, terminated, truncated, _ = env.step(int(action))
            paid.append(float(reward))
            if terminated or truncated:
                env.reset()
    seen = zero.seen
    want = seen.reward + seen.discount * TABLE[seen.next_obs] - TABLE[seen.obs]
    np.testing.assert_allclose(np.array(paid).reshape(2, -1).T, want)


def test_counts_learn_once_from_each_transition() -> None:
    count = Count()
    ppo(count)
    assert int(count.state_dict()["table"]["counts"].sum()) == 80
    replayed = Count()
    model = DQN(
        "MlpPolicy", DummyVecEnv([lake] * 2), gamma=GAMMA, learning_starts=10, buffer_size=200, device="cpu", seed=1
    )
    shape_replay(model, replayed)
    model.learn(60)
    assert int(replayed.state_dict()["table"]["counts"].sum()) == model.num_timesteps


def meadow() -> gym.Env[Any, Any]:
    """A lake without holes, whose goal is more than 8 steps away."""
    return gym.make("FrozenLake-v1", desc=["SFFFFF"] + ["FFFFFF"] * 4 + ["FFFFFG"], is_slippery=False)


def test_episodic_memory_lasts_across_rollouts() -> None:
    callback = ShapingCallback(EpisodicCount())
    model = PPO("MlpPolicy", DummyVecEnv([meadow]), n_steps=4, batch_size=4, n_epochs=1, device="cpu", seed=0)
    model.learn(8, callback=callback)
    assert callback.carry["count"].sum() == 8


@pytest.mark.parametrize("limit", [5, 100])
def test_a_replay_is_shaped_when_it_is_sampled(limit: int) -> None:
    settings: dict[str, Any] = {"learning_starts": 1000, "buffer_size": 500, "device": "cpu", "seed": 1}
    model = DQN("MlpPolicy", DummyVecEnv([lambda: lake(limit)] * 2), gamma=GAMMA, **settings)
    buffer = shape_replay(model, PotentialShaping(TABLE))
    model.learn(200)
    sample = buffer.sample(300)
    state, after = (part.numpy().astype(int)[:, 0] for part in (sample.observations, sample.next_observations))
    ends = sample.dones.numpy()[:, 0]
    extra = GAMMA * (1 - ends) * TABLE[after] - TABLE[state]
    raw = sample.rewards.numpy()[:, 0] - extra
    np.testing.assert_allclose(raw, raw.round(), atol=1e-5)  # 0 or 1
    assert ends.any()
    assert set(np.unique(buffer.rewards)) <= {0.0, 1.0}  # what is stored is the true reward


@pytest.mark.parametrize("kind", [DQN, SAC, TD3])
def test_a_replay_hands_the_discount_over_and_the_target_uses_it(kind: Any) -> None:
    """A value of 10 everywhere: the loss of a critic that can't move is that of the target, reward + discount * 10."""
    env = lake if kind is DQN else lambda: Monitor(gym.make("Pendulum-v1", max_episode_steps=5))
    settings: dict[str, Any] = {"policy_kwargs": {"net_arch": [4]}, "learning_starts": 1000, "train_freq": 1}
    model = kind("MlpPolicy", DummyVecEnv([env]), gamma=GAMMA, device="cpu", seed=1, **settings)
    shaper = ScheduleDiscount(Linear(0.25, 0.75, 100))
    buffer = shape_replay(model, shaper)
    model.learn(50)
    for steps, gamma in ((50, 0.5), (100, 0.75)):
        assert shaper.steps == steps
        sample = buffer.sample(64)
        assert set(np.unique(sample.discounts)) <= {0.0, np.float32(gamma)}  # old ones have the present gamma
        assert ((sample.discounts == 0) == (sample.dones == 1)).all()
        model.learn(50, reset_num_timesteps=False)
    seen = []
    model.replay_buffer.sample = lambda *args, **kwargs: seen.append(buffer.__class__.sample(buffer, *args)) or seen[-1]
    critic = model.q_net_target if kind is DQN else model.critic_target
    with torch.no_grad():
        for network, value in ((critic, 10.0), (model.q_net if kind is DQN else model.critic, 0.0)):
            for name, weight in network.named_parameters():
                weight.zero_()
                if name.endswith("bias") and name.split(".")[-2] == "2":
                    weight.fill_(value)
    model.learning_rate = model.lr_schedule = lambda _: 0.0
    if kind is SAC:
        model.ent_coef_optimizer, model.ent_coef_tensor = None, torch.tensor(0.0)
    model._logger = configure(None, [])
    model.train(1, 64)
    want = seen[0].rewards + seen[0].discounts * 10.0
    found = model.logger.name_to_value["train/loss" if kind is DQN else "train/critic_loss"]
    loss = torch.nn.functional.smooth_l1_loss if kind is DQN else torch.nn.functional.mse_loss
    scale = {DQN: 1.0, SAC: 1.0, TD3: 2.0}[kind]  # SAC halves the sum of two losses
    assert found == pytest.approx(scale * float(loss(torch.zeros_like(want), want)), rel=1e-5)


def test_a_model_that_reads_no_discounts_can_not_have_them_set() -> None:
    class OwnTargets(DQN):
        def train(self, gradient_steps: int, batch_size: int = 100) -> None:
            raise NotImplementedError

    settings: dict[str, Any] = {"device": "cpu", "buffer_size": 10}
    assert replay_home(OwnTargets("MlpPolicy", DummyVecEnv([lake]), **settings)).discounts  # DQN's may be called

    class Bare(OffPolicyAlgorithm):
        pass

    model = object.__new__(Bare)
    assert not replay_home(model).discounts
    with pytest.raises(ValueError, match="one gamma for all steps"):
        require_fit(ScheduleDiscount(0.5), replay_home(model))


class WithInfo(gym.Wrapper[Any, Any, Any, Any]):
    """A lake that tells its potential."""

    def reset(self, **kwargs: Any) -> Any:
        obs, info = self.env.reset(**kwargs)
        return obs, info | {"potential": float(TABLE[obs])}

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = self.env.step(action)
        return obs, reward, terminated, truncated, info | {"potential": float(TABLE[obs])}


def test_info_columns_follow_their_transitions() -> None:
    def world() -> gym.Env[Any, Any]:
        return WithInfo(lake())

    by_table = ppo(PotentialShaping(TABLE), DummyVecEnv([world] * 2)).rollout_buffer.rewards
    by_info = ppo(PotentialShaping("potential"), DummyVecEnv([world] * 2)).rollout_buffer.rewards
    np.testing.assert_allclose(by_info, by_table, atol=1e-6)
    with pytest.raises(KeyError, match="a shaper reads info"):
        ppo(PotentialShaping("potential"))


def key_rooms() -> gym.Env[Any, Any]:
    return gym.make("potentia/KeyRooms-v0", size=2, max_episode_steps=50)


def test_what_a_shaper_measures_with_is_collected_where_the_world_offers_it() -> None:
    measures = frozenset({"info:next_subgoals", "info:next_score"})  # KeyRooms has no score
    rollout_shaper, replay_shaper = Recorder("next_caption"), Recorder("next_caption")
    for shaper in (rollout_shaper, replay_shaper):
        shaper.contract = replace(shaper.contract, measures=measures)
    ppo(rollout_shaper, DummyVecEnv([key_rooms] * 2))
    model = replaying(DummyVecEnv([key_rooms] * 2))
    buffer = shape_replay(model, replay_shaper)
    model.learn(200)
    assert buffer.columns.keys() == {"next_caption"}  # what is sampled is shaped, not measured
    for learned in (rollout_shaper.learned, replay_shaper.learned):
        steps = concatenate(learned)
        assert steps.info.keys() == {"next_caption", "next_subgoals"}
        events = steps.info["next_subgoals"]
        assert events["picked_up_key"].dtype == np.bool_
        with_key = np.char.find(steps.info["next_caption"], "hold the key") >= 0
        assert events["picked_up_key"].any()
        assert with_key[events["picked_up_key"]].all()
    with pytest.raises(KeyError, match="a shaper reads info"):
        ppo(Recorder("next_subgoals"))


def test_events_that_a_shaper_reads_are_sampled_with_their_transitions() -> None:
    recorder = Recorder("next_caption", "next_subgoals")
    model = replaying(DummyVecEnv([key_rooms] * 2))
    buffer = shape_replay(model, recorder)
    model.learn(200)
    buffer.sample(400)
    sampled = recorder.shaped[-1].info
    pays = sampled["next_subgoals"]["picked_up_key"]
    assert pays.shape == (1, 400)
    assert pays.any()
    assert (np.char.find(sampled["next_caption"], "hold the key") >= 0)[pays].all()


def test_with_vec_normalize_the_terms_stand_outside(tmp_path: Path) -> None:
    zero = Zero()
    plain = ppo(zero, VecNormalize(DummyVecEnv([lake] * 2), norm_obs=False, gamma=GAMMA)).rollout_buffer.rewards.copy()
    seen = zero.seen
    env = VecNormalize(DummyVecEnv([lake] * 2), norm_obs=False, gamma=GAMMA)
    shaped = ppo(PotentialShaping(TABLE), env).rollout_buffer.rewards
    np.testing.assert_allclose(shaped - plain, seen.discount * TABLE[seen.next_obs] - TABLE[seen.obs], atol=1e-5)
    assert set(np.unique(seen.terms["env"])) <= {0.0, 1.0}
    assert "VecNormalize" in seen.terms


def findings(model: Any) -> set[str]:
    return {finding.name for finding in check_stack(model)}


def test_p24_the_mistakes_of_a_stack_are_found_by_name() -> None:
    def shaped(discount: float = GAMMA, **settings: Any) -> gym.Env[Any, Any]:
        return ShapeReward(lake(), PotentialShaping(TABLE), gamma=discount, **settings)

    def model(kind: Any, env: Any) -> Any:
        return kind("MlpPolicy", env, gamma=GAMMA, device="cpu")

    assert findings(model(PPO, DummyVecEnv([lake]))) == set()
    assert findings(model(PPO, DummyVecEnv([shaped]))) == set()
    assert findings(model(PPO, DummyVecEnv([lambda: shaped(0.99)]))) == {"gamma"}
    assert findings(model(PPO, DummyVecEnv([lambda: shaped(truncation="terminal")]))) == {"truncation"}
    assert findings(model(PPO, DummyVecEnv([lambda: Monitor(shaped())]))) == {"monitor"}
    assert findings(model(PPO, VecNormalize(DummyVecEnv([shaped]), norm_obs=False, gamma=GAMMA))) == {"rescaled"}
    assert findings(model(PPO, VecNormalize(DummyVecEnv([lake]), norm_obs=False, gamma=0.5))) == {"gamma"}

    class Bonus(VecEnvWrapper):
        def reset(self) -> Any:
            return self.venv.reset()

        def step_wait(self) -> Any:
            obs, reward, done, info = self.venv.step_wait()
            return obs, reward + 1, done, info

    outside = Bonus(VecNormalize(DummyVecEnv([lambda: gym.make("CartPole-v1")]), gamma=GAMMA))
    assert findings(model(DQN, outside)) == {"dropped"}
    assert findings(model(PPO, outside)) == set()  # on-policy models see the wrapper's reward
    # The trap itself: what DQN stores lacks the bonus.
    trapped = DQN("MlpPolicy", outside, gamma=GAMMA, learning_starts=100, buffer_size=100, device="cpu")
    trapped.learn(20)
    assert set(np.unique(trapped.replay_buffer.rewards)) <= {0.0, 1.0}
    with pytest.raises(ValueError, match="dropped: Bonus stands outside of VecNormalize"):
        shape_replay(trapped, Count())


def test_what_cannot_work_is_refused_with_the_way_out() -> None:
    model = DQN("MlpPolicy", DummyVecEnv([lake]), device="cpu")
    with pytest.raises(ValueError, match="samples have no order here"):
        shape_replay(model, EpisodicCount())
    with pytest.raises(ValueError, match="one gamma for all steps"):
        ppo(ScheduleDiscount(0.5))
    with pytest.raises(ValueError, match="look back instead of ahead"):
        ppo(LookAheadAdvice(np.zeros((16, 4))))
    with pytest.raises(TypeError, match="use ShapingCallback"):
        shape_replay(PPO("MlpPolicy", DummyVecEnv([lake]), device="cpu"), Count())  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="use shape_replay"):
        model.learn(4, callback=ShapingCallback(Count()))


class Recorder(Shaper):
    """Adds nothing, reads what it is told to, and keeps all it is shown."""

    def __init__(self, *columns: str, **contract: Any) -> None:
        super().__init__("recorder")
        self.contract = Contract(reads=frozenset(f"info:{column}" for column in columns), **contract)
        self.shaped: list[Any] = []
        self.learned: list[Any] = []

    def shape(self, rollout: Any, carry: Any = ()) -> Any:
        self.shaped.append(rollout)
        return rollout.add(self.name, 0 * rollout.discount), carry

    def update(self, rollout: Any, *, policy: Any = None) -> dict[str, float]:
        self.learned.append(rollout)
        return {}


class Described(gym.Wrapper[Any, Any, Any, Any]):
    """A lake that tells its state, in a number and in a caption as long as the state's number plus one."""

    def reset(self, **kwargs: Any) -> Any:
        obs, info = self.env.reset(**kwargs)
        return obs, info | {"state": int(obs), "caption": "x" * (1 + int(obs))}

    def step(self, action: Any) -> Any:
        obs, *rest, info = self.env.step(action)
        return obs, *rest, info | {"state": int(obs), "caption": "x" * (1 + int(obs))}


def replaying(env: Any, kind: Any = DQN, **changes: Any) -> Any:
    settings: dict[str, Any] = {"gamma": GAMMA, "learning_starts": 10**6, "buffer_size": 500, "seed": 1}
    return kind("MlpPolicy", env, device="cpu", **settings | changes)


@pytest.mark.parametrize("wrap", [VecMonitor, lambda env: VecNormalize(env, norm_obs=False, gamma=GAMMA)])
@pytest.mark.filterwarnings("ignore:The environment is already wrapped with a `Monitor`:UserWarning")
def test_info_columns_are_found_behind_wrappers_of_the_vector(wrap: Any) -> None:
    recorder = Recorder("state", "next_state")
    ppo(recorder, wrap(DummyVecEnv([lambda: Described(lake())] * 2)))
    for rollout in recorder.shaped:
        np.testing.assert_array_equal(rollout.info["state"], rollout.obs)
        np.testing.assert_array_equal(rollout.info["next_state"], rollout.next_obs)


def test_training_goes_on_within_an_episode() -> None:
    recorder = Recorder("state")
    model = PPO("MlpPolicy", DummyVecEnv([lambda: Described(lake(100))] * 2), n_steps=3, batch_size=6, seed=3)
    callback = ShapingCallback(recorder)
    model.learn(6, callback=callback)
    model.learn(6, callback=callback, reset_num_timesteps=False)
    assert recorder.shaped[1].obs[0].any()  # not a fresh start
    np.testing.assert_array_equal(recorder.shaped[1].info["state"], recorder.shaped[1].obs)
    with pytest.raises(ValueError, match="has not seen; give learn"):
        model.learn(6, callback=ShapingCallback(Recorder()), reset_num_timesteps=False)

    counting = ShapingCallback(EpisodicCount())
    model = PPO("MlpPolicy", DummyVecEnv([meadow]), n_steps=4, batch_size=4, n_epochs=1, device="cpu", seed=0)
    model.learn(4, callback=counting)
    model.learn(4, callback=counting, reset_num_timesteps=False)
    assert counting.carry["count"].sum() == 8


def test_captions_of_a_replay_are_kept_whole() -> None:
    recorder = Recorder("next_caption")
    model = replaying(DummyVecEnv([lambda: Described(lake(100))]))
    buffer = shape_replay(model, recorder)
    model.learn(60)
    lengths = np.char.str_len(buffer.columns["next_caption"][:60, 0])
    np.testing.assert_array_equal(lengths, buffer.next_observations[:60, 0].ravel() + 1)
    assert lengths[0] < lengths.max()  # the first was not the longest


def test_shapers_see_raw_observations_under_vec_normalize() -> None:
    """A mountain car starts within -0.6..-0.4; normalised observations exceed 1."""

    def normalized(name: str) -> VecNormalize:
        return VecNormalize(DummyVecEnv([lambda: Monitor(gym.make(name))]), gamma=GAMMA)

    first = Recorder()
    ppo(first, normalized("MountainCar-v0"))
    assert all(-1.2 <= value <= 0.6 for value in first.shaped[0].obs[:, 0, 0])
    assert -0.6 <= first.shaped[0].obs[0, 0, 0] <= -0.4
    poles = Recorder()
    model = replaying(normalized("CartPole-v1"))
    buffer = shape_replay(model, poles)
    model.learn(100)
    learned = np.concatenate([rollout.next_obs[:, 0] for rollout in poles.learned])
    np.testing.assert_array_equal(learned, buffer.next_observations[:100, 0])
    on_policy = Recorder()
    ppo(on_policy, normalized("CartPole-v1"))
    seen = on_policy.shaped[0]
    inside, ends = ~seen.done[:-1, 0], seen.terminated[:, 0]
    np.testing.assert_array_equal(seen.next_obs[:-1, 0][inside], seen.obs[1:, 0][inside])
    tilted, away = np.abs(seen.next_obs[ends, 0, 2]), np.abs(seen.next_obs[ends, 0, 0])
    assert ends.any()
    assert ((tilted > 0.2094) | (away > 2.4)).all()  # a pole ends at 12 degrees


def test_shapers_see_the_actions_that_the_environment_saw() -> None:
    taken: list[float] = []

    class Noted(gym.Wrapper[Any, Any, Any, Any]):
        def step(self, action: Any) -> Any:
            taken.append(float(action[0]))
            return self.env.step(action)

    recorder = Recorder()
    model = replaying(DummyVecEnv([lambda: Noted(gym.make("Pendulum-v1"))]), SAC, learning_starts=10, batch_size=8)
    shape_replay(model, recorder)
    model.learn(20)
    np.testing.assert_allclose(np.concatenate([r.action[:, 0, 0] for r in recorder.learned]), taken, atol=1e-5)
    assert max(map(abs, taken)) > 1  # torques go to 2: scaled actions would not
    taken.clear()
    actions = Recorder()
    model = A2C("MlpPolicy", DummyVecEnv([lambda: Noted(gym.make("Pendulum-v1"))]), n_steps=20, device="cpu")
    model.learn(20, callback=ShapingCallback(actions))
    np.testing.assert_allclose(actions.shaped[0].action[:, 0, 0], taken)


def test_a_replay_of_another_kind_is_not_replaced_silently() -> None:
    with pytest.raises(TypeError, match="NStepReplayBuffer"):
        shape_replay(replaying(DummyVecEnv([lake]), n_steps=3), Count())
    as_ends = replaying(DummyVecEnv([lake]), replay_buffer_kwargs={"handle_timeout_termination": False})
    with pytest.raises(ValueError, match="handle_timeout_termination"):
        shape_replay(as_ends, Count())
    model = replaying(DummyVecEnv([lake]))
    model.learn(8)
    with pytest.raises(ValueError, match=r"holds 8 transitions without the info columns \['next_prob', 'prob'\]"):
        shape_replay(model, PotentialShaping("prob"))


def test_a_filled_replay_is_taken_over() -> None:
    model = replaying(DummyVecEnv([lake]))
    model.learn(8)
    before = model.replay_buffer
    buffer = shape_replay(model, PotentialShaping(lambda obs: obs * 1.0))
    assert buffer.size() == 8
    np.testing.assert_array_equal(buffer.observations, before.observations)
    sample = buffer.sample(64)
    ends = sample.dones.numpy()
    want = GAMMA * sample.next_observations.numpy() * (1 - ends) - sample.observations.numpy()
    np.testing.assert_allclose(
        sample.rewards.numpy() - ends * (sample.next_observations.numpy() == 15), want, atol=1e-6
    )


def test_a_replay_is_saved_without_its_shaper_and_goes_on_with_one(tmp_path: Path) -> None:
    model = replaying(DummyVecEnv([lake]))
    shape_replay(model, PotentialShaping(lambda obs: obs * 1.0))  # a lambda can't be pickled
    model.learn(8)
    model.save_replay_buffer(tmp_path / "replay.pkl")
    other = replaying(DummyVecEnv([lake]))
    other.load_replay_buffer(tmp_path / "replay.pkl")
    with pytest.raises(RuntimeError, match=r"call shape_replay\(model, shaper\) again"):
        other.replay_buffer.sample(4)
    again = shape_replay(other, PotentialShaping(lambda obs: obs * 1.0))
    assert again.size() == 8
    np.testing.assert_array_equal(again.observations, model.replay_buffer.observations)


def test_columns_follow_the_environment_that_the_model_is_given() -> None:
    """``info["state"]`` repeats the observation, so each stored column must equal the stored observations."""

    class Tells(gym.Wrapper[Any, Any, Any, Any]):
        def reset(self, **options: Any) -> Any:
            obs, info = self.env.reset(**options)
            return obs, info | {"state": float(obs)}

        def step(self, action: Any) -> Any:
            obs, *rest, info = self.env.step(action)
            return obs, *rest, info | {"state": float(obs)}

    def worlds() -> DummyVecEnv:
        return DummyVecEnv([lambda: Tells(lake())] * 2)

    model = replaying(worlds())
    buffer = shape_replay(model, PotentialShaping("state"))
    for _ in range(3):
        model.learn(16, reset_num_timesteps=False)
        model.set_env(worlds())
    rows = slice(0, buffer.pos)
    assert buffer.pos >= 24
    np.testing.assert_array_equal(buffer.columns["state"][rows], buffer.observations[rows, :, 0])
    np.testing.assert_array_equal(buffer.columns["next_state"][rows], buffer.next_observations[rows, :, 0])


def test_hindsight_around_a_shaped_environment_is_a_severe_finding() -> None:
    class Goals(gym.Env[Any, Any]):
        part = gym.spaces.Box(0.0, 9.0, (1,), np.float32)
        observation_space = gym.spaces.Dict(observation=part, achieved_goal=part, desired_goal=part)
        action_space = gym.spaces.Discrete(2)

        def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
            return {name: np.zeros(1, np.float32) for name in self.observation_space}, {}

        def step(self, action: Any) -> Any:
            return self.reset()[0], 0.0, False, True, {}

        def compute_reward(self, achieved: Any, desired: Any, info: Any) -> Any:
            return -np.abs(achieved - desired)[..., 0]

    def make() -> gym.Env[Any, Any]:
        return ShapeReward(Goals(), PotentialShaping(lambda obs: -obs["observation"][..., 0]), gamma=GAMMA)

    kwargs = {"n_sampled_goal": 4, "goal_selection_strategy": "future"}
    model = DQN(
        "MultiInputPolicy", DummyVecEnv([make]), gamma=GAMMA, replay_buffer_class=HerReplayBuffer,
        replay_buffer_kwargs=kwargs, buffer_size=50,
    )  # fmt: skip
    severe = [finding for finding in check_stack(model) if finding.severe]
    assert [finding.name for finding in severe] == ["relabelled"]
    assert "lack the terms of PotentialShaping" in severe[0].message


def test_the_shaping_in_other_processes_is_asked() -> None:
    def make() -> gym.Env[Any, Any]:
        return ShapeReward(lake(), PotentialShaping(TABLE), gamma=0.5)

    envs = SubprocVecEnv([make] * 2)
    try:
        found = {finding.name: finding.severe for finding in check_stack(PPO("MlpPolicy", envs, gamma=GAMMA))}
    finally:
        envs.close()
    assert found == {"gamma": True, "unseen": False}


@pytest.mark.parametrize(
    ("contract", "told"),
    [
        ({"needs_episodes": True}, "needs whole episodes"),
        ({"truncation": "terminal"}, "the one here uses the next value"),
    ],
)
def test_contracts_that_stable_baselines_breaks_are_refused(contract: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        ppo(Recorder(**contract))
    with pytest.raises(ValueError, match=told):
        shape_replay(replaying(DummyVecEnv([lake])), Recorder(**contract))
    with pytest.raises(ValueError, match="needs the learner's policy"):
        shape_replay(replaying(DummyVecEnv([lake])), Recorder(needs_policy=True))


@pytest.mark.filterwarnings("ignore:The environment is already wrapped with a `Monitor`:UserWarning")
def test_p24_mistakes_hidden_deeper_in_the_stack_are_found() -> None:
    def shaped(discount: float = GAMMA) -> gym.Env[Any, Any]:
        return ShapeReward(lake(), PotentialShaping(TABLE), gamma=discount)

    def clipped() -> gym.Env[Any, Any]:
        return gym.wrappers.TransformReward(shaped(), lambda reward: min(reward, 1))

    def found(env: Any) -> set[str]:
        return findings(PPO("MlpPolicy", env, gamma=GAMMA, device="cpu"))

    assert found(VecMonitor(DummyVecEnv([shaped]))) == {"monitor"}
    assert found(DummyVecEnv([clipped])) == {"rescaled"}
    assert found(DummyVecEnv([lambda: gym.wrappers.NormalizeReward(shaped(), gamma=GAMMA)])) == {"rescaled"}
    assert found(DummyVecEnv([shaped, lambda: shaped(0.5)])) == {"gamma"}


def test_a_shaper_is_saved_beside_the_model(tmp_path: Path) -> None:
    count = Count()
    ppo(count)
    checkpoint.save(tmp_path / "shaper.pt", shaper=count.state_dict())
    again = Count()
    again.load_state_dict(checkpoint.load(tmp_path / "shaper.pt")["shaper"])
    saved, expected = again.state_dict()["table"], count.state_dict()["table"]
    assert all(torch.equal(saved[part], expected[part]) for part in ("keys", "counts"))
    assert int(saved["counts"].sum()) == 80


def test_p24_a_shaping_that_is_in_a_wrapper_already_is_found() -> None:
    shaped = DummyVecEnv([lambda: ShapeReward(lake(), PotentialShaping(TABLE), gamma=GAMMA)])
    with pytest.raises(ValueError, match=r"twice: the terms \['PotentialShaping'\] are added by a wrapper already"):
        ppo(PotentialShaping(TABLE), shaped)
    ppo(PotentialShaping(TABLE, name="another"), shaped)


class Places(gym.Env[Any, Any]):
    """Every state of every episode is another one, and info names it too."""

    observation_space, action_space = gym.spaces.Box(0, 1e6, (1,), np.float32), gym.spaces.Discrete(2)
    episode = 0

    def reset(self, *, seed: Any = None, options: Any = None) -> Any:
        self.place, self.episode = 100.0 * self.episode, self.episode + 1
        return np.array([self.place], np.float32), {"place": self.place}

    def step(self, action: Any) -> Any:
        self.place += 1
        return np.array([self.place], np.float32), 0.0, self.place % 100 == 5, False, {"place": self.place}


def test_a_second_call_of_learn_pairs_no_stale_info() -> None:
    envs = DummyVecEnv([Places] * 2)
    model = DQN("MlpPolicy", envs, buffer_size=100, learning_starts=1000, gamma=GAMMA, train_freq=1)
    buffer = shape_replay(model, PotentialShaping("place"))
    for _ in range(3):
        model.learn(14)  # 7 steps of each, so an episode is cut in its middle by the reset of the next call
    size = buffer.size()
    assert size == 21
    assert (buffer.columns["place"][:size] == buffer.observations[:size, :, 0]).all()
    assert (buffer.columns["next_place"][:size] == buffer.next_observations[:size, :, 0]).all()


def test_the_callback_logs_every_term_and_its_share() -> None:
    model = PPO("MlpPolicy", DummyVecEnv([lake] * 2), n_steps=16, batch_size=32, gamma=GAMMA, seed=0)
    recorded: dict[str, float] = {}
    model.set_logger(configure(None, []))

    def record(key: str, value: Any, **rest: Any) -> None:
        if key.startswith("shaping/"):
            recorded[key] = float(value)

    model.logger.record = record  # type: ignore[method-assign, assignment]
    model.learn(32, callback=ShapingCallback(Count()))
    assert recorded["shaping/terms/Count"] == 1.0  # nothing was counted before the first rollout
    assert recorded["shaping/shares/env"] + recorded["shaping/shares/Count"] == pytest.approx(1.0)
    assert recorded["shaping/Count/states"] > 0
