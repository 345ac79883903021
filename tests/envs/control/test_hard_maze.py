"""The hard maze: what is sensed, what is in the way, what is paid, and how far it is."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.control.hard_maze import AREAS, WALLS, hard_maze
from potentia.envs.control.walls import distances_to_walls, ways_to

ENDS = np.array(WALLS)


def walk(steps: int, seed: int = 0, **options: Any) -> Any:
    """Many robots that drive about, each in a manner of its own, step by step."""
    envs = gym.make_vec("potentia/HardMaze-v0", 64, info_keys="all", **options)
    envs.reset(seed=seed)
    rng = np.random.default_rng(seed)
    turn = rng.normal(size=(64, 1)) * [1, -1] * 0.2
    for _ in range(steps):
        noise = rng.normal(size=(64, 2))
        yield envs, envs.step(np.clip(0.9 + turn + 0.3 * noise, -1, 1))


def test_it_senses_what_rays_meet() -> None:
    """Each of the five distances is that of the nearest crossing with any of the 13 walls, at most 100."""
    seen = 0
    for t, (envs, (obs, *_)) in enumerate(walk(600)):
        if t % 100:
            continue
        for (x, y, heading), shown in zip(envs.worlds.state[:, :3], obs, strict=True):
            for k, angle in enumerate(np.deg2rad([-90, -45, 0, 45, 90])):
                d = np.array([math.cos(heading + angle), math.sin(heading + angle)])
                a, b = ENDS[:, :2] - [x, y], ENDS[:, 2:] - [x, y]
                with np.errstate(divide="ignore", invalid="ignore"):
                    denominator = d[0] * (b - a)[:, 1] - d[1] * (b - a)[:, 0]
                    along = (a[:, 0] * b[:, 1] - a[:, 1] * b[:, 0]) / denominator
                    share = -(d[0] * a[:, 1] - d[1] * a[:, 0]) / denominator
                hits = along[(along >= 0) & (share >= 0) & (share <= 1)]
                assert shown[k] == pytest.approx(min(hits.min(initial=100.0), 100.0) / 100, abs=1e-6)
                seen += shown[k] < 1
    assert seen > 500


def test_no_wall_is_nearer_than_the_robot_is_wide_and_walls_stop_it() -> None:
    stopped = 0
    before = None
    for envs, _ in walk(1500):
        place = envs.worlds.state[:, :2].copy()
        assert distances_to_walls(place, WALLS).min() >= 10.0
        stopped += before is not None and int((place == before).all(axis=1).sum())
        before = place
    assert stopped > 1000


@pytest.mark.parametrize(
    "x_y_paid", [(93.0, 60.0, 1.0), (93.0 + 22.5, 60.0, 0.5), (93.0, 105.5, 0.0), (500.0, 560.0, 2 / 3)]
)
def test_the_end_pays_by_nearness(x_y_paid: tuple[float, float, float]) -> None:
    """(45 - distance) / 45: 1 at the centre, 1/2 at 22.5, and nothing at 45.5; of the other area 30 / 45 at 15."""
    x, y, paid = x_y_paid
    env = gym.make("potentia/HardMaze-v0", time_limit=2, info_keys="all").unwrapped
    env.reset(seed=0)
    env.worlds.state[0, :2] = x, y
    _, reward, terminated, truncated, info = env.step(np.zeros(2, np.float32))
    assert (reward, terminated, truncated, bool(info["success"])) == (0.0, False, False, False)
    _, reward, terminated, truncated, info = env.step(np.zeros(2, np.float32))
    assert reward == pytest.approx(paid)
    assert (terminated, truncated, bool(info["success"])) == (False, True, paid > 0)
    assert int(info["area"]) == (-1 if paid == 0 else int(x == 93.0 or y == 60.0))


def test_arrival_pays_once_and_ends() -> None:
    env = gym.make("potentia/HardMaze-v0", areas=["hard"], reward="arrival", info_keys="all").unwrapped
    assert env.goal_text() == "reach the hard area"
    env.reset(seed=0)
    env.worlds.state[0, :5] = 93.0 + 46.5, 60.0, math.pi, -1.0, 0.0
    ahead = np.ones(2, np.float32)
    assert env.step(ahead)[1:4] == (0.0, False, False)
    _, reward, terminated, _, info = env.step(ahead)
    assert (reward, terminated, bool(info["success"]), float(info["potential"])) == (1.0, True, True, 0.0)
    assert bool(info["subgoals"]["hard"])


def test_the_potential_is_the_way_and_not_the_bee_line() -> None:
    """From the start the hard area's centre is 492 away as the crow flies, and the area 1243 as a robot drives."""
    env = gym.make("potentia/HardMaze-v0", areas=("hard",), info_keys=("potential",)).unwrapped
    centre, radius = AREAS["hard"].centre, AREAS["hard"].radius
    ways = ways_to([(centre, radius)], WALLS, (0.0, 0.0, 610.0, 610.0), radius=10.0, spacing=4.0)
    longest = ways.length[np.isfinite(ways.length)].max()
    env.reset(seed=0)
    start = -float(env.info_now()["potential"]) * longest
    assert math.dist((108, 552), centre) == pytest.approx(492.2, abs=0.1)
    assert start == pytest.approx(1242.6, abs=0.5)
    for x, y in ((200.0, 60.0), (160.0, 100.0), (300.0, 40.0)):  # in sight of it: straight ahead, to 1.5 %
        env.worlds.state[0, :2] = x, y
        straight = math.dist((x, y), centre) - radius
        assert -float(env.info_now()["potential"]) * longest == pytest.approx(straight, rel=0.015, abs=2)


def test_the_potential_changes_by_what_a_step_goes_at_most() -> None:
    """By 1.04 of it, for the grid's moves are too long by so much, and by 1.7 where it is interpolated at a wall."""
    before, ratios = None, []
    for envs, (*_, info) in walk(800, areas=("hard",)):
        now = info["potential"].copy(), envs.worlds.state[:, :2].copy()
        if before is not None:
            gone = np.linalg.norm(now[1] - before[1], axis=1)
            still = gone == 0
            assert (now[0] == before[0])[still].all()
            ratios.append((np.abs(now[0] - before[0])[~still] * 1540.06) / gone[~still])
        before = now
    found = np.concatenate(ratios)
    assert np.quantile(found, 0.98) < 1.04
    assert found.max() < 1.7


def test_its_picture_shows_robot_areas_and_walls() -> None:
    env = gym.make("potentia/HardMaze-v0", info_keys=("image",))
    image = env.reset(seed=0)[1]["image"]
    at = lambda x, y: tuple(int(c) for c in image[int(y / 610 * 64), int(x / 610 * 64)])  # noqa: E731
    assert at(108 - 8, 552) == (40, 80, 220)
    assert at(500, 545) == at(93, 60) == (120, 200, 120)
    assert at(300, 596) == (0, 0, 0)
    assert at(300, 200) == (255, 255, 255)


def test_a_robot_that_somebody_puts_outside_is_answered() -> None:
    """No sense is made of it, and nothing else is read than the maze's own tables."""
    env = gym.make("potentia/HardMaze-v0", info_keys="all").unwrapped
    env.reset(seed=0)
    for place in ((-1e6, 1e6), (1e6, -1e6)):
        env.worlds.state[0, :2] = place
        obs, *_, info = env.step(np.ones(2, np.float32))
        assert (obs == 1).all()
        assert -1 <= info["potential"] <= 0


@pytest.mark.parametrize("options", [{"areas": ("middle",)}, {"reward": "dense"}])
def test_unknown_options_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be among"):
        hard_maze(**options)
