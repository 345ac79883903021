"""The figures of a report."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from potentia.study.report.analysis import Analysis
from potentia.study.report.cells import Cells, Method
from potentia.study.report.curves import Curve
from potentia.study.report.maps import map_figures
from potentia.study.report.reward_shares import Shares
from potentia.study.report.svg import COLOURS, Drawing, Sheet, line_style, sheet
from potentia.study.results import Anchors

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ENVIRONMENT_TERM = "#B8BDC6"
_SHADE, _FAINT = 0.16, 0.07
"""How dark bands are. Those of shares of few runs are wide and lie on each other."""


@dataclass(frozen=True)
class Figures:
    """All drawings of a report. A list is empty where there is nothing to draw."""

    returns: list[Drawing]
    success: list[Drawing]
    profiles: list[Drawing]
    shares: list[tuple[str, list[Drawing]]]
    terms: dict[str, str]
    gaps: list[Drawing]
    coverage: list[Drawing]
    maps: list[tuple[str, list[Drawing]]]


def draw_all(analysis: Analysis) -> Figures:
    """Draw every figure for which the study has data."""
    cells = analysis.cells
    styles, colours = method_styles(cells), term_colours(cells)
    returns, success, gaps, shares, coverage, maps = [], [], [], [], [], []
    for i, e in enumerate(cells.environments):
        of_world = {name: [c for c in curves if c.environment == e] for name, curves in analysis.curves.items()}
        anchors = cells.anchors[e]
        returns.append(curves_figure(f"return{i}", e, of_world["true return"], styles, "true return", anchors))
        success.append(curves_figure(f"success{i}", e, of_world["success rate"], styles, "success rate"))
        gaps.append(curves_figure(f"gap{i}", e, of_world["hacking gap"], styles, "gap"))
        coverage.append(curves_figure(f"coverage{i}", e, of_world["coverage"], styles, "coverage"))
        maps.append((e, map_figures(i, [own for own in analysis.maps if own.environment == e])))
        shares.append((e, _share_figures(i, [own for own in analysis.shares if own.environment == e], colours)))
    return Figures(
        returns=[drawing for drawing in returns if drawing],
        success=[drawing for drawing in success if drawing],
        profiles=_profile_figures(cells, analysis.curves["profile"], styles),
        shares=[(e, drawings) for e, drawings in shares if drawings],
        terms=colours,
        gaps=[drawing for drawing in gaps if drawing],
        coverage=[drawing for drawing in coverage if drawing],
        maps=[(e, drawings) for e, drawings in maps if drawings],
    )


def method_styles(cells: Cells) -> dict[Method, dict[str, Any]]:
    """One line style a method, the same in all figures. Colours are counted apart for baselines.

    Where searches are compared and none is shaped, they are no baselines of each other.
    """
    alike = all(method.baseline for method in cells.methods) and any(run.search for run in cells.study.runs)
    styles: dict[Method, dict[str, Any]] = {}
    for method in cells.methods:
        index = sum(other.baseline == method.baseline for other in styles)
        styles[method] = line_style(index, baseline=method.baseline and not alike)
    return styles


def term_colours(cells: Cells) -> dict[str, str]:
    """One colour a reward term, the same in all figures. The environment's own term is grey."""
    names = dict.fromkeys(name for run in cells.study.runs for name in run.training.shares)
    others = [name for name in names if name != "env"]
    return {"env": ENVIRONMENT_TERM} | {name: COLOURS[i % len(COLOURS)] for i, name in enumerate(others)}


def curves_figure(
    name: str,
    environment: str,
    curves: list[Curve],
    styles: dict[Method, dict[str, Any]],
    label: str,
    anchors: Anchors | None = None,
) -> Drawing | None:
    """The curves of one world. The result is None where there are none."""
    if not curves:
        return None
    ends = "; ".join(f"{c.method.label} ends at {c.band.estimate[-1]:.3g} ({c.runs} runs)" for c in curves)
    with sheet(name, environment, f"{label} over {_over(label)}. {ends}.") as page:
        draw_curves(page.axes, curves, styles, label)
        if anchors is not None:
            _anchor_lines(page, anchors)
    return page.drawing


def draw_curves(axes: Axes, curves: list[Curve], styles: dict[Method, dict[str, Any]], label: str) -> None:
    """Lines and bands over environment steps, with the axes' labels."""
    _draw(axes, curves, styles, shade=_FAINT if label == "success rate" else _SHADE)
    if label == "success rate":
        axes.set_ylim(-0.03, 1.03)
    if label == "gap":
        axes.axhline(0, color="#8A8F98", linewidth=0.8)
    axes.set(xlabel=_over(label), ylabel=label)
    axes.xaxis.set_major_formatter(lambda value, _: compact(value))
    axes.locator_params(axis="x", nbins=5)


def _over(label: str) -> str:
    return "evaluations" if label == "coverage" else "environment steps"


def _draw(axes: Axes, curves: list[Curve], styles: dict[Method, dict[str, Any]], shade: float) -> None:
    for curve in curves:
        style = styles[curve.method]
        axes.fill_between(curve.x, curve.band.low, curve.band.high, color=style["color"], alpha=shade, linewidth=0)
        # A single evaluation is a point. A line through it would be invisible.
        marker = "o" if curve.x.size == 1 else None
        axes.plot(
            curve.x,
            curve.band.estimate,
            linewidth=1.7,
            marker=marker,
            alpha=0.55 if curve.in_progress else 1.0,
            label=curve.method.label,
            **style,
        )


def _anchor_lines(page: Sheet, anchors: Anchors) -> None:
    for value, name in ((anchors.random, "random"), (anchors.optimal, "optimum")):
        if np.isfinite(value):
            page.axes.axhline(value, color="#30343B", linewidth=0.8, linestyle=(0, (1, 2)))
            page.axes.annotate(
                name,
                (1, value),
                xycoords=("axes fraction", "data"),
                xytext=(-2, 2),
                textcoords="offset points",
                ha="right",
                va="bottom",
                fontsize=7.5,
                color="#5A6069",
            )


def _profile_figures(cells: Cells, curves: list[Curve], styles: dict[Method, dict[str, Any]]) -> list[Drawing]:
    drawings = []
    for index, environment in enumerate(dict.fromkeys(curve.environment for curve in curves)):
        own = [curve for curve in curves if curve.environment == environment]
        title = environment or f"All {len(cells.comparable())} normalised worlds"
        halves = "; ".join(f"{c.method.label} {c.band.estimate[50]:.0%}" for c in own)
        with sheet(f"profile{index}", title, f"Share of runs above a score. Above 0.5: {halves}.") as page:
            _draw(page.axes, own, styles, _FAINT)
            page.axes.set(xlabel="normalised score τ", ylabel="share of runs above τ", ylim=(-0.03, 1.03))
        if page.drawing:
            drawings.append(page.drawing)
    return drawings


def _share_figures(index: int, found: list[Shares], colours: dict[str, str]) -> list[Drawing]:
    drawings = []
    for place, shares in enumerate(found):
        lasts = ", ".join(f"{name} {values[-1]:.0%}" for name, values in shares.terms.items())
        text = f"Share of the absolute reward of each term over training; at the end: {lasts}."
        with sheet(f"share{index}-{place}", shares.method.label, text, size=(2.9, 2.0)) as page:
            page.axes.stackplot(
                shares.steps,
                list(shares.terms.values()),
                colors=[colours[name] for name in shares.terms],
                linewidth=0,
            )
            page.axes.set(ylim=(0, 1), xlim=(shares.steps[0], max(shares.steps[-1], shares.steps[0] + 1)))
            page.axes.xaxis.set_major_formatter(lambda value, _: compact(value))
            page.axes.locator_params(axis="x", nbins=3)
            page.axes.yaxis.set_major_formatter(lambda value, _: f"{value:.0%}")
            page.axes.set_yticks([0, 0.5, 1])
        if page.drawing:
            drawings.append(page.drawing)
    return drawings


def compact(value: float) -> str:
    """Steps for an axis: 50000 is 50k, 2500000 is 2.5M."""
    for size, unit in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"
