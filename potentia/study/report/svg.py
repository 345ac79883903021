"""Matplotlib figures as inline SVG that is deterministic, accessible and shares a page with others."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe and Ito's colours: apart for colour-blind readers and dark enough on white. Grey means no shaping.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#5D3A9B")
BASELINE = "#6B6B6B"
DASHES = ("solid", (0, (5, 1.6)), (0, (1.4, 1.4)), (0, (6, 1.5, 1.4, 1.5)))
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

_STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "potentia",
    "font.family": ["DejaVu Sans"],
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.edgecolor": "#8A8F98",
    "axes.linewidth": 0.8,
    "axes.labelcolor": "#30343B",
    "axes.titlesize": 9.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 8,
    "axes.grid": True,
    "axes.axisbelow": True,
    "grid.color": "#E6E8EB",
    "grid.linewidth": 0.7,
    "xtick.color": "#5A6069",
    "ytick.color": "#5A6069",
    "xtick.major.size": 3,
    "ytick.major.size": 0,
    "text.parse_math": False,
}


@dataclass(frozen=True)
class Drawing:
    """An SVG element with what a reader who cannot see it is told."""

    title: str
    svg: str


@dataclass
class Sheet:
    """A figure while it is drawn. `drawing` holds the SVG afterwards."""

    figure: Figure
    axes: Axes
    drawing: Drawing | None = None


@contextmanager
def figure_style() -> Iterator[type[Figure]]:
    """The class of figures, in a block in which they are drawn in the report's style.

    Raises:
        ImportError: matplotlib is not installed.
    """
    try:
        import matplotlib as mpl  # noqa: PLC0415  an optional dependency
        from matplotlib.figure import Figure  # noqa: PLC0415
    except ImportError as error:
        raise ImportError("this needs the extra 'report': pip install 'potentia[report]'") from error
    with mpl.rc_context(_STYLE):
        yield Figure


@contextmanager
def sheet(name: str, title: str, description: str, size: tuple[float, float] = (4.4, 2.9)) -> Iterator[Sheet]:
    """Draw one set of axes and turn it into an SVG element.

    Args:
        name: identifier, unique on the page.
        title: heading, also the accessible name.
        description: what the figure shows, for screen readers.
        size: inches.

    Raises:
        ImportError: matplotlib is not installed.
    """
    with figure_style() as new_figure:
        figure = new_figure(figsize=size, layout="constrained")
        page = Sheet(figure, figure.add_subplot())
        page.axes.set_title(shortened(title, int(size[0] * 10)))
        yield page
        text = io.StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    page.drawing = Drawing(title, inline(text.getvalue(), name, title, description))


def inline(svg: str, name: str, title: str, description: str) -> str:
    """An SVG file as an element of an HTML page: unique ids, the page's font, a text alternative."""
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    body = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', body)
    body = re.sub(r'"#([^"]+)"', rf'"#{name}-\1"', body)
    body = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", body)
    body = re.sub(r"'DejaVu Sans'[^;\"]*", FONT.replace('"', "'"), body)
    box = re.search(r'viewBox="[^"]+"', body)
    label = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" class="figure" '
        f'{box.group() if box else ""} role="img" aria-labelledby="{name}-title {name}-description">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-description">{escape(description)}</desc>'
    )
    return label + body[body.index(">") + 1 :].strip()


def line_style(index: int, *, baseline: bool) -> dict[str, Any]:
    """Colour and dashes of the method at a place in the study: colours repeat only with other dashes."""
    if baseline:
        return {"color": BASELINE, "linestyle": DASHES[1 + index % 3] if index else DASHES[1]}
    return {
        "color": COLOURS[index % len(COLOURS)],
        "linestyle": DASHES[(index // len(COLOURS)) % len(DASHES)],
    }


def shortened(text: str, limit: int) -> str:
    """Text cut to a number of characters with an ellipsis."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
