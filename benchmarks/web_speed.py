"""Web worlds beside BrowserGym and MiniWoB++'s own Selenium environment, in one run: the same acts on the same pages.

``python benchmarks/web_speed.py --browsergym-python PYTHON --selenium-python PYTHON`` prints Markdown tables; PYTHON is
the interpreter of an environment that has that peer, and either may be left out. Each contender is a process of its own
that does nothing until it is asked; a round asks for every row of the tables in turn, forwards and backwards by turns,
and each row opens its environment, plays an episode that is not counted, then whole episodes for ``--seconds``, and
closes it: nothing else runs meanwhile. Ratios are taken within a round; the tables have the medians over rounds.

An episode is the same everywhere: click-checkboxes: seven clicks on boxes, then Submit; enter-text: the goal's text
typed three times, then Submit; form-sequence-2: each of three radio buttons and the goal's number into each of three
boxes, then Submit. Times are those of ``step`` and ``reset`` alone; choosing the action is not counted, and of steps/s
neither is a step that ends its episode, since Selenium then observes nothing. Everybody's observation has the goal and
all elements with their boxes, ours also the page in words and a mask; BrowserGym always takes a screenshot. Run it on a
machine where nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

from potentia.envs.web.miniwob.pages import page_folder

PAGES = ("click-checkboxes", "enter-text", "form-sequence-2")
HERE = Path(__file__).parent / "web_peers"
HOW_TO = {
    "browsergym": "python -m venv browsergym && browsergym/bin/pip install browsergym-miniwob==0.14.3 setuptools",
    "selenium": "python -m venv selenium && selenium/bin/pip install miniwob==1.1.0 setuptools "
    "&& apt-get install --no-install-recommends chromium chromium-driver",
}


class Process:
    """A contender's process: takes jobs, gives numbers; one that ended is started again by the next job."""

    def __init__(self, name: str, python: str) -> None:
        self.name, self.python = name, python
        self._errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - as long as the process
        self._start()

    def _start(self) -> None:
        browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
        paths = {"MINIWOB_CHROME_BINARY": browser, "MINIWOB_CHROMEDRIVER": driver} if browser and driver else {}
        self._process = subprocess.Popen(
            [self.python, str(HERE / f"{self.name}_pages.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            env={**os.environ, **paths},  # type: ignore[arg-type]  # both are there
        )

    def ask(self, job: dict[str, Any], limit: float) -> dict[str, Any]:
        """What it measured, or ``{"error": why not}``."""
        if self._process.poll() is not None:
            self._start()
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        timer = Timer(limit, process.kill)
        timer.start()
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            for line in process.stdout:
                if line.startswith("result "):
                    found: dict[str, Any] = json.loads(line.removeprefix("result "))
                    return found
        except BrokenPipeError:
            pass
        finally:
            in_time = timer.is_alive()
            timer.cancel()
        process.wait()
        self._errors.seek(0)
        lines = [line.strip() for line in self._errors if line.strip()] or [f"ended with {process.returncode}"]
        return {"error": lines[-1] if in_time else f"nothing within {limit:g} s"}

    def stop(self) -> None:
        """Ends it."""
        self._process.kill()
        self._process.communicate()


@dataclass(eq=False)
class Row:
    """What is measured of one contender on one page.

    Attributes:
        label: What the table calls it.
        contender: "potentia", "selenium" or "browsergym".
        page: A page of MiniWoB++, or "applications".
        settings: Of the contender.
        rounds: What was measured, by round.
        error: Why it can't be measured, if so.
    """

    label: str
    contender: str
    page: str
    settings: dict[str, Any]
    rounds: list[dict[str, float]] = field(default_factory=list)
    error: str = ""

    def measure(self, processes: dict[str, Process], common: dict[str, Any], limit: float) -> None:
        """Adds a round."""
        if self.error:
            return
        found = processes[self.contender].ask({**common, **self.settings, "page": self.page}, limit)
        if "error" in found:
            self.error = str(found["error"])
        else:
            self.rounds.append(found)

    def median(self, key: str) -> float:
        """Over the rounds."""
        return statistics.median(result[key] for result in self.rounds)

    def ratio(self, other: Row, key: str = "rate") -> float | None:
        """This one's number over another's, the median over rounds; None if either can't be measured."""
        if self.error or other.error:
            return None
        return statistics.median(x[key] / y[key] for x, y in zip(self.rounds, other.rounds, strict=True))


OURS: dict[str, Any] = {"backend": "cdp", "events": "trusted", "screenshot": False, "worlds": 1, "fresh": False}
BASE = "Potentia cdp"
VECTOR = "Potentia cdp, 8 contexts"
PLAYWRIGHT = "Potentia playwright"
SELENIUM = "MiniWoB++ Selenium"
DEFAULT = "BrowserGym, defaults"
TUNED = "BrowserGym, tuned"
LAYOUT: dict[str, tuple[str, dict[str, Any]]] = {
    BASE: ("potentia", {}),
    f"{BASE}, scripted": ("potentia", {"events": "scripted"}),
    f"{BASE}, screenshot": ("potentia", {"screenshot": True}),
    f"{BASE}, always a fresh load": ("potentia", {"fresh": True}),
    VECTOR: ("potentia", {"worlds": 8}),
    f"{VECTOR}, scripted": ("potentia", {"worlds": 8, "events": "scripted"}),
    PLAYWRIGHT: ("potentia", {"backend": "playwright"}),
    f"{PLAYWRIGHT}, scripted": ("potentia", {"backend": "playwright", "events": "scripted"}),
    f"{PLAYWRIGHT}, screenshot": ("potentia", {"backend": "playwright", "screenshot": True}),
    f"{PLAYWRIGHT}, 8 contexts": ("potentia", {"backend": "playwright", "worlds": 8}),
    SELENIUM: ("selenium", {"screenshot": False}),
    f"{SELENIUM}, screenshot": ("selenium", {"screenshot": True}),
    DEFAULT: ("browsergym", {"tuned": False}),
    TUNED: ("browsergym", {"tuned": True}),
}
"""Every row on a page: whose it is, and its settings."""


def rows(contenders: set[str], pages: list[str]) -> list[Row]:
    """What is measured."""
    chromium = shutil.which("chromium") or ""
    shell = shutil.which("chromium-headless-shell") or chromium
    found = []
    for page in pages:
        for label, (contender, settings) in LAYOUT.items():
            own = {**OURS, **settings} if contender == "potentia" else {**settings}
            if contender == "browsergym":
                own["browser"] = shell if settings["tuned"] else chromium
            found.append(Row(label, contender, page, own))
    backends = ("cdp", "playwright", "html")
    found += [Row(backend, "potentia", "applications", {**OURS, "backend": backend}) for backend in backends]
    return [row for row in found if row.contender in contenders]


def page_table(found: list[Row], page: str) -> list[str]:
    """The lines of a page's table."""
    base = next(row for row in found if row.page == page and row.label == BASE)
    lines = [f"\n| {page} | steps/s | reset ms | steps/s with resets | {BASE} / this |", "|---|---|---|---|---|"]
    for row in found:
        if row.page != page:
            continue
        if row.error:
            lines.append(f"| {row.label} | failed | – | – | {row.error.replace('|', '/')} |")
            continue
        ratio = base.ratio(row)
        shown = "–" if ratio is None else f"{ratio:.2f}x"
        numbers = [f"{row.median(key):.1f}" for key in ("rate", "reset_ms", "overall")]
        lines.append(f"| {row.label} | {' | '.join(numbers)} | {shown} |")
    return lines


def application_table(found: list[Row]) -> list[str]:
    """The lines of the applications' table."""
    lines = ["\n| applications | reset ms | step to another page, ms | other step, ms |", "|---|---|---|---|"]
    for row in found:
        if row.page == "applications":
            numbers = (
                [f"{row.median(key):.1f}" for key in ("reset_ms", "navigating_ms", "staying_ms")] if row.rounds else []
            )
            lines.append(f"| {row.label} | {' | '.join(numbers) or f'failed: {row.error}'} |")
    return lines


def goal_table(found: list[Row], pages: list[str]) -> list[str]:
    """The lines of the table of goals; of several pages the worst counts."""
    at = {(row.page, row.label): row for row in found}
    lines = ["\n| goal | wanted | measured | page |", "|---|---|---|---|"]

    def ratios(upper: str, lower: str) -> dict[str, float]:
        both = {page: (at[page, upper], at.get((page, lower))) for page in pages}
        values = {page: one.ratio(other) for page, (one, other) in both.items() if other is not None}
        return {page: value for page, value in values.items() if value is not None}

    def resets() -> dict[str, float]:
        return {page: at[page, BASE].median("reset_ms") for page in pages if at[page, BASE].rounds}

    def app_resets() -> dict[str, float]:
        row = at["applications", "cdp"]
        return {"applications": row.median("reset_ms")} if row.rounds else {}

    goals: list[tuple[str, str, float, Callable[[], dict[str, float]]]] = [
        (f"steps/s: {BASE} / {DEFAULT}", ">=", 50, lambda: ratios(BASE, DEFAULT)),
        (f"steps/s: {BASE} / {TUNED}", ">=", 10, lambda: ratios(BASE, TUNED)),
        (f"steps/s: {BASE} / {SELENIUM}", ">=", 5, lambda: ratios(BASE, SELENIUM)),
        (f"steps/s: {VECTOR} / one", ">=", 1.5, lambda: ratios(VECTOR, BASE)),
        (f"steps/s: {BASE} / {PLAYWRIGHT}", ">=", 2, lambda: ratios(BASE, PLAYWRIGHT)),
        ("reset in the page, ms", "<=", 10, resets),
        ("reset of an application, ms", "<=", 40, app_resets),
    ]
    for name, order, wanted, measured in goals:
        values = measured()
        if not values:
            lines.append(f"| {name} | {order} {wanted:g} | not measured | – |")
            continue
        page, worst = (min if order == ">=" else max)(values.items(), key=lambda pair: pair[1])
        met = worst >= wanted if order == ">=" else worst <= wanted
        lines.append(f"| {name} | {order} {wanted:g} | {worst:.2f}, {'met' if met else 'missed'} | {page} |")
    return lines


def interpreter(text: str) -> str:
    """A path that is one wherever the process runs."""
    return os.path.abspath(text) if os.sep in text else text


def main() -> None:
    """Measures all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for peer in HOW_TO:
        parser.add_argument(f"--{peer}-python", type=interpreter, metavar="PYTHON")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each row in a round, and at least one episode")
    parser.add_argument("--limit", type=float, default=180.0, help="seconds after which a row counts as failed")
    parser.add_argument("--page", choices=PAGES, action="append", help="measure this page alone; may be repeated")
    options = parser.parse_args()
    pythons = {"potentia": sys.executable}
    for peer, how in HOW_TO.items():
        if python := getattr(options, f"{peer}_python"):
            pythons[peer] = python
        else:
            print(f"{peer} is left out: to have it, {how}\nand give --{peer}-python {peer}/bin/python", file=sys.stderr)
    pages = options.page or list(PAGES)
    found = rows(set(pythons), pages)
    address = (page_folder() / "miniwob").as_uri() + "/"
    common = {"seconds": options.seconds, "episodes": 1, "pages": address}
    processes = {name: Process(name, python) for name, python in pythons.items()}
    try:
        for index in range(options.rounds):
            for row in found if index % 2 == 0 else reversed(found):
                print(f"round {index + 1} of {options.rounds}: {row.page}, {row.label}", file=sys.stderr)
                row.measure(processes, common, options.limit)
    finally:
        for process in processes.values():
            process.stop()
    for page in pages:
        print("\n".join(page_table(found, page)))
    print("\n".join([*application_table(found), *goal_table(found, pages)]))


if __name__ == "__main__":
    main()
