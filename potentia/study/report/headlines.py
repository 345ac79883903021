"""What the data say, in sentences that follow from the tables alone."""

from __future__ import annotations

from potentia.study.report import formats
from potentia.study.report.analysis import Analysis
from potentia.study.report.comparisons import PairedRow
from potentia.study.report.ranking import Ranking
from potentia.study.statistics.compare import FEWEST_PAIRS
from potentia.study.statistics.coverage import FEWEST


def headline_sentences(analysis: Analysis) -> list[str]:
    """Which method is best, what is separated from it, and what is wholly better or worse than no shaping.

    Nothing is claimed from fewer than five runs or pairs, and Holm's p-value stands with each claim.
    """
    ranking = analysis.headline
    if ranking is None or not ranking.rows:
        return []
    sentences = [_best(ranking), *_separation(ranking)]
    paired = [row for row in analysis.paired if row.environment == ranking.environment]
    for direction, word in ((1, "better"), (-1, "worse")):
        names = [_claim(row) for row in paired if row.comparison.direction == direction]
        if names:
            sentences.append(f"Paired interval wholly {word} than no shaping: {', '.join(names)}.")
    if paired and all(row.comparison.pairs < FEWEST_PAIRS for row in paired):
        sentences.append(f"Fewer than {FEWEST_PAIRS} pairs of seeds: no difference from no shaping is claimed.")
    flagged = [f"{row.method.label} in {row.environment}" for row in analysis.hacking if row.suspected]
    if flagged:
        sentences.append(f"Reward hacking suspected: {', '.join(flagged)}.")
    return sentences


def _best(ranking: Ranking) -> str:
    best, score = ranking.best, "normalised score" if ranking.normalised else "true return"
    names = " and ".join(row.method.label for row in best)
    runs = f"{best[0].runs} run{'' if best[0].runs == 1 else 's'} a world"
    equal = ", equal" if len(best) > 1 else ""
    return f"Highest interquartile mean of the final {score}: {names}{equal}, {formats.both(best[0].iqm)} ({runs})."


def _separation(ranking: Ranking) -> list[str]:
    few = [row.method.label for row in ranking.rows if row.runs < FEWEST]
    sentences = [f"Fewer than {FEWEST} runs, so no place is claimed for: {', '.join(few)}."] if few else []
    if ranking.best[0].runs >= FEWEST:
        reach = max(row.rank.high for row in ranking.best)
        rest = [row for row in ranking.rows if row not in ranking.best and row.runs >= FEWEST]
        rivals = [row.method.label for row in rest if row.rank.low <= reach]
        sentences += [f"Not separated from it by rank interval: {', '.join(rivals)}."] if rivals else []
    return sentences


def _claim(row: PairedRow) -> str:
    return f"{row.method.label} (p = {formats.p_value(row.adjusted_p)} after Holm, {row.comparison.pairs} pairs)"
