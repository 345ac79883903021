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
from potentia.study.statistics.coverage import FEWEST


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


@settings(deadline=None)
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


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_score_that_is_not_finite_is_refused_everywhere(bad):
    scores = [0.0, 1.0, bad]
    refusals = [
        lambda: stats.mean(np.array(scores)),
        lambda: stats.interquartile_mean(np.array(scores)),
        lambda: stats.bootstrap_interval([np.array(scores)], stats.mean, rng=rng()),
        lambda: stats.mean_interval([scores], rng=rng()),
        lambda: stats.probability_of_improvement([scores], [[0.0]]),
        lambda: stats.paired_difference([scores], [[0.0] * 3], rng=rng()),
        lambda: stats.sign_flip_p_value(scores),
        lambda: stats.holm([0.5, bad]),
        lambda: stats.performance_profile([scores], [0.5], rng=rng()),
        lambda: stats.rate_interval([scores], rng=rng()),
        lambda: stats.mid_ranks(np.array(scores)),
        lambda: stats.steps_to_threshold(scores, [True] * 3, horizon=2, rng=rng()),
    ]
    for refused in refusals:
        with pytest.raises(ValueError, match="finite"):
            refused()


def test_equal_weights_give_each_world_the_same_say():
    # World 1 has the scores 0 and 0, world 2 only 9: runs weigh 1/4, 1/4 and 1/2.
    weights = stats.equal_weights([2, 1])
    np.testing.assert_array_equal(weights, [0.25, 0.25, 0.5])
    scores = np.array([0.0, 0, 9])
    assert stats.mean(scores, -1, weights) == 4.5
    assert stats.median(scores, -1, weights) == 4.5
    # A quarter of the weight is dropped at each end: one 0, and half of the 9. (0 * 1/4 + 9 * 1/4) / (1/2).
    assert stats.interquartile_mean(scores, -1, weights) == 4.5
    # Of five runs, 1.25 at each end: (0.75 * 1 + 2 + 0.75 * 9) / 2.5.
    five = np.array([9.0, 0, 1, 2, 99])
    assert stats.interquartile_mean(five, -1, np.full(5, 0.2)) == pytest.approx((0.75 + 2 + 6.75) / 2.5)


@settings(deadline=None)
@given(hnp.arrays(float, st.integers(1, 20), elements=st.floats(-100, 100)))
def test_weights_that_are_equal_change_nothing(scores):
    weights = np.full(scores.size, 1 / scores.size)
    for estimate in (stats.mean, stats.median, stats.optimality_gap):
        assert estimate(scores, -1, weights) == pytest.approx(estimate(scores), abs=1e-9)
    fourfold = np.tile(scores, 4)
    whole = stats.interquartile_mean(fourfold)
    assert stats.interquartile_mean(scores, -1, weights) == pytest.approx(whole, abs=1e-9)


# --- Student's distribution ---------------------------------------------------------------------------------


def test_student_quantiles_by_hand():
    # One degree of freedom is Cauchy: tan(pi (0.975 - 1/2)). Two: t = (2p - 1) sqrt(2 / (4 p (1 - p))).
    assert stats.student_quantile(0.975, 1) == pytest.approx(math.tan(math.pi * 0.475))
    assert stats.student_quantile(0.9, 2) == pytest.approx(0.8 * math.sqrt(2 / (4 * 0.9 * 0.1)))
    assert stats.student_quantile(0.1, 2) == -stats.student_quantile(0.9, 2)
    with pytest.raises(ValueError, match="freedom"):
        stats.student_quantile(0.5, 0)


# --- the bootstrap ------------------------------------------------------------------------------------------


def test_percentile_interval_of_two_runs_is_exact():
    # Resampling {0, 1} twice gives means 0, 1/2, 1 with probability 1/4, 1/2, 1/4: the quantiles at 2.5 % and
    # 97.5 % are the ends.
    interval = stats.bootstrap_interval([np.array([0.0, 1.0])], stats.mean, rng=rng(), method="percentile")
    assert interval == stats.Interval(0.5, 0.0, 1.0)


def test_expanded_tails_are_those_of_students_interval():
    # Five runs: t = 2.776, made larger by sqrt(5/4): Phi(-3.104). Two worlds of five: 8 degrees of freedom, t = 2.306.
    assert stats.expanded_tail([5]) == pytest.approx(NormalDist().cdf(-2.776445 * math.sqrt(1.25)), rel=1e-4)
    assert stats.expanded_tail([5, 5]) == pytest.approx(NormalDist().cdf(-2.306004 * math.sqrt(1.25)), rel=1e-4)
    assert stats.expanded_tail([10_000]) == pytest.approx(0.025, rel=1e-2)


def test_a_single_run_has_no_interval():
    for found in (
        stats.bootstrap_interval([np.array([3.0])], stats.interquartile_mean, rng=rng()),
        stats.mean_interval([[3.0]], rng=rng()),
        stats.mean_interval([[3.0], [1.0, 5.0]], rng=rng()),
    ):
        assert found.estimate == 3.0
        assert not found.known
        assert math.isnan(found.high)


def test_equal_runs_allow_for_what_they_cant_rule_out():
    # Ten runs that all came to 1 on a scale of 0 to 1: 1 - 0.025^(1/10) = 30.8 % may come to 0, as Clopper and Pearson
    # have it for 10 of 10. The mean is then 0.692. Of the interquartile mean's half, 5.8 points: 0.883.
    ones, ends = [np.ones(10)], [(0.0, 1.0)]
    assert stats.unseen_share(10) == pytest.approx(0.3085, abs=1e-4)
    average = stats.mean_interval(ones, rng=rng(), ends=ends)
    assert (average.estimate, average.high) == (1.0, 1.0)
    assert average.low == pytest.approx(0.025**0.1)
    middle = stats.bootstrap_interval(ones, stats.interquartile_mean, rng=rng(), ends=ends)
    assert middle.low == pytest.approx(1 - (0.75 - 0.025**0.1) / 0.5)
    # Of three worlds one is so: the margin of the mean is a third of that, 0.1027.
    third = stats.mean_interval([np.ones(10), np.zeros(10), np.zeros(10)], rng=rng(), ends=[(0.0, 1.0), (0, 0), (0, 0)])
    assert third.estimate - third.low == pytest.approx((1 - 0.025**0.1) / 3)
    # Where nothing else is known, a point stays a point.
    assert stats.mean_interval(ones, rng=rng()) == stats.Interval(1.0, 1.0, 1.0)


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

    def average(runs, axis, weights):
        assert weights is None
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


def test_studentised_limits_follow_the_tail_and_contain_students_at_twice_the_level():
    # Right-skewed scores: the longer side is the right one, unlike that of a percentile bootstrap of the same scores.
    skewed = np.array([0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 1, 3, 9])
    found = stats.mean_interval([skewed], rng=rng())
    percentile = stats.bootstrap_interval([skewed], stats.mean, rng=rng(), method="percentile")
    assert found.high - found.estimate > 2 * (found.estimate - found.low)
    assert found.high > percentile.high + 1
    # Symmetric and many: Student's at 97.5 %, since each limit lies at half of the nominal tail.
    scores = rng(4).normal(size=200)
    error = scores.std(ddof=1) / math.sqrt(200)
    wide = stats.mean_interval([scores], rng=rng(), resamples=20_000)
    reach = stats.student_quantile(0.9875, 199) * error
    assert wide.high - wide.low == pytest.approx(2 * reach, rel=0.03)


def test_the_studentised_interval_of_a_mean_over_worlds_weighs_worlds():
    # Three runs at 0 and 1, five runs at 10: the mean of the worlds' means is 5.25, not 53/8.
    few, many = np.array([0.0, 0.5, 1.0]), np.array([9.0, 10, 10, 10, 11])
    found = stats.mean_interval([few, many], rng=rng())
    assert found.estimate == pytest.approx((0.5 + 10) / 2)
    assert found.low < found.estimate < found.high


@pytest.mark.parametrize("runs", [5, 10])
@pytest.mark.parametrize("kind", ["normal", "lognormal"])
def test_nominal_intervals_hold(kind, runs):
    """What `interval_coverage.py` shows in full: 90 % at 5 runs and 92 % at 10, less what 400 trials may miss by."""
    source = rng(runs)
    scores = source.normal(size=(runs, 400))
    scores = np.exp(scores) if kind == "lognormal" else scores
    truths = {"normal": (0.0, 0.0), "lognormal": (math.exp(0.5), 1.0721)}[kind]
    bands = (
        stats.mean_band([scores], rng=source),
        stats.bootstrap_band([scores], stats.interquartile_mean, rng=source),
    )
    wanted = {5: 0.90, 10: 0.92}[runs] - 2 * math.sqrt(0.08 / 400)
    for band, truth in zip(bands, truths, strict=True):
        assert np.mean((band.low <= truth) & (truth <= band.high)) >= wanted
    percentile = stats.bootstrap_band([scores], stats.mean, rng=source, method="percentile")
    held, before = (np.mean((b.low <= truths[0]) & (truths[0] <= b.high)) for b in (bands[0], percentile))
    assert before < held - 0.03


def test_the_quoted_coverage_keeps_what_is_promised_and_names_what_does_not():
    # 90 % at 5 runs and 92 % at 10 and 20, but where some runs fail of which a sample may hold none; once by a hair.
    short = {
        (row.statistic, row.runs, kind)
        for runs, wanted in ((5, 0.90), (10, 0.92), (20, 0.92))
        for row in stats.measured_coverage(runs)
        for kind, share in row.shares.items()
        if share < wanted
    }
    assert short == {
        ("interquartile mean", 5, "three in ten fail"),
        ("mean", 5, "one in five fails"),
        ("mean", 5, "three in ten fail"),
        ("mean", 10, "one in five fails"),
        ("probability of improvement over 3 worlds", 5, "lognormal"),  # 89.7 %, within what 2,000 trials tell apart
    }
    assert stats.measured_coverage(7) == stats.measured_coverage(5)
    assert stats.measured_coverage(1)[0].runs == 3


def test_small_samples_are_flagged():
    assert "insufficient" in stats.sample_size_warning(FEWEST - 1)
    assert "few" in stats.sample_size_warning(9)
    assert "of the mean held the truth in" in stats.sample_size_warning(9)
    assert stats.sample_size_warning(10) is None


@pytest.mark.parametrize("strata", [[], [np.array([])], [np.array([1.0]), np.array([])]])
def test_bootstrap_refuses_empty_strata(strata):
    with pytest.raises(ValueError, match="at least one run"):
        stats.bootstrap_interval(strata, stats.mean, rng=rng())


# --- comparisons --------------------------------------------------------------------------------------------


def test_probability_of_improvement_by_hand():
    # pairs (x, y): (1,1) tie, (1,2) loss, (3,1) win, (3,2) win: (0.5 + 0 + 1 + 1) / 4.
    assert stats.probability_of_improvement([[1, 3]], [[1, 2]]).estimate == 0.625


def test_probability_of_improvement_averages_worlds_and_is_antisymmetric():
    first, second = [[1.0, 2.0], [0.0, 0.0, 5.0]], [[0.0], [1.0, 1.0]]
    # world 1: both beat 0: 1. world 2: only 5 beats 1: 1/3. mean 2/3.
    found = stats.probability_of_improvement(first, second)
    assert found.estimate == pytest.approx(2 / 3)
    other = stats.probability_of_improvement(second, first)
    assert (other.low, other.estimate) == pytest.approx((1 - found.high, 1 - found.estimate))


def test_probability_of_improvement_is_never_certain():
    # All of five runs win against all of five: Wilson's interval of 5 of 5, whose low end is 1 / (1 + z^2 / 5).
    z2 = NormalDist().inv_cdf(0.975) ** 2
    found = stats.probability_of_improvement([[5, 6, 7, 8, 9]], [[0, 1, 2, 3, 4]])
    assert (found.estimate, found.high) == (1.0, 1.0)
    assert found.low == pytest.approx(1 / (1 + z2 / 5))
    # In four such worlds the margin is halved: sqrt(4) / 4.
    four = stats.probability_of_improvement([[5, 6, 7, 8, 9]] * 4, [[0, 1, 2, 3, 4]] * 4)
    assert 1 - four.low == pytest.approx((1 - found.low) / 2)


@pytest.mark.parametrize("runs", [5, 10, 20])
def test_probability_of_improvement_is_covered_where_the_truth_is_near_one(runs):
    # X ~ N(2, 1), Y ~ N(0, 1): P(X > Y) = Phi(2 / sqrt(2)) = 0.921.
    truth, source, hits = NormalDist().cdf(math.sqrt(2)), rng(runs), 0
    for _ in range(400):
        found = stats.probability_of_improvement([source.normal(2, 1, runs)], [source.normal(0, 1, runs)])
        hits += found.low <= truth <= found.high
    assert hits / 400 >= 0.95


def test_probability_of_improvement_needs_the_same_worlds():
    with pytest.raises(ValueError, match="same worlds"):
        stats.probability_of_improvement([[1.0]], [[1.0], [2.0]])


def test_average_intervals_by_hand():
    # Margins 0.3 and 0.4 below: sqrt(0.09 + 0.16) / 2 = 0.25; 0 and 0.6 above: 0.3.
    found = stats.average_intervals([stats.Interval(1, 0.7, 1), stats.Interval(0, -0.4, 0.6)])
    assert (found.estimate, found.low, found.high) == pytest.approx((0.5, 0.25, 0.8))


def test_sign_flip_p_value_by_hand():
    # |1 + 2 + 3| = 6: of 8 patterns only + + + and - - - reach 6: 2/8.
    assert stats.sign_flip_p_value([1, 2, 3]) == 0.25
    # |1 + 2 - 3| = 0: every pattern reaches it.
    assert stats.sign_flip_p_value([1, 2, -3]) == 1.0
    # |3 + 4 - 1| = 6: sums of (+-1 +-3 +-4) with |s| >= 6: 8, -8, 6, -6: 4/8.
    assert stats.sign_flip_p_value([-1, 3, 4]) == 0.5


@settings(max_examples=30, deadline=None)
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


def test_paired_differences_weigh_worlds_and_not_pairs():
    # World 1: two pairs, +4 and +4; world 2: six pairs of -1: (4 - 1) / 2, not (8 - 6) / 8.
    ours = [np.array([4.0, 4]), np.full(6, -1.0)]
    found = stats.paired_difference(ours, [np.zeros(2), np.zeros(6)], rng=rng())
    assert found.difference.estimate == 1.5
    # |2 + 2 - 6/6| = 3 in units of a world: of 2^8 patterns only those with both +4 and at most ... reach it.
    signs = np.array(list(itertools.product((1, -1), repeat=8)))
    sums = np.abs(signs @ np.array([2.0, 2, *[-1 / 6] * 6]))
    assert found.p_value == pytest.approx(np.mean(sums >= 3 - 1e-9))


def test_no_direction_is_claimed_from_four_pairs():
    four = stats.paired_difference([np.array([5.0, 5.1, 5.2, 5.3])], [np.zeros(4)], rng=rng())
    five = stats.paired_difference([np.array([5.0, 5.1, 5.2, 5.3, 5.4])], [np.zeros(5)], rng=rng())
    assert four.difference.low > 0
    assert (four.direction, five.direction) == (0, 1)
    assert stats.paired_difference([-np.arange(5.0, 10)], [np.zeros(5)], rng=rng()).direction == -1


def test_holm_by_hand():
    # sorted 0.01, 0.03, 0.04: times 3, 2, 1 = 0.03, 0.06, 0.04; running maximum 0.03, 0.06, 0.06.
    np.testing.assert_allclose(stats.holm([0.04, 0.01, 0.03]), [0.06, 0.03, 0.06])
    np.testing.assert_array_equal(stats.holm([0.9, 0.8]), [1.0, 1.0])
    assert stats.holm([]).size == 0
    with pytest.raises(ValueError, match="in \\[0, 1\\]"):
        stats.holm([1.5])


def test_equals_share_the_mean_of_their_places():
    # Three equal methods are all second; rounding does not part them: 0.1 + 0.2 is 0.3.
    np.testing.assert_array_equal(stats.mid_ranks(np.array([0.1 + 0.2, 0.3, 0.3])), [2, 2, 2])
    np.testing.assert_array_equal(stats.mid_ranks(np.array([1.0, 5, 5, 0])), [3, 1.5, 1.5, 4])
    same = np.full((3, 100), 7.0)
    assert stats.rank_intervals([7.0, 7.0, 7.0], same, 0.025) == [stats.Interval(2, 2, 2)] * 3


# --- profiles, proportions, thresholds ----------------------------------------------------------------------


def test_performance_profile_by_hand():
    # world 1: scores 0, 1; world 2: score 0.5. At tau = 0: (1/2 + 1)/2; at 0.5 (strictly above): (1/2 + 0)/2.
    band = stats.performance_profile([[0.0, 1.0], [0.5]], [-1, 0, 0.5, 1], rng=rng())
    np.testing.assert_array_equal(band.estimate, [1, 0.75, 0.25, 0])
    assert (band.low <= band.estimate).all()
    assert (band.estimate <= band.high).all()
    # Above -1 are all runs of both worlds: the band still has a width below.
    assert band.high[0] == 1
    assert band.low[0] < 0.7


def test_rates_of_zero_and_one_have_the_interval_of_clopper_and_pearson():
    # 5 of 5: low = 0.025^(1/5) = 0.4782. 9 of 10: [0.5550, 0.9975], the quantiles of Beta(9, 2) and Beta(10, 1).
    five = stats.rate_interval([np.ones(5)], rng=rng(), resamples=200_000)
    assert (five.estimate, five.high) == (1.0, 1.0)
    assert five.low == pytest.approx(0.025**0.2, abs=2e-3)
    nine = stats.rate_interval([np.array([0.0] + [1.0] * 9)], rng=rng(), resamples=200_000)
    assert (nine.low, nine.high) == pytest.approx((0.5550, 0.975**0.1), abs=3e-3)
    # Rates that vary less than coins of the same mean are known better: 0.5 of ten coins is [0.187, 0.813].
    steady = stats.rate_interval([np.linspace(0.45, 0.55, 10)], rng=rng())
    assert 0.187 < steady.low < 0.45
    assert 0.55 < steady.high < 0.813
    with pytest.raises(ValueError, match="rates must be in"):
        stats.rate_interval([[0.5, 1.5]], rng=rng())


def test_rates_over_worlds_weigh_worlds():
    # One run that failed, three that succeeded: a half, not three quarters.
    assert stats.rate_interval([[0.0], [1.0, 1, 1]], rng=rng()).estimate == 0.5


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


@settings(deadline=None)
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
    # Three runs that never get there leave 1 - 0.025^(1/3) = 70.8 % that may get there at once: 0.292 * 50 = 14.6.
    assert (result.restricted_mean.estimate, result.restricted_mean.high) == (50.0, 50.0)
    assert result.restricted_mean.low == pytest.approx(50 * 0.025 ** (1 / 3), rel=0.1)


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
    assert stats.probability_of_improvement([x], [y]).estimate == pytest.approx(u / 99)
    wilson = scipy_stats.binomtest(7, 9).proportion_ci(method="wilson")
    assert (stats.wilson(7, 9).low, stats.wilson(7, 9).high) == pytest.approx((wilson.low, wilson.high))
    for level, freedom in itertools.product((0.6, 0.975, 0.9999), (1, 2, 3, 4, 9, 10, 57)):
        assert stats.student_quantile(level, freedom) == pytest.approx(scipy_stats.t.ppf(level, freedom))
    exact = scipy_stats.binomtest(7, 9).proportion_ci(method="exact")
    found = stats.rate_interval([[1.0] * 7 + [0.0] * 2], rng=rng(), resamples=200_000)
    assert (found.low, found.high) == pytest.approx((exact.low, exact.high), abs=3e-3)


def test_against_rliable():
    metrics = pytest.importorskip("rliable.metrics")
    scores = rng(3).normal(size=(10, 4))
    assert stats.interquartile_mean(scores.ravel()) == pytest.approx(metrics.aggregate_iqm(scores))
    assert stats.optimality_gap(scores.ravel()) == pytest.approx(metrics.aggregate_optimality_gap(scores))
