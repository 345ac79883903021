"""Statistics for few runs: estimates, intervals and comparisons, seeded and vectorised, on plain numpy."""

from potentia.study.statistics.bootstrap import (
    Band,
    Interval,
    bootstrap_band,
    bootstrap_interval,
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
from potentia.study.statistics.estimates import (
    average_over_training,
    interquartile_mean,
    mean,
    median,
    normalise,
    optimality_gap,
    sample_size_warning,
)
from potentia.study.statistics.profiles import performance_profile
from potentia.study.statistics.proportions import wilson
from potentia.study.statistics.thresholds import (
    StepsToThreshold,
    first_crossing,
    kaplan_meier,
    steps_to_threshold,
)

__all__ = [
    "Band",
    "Interval",
    "PairedComparison",
    "StepsToThreshold",
    "average_over_training",
    "bootstrap_band",
    "bootstrap_interval",
    "first_crossing",
    "holm",
    "interquartile_mean",
    "kaplan_meier",
    "mean",
    "median",
    "normalise",
    "optimality_gap",
    "paired_difference",
    "performance_profile",
    "probability_of_improvement",
    "replicate",
    "resample_runs",
    "sample_size_warning",
    "sign_flip_p_value",
    "steps_to_threshold",
    "wilson",
]
