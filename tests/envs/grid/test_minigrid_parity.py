"""The compiled grid worlds beside MiniGrid, which is the oracle: equal, not alike."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("minigrid")

import minigrid  # noqa: F401 - registers the oracle
from minigrid.core import world_object as things

from potentia.collect import collect
from potentia.envs.grid import LEVELS, GridVectorEnv, GridWorlds, find_level, from_minigrid
from potentia.envs.grid.cells import code
from potentia.envs.grid.pcg64 import integers, pcg64_state, seeded_state, shuffle
from potentia.shaping import Count, Scale
from potentia.wrappers import ShapeVectorReward
from tests.envs.grid.minigrid_ids import in_minigrid, minigrid_id

ACTIONS = [0, 1, 2, 2, 2, 2, 3, 4, 5, 5, 6]


def same(got: dict[str, Any], want: dict[str, Any]) -> bool:
    return bool(
        (got["image"] == want["image"]).all()
        and got["direction"] == want["direction"]
        and got["mission"] == want["mission"]
    )


@pytest.mark.exhaustive(20)
@pytest.mark.filterwarnings("ignore:.*is out of date")
@pytest.mark.parametrize("name", in_minigrid([*LEVELS]))
def test_the_same_seed_is_minigrids_own_game_reset_after_reset(name: str) -> None:
    game: Any = gym.make(minigrid_id(name)).unwrapped
    ours: Any = None
    rng = np.random.default_rng(len(name))
    steps = 0
    for seed in range(4):
        for again in range(4):
            want, _ = game.reset(seed=seed if again == 0 else None)
            ours = from_minigrid(game) if ours is None else ours
            got, _ = ours.reset(seed=seed if again == 0 else None)
            assert same(got, want), (seed, again)
            for _ in range(150):
                action = int(rng.choice(ACTIONS))
                want, *want_rest, _ = game.step(action)
                got, *got_rest, _ = ours.step(action)
                steps += 1
                assert same(got, want)
                assert got_rest == want_rest  # reward, terminated, truncated: equal to the last bit
                if want_rest[1] or want_rest[2]:
                    break
    assert steps > 30
    assert game.max_steps == LEVELS[name].max_steps


@pytest.mark.parametrize("seed", range(6))
def test_every_thing_behaves_as_minigrids_does(seed: int) -> None:
    game: Any = gym.make("MiniGrid-Empty-16x16-v0").unwrapped
    game.see_through_walls = bool(seed % 2)
    game.reset(seed=seed)
    rng = np.random.default_rng(seed)
    colors = list(things.COLOR_TO_IDX)

    def color() -> str:
        return str(rng.choice(colors))

    makers = [
        lambda: things.Wall(color()),
        lambda: things.Floor(color()),
        lambda: things.Door(color(), is_open=True),
        lambda: things.Door(color()),
        lambda: things.Door("red", is_locked=True),
        lambda: things.Key("red"),
        lambda: things.Key(color()),
        lambda: things.Ball(color()),
        lambda: things.Box(color()),
        lambda: things.Box(color(), contains=things.Key(color())),
        lambda: things.Box(color(), contains=things.Ball(color())),
    ]
    for x in range(1, 15):
        for y in range(1, 15):
            if rng.random() < 0.5 and (x, y) not in ((1, 1), (14, 14)):
                game.grid.set(x, y, makers[rng.integers(len(makers))]())
    ours = from_minigrid(game)
    assert same(ours.observe(), game.gen_obs())
    done = set()
    for _ in range(900):
        action = int(rng.choice(ACTIONS))
        before = (type(game.carrying).__name__, str(game.grid.get(*game.front_pos)))
        want, *want_rest, _ = game.step(action)
        got, *got_rest, _ = ours.step(action)
        assert same(got, want)
        assert got_rest == want_rest
        after = (type(game.carrying).__name__, str(game.grid.get(*game.front_pos)))
        done.add((action, before != after))
    assert {(3, True), (4, True), (5, True)} <= done  # things were taken, dropped and toggled


@pytest.mark.parametrize(
    ("name", "ours", "theirs"),
    [
        ("DoorKey-8x8", {"size": 24}, {"size": 24}),
        ("SimpleCrossingS9N1", {"size": 21, "num_crossings": 12}, {"size": 21, "num_crossings": 12}),
        ("KeyCorridorS3R3", {"room_size": 5, "num_rows": 5}, {"room_size": 5, "num_rows": 5}),
        ("Dynamic-Obstacles-8x8", {"size": 20, "n_obstacles": 9}, {"size": 20, "n_obstacles": 9}),
        ("Fetch-8x8-N3", {"size": 12, "numObjs": 20}, {"size": 12, "numObjs": 20}),
    ],
)
def test_other_sizes_are_minigrids_too(name: str, ours: dict[str, int], theirs: dict[str, Any]) -> None:
    level = find_level(name, **ours)
    worlds = GridWorlds(level, 3)
    game: Any = gym.make(minigrid_id(name), **theirs).unwrapped
    for n in range(3):
        worlds.seed(n, n)
    worlds.reset()
    assert level.max_steps == game.max_steps
    for n in range(3):
        want, _ = game.reset(seed=n)
        assert (worlds.out.image[n] == want["image"]).all()
        assert worlds.mission(n) == want["mission"]


def test_going_on_from_the_middle_of_a_game() -> None:
    game: Any = gym.make("MiniGrid-DoorKey-6x6-v0").unwrapped
    game.reset(seed=3)
    for action in (2, 1, 3, 2, 5, 2):
        game.step(action)
    ours = from_minigrid(game)
    assert same(ours.observe(), game.gen_obs())
    want, got = game.step(1), ours.step(1)
    assert same(got[0], want[0])
    assert same(ours.reset()[0], game.reset()[0])  # its random numbers came along


@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_a_world_is_the_same_alone_and_among_many(mode: AutoresetMode) -> None:
    """200 worlds run on all cores, one runs on one."""
    many = GridVectorEnv("LavaGapS5", 200, autoreset_mode=mode)
    picked = (0, 57, 199)
    single = [GridVectorEnv("LavaGapS5", 1, autoreset_mode=mode) for _ in picked]
    rng = np.random.default_rng(0)
    obs, _ = many.reset(seed=10)
    for env, n in zip(single, picked, strict=True):
        assert (env.reset(seed=10 + n)[0][0] == obs[n]).all()
    assert len({image.tobytes() for image in obs}) == 3  # the gap has three places
    ends = 0
    for _ in range(120):
        actions = rng.choice([0, 1, 2, 2, 2], 200)
        obs, reward, over, cut, info = many.step(actions)
        for env, n in zip(single, picked, strict=True):
            one = env.step(actions[n : n + 1])
            assert (one[0][0] == obs[n]).all()
            assert (one[1][0], one[2][0], one[3][0]) == (reward[n], over[n], cut[n])
            if mode is AutoresetMode.SAME_STEP and (over[n] or cut[n]):
                assert (one[4]["final_obs"][0] == info["final_obs"][n]).all()
                assert one[4]["final_info"]["success"][0] == info["final_info"]["success"][n] == (reward[n] > 0)
        done = over | cut
        ends += int(done.sum())
        if mode is AutoresetMode.DISABLED and done.any():
            obs, _ = many.reset(options={"reset_mask": done})
            for env, n in zip(single, picked, strict=True):
                if done[n]:
                    assert (env.reset(options={"reset_mask": np.array([True])})[0][0] == obs[n]).all()
    assert ends > 200


class Turns:
    """Goes by the number of its own steps, so that every mode sees the same actions."""

    def init(self, num_envs: int) -> Any:
        return np.zeros(num_envs, np.int64)

    def act(self, obs: Any, carry: Any) -> Any:
        return np.array([(2, 2, 1, 2, 0)[step % 5] for step in carry]), carry + 1


@pytest.mark.parametrize(
    "name", ["Dynamic-Obstacles-6x6", "PutNear-6x6-N2", "Fetch-5x5-N2", "KeyCorridorS3R1", "MemoryS7"]
)
def test_all_cores_and_one_play_the_same(name: str) -> None:
    """What the compiler may do with a loop over all cores is not what it may do with one over one."""
    many, few = GridVectorEnv(name, 150), [GridVectorEnv(name, 50) for _ in range(3)]
    rng = np.random.default_rng(0)
    obs, _ = many.reset(seed=0)
    assert (obs == np.concatenate([env.reset(seed=50 * k)[0] for k, env in enumerate(few)])).all()
    for _ in range(100):
        actions = rng.choice(ACTIONS, 150) if name[0] != "D" else rng.integers(0, 3, 150)
        got = many.step(actions)
        want = [env.step(part) for env, part in zip(few, np.split(actions, 3), strict=True)]
        for k in range(4):
            assert (got[k] == np.concatenate([one[k] for one in want])).all()
    for k, part in enumerate(many.worlds.state[:4]):
        assert (part == np.concatenate([env.worlds.state[k] for env in few])).all()


def test_every_mode_gives_the_same_transitions() -> None:
    found = []
    for mode in AutoresetMode:
        envs = GridVectorEnv("Empty-Random-5x5", 3, autoreset_mode=mode, max_steps=9)
        rollout, _ = collect(envs, Turns(), 60, gamma=0.9, seed=1)
        columns = []
        for b in range(3):
            real = rollout.mask[:, b]
            parts = (rollout.obs, rollout.next_obs, rollout.action, rollout.reward, rollout.discount, rollout.done)
            columns.append([part[real, b][:50].tolist() for part in parts])
        found.append(columns)
    assert found[0] == found[1] == found[2]


def test_an_episode_can_be_cut_sooner_without_another_reward() -> None:
    """Success at step 11 of Empty-8x8 (limit 256) pays 1 - 0.9 * 11 / 256, whatever cuts the episode when."""
    way = [2, 2, 2, 2, 2, 1, 2, 2, 2, 2, 2]
    cut, whole = (GridVectorEnv("Empty-8x8", max_episode_steps=limit) for limit in (11, None))
    for env, late in ((cut, True), (whole, False)):
        env.reset(seed=0)
        for action in way:
            _, reward, terminated, truncated, _ = env.step(np.array([action]))
        assert reward[0] == 1 - 0.9 * (11 / 256)
        assert (terminated[0], truncated[0]) == (True, late)


def test_shapers_run_around_it() -> None:
    env = ShapeVectorReward(GridVectorEnv("DoorKey-5x5", 4), Scale(Count(), 2.0), gamma=0.99)
    env.reset(seed=0)
    _, reward, _, _, info = env.step(np.zeros(4, int))
    assert reward.tolist() == [2.0] * 4
    assert info["true_reward"].tolist() == [0.0] * 4


def test_a_state_can_be_saved_and_restored() -> None:
    worlds = GridWorlds(LEVELS["DoorKey-8x8"], 5)
    for n in range(5):
        worlds.seed(n, n)
    worlds.reset()
    state = worlds.state
    saved = [part.copy() for part in state]
    actions = np.random.default_rng(0).choice(ACTIONS, (50, 5))

    def play() -> list[bytes]:
        seen = []
        for row in actions:
            worlds.step(row)
            seen.append(worlds.out.image.tobytes())
        return seen

    first = play()
    for part, kept in zip(state, saved, strict=True):
        part[:] = kept
    worlds.out.waiting[:] = False
    assert play() == first


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 2**63),
    bounds=st.lists(st.tuples(st.integers(-50, 50), st.integers(1, 2**31)), min_size=1, max_size=8),
    length=st.integers(1, 12),
)
def test_random_numbers_are_numpys(seed: int, bounds: list[tuple[int, int]], length: int) -> None:
    generator, row = np.random.Generator(np.random.PCG64(np.random.SeedSequence(seed))), seeded_state(seed)[None]
    items, ours = [(i,) for i in range(length)], np.arange(length)
    with np.errstate(over="ignore"):  # as in the loops that call them
        for low, span in bounds:
            assert integers(row, 0, low, low + span) == generator.integers(low, low + span)
        shuffle(row, 0, ours, length)
    generator.shuffle(items)
    assert ours.tolist() == [item for (item,) in items]
    assert row[0].tolist() == pcg64_state(generator).tolist()


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: GridVectorEnv("DoorKey-7x7"), ValueError, "unknown grid level 'DoorKey-7x7'; known: .*DoorKey-8x8"),
        (lambda: GridVectorEnv("Empty-5x5", 0), ValueError, "num_envs must be at least 1, got 0"),
        (lambda: GridVectorEnv("Empty-5x5").step([0]), RuntimeError, r"call reset\(\) first"),
        (
            lambda: GridVectorEnv("Empty-5x5", 2).reset(seed=[1]),
            ValueError,
            "an integer or 2, one for each environment",
        ),
        (lambda: from_minigrid(gym.make("MiniGrid-Empty-5x5-v0")), ValueError, r"no state yet: call env.reset\(\)"),
        (lambda: find_level("DoorKey-8x8", rooms=3), TypeError, "parameters: size=8"),
        (lambda: find_level("MemoryS7", size=8), ValueError, "size must be odd"),
        (lambda: code(9, 9), ValueError, "no cell can hold"),
        (lambda: pcg64_state(np.random.Generator(np.random.MT19937(0))), TypeError, "must be a PCG64, got MT19937"),
    ],
)
def test_what_is_wrong_is_told(make: Any, error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()


@pytest.mark.parametrize("actions", [[7, 0], [-1, 0], [0], [[0], [0]], [0.5, 1.0]])
def test_wrong_actions_are_refused(actions: Any) -> None:
    env = GridVectorEnv("Empty-5x5", 2)
    env.reset(seed=0)
    with pytest.raises(ValueError, match=r"must be 2 integers in 0\.\.6"):
        env.step(actions)
    assert env.worlds.state.agent[:, 3].tolist() == [0, 0]  # nothing was done
