"""The one data type: what it computes, what it leaves alone, and what it refuses."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, replace
from typing import Any

import numpy as np
import pytest
import torch

from potentia import Rollout
from potentia.gamma import check_gamma
from potentia.rollout import check_truncation, concatenate, discount_column
from tests.episodes import rollout


def test_the_reward_is_the_sum_of_the_terms_where_the_mask_is_true() -> None:
    way = rollout([0, 1, 2], rewards=[1.0, 2.0]).add("bonus", np.array([[10.0], [20.0]]))
    assert way.reward[:, 0].tolist() == [11.0, 22.0]
    masked = replace(way, mask=np.array([[True], [False]]))
    assert masked.reward[:, 0].tolist() == [11.0, 0.0]
    garbage = replace(way, terms={"env": np.array([[1.0], [np.nan]])}, mask=np.array([[True], [False]]))
    assert garbage.reward[:, 0].tolist() == [1.0, 0.0]
    assert garbage.check_finite() is garbage


def test_a_rollout_does_not_change() -> None:
    way = rollout([0, 1])
    added = way.add("bonus", np.array([[1.0]]))
    assert list(way.terms) == ["env"]
    assert list(added.terms) == ["env", "bonus"]
    assert added.obs is way.obs
    with pytest.raises(FrozenInstanceError):
        way.obs = added.obs  # type: ignore[misc]


def test_a_term_takes_the_dtype_of_the_reward() -> None:
    single = rollout([0, 1]).map(lambda a: a.astype(np.float32) if a.dtype == np.float64 else a)
    assert single.add("bonus", np.array([[1.0]])).terms["bonus"].dtype == np.float32


def test_a_discount_is_set_before_any_term_and_is_zero_at_an_end() -> None:
    ended = rollout([0, 1, 2], terminated=True)
    assert ended.with_discount(np.full((2, 1), 0.5)).discount[:, 0].tolist() == [0.5, 0.0]
    with pytest.raises(ValueError, match="bonus may already have read the old one"):
        ended.add("bonus", np.zeros((2, 1))).with_discount(np.full((2, 1), 0.5))


def test_the_discount_column_follows_the_learner() -> None:
    over, cut = np.array([True, False, False]), np.array([False, True, False])
    like = np.zeros(3)
    assert discount_column(0.9, over, cut, like).tolist() == [0.0, 0.9, 0.9]
    assert discount_column(0.9, over, cut, like, "terminal").tolist() == [0.0, 0.0, 0.9]
    assert discount_column(0.9, *map(torch.as_tensor, (over, cut, like))).tolist() == pytest.approx([0.0, 0.9, 0.9])


def test_parts_and_joins() -> None:
    way = replace(rollout([0, 1, 2, 3]), info={"x": np.array([["a"], ["b"], ["c"]], dtype=object)})
    parts = [way[:1], way[1:]]
    joined = concatenate(parts)
    assert joined.obs.tolist() == way.obs.tolist()
    assert joined.info["x"].tolist() == way.info["x"].tolist()
    assert joined.num_steps == 3
    assert concatenate([way]) is way
    with pytest.raises(ValueError, match="same terms and info columns"):
        concatenate([way, rollout([0, 1])])
    with pytest.raises(ValueError, match="got no rollout"):
        concatenate([])


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"terms": {}}, "needs the term 'env'"),
        ({"terms": {"env": np.zeros(2)}}, r"terms\['env'\] must have shape \(T, B\) = \(2, 1\)"),
        ({"discount": np.zeros(2)}, r"discount must have the axes \(T, B\), got shape \(2,\)"),
        ({"terminated": np.zeros((2, 1))}, "terminated must be boolean, got dtype float64"),
        ({"obs": {"a": np.zeros((2, 1)), "b": np.zeros((1, 2))}}, r"obs\['b'\] must start with the axes \(T, B\)"),
        ({"info": {"x": np.zeros(3)}}, r"info\['x'\] must start with the axes"),
    ],
)
def test_wrong_shapes_are_named(change: dict[str, Any], told: str) -> None:
    with pytest.raises(ValueError, match=told):
        replace(rollout([0, 1, 2]), **change)


@pytest.mark.parametrize(
    ("name", "term", "told"),
    [
        ("env", np.zeros((2, 1)), "already present"),
        ("a/b", np.zeros((2, 1)), "no '/'"),
        ("", np.zeros((2, 1)), "non-empty"),
        ("bonus", np.zeros((1, 2)), r"shape \(T, B\) = \(2, 1\), got \(1, 2\)"),
    ],
)
def test_a_wrong_term_is_refused(name: str, term: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        rollout([0, 1, 2]).add(name, term)


def test_what_is_not_finite_is_named_with_its_place() -> None:
    way: Rollout = rollout([0, 1, 2], rewards=[0.0, np.inf])
    with pytest.raises(ValueError, match=r"'env' must be finite, got inf at \(t, b\) = \(1, 0\).*mend the environment"):
        way.check_finite()
    with pytest.raises(ValueError, match=r"'bonus' must be finite, got nan.*mend the shaper that adds 'bonus'"):
        rollout([0, 1]).add("bonus", np.array([[np.nan]])).check_finite()
    huge = rollout([0, 1], rewards=[1e308]).add("bonus", np.array([[1e308]]))
    with np.errstate(over="ignore"), pytest.raises(ValueError, match="their sum overflows"):
        huge.check_finite()


def test_arguments_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match=r"\[0, 1\], got 1\.01"):
        check_gamma(1.01)
    with pytest.raises(ValueError, match="got 'never'"):
        check_truncation("never")
