"""What the environment asks of a task, whichever family it is of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from potentia.envs.web.elements import PageState
from potentia.envs.web.http import Request, Response

__all__ = ["Opening", "Verdict", "WebTask"]


@dataclass(frozen=True)
class Opening:
    """How an episode's page comes about.

    Attributes:
        url: The address to load.
        seed: Of the page's random numbers.
        script: JavaScript that runs once the page is there, or "" for none.
        soft: Whether, if the page is at that address already, the script alone makes it what a fresh load would.
        pace: Virtual milliseconds that a step takes. The usual animations end within the default.
    """

    url: str
    seed: int
    script: str = ""
    soft: bool = False
    pace: float = 600.0


@dataclass(frozen=True)
class Verdict:
    """What a step was worth."""

    reward: float = 0.0
    terminated: bool = False
    success: bool = False


class WebTask(Protocol):
    """A task, as `potentia.envs.web.WebEnv` plays it.

    Attributes:
        name: Its name.
        budget: The number of steps after which an episode is cut.
        viewport: Width and height of the page in CSS pixels.
        asks: Whether an answer ends it.
        clicks_anything: Whether any row may be worth a click: which elements listen can't be seen from outside.
        needs_browser: Whether its pages run scripts.
        probe: A JavaScript function whose result `judge` gets with each page, or "" for none.
        skip: A CSS selector of what is no part of the page, or "" for none.
        info_keys: The keys that `describe` knows.
        goal: This episode's goal in words.
        fields: This episode's candidate texts.
    """

    name: str
    budget: int
    viewport: tuple[int, int]
    asks: bool
    clicks_anything: bool
    needs_browser: bool
    probe: str
    skip: str
    info_keys: tuple[str, ...]
    goal: str
    fields: Sequence[str]

    @property
    def hosts(self) -> frozenset[str]:
        """The names of the hosts that the page may reach."""
        ...

    def handle(self, request: Request) -> Response:
        """Answers for those hosts."""
        ...

    def begin(self, seed: int, index: int) -> Opening:
        """Draws the episode ``index`` since the environment was seeded with ``seed``."""
        ...

    def judge(self, page: PageState, answer: str | None) -> Verdict:
        """What the step that led to this page, or gave this answer, was worth. It is called at the beginning too."""
        ...

    def describe(self, key: str, page: PageState) -> Any:
        """The value of a key of the info in the state reached."""
        ...

    def identity(self) -> Any:
        """What, beside the page, makes the state what it is. That enters the state's hash."""
        ...
