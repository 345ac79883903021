"""What every contender of ``web_speed.py`` has in common: a process that answers jobs, and what is done on the pages.

It runs in the environments of the peers, so it needs the standard library only.
"""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any, Protocol


class ActionFailedError(RuntimeError):
    """An action of the script could not be done: the episode is not counted."""


class Driver(Protocol):
    """An environment on a page, seen alike whoever made it; handles are whatever the driver knows an element by.

    Attributes:
        worlds: How many pages one step is made on.
        goals: What is to be done on each of them.
    """

    worlds: int
    goals: list[str]

    def reset(self, seed: int) -> None:
        """Begins an episode."""

    def find(self, role: str) -> list[Any]:
        """Handles of all elements with a role: "checkbox", "radio", "textbox" or "button"."""

    def click(self, handle: Any) -> Any:
        """The action that presses an element."""

    def fill(self, handle: Any, texts: list[str]) -> Any:
        """The action that puts a text into a box, on each page its own."""

    def step(self, action: Any) -> bool:
        """Whether the episode ended.

        Raises:
            ActionFailedError: If the action could not be done.
        """

    def close(self) -> None:
        """Ends it."""


def click_checkboxes(driver: Driver) -> Iterator[Any]:
    """Seven clicks on the boxes in turn, then Submit."""
    for index in range(7):
        boxes = driver.find("checkbox")
        yield driver.click(boxes[index % len(boxes)])
    yield driver.click(driver.find("button")[0])


def enter_text(driver: Driver) -> Iterator[Any]:
    """The text of the goal, three times, then Submit."""
    texts = [re.findall('"(.*?)"', goal)[0] for goal in driver.goals]
    for _ in range(3):
        yield driver.fill(driver.find("textbox")[0], texts)
    yield driver.click(driver.find("button")[0])


def fill_form(driver: Driver) -> Iterator[Any]:
    """Each radio button, the number into each of the three boxes, then Submit: right or wrong, it ends the episode."""
    numbers = [re.findall('"(.*?)"', goal)[0] for goal in driver.goals]
    for index in range(3):
        yield driver.click(driver.find("radio")[index])
        yield driver.fill(driver.find("textbox")[index], numbers)
    yield driver.click(driver.find("button")[0])


SCRIPTS: dict[str, Callable[[Driver], Iterator[Any]]] = {
    "click-checkboxes": click_checkboxes,
    "enter-text": enter_text,
    "form-sequence-2": fill_form,
}


def measure(driver: Driver, page: str, seconds: float, episodes: int) -> dict[str, float]:
    """Steps a second, milliseconds of a reset, and steps a second with resets.

    The first is of all steps but those that end an episode, since not everybody observes what then is there. Over whole
    episodes, after one that is not counted, until ``seconds`` have passed and there were ``episodes``. Episodes with an
    action that failed, as happens to drivers that wait half a second at most, are not counted.
    """
    resets: list[float] = []
    steps: list[tuple[float, bool]] = []
    failed = 0
    begin = time.perf_counter()
    while len(resets) <= episodes or time.perf_counter() - begin < seconds:
        try:
            reset, stepping = episode(driver, page, len(resets) + failed)
        except ActionFailedError:
            failed += 1
            if failed > 10 * episodes:
                raise
            continue
        if not resets:
            begin, stepping = time.perf_counter(), []
        resets.append(reset)
        steps += stepping
    resets = resets[1:]
    going_on = [spent for spent, ended in steps if not ended]
    every = [spent for spent, _ in steps]
    return {
        "rate": driver.worlds * len(going_on) / sum(going_on),
        "reset_ms": 1e3 * sorted(resets)[len(resets) // 2],
        "overall": driver.worlds * len(every) / (sum(every) + sum(resets)),
        "failed": failed,
    }


def episode(driver: Driver, page: str, seed: int) -> tuple[float, list[tuple[float, bool]]]:
    """The seconds of the reset and of each step, and whether the step ended the episode.

    Raises:
        RuntimeError: If it does not end with its last action: the actions did not do what they should.
    """
    start = time.perf_counter()
    driver.reset(seed)
    reset = time.perf_counter() - start
    steps: list[tuple[float, bool]] = []
    ended = False
    for action in SCRIPTS[page](driver):
        if ended:
            raise RuntimeError(f"an episode of {page} ended before its last action")
        start = time.perf_counter()
        ended = driver.step(action)
        steps.append((time.perf_counter() - start, ended))
    if not ended:
        raise RuntimeError(f"an episode of {page} did not end with its last action")
    return reset, steps


def serve(do: Callable[[dict[str, Any]], dict[str, float]]) -> None:
    """Answers each line of input, a job, by a line ``result {...}``."""
    print("ready", flush=True)
    for line in sys.stdin:
        try:
            result: dict[str, Any] = do(json.loads(line))
        except Exception as error:
            result = {"error": f"{type(error).__name__}: {error}".splitlines()[0]}
        print("result", json.dumps(result), flush=True)


def serve_pages(make: Callable[[dict[str, Any]], Driver]) -> None:
    """Answers jobs on pages: each has an environment of its own, closed before the next begins."""

    def do(job: dict[str, Any]) -> dict[str, float]:
        driver = make(job)
        try:
            return measure(driver, job["page"], job["seconds"], job["episodes"])
        finally:
            driver.close()

    serve(do)
