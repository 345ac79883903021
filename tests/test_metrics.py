from __future__ import annotations

import numpy as np
import pytest
import torch

from potentia.metrics import ReturnTracker, reward_metrics
from potentia.rollout import Rollout


def rollout(env, bonus, terminated, mask=None) -> Rollout:
    env = np.asarray(env, dtype=np.float64)
    data = Rollout(
        obs=env, action=env, next_obs=env, terms={"env": env}, discount=np.full_like(env, 0.5),
        terminated=np.asarray(terminated, dtype=bool), truncated=np.zeros(env.shape, dtype=bool),
        mask=None if mask is None else np.asarray(mask, dtype=bool),
    )  # fmt: skip
    return data.add("bonus", np.asarray(bonus, dtype=np.float64))


def test_means_and_shares_by_hand():
    # Unmasked: env 1, 0, -2 and bonus 1, 1, 1: means -1/3 and 1; shares 3/6 each.
    data = rollout([[1.0], [np.nan], [0.0], [-2.0]], [[1], [9], [1], [1]], [[0]] * 4, [[1], [0], [1], [1]])
    expected = {"terms": {"env": -1 / 3, "bonus": 1.0}, "shares": {"env": 0.5, "bonus": 0.5}, "discount": 0.5}
    assert reward_metrics(data) == expected
    assert reward_metrics(data.map(torch.as_tensor)) == expected


def test_nothing_but_masked_steps_or_zeros_gives_zeros():
    data = rollout([[np.nan]], [[1.0]], [[0]], [[0]])
    assert reward_metrics(data) == {
        "terms": {"env": 0.0, "bonus": 0.0},
        "shares": {"env": 0.0, "bonus": 0.0},
        "discount": 0.0,
    }


def test_an_episode_runs_across_rollouts_and_skips_masked_steps():
    # Column 0: rewards 1 | 2, end, masked 50, 4 (goes on). Column 1: 1 | 1, 1, 1 with the end at its fourth step.
    tracker = ReturnTracker(2)
    first = tracker.update(rollout([[1, 1]], [[0.5, 0]], [[0, 0]]))
    assert first.metrics() == {"episodes": 0, "return": {"env": None, "shaped": None}, "length": None}
    second = tracker.update(
        rollout([[2, 1], [50, 1], [4, 1]], [[0.25, 0]] * 3, [[1, 0], [1, 0], [0, 1]], [[1, 1], [0, 1], [1, 1]])
    )
    assert second.env.tolist() == [3.0, 4.0]
    assert second.shaped.tolist() == [3.75, 4.0]
    assert second.length.tolist() == [2.0, 4.0]
    assert second.metrics() == {"episodes": 2, "return": {"env": 3.5, "shaped": 3.875}, "length": 3.0}


def test_a_saved_tracker_goes_on_in_the_middle_of_an_episode():
    tracker, other = ReturnTracker(1), ReturnTracker(1)
    tracker.update(rollout([[1]], [[0]], [[0]]))
    other.load_state_dict(tracker.state_dict())
    assert other.update(rollout([[2]], [[0]], [[1]])).env.tolist() == [3.0]
    tracker.reset()
    assert tracker.update(rollout([[2]], [[0]], [[1]])).env.tolist() == [2.0]


def test_another_number_of_environments_is_refused():
    with pytest.raises(ValueError, match="follows 2 environments, got a rollout of 1"):
        ReturnTracker(2).update(rollout([[1]], [[0]], [[0]]))
    with pytest.raises(ValueError, match="another number of envs"):
        ReturnTracker(2).load_state_dict(ReturnTracker(3).state_dict())
