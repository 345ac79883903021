"""A live table of every run on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.table import Table
from rich.text import Text

from potentia.study.executor import Executor
from potentia.study.folder import RunFolder
from potentia.study.plan import RunConfig
from potentia.study.runner import StudyFolder

STYLES = {
    "completed": "green",
    "running": "bold cyan",
    "queued": "dim",
    "interrupted": "yellow",
    "failed": "bold red",
    "timeout": "red",
}
_SUMMARY_SECONDS, _SCREEN_SECONDS = 10.0, 1.0


@contextmanager
def shown(console: Console) -> Iterator[Callable[[StudyFolder, Executor], Callable[[], None]]]:
    """Gives what `run_study` takes as ``watch``."""
    if console.is_terminal:
        screens: list[_Screen] = []
        with Live(console=console, refresh_per_second=1, transient=False) as live:

            def watch(study: StudyFolder, executor: Executor) -> _Screen:
                screens.append(_Screen(live, study, executor))
                return screens[-1]

            yield watch
            for screen in screens:
                screen.draw()
    else:
        yield lambda study, executor: _Lines(console, study, executor)


class _Screen:
    """The live table, which looks at every run once a second, and at the end."""

    def __init__(self, live: Live, study: StudyFolder, executor: Executor) -> None:
        self._live, self._study, self._executor = live, study, executor
        self._last = -_SCREEN_SECONDS

    def __call__(self) -> None:
        if time.monotonic() - self._last >= _SCREEN_SECONDS:
            self.draw()

    def draw(self) -> None:
        """Shows what is so now."""
        self._last, study = time.monotonic(), self._study
        states, left = study.states(), time_left(study, self._executor)
        header = Text.assemble((study.study.name, "bold"), "  ", summary(states), left)
        self._live.update(Group(header, table(study.runs, self._live.console.height - 4)))


def summary(states: dict[str, int]) -> str:
    """The number of runs in each state, in words."""
    known = [f"{states[state]} {state}" for state in STYLES if states.get(state)]
    return f"{sum(states.values())} runs: {', '.join(known) or 'none'}"


def time_left(study: StudyFolder, executor: Executor) -> str:
    """``", about 5 min left"``: what is to be done, at the speed that each world had so far. ``""`` if unknown."""
    todo = {job.config.run_id for job in executor.todo}
    speeds: dict[str, list[float]] = {}
    remaining: list[tuple[str, int]] = []
    for config, folder in study.runs:
        status = folder.status()
        if rate := status.get("rate"):
            speeds.setdefault(config.environment.label, []).append(float(rate))
        if config.run_id in todo and status["state"] in ("running", "queued", "interrupted"):
            remaining.append((config.environment.label, config.steps - int(status.get("steps", 0))))
    known = [rate for rates in speeds.values() for rate in rates]
    if not known or not remaining:
        return ""
    mean = {world: sum(rates) / len(rates) for world, rates in speeds.items()}
    seconds = sum(steps / mean.get(world, sum(known) / len(known)) for world, steps in remaining)
    return f", about {duration(seconds / min(executor.jobs, len(remaining)))} left"


def duration(seconds: float) -> str:
    """Seconds in the unit that one would say: ``"40 s"``, ``"12 min"``, ``"3.5 h"``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def table(runs: list[tuple[RunConfig, RunFolder]], rows: int | None = None) -> Table:
    """Every run. If there is no room for all, those that run or went wrong come first."""
    order = ["running", "failed", "timeout", "interrupted", "queued", "completed"]
    entries = [(config, folder, folder.status()) for config, folder in runs]
    if rows is not None and len(entries) > rows:
        entries = sorted(entries, key=lambda entry: order.index(entry[2]["state"]))[: max(rows, 5)]
    grid = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("run", "world", "shaping", "learner", "seed", "state", "steps", "steps/s", "true return", "left"):
        grid.add_column(
            name, justify="right" if name in ("seed", "steps", "steps/s", "true return", "left") else "left"
        )
    for config, folder, status in entries:
        state, steps = status["state"], int(status.get("steps", 0))
        rate = status.get("rate")
        left = duration((config.steps - steps) / rate) if rate and state == "running" else ""
        found = status.get("return_mean")
        cells = (
            config.run_id,
            config.environment.label,
            config.shaping.name,
            config.learner.label,
            str(config.seed),
            Text(state, style=STYLES.get(state, "")),
            f"{steps:,}/{config.steps:,}",
            f"{rate:,.0f}" if rate and state == "running" else "",
            "" if found is None else f"{found:.3f}",
            str(status.get("error", left)) if state in ("failed", "timeout") else left,
        )
        # A label or an error may hold brackets, which are no markup.
        grid.add_row(*(Text(cell) if isinstance(cell, str) else cell for cell in cells))
        del folder
    return grid


class _Lines:
    """One line for each change of a run's state, and a summary now and then."""

    def __init__(self, console: Console, study: StudyFolder, executor: Executor) -> None:
        self._console, self._study, self._executor = console, study, executor
        self._known: dict[str, str] = {}
        self._last = 0.0

    def __call__(self) -> None:
        for config, folder in self._study.runs:
            status = folder.status()
            state = str(status["state"])
            if self._known.get(config.run_id, "queued") != state:
                error = f": {status['error']}" if "error" in status else ""
                self._print(f"{config.run_id} {config.label}: {state}{error}")
            self._known[config.run_id] = state
        if time.monotonic() - self._last > _SUMMARY_SECONDS:
            self._last = time.monotonic()
            self._print(summary(self._study.states()) + time_left(self._study, self._executor))

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)
