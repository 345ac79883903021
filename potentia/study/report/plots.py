"""Learning curves as a figure of matplotlib, as a report draws them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from potentia.study.report.cells import arrange
from potentia.study.report.curves import coverage_curves, return_curves, success_curves
from potentia.study.report.figures import draw_curves, method_styles
from potentia.study.report.svg import figure_style
from potentia.study.results import Results, load

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_CURVES = {"true return": return_curves, "success rate": success_curves, "coverage": coverage_curves}


def plot_curves(
    results: Results | str | Path, *, quantity: str = "true return", environments: list[str] | None = None
) -> Figure:
    """Draws a quantity over training, one panel a world, with the bands of the report.

    >>> plot_curves("quickstart", environments=["DeepSea"]).savefig("curves.pdf")  # doctest: +SKIP

    Args:
        results: what `load` gave, or what it takes: a folder, a file or a name.
        quantity: "true return" (interquartile mean), "success rate" or, of searches, "coverage" (means).
        environments: labels of worlds. The default is all of them.

    Raises:
        ImportError: the extra `report` is not installed.
        ValueError: an unknown quantity or world.
    """
    study = (results if isinstance(results, Results) else load(results)).study
    cells = arrange(study)
    worlds = list(cells.environments) if environments is None else environments
    unknown = [world for world in worlds if world not in cells.environments]
    if unknown or not worlds or quantity not in _CURVES:
        raise ValueError(
            f"wanted worlds of {', '.join(cells.environments) or 'none'} and a quantity of {', '.join(_CURVES)}, got "
            f"{', '.join(worlds) or 'no world'} and {quantity!r}"
        )
    styles = method_styles(cells)
    with figure_style() as new_figure:
        figure = new_figure(figsize=(4.4 * len(worlds), 3.4), layout="constrained")
        panels = figure.subplots(1, len(worlds), squeeze=False)[0]
        for panel, world in zip(panels, worlds, strict=True):
            draw_curves(panel, _CURVES[quantity](cells, world), styles, quantity)
            panel.set_title(world)
        figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=4, frameon=False)
    return figure
