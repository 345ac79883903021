"""The protocol of our worlds: who is asked for info, through which wrappers, and what is refused in words."""

from __future__ import annotations

from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AsyncVectorEnv, SyncVectorEnv, VectorEnv
from gymnasium.wrappers import RecordEpisodeStatistics, TimeLimit
from gymnasium.wrappers.vector import RecordEpisodeStatistics as RecordVectorStatistics

import potentia  # noqa: F401 - registers the worlds
from potentia.collect import collect
from potentia.envs.grid import GridVectorEnv
from potentia.envs.info_keys import INFO_KEYS
from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.world import Restorable, World, ask, ask_offered, offered_keys
from potentia.shaping import EpisodicCount, PotentialShaping
from potentia.wrappers import ShapeReward, ShapeVectorReward

WORLDS = {
    "exact": partial(gym.make, "potentia/KeyRooms-v0"),
    "grid": partial(gym.make, "potentia/DoorKey-5x5-v0"),
    "minihack": partial(gym.make, "potentia/MiniHack-KeyRoom-S5-v0"),
    "web": partial(gym.make, "potentia/Web-ShopReview-v0", backend="html"),
}
FREE = {"exact": {"success"}, "grid": {"success"}, "minihack": {"success"},
        "web": {"success", "goal", "response", "blocked", "failure", "action_error"}}  # fmt: skip
family = pytest.mark.parametrize("name", WORLDS)


class Foreign(gym.Env[Any, Any]):
    """An environment of somebody else, whose info is its own; it has a method by the name of ours."""

    observation_space, action_space = spaces.Discrete(2), spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        return 0, {"potential": 0.5}

    def step(self, action: Any) -> tuple[int, float, bool, bool, dict[str, Any]]:
        return 0, 0.0, False, False, {"potential": 0.5}

    def ask(self, question: str) -> str:
        raise AssertionError(question)


@family
def test_by_default_an_info_has_what_costs_nothing_and_if_asked_all(name: str) -> None:
    with WORLDS[name]() as env:
        assert set(env.reset(seed=0)[1]) == FREE[name]
        world: Any = env.unwrapped
        assert isinstance(world, World)
        assert offered_keys(env) == set(world.offered_keys) > FREE[name]
    with WORLDS[name](info_keys="all") as env:
        _, info = env.reset(seed=0)
        assert set(info) == set(env.unwrapped.offered_keys)
        assert list(env.unwrapped.offered_keys) == [key for key in INFO_KEYS if key in info]
        assert all(INFO_KEYS[key].fits(value) for key, value in info.items())


@family
def test_a_world_that_is_asked_in_the_middle_of_an_episode_tells_what_it_would_have_told(name: str) -> None:
    with WORLDS[name]() as env, WORLDS[name](info_keys="all") as told:
        env.reset(seed=3), told.reset(seed=3)
        actions = [0, 1, 0]
        for action in actions[:2]:
            env.step(action), told.step(action)
        ask(env, offered_keys(env))
        assert str(env.unwrapped.info_now()) == str(told.unwrapped.info_now())
        (*one, info), (*other, wanted) = env.step(actions[2]), told.step(actions[2])
        assert str(one) == str(other)
        assert str(info) == str(wanted)


@family
def test_goal_actions_and_limit_are_told(name: str) -> None:
    with WORLDS[name]() as env:
        env.reset(seed=0)
        world: Any = env.unwrapped
        said = {"exact": "2", "grid": "forward", "minihack": "(j)", "web": ""}
        assert said[name] in world.action_text(2)
        goals = {"grid": "use the key to open the door and then get to the goal", "web": 'Review the product "'}
        assert world.goal_text().startswith(goals.get(name, ""))
        assert bool(world.goal_text()) == (name in goals)
        assert world.time_limit >= 1
    with pytest.raises(ValueError, match=r"info_keys must be among \('caption', .* in this world, got \['colour'\]"):
        WORLDS[name](info_keys=("colour",))
    with pytest.raises(ValueError, match=r"must be None, \"all\" or names such as .* got 'success'"):
        WORLDS[name](info_keys="success")


def vectors() -> dict[str, VectorEnv[Any, Any, Any]]:
    made = [partial(gym.make, "potentia/KeyRooms-v0")] * 2
    return {
        "own": RecordVectorStatistics(gym.make_vec("potentia/KeyRooms-v0", 2)),
        "grid": gym.make_vec("potentia/DoorKey-5x5-v0", 2),
        "web": gym.make_vec("potentia/Web-ShopReview-v0", 2, backend="html"),
        "sync": RecordVectorStatistics(SyncVectorEnv([lambda: TimeLimit(made[0](), 7)] * 2)),
        "async": AsyncVectorEnv(made),
    }


@pytest.mark.parametrize("form", ["own", "grid", "web", "sync", "async"])
def test_worlds_are_found_in_vectors_and_wrappers(form: str) -> None:
    envs = vectors()[form]
    assert {"potential", "state_hash"} <= offered_keys(envs)
    assert "potential" not in envs.reset(seed=0)[1]
    ask(envs, ["potential", "success"])
    ask(envs, iter(["state_hash"]))
    info = envs.reset(seed=0)[1]
    assert {key: info[key].dtype.kind for key in ("potential", "state_hash", "success")} == {
        "potential": "f", "state_hash": "i", "success": "b"
    }  # fmt: skip
    with pytest.raises(ValueError, match=r"no info \['colour'\].* offers? \("):
        ask(envs, ["colour"])
    assert set(envs.reset(seed=0)[1]) == set(info)
    envs.close()


@pytest.mark.parametrize(
    "make",
    [Foreign, lambda: TimeLimit(Foreign(), 3), lambda: SyncVectorEnv([Foreign]), lambda: AsyncVectorEnv([Foreign] * 2)],
)
def test_of_other_peoples_environments_nothing_is_asked(make: Any) -> None:
    env = make()
    assert offered_keys(env) == frozenset()
    ask(env, ["distance"])
    assert "distance" not in env.reset(seed=0)[1]
    env.close()


def test_a_vector_offers_what_all_its_worlds_offer() -> None:
    names = ("DoorKey-5x5", "Playground")
    envs = SyncVectorEnv([partial(gym.make, f"potentia/{name}-v0") for name in names])
    assert offered_keys(envs) == {"caption", "state_hash", "subgoals", "success"}
    ask_offered(envs, ["state_hash", "distance"])
    assert set(envs.reset(seed=0)[1]) >= {"state_hash", "success"}
    with pytest.raises(ValueError, match=r"GridEnv has no info \['distance'\]"):
        ask(envs, ["distance"])


@family
def test_shaping_asks_for_what_it_reads(name: str) -> None:
    env = ShapeReward(RecordEpisodeStatistics(WORLDS[name]()), PotentialShaping("potential"), gamma=0.9)
    _, info = env.reset(seed=0)
    before = info["potential"]
    *_, info = env.step(0)
    assert info["terms"]["PotentialShaping"] == pytest.approx(0.9 * info["potential"] - before)
    env.close()


def test_shaping_of_vectors_and_collecting_ask_for_what_is_read() -> None:
    envs = ShapeVectorReward(GridVectorEnv("DoorKey-5x5", 3), EpisodicCount("state_hash"), gamma=0.9)
    envs.reset(seed=0)
    *_, info = envs.step(np.zeros(3, np.int64))
    assert (info["terms"]["EpisodicCount"] > 0).all()
    plain = gym.make_vec("potentia/KeyRooms-v0", 2)
    rollout, _ = collect(plain, _Still(), 4, gamma=0.9, columns={"distance", "next_distance"}, seed=0)
    assert (rollout.info["distance"] - rollout.info["next_distance"] <= 1).all()


class _Still:
    def init(self, num_envs: int) -> Any:
        return ()

    def act(self, obs: Any, carry: Any) -> Any:
        return np.zeros(len(obs), np.int64), carry


def test_what_a_wrapper_adds_is_not_asked_of_the_world_inside() -> None:
    class Adds(gym.Wrapper[Any, Any, Any, Any]):
        def reset(self, **options: Any) -> Any:
            obs, info = self.env.reset(**options)
            return obs, info | {"height": 1.0}

        def step(self, action: Any) -> Any:
            *rest, info = self.env.step(action)
            return (*rest, info | {"height": 1.0})

    env = ShapeReward(Adds(gym.make("potentia/Chain-v0")), PotentialShaping("height"), gamma=0.5)
    env.reset(seed=0)
    assert env.step(1)[1] == pytest.approx(-0.5)


def test_a_column_that_is_missing_is_told_with_how_to_ask_for_it() -> None:
    env = ShapeReward(gym.make("potentia/Playground-v0"), PotentialShaping("distance"), gamma=0.9)
    with pytest.raises(KeyError, match=r"has \['success'\].* by info_keys=\('distance',\) at gym.make or by potentia"):
        env.reset(seed=0)


@pytest.mark.parametrize("name", ["exact", "grid"])
def test_a_restored_world_goes_on_as_it_did(name: str) -> None:
    one, other = WORLDS[name]().unwrapped, WORLDS[name]().unwrapped
    assert isinstance(one, Restorable)
    one.reset(seed=1)
    one.step(1)
    saved = one.save()
    wanted = [str(one.step(action)) for action in (0, 1, 2, 2)]
    other.restore(saved)
    assert [str(other.step(action)) for action in (0, 1, 2, 2)] == wanted
    one.restore(saved)
    assert [str(one.step(action)) for action in (0, 1, 2, 2)] == wanted


VECTORS = {
    "exact": partial(gym.make_vec, "potentia/FrozenLake8x8-v0", 3),
    "grid": partial(gym.make_vec, "potentia/DoorKey-5x5-v0", 3),
    "web": partial(gym.make_vec, "potentia/Web-ShopReview-v0", 3, backend="html"),
}


@pytest.mark.parametrize("name", VECTORS)
def test_every_vector_takes_the_seeds_that_gymnasiums_own_take_and_refuses_others(name: str) -> None:
    envs = VECTORS[name](info_keys=("state_hash",))

    def hashes(seed: Any) -> list[int]:
        trace = [envs.reset(seed=seed)[1]["state_hash"].tolist()]
        for _ in range(3):
            trace.append(envs.step(np.full(3, 2))[4]["state_hash"].tolist())
        return [int(part) for part in np.array(trace).T.ravel()]

    wanted = hashes(5)
    for seed in (np.int64(5), [5, 6, 7], (5, 6, 7), range(5, 8), np.array([5, 6, 7])):
        assert hashes(seed) == wanted, seed
    assert hashes([7, 6, 5]) == [number for row in reversed(np.reshape(wanted, (3, -1)).tolist()) for number in row]
    for seed, error, message in (
        (5.0, TypeError, "seed must be None, an integer or 3 integers, got float: 5.0"),
        ("5", TypeError, "got str: '5'"),
        ([5.0, 6, 7], TypeError, "each seed must be an integer or None, got float: 5.0"),
        ([5, 6], ValueError, "seed must be an integer or 3, one for each environment, got 2"),
        (-1, ValueError, "a seed must be at least 0, got -1"),
        ([5, 6, -7], ValueError, "a seed must be at least 0, got -7"),
    ):
        with pytest.raises(error, match=message):
            envs.reset(seed=seed)
    for mask in (np.zeros(3, bool), np.ones(2, bool), np.ones(3)):
        with pytest.raises(ValueError, match="reset_mask must be a bool array of shape"):
            envs.reset(options={"reset_mask": mask})
    envs.close()


def test_seeds_and_masks_by_hand() -> None:
    assert seeds_of(None, 2) == [None, None]
    assert seeds_of(3, 3) == [3, 4, 5]
    assert seeds_of((1, None), 2) == [1, None]
    assert reset_mask(None, 2) is None
    assert reset_mask({"reset_mask": [True, False]}, 2).tolist() == [True, False]


def test_stable_baselines_callback_asks_and_shapes_the_first_step_as_the_wrapper_does() -> None:
    pytest.importorskip("stable_baselines3")
    from stable_baselines3 import PPO
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv

    from potentia.agents.sb3 import ShapingCallback

    make, shaper = partial(gym.make, "potentia:potentia/Chain-v0"), partial(PotentialShaping, "potential")

    def first_batch(vector: Any, callback: Any) -> np.ndarray:
        model = PPO("MlpPolicy", vector, n_steps=16, batch_size=16, n_epochs=1, gamma=0.9, seed=0, device="cpu")
        model.learn(32, callback)
        vector.close()
        return model.rollout_buffer.rewards

    wrapped = first_batch(DummyVecEnv([lambda: ShapeReward(make(), shaper(), gamma=0.9)] * 2), None)
    for vector in (DummyVecEnv, SubprocVecEnv):
        called = first_batch(vector([lambda: Monitor(make())] * 2), ShapingCallback(shaper()))
        np.testing.assert_allclose(called, wrapped, atol=1e-6)
    assert np.abs(wrapped).max() > 0
