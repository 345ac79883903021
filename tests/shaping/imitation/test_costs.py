"""Costs between observations and those of demonstrations."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia.rollout import Rollout
from potentia.shaping._models.costs import DemonstrationCosts, RandomFeatures, cost_matrix, features_of
from potentia.shaping._models.episodes import Episodes
from tests.shaping.imitation.shown import shown


def test_costs_by_hand_of_arrays_and_tensors() -> None:
    first, second = np.array([[[3.0, 4.0]], [[0.0, 0.0]]]), np.array([[[4.0, 3.0], [3.0, 4.0]]])
    # cos((3, 4), (4, 3)) = 24 / 25, so 1 - 0.96. A vector of zeros has no direction: cosine 0.
    assert cost_matrix(first, second) == pytest.approx(np.array([[[0.04, 0.0]], [[1.0, 1.0]]]), abs=1e-15)
    far = cost_matrix(torch.from_numpy(first), torch.from_numpy(second), "euclidean")
    assert far.tolist() == [[[2**0.5, 0.0]], [[5.0, 5.0]]]


def test_equal_vectors_far_from_the_origin_cost_nothing() -> None:
    same = 1e4 + torch.rand(50, 64, generator=torch.Generator().manual_seed(0))
    assert cost_matrix(same, same, "euclidean").diagonal().max() == 0


def test_features_that_differ_in_number_are_refused() -> None:
    with pytest.raises(ValueError, match="got 3 and 2: the demonstrations are of another world"):
        cost_matrix(np.zeros((1, 3)), np.zeros((1, 2)))


def test_costs_to_demonstrations_of_unequal_lengths() -> None:
    # Two demonstrations, of next_obs 1, 2 and of 5; one episode of next_obs 2, then a masked step, then 4.
    demonstrations = shown([[1.0, 2.0], [5.0]])
    costs = DemonstrationCosts(demonstrations, "euclidean")
    rollout = shown([[2.0, np.nan, 4.0]], mask=[[True], [False], [True]])
    episodes = Episodes.of(rollout)
    found = costs.costs(rollout, episodes)
    assert found.tolist() == [[[[1.0, 0.0], [3.0, 2.0]], [[3.0, 0.0], [1.0, 0.0]]]]
    assert costs.mask.tolist() == [[True, True], [True, False]]
    assert costs.among()[0, 1].tolist() == [[4.0, 0.0], [3.0, 0.0]]


def test_standardized_features_have_the_moments_of_the_demonstrations() -> None:
    costs = DemonstrationCosts(shown([[1.0, 3.0], [5.0]]), "euclidean", standardize=True)
    # Mean 3, variance (4 + 0 + 4) / 3.
    std = (8 / 3) ** 0.5
    assert costs.features[costs.mask][:, 0].tolist() == pytest.approx([-2 / std, 0, 2 / std])


def test_an_encoder_is_frozen_and_not_shown_what_is_masked() -> None:
    encoder = RandomFeatures(spaces.Box(0, 255, (40, 40, 3), np.uint8), widths=(8,), seed=3)
    assert not any(weight.requires_grad for weight in encoder.parameters())
    pictures = np.random.default_rng(0).integers(0, 256, (2, 1, 40, 40, 3), np.uint8)
    mask = torch.tensor([[True], [False]])
    found = features_of(pictures, mask, encoder)
    again = features_of(np.where(np.array([1, 0])[:, None, None, None, None], pictures, 7), mask, encoder)
    assert found.shape == (2, 1, 8)
    assert found[0].any()
    assert not found[1].any()
    assert torch.equal(found, again)


def test_random_features_without_layers_are_one_hot_codes() -> None:
    encoder = RandomFeatures(spaces.Discrete(3), widths=())
    found = features_of(np.array([[2], [0]]), torch.ones(2, 1, dtype=torch.bool), encoder)
    assert found.tolist() == [[[0.0, 0.0, 1.0]], [[1.0, 0.0, 0.0]]]


def test_an_encoder_must_return_a_row_each() -> None:
    with pytest.raises(ValueError, match=r"each of the 2 observations, got shape \(1, 2\)"):
        features_of(np.zeros((2, 1)), torch.ones(2, 1, dtype=torch.bool), lambda rows: rows[None])


def test_no_demonstration_is_refused() -> None:
    nothing: Rollout = shown([[1.0]], mask=[[False]])
    with pytest.raises(ValueError, match="at least one demonstration"):
        DemonstrationCosts(nothing)
