"""Statistics against numbers worked by hand, closed forms and simulated coverage."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from potentia.study import statistics as stats
from potentia.study.statistics.bootstrap import _acceleration


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


# --- point estimates ---------------------------------------------------------------------------------------


def test_interquartile_mean_by_hand():
    # n = 8: drop floor(8/4) = 2 at each end: (3 + 4 + 5 + 6) / 4 = 4.5, whatever the outlier is.
    assert stats.interquartile_mean(np.array([1000.0, 1, 2, 3, 4, 5, 6, -1000])) == (2 + 3 + 4 + 5) / 4
    # n = 5: drop 1 at each end: (2 + 3 + 4) / 3 = 3.
    assert stats.interquartile_mean(np.array([9.0, 1, 3, 2, 4])) == 3.0
    # n = 3: nothing is dropped.
    assert stats.interquartile_mean(np.array([0.0, 0, 3])) == 1.0


def test_interquartile_mean_reduces_the_axis_it_is_given():
    scores = rng().normal(size=(5, 7, 3))
    by_hand = np.sort(scores, axis=1)[:, 1:-1].mean(axis=1)
    np.testing.assert_array_equal(stats.interquartile_mean(scores, 1), by_hand)


@given(hnp.arrays(float, st.integers(1, 30), elements=st.floats(-100, 100)), st.floats(-9, 9))
def test_interquartile_mean_is_bounded_and_shifts_with_the_scores(scores, shift):
    value = stats.interquartile_mean(scores)
    assert scores.min() - 1e-9 <= value <= scores.max() + 1e-9
    assert stats.interquartile_mean(scores + shift) == pytest.approx(value + shift, abs=1e-9)


def test_optimality_gap_gives_no_credit_beyond_the_optimum():
    # shortfalls of 0.5, 0 and 0 (not -1): 0.5 / 3.
    assert stats.optimality_gap(np.array([0.5, 1.0, 2.0])) == pytest.approx(0.5 / 3)


def test_normalise_by_anchors():
    # random 2, optimum 10: (4 - 2) / 8 = 0.25.
    np.testing.assert_array_equal(stats.normalise([2, 4, 10], random=2, optimal=10), [0, 0.25, 1])


@pytest.mark.parametrize("anchors", [(1.0, 1.0), (2.0, 1.0), (math.nan, 1.0)])
def test_normalise_refuses_impossible_anchors(anchors):
    with pytest.raises(ValueError, match="optimal > random"):
        stats.normalise([1.0], *anchors)


def test_average_over_training_by_hand():
    # trapezoids over [0, 10] and [10, 40]: 10 * 0.5 + 30 * 1.5 = 50, over a length of 40: 1.25.
    assert stats.average_over_training([0, 10, 40], [0.0, 1.0, 2.0]) == 1.25
    assert stats.average_over_training([7], [3.0]) == 3.0
    with pytest.raises(ValueError, match="increase"):
        stats.average_over_training([1, 1], [0.0, 0.0])


def test_no_runs_is_an_error_not_a_nan():
    for estimate in (stats.mean, stats.median, stats.interquartile_mean, stats.optimality_gap):
        with pytest.raises(ValueError, match="no runs"):
            estimate(np.array([]))


def test_small_samples_are_flagged():
    assert "insufficient" in stats.sample_size_warning(4)
    assert "few" in stats.sample_size_warning(9)
    assert stats.sample_size_warning(10) is None


# --- the bootstrap ------------------------------------------------------------------------------------------


def test_percentile_interval_of_two_runs_is_exact():
    # Resampling {0, 1} twice gives means 0, 1/2, 1 with probability 1/4, 1/2, 1/4: the quantiles at 2.5 % and
    # 97.5 % are the ends.
    interval = stats.bootstrap_interval([np.array([0.0, 1.0])], stats.mean, rng=rng())
    assert interval == stats.Interval(0.5, 0.0, 1.0)


def test_bootstrap_variance_of_the_mean_matches_the_closed_form():
    # Var of the bootstrap mean = population variance / n: exactly known, simulated to about 1 %.
    scores = np.array([1.0, 2.0, 4.0, 8.0, 16.0])
    replicates = stats.replicate([scores], stats.mean, resamples=40_000, rng=rng())
    assert replicates.var() == pytest.approx(scores.var() / 5, rel=0.03)
    assert replicates.mean() == pytest.approx(scores.mean(), rel=0.01)


def test_strata_are_resampled_on_their_own():
    # Two worlds whose runs do not differ: no resampling can change the pooled mean.
    constant = [np.full(4, 0.0), np.full(4, 10.0)]
    assert stats.bootstrap_interval(constant, stats.mean, rng=rng()) == stats.Interval(5.0, 5.0, 5.0)


def test_same_seed_same_interval():
    scores = [rng().normal(size=8)]
    one = stats.bootstrap_interval(scores, stats.interquartile_mean, rng=rng(3))
    assert one == stats.bootstrap_interval(scores, stats.interquartile_mean, rng=rng(3))
    assert one != stats.bootstrap_interval(scores, stats.interquartile_mean, rng=rng(4))


def test_resampling_is_coherent_over_time():
    # Runs that differ by a constant level: the average over training must vary as much as a single step does.
    # Resampling each step anew would shrink its interval by sqrt(100) = 10.
    levels = rng(1).normal(size=6)
    curves = np.repeat(levels[:, None], 100, axis=1)
    steps = np.arange(100)
    collapsed = stats.bootstrap_interval([stats.average_over_training(steps, curves)], stats.mean, rng=rng(2))

    def average(runs, axis):
        return stats.average_over_training(steps, runs.mean(axis=axis))

    whole = stats.bootstrap_interval([curves], average, rng=rng(2))
    assert whole.low == pytest.approx(collapsed.low, abs=1e-12)
    assert whole.high == pytest.approx(collapsed.high, abs=1e-12)
    band = stats.bootstrap_band([curves], stats.mean, rng=rng(2))
    np.testing.assert_allclose(band.low, whole.low, atol=1e-12)
    assert band.low.shape == (100,)


def test_long_curves_are_resampled_in_chunks_without_changing_the_result():
    curves = rng(5).normal(size=(4, 30_000))  # 120 000 floats a resample: 33 resamples a chunk
    band = stats.bootstrap_band([curves], stats.mean, rng=rng(6), resamples=100)
    single = stats.bootstrap_band([curves[:, :3]], stats.mean, rng=rng(6), resamples=100)
    np.testing.assert_array_equal(band.low[:3], single.low)


def test_bca_shifts_the_interval_of_skewed_scores():
    # For the mean of right-skewed scores both limits move right (acceleration > 0).
    scores = [np.array([0.0, 0, 0, 0, 1, 1, 2, 3, 8, 20])]
    plain = stats.bootstrap_interval(scores, stats.mean, rng=rng(), resamples=5000)
    corrected = stats.bootstrap_interval(scores, stats.mean, rng=rng(), resamples=5000, method="bca")
    assert corrected.low > plain.low
    assert corrected.high > plain.high
    assert corrected.estimate == plain.estimate == 3.5


def test_bca_acceleration_is_the_closed_form_of_the_mean():
    # For a mean, a = sum (x - m)^3 / (6 (sum (x - m)^2)^1.5).
    x = np.array([0.0, 1.0, 5.0])  # deviations -2, -1, 3: cubes -8 - 1 + 27 = 18, squares 14
    assert float(_acceleration([x], stats.mean)) == pytest.approx(18 / (6 * 14**1.5))


def test_bca_of_constant_scores_is_a_point():
    interval = stats.bootstrap_interval([np.ones(5)], stats.mean, rng=rng(), method="bca")
    assert interval == stats.Interval(1.0, 1.0, 1.0)


def test_coverage_grows_with_the_number_of_runs():
    """The nominal 95 % interval covers the truth far too seldom with 3 runs and nearly enough with 20."""
    covered = {}
    for runs in (3, 20):
        hits = 0
        for trial in range(400):
            source = rng(1000 * runs + trial)
            interval = stats.bootstrap_interval(
                [source.normal(size=runs)], stats.interquartile_mean, rng=source, resamples=400
            )
            hits += interval.low <= 0 <= interval.high
        covered[runs] = hits / 400
    assert covered[3] < 0.85
    assert 0.90 < covered[20] < 0.98


@pytest.mark.parametrize("strata", [[], [np.array([])], [np.array([1.0]), np.array([])]])
def test_bootstrap_refuses_empty_strata(strata):
    with pytest.raises(ValueError, match="at least one run"):
        stats.bootstrap_interval(strata, stats.mean, rng=rng())


# --- comparisons --------------------------------------------------------------------------------------------


def test_probability_of_improvement_by_hand():
    # pairs (x, y): (1,1) tie, (1,2) loss, (3,1) win, (3,2) win: (0.5 + 0 + 1 + 1) / 4.
    assert stats.probability_of_improvement([[1, 3]], [[1, 2]], rng=rng()).estimate == 0.625


def test_probability_of_improvement_averages_worlds_and_is_antisymmetric():
    first, second = [[1.0, 2.0], [0.0, 0.0, 5.0]], [[0.0], [1.0, 1.0]]
    # world 1: both beat 0: 1. world 2: only 5 beats 1: 1/3. mean 2/3.
    value = stats.probability_of_improvement(first, second, rng=rng()).estimate
    assert value == pytest.approx(2 / 3)
    assert stats.probability_of_improvement(second, first, rng=rng()).estimate == pytest.approx(1 - value)


def test_probability_of_improvement_interval_contains_certainty_only():
    assert stats.probability_of_improvement([[2, 3]], [[0, 1]], rng=rng()) == stats.Interval(1.0, 1.0, 1.0)


def test_probability_of_improvement_needs_the_same_worlds():
    with pytest.raises(ValueError, match="same worlds"):
        stats.probability_of_improvement([[1.0]], [[1.0], [2.0]], rng=rng())


def test_sign_flip_p_value_by_hand():
    # |1 + 2 + 3| = 6: of 8 patterns only + + + and - - - reach 6: 2/8.
    assert stats.sign_flip_p_value([1, 2, 3]) == 0.25
    # |1 + 2 - 3| = 0: every pattern reaches it.
    assert stats.sign_flip_p_value([1, 2, -3]) == 1.0
    # |3 + 4 - 1| = 6: sums of (+-1 +-3 +-4) with |s| >= 6: 8, -8, 6, -6: 4/8.
    assert stats.sign_flip_p_value([-1, 3, 4]) == 0.5


@settings(max_examples=30)
@given(st.lists(st.floats(-10, 10), min_size=1, max_size=8))
def test_sign_flip_p_value_equals_enumeration(values):
    observed = abs(sum(values)) - 1e-9 * sum(map(abs, values))
    patterns = list(itertools.product((1, -1), repeat=len(values)))
    hits = sum(abs(sum(s * v for s, v in zip(p, values, strict=True))) >= observed for p in patterns)
    assert stats.sign_flip_p_value(values) == hits / len(patterns)


def test_sampled_sign_flips_agree_with_the_binomial():
    # 17 differences of +1 and three of -1: sum 14; P(|S| >= 14) = 2 P(Bin(20, 1/2) <= 3).
    # 1 + 20 + 190 + 1140 = 1351 of 2^20 patterns have at most three heads.
    values = np.array([1.0] * 17 + [-1.0] * 3)
    exact = 2 * 1351 / 2**20
    assert stats.sign_flip_p_value(values, rng=rng()) == pytest.approx(exact, rel=0.2)
    with pytest.raises(ValueError, match="default_rng"):
        stats.sign_flip_p_value(values)


def test_paired_difference_uses_the_pairing():
    # Seeds differ by 100, the method adds 1 to each: the paired interval is a point at 1.
    baseline = np.array([0.0, 100, 200, 300, 400])
    paired = stats.paired_difference([baseline + 1], [baseline], rng=rng())
    assert paired.difference == stats.Interval(1.0, 1.0, 1.0)
    # all five signs agree: 2/32, the smallest p-value that five pairs can give.
    assert paired.p_value == paired.smallest_p == 0.0625
    assert paired.exact


def test_holm_by_hand():
    # sorted 0.01, 0.03, 0.04: times 3, 2, 1 = 0.03, 0.06, 0.04; running maximum 0.03, 0.06, 0.06.
    np.testing.assert_allclose(stats.holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])
    np.testing.assert_array_equal(stats.holm([0.9, 0.8]), [1.0, 1.0])
    assert stats.holm([]).size == 0


# --- profiles, proportions, thresholds ----------------------------------------------------------------------


def test_performance_profile_by_hand():
    # world 1: scores 0, 1; world 2: score 0.5. At tau = 0: (1/2 + 1)/2; at 0.5 (strictly above): (1/2 + 0)/2.
    band = stats.performance_profile([[0.0, 1.0], [0.5]], [-1, 0, 0.5, 1], rng=rng())
    np.testing.assert_array_equal(band.estimate, [1, 0.75, 0.25, 0])
    assert (band.low <= band.estimate).all()
    assert (band.estimate <= band.high).all()
    assert band.low[2] == 0
    assert band.high[2] == 0.5


def test_wilson_by_hand():
    # 5 of 5 with z = 1.96: low = (1 + z^2/10 - z^2/10) / (1 + z^2/5) = 1 / (1 + 0.76829) = 0.56552.
    z2 = NormalDist().inv_cdf(0.975) ** 2
    interval = stats.wilson(5, 5)
    assert (interval.estimate, interval.high) == (1.0, 1.0)
    assert interval.low == pytest.approx(1 / (1 + z2 / 5))
    # 1 of 2 is symmetric: half width = sqrt(z2 (1/8 + z2/16)) / (1 + z2/2).
    half = stats.wilson(1, 2)
    assert (
        half.high - 0.5
        == pytest.approx(0.5 - half.low)
        == pytest.approx(math.sqrt(z2 * (1 / 8 + z2 / 16)) / (1 + z2 / 2))
    )
    with pytest.raises(ValueError, match="successes"):
        stats.wilson(3, 2)


@given(st.integers(1, 50), st.floats(0, 1))
def test_wilson_limits_solve_the_score_equation(n, rate):
    interval = stats.wilson(rate * n, n)
    assert 0 <= interval.low <= interval.estimate <= interval.high <= 1
    z2 = NormalDist().inv_cdf(0.975) ** 2
    for limit in (interval.low, interval.high):
        # (p - limit)^2 = z^2 limit (1 - limit) / n defines the limits.
        assert (interval.estimate - limit) ** 2 == pytest.approx(z2 * limit * (1 - limit) / n, abs=1e-9)


def test_first_crossing_and_censoring():
    assert stats.first_crossing([10, 20, 30], [0.1, 0.6, 0.4], 0.5) == (20.0, True)
    assert stats.first_crossing([10, 20, 30], [0.1, 0.2, 0.4], 0.5) == (30.0, False)
    with pytest.raises(ValueError, match="evaluations"):
        stats.first_crossing([], [], 0.5)


def test_kaplan_meier_by_hand():
    # times 1, 2+, 3, 4+ (+ = censored): S(1) = 3/4; at 3 two are at risk: S = 3/4 * 1/2 = 3/8.
    times, survival = stats.kaplan_meier([1, 2, 3, 4], [True, False, True, False])
    np.testing.assert_array_equal(times, [1, 3])
    np.testing.assert_allclose(survival, [3 / 4, 3 / 8])
    # A run censored at the time of an event is still at risk there: at 1, n = 2, d = 1.
    _, tied = stats.kaplan_meier([1, 1], [True, False])
    np.testing.assert_array_equal(tied, [0.5])


def test_steps_to_threshold_by_hand():
    # As above: median 3 (S falls to 3/8); restricted mean to 4: 1 * 1 + 2 * 3/4 + 1 * 3/8 = 2.875.
    result = stats.steps_to_threshold([1, 2, 3, 4], [True, False, True, False], horizon=4, rng=rng())
    assert result.median.estimate == 3
    assert result.restricted_mean.estimate == pytest.approx(2.875)
    assert (result.reached, result.runs) == (2, 4)


def test_never_reached_is_infinite_not_zero():
    result = stats.steps_to_threshold([50, 50, 50], [False] * 3, horizon=50, rng=rng())
    assert result.median == stats.Interval(math.inf, math.inf, math.inf)
    assert result.restricted_mean == stats.Interval(50.0, 50.0, 50.0)


def test_without_censoring_the_restricted_mean_is_the_mean():
    times = np.array([3.0, 5.0, 5.0, 11.0])
    result = stats.steps_to_threshold(times, [True] * 4, horizon=20, rng=rng())
    assert result.restricted_mean.estimate == pytest.approx(6.0)  # (3 + 5 + 5 + 11) / 4
    assert result.median.estimate == 5.0
    # events beyond the horizon count as the horizon: (3 + 5 + 5 + 8) / 4
    cut = stats.steps_to_threshold(times, [True] * 4, horizon=8, rng=rng())
    assert cut.restricted_mean.estimate == pytest.approx(5.25)


# --- against other implementations --------------------------------------------------------------------------


def test_against_scipy():
    scipy_stats = pytest.importorskip("scipy.stats")
    x, y = rng(1).normal(size=11), rng(2).normal(size=9).round(1)
    assert stats.interquartile_mean(x) == pytest.approx(scipy_stats.trim_mean(x, 0.25))
    u = scipy_stats.mannwhitneyu(x, y).statistic
    assert stats.probability_of_improvement([x], [y], rng=rng()).estimate == pytest.approx(u / 99)
    wilson = scipy_stats.binomtest(7, 9).proportion_ci(method="wilson")
    assert (stats.wilson(7, 9).low, stats.wilson(7, 9).high) == pytest.approx((wilson.low, wilson.high))


def test_against_rliable():
    metrics = pytest.importorskip("rliable.metrics")
    scores = rng(3).normal(size=(10, 4))
    assert stats.interquartile_mean(scores.ravel()) == pytest.approx(metrics.aggregate_iqm(scores))
    assert stats.optimality_gap(scores.ravel()) == pytest.approx(metrics.aggregate_optimality_gap(scores))
