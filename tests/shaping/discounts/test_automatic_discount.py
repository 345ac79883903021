"""Automatic discount scheduling: subsequences, matches and the schedule by hand."""

from __future__ import annotations

from bisect import bisect_left
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from potentia.collect import rollout_tensors
from potentia.rollout import Rollout
from potentia.shaping import AutomaticDiscount, Chain, HideReward, OptimalTransport
from potentia.shaping.discounts.progress import longest_increasing, match_curves


def walks(*places: list[float]) -> Rollout:
    """Episodes that arrive at these places, one a column; shorter ones are filled up."""
    longest = max(map(len, places))
    lengths = np.array(list(map(len, places)))
    next_obs = np.stack([np.pad(np.array(one, float), (0, longest - len(one))) for one in places], 1)[..., None]
    steps = np.arange(longest)[:, None]
    last, mask = steps == lengths - 1, steps < lengths
    zeros = np.zeros(mask.shape)
    return Rollout(
        obs=np.zeros_like(next_obs), action=zeros, next_obs=next_obs, terms={"env": zeros},
        discount=np.where(mask & ~last, 0.9, 0.0), terminated=last, truncated=last & False, mask=mask,
    )  # fmt: skip


def line(length: int) -> list[float]:
    return list(map(float, range(1, length + 1)))


def schedule(demonstrations: Rollout, **changes: Any) -> AutomaticDiscount:
    settings: dict[str, Any] = {"metric": "euclidean", "every": 1, "episodes": 1}
    return AutomaticDiscount(demonstrations, **settings | changes)


@pytest.mark.parametrize(
    ("sequence", "length"),
    [([3, 1, 2, 4], 3), ([0, 1, 2, 3, 4], 5), ([2, 2, 2], 1), ([5, 4, 3], 1), ([0, 8, 4, 12, 2, 10, 6, 14, 1, 9], 4)],
)
def test_the_longest_increasing_subsequence_by_hand(sequence: list[int], length: int) -> None:
    assert longest_increasing(np.array([sequence])).tolist() == [length]


def by_definition(costs: np.ndarray, k: int) -> int:
    nearest = costs[:k, :k].argmin(1)
    tails: list[int] = []
    for value in nearest.tolist():
        place = bisect_left(tails, value)
        tails[place : place + 1] = [value]
    return len(tails)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 9), st.integers(1, 9))
def test_curves_are_the_definition_for_every_k_with_ties(seed: int, length: int, other: int) -> None:
    rng = np.random.default_rng(seed)
    costs = rng.integers(0, 4, (2, 9, 9)).astype(float)
    found = match_curves(costs, np.array([length, 9]), np.array([other, 9]), 10)
    want = [[by_definition(part, k) for k in range(1, 11)] for part in (costs[0, :length, :other], costs[1])]
    assert found.tolist() == want


def test_constant_and_identical_matches() -> None:
    apart = np.abs(np.subtract.outer(np.arange(6.0), np.arange(6.0)))
    assert match_curves(apart[None], np.array([6]), np.array([6]), 6).tolist() == [[1, 2, 3, 4, 5, 6]]
    assert match_curves(np.zeros((1, 6, 6)), np.array([6]), np.array([6]), 6).tolist() == [[1] * 6]


@pytest.mark.parametrize(("horizon", "start", "first", "last"), [(63, 12, 0.8745, 0.9748), (88, 17, 0.9097, 0.9819)])
def test_the_authors_numbers(horizon: int, start: int, first: float, last: float) -> None:
    """k begins at a fifth of the horizon, and gamma at k is .2 ** (1 / k), so that gamma ** k is always .2."""
    shaper = schedule(walks(line(horizon)))
    assert (shaper.k, round(shaper.gamma, 4)) == (start, first)
    assert shaper.gamma**shaper.k == pytest.approx(0.2)
    shaper.k = horizon
    assert round(shaper.gamma, 4) == last


def test_identical_demonstrations_match_each_other_in_full() -> None:
    assert schedule(walks(*[line(7)] * 3)).reference.tolist() == [1, 2, 3, 4, 5, 6, 7]
    assert schedule(walks(line(7))).reference.tolist() == [1, 2, 3, 4, 5, 6, 7]


def test_the_reference_is_the_median_of_ordered_pairs() -> None:
    # 1 2 3 4 against 1 1 1 1: its steps are nearest to step 0 (ties), so 1. The other way 1 1 1 1 is nearest to 0: 1.
    # Two that are alike match in full. Of six ordered pairs two match k and four match 1: the median is 1.
    shaper = schedule(walks(line(4), line(4), [1.0] * 4))
    assert shaper.reference.tolist() == [1, 1, 1, 1]


def test_k_rises_by_at_most_five_never_falls_and_ends_at_the_horizon() -> None:
    shaper, seen = schedule(walks(line(20), line(20))), []
    good, bad = walks(line(20)), walks([50.0] * 20)
    for episode in (bad, good, bad, good, good, good, bad, good):
        metrics = shaper.update(episode)
        seen.append(shaper.k)
        assert metrics["k"] == shaper.k
    # A fifth of 20 is 4. What goes nowhere matches 1, less than floor(.9 * 4) = 3.
    assert seen == [4, 9, 9, 14, 19, 20, 20, 20]


def test_k_stops_where_the_agent_stops_following() -> None:
    """It follows 6 of 20 steps and then stands: match(k) = min(k, 6), and floor(.9 k) <= 6 up to k = 7."""
    shaper = schedule(walks(line(20), line(20)))
    for _ in range(5):
        shaper.update(walks([*line(6), *[6.0] * 14]))
    # match(6) = 6 >= floor(5.4) = 5, so 7. match(7) = 6 >= floor(6.3) = 6, so 8. match(8) = 6 < floor(7.2) = 7.
    assert shaper.k == 8


def test_a_tenth_of_the_episodes_decide() -> None:
    """The 90th percentile of 10 episodes is between the best and the second: at least two must follow, or nearly."""
    good, bad = line(20), [50.0] * 20
    for count, rises in ((1, False), (2, True)):
        shaper = schedule(walks(line(20)), episodes=10)
        shaper.update(walks(*[good] * count, *[bad] * (10 - count)))
        assert (shaper.k > 4) == rises, count


def test_an_evaluation_waits_for_its_transitions_and_looks_at_the_last_episodes() -> None:
    shaper = schedule(walks(line(20)), every=60, episodes=2)
    good, bad = walks(line(20)), walks([50.0] * 20)
    for episode in (good, good):
        shaper.update(episode)
    assert shaper.k == 4  # 40 transitions
    shaper.update(good)
    assert shaper.k == 9
    for episode in (good, bad, bad):
        shaper.update(episode)
    assert shaper.k == 9  # the last two did not follow


def test_shorter_episodes_and_demonstrations_count_as_far_as_they_go() -> None:
    shaper = schedule(walks(line(10), line(6)))
    assert shaper.horizon == 10
    # Each pair has at most 6 steps to match.
    assert shaper.reference.tolist() == [1, 2, 3, 4, 5, 6, 6, 6, 6, 6]
    shaper.update(walks(line(3)))
    # A fifth of 10 is 2. match(2..5) = 2, 3, 3, 3 against floor(1.8), floor(2.7), floor(3.6) = 3, and floor(4.5) = 4.
    assert shaper.k == 5


def test_unfinished_episodes_are_not_looked_at() -> None:
    shaper = schedule(walks(line(20)))
    whole = walks(line(20))
    assert shaper.update(whole[:10])["match"] == 0.0
    assert shaper.k == 4


def test_gamma_is_written_where_the_next_value_is_used() -> None:
    shaper = schedule(walks(line(10)))
    rollout = walks(line(3), line(2))
    for data in (rollout, rollout_tensors(rollout)):
        column = np.asarray(shaper.shape(data)[0].discount)
        assert column[:, 0].tolist() == [shaper.gamma, shaper.gamma, 0.0]
        assert column[:, 1].tolist() == [shaper.gamma, 0.0, 0.0]


def test_the_chain_of_the_paper_has_the_discount_first() -> None:
    shown = walks(line(10))
    chain = Chain(AutomaticDiscount(shown), HideReward(), OptimalTransport(shown))
    assert chain.contract.needs_episodes
    assert chain.contract.sets_discount
    shaped, _ = chain.shape(walks(line(10)))
    assert shaped.discount[0, 0] == pytest.approx(0.2**0.5)
    with pytest.raises(ValueError, match="must come first"):
        Chain(OptimalTransport(shown), AutomaticDiscount(shown))


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"alpha": 0.0}, ValueError, r"alpha must lie in \(0, 1\], got 0"),
        ({"quantile": 1.5}, ValueError, "quantile must lie"),
        ({"most": 0}, ValueError, "most must be at least 1"),
        ({"start": 0}, ValueError, "start must be at least 1"),
        ({"metric": "manhattan"}, ValueError, "must be among"),
        ({"demonstrations": 3}, TypeError, "must be a Rollout of whole episodes"),
        ({"demonstrations": walks(line(5))[:3]}, ValueError, "must be one whole episode"),
    ],
)
def test_what_does_not_fit_is_refused(changes: dict[str, Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        AutomaticDiscount(**{"demonstrations": walks(line(5))} | changes)
