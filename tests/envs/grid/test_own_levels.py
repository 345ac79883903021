"""Levels of somebody's own, written for MiniGrid, under the compiled rules: the same game, and exact distances."""

from __future__ import annotations

import copy
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("minigrid")

import minigrid  # noqa: F401 - registers its levels
from minigrid.core.grid import Grid
from minigrid.core.mission import MissionSpace
from minigrid.core.world_object import Ball, Box, Door, Goal, Key, Lava
from minigrid.minigrid_env import MiniGridEnv

from potentia.compiling import part
from potentia.envs.grid import GridEnv, from_minigrid
from potentia.envs.grid.cells import BLUE, code
from potentia.envs.grid.rules import CARRIED, SUCCESS, TAKE
from tests.envs.grid.test_distances import brute_force


class Cellar(MiniGridEnv):
    """A room of 3 x 3 behind a locked door, whose key is in a box, or lies beside lava."""

    def __init__(self, **options: Any) -> None:
        mission = MissionSpace(mission_func=lambda: "leave the cellar")
        super().__init__(mission_space=mission, width=7, height=5, max_steps=90, **options)

    def _gen_grid(self, width: int, height: int) -> None:
        self.grid = Grid(width, height)
        self.grid.wall_rect(0, 0, width, height)
        self.grid.vert_wall(4, 0)
        self.grid.set(4, self._rand_int(1, 4), Door("blue", is_locked=True))
        self.put_obj(Goal(), 5, self._rand_int(1, 4))
        self.place_agent(top=(1, 1), size=(3, 3))
        self.place_obj(Box("red", contains=Key("blue")) if self._rand_bool() else Key("blue"), top=(1, 1), size=(3, 3))
        if self._rand_bool():
            self.place_obj(Lava(), top=(1, 1), size=(3, 3))
        self.mission = "leave the cellar"


class Ballroom(Cellar):
    """The same, but who takes a ball has won."""

    def _gen_grid(self, width: int, height: int) -> None:
        super()._gen_grid(width, height)
        self.place_obj(Ball("blue"), top=(1, 1), size=(3, 3))

    def step(self, action: Any) -> Any:
        obs, reward, terminated, truncated, info = super().step(action)
        if action == self.actions.pickup and self.carrying is not None and self.carrying.type == "ball":
            reward, terminated = self._reward(), True
        return obs, reward, terminated, truncated, info


BLUE_BALL = code(6, BLUE)


@part
def judge_ball(world: Any, n: Any, plan: Any, action: Any, carried: Any, outcome: Any) -> Any:
    """Success: to take the blue ball."""
    return SUCCESS if action == TAKE and world.agent[n, CARRIED] == BLUE_BALL else outcome


def assert_same_game(game: Any, ours: GridEnv) -> set[bool]:
    """Plays both, reset after reset; returns whether episodes ended in success."""
    rng, ends = np.random.default_rng(0), set()
    for episode in range(6):
        seed = 7 if episode == 0 else None
        want, _ = game.reset(seed=seed)
        got, info = ours.reset(seed=seed)
        for _ in range(90):
            assert (got["image"] == want["image"]).all()
            assert (got["direction"], got["mission"]) == (want["direction"], want["mission"])
            action = int(rng.choice([0, 1, 2, 2, 3, 4, 5]))
            want, *rest, _ = game.step(action)
            got, *ours_rest, info = ours.step(action)
            assert ours_rest == rest
            if rest[1] or rest[2]:
                assert info["success"] == (rest[0] > 0)
                ends.add(bool(rest[0] > 0))
                break
    return ends


@pytest.mark.parametrize("view", [7, 5])
def test_it_is_the_same_game(view: int) -> None:
    game = Cellar(agent_view_size=view)
    game.reset(seed=1)
    ours = from_minigrid(copy.deepcopy(game), info_keys=("success",))
    want, got = game.gen_obs(), ours.observe()
    assert (got["image"] == want["image"]).all()  # it goes on where the game stands
    assert_same_game(game, ours)


def test_rules_of_ones_own_are_said_as_a_part() -> None:
    game = Ballroom()
    game.reset(seed=1)
    with pytest.raises(ValueError, match=r"Ballroom has no compiled rules: it has a step\(\) of its own"):
        from_minigrid(game)
    ours = from_minigrid(copy.deepcopy(game), judge=judge_ball, info_keys=("success", "distance"))
    assert True in assert_same_game(game, ours)


@pytest.mark.parametrize("seed", [0, 3])
def test_the_distance_is_that_of_brute_force_over_the_game(seed: int) -> None:
    game = Ballroom()
    game.reset(seed=seed)
    ours = from_minigrid(copy.deepcopy(game), judge=judge_ball, info_keys=("distance",))
    assert ours._info()["distance"] == brute_force(game, most_states=6_000)


def test_a_state_is_saved_and_restored_with_the_next_levels() -> None:
    ours = from_minigrid(_reset(Cellar()), info_keys=("state_hash",))
    ours.reset(seed=3)
    saved = ours.save()
    first = [ours.reset()[1]["state_hash"] for _ in range(4)]
    ours.restore(saved)
    assert [ours.reset()[1]["state_hash"] for _ in range(4)] == first
    twin = copy.deepcopy(ours)
    assert twin.step(2)[4] == ours.step(2)[4]
    assert twin.reset()[1] == ours.reset()[1]


def _reset(game: Any) -> Any:
    game.reset(seed=0)
    return game


class Toy(Ball):
    """A thing of somebody's own."""


def test_what_the_compiled_rules_do_not_know_is_refused() -> None:
    game = _reset(Cellar())
    game.grid.set(2, 2, Toy("red"))
    with pytest.raises(ValueError, match="MiniGrid's things only, not Toy"):
        from_minigrid(game)
    with pytest.raises(ValueError, match="no compiled rules"):
        from_minigrid(_reset(gym.make("BabyAI-GoToRedBall-v0")))
    with pytest.raises(ValueError, match="no state yet"):
        from_minigrid(Cellar())
