"""pyribs' searches: the grid is right, all batches are filled, and what is missing is said."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
from toy_world import BOUNDS, areas, drive, make, rollout

from potentia.agents.search.ribs_search import CMAMAE, CMAME, MAPElites

pytest.importorskip("ribs")


@pytest.mark.parametrize("batch", [20, 33])
def test_map_elites_keeps_the_best_of_each_cell(batch: int) -> None:
    search, best = make(MAPElites, population=20, bounds=BOUNDS, sigma=0.2), np.full(2500, -np.inf)
    for _ in range(60):
        found = rollout(search, batch, areas)
        metrics = search.learn(found)
        place = found.info["next_descriptor"][0].astype(np.float32).astype(np.float64)
        np.maximum.at(best, search.measures.coverage.cells(place), found.reward[0])
    kept = search.archive_map()
    cells = search.measures.coverage.cells(kept["descriptor"])
    assert sorted(cells) == np.flatnonzero(best > -np.inf).tolist()
    np.testing.assert_array_equal(kept["return"], best[cells])
    assert metrics["archive/coverage"] == metrics["coverage"]
    assert metrics["archive/qd_score"] == pytest.approx(metrics["qd_score"])


@pytest.mark.parametrize("kind", [CMAME, CMAMAE])
def test_evolution_strategies_fill_more_cells_than_founders(kind: type[CMAME]) -> None:
    metrics = drive(make(kind, bounds=BOUNDS), 4000, 100, areas)
    assert metrics["coverage"] > 0.5
    assert metrics["area_0/best"] > 0.8


def test_the_grid_needs_bounds_and_pyribs(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="MAPElites keeps a grid: set 'bounds'"):
        make(MAPElites)
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "ribs" else find(name))
    with pytest.raises(ImportError, match=r"pip install 'potentia\[qd\]'"):
        make(MAPElites, bounds=BOUNDS)
