"""Intervals for proportions near 0 and 1, where a bootstrap degenerates to a point."""

from __future__ import annotations

import math
from statistics import NormalDist

from potentia.study.statistics.bootstrap import Interval


def wilson(successes: float, trials: int, confidence: float = 0.95) -> Interval:
    """(p + z^2/2n -+ z sqrt(p(1-p)/n + z^2/4n^2)) / (1 + z^2/n): Wilson's score interval (Wilson 1927).

    With the run as the trial, `successes` is the sum of the runs' success rates. A rate in [0, 1] varies
    no more than a coin of the same mean, so the interval is then conservative; counting every episode as
    a trial would ignore that the episodes of a run share one policy.

    Args:
        successes: number of successes, from 0 to `trials`; may be fractional.
        trials: number of independent trials, at least 1.
        confidence: nominal coverage in (0, 1).

    Raises:
        ValueError: no trials, or successes outside [0, trials].
    """
    if trials < 1 or not 0 <= successes <= trials:
        raise ValueError(f"need 0 <= successes <= trials and trials >= 1, got {successes} of {trials}")
    z2 = NormalDist().inv_cdf((1 + confidence) / 2) ** 2
    rate = successes / trials
    centre = rate + z2 / (2 * trials)
    half = math.sqrt(z2 * (rate * (1 - rate) / trials + z2 / (4 * trials**2)))
    scale = 1 + z2 / trials
    # In exact arithmetic 0 <= low <= rate <= high <= 1; rounding may miss that by an ulp.
    low = min(max((centre - half) / scale, 0.0), rate)
    high = max(min((centre + half) / scale, 1.0), rate)
    return Interval(rate, low, high)
