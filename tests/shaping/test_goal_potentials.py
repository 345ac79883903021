"""Potentials of goals and of learned geometry."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia.audit import certify
from potentia.envs.exact import chain
from potentia.rollout import Rollout
from potentia.shaping import GoalDistance, SubgoalGraph, Successor

GOALS = spaces.Dict(achieved_goal=spaces.Box(-9.0, 9.0, (2,)), desired_goal=spaces.Box(-9.0, 9.0, (2,)))


def walk(points: np.ndarray, goal: np.ndarray, gamma: float = 0.9, ends: bool = True) -> Rollout:
    """One episode over points ``(T + 1, 2)``."""
    steps = len(points) - 1
    zeros, last = np.zeros((steps, 1)), (np.arange(steps) == steps - 1)[:, None] & ends
    desired = np.tile(goal, (steps, 1))[:, None]
    return Rollout(
        obs={"achieved_goal": points[:-1, None], "desired_goal": desired}, action=zeros,
        next_obs={"achieved_goal": points[1:, None], "desired_goal": desired}, terms={"env": zeros},
        discount=gamma * ~last, terminated=last, truncated=zeros > 0,
    )  # fmt: skip


def term(shaper, rollout: Rollout) -> np.ndarray:
    return shaper.shape(rollout)[0].terms[shaper.name][:, 0]


def test_minus_the_distance() -> None:
    points = np.array([[0.0, 0.0], [3.0, 0.0], [3.0, 4.0]])
    got = term(GoalDistance(scale=5.0), walk(points, np.array([3.0, 4.0])))
    assert got == pytest.approx([0.9 * -0.8 - -1.0, 0.8])  # the last step ends: 0 - (-0.8)


def test_the_best_way_earns_nothing_where_the_potential_is_the_value() -> None:
    points = np.stack([np.arange(5.0), np.zeros(5)], 1)
    shaper = GoalDistance("discounted", gamma=0.9)
    straight = term(shaper, walk(points, np.array([4.0, 0.0]), ends=False))
    assert straight == pytest.approx(np.zeros(4))
    back = term(shaper, walk(points[::-1].copy(), np.array([4.0, 0.0]), ends=False))
    assert (back < 0).all()


@pytest.mark.parametrize("form", ["l2", "discounted", "reachable"])
def test_a_relabelled_goal_gives_the_term_of_that_goal(form: str) -> None:
    rng = np.random.default_rng(0)
    points = rng.normal(size=(6, 2))
    shaper = GoalDistance(form, GOALS, gamma=0.9)
    asked, achieved = walk(points, np.array([5.0, 5.0])), walk(points, points[-1])
    relabelled = Rollout(
        **{
            **asked.__dict__,
            "obs": asked.obs | {"desired_goal": achieved.obs["desired_goal"]},
            "next_obs": asked.next_obs | {"desired_goal": achieved.next_obs["desired_goal"]},
        }
    )
    assert term(shaper, relabelled).tolist() == term(shaper, achieved).tolist()
    assert term(shaper, asked).tolist() != term(shaper, achieved).tolist()


def test_reachability_is_learned_from_own_episodes() -> None:
    """On a line, what lies two steps away can be reached within three, and what lies twelve away can't."""
    rng = np.random.default_rng(0)
    shaper = GoalDistance("reachable", GOALS, steps=3, learning_rate=0.01, hidden=32)
    for _ in range(60):
        start = rng.uniform(-9, -5)
        line = start + 0.5 * np.arange(30)
        shaper.update(walk(np.stack([line, np.zeros(30)], 1), np.zeros(2)))
    near, far = (
        shaper.potential.values(walk(np.array([[0.0, 0], [0, 0]]), np.array([x, 0.0])), "", "it").item()
        for x in (1.0, 6.0)
    )
    assert near > 0.6
    assert far < 0.3


def test_places_close_in_the_graph_are_close_though_a_wall_lies_between() -> None:
    """A wall at x = 0: (-0.5, 0) and (0.5, 0) are near in space, and far in steps: the only way leads over y = 4."""
    up = np.array([[-0.5, y] for y in np.arange(0, 4.5, 0.5)])
    over = np.array([[x, 4.0] for x in np.arange(-0.5, 1.0, 0.5)])
    down = np.array([[0.5, y] for y in np.arange(4.0, -0.5, -0.5)])
    way = np.concatenate([up, over, down])
    shaper = SubgoalGraph(GOALS, "high", spacing=0.3, beta=0.01, steps=1500, learning_rate=0.01)
    goal = np.array([0.5, 0.0])
    shaper.update(walk(way, goal))
    close = shaper.graph.closeness(torch.tensor([[0.5, 0.5], [-0.5, 0.0]]), torch.tensor(goal).expand(2, 2))
    assert close[0] > 0.5
    assert close[1] < 0.2
    low = SubgoalGraph(GOALS, "low")
    assert term(low, walk(way[:3], goal))[0] == pytest.approx(-((way[1] - goal) ** 2).sum())


def test_a_learned_geometry_keeps_what_is_optimal() -> None:
    model = chain(8)
    rng = np.random.default_rng(0)
    shaper = Successor(spaces.Discrete(8), learning_rate=0.01)
    states = np.clip(np.cumsum(rng.choice([-1, 1], 300)), 0, 7)[:, None]
    no = np.zeros((299, 1), bool)
    rollout = Rollout(
        obs=states[:-1], action=no * 0, next_obs=states[1:], terms={"env": (states[1:] == 7) * 1.0},
        discount=no + 0.9, terminated=no, truncated=no,
    )  # fmt: skip
    for _ in range(30):
        shaper.update(rollout)
    assert certify(model, shaper, gamma=0.9).same_optimum


def test_successor_features_are_the_value_of_what_the_agent_does() -> None:
    """A ring of four cells, the last of which pays, walked for ever: V = gamma ** (steps to go) / (1 - gamma ** 4)."""
    place = np.arange(401)[:, None] % 4
    no = np.zeros((400, 1), bool)
    rollout = Rollout(
        obs=place[:-1], action=no * 0, next_obs=place[1:], terms={"env": (place[1:] == 3) * 1.0},
        discount=no + 0.5, terminated=no, truncated=no,
    )  # fmt: skip
    shaper = Successor(spaces.Discrete(4), "features", gamma=0.5, learning_rate=0.01)
    for _ in range(400):
        shaper.update(rollout)
    got = shaper.potential.values(rollout, "", "it")[:4, 0]
    assert got == pytest.approx(np.array([0.25, 0.5, 1.0, 0.125]) / (1 - 0.5**4), abs=0.05)


def test_what_is_wrong_is_told() -> None:
    no = np.zeros((1, 1), bool)
    rollout = Rollout(no, no, no, {"env": no * 1.0}, no * 1.0, no, no)
    with pytest.raises(TypeError, match="reads 'achieved_goal' and 'desired_goal' of dictionaries"):
        GoalDistance().shape(rollout)
    with pytest.raises(ValueError, match="needs observation_space="):
        GoalDistance("reachable")
    with pytest.raises(ValueError, match="gamma= in"):
        GoalDistance("discounted")
    with pytest.raises(TypeError, match="needs a Dict space"):
        SubgoalGraph(spaces.Box(-1, 1, (2,)))
    with pytest.raises(ValueError, match="form must be among"):
        Successor(spaces.Discrete(3), "eigen")
