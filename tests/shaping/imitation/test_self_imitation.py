"""The best own episodes: which are kept, what being like them pays, and how much is remembered."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from potentia.rollout import Rollout
from potentia.shaping import SelfImitation
from tests.shaping.imitation.shown import shown

NEAR, FAR, BESIDE = [(0, 0), (0, 4)], [(8, 0), (8, 4)], [(0, 0), (3, 4)]


def paid(episodes: Sequence[Any], *returns: float) -> Rollout:
    """Episodes that are paid at their last step."""
    rollout = shown(episodes)
    return shown(episodes, reward=rollout.terminated * np.array(returns))


def test_nothing_is_imitated_before_a_success() -> None:
    own = SelfImitation(metric="euclidean")
    assert own.update(paid([NEAR, FAR], 0.0, -1.0)) == {"kept": 0.0}
    assert not own.shape(shown([FAR]))[0].terms["SelfImitation"].any()
    assert own.update(paid([NEAR, FAR], 0.5, 0.0)) == {"kept": 1.0, "best": 0.5}
    # (0, 0) is there, (3, 4) is 3 beside (0, 4): each weighs 1/2.
    assert own.shape(shown([BESIDE]))[0].terms["SelfImitation"][:, 0] == pytest.approx([0, -1.5])


def test_the_best_are_kept_and_of_equals_the_shorter() -> None:
    own = SelfImitation(episodes=2, metric="euclidean")
    long = [(1, 1), (1, 1), (1, 1)]
    own.update(paid([FAR, long, NEAR], 1.0, 2.0, 2.0))
    assert own.costs.mask.sum(1).tolist() == [2, 3]
    assert own.costs.features[0, :2].tolist() == [[0, 0], [0, 4]]
    assert own.update(paid([FAR], 3.0)) == {"kept": 2.0, "best": 3.0}
    assert own.costs.features.tolist() == [[[8, 0], [8, 4]], [[0, 0], [0, 4]]]


def test_memory_is_bounded_and_saved() -> None:
    own = SelfImitation(episodes=3, length=4, metric="euclidean")
    for n in range(9):
        own.update(paid([[(n, t) for t in range(10)]], 1.0 + n))
    assert own.costs.features.shape == (3, 4, 2)
    assert own.costs.features[0].tolist() == [[8, 0], [8, 3], [8, 6], [8, 9]]
    other = SelfImitation(episodes=3, length=4, metric="euclidean")
    other.load_state_dict(own.state_dict())
    probe = shown([BESIDE])
    assert np.array_equal(*(one.shape(probe)[0].terms["SelfImitation"] for one in (own, other)))
    assert other.update(paid([FAR], 0.5)) == {"kept": 3.0, "best": 9.0}
