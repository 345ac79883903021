"""The drivers in the stacks that people build: specs, nesting, tensors, trees, and what they refuse."""

from __future__ import annotations

import copy
import multiprocessing
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics
from gymnasium.wrappers.vector import DictInfoToList

from potentia.agents import RandomAgent
from potentia.collect import collect
from potentia.shaping import Chain, Contract, Count, EpisodicCount, PotentialShaping, Shaper
from potentia.wrappers import ShapeReward, ShapeVectorReward

TABLE = np.arange(16.0)


def lake(**settings: Any) -> gym.Env[Any, Any]:
    return gym.make("FrozenLake-v1", is_slippery=False, **settings)


def test_info_has_the_same_keys_from_reset_on_and_no_slash() -> None:
    env = ShapeReward(lake(), Chain(PotentialShaping(TABLE), Count()), gamma=0.9)
    _, first = env.reset(seed=0)
    _, reward, _, _, second = env.step(2)
    assert first.keys() == second.keys()
    assert list(first["terms"]) == list(second["terms"]) == ["env", "PotentialShaping", "Count"]
    assert not any("/" in key for key in [*first, *first["terms"]])
    assert first["true_reward"] == 0.0
    assert sum(second["terms"].values()) == reward == pytest.approx(0.9 * 1 - 0 + 1)


def test_a_spec_rebuilds_the_stack_with_the_shaper_as_it_was_given() -> None:
    env = ShapeReward(lake(), Count(), gamma=0.9)
    env.reset(seed=0)
    env.step(2)
    again = gym.make(env.spec)
    assert isinstance(again, ShapeReward)
    assert len(env.shaper.table) > 0
    assert len(again.shaper.table) == 0
    again.reset(seed=0)
    assert again.step(2)[1] == 1.0
    wrapper = ShapeReward.wrapper_spec(shaper=PotentialShaping(TABLE), gamma=0.5)
    spec = copy.deepcopy(gym.spec("FrozenLake-v1"))
    spec.additional_wrappers = (wrapper,)
    built = gym.make(spec, is_slippery=False)
    built.reset(seed=0)
    assert built.step(2)[1] == 0.5 * 1 - 0


def test_an_environment_is_shaped_once() -> None:
    once = ShapeReward(lake(), PotentialShaping(TABLE), gamma=0.9)
    with pytest.raises(ValueError, match=r"shaped already, by PotentialShaping; shape it once, with Chain\("):
        ShapeReward(once, Count(), gamma=0.9)
    inside = SyncVectorEnv([lambda: ShapeReward(lake(), PotentialShaping(TABLE), gamma=0.9)] * 2)
    outside = ShapeVectorReward(SyncVectorEnv([lake] * 2), PotentialShaping(TABLE), gamma=0.9)
    for shaped in (inside, outside):
        with pytest.raises(ValueError, match=r"shaped already.*Chain"):
            ShapeVectorReward(shaped, Count(), gamma=0.9).reset(seed=0)
        with pytest.raises(ValueError, match=r"shaped already.*Chain"):
            collect(shaped, RandomAgent(shaped.single_observation_space, shaped.single_action_space), 1, gamma=0.9)


def test_gamma_is_written_by_name() -> None:
    with pytest.raises(TypeError, match=r"ShapeReward takes gamma=, not discount=.*write gamma=0\.9"):
        ShapeReward(lake(), Count(), discount=0.9)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="ShapeReward needs gamma, the learner's own discount factor, by name"):
        ShapeReward(lake(), Count(), 0.9)  # type: ignore[call-arg, misc]
    with pytest.raises(TypeError, match="ShapeVectorReward needs gamma"):
        ShapeVectorReward(SyncVectorEnv([lake]), Count())  # type: ignore[call-arg]


def test_an_environment_that_starts_anew_by_itself_is_shaped_in_every_episode() -> None:
    env = ShapeReward(gym.wrappers.Autoreset(lake(max_episode_steps=2)), PotentialShaping(TABLE), gamma=0.5)
    env.reset(seed=0)
    paid = [env.step(2) for _ in range(5)]
    # 0 to 1, 1 to 2 and a cut, the reset, and again.
    assert [float(step[1]) for step in paid] == [0.5 * 1 - 0, 0.5 * 2 - 1, 0.0, 0.5, 0.0]
    bare = ShapeReward(lake(max_episode_steps=1), PotentialShaping(TABLE), gamma=0.5)
    bare.reset(seed=0)
    bare.step(2)
    with pytest.raises(RuntimeError, match=r"after the end of the episode: call reset\(\) first"):
        bare.step(2)


def test_a_time_limit_outside_is_said_where_it_leaves_a_debt() -> None:
    inside = ShapeReward(lake(max_episode_steps=50), PotentialShaping(TABLE), gamma=0.9, truncation="terminal")
    env = gym.wrappers.TimeLimit(inside, 1)
    env.reset(seed=0)
    env.step(2)
    with pytest.warns(UserWarning, match="a time limit outside this wrapper belongs inside"):
        env.reset()


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_the_true_return_is_in_the_info(mode: AutoresetMode) -> None:
    class Pays(gym.RewardWrapper[Any, Any]):
        def reward(self, reward: Any) -> float:
            return 2.0

    single = ShapeReward(Pays(lake(max_episode_steps=3)), Count(), gamma=0.9)
    for _ in range(2):
        assert single.reset(seed=0)[1]["true_return"] == 0.0
        assert [single.step(2)[4]["true_return"] for _ in range(3)] == [2.0, 4.0, 6.0]
    vector = SyncVectorEnv([lambda: Pays(lake(max_episode_steps=3))] * 2, autoreset_mode=mode)
    env = ShapeVectorReward(vector, Count(), gamma=0.9)
    assert env.autoreset_mode is mode
    env.reset(seed=0)
    seen = []
    for _ in range(7):
        *_, truncated, info = env.step(np.array([2, 2]))
        seen.append(info["true_return"].tolist())
        if mode is AutoresetMode.DISABLED and truncated.any():
            env.reset(options={"reset_mask": truncated})
    reset_step = [[0.0, 0.0]] if mode is AutoresetMode.NEXT_STEP else []
    episode = [[2.0, 2.0], [4.0, 4.0], [6.0, 6.0], *reset_step]
    assert seen == (episode * 3)[:7]


def test_a_key_that_is_sometimes_missing_is_said_with_the_environments_number() -> None:
    class Sometimes(gym.Wrapper[Any, Any, Any, Any]):
        def reset(self, **options: Any) -> Any:
            obs, info = self.env.reset(**options)
            return obs, info | {"potential": 1.0}

        def step(self, action: Any) -> Any:
            *rest, info = self.env.step(action)
            return *rest, info if rest[0] == 1 else info | {"potential": 51.0}

    env = ShapeVectorReward(SyncVectorEnv([lambda: Sometimes(lake())] * 3), PotentialShaping("potential"), gamma=0.9)
    env.reset(seed=0)
    with pytest.raises(KeyError, match=r"info\['potential'\], which environment 1 did not give in this step \(1 of 3"):
        env.step(np.array([1, 2, 1]))


def test_observations_with_text_are_read_single_and_as_vectors() -> None:
    class Told(gym.ObservationWrapper[Any, Any, Any]):
        observation_space = gym.spaces.Dict(state=gym.spaces.Discrete(16), mission=gym.spaces.Text(20))

        def observation(self, observation: Any) -> Any:
            return {"state": observation, "mission": f"leave {observation}"}

    single = ShapeReward(Told(lake(max_episode_steps=2)), EpisodicCount(lambda obs: obs["mission"]), gamma=0.9)
    single.reset(seed=0)
    paid = [single.step(2)[1] for _ in range(2)]
    for mode in AutoresetMode:
        vector = SyncVectorEnv([lambda: Told(lake(max_episode_steps=2))] * 2, autoreset_mode=mode)
        env = ShapeVectorReward(vector, EpisodicCount(lambda obs: obs["mission"]), gamma=0.9)
        env.reset(seed=0)
        assert [env.step(np.array([2, 2]))[1].tolist() for _ in range(2)] == [[one, one] for one in paid]
    rollout, _ = collect(vector, RandomAgent(vector.single_observation_space, vector.single_action_space), 2, gamma=0.9)
    assert rollout.obs["mission"][0].tolist() == ["leave 0", "leave 0"]


class Whole(Shaper):
    """Needs whole episodes."""

    contract = Contract(needs_episodes=True)


class Nan(Shaper):
    """Returns what no learner should see."""

    def shape(self, rollout: Any, carry: Any = ()) -> Any:
        return rollout.add(self.name, rollout.discount * float("nan")), carry


class NanReward(gym.RewardWrapper[Any, Any]):
    """A broken world."""

    def reward(self, reward: Any) -> float:
        return float("nan")


def test_what_cannot_be_right_is_told_with_the_way_out() -> None:
    with pytest.raises(ValueError, match=r"Whole does not fit ShapeReward: it needs whole episodes.*collect_episodes"):
        ShapeReward(lake(), Whole(), gamma=0.99)
    with pytest.raises(TypeError, match=r"shaper must be a potentia\.shaping\.Shaper, got function"):
        ShapeReward(lake(), height, gamma=0.99)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"gamma must lie in \[0, 1\], got 1\.5"):
        ShapeReward(lake(), Count(), gamma=1.5)
    with pytest.raises(ValueError, match="truncation must be 'bootstrap' or 'terminal'"):
        ShapeReward(lake(), Count(), truncation="maybe", gamma=0.99)  # type: ignore[arg-type]
    env = ShapeReward(lake(), PotentialShaping("potential"), gamma=0.99)
    with pytest.raises(KeyError, match=r"reads info\['potential'\], but the environment's info has \['prob'\]"):
        env.reset(seed=0)
    for broken, term in (
        (ShapeReward(lake(), Nan(), gamma=0.99), "Nan"),
        (ShapeReward(NanReward(lake()), Count(), gamma=0.99), "env"),
    ):
        broken.reset(seed=0)
        with pytest.raises(ValueError, match=rf"reward term '{term}' must be finite, got nan at \(t, b\) = \(0, 0\)"):
            broken.step(2)
    wrong = ShapeReward(lake(), PotentialShaping(lambda obs: np.zeros(3)), gamma=0.99)
    wrong.reset(seed=0)
    with pytest.raises(ValueError, match=r"potential must have shape \(T, B\) = \(1, 1\), got \(3,\)"):
        wrong.step(2)


def height(obs: Any) -> Any:
    return obs[..., 0]


def test_learning_can_be_frozen_and_waits_for_enough_transitions() -> None:
    frozen = ShapeReward(lake(), Count(), learn=False, gamma=0.99)
    frozen.reset(seed=0)
    assert [frozen.step(action)[1] for action in (2, 0, 2)] == [1.0, 1.0, 1.0]
    patient = Count()
    patient.update_size = 3
    env = ShapeReward(lake(), patient, gamma=0.99)
    env.reset(seed=0)
    assert [env.step(action)[1] for action in (0, 0, 0, 0)] == [1.0, 1.0, 1.0, pytest.approx(0.5)]


def test_a_reset_in_the_middle_forgets_the_episode() -> None:
    env = ShapeReward(lake(), EpisodicCount(first_visit=True), gamma=0.99)
    for _ in range(2):
        env.reset(seed=0)
        assert [env.step(action)[1] for action in (2, 0, 2)] == [1.0, 1.0, 0.0]


class Reused(VectorEnv[Any, Any, Any]):
    """Two counters that write into one buffer, of tensors or arrays."""

    def __init__(self, tensors: bool, mode: AutoresetMode) -> None:
        self.num_envs, self.mode = 2, mode
        self.metadata = {"autoreset_mode": mode}
        self.single_observation_space = gym.spaces.Box(-9, 99, (1,), np.float64)
        self.single_action_space = gym.spaces.Discrete(2)
        self.observation_space = gym.vector.utils.batch_space(self.single_observation_space, 2)
        self.action_space = gym.vector.utils.batch_space(self.single_action_space, 2)
        self.make = torch.as_tensor if tensors else np.asarray
        self.buffer = self.make(np.zeros((2, 1)))
        self.over = np.zeros(2, bool)

    def reset(self, *, seed: Any = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        mask = (options or {}).get("reset_mask", np.ones(2, bool))
        self.buffer[np.flatnonzero(mask)] = 0.0
        return self.buffer, {}

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        start = self.over & (self.mode is AutoresetMode.NEXT_STEP)
        ends = np.asarray(self.buffer)[:, 0] + 1 >= np.array([3, 4])
        self.buffer += 1.0
        self.buffer[np.flatnonzero(start)] = 0.0
        self.over = ends & ~start
        info: dict[str, Any] = {}
        if self.mode is AutoresetMode.SAME_STEP and self.over.any():
            info = {"final_obs": self.make(np.asarray(self.buffer).copy()), "_final_obs": self.make(self.over)}
            self.buffer[np.flatnonzero(self.over)] = 0.0
        return self.buffer, self.make(np.zeros(2)), self.make(self.over), self.make(np.zeros(2, bool)), info


@pytest.mark.parametrize("tensors", [False, True])
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_reused_buffer_and_tensors_pay_the_same(tensors: bool, mode: AutoresetMode) -> None:
    env = ShapeVectorReward(Reused(tensors, mode), PotentialShaping(height), gamma=0.5)
    env.reset()
    paid: list[list[float]] = [[], []]
    waiting = np.zeros(2, bool)
    for _ in range(12):
        _, reward, terminated, _, info = env.step(np.zeros(2, int))
        assert isinstance(reward, torch.Tensor) == tensors
        assert isinstance(info["discount"], torch.Tensor) == tensors
        for b in range(2):
            if not waiting[b]:
                paid[b].append(float(reward[b]))
            else:
                assert float(reward[b]) == 0.0
        done = np.asarray(terminated)
        waiting = done if mode is AutoresetMode.NEXT_STEP else np.zeros(2, bool)
        if mode is AutoresetMode.DISABLED and done.any():
            env.reset(options={"reset_mask": done})
    # Heights 0, 1, 2 and the end: 0.5 * 1 - 0, 0.5 * 2 - 1, and -2; the other climbs one step more.
    assert paid[0][:6] == [0.5, 0.0, -2.0] * 2
    assert paid[1][:8] == [0.5, 0.0, -0.5, -3.0] * 2


def test_dictionaries_of_observations_are_trees() -> None:
    class Two(gym.ObservationWrapper[Any, Any, Any]):
        observation_space = gym.spaces.Dict(a=gym.spaces.Discrete(16), b=gym.spaces.Box(0, 99, (2,), np.float32))

        def observation(self, observation: Any) -> Any:
            return {"a": observation, "b": np.full(2, observation, np.float32)}

    def potential(obs: Any) -> Any:
        return obs["a"] + obs["b"].sum(-1)

    env = ShapeReward(Two(lake()), PotentialShaping(potential), gamma=0.5)
    env.reset(seed=0)
    assert env.step(2)[1] == 0.5 * 3 - 0
    vector = ShapeVectorReward(
        SyncVectorEnv([lambda: Two(lake(max_episode_steps=2))], autoreset_mode=AutoresetMode.SAME_STEP),
        PotentialShaping(potential),
        gamma=0.5,
    )
    vector.reset(seed=0)
    assert [vector.step(np.array([2]))[1].item() for _ in range(3)] == [1.5, 0.5 * 6 - 3, 1.5]


def test_gymnasiums_own_wrappers_fit_around_and_within() -> None:
    env = ShapeReward(RecordEpisodeStatistics(lake()), PotentialShaping(TABLE), gamma=0.9)
    env.reset(seed=0)
    for action in (1, 1, 2, 1, 2, 2):
        *_, info = env.step(action)
    assert info["episode"]["r"] == 1.0  # inside: the true return
    vector = DictInfoToList(ShapeVectorReward(SyncVectorEnv([lake] * 2), PotentialShaping(TABLE), gamma=0.9))
    vector.reset(seed=0)
    *_, infos = vector.step(np.array([2, 1]))
    assert [one["terms"]["PotentialShaping"] for one in infos] == pytest.approx([0.9, 3.6])
    assert [one["true_reward"] for one in infos] == [0.0, 0.0]
    many = gym.make_vec("FrozenLake-v1", 2, wrappers=[lambda inner: ShapeReward(inner, EpisodicCount(), gamma=0.9)])
    many.reset(seed=0)
    assert many.step(np.array([2, 1]))[1].tolist() == [1.0, 1.0]


def test_a_spec_as_json_makes_a_fresh_shaper_with_the_same_arguments() -> None:
    env = ShapeReward(lake(), Chain(PotentialShaping(TABLE), Count(hash_bits=8)), gamma=0.9)
    env.reset(seed=0)
    env.step(2)
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert isinstance(again, ShapeReward)
    again.reset(seed=0)
    assert again.step(2)[1] == pytest.approx(0.9 * 1 - 0 + 1)  # nothing is counted yet
    said = ShapeReward(lake(), {"type": "Count", "weight": 0.5}, gamma=0.9)
    said.reset(seed=0)
    assert said.step(2)[1] == 0.5
    with pytest.raises(ValueError, match="unknown shaper 'Cuont'; did you mean 'Count'"):
        ShapeReward(lake(), {"type": "Cuont"}, gamma=0.9)


def test_in_same_step_a_wrapper_inside_leaves_the_last_step_in_final_info() -> None:
    envs = SyncVectorEnv(
        [lambda: ShapeReward(lake(max_episode_steps=2), PotentialShaping(TABLE), gamma=0.5)] * 2,
        autoreset_mode=AutoresetMode.SAME_STEP,
    )
    envs.reset(seed=0)
    envs.step(np.array([2, 2]))
    _, reward, _, truncated, info = envs.step(np.array([2, 2]))
    assert truncated.all()
    assert reward.tolist() == [0.5 * 2 - 1] * 2
    assert info["true_return"].tolist() == [0.0, 0.0]  # of the episode that has just begun
    assert info["final_info"]["true_return"].tolist() == [0.0, 0.0]
    assert info["final_info"]["terms"]["PotentialShaping"].tolist() == [0.0, 0.0]


def test_learning_in_many_processes_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(multiprocessing, "parent_process", object)
    with pytest.warns(UserWarning, match="in N processes there are N such models"):
        ShapeReward(lake(), Count(), gamma=0.9)
    ShapeReward(lake(), Count(), gamma=0.9, learn=False)
    ShapeReward(lake(), PotentialShaping(TABLE), gamma=0.9)
