"""Studies: environments x shapings x learners x seeds, run to the end and reported with honest statistics.

Results from Python: `load` gives the runs, curves and reward shares of a study as columns or data frames,
`plot_curves` draws them, `load_policy` gives what a run has learned, `write_report` and `compare` write reports.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from potentia.study.report import compare, write_report
    from potentia.study.report.plots import plot_curves
    from potentia.study.results import Results, load
    from potentia.study.trained import load_policy

__all__ = ["Results", "compare", "load", "load_policy", "plot_curves", "write_report"]

_HOMES = {
    "Results": "potentia.study.results",
    "compare": "potentia.study.report",
    "load": "potentia.study.results",
    "load_policy": "potentia.study.trained",
    "plot_curves": "potentia.study.report.plots",
    "write_report": "potentia.study.report",
}


def __getattr__(name: str) -> Any:
    """Public names are imported when they are first asked for: a study's worker needs none of them."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
