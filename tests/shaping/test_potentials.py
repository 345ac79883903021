"""Potentials: their sources, and the value of arrival where they change."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from potentia.collect import rollout_tensors
from potentia.rollout import Rollout
from potentia.shaping import Potential, PotentialShaping, Progress, Scale
from potentia.shaping.potentials.arrival import as_of_arrival, no_arrivals
from potentia.testing import check_shaper
from tests.episodes import rollout


class Grows(Potential):
    """``level * (1 + obs)``: a potential that grows by a sixth with each step."""

    changes = True
    saved = ("level",)

    def __init__(self) -> None:
        self.level = 1.0

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Any:
        obs = getattr(rollout, f"{prefix}obs")
        return self.level * (1.0 + (obs if obs.ndim == 2 else obs.sum(-1)))

    def update(self, rollout: Rollout) -> dict[str, Any]:
        self.level += float(rollout.mask.sum()) / 6
        return {"level": self.level}


def test_a_potential_that_changes_keeps_every_law() -> None:
    check_shaper(lambda: PotentialShaping(Grows()))
    check_shaper(lambda: Scale(PotentialShaping(Grows()), 0.5))
    check_shaper(lambda: Progress(Grows()))


def test_the_step_that_leaves_a_state_starts_from_the_value_of_arrival() -> None:
    shaper = PotentialShaping(Grows())
    way = rollout([0, 1, 2, 3], discount=0.5)
    first, carry = shaper.shape(way[:1], shaper.init(1))
    assert first.terms["PotentialShaping"].item() == 0.5 * 2 - 1
    assert np.asarray(carry).tolist() == [2.0]
    assert shaper.update(way) == {"level": 1.5}
    second, carry = shaper.shape(way[1:], carry)
    # State 1 was entered with 2, and is worth 3 now; states 2 and 3 are worth 1.5 * 3 and 1.5 * 4.
    assert second.terms["PotentialShaping"][:, 0].tolist() == [0.5 * 4.5 - 2, 0.5 * 6 - 4.5]
    again = PotentialShaping(Grows())
    again.load_state_dict(shaper.state_dict())
    assert again.potential.level == 1.5  # type: ignore[attr-defined]


@pytest.mark.parametrize("tensors", [False, True])
def test_arrival_passes_over_masked_steps_and_begins_anew_after_ends(tensors: bool) -> None:
    mask = np.array([[False, True, True], [True, True, True], [True, True, False]])
    terminated = np.array([[False, False, True], [False, True, False], [False, False, False]])
    zero = np.zeros((3, 3))
    way = Rollout(zero, zero, zero, {"env": zero}, zero, terminated, zero > 0, mask)
    before, after = np.full((3, 3), 10.0) + np.arange(3)[:, None], np.full((3, 3), 20.0) + np.arange(3)[:, None]
    held = np.array([1.0, 2.0, np.nan])
    if tensors:
        way = rollout_tensors(way)
        before, after = torch.as_tensor(before), torch.as_tensor(after)
    values, carry = as_of_arrival(before, after, way, held)
    assert np.asarray(values).tolist() == [[10.0, 2.0, 10.0], [1.0, 11.0, 11.0], [12.0, 12.0, 12.0]]
    assert np.asarray(carry).tolist() == [22.0, 22.0, 21.0]
    ended = replace(way, truncated=way.truncated | way.mask)
    assert np.isnan(np.asarray(as_of_arrival(before, after, ended, held)[1])).all()
    hidden = replace(way, mask=way.mask & False)
    np.testing.assert_array_equal(np.asarray(as_of_arrival(before, after, hidden, held)[1]), held)
    empty = way[:0]
    assert as_of_arrival(before[:0], after[:0], empty, no_arrivals(3))[0].shape == (0, 3)


def test_sources_that_are_none_are_refused() -> None:
    with pytest.raises(TypeError, match=r"a function of observations, a table .*, the name of an info column"):
        PotentialShaping(object())
    with pytest.raises(TypeError, match=r"table must have shape \(states,\), got \(1, 2\)"):
        Progress([[1.0, 2.0]])
