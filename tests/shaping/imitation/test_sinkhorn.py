"""Sinkhorn's plans beside those of POT, in the limit, by masks, and on a device."""

from __future__ import annotations

from typing import Any

import numpy as np
import ot
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from potentia.shaping._models.sinkhorn import _on_device, sinkhorn


def problem(seed: int, *shape: int) -> np.ndarray[Any, Any]:
    """Random costs in [0, 2]."""
    return 2 * np.random.default_rng(seed).random(shape)


def uniform(size: int) -> np.ndarray[Any, Any]:
    return np.full(size, 1 / size)


@pytest.mark.parametrize("epsilon", [1.0, 0.05, 0.01])
def test_a_plan_is_that_of_pot_after_as_many_iterations(epsilon: float) -> None:
    cost = problem(0, 3, 23, 17)
    plans = sinkhorn(cost, epsilon, 100)
    for got, one in zip(plans, cost, strict=True):
        want = ot.sinkhorn(
            uniform(23), uniform(17), one, epsilon, method="sinkhorn_log", numItermax=100, stopThr=0, warn=False
        )
        assert np.abs(got - want).max() < 1e-12
        assert np.abs(got.sum(1) - 1 / 23).max() < 1e-15


def test_marginals_hold_after_a_hundred_iterations_at_the_papers_epsilon() -> None:
    steps = np.random.default_rng(1).normal(size=(2, 100, 8))
    steps /= np.linalg.norm(steps, axis=-1, keepdims=True)
    plan = sinkhorn(1 - steps[0] @ steps[1].T, 0.01, 100)
    assert np.abs(plan.sum(0) - 0.01).max() < 1e-3
    assert np.abs(plan.sum(1) - 0.01).max() < 1e-15


def test_masses_that_are_not_uniform() -> None:
    rng = np.random.default_rng(2)
    cost, rows, columns = problem(3, 6, 5), rng.dirichlet(np.ones(6)), rng.dirichlet(np.ones(5))
    want = ot.sinkhorn(rows, columns, cost, 0.1, numItermax=500, stopThr=0, warn=False)
    got = sinkhorn(cost, 0.1, 500, row_mass=rows, column_mass=columns)
    assert np.abs(got - want).max() < 1e-12


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_as_epsilon_goes_to_zero_the_plan_is_the_exact_one(dtype: Any) -> None:
    cost = problem(4, 12, 12)
    exact = float((ot.emd(uniform(12), uniform(12), cost) * cost).sum())
    dearer = [float((sinkhorn(cost.astype(dtype), e, 20_000) * cost).sum()) - exact for e in (0.1, 0.01, 1e-3)]
    # The entropy of a plan is at most 2 log 12, so the plan's cost is at most 2 epsilon log 12 above the least.
    for epsilon, more in zip((0.1, 0.01, 1e-3), dearer, strict=True):
        assert -1e-5 < more < 2 * epsilon * np.log(12)
    assert dearer[0] > dearer[1] > dearer[2]
    assert dearer[2] < 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_costs_that_would_underflow_do_not(dtype: torch.dtype) -> None:
    # Costs of up to 10^6 epsilons: exp(-cost / epsilon) is 0 but for one entry in a row.
    cost = torch.as_tensor(problem(5, 2, 30, 20) * 500, dtype=dtype)
    plan = sinkhorn(cost, 1e-3, 50)
    assert torch.isfinite(plan).all()
    assert (plan.sum(2) - 1 / 30).abs().max() < 1e-6
    want = ot.sinkhorn(
        uniform(30), uniform(20), cost[0].double().numpy(), 1e-3, method="sinkhorn_log", numItermax=50, stopThr=0,
        warn=False,
    )  # fmt: skip
    if dtype == torch.float64:  # in float32 a cost of 10^3 is known to 10^-4, a tenth of epsilon
        assert np.abs(plan[0].numpy() - want).max() < 1e-8


@given(rows=st.integers(1, 9), columns=st.integers(1, 9), seed=st.integers(0, 99))
@settings(max_examples=30, deadline=None)
def test_masked_rows_and_columns_are_as_if_they_were_not_there(rows: int, columns: int, seed: int) -> None:
    cost = problem(seed, rows, columns)
    padded = np.full((2, 9, 10), np.nan)
    padded[:, :rows, :columns] = cost
    plan = sinkhorn(padded, 0.05, 40, row_mask=np.arange(9) < rows, column_mask=np.arange(10) < columns)
    assert np.allclose(plan[:, :rows, :columns], sinkhorn(cost, 0.05, 40), rtol=0, atol=1e-12)
    assert plan.sum() == pytest.approx(2)


@pytest.mark.parametrize("tolerance", [-1.0, 1e-3])
def test_a_device_gives_the_plans_of_the_compiled_loop(tolerance: float) -> None:
    cost = torch.as_tensor(problem(6, 4, 21, 13))
    rows, columns = torch.full((4, 21), 1 / 20), torch.full((4, 13), 1 / 13)
    rows[:, 20] = 0
    masses = rows.double(), columns.double()
    want = sinkhorn(
        cost, 0.02, 90, row_mass=masses[0], column_mass=masses[1], tolerance=None if tolerance < 0 else tolerance
    )
    assert (_on_device(cost, *masses, 0.02, 90, tolerance) - want).abs().max() < 1e-12


def test_it_stops_where_the_tolerance_is_met() -> None:
    cost = problem(7, 1, 40, 40)
    errors = [np.abs(sinkhorn(cost, 0.05, n).sum(1) - 1 / 40).sum() for n in range(1, 60)]
    enough = int(np.argmax(np.array(errors) <= 1e-3))  # so many iterations and one
    assert 0 < enough < 58
    stopped = sinkhorn(cost, 0.05, 1000, tolerance=1e-3)
    assert np.abs(stopped - sinkhorn(cost, 0.05, enough + 1)).max() < 1e-15


def test_leading_axes_kinds_and_dtypes_are_kept() -> None:
    cost = torch.as_tensor(problem(8, 2, 3, 4, 5), dtype=torch.float32)
    plan = sinkhorn(cost, row_mask=torch.ones(3, 4, dtype=torch.bool))
    assert plan.shape == cost.shape
    assert plan.dtype == torch.float32
    frozen = cost.numpy().copy()
    frozen.flags.writeable = False
    assert np.array_equal(sinkhorn(frozen), plan.numpy())
    assert np.array_equal(frozen, cost.numpy())
    assert sinkhorn(np.zeros((0, 4, 5))).shape == (0, 4, 5)


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match="epsilon must be positive, got 0"):
        sinkhorn(np.zeros((2, 2)), 0.0)
    with pytest.raises(
        ValueError, match=r"row_mass must have shape \(..., 2\), as cost \(2, 3\) has 2 rows, got \(3,\)"
    ):
        sinkhorn(np.zeros((2, 3)), row_mass=np.ones(3) / 3)
    with pytest.raises(ValueError, match="iterations must be at least 1"):
        sinkhorn(np.zeros((2, 3)), iterations=0)
