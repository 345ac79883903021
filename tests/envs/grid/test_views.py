"""What else than the view of 7 x 7 cells can be shown, beside MiniGrid's wrappers: equal, not alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

pytest.importorskip("minigrid")

import minigrid  # noqa: F401 - registers the oracle
from minigrid import wrappers

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.grid import LEVELS, GridEnv, GridVectorEnv
from potentia.envs.grid.captions import describe_view
from tests.envs.grid.minigrid_ids import minigrid_id

ACTIONS = [0, 1, 2, 2, 2, 3, 4, 5, 5]
OURS_AND_THEIRS: dict[str, tuple[dict[str, Any], Callable[[Any], Any], Callable[[Any], Any]]] = {
    "flat": ({"observation": "flat"}, wrappers.FlatObsWrapper, lambda obs: obs[:147]),
    "full": ({"observation": "full"}, wrappers.FullyObsWrapper, lambda obs: obs["image"]),
    "rgb": ({"observation": "rgb"}, wrappers.RGBImgObsWrapper, lambda obs: obs["image"]),
    "rgb_view": ({"observation": "rgb_view"}, wrappers.RGBImgPartialObsWrapper, lambda obs: obs["image"]),
} | {
    f"view of {size}": (
        {"view_size": size},
        lambda env, size=size: wrappers.ViewSizeWrapper(env, size),
        lambda obs: obs["image"],
    )
    for size in (3, 5, 7, 9, 15)
}


@pytest.mark.exhaustive(15)
@pytest.mark.filterwarnings("ignore:.*is out of date", "ignore:.*env.width|.*env.get_wrapper_attr")
@pytest.mark.parametrize(
    "name", ["DoorKey-8x8", "LavaCrossingS9N2", "BlockedUnlockPickup", "Fetch-8x8-N3", "FourRooms"]
)
@pytest.mark.parametrize("kind", OURS_AND_THEIRS)
def test_it_is_what_minigrids_wrapper_gives(kind: str, name: str) -> None:
    options, wrapper, part = OURS_AND_THEIRS[kind]
    theirs, ours = wrapper(gym.make(minigrid_id(name), disable_env_checker=True)), GridEnv(name, **options)
    rng, compared = np.random.default_rng(0), 0
    for seed in range(2):
        want, _ = theirs.reset(seed=seed)
        got, _ = ours.reset(seed=seed)
        for _ in range(25):
            assert got in ours.observation_space
            np.testing.assert_array_equal(got, part(want))
            compared += 1
            action = int(rng.choice(ACTIONS))
            want, _, terminated, truncated, _ = theirs.step(action)
            got, *_ = ours.step(action)
            if terminated or truncated:
                break
    assert compared > 10


@pytest.mark.parametrize("options", [
    {"observation": "full"}, {"observation": "rgb_view"}, {"view_size": 5}, {"observation": "flat", "view_size": 3},
    {"observation": "dict", "view_size": 5},
])  # fmt: skip
@pytest.mark.parametrize("mode", list(AutoresetMode))
def test_many_worlds_show_what_single_ones_do(options: dict[str, Any], mode: AutoresetMode) -> None:
    envs = GridVectorEnv("LavaGapS5", 4, autoreset_mode=mode, max_steps=9, **options)
    single = [GridEnv("LavaGapS5", max_steps=9, **options) for _ in range(4)]
    obs, _ = envs.reset(seed=3)
    want = [env.reset(seed=3 + n)[0] for n, env in enumerate(single)]
    rng, ends, fresh = np.random.default_rng(0), 0, np.zeros(4, bool)

    def same(got: Any, want: Any, n: int) -> None:
        if isinstance(want, dict):
            assert want.keys() == got.keys()
            for key, value in want.items():
                np.testing.assert_array_equal(got[key][n], value)
        else:
            np.testing.assert_array_equal(got[n], want)

    for _ in range(40):
        for n in range(4):
            same(obs, want[n], n)
        actions = rng.choice([0, 1, 2, 2], 4)
        obs, _, terminated, truncated, info = envs.step(actions)
        for n, env in enumerate(single):
            if fresh[n]:
                want[n] = env.reset()[0]
                continue
            want[n], _, over, late, _ = env.step(int(actions[n]))
            assert (over, late) == (terminated[n], truncated[n])
            if mode is AutoresetMode.SAME_STEP and (over or late):
                same(info["final_obs"], want[n], n)  # of the episode that ended, its direction and mission, too
                want[n] = env.reset()[0]
        done = terminated | truncated
        ends += int(done.sum())
        fresh = done if mode is AutoresetMode.NEXT_STEP else np.zeros(4, bool)
        if mode is AutoresetMode.DISABLED and done.any():
            obs, _ = envs.reset(options={"reset_mask": done})
            for n in np.flatnonzero(done):
                want[n] = single[n].reset()[0]
        assert obs in envs.observation_space
    assert ends > 8


def test_the_caption_is_of_the_view_that_is_shown() -> None:
    env = GridEnv("Empty-8x8", view_size=15, info_keys=("caption",))
    obs, info = env.reset(seed=0)
    assert (
        info["caption"] == describe_view(obs) == "You carry nothing. You see a green goal 5 ahead and 5 to the right."
    )
    assert GridEnv("Empty-8x8", view_size=3, info_keys=("caption",)).reset(seed=0)[1]["caption"].endswith("nothing.")
    full = GridEnv("Empty-8x8", observation="full", info_keys=("caption",))  # what the agent sees, as always
    assert full.reset(seed=0)[1]["caption"] == "You carry nothing. You see nothing."


def test_the_whole_map_by_hand() -> None:
    """Empty-5x5: grey walls around, the goal at (3, 3), the agent (object 10, red) at (1, 1) facing right."""
    obs, _ = GridEnv("Empty-5x5", observation="full").reset(seed=0)
    assert obs[0, 0].tolist() == [2, 5, 0]
    assert obs[3, 3].tolist() == [8, 1, 0]
    assert obs[1, 1].tolist() == [10, 0, 0]
    assert obs[2, 1].tolist() == [1, 0, 0]
    assert LEVELS["Empty-5x5"].width == len(obs)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"observation": "pixels"}, "observation must be one of 'image', 'dict', 'flat', 'full', 'rgb', 'rgb_view'"),
        ({"view_size": 4}, "view_size must be an odd number of at least 3, got 4"),
        ({"view_size": 1}, "view_size must be an odd number"),
        ({"observation": "full", "view_size": 5}, "view_size goes with observation"),
    ],
)
def test_what_is_refused(options: dict[str, Any], says: str) -> None:
    for make in (GridEnv, GridVectorEnv):
        with pytest.raises(ValueError, match=says):
            make("Empty-5x5", **options)
