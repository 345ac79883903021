"""Maps of archives: the behaviour space in cells, each as good as the best policy that was kept there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from potentia.study.archive import ArchiveMap
from potentia.study.report.formats import number
from potentia.study.report.searches import MapOfArchive
from potentia.study.report.svg import Drawing, sheet
from potentia.study.statistics.estimates import Floats

if TYPE_CHECKING:
    from matplotlib.colors import Colormap

_WIDTH = 50
_COLOURS, _NOTHING = "viridis", "#ECEEF1"


def map_figures(index: int, maps: Sequence[MapOfArchive]) -> list[Drawing]:
    """One drawing a method of a world, all with the same colours and limits.

    Args:
        index: Of the world, for names that are unlike.
        maps: Those of the world.
    """
    if not maps:
        return []
    limits = _limits([found.archive for found in maps])
    grids = [best_by_cell(found.archive, limits) for found in maps]
    low, high = np.nanmin(grids), np.nanmax(grids)
    colours = _colours()
    drawings = []
    for place, (found, grid) in enumerate(zip(maps, grids, strict=True)):
        filled = np.isfinite(grid).mean()
        text = (
            f"The archive of seed {found.seed}: {found.archive.size} policies in {filled:.0%} of the cells, "
            f"the best with a return of {number(float(np.nanmax(grid)))}."
        )
        with sheet(f"map{index}-{place}", found.method.label, text, size=(2.9, 2.5)) as page:
            picture = page.axes.imshow(
                grid, origin="lower", extent=(*limits[0], *limits[1]), aspect="auto", interpolation="none",
                cmap=colours, vmin=low, vmax=high if high > low else low + 1,
            )  # fmt: skip
            page.axes.grid(visible=False)
            page.axes.locator_params(nbins=4)
            bar = page.figure.colorbar(picture, ax=page.axes, aspect=28, pad=0.02)
            if bar.solids is not None:
                bar.solids.set_rasterized(True)
            bar.outline.set_visible(False)
        if page.drawing:
            drawings.append(page.drawing)
    return drawings


def _colours() -> Colormap:
    """From dark for the least return to bright for the best, and grey where there is nothing."""
    from matplotlib import colormaps  # noqa: PLC0415  an optional dependency

    return colormaps[_COLOURS].with_extremes(bad=_NOTHING)


def best_by_cell(archive: ArchiveMap, limits: Floats) -> Floats:
    """``(50, 50)``: the best return in each cell, the first number of a descriptor to the right and the second up.

    NaN is where there is nothing. What lies outside the limits is in the nearest cell.

    Args:
        archive: Points of one number or more. Further numbers than two are not looked at.
        limits: ``(2, 2)``: the lowest and the highest value of both.
    """
    cells = []
    for points, (low, high) in zip(_plane(archive.descriptor, 0.5).T, limits, strict=True):
        cells.append(np.clip((points - low) / (high - low) * _WIDTH, 0, _WIDTH - 1).astype(int))
    grid = np.full((_WIDTH, _WIDTH), -np.inf)
    np.maximum.at(grid, (cells[1], cells[0]), archive.returns)
    return np.where(np.isfinite(grid), grid, np.nan)


def _limits(archives: Sequence[ArchiveMap]) -> Floats:
    """The known bounds, else those of all points."""
    known = next((archive.bounds for archive in archives if archive.bounds is not None), None)
    if known is not None:
        return _plane(known.T, np.array([[0.0], [1.0]])).T
    points = np.concatenate([_plane(archive.descriptor, 0.5) for archive in archives])
    low, high = points.min(axis=0), points.max(axis=0)
    return np.stack([low, np.where(high > low, high, low + 1)], axis=1)


def _plane(points: Floats, missing: float | Floats) -> Floats:
    """The first two numbers of points ``(n, d)``, the second of them ``missing`` where there is one only."""
    second = points[:, 1:2] if points.shape[1] > 1 else np.zeros((len(points), 1)) + missing
    return np.concatenate([points[:, :1], second], axis=1)
