"""MiniHack worlds as Gymnasium environments: seeds, ends of episodes, observations, infos, vectors."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import sys

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("nle", reason="needs the extra 'minihack'")
pytest.importorskip("minigrid", reason="needs the extra 'minigrid'")

from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env
from gymnasium.vector import AutoresetMode

from potentia.envs.minihack import TASKS, register
from potentia.envs.minihack.stock_game import nethack
from potentia.testing import check_env as check_world

register()

FAMILIES = (
    "MiniHack-Room-5x5-v0",
    "MiniHack-Room-Ultimate-15x15-v0",
    "MiniHack-KeyRoom-S5-v0",
    "MiniHack-Corridor-R3-v0",
    "MiniHack-River-Monster-v0",
    "MiniHack-MultiRoom-N4-Extreme-v0",
    "MiniHack-HideNSeek-Lava-v0",
    "MiniHack-MazeWalk-9x9-v0",
    "MiniHack-Quest-Easy-v0",
    "MiniHack-Quest-Hard-v0",
    "MiniHack-Sokoban1a-v0",
    "MiniHack-Eat-Distr-v0",
    "MiniHack-Memento-F2-v0",
    "NetHackScore-v0",
)


def make(task: str, **kwargs):
    return gym.make(f"potentia/{task}", **{"info_keys": "all", **kwargs})


def trajectory(env: gym.Env, seed: int, steps: int, action_seed: int = 0) -> str:
    """A hash over every observation, reward, flag and info of `steps` random steps, resets included."""
    digest = hashlib.sha256()

    def note(*things: object) -> None:
        for thing in things:
            digest.update(thing.tobytes() if isinstance(thing, np.ndarray) else repr(thing).encode())

    rng = np.random.default_rng(action_seed)
    observation, info = env.reset(seed=seed)
    note(*observation.values(), info)
    for _ in range(steps):
        observation, reward, terminated, truncated, info = env.step(rng.integers(env.action_space.n))
        note(*observation.values(), reward, terminated, truncated, info)
        if terminated or truncated:
            observation, info = env.reset()
            note(*observation.values(), info)
    return digest.hexdigest()


@pytest.mark.parametrize("task", FAMILIES)
def test_seed_decides_the_trajectory(task: str) -> None:
    keys = ("glyphs", "blstats", "message")
    one, two = make(task, observation_keys=keys), make(task, observation_keys=keys)
    two.reset(seed=99)
    two.step(0)
    first = trajectory(one, 7, 120)
    # Another instance with another past, and the same instance again: the seed alone decides.
    assert trajectory(two, 7, 120) == first
    assert trajectory(one, 7, 120) == first
    assert trajectory(one, 8, 120) != first
    one.close()
    two.close()


def test_seed_decides_in_another_process() -> None:
    code = (
        "import sys; sys.path[:0] = [{here!r}, {root!r}]\n"
        "import test_minihack as t\n"
        "print(t.trajectory(t.make('MiniHack-MultiRoom-N4-v0'), 3, 60))"
    )
    here = os.path.dirname(__file__)
    root = os.path.dirname(os.path.dirname(here))
    there = subprocess.run(
        [sys.executable, "-c", code.format(here=here, root=root)], capture_output=True, text=True, check=True
    )
    with contextlib.closing(make("MiniHack-MultiRoom-N4-v0")) as env:
        assert there.stdout.strip() == trajectory(env, 3, 60)


def test_levels_differ_from_episode_to_episode() -> None:
    with contextlib.closing(make("MiniHack-Room-Random-15x15-v0", observation_keys=("chars",))) as env:
        env.reset(seed=0)
        levels = {env.reset()[0]["chars"].tobytes() for _ in range(20)}
    assert len(levels) >= 18


@pytest.mark.parametrize("task", ["MiniHack-Room-5x5-v0", "MiniHack-KeyRoom-S5-v0", "MiniHack-Quest-Easy-v0"])
def test_same_game_as_stock(task: str) -> None:
    nethack()  # imports minihack, which registers the stock ids
    ours = make(task, observation_keys=("glyphs", "blstats", "message"), info_keys=("success",)).unwrapped
    stock = gym.make(task, fix_moon_phase=True, disable_env_checker=True).unwrapped
    rng = np.random.default_rng(0)
    for seed in range(5):
        seen, _ = ours.reset(seed=seed)
        core, display, _ = _seeds_of(seed)
        stock.seed(core, display, False)
        theirs, _ = stock.reset(options=None)
        np.testing.assert_array_equal(seen["glyphs"], theirs["glyphs"])
        for _ in range(60):
            action = int(rng.integers(ours.action_space.n))
            seen, reward, terminated, truncated, info = ours.step(action)
            theirs, stock_reward, stock_done, _, stock_info = stock.step(action)
            assert reward == stock_reward
            assert terminated == stock_done
            assert not truncated
            assert info["success"] == (stock_info["end_status"].name == "TASK_SUCCESSFUL")
            if stock_done:
                break  # the stock task quits the game here, which wipes the last observation; ours keeps it
            np.testing.assert_array_equal(seen["glyphs"], theirs["glyphs"])
            np.testing.assert_array_equal(seen["message"], theirs["message"])
    ours.close()
    stock.close()


def _seeds_of(seed: int) -> list[int]:
    """What the world draws first from its generator after reset(seed=seed)."""
    generator, _ = gym.utils.seeding.np_random(seed)
    return [int(value) for value in generator.integers(1, 2**31 - 1, 3)]


def test_time_limit_truncates_and_success_terminates() -> None:
    # North-west of the start is wall: bumping into it for the whole limit of 5 * 20 = 100 steps.
    with contextlib.closing(make("MiniHack-Room-5x5-v0")) as env:
        env.reset(seed=0)
        northwest = [int(a) for a in env.unwrapped._game.actions].index(ord("y"))
        southeast = [int(a) for a in env.unwrapped._game.actions].index(ord("n"))
        ends = [env.step(northwest)[2:4] for _ in range(100)]
        assert ends == [(False, False)] * 99 + [(False, True)]
        with pytest.raises(ResetNeeded, match="reset"):
            env.unwrapped.step(northwest)
        # From corner to corner: four steps south-east, reward 1 at the end.
        _, info = env.reset(seed=0)
        assert (info["distance"], info["potential"]) == (4.0, -0.8)
        steps = [env.step(southeast) for _ in range(4)]
    assert [step[1] for step in steps] == [0.0, 0.0, 0.0, 1.0]
    assert [step[2:4] for step in steps] == [(False, False)] * 3 + [(True, False)]
    assert [step[4]["distance"] for step in steps] == [3.0, 2.0, 1.0, 0.0]
    assert [step[4]["potential"] for step in steps] == [-0.6, -0.4, -0.2, 0.0]
    assert [step[4]["success"] for step in steps] == [False, False, False, True]
    assert [step[4]["subgoals"]["reached_goal"] for step in steps] == [False, False, False, True]


def test_success_on_the_last_step_is_success() -> None:
    with contextlib.closing(make("MiniHack-Room-5x5-v0", max_episode_steps=None)) as env:
        world = env.unwrapped
        world._limit = 4
        env.reset(seed=0)
        southeast = [int(a) for a in world._game.actions].index(ord("n"))
        *_, last = [env.step(southeast) for _ in range(4)]
    assert last[1:4] == (1.0, True, False)


def test_death_terminates_without_success() -> None:
    with contextlib.closing(make("MiniHack-MultiRoom-N2-Lava-v0")) as env:
        env.action_space.seed(0)
        env.reset(seed=0)
        deaths = 0
        for _ in range(200):
            *_, reward, terminated, truncated, info = env.step(env.action_space.sample())
            if terminated and not info["success"]:
                deaths += 1
                assert (reward, info["distance"], info["potential"]) == (0.0, -1.0, -1.0)
                assert not truncated
                assert not any(info["subgoals"].values())
            if terminated or truncated:
                env.reset()
    assert deaths >= 5


@pytest.mark.parametrize("task", FAMILIES)
def test_info_has_the_same_keys_and_kinds_throughout(task: str) -> None:
    with contextlib.closing(make(task)) as env:
        _, info = env.reset(seed=0)
        events = set(info["subgoals"])
        keys = set(info)
        known = {"distance", "potential"} if TASKS[task].oracle != "none" else set()
        assert keys == {"caption", "state_hash", "subgoals", "success"} | known
        assert not any(info["subgoals"].values())
        env.action_space.seed(0)
        for _ in range(80):
            *_, terminated, truncated, info = env.step(env.action_space.sample())
            assert set(info) == keys
            assert set(info["subgoals"]) == events
            assert isinstance(info["caption"], str)
            assert info["caption"]
            assert isinstance(info["state_hash"], np.int64)
            assert 0 <= info["state_hash"] < 2**63
            if known:
                assert info["distance"] == -1.0 or info["distance"] >= 0
                assert -1.0 <= info["potential"] <= 0.0
                assert (info["distance"] == 0) == info["success"]
            if terminated or truncated:
                env.reset()


def test_state_hash_forgets_time_but_not_place() -> None:
    with contextlib.closing(make("MiniHack-Room-Dark-5x5-v0")) as env:
        actions = [int(a) for a in env.unwrapped._game.actions]
        east, west = actions.index(ord("l")), actions.index(ord("h"))
        for seed in range(20):
            _, start = env.reset(seed=seed)
            *_, over, _, away = env.step(east)
            if over or away["state_hash"] == start["state_hash"]:
                continue  # on the stairs, or a wall
            *_, back = env.step(west)
            # Same place, later turn, and more of the dark room remembered: the same true state.
            assert back["state_hash"] == start["state_hash"]
            break
        else:
            pytest.fail("no level of twenty has room to the east")


def test_observations_and_infos_are_fresh() -> None:
    keys = ("glyphs", "chars_crop", "blstats")
    with contextlib.closing(make("MiniHack-Room-Ultimate-5x5-v0", observation_keys=keys)) as env:
        kept, info = env.reset(seed=0)
        copies = {key: value.copy() for key, value in kept.items()}
        before = dict(info["subgoals"])
        for action in range(8):
            new, *_, new_info = env.step(action)
            assert not any(np.shares_memory(kept[key], new[key]) for key in kept)
            assert new_info["subgoals"] is not info["subgoals"]
        for key, value in copies.items():
            np.testing.assert_array_equal(kept[key], value)
        assert info["subgoals"] == before


def test_crop_is_centred_on_the_hero_and_padded_with_stone() -> None:
    keys = ("glyphs", "glyphs_crop", "chars_crop")
    with contextlib.closing(make("NetHackScore-v0", observation_keys=keys, crop=41)) as env:
        observation, _ = env.reset(seed=1)
        column, row = env.unwrapped._place
        assert chr(observation["chars_crop"][20, 20]) == "@"
        stone = nethack().GLYPH_CMAP_OFF
        padded = np.pad(observation["glyphs"], 20, constant_values=stone)
        np.testing.assert_array_equal(observation["glyphs_crop"], padded[row : row + 41, column : column + 41])


@pytest.mark.parametrize(
    "task", ["MiniHack-Room-5x5-v0", "MiniHack-KeyRoom-S5-v0", "MiniHack-MultiRoom-N2-v0", "NetHackScore-v0"]
)
def test_gymnasium_check_env(task: str) -> None:
    check_env(make(task).unwrapped, skip_render_check=True)


@pytest.mark.parametrize("task", ["MiniHack-Room-5x5-v0", "MiniHack-KeyRoom-S5-v0", "MiniHack-Room-Trap-15x15-v0"])
def test_every_rule_of_a_world_is_kept(task: str) -> None:
    assert check_world(f"potentia/{task}", max_steps=100) <= {"distance", "success"}  # chance decides: no way is walked


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_vectors_in_every_autoreset_mode(mode: AutoresetMode) -> None:
    def roll() -> tuple[list[bytes], int]:
        envs = gym.make_vec(
            "potentia/MiniHack-Room-Random-5x5-v0",
            num_envs=3,
            vectorization_mode="sync",
            vector_kwargs={"autoreset_mode": mode},
            info_keys=("state_hash", "distance"),
        )
        observation, info = envs.reset(seed=5)
        envs.action_space.seed(5)
        assert info["state_hash"].shape == (3,)
        seen, ended = [observation["glyphs_crop"].tobytes()], 0
        for _ in range(60):
            observation, _, terminated, truncated, info = envs.step(envs.action_space.sample())
            done = terminated | truncated
            ended += int(done.sum())
            seen.append(observation["glyphs_crop"].tobytes())
            if mode is AutoresetMode.DISABLED and done.any():
                observation, _ = envs.reset(options={"reset_mask": done})
                seen.append(observation["glyphs_crop"].tobytes())
            if mode is AutoresetMode.SAME_STEP and done.any():
                assert info["final_info"]["distance"].shape == (3,)
        envs.close()
        return seen, ended

    first, ended = roll()
    assert ended > 3
    assert roll() == (first, ended)


def test_environments_do_not_share_a_game() -> None:
    together = [make("MiniHack-Corridor-R2-v0") for _ in range(6)]
    for seed, env in enumerate(together):
        env.reset(seed=seed)
    rows = [[env.step(action)[4] for env in together] for action in (0, 1, 2, 3, 4, 5, 6, 7)]
    for seed, env in enumerate(together):
        env.close()
        with contextlib.closing(make("MiniHack-Corridor-R2-v0")) as alone:
            alone.reset(seed=seed)
            assert [alone.step(action)[4] for action in range(8)] == [row[seed] for row in rows]


def test_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with contextlib.closing(make("MiniHack-MultiRoom-N4-v0")) as env:
        env.reset(seed=0, options={})
        for action in range(8):
            env.step(action)
    said = capfd.readouterr()
    assert (said.out, said.err) == ("", "")


def test_render_text_and_picture() -> None:
    with contextlib.closing(make("MiniHack-Room-5x5-v0", render_mode="ansi")) as env:
        env.reset(seed=0)
        screen = env.render()
    assert "@" in screen
    assert ">" in screen
    with contextlib.closing(make("MiniHack-Room-5x5-v0", render_mode="rgb_array")) as env:
        env.reset(seed=0)
        picture = env.render()
    assert picture.dtype == np.uint8
    assert picture.shape[2] == 3
    assert picture.std() > 0


@pytest.mark.parametrize(
    ("kwargs", "says"),
    [
        ({"task": "MiniHack-Room-6x6-v0"}, "task must be one of"),
        ({"observation_keys": ("pixels",)}, "observation_keys must be some of"),
        ({"observation_keys": ()}, "observation_keys must be some of"),
        ({"crop": 8}, "crop must be odd"),
        ({"info_keys": ("reward",)}, "info_keys must be among"),
        ({"info_keys": ("distance",)}, "info_keys must be among"),
        ({"render_mode": "human"}, "render_mode must be"),
    ],
)
def test_bad_arguments_are_named(kwargs: dict[str, object], says: str) -> None:
    from potentia.envs.minihack.world import MiniHackWorld

    with pytest.raises(ValueError, match=says):
        MiniHackWorld(**{"task": "MiniHack-River-v0", **kwargs})


def test_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    from potentia.envs.minihack import stock_game

    stock_game._packages.cache_clear()
    monkeypatch.setitem(sys.modules, "nle.nethack", None)
    with pytest.raises(ImportError, match=r"pip install 'potentia\[minihack\]'"):
        stock_game.nethack()
    monkeypatch.undo()
    stock_game._packages.cache_clear()


def test_registering_imports_no_simulator() -> None:
    code = "import sys, potentia.envs.minihack as m\nm.register()\nassert not {'nle', 'minihack'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


def test_every_id_is_made_and_steps() -> None:
    for task in TASKS:
        with contextlib.closing(make(task)) as env:
            env.reset(seed=0)
            for action in range(3):
                observation, *_, terminated, truncated, _ = env.step(action)
                assert env.observation_space.contains(observation), task
                if terminated or truncated:
                    break


def test_resets_do_not_grow_memory() -> None:
    with contextlib.closing(make("MiniHack-Room-Random-5x5-v0")) as env:
        env.reset(seed=0)
        for _ in range(100):
            env.reset()
        before, files = _resident_bytes(), len(os.listdir("/proc/self/fd"))
        for _ in range(400):
            env.reset()
            env.step(0)
        # The stock package itself leaks about 2 KB a reset: 0.8 MB here.
        assert _resident_bytes() - before < 4_000_000
        assert len(os.listdir("/proc/self/fd")) == files


def _resident_bytes() -> int:
    with open("/proc/self/statm", encoding="ascii") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
