"""The distance to a goal as a potential, by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gymnasium import spaces

from potentia.shaping import GoalImage
from potentia.shaping.imitation import RandomFeatures
from tests.shaping.imitation.shown import shown


def test_the_nearest_of_the_goals_that_demonstrations_end_at_counts() -> None:
    goals = shown([[(9, 9), (0, 4)], [(3.0, 0.0)]])
    rollout = shown([[(3, 2), (0, 3), (0, 4)]])
    # From (0, 0): 4 and 3. At (3, 2): sqrt(13) and 2. At (0, 3): 1. The end counts 0.
    assert GoalImage(goals).shape(rollout)[0].terms["GoalImage"][0].item() == pytest.approx(3 - 0.9 * 2)
    other = GoalImage({"at": np.array([0.0, 4.0])}, lambda obs: obs["at"] if isinstance(obs, dict) else obs)
    term = other.shape(rollout)[0].terms["GoalImage"][:, 0]
    assert term == pytest.approx([4 - 0.9 * 13**0.5, 4 - 0.9, 4.0])  # obs is 0 in all steps here


def test_pictures_by_a_random_encoder() -> None:
    rng = np.random.default_rng(0)
    pictures = rng.integers(0, 256, (40, 40, 3), np.uint8)
    encoder = RandomFeatures(spaces.Box(0, 255, (40, 40, 3), np.uint8), widths=(16,))
    at_goal = shown([[0.0]])
    at_goal = replace(at_goal, obs=rng.integers(0, 256, (1, 1, 40, 40, 3), np.uint8), next_obs=pictures[None, None])
    shaper = GoalImage(pictures, encoder, metric="cosine")
    assert shaper.potential.values(at_goal, "next_", "GoalImage").item() == pytest.approx(0, abs=1e-6)
    assert shaper.potential.values(at_goal, "", "GoalImage").item() < -1e-4
