"""Novelty by brute force, and populations of tables."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from potentia.agents.search.explorer import own_novelty
from potentia.agents.search.novelty import novelty
from potentia.agents.search.table import Table, join, size, take


@pytest.mark.parametrize("features", [2, 10])
def test_novelty_is_the_mean_distance_to_the_nearest_others(features: int) -> None:
    people, archive = torch.randn(40, features), torch.randn(30, features)
    everyone = torch.cat([people, archive]).double().numpy()
    gaps = np.linalg.norm(everyone[:40, None] - everyone, axis=-1)
    gaps[np.arange(40), np.arange(40)] = np.inf  # nobody is a neighbour of oneself
    found = own_novelty({"behaviour": people}, {"behaviour": archive}, 15)
    np.testing.assert_allclose(found.numpy(), np.sort(gaps, 1)[:, :15].mean(1), rtol=1e-5)


def test_fewer_than_k_are_averaged_and_nobody_is_no_novelty() -> None:
    here = torch.tensor([[0.0, 0.0]])
    assert novelty(here, torch.tensor([[3.0, 4.0]]), 15).tolist() == [5.0]
    assert novelty(here, torch.zeros(0, 1), 15).tolist() == [0.0]
    assert novelty(here, here, 15, beside_itself=True).tolist() == [0.0]


def test_a_table_grows_and_goes_on_the_same() -> None:
    table, other = Table(), Table()
    for n in range(1, 40):
        table.add({"reward": torch.full((n,), float(n)), "genome": torch.full((n, 2), float(n))})
    assert len(table) == 780
    assert table["genome"][:3].tolist() == [[1.0, 1.0], [2.0, 2.0], [2.0, 2.0]]
    assert size(table.pop(700)) == 700
    other.load_state_dict(table.state_dict())
    assert torch.equal(other["reward"], table["reward"])
    table.replace({})
    assert len(table) == 0
    assert table.rows == {}


def test_what_is_popped_does_not_change_with_the_table() -> None:
    table = Table()
    table.add({"reward": torch.arange(4.0)})
    first = table.pop(2)
    table.add({"reward": torch.arange(10.0)})
    assert first["reward"].tolist() == [0.0, 1.0]
    assert join(first, {}, take(first, slice(1)))["reward"].tolist() == [0.0, 1.0, 0.0]
