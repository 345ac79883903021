"""Our tasks as BrowserGym's."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from random import Random
from typing import Any

import gymnasium as gym
from playwright.sync_api import Error, Page

from potentia.envs.action_text import ActionCall, parse_action
from potentia.envs.web.browser.gate import Gate
from potentia.envs.web.browser.injected import Scripts, scripts_of
from potentia.envs.web.browser.page import read_row
from potentia.envs.web.browser.tab import refuses
from potentia.envs.web.elements import PageState
from potentia.envs.web.find_task import find_task

__all__ = ["PotentiaTask", "make"]

_ROWS = 256
_PATIENCE = 10.0
_WORLD = "potentia"


class _Reader:
    """The reader's world on a page, by its DevTools."""

    def __init__(self, page: Page, scripts: Scripts) -> None:
        self.refused = 0
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.on("Log.entryAdded", self._hear)
        self._send("Page.enable")
        self._frame = self._send("Page.getFrameTree")["frameTree"]["frame"]["id"]
        self._send("Log.enable")
        self._send("Page.addScriptToEvaluateOnNewDocument", source=scripts.reader, worldName=_WORLD)

    def evaluate(self, expression: str) -> Any:
        """The value of an expression in it.

        Raises:
            Error: If the page is being replaced, or the expression fails.
        """
        world = self._send("Page.createIsolatedWorld", frameId=self._frame, worldName=_WORLD)["executionContextId"]
        said = self._send("Runtime.evaluate", expression=expression, contextId=world, returnByValue=True)
        if "exceptionDetails" in said:
            raise Error(str(said["exceptionDetails"]))
        return said["result"].get("value")

    def _send(self, method: str, **parameters: Any) -> Any:
        return self._devtools.send(method, parameters)

    def _hear(self, event: Any) -> None:
        self.refused += refuses(event["entry"]["text"])


class PotentiaTask:
    """A task of `potentia.envs.web.TASKS` on a page of synchronous Playwright, as BrowserGym's ``AbstractBrowserTask``.

    The task does not need BrowserGym. Where BrowserGym is, `make` tells it that this is one of its tasks.

    The page's context must send everything to the task's own server, ``new_context(proxy=task.proxy)``, as `make`
    sees to: the server answers for the task's hosts and refuses all else. Time on the page is real. Random numbers
    are drawn as in `potentia.envs.web.WebEnv` with the same seed. A question is answered by a message to the user.

    Args:
        seed: Of the episode, or None to draw one.
        name: The task's name.
        options: Of the task.

    Attributes:
        viewport: What BrowserGym makes the page with, as the four that follow.
        slow_mo: Milliseconds between Playwright's actions: none.
        timeout: Milliseconds that Playwright waits for anything.
        locale: The browser's own.
        timezone_id: Likewise.

    Raises:
        ValueError: If there is no such task or option.
    """

    def __init__(self, seed: int | None, name: str, **options: Any) -> None:
        self.task = find_task(name, **options)
        width, height = self.task.viewport
        self.viewport = {"width": width, "height": height}
        self.slow_mo, self.timeout = 0, 5000
        self.locale = self.timezone_id = None
        self.opening = self.task.begin(Random().randrange(2**31) if seed is None else seed, 0)
        self.gate = Gate(self.task.handle, lambda: self.task.hosts)
        self._scripts = scripts_of(self.task)
        self._readers: dict[Page, _Reader] = {}

    @classmethod
    def get_task_id(cls) -> str:
        """The beginning of all their ids."""
        return "potentia"

    @property
    def proxy(self) -> dict[str, str]:
        """The option ``proxy`` of the browser context."""
        return {"server": f"http://{self.gate.address}", "bypass": "<-loopback>"}

    def setup(self, page: Page) -> tuple[str, dict[str, Any]]:
        """Opens the task's first page, and gives the goal and the first info.

        Raises:
            RuntimeError: If the page's context does not use the task's proxy.
        """
        seed = self.opening.seed & 0x7FFFFFFF
        self._reader(page)
        page.context.add_init_script(f"{self._scripts.page};__potentia.begin({seed}, 0)")
        try:
            page.goto(self.opening.url)
        except Error as error:
            raise RuntimeError(
                f"{self.opening.url} can't be reached: make the context with new_context(proxy=task.proxy)"
            ) from error
        if self.opening.script:
            page.evaluate(self.opening.script)
        state = self.see(page)
        self.task.judge(state, None)
        return self.task.goal, self._info(state, success=False)

    def validate(self, page: Page, chat_messages: list[Any]) -> tuple[float, bool, str, dict[str, Any]]:
        """Reward, whether it is over, no message, and info. An answer is the last message, if the agent sent it.

        Raises:
            RuntimeError: If the application failed.
        """
        if self.gate.errors:
            raise RuntimeError("the application failed while it answered a request") from self.gate.errors.pop()
        last: Mapping[str, str] = chat_messages[-1] if chat_messages else {}
        state = self.see(page)
        verdict = self.task.judge(state, last["message"] if last.get("role") == "assistant" else None)
        return verdict.reward, verdict.terminated, "", self._info(state, success=verdict.success)

    def teardown(self) -> None:
        """Stops the server."""
        self.gate.close()

    def cheat(self, page: Page, chat_messages: list[Any]) -> None:
        """Plays the reference solution from where the page is.

        Raises:
            NotImplementedError: If the task has none.
            RuntimeError: If an action does not bring it on.
        """
        if "reference" not in self.task.info_keys:
            raise NotImplementedError(f"{self.task.name} has no reference solution; the applications' tasks do")
        before: Any = None
        while True:
            text, left = self._await_next(page, before)
            if not text:
                return
            before = text, left
            call = parse_action(text.partition("\n")[0])  # the element's box follows on a line of its own
            if call.name == "answer":
                chat_messages.append({"role": "assistant", "timestamp": time.time(), "message": call.arguments[0]})
                return
            self._do(page, call)

    def see(self, page: Page) -> PageState:
        """The page as our own environment sees it, tried again while it is being replaced by another."""
        end = time.monotonic() + _PATIENCE
        while True:
            try:
                page.wait_for_load_state("domcontentloaded")
                told = self._reader(page).evaluate(f"window.__potentia ? __potentia.observe({_ROWS}) : null")
                break
            except Error:
                if page.is_closed() or time.monotonic() > end:
                    raise
                page.wait_for_timeout(10)
        if told is None:
            return PageState(page.url, "", ())
        url, title, rows, probed, *_ = json.loads(told)
        return PageState(url, title, [read_row(row) for row in rows], probed)

    def _reader(self, page: Page) -> _Reader:
        if page not in self._readers:
            self._readers[page] = _Reader(page, self._scripts)
        return self._readers[page]

    def _info(self, state: PageState, *, success: bool) -> dict[str, Any]:
        """BrowserGym's agents may log it as JSON, so no arrays."""
        blocked = self.gate.blocked + sum(reader.refused for reader in self._readers.values())
        return {"success": success, "potential": self.task.describe("potential", state), "blocked": blocked}

    def _await_next(self, page: Page, before: Any) -> tuple[str, float]:
        """The next action and the potential, once the last one has had its effect."""
        end = time.monotonic() + _PATIENCE
        while True:
            state = self.see(page)
            self.task.judge(state, None)
            now = str(self.task.describe("reference", state)), float(self.task.describe("potential", state))
            if now != before:
                return now
            if time.monotonic() > end:
                raise RuntimeError(f"{now[0]} did not bring {self.task.name} on within {_PATIENCE:g} s")
            page.wait_for_timeout(10)

    def _do(self, page: Page, call: ActionCall) -> None:
        row, reader = call.arguments[0], self._reader(page)
        if call.name == "fill":
            if reader.evaluate(f"__potentia.ready({row})") == "type":
                page.keyboard.insert_text(str(call.arguments[1]))
            else:
                reader.evaluate(f"__potentia.put({row}, {json.dumps(call.arguments[1])})")
        else:
            reader.evaluate(f"__potentia.press({row})")


def make(task: str, task_kwargs: Mapping[str, Any] | None = None, **options: Any) -> gym.Env[Any, str]:
    """A `BrowserEnv` on a task: the entry point of ``browsergym/potentia.<task>``.

    Args:
        task: A name in `potentia.envs.web.TASKS`.
        task_kwargs: Options of the task.
        options: Of `BrowserEnv`.

    Raises:
        ValueError: If there is no such task or option, or the context is given another proxy.
        ImportError: If BrowserGym is not installed.
    """
    try:
        from browsergym.core.env import BrowserEnv  # noqa: PLC0415 - an extra
        from browsergym.core.task import AbstractBrowserTask  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError("these ids need BrowserGym: pip install 'potentia[browsergym]'") from error
    AbstractBrowserTask.register(PotentiaTask)
    context = dict(options.pop("pw_context_kwargs", {}))
    if "proxy" in context:
        raise ValueError("pw_context_kwargs can't have a proxy: the task's own server is the proxy")

    def begin(seed: int | None, **given: Any) -> PotentiaTask:
        begun = PotentiaTask(seed, task, **given)
        # A task is made just before its context, and each has a server of its own.
        env.pw_context_kwargs = {"accept_downloads": False, **context, "proxy": begun.proxy}
        return begun

    find_task(task, **(task_kwargs or {}))
    env: Any = BrowserEnv(begin, dict(task_kwargs or {}), pw_context_kwargs=context, **options)
    made: gym.Env[Any, str] = env
    return made
