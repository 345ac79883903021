"""The log-signature: closed forms, invariances, and RoughPy's."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from potentia.agents.search.signature import log_signature

SQUARE = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])


def test_level_one_is_end_minus_start_and_the_area_of_a_unit_square_is_one() -> None:
    paths = torch.stack([SQUARE, SQUARE.flip(0), SQUARE + 7.0, 2 * SQUARE])
    assert log_signature(paths).tolist() == [[0, 0, 1], [0, 0, -1], [0, 0, 1], [0, 0, 4]]


def test_a_straight_path_sweeps_no_area_and_a_parabola_a_sixth() -> None:
    t = torch.linspace(0, 1, 10_001, dtype=torch.float64)
    line, parabola = torch.stack([t, 3 * t], 1), torch.stack([t, t**2], 1)
    found = log_signature(torch.stack([line, parabola]))
    # 1/2 * integral of (t * 2t - t^2) dt = 1/6.
    np.testing.assert_allclose(found.numpy(), [[1, 3, 0], [1, 1, 1 / 6]], atol=1e-8)


def test_speed_is_invisible_unless_time_is_a_channel() -> None:
    path = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    slow = torch.tensor([[0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [1.0, 0.0], [1.0, 1.0]])
    assert torch.equal(log_signature(path[None]), log_signature(slow[None]))
    assert not torch.equal(log_signature(path[None], time=True), log_signature(slow[None], time=True))
    # Channels (time, x, y): the time advances by 1. Area of (time, x): 1/2 * (0 * 1 - (1/2) * ... ) by hand -1/4.
    # x goes 0 -> 1 in the first half and rests: 1/2 * sum of (t dx - x dt) = 1/2 * (0 * 1 - 1 * 1/2) = -1/4.
    assert log_signature(path[None], time=True)[0].tolist() == [1.0, 1.0, 1.0, -0.25, 0.25, 0.5]


def test_chen_joins_two_paths() -> None:
    rng = np.random.default_rng(0)
    path = torch.from_numpy(rng.normal(size=(1, 12, 3)))
    first, second, whole = (log_signature(part)[0] for part in (path[:, :6], path[:, 5:], path))
    i, j = torch.triu_indices(3, 3, 1)
    bracket = (first[:3][i] * second[:3][j] - first[:3][j] * second[:3][i]) / 2
    np.testing.assert_allclose(whole[3:], first[3:] + second[3:] + bracket, atol=1e-12)


def test_it_equals_roughpys() -> None:
    roughpy = pytest.importorskip("roughpy")
    path = np.random.default_rng(1).normal(size=(9, 3))
    context = roughpy.get_context(width=3, depth=2, coeffs=roughpy.DPReal)
    stream = roughpy.LieIncrementStream.from_increments(np.diff(path, axis=0), ctx=context)
    want = np.asarray(stream.log_signature(roughpy.RealInterval(0, 9)))
    found = log_signature(torch.from_numpy(path)[None])[0].numpy()
    np.testing.assert_allclose(found, want, atol=1e-12)


def test_what_is_no_path_is_refused() -> None:
    with pytest.raises(ValueError, match=r"\(n, L, c\) with L at least 1, got \(3, 2\)"):
        log_signature(torch.zeros(3, 2))
