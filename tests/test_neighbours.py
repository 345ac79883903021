"""Distances to the nearest: equal to comparing with every point, however they are found."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from potentia import neighbours
from potentia.neighbours import nearest


def by_brute_force(queries: torch.Tensor, points: torch.Tensor, k: int) -> np.ndarray:
    gaps = queries.double().numpy()[:, None] - points.double().numpy()
    return np.sort(np.sqrt((gaps**2).sum(-1)), 1)[:, :k]


@pytest.mark.parametrize("size", [1, 2, 3, 4, 10, 128])
@pytest.mark.parametrize("count", [1, 3, 70, 5000])
def test_distances_equal_brute_force(size: int, count: int) -> None:
    points, queries = torch.randn(count, size) + 7.0, torch.randn(300, size) + 7.0
    found = nearest(queries, points, 15)
    have = min(15, count)
    np.testing.assert_allclose(found[:, :have].numpy(), by_brute_force(queries, points, have), rtol=2e-5, atol=2e-6)
    assert found[:, have:].isinf().all()


@pytest.mark.parametrize("size", [2, 10])
@pytest.mark.parametrize("count", [40, 3000])
def test_a_point_is_no_neighbour_of_itself_but_its_double_is(size: int, count: int) -> None:
    points = torch.randn(count, size)
    points[7] = points[3]
    found = nearest(points, points, 3, beside_itself=True)
    want = by_brute_force(points, points, 4)[:, 1:]
    np.testing.assert_allclose(found.numpy(), want, rtol=2e-5, atol=1e-6)
    assert found[3, 0] == found[7, 0] == 0.0
    assert found[0, 0] > 0.0


def test_without_scipy_a_loop_finds_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    points, queries = torch.randn(6000, 2), torch.randn(200, 2)
    by_tree = nearest(queries, points, 15)
    monkeypatch.setattr(neighbours, "_tree", lambda: None)
    assert torch.equal(nearest(queries, points, 15), by_tree)


def test_no_points_are_infinitely_far_and_no_queries_are_no_rows() -> None:
    assert nearest(torch.zeros(2, 5), torch.zeros(0, 5), 3).tolist() == [[float("inf")] * 3] * 2
    assert nearest(torch.zeros(0, 5), torch.zeros(4, 5), 3).shape == (0, 3)
