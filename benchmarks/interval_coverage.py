"""How often nominal 95 % intervals of a report hold the truth: ``python benchmarks/interval_coverage.py [--write]``.

Each interval of `potentia.study.statistics` is computed as a report computes it, on data whose truth is known, and
counted. ``--write`` replaces the table that reports quote, `potentia/study/statistics/coverage.json`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from potentia.study import statistics as stats
from potentia.study.statistics import coverage as quoted
from potentia.study.statistics.coverage import WORLDS
from potentia.study.statistics.estimates import Floats, Statistic
from potentia.study.statistics.intervals import Band, allow_unseen

RUNS = (3, 5, 10, 20)
KINDS = (
    "normal",
    "lognormal",
    "two modes",
    "one in five fails",
    "three in ten fail",
    "0 or 1, p = 0.9",
    "0 or 1, p = 0.7",
)
_ROUND = 1e-9


def draw(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """Scores of one kind; their spread is about 1, or they are 0 or 1."""
    if kind == "normal":
        return rng.normal(size=shape)
    if kind == "lognormal":
        return np.exp(rng.normal(size=shape))
    if kind.startswith("0 or 1"):
        return (rng.random(shape) < float(kind[-3:])).astype(np.float64)
    share = {"two modes": 0.5, "one in five fails": 0.8, "three in ten fail": 0.7}[kind]
    return (rng.random(shape) < share) + rng.normal(0, 0.1, size=shape)


def rates(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """The same kinds as success rates, in [0, 1]."""
    scores = draw(kind, rng, shape)
    if kind == "normal":
        return np.clip(0.5 + 0.15 * scores, 0, 1)
    return np.clip(0.1 * scores if kind == "lognormal" else scores, 0, 1)


def steps(kind: str, rng: np.random.Generator, shape: tuple[int, ...]) -> Floats:
    """The same kinds as steps to a threshold, of which those beyond a horizon of 100 are censored there."""
    scores = draw(kind, rng, shape)
    if kind.startswith("0 or 1"):
        return np.where(scores > 0, 8.0, np.inf)
    if kind.endswith(("fails", "fail")):
        return np.where(scores > 0.5, 40 * scores, np.inf)
    scale = {"normal": (50, 15), "lognormal": (0, 30), "two modes": (20, 60)}[kind]
    return np.maximum(scale[0] + scale[1] * scores, 1.0)


Trials = Callable[[str, int, int, np.random.Generator], tuple[float, float]]
"""``(kind, runs, trials, rng)`` to the share of trials that hold the truth, and the mean width in spreads."""


def _counted(low: Floats, high: Floats, truth: float | Floats, spread: float) -> tuple[float, float]:
    held = (low <= truth + _ROUND) & (truth <= high + _ROUND)
    return float(np.mean(held)), float(np.mean(high - low)) / spread


def _population(kind: str, make: Callable[..., Floats] = draw) -> Floats:
    return make(kind, np.random.default_rng(99), (1_000_001,))


def _truth(kind: str, statistic: Statistic) -> float:
    """Exact where scores are 0 or 1, else from a million of them."""
    if kind.startswith("0 or 1"):
        share = round(1000 * float(kind[-3:]))
        return float(statistic(np.repeat([1.0, 0.0], [share, 1000 - share]), 0, None))
    return float(statistic(_population(kind), 0, None))


def _widened(band: Band, strata: list[Floats], statistic: Statistic, kind: str) -> tuple[Floats, Floats]:
    """What a report adds where all runs of a world are equal: the scale of the world, here 0 to 1."""
    low, high = band.low.copy(), band.high.copy()
    if kind.startswith("0 or 1"):
        for trial in range(len(low)):
            found = stats.Interval(*(float(part[trial]) for part in (band.estimate, low, high)))
            own = [values[:, trial] for values in strata]
            widened = allow_unseen(found, own, statistic, [(0.0, 1.0)] * len(strata), 0.95)
            low[trial], high[trial] = widened.low, widened.high
    return low, high


def of_statistic(statistic: Statistic, worlds: int = 1, method: str = "expanded") -> Trials:
    """Bootstrap intervals; all trials go through one call as if they were the steps of a curve."""

    def count(kind: str, runs: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
        strata = [draw(kind, rng, (runs, trials)) for _ in range(worlds)]
        band = stats.bootstrap_band(strata, statistic, rng=rng, method=method)
        low, high = _widened(band, strata, statistic, kind) if statistic is not stats.median else (band.low, band.high)
        if method == "percentile":
            low, high = band.low, band.high
        return _counted(low, high, _truth(kind, statistic), float(_population(kind).std()))

    return count


def of_mean(worlds: int = 1) -> Trials:
    """Studentised intervals of means, which are also those of mean differences."""

    def count(kind: str, runs: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
        strata = [draw(kind, rng, (runs, trials)) for _ in range(worlds)]
        low, high = _widened(stats.mean_band(strata, rng=rng), strata, stats.mean, kind)
        return _counted(low, high, _truth(kind, stats.mean), float(_population(kind).std()))

    return count


def of_rate(worlds: int = 1) -> Trials:
    """Intervals of success rates and profiles."""

    def count(kind: str, runs: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
        band = stats.rate_band([rates(kind, rng, (runs, trials)) for _ in range(worlds)], rng, 2000)
        population = _population(kind, rates)
        truth = _truth(kind, stats.mean) if kind.startswith("0 or 1") else float(population.mean())
        return _counted(band.low, band.high, truth, float(population.std()))

    return count


def of_improvement(worlds: int = 1) -> Trials:
    """P(X > Y) where it is about 0.92, by a shift; of zeros and ones against a method that solves three in ten."""

    def count(kind: str, runs: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
        binary, shift = kind.startswith("0 or 1"), {"normal": 2.0, "lognormal": 3.3}.get(kind, 0.9)
        other = "0 or 1, p = 0.3" if binary else kind
        x, y = (draw(k, np.random.default_rng(seed), (1_000_000,)) for seed, k in enumerate((kind, other)))
        above = x if binary else x + shift
        truth = float(np.mean(above > y) + np.mean(above == y) / 2)
        found = []
        for _ in range(trials):
            first = [draw(kind, rng, (runs,)) + (0 if binary else shift) for _ in range(worlds)]
            second = [draw(other, rng, (runs,)) for _ in range(worlds)]
            found.append(stats.probability_of_improvement(first, second))
        low, high = (np.array([getattr(value, side) for value in found]) for side in ("low", "high"))
        return _counted(low, high, truth, 1.0)

    return count


def of_steps(part: str) -> Trials:
    """Kaplan-Meier medians and restricted means."""

    def count(kind: str, runs: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
        population, horizon = _population(kind, steps), 100.0
        cut = np.minimum(population, horizon)
        truth = float(np.median(population)) if part == "median" else float(cut.mean())
        found = []
        for _ in range(trials):
            times = steps(kind, rng, (runs,))
            result = stats.steps_to_threshold(np.minimum(times, horizon), times <= horizon, horizon=horizon, rng=rng)
            found.append(getattr(result, part))
        low, high = (np.array([getattr(value, side) for value in found]) for side in ("low", "high"))
        held = float(np.mean((low <= truth + _ROUND) & (truth <= high + _ROUND)))
        return held, float(np.mean(np.minimum(high, horizon) - np.minimum(low, horizon)) / cut.std())

    return count


def of_rank(kind: str, runs: int, trials: int, rng: np.random.Generator) -> tuple[float, float]:
    """Places of three methods that lie half a unit apart (of zeros and ones: that solve 2, 3 and 4 in ten less)."""
    if kind.startswith("0 or 1"):
        share = float(kind[-3:])
        names = [f"0 or 1, p = {share - less:.1f}" for less in (0.4, 0.2, 0.0)]
        scores = [draw(name, rng, (runs, trials)) for name in names]
        order = np.argsort(np.argsort([-_truth(name, stats.interquartile_mean) for name in names])) + 1
    else:
        scores = [draw(kind, rng, (runs, trials)) + shift for shift in (0.0, 0.5, 1.0)]
        order = np.array([3, 2, 1])
    iqm = stats.interquartile_mean
    replicates = np.array([stats.replicate([own], iqm, resamples=2000, rng=rng) for own in scores])
    places = np.array([iqm(own, 0) for own in scores])
    tail = stats.expanded_tail([runs])
    found = [stats.rank_intervals(places[:, t], replicates[:, :, t], tail) for t in range(trials)]
    low, high = (np.array([[getattr(value, side) for value in own] for own in found]) for side in ("low", "high"))
    return _counted(low, high, order, 1.0)


REPORTED: dict[str, Trials] = {
    "interquartile mean": of_statistic(stats.interquartile_mean),
    "mean": of_mean(),
    "median": of_statistic(stats.median),
    "success rate": of_rate(),
    "probability of improvement": of_improvement(),
    "rank": of_rank,
    "median steps to threshold": of_steps("median"),
    "restricted mean steps": of_steps("restricted_mean"),
    f"interquartile mean over {WORLDS} worlds": of_statistic(stats.interquartile_mean, WORLDS),
    f"mean over {WORLDS} worlds": of_mean(WORLDS),
    f"success rate over {WORLDS} worlds": of_rate(WORLDS),
    f"probability of improvement over {WORLDS} worlds": of_improvement(WORLDS),
}
COMPARED: dict[str, Trials] = {
    "percentile bootstrap of the interquartile mean": of_statistic(stats.interquartile_mean, method="percentile"),
    "percentile bootstrap of the mean": of_statistic(stats.mean, method="percentile"),
}


def measure(trials: int, names: dict[str, Trials]) -> Iterator[tuple[str, int, dict[str, float], dict[str, float]]]:
    """The coverage and width of each interval, number of runs and kind of data."""
    for name, count in names.items():
        for runs in RUNS:
            held: dict[str, float] = {}
            width: dict[str, float] = {}
            for kind in KINDS:
                parts = []
                for start in range(0, trials, 250):  # 250 trials at once fit into a small machine's memory
                    rng = np.random.default_rng([runs, start, *name.encode(), *kind.encode()])
                    parts.append(count(kind, runs, min(250, trials - start), rng))
                held[kind], width[kind] = (float(np.mean([part[i] for part in parts])) for i in (0, 1))
            yield name, runs, held, width


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=1000, help="trials of each cell")
    parser.add_argument("--write", action="store_true", help="replace the table that reports quote")
    parser.add_argument("--only", default="", help="intervals whose name contains this")
    options = parser.parse_args()
    chosen = {name: count for name, count in (REPORTED | COMPARED).items() if options.only in name}
    start, rows = time.perf_counter(), []
    print(f"| interval | runs | {' | '.join(KINDS)} |\n|---|---|{'---|' * len(KINDS)}")
    for name, runs, held, width in measure(options.trials, chosen):
        cells = " | ".join(f"{100 * held[kind]:.1f} ({width[kind]:.2f})" for kind in KINDS)
        print(f"| {name} | {runs} | {cells} |", flush=True)
        if name in REPORTED:
            rows.append({"statistic": name, "runs": runs, "shares": {k: round(v, 3) for k, v in held.items()}})
    print(f"\n{options.trials} trials a cell, {time.perf_counter() - start:.0f} s")
    if options.write:
        text = json.dumps({"confidence": 0.95, "trials": options.trials, "rows": rows}, indent=1)
        Path(quoted.__file__).with_name("coverage.json").write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
