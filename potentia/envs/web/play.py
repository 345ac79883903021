"""One episode after another on one page: what `WebEnv` and `WebVectorEnv` have in common."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np

from potentia.envs.info_keys import flag, number, whole
from potentia.envs.text_space import well_formed
from potentia.envs.web.actions import View
from potentia.envs.web.browser.backend import Backend
from potentia.envs.web.browser.failure import PageFailure
from potentia.envs.web.elements import PageState, page_text
from potentia.envs.web.observation import Observer
from potentia.envs.web.task import Verdict, WebTask

__all__ = ["FREE_KEYS", "OFFERED_KEYS", "Play"]

FREE_KEYS = ("success", "goal", "response", "blocked", "failure", "action_error")
"""What costs nothing: what an info has unless it is asked for more."""
OFFERED_KEYS = ("caption", "state_hash", *FREE_KEYS)
"""What every task's info can have. A task adds keys of its own."""

_TRIES = 3
_NOTHING = PageState("about:blank", "", ())
Step = tuple[dict[str, Any], float, bool, bool, dict[str, Any]]


class Play:
    """A task, its page, and where the episode stands.

    Args:
        task: What is to be done.
        page: Where.
        observer: How it is seen.
        view: How actions are said.
        waits: Whether the page lives elsewhere, so that its methods wait.

    Attributes:
        keys: Of the info.
    """

    def __init__(self, task: WebTask, page: Backend, observer: Observer, view: View, *, waits: bool) -> None:
        self.task, self.page, self.observer, self.view, self.waits = task, page, observer, view, waits
        self.keys: tuple[str, ...] = ()
        self._seed: int | None = None
        self._episode = self._steps = 0
        self._state = _NOTHING
        self._error = self._failure = self._response = ""
        self._success = False

    @property
    def state(self) -> PageState:
        """The page as it was seen last."""
        return self._state

    async def reset(self, seed: int | None) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins the next episode, or with a seed the first one of that seed.

        A page that is lost at three tries, the last one in a fresh browser, is told in ``info``. Such an episode ends
        with its first step.

        Raises:
            PageFailure: If there is no browser to load the page in.
        """
        if seed is not None:
            self._seed, self._episode = seed, 0
        elif self._seed is None:
            self._seed = int(np.random.SeedSequence().generate_state(1)[0])
        else:
            self._episode += 1
        self._steps, self._error, self._failure, self._response, self._success = 0, "", "", "", False
        for left in range(_TRIES - 1, -1, -1):
            opened = False
            try:
                opening = self.task.begin(self._seed, self._episode)
                await self.page.open()
                opened = True
                async with self.page.limit():
                    await self.page.reset_page(opening)
                    await self._look()
                self.task.judge(self._state, None)
                break
            except PageFailure as failure:
                if not left:
                    if not opened:
                        raise
                    self._failure, self._state = failure.reason, _NOTHING
        return self.observer(self._state), self.info()

    async def step(self, action: Any) -> Step:
        """One action. An action that says nothing, or a page that is lost, is told in ``info``."""
        self._steps += 1
        self._error = ""
        self._response = well_formed(action) if isinstance(action, str) else ""
        verdict = Verdict()
        try:
            act = self.view.read(action, self.task.fields)
        except ValueError as error:
            self._error = str(error)
        else:
            answer = None
            try:
                async with self.page.limit():
                    if act.kind == "answer":
                        known = 0 <= act.row < len(self._state.elements)
                        answer = self._state.elements[act.row].name if known else act.text
                    else:
                        await self.page.act(act)
                    await self._look()
                verdict = self.task.judge(self._state, answer)
            except PageFailure as failure:
                self._failure = failure.reason
        self._success = verdict.success
        stopped = bool(self._failure) or self._steps >= self.task.budget
        truncated = stopped and not verdict.terminated
        return self.observer(self._state), verdict.reward, verdict.terminated, truncated, self.info()

    async def picture(self) -> np.ndarray[Any, Any]:
        """The viewport, ``(H, W, 3)`` uint8."""
        async with self.page.limit():
            shot = (await self.page.observe(screenshot=True)).screenshot
        assert shot is not None
        return shot

    async def _look(self) -> None:
        self._state = await self.page.observe(screenshot="screenshot" in self.observer.parts)

    def info(self) -> dict[str, Any]:
        """What is said of the page as it was seen last."""
        return {key: self._tell(key) for key in self.keys}

    def _tell(self, key: str) -> Any:  # noqa: PLR0911 - a table of what is computed only if it is asked for
        match key:
            case "caption":
                return page_text(self._state)
            case "state_hash":
                return whole(state_hash(self._state, self.task.identity()))
            case "goal":
                return self.task.goal
            case "response":
                return self._response
            case "success":
                return flag(self._success)
            case "blocked":
                return whole(self.page.blocked)
            case "failure":
                return self._failure
            case "action_error":
                return self._error
            case "potential":
                return number(self.task.describe(key, self._state))
            case _:
                return self.task.describe(key, self._state)


def state_hash(page: PageState, identity: Any) -> int:
    """An integer of 64 bits, the same in every process, of what is on a page and of the state behind it."""
    rows = [(row.role, row.name, row.value, sorted(row.flags - {"visible"})) for row in page.elements]
    digest = hashlib.blake2b(repr((page.url, rows, identity)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True)
