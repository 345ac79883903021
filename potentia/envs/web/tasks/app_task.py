"""A template as a task of the environment."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from potentia.envs.web.actions import write_text
from potentia.envs.web.elements import PageState
from potentia.envs.web.http import Request, Response
from potentia.envs.web.task import Opening, Verdict
from potentia.envs.web.tasks import TEMPLATES
from potentia.envs.web.tasks.episode import ITEM_KINDS, Episode, Item
from potentia.envs.web.tasks.template import Template

__all__ = ["CHECKLIST", "AppTask"]

CHECKLIST = 32
"""The length of the column ``checklist``: items that there are, then -1."""


class AppTask:
    """An application task, judged from the database. It is a `potentia.envs.web.task.WebTask`.

    Args:
        template: A name in `potentia.envs.web.tasks.TEMPLATES`, or a template of one's own.
        noise: Rows of each kind beside the task's own, at least 3.

    Raises:
        ValueError: If there is no such task, or the noise is out of range.
    """

    viewport = (800, 720)
    clicks_anything = False
    needs_browser = False
    probe = skip = ""
    info_keys = ("potential", "subgoals", "reference", "checklist")

    def __init__(self, template: str | Template, noise: int = 8) -> None:
        if isinstance(template, str):
            if template not in TEMPLATES:
                raise ValueError(f"there is no task {template!r}; there are {', '.join(TEMPLATES)}")
            template = TEMPLATES[template]()
        if not 3 <= noise <= 20:
            raise ValueError(f"noise must be from 3 to 20 rows, got {noise}")
        self.template, self.name, self.noise = template, template.name, noise
        self.budget = self.template.budget
        self.asks = "question" in self.template.tags
        self.goal = ""
        self.fields: Sequence[str] = ()
        self._items: list[Item] = []
        self._events: set[str] = set()
        self._page: PageState | None = None
        self._success = False

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(f"{app.name}.test" for app in self.template.apps)

    def handle(self, request: Request) -> Response:
        return self.episode.world.handle(request)

    def begin(self, seed: int, index: int) -> Opening:
        self.episode = Episode(self.template, seed, index, self.noise)
        self.goal, self.fields = self.episode.goal, self.episode.fields
        self._page, self._success = None, False
        self._events = set()
        return Opening(self.episode.start, seed)

    def judge(self, page: PageState, answer: str | None) -> Verdict:
        success = self._success = self.episode.succeeds(answer)
        return Verdict(float(success), success or (self.asks and answer is not None), success)

    def describe(self, key: str, page: PageState) -> Any:
        if key == "potential":
            return 0.0 if self._success else self.episode.potential(page)
        if key == "reference":
            return self._reference(page)
        self._check(page)
        if key == "checklist":
            column = np.full(CHECKLIST, -1.0, np.float32)
            states = [item.state for item in self._items[:CHECKLIST]]
            column[: len(states)] = states
            return column
        return {kind: kind in self._events for kind in ITEM_KINDS}

    def _check(self, page: PageState) -> None:
        """Once for each page: what the items are, and which of them went up."""
        if page is self._page:
            return
        items = self.episode.checklist(page)
        pairs = zip(self._items, items, strict=True) if self._page is not None else ()
        self._events = {now.kind for before, now in pairs if before.state < now.state == 1.0}
        self._items, self._page = items, page

    def _reference(self, page: PageState) -> str:
        hint = self.episode.hint(page)
        if self._success or hint is None:
            return ""
        text = write_text(hint)
        box = page.elements[hint.row].box if hint.row >= 0 else (0, 0, 0, 0)
        return f"{text}\n[{list(box)}]" if any(box) else text

    def identity(self) -> Any:
        tables = self.episode.world.contents()
        return self.goal, [(table, sorted(map(repr, rows.elements()))) for table, rows in tables.items()]
