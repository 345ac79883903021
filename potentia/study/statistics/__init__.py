"""Statistics for few runs: estimates, intervals and comparisons, seeded and vectorised, on plain numpy."""

from potentia.study.statistics.bootstrap import (
    bootstrap_band,
    bootstrap_interval,
    expanded_tail,
    replicate,
    resample_runs,
)
from potentia.study.statistics.compare import (
    PairedComparison,
    holm,
    paired_difference,
    probability_of_improvement,
    sign_flip_p_value,
)
from potentia.study.statistics.coverage import Coverage, measured_coverage, sample_size_warning
from potentia.study.statistics.estimates import (
    average_over_training,
    equal_weights,
    interquartile_mean,
    mean,
    median,
    normalise,
    optimality_gap,
)
from potentia.study.statistics.intervals import Band, Interval, average_intervals, unseen_share
from potentia.study.statistics.means import mean_band, mean_interval
from potentia.study.statistics.profiles import performance_profile
from potentia.study.statistics.ranks import mid_ranks, rank_intervals
from potentia.study.statistics.shares import rate_band, rate_interval, wilson
from potentia.study.statistics.student import student_quantile
from potentia.study.statistics.thresholds import (
    StepsToThreshold,
    first_crossing,
    kaplan_meier,
    steps_to_threshold,
)

__all__ = [
    "Band",
    "Coverage",
    "Interval",
    "PairedComparison",
    "StepsToThreshold",
    "average_intervals",
    "average_over_training",
    "bootstrap_band",
    "bootstrap_interval",
    "equal_weights",
    "expanded_tail",
    "first_crossing",
    "holm",
    "interquartile_mean",
    "kaplan_meier",
    "mean",
    "mean_band",
    "mean_interval",
    "measured_coverage",
    "median",
    "mid_ranks",
    "normalise",
    "optimality_gap",
    "paired_difference",
    "performance_profile",
    "probability_of_improvement",
    "rank_intervals",
    "rate_band",
    "rate_interval",
    "replicate",
    "resample_runs",
    "sample_size_warning",
    "sign_flip_p_value",
    "steps_to_threshold",
    "student_quantile",
    "unseen_share",
    "wilson",
]
