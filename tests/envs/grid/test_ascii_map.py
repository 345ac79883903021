"""Levels drawn as text: the map, what succeeds, and the exact distance, by brute force and by hand."""

from __future__ import annotations

import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode

from potentia.compiling import part
from potentia.envs.grid import CudaGridVectorEnv, GridEnv, GridVectorEnv, GridWorlds, Level, level_of_map
from potentia.envs.grid.rules import DONE, FAILURE, SUCCESS
from potentia.testing.environments import check_env
from tests.envs.grid.test_state_search import breadth_first

ALL_THINGS = """
    #########
    #>.k#..G#
    #..B#...#
    #...D.~.#
    #j..#...#
    #####E###
    #...b...#
    #########
"""
TWO_KEYS = """
    ######
    #>k#G#
    #.jE.#
    #D####
    #..~.#
    ######
"""
LEGEND = {
    "k": "yellow key",
    "D": "locked yellow door",
    "j": "red key",
    "E": "locked red door",
    "B": "grey box with blue ball",
    "b": "green ball",
}


def two_keys(**options: Any) -> Level:
    return level_of_map(TWO_KEYS, LEGEND, **options)


def test_the_map_is_what_is_drawn() -> None:
    level = level_of_map(ALL_THINGS, LEGEND, mission="find the goal")
    env = GridEnv(level, observation="full", info_keys=("caption", "subgoals", "state_hash"))
    obs, _ = env.reset(seed=0)
    assert env.goal_text() == "find the goal"
    assert obs.shape == (9, 8, 3)
    drawn = {
        (1, 1): (10, 0, 0), (3, 1): (5, 4, 0), (4, 3): (4, 4, 2), (1, 4): (5, 0, 0), (5, 5): (4, 0, 2),
        (3, 2): (7, 5, 0), (4, 6): (6, 1, 0), (7, 1): (8, 1, 0), (6, 3): (9, 0, 0), (0, 0): (2, 5, 0),
        (2, 2): (1, 0, 0),
    }  # fmt: skip
    for place, look in drawn.items():
        assert tuple(obs[place]) == look, place
    assert env.time_limit == 4 * 9 * 8


def test_it_is_drawn_the_same_interpreted_and_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = GridWorlds(two_keys(), 2), GridWorlds(two_keys(), 2)
    with monkeypatch.context() as patch:
        patch.setattr(one._draw, "run", one._draw.interpret)
        one.reset()
    if other._draw.run == other._draw._begin:
        other._draw.compile()
    other.reset()
    for drawn, same in zip(one.state[:3], other.state[:3], strict=True):
        np.testing.assert_array_equal(drawn, same)


@pytest.mark.parametrize(
    ("text", "legend", "options"),
    [
        ("######\n#>k.b#\n##D###\n#..G.#\n######", {"k": "red key", "D": "locked red door", "b": "blue box"}, {}),
        (
            "#####\n#>B.#\n##D##\n#.x.#\n#####",
            {"B": "grey box with red key", "D": "locked red door", "x": "blue ball"},
            {"pick_up": "x"},
        ),
        ("######\n#>~.G#\n#.d..#\n######", {"d": "closed blue door"}, {}),
        ("#####\n#>#G#\n#####", {}, {}),
    ],
)
def test_the_distance_is_that_of_brute_force(text: str, legend: dict[str, str], options: dict[str, Any]) -> None:
    env = GridEnv(level_of_map(text, legend, **options), info_keys=("distance", "state_hash"))
    _, info = env.reset(seed=0)
    rng = np.random.default_rng(0)
    for _ in range(6):
        here = env.save()
        assert info["distance"] == breadth_first(env, 30_000)
        env.restore(here)
        _, _, terminated, _, info = env.step(int(rng.choice([0, 1, 2, 3, 4, 5])))
        if terminated:
            break


def test_the_distance_by_hand() -> None:
    """A corridor of four cells: three steps forward to the goal; turned round, two turns more."""
    for agent, distance in ((">", 3.0), ("<", 5.0), ("v", 4.0)):
        env = GridEnv(level_of_map(f"######\n#{agent}..G#\n######"), info_keys=("distance", "potential"))
        _, info = env.reset()
        assert info == {"distance": distance, "potential": -distance / 36}  # D = 4 * (6 + 3)


def test_an_agent_that_is_not_drawn_starts_anywhere_but_on_things() -> None:
    level = level_of_map("#####\n#.k.#\n#..G#\n#####", {"k": "red key"})
    envs = GridVectorEnv(level, 200, observation="full", info_keys=("distance",))
    obs, info = envs.reset(seed=0)
    starts = {tuple(np.argwhere(one[..., 0] == 10)[0].tolist()) for one in obs}
    assert starts == {(1, 1), (3, 1), (1, 2), (2, 2)}
    assert len(set(info["distance"].tolist())) > 3


@part
def judge_done(world: Any, n: Any, plan: Any, action: Any, carried: Any, outcome: Any) -> Any:
    """Success: to say that it is done while carrying something; failure: otherwise."""
    return (SUCCESS if carried != 0 else FAILURE) if action == DONE else outcome


def test_rules_of_ones_own() -> None:
    env = GridEnv(level_of_map("#####\n#>.k#\n#####", {"k": "red key"}, judge=judge_done), info_keys=("distance",))
    assert env.reset()[1] == {"distance": 3.0}  # forward, pick up, done
    assert env.step(6)[2]
    env.reset()
    assert [env.step(action)[4]["distance"] for action in (2, 3, 6)] == [2.0, 1.0, 0.0]


def test_it_is_an_environment_like_any_other() -> None:
    gym.register(
        "tests/TwoKeys-v0", "potentia.envs.grid:GridEnv", vector_entry_point="potentia.envs.grid:GridVectorEnv",
        kwargs={"level": two_keys()},
    )  # fmt: skip
    try:
        check_env("tests/TwoKeys-v0", episodes=2, max_steps=30)
        envs = gym.make_vec("tests/TwoKeys-v0", 3, autoreset_mode=AutoresetMode.SAME_STEP, max_steps=5)
        envs.reset(seed=0)
        for _ in range(12):
            envs.step(np.zeros(3, int))
        copied = pickle.loads(pickle.dumps(envs))
        assert (copied.step(np.ones(3, int))[0] == envs.step(np.ones(3, int))[0]).all()
    finally:
        del gym.registry["tests/TwoKeys-v0"]


@pytest.mark.parametrize(
    ("text", "legend", "options", "says"),
    [
        ("####\n#>G#\n###", {}, {}, r"3 lines or more of one length, 3 or more, got \[4, 4, 3\]"),
        ("####\n#>x#\n####", {}, {}, "'x' at column 2, row 1 means nothing: explain it in legend"),
        ("####\n#>.G\n####", {}, {}, r"border must be of walls \(#\), got 'G' at column 3, row 1"),
        ("####\n#><#\n####", {}, {}, "must have one agent, or none to start anywhere, got 2"),
        ("####\n#>x#\n####", {"x": "blue"}, {}, "legend's 'x': 'blue' is none"),
        ("####\n#>x#\n####", {"x": "locked blue key"}, {}, "'locked blue key' is none"),
        ("####\n#>x#\n####", {"x": "blue box with red door"}, {}, "is none"),
        ("####\n#>G#\n####", {"#": "red key"}, {}, "give one character that is not of"),
        ("####\n#>G#\n####", {}, {"pick_up": "k"}, "pick_up must be a character of the legend, got 'k'"),
    ],
)
def test_what_is_no_map_is_told(text: str, legend: dict[str, str], options: dict[str, Any], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        level_of_map(text, legend, **options)


def test_a_device_refuses_it_in_words() -> None:
    with pytest.raises(ValueError, match="is drawn on the host: use GridVectorEnv"):
        CudaGridVectorEnv(two_keys(), 2)
