"""From numbers and drawings to the text of the HTML and Markdown reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from typing import Any

from potentia.study.report import formats
from potentia.study.report.analysis import Analysis
from potentia.study.report.bars import bar, swatch
from potentia.study.report.cells import CONFIDENCE, RESAMPLES
from potentia.study.report.figures import draw_all, method_styles
from potentia.study.report.hacking import FLAG, NEGLIGIBLE, WINDOW
from potentia.study.report.ranking import Ranking

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def html(analysis: Analysis) -> str:
    """The whole report as one page that needs nothing else."""
    from markupsafe import Markup  # noqa: PLC0415  comes with jinja2, an optional dependency

    figures = draw_all(analysis.cells)
    styles = method_styles(analysis.cells.methods)
    limits = {id(r): _limits(r) for r in _rankings(analysis)}
    differences = [row.comparison.difference for row in analysis.paired]
    reach = max((abs(x) for d in differences for x in (d.low, d.high)), default=1.0) or 1.0
    page: str = _template("report.html.j2", autoescape=True).render(
        **_shared(analysis),
        figures=figures,
        swatch=lambda method: Markup(swatch(styles[method])),
        bar=lambda value, method, ranking: Markup(bar(value, limits[id(ranking)], styles[method]["color"])),
        difference_bar=lambda value, method: Markup(
            bar(value, (-reach, reach), styles[method]["color"], reference=0.0)
        ),
        inline=lambda drawing: Markup(drawing.svg),
        css=Markup(_read("style.css")),
    )
    return page


def markdown(analysis: Analysis) -> str:
    """The tables of the report as Markdown."""
    text = _template("report.md.j2", autoescape=False).render(**_shared(analysis), cell=escape_markdown)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


def escape_markdown(value: object) -> str:
    """Text that is shown as it is in a Markdown table, whatever it contains."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(value).split()))


def headline_sentences(analysis: Analysis) -> list[str]:
    """What the data say, in words that follow from the intervals alone."""
    ranking = analysis.headline
    if ranking is None or not ranking.rows:
        return []
    best = ranking.rows[0]
    score = "normalised score" if ranking.normalised else "true return"
    sentences = [
        f"Highest interquartile mean of the final {score}: {best.method.label}, "
        f"{formats.both(best.iqm)} ({best.runs} runs a world)."
    ]
    rivals = [row.method.label for row in ranking.rows[1:] if row.rank.low <= best.rank.high]
    if rivals:
        sentences.append(f"Not separated from it by rank interval: {', '.join(rivals)}.")
    for wanted, verb in ((True, "better"), (False, "worse")):
        names = [
            row.method.label
            for row in analysis.paired
            if row.environment == ranking.environment
            and (row.comparison.difference.low > 0 if wanted else row.comparison.difference.high < 0)
        ]
        if names:
            sentences.append(f"Paired interval wholly {verb} than no shaping: {', '.join(names)}.")
    flagged = [f"{row.method.label} in {row.environment}" for row in analysis.hacking if row.suspected]
    if flagged:
        sentences.append(f"Reward hacking suspected: {', '.join(flagged)}.")
    return sentences


def _shared(analysis: Analysis) -> dict[str, Any]:
    """What both templates see."""
    runs = analysis.cells.study.runs
    formatters: dict[str, Callable[..., str]] = {
        name: getattr(formats, name)
        for name in ("number", "interval", "both", "steps", "p_value", "percent", "seconds")
    }
    return {
        **formatters,
        "a": analysis,
        "cells": analysis.cells,
        "study": analysis.cells.study,
        "sentences": headline_sentences(analysis),
        "rankings": _rankings(analysis),
        "confidence": f"{CONFIDENCE:.0%}".replace("%", " %"),
        "resamples": RESAMPLES,
        "window": f"{WINDOW:.0%}".replace("%", " %"),
        "negligible": f"{NEGLIGIBLE:.0%}".replace("%", " %"),
        "flag": FLAG,
        "horizons": {row.environment: row.steps.horizon for row in analysis.thresholds},
        "seeds": _span(run.seed for run in runs),
        "planned_steps": _span(run.planned_steps for run in runs),
        "eval_episodes": _span(run.evaluations.episodes for run in runs if run.evaluations.episodes),
        "missing": formats.MISSING,
    }


def _rankings(analysis: Analysis) -> list[Ranking]:
    overall = [analysis.overall] if analysis.overall is not None else []
    return [*overall, *analysis.rankings]


def _limits(ranking: Ranking) -> tuple[float, float]:
    """The range of a ranking's bars: all of its intervals, and 0 to 1 for normalised scores."""
    values = [x for row in ranking.rows for x in (row.iqm.low, row.iqm.high)]
    if ranking.normalised:
        values += [0.0, 1.0]
    return (min(values), max(values)) if values else (0.0, 1.0)


def _span(values: Iterable[int]) -> str:
    distinct = sorted(set(values))
    if len(distinct) > 2 and distinct == list(range(distinct[0], distinct[-1] + 1)):
        return f"{distinct[0]} to {distinct[-1]}"
    return ", ".join(f"{value:,}" for value in distinct)


def _template(name: str, *, autoescape: bool) -> Any:
    try:
        import jinja2  # noqa: PLC0415  an optional dependency
    except ImportError as error:
        raise ImportError("this needs the extra 'report': pip install 'potentia[report]'") from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("potentia.study.report"),
        autoescape=autoescape,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    return environment.get_template(name)


def _read(name: str) -> str:
    return files("potentia.study.report").joinpath("templates", name).read_text(encoding="utf-8")
