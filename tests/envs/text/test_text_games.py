"""What all text worlds share, on a world of a few lines: texts, numbers and vectors, copies, forms and the rules."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode

from potentia.collect import collect
from potentia.envs.text import IndexedCommands, TextGame, Turn, hashed_words, make_vector, register_text_world
from potentia.envs.world import ask
from potentia.testing import check_env
from tests.envs.text.cellar import Cellar

register_text_world("TestCellar", "tests.envs.text.cellar:make_cellar")
ID = "potentia/TestCellar-v0"
KEY_IN_2 = 3  # the seed under which the key lies in room 2


def begun(**kwargs: Any) -> Cellar:
    env = Cellar(**kwargs)
    env.reset(seed=KEY_IN_2)
    assert env.key == 2
    return env


@pytest.mark.parametrize("form", ["text", "indexed", "flat", {"commands": 2, "width": 16}])
def test_the_rules_hold_in_every_form(form: Any) -> None:
    untried = check_env(lambda: gym.make(ID, form=form))
    assert untried == frozenset()


def test_a_text_world_whose_distance_lies_is_caught() -> None:
    class Liar(Cellar):
        def plan(self) -> list[str]:
            plan = super().plan()
            return [*plan[:1], *plan] if plan else plan

    with pytest.raises(AssertionError, match="distance"):
        check_env(Liar)


def test_a_text_world_whose_state_is_not_all_kept_is_caught() -> None:
    class Forgetful(Cellar):
        kept = ("place",)

    with pytest.raises(AssertionError, match="protocol: after restore"):
        check_env(Forgetful)


def test_an_episode_by_hand() -> None:
    env = begun(info_keys="all")
    assert env.info_now()["potential"] == -0.4  # east, take key, east, east
    _, reward, terminated, truncated, info = env.step("east")
    assert (reward, terminated, truncated, info["potential"], info["distance"]) == (0.0, False, False, -0.3, 3.0)
    text, reward, _, _, info = env.step("take key")
    assert (text, reward, info["subgoals"]["took_key"][()]) == ("Taken.", 0.25, True)
    assert not env.step("east")[4]["subgoals"]["took_key"]
    _, reward, terminated, truncated, info = env.step("east")
    assert (reward, terminated, truncated, info["potential"]) == (1.0, True, False, 0.0)
    assert info["success"]
    assert not info["lost"]
    with pytest.raises(ResetNeeded):
        env.step("east")


def test_losing_is_no_success_and_a_limit_is_a_truncation() -> None:
    env = begun(info_keys="all")
    env.step("west")
    _, _, terminated, truncated, info = env.step("west")
    assert (terminated, truncated, bool(info["success"]), bool(info["lost"])) == (True, False, False, True)
    assert (info["distance"], info["potential"]) == (-1.0, -1.0)
    env = begun(max_episode_steps=2)
    env.step("look")
    assert env.step("look")[2:4] == (False, True)
    env = begun(max_episode_steps=2)
    env.step("west")
    assert env.step("west")[2:4] == (True, False)  # the end in the last step is the world's own


def test_texts_of_any_kind_are_answered_within_the_space() -> None:
    env = begun()
    for command in ("", " ", "\x00\\n", "x" * 10_000, "\U0001f600 \ud83d", "take\nkey"):
        text, *_ = env.step(command)
        assert env.observation_space.contains(text)
        assert len(text) <= 60
    assert env.step(" east ")[0] == "Room 2."
    with pytest.raises(TypeError, match=r"must be a text.*got int"):
        env.step(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("arguments", [{"max_episode_steps": 0}, {"max_episode_steps": True}, {"render_mode": "human"}])
def test_wrong_arguments_are_refused(arguments: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Cellar(**arguments)
    with pytest.raises(ValueError, match="form must be among"):
        gym.make(ID, form="numbered")


def test_what_is_not_asked_for_is_not_computed() -> None:
    class Costly(Cellar):
        def plan(self) -> list[str]:
            raise AssertionError("computed")

    env = Costly()
    _, info = env.reset(seed=0)
    assert set(info) == {"success", "lost"}
    env.step("east")
    ask(env, ["plan"])
    with pytest.raises(AssertionError, match="computed"):
        env.step("west")


@pytest.mark.parametrize("way", [copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env))])
def test_a_copy_goes_on_equally_and_apart(way: Any) -> None:
    env = begun(info_keys=["state_hash", "caption"])
    env.step("east")
    other = way(env)
    other.step("west")
    assert env.step("take key")[4]["caption"] == "Room 2. You have a key."
    assert other.info_now()["caption"] == "Room 1. "
    assert other.step("east")[0] == "Room 2."
    assert other.step("take key")[4]["caption"] == env.info_now()["caption"] == "Room 2. You have a key."
    assert env.reset() == other.reset()


@pytest.mark.parametrize("mode", list(AutoresetMode))
@pytest.mark.parametrize("processes", [False, True])
def test_vectors_give_texts_and_infos_row_by_row(mode: AutoresetMode, processes: bool) -> None:
    envs = gym.make_vec(ID, 3, processes=processes, autoreset_mode=mode, max_episode_steps=3)
    ask(envs, ["caption", "subgoals", "distance"])
    try:
        texts, infos = envs.reset(seed=[KEY_IN_2] * 3)
        assert texts == ("Welcome to the cellar.",) * 3
        assert infos["distance"].tolist() == [4.0, 4.0, 4.0]
        texts, *_, infos = envs.step(("east", "west", "look"))
        assert texts == ("Room 2.", "Room 0.", "I don't know 'look'.")
        assert infos["caption"].tolist() == ["Room 2. ", "Room 0. ", "Room 1. "]
        texts, rewards, terminated, truncated, infos = envs.step(("take key", "west", "look"))
        assert rewards.tolist() == [0.25, 0.0, 0.0]
        assert terminated.tolist() == [False, True, False]
        assert not truncated.any()
        last = infos["final_info"] if mode is AutoresetMode.SAME_STEP else infos
        assert last["lost"].tolist() == [False, True, False]
        if mode is AutoresetMode.SAME_STEP:
            assert infos["final_obs"][1] == "You fall."
            assert texts[1] == "Welcome to the cellar."
        else:
            assert infos["subgoals"]["took_key"].tolist() == [True, False, False]
            assert texts[1] == "You fall."
    finally:
        envs.close()


def test_numbers_choose_the_commands_in_their_order() -> None:
    env = IndexedCommands(begun(), commands=4, width=16, command_width=8)
    obs, _ = env.reset(seed=KEY_IN_2)
    assert obs["action_mask"].tolist() == [1, 1, 0, 0]
    assert obs["commands"][0].tolist() == hashed_words("east", 8).tolist()
    assert not obs["commands"][2:].any()
    assert [env.command(k) for k in range(4)] == ["east", "west", "", ""]
    ask(env, ["commands", "goal"])
    obs, _, _, _, info = env.step(np.int64(0))
    assert info["commands"] == "east\nwest\ntake key"
    assert info["goal"].startswith("Leave by the door")
    assert obs["action_mask"].tolist() == [1, 1, 1, 0]
    assert env.action_masks().tolist() == [True, True, True, False]
    assert obs["text"].tolist() == hashed_words("Room 2.", 16).tolist()
    assert env.step(2)[1] == 0.25
    with pytest.raises(ValueError, match=r"0\.\.3, got 4"):
        env.step(4)


def test_a_flat_vector_holds_the_same_numbers() -> None:
    sizes = {"commands": 4, "width": 16, "command_width": 8}
    one, other = IndexedCommands(begun(), **sizes), IndexedCommands(begun(), flat=True, **sizes)
    parts, vector = one.reset(seed=1)[0], other.reset(seed=1)[0]
    rows = [parts[key].ravel() for key in ("text", "commands", "action_mask")]
    assert vector.tolist() == np.concatenate(rows).tolist()
    assert other.observation_space.contains(vector)


def test_only_text_worlds_that_know_their_commands_can_be_numbered() -> None:
    class Deaf(TextGame):
        def __init__(self) -> None:
            super().__init__({}, max_episode_steps=None)

        def _begin(self) -> str:
            return ""

        def _act(self, command: str) -> Turn:
            return Turn(command)

    with pytest.raises(ValueError, match="act in text instead"):
        IndexedCommands(Deaf())
    with pytest.raises(TypeError, match="text worlds, got"):
        IndexedCommands(gym.make("potentia/Chain-v0"))


def test_words_hash_to_signed_places_of_length_one() -> None:
    vector = hashed_words("the key, the door", 64)
    assert np.isclose(vector @ vector, 1.0)
    sizes = sorted(np.abs(vector[vector != 0]).tolist())
    assert np.allclose(sizes, np.array([1, 1, 2]) / np.sqrt(6))
    assert not hashed_words("...", 64).any()


def test_a_form_is_rebuilt_from_its_specification() -> None:
    env = gym.make(ID, form={"commands": 5}, max_episode_steps=7)
    again = gym.make(env.spec)
    assert again.action_space.n == 5
    assert str(again) == str(env)


class FirstCommand:
    """Always the first command that there is."""

    def init(self, num_envs: int) -> tuple[()]:
        return ()

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        return np.asarray(obs["action_mask"]).argmax(1), carry


def test_numbered_worlds_are_collected_with_what_a_shaper_reads() -> None:
    envs = gym.make_vec(ID, 2, form={"commands": 4, "width": 16}, autoreset_mode=AutoresetMode.SAME_STEP)
    rollout, _ = collect(envs, FirstCommand(), 6, gamma=0.9, columns=["potential", "state_hash"], seed=KEY_IN_2)
    assert rollout.obs["text"].shape == (6, 2, 16)
    assert rollout.info["potential"].shape == (6, 2)
    envs.close()


def test_readers_that_a_copy_would_share_are_refused() -> None:
    env = Cellar()
    with pytest.raises(TypeError, match=r"\['goal'\] must be methods of the game"):
        TextGame.__init__(Cellar(), {"goal": env.goal_text}, max_episode_steps=None)


def test_make_vector_refuses_none() -> None:
    with pytest.raises(ValueError, match="num_envs must be at least 1, got 0"):
        make_vector(Cellar, 0)


def test_stable_baselines3_learns_from_a_text_world_as_one_vector() -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    env = gym.make("potentia/Household-PickAndPlace-v0", form="flat", size="small", rooms=4)
    model = sb3.PPO("MlpPolicy", env, n_steps=32, batch_size=32, n_epochs=1, device="cpu", seed=0)
    before = [parameter.clone() for parameter in model.policy.parameters()]
    model.learn(64)
    assert model.num_timesteps == 64
    assert any((new != old).any() for new, old in zip(model.policy.parameters(), before, strict=True))
