"""Coverage, uniformity, QD score and reward areas, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from potentia.agents.search.measures import Coverage, Measures, archive_metrics, uniformity

SQUARE = ((0.0, 1.0), (0.0, 1.0))


def test_a_grid_of_50_by_50_counts_cells_and_adds_their_best_returns() -> None:
    grid = Coverage(SQUARE)
    centres = (np.arange(50) + 0.5) / 50
    points = np.stack(np.meshgrid(centres, centres), -1).reshape(-1, 2)
    grid.add(points[:1250], np.ones(1250))
    grid.add(points[:1250], np.full(1250, 2.0))
    assert grid.counts.size == 2500
    found = grid.metrics()
    # Half of the cells, twice each: JSD = H(3/4 and 1/4 halves) - (H + log2 2500) / 2 = 0.3112781.
    assert found["coverage"] == 0.5
    assert found["qd_score"] == 2500.0
    assert found["uniformity"] == pytest.approx(1 - 0.3112781, abs=1e-6)


def test_the_borders_and_what_lies_beyond_count_in_the_nearest_cell() -> None:
    grid = Coverage(((-1.0, 1.0),))
    cells = grid.cells(np.array([[-1.0], [-9.0], [1.0], [7.0]]))
    assert cells.tolist() == [0, 0, 2499, 2499]


def test_three_dimensions_have_nearly_as_many_cells() -> None:
    assert Coverage(((0.0, 1.0),) * 3).counts.size == 14**3


def test_uniformity_lies_between_one_cell_and_all() -> None:
    # JSD((1, 0, 0, 0), uniform) = H(5/8, 1/8 x 3) - H(1/4 x 4) / 2 = 1.5488 - 1 bits.
    assert uniformity(np.array([7, 0, 0, 0])) == pytest.approx(1 - 0.5487949, abs=1e-6)
    assert uniformity(np.array([5, 5, 5])) == pytest.approx(1.0)
    assert uniformity(np.zeros(4)) == 0.0


def test_measures_count_areas_and_keep_their_best() -> None:
    found = Measures(SQUARE)
    assert found.metrics() == {"evaluations": 0, "coverage": 0.0, "uniformity": 0.0, "qd_score": 0.0}
    found.add(np.array([[0.1, 0.1], [0.9, 0.9]]), np.array([0.0, 0.5]), np.array([-1, 2]))
    found.add(np.array([[0.1, 0.1], [0.9, 0.9]]), np.array([0.25, 0.75]), np.array([0, 2]))
    measured = found.metrics()
    assert measured["evaluations"] == 4
    assert measured["best_return"] == 0.75
    assert measured["qd_score"] == 1.0
    assert [measured[f"area_{i}/best"] for i in range(3)] == [0.25, 0.0, 0.75]
    assert [measured[f"area_{i}/count"] for i in range(3)] == [1, 0, 2]


def test_without_bounds_or_areas_there_is_only_the_best_return() -> None:
    found = Measures()
    found.add(None, np.array([0.5, 2.0]), None)
    assert found.metrics() == {"evaluations": 2, "best_return": 2.0}


def test_a_saved_state_goes_on_the_same() -> None:
    one, other = Measures(SQUARE), Measures(SQUARE)
    one.add(np.array([[0.1, 0.1]]), np.array([1.0]), np.array([1]))
    other.load_state_dict(one.state_dict())
    for measures in (one, other):
        measures.add(np.array([[0.7, 0.1]]), np.array([3.0]), np.array([0]))
    assert one.metrics() == other.metrics()


def test_what_an_archive_keeps_is_measured_apart() -> None:
    found = archive_metrics(np.array([[0.1, 0.1]]), np.array([2.0]), SQUARE)
    assert found == {
        "archive/size": 1,
        "archive/coverage": 1 / 2500,
        "archive/uniformity": pytest.approx(0.0, abs=5e-3),
        "archive/qd_score": 2.0,
    }


def test_descriptors_of_another_size_are_refused() -> None:
    with pytest.raises(ValueError, match=r"the bounds are of descriptors \(n, 2\), got \(1, 3\)"):
        Coverage(SQUARE).cells(np.zeros((1, 3)))
    with pytest.raises(ValueError, match="a lowest and a greater highest"):
        Coverage(((1.0, 1.0),))
