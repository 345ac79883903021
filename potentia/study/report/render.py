"""From numbers and drawings to the text of the HTML and Markdown reports."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from importlib.resources import files
from math import isfinite
from typing import Any

from potentia.study.report import formats
from potentia.study.report.analysis import Analysis
from potentia.study.report.bars import bar, swatch
from potentia.study.report.cells import CONFIDENCE, RESAMPLES
from potentia.study.report.certificates import certificate_notes
from potentia.study.report.figures import draw_all, method_styles
from potentia.study.report.hacking import FLAG, NEGLIGIBLE, WINDOW
from potentia.study.report.headlines import headline_sentences
from potentia.study.report.ranking import Ranking
from potentia.study.report.states import smallest_cell
from potentia.study.statistics import measured_coverage
from potentia.study.statistics.coverage import WORLDS, coverage_trials

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#])")


def html(analysis: Analysis) -> str:
    """The whole report as one page that needs nothing else."""
    from markupsafe import Markup  # noqa: PLC0415  comes with jinja2, an optional dependency

    figures = draw_all(analysis)
    styles = method_styles(analysis.cells)
    differences = [row.comparison.difference for row in analysis.paired]
    reach = max((abs(x) for d in differences for x in (d.estimate, d.low, d.high) if isfinite(x)), default=1.0) or 1.0
    page: str = _template("report.html.j2", autoescape=True).render(
        **_shared(analysis),
        figures=figures,
        swatch=lambda method: Markup(swatch(styles[method])),
        bar=lambda value, method, ranking: Markup(bar(value, ranking.limits, styles[method]["color"])),
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


def _shared(analysis: Analysis) -> dict[str, Any]:
    """What both templates see."""
    runs = analysis.cells.study.runs
    formatters: dict[str, Callable[..., str]] = {
        name: getattr(formats, name)
        for name in ("number", "interval", "both", "place", "steps", "p_value", "percent", "seconds")
    }
    return {
        **formatters,
        "a": analysis,
        "cells": analysis.cells,
        "study": analysis.cells.study,
        "certificate_notes": certificate_notes(analysis.certificates),
        "sentences": headline_sentences(analysis),
        "held": _held,
        "covered": lambda statistic, ranking: f" ({_held(statistic, ranking)})" if ranking.rows else "",
        "trials": coverage_trials(),
        "smallest": smallest_cell(analysis.cells),
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


def _held(statistic: str, ranking: Ranking) -> str:
    """How often such an interval held the truth at worst, from as few runs as this ranking has."""
    name = f"{statistic} over {WORLDS} worlds" if len(ranking.environments) > 1 else statistic
    rows = measured_coverage(ranking.fewest)
    found = [row.lowest for row in rows if row.statistic == name] or [
        row.lowest for row in rows if row.statistic == statistic
    ]
    return formats.percent(found[0], 0)


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
