"""A web task as a Gymnasium environment."""

from __future__ import annotations

import time
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Literal, TypeVar

import gymnasium as gym

from potentia.envs.web.actions import make_view, write_text
from potentia.envs.web.backends.without_browser import PageWithoutBrowser
from potentia.envs.web.browser import loop
from potentia.envs.web.browser.backend import Backend
from potentia.envs.web.browser.page import BrowserPage
from potentia.envs.web.browser.pool import DRIVERS, Lease
from potentia.envs.web.find_task import find_task
from potentia.envs.web.observation import Observer
from potentia.envs.web.play import FREE_KEYS, OFFERED_KEYS, Play
from potentia.envs.web.task import WebTask
from potentia.envs.world import World

__all__ = ["DEFAULT_OBSERVATION", "WebEnv"]

DEFAULT_OBSERVATION = ("goal", "text", "elements", "fields", "action_mask")
TEXT_LENGTH = 2000
_T = TypeVar("_T")


class WebEnv(World, gym.Env[dict[str, Any], Any]):
    """A page in a real browser and something to be done on it.

    The reward is the task's own: 1 when it is done, else 0 (MiniWoB++: also -1 where its page says so). An episode is
    truncated after ``max_steps``, and when the page is lost. ``info["failure"]`` then says why. Time in the page stands
    still between steps, so the same seed and the same actions give the same pages.

    ``info`` has ``success``, ``goal``, ``response`` (the agent's text that led here, in the text view), ``blocked``
    (attempts to leave the task's pages in this episode: requests refused, windows, dialogs and downloads), ``failure``
    ("" or why the page was lost) and ``action_error`` ("" or why the action said nothing and nothing was done). If
    asked, it also has ``state_hash`` (of the page and the state behind it) and ``caption`` (the page in words). Of
    application tasks it can have ``potential`` (-actions left / actions of the reference solution, in [-1, 0]),
    ``reference`` (its next action, as text), ``checklist`` (``(32,)`` float32: subgoals 1, 0.5 or 0, then -1) and
    ``subgoals`` (events). Of MiniWoB++'s pages it can have ``potential``.

    Args:
        task: A name in `potentia.envs.web.TASKS`, such as ``"ShopBuy"`` or ``"MiniWoB-click-button"``, or a task of
            one's own, or what makes one from the options.
        backend: "cdp": Chromium over its DevTools pipe. "playwright": Chromium by Playwright. "html": no browser, for
            the application tasks, with the same element table but without boxes.
        observation: Parts of the observation, of `potentia.envs.web.PARTS`. The default is all but the screenshot, and
            no mask where the view has none.
        actions: The view of actions: "discrete", "multidiscrete", "coordinates", "dict" or "text".
        events: "trusted": as a person's, by the browser. "scripted": by scripts in the page, which is faster, but a
            page may tell the difference.
        rows: E, the rows of the element table.
        fields: K, the candidate texts.
        info_keys: The keys of ``info`` wanted, "all", or None for those that cost nothing, the first six.
            `potentia.envs.world.ask` adds more.
        max_steps: Another time limit than the task's.
        deadline: Seconds that the browser may take for any one answer before the page counts as lost. A step, and each
            of the three tries to load a page, is given up after three times as many.
        executable: Chromium's path, or None to find one.
        render_mode: "rgb_array", "human" (a window, four steps a second, which needs a display) or None.
        options: Of the task: ``noise`` (application tasks), ...

    Raises:
        ValueError: If there is no such task or option.
        TypeError: If the backend "html" is given a ``render_mode``: it draws nothing.
        FileNotFoundError: If there is no browser. The message says what to install.
    """

    metadata = {"render_modes": ["rgb_array", "human"], "render_fps": 4}  # noqa: RUF012 - Gymnasium's attribute

    def __init__(
        self,
        task: str | WebTask | Callable[..., WebTask],
        *,
        backend: Literal["cdp", "playwright", "html"] = "cdp",
        observation: Sequence[str] | None = None,
        actions: str = "discrete",
        events: Literal["trusted", "scripted"] = "trusted",
        rows: int = 64,
        fields: int = 6,
        info_keys: Sequence[str] | None = None,
        max_steps: int | None = None,
        deadline: float = 10.0,
        executable: str | None = None,
        render_mode: str | None = None,
        **options: Any,
    ) -> None:
        for name, number in (("rows", rows), ("fields", fields), ("max_steps", max_steps)):
            if number is not None and number < 1:
                raise ValueError(f"{name} must be at least 1, got {number}")
        if deadline <= 0:
            raise ValueError(f"deadline must be more than 0 seconds, got {deadline}")
        for name, value, known in (
            ("backend", backend, (*DRIVERS, "html")),
            ("events", events, ("trusted", "scripted")),
            ("render_mode", render_mode, (None, "rgb_array", "human")),
        ):
            if value not in known:
                raise ValueError(f"{name} must be one of {', '.join(map(repr, known))}, got {value!r}")
        found = _found(task, options)
        if max_steps is not None:
            found.budget = max_steps
        view = make_view(actions, rows=rows, fields=fields, viewport=found.viewport, longest=TEXT_LENGTH)
        if observation is None:
            masked = view.mask((), (), asks=False, everything=False) is not None
            observation = [part for part in DEFAULT_OBSERVATION if masked or part != "action_mask"]
        observer = Observer(found, observation, view, rows=rows, fields=fields)
        page: Backend
        if backend == "html":
            if render_mode is not None:
                # A TypeError, as for an argument that there is not: who tries "rgb_array" first, as
                # Stable-Baselines3 does, then goes on without.
                raise TypeError(
                    f"the backend 'html' draws nothing, so it takes no render_mode, got {render_mode!r}: leave it out, "
                    "or use the backend 'cdp' or 'playwright'"
                )
            page = PageWithoutBrowser(found, rows=rows)
        else:
            lease = Lease(backend, executable, deadline, headed=render_mode == "human")
            page = BrowserPage(found, lease, rows=rows, trusted=events == "trusted")
        self.play = Play(found, page, observer, view, waits=backend != "html")
        self.render_mode = render_mode
        if backend == "html":
            self.metadata = self.metadata | {"render_modes": []}
        self.observation_space = self.play.observer.space
        self.action_space = self.play.view.space
        self._begun = self._closed = False
        self.offer((*OFFERED_KEYS, *found.info_keys), FREE_KEYS, info_keys)

    def _describe(self) -> None:
        self.play.keys = self.info_keys

    @property
    def time_limit(self) -> int:
        """The task's, or ``max_steps``."""
        return self.play.task.budget

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins an episode. Without a seed, it is the next one of the last seed.

        A page that is lost at three tries is told in ``info["failure"]``; such an episode ends with its first step.

        Raises:
            PageFailure: If there is no browser to load the page in.
        """
        super().reset(seed=seed)
        del options
        self._begun = True
        return self._do(self.play.reset(seed))

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """One action. ``info`` says what may have gone wrong.

        Raises:
            RuntimeError: If it comes before the first reset.
        """
        if not self._begun:
            raise RuntimeError("step() came before reset(): call reset() first")
        if self.render_mode == "human":
            time.sleep(1 / self.metadata["render_fps"])  # so that a person can follow
        return self._do(self.play.step(action))

    def render(self) -> Any:
        """The viewport as ``(H, W, 3)`` uint8. In the mode "human" the window shows it by itself."""
        if self.render_mode is None:
            raise ValueError('render_mode is None: make the environment with render_mode="rgb_array"')
        return self._do(self.play.picture()) if self.render_mode == "rgb_array" else None

    def action_text(self, action: Any) -> str:
        """An action in words, by the grammar of the text view. An action that can't be read is given as it is."""
        try:
            return write_text(self.play.view.read(action, self.play.task.fields))
        except ValueError:
            return str(action)

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        return self.play.info() if self._begun else {}

    def goal_text(self) -> str:
        """The task's."""
        return self.play.task.goal

    def close(self) -> None:
        """Gives the browser back. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._do(self.play.page.close())

    def _do(self, work: Coroutine[Any, Any, _T]) -> _T:
        return loop.run(work) if self.play.waits else at_once(work)


def at_once(work: Coroutine[Any, Any, _T]) -> _T:
    """Runs a coroutine that never waits, without an event loop."""
    try:
        work.send(None)
    except StopIteration as end:
        result: _T = end.value
        return result
    work.close()
    raise RuntimeError("a page without a browser waited for something")


def _found(task: str | WebTask | Callable[..., WebTask], options: dict[str, Any]) -> WebTask:
    if isinstance(task, str):
        return find_task(task, **options)
    if callable(task):
        return task(**options)
    if options:
        raise ValueError(
            f"{', '.join(sorted(options))}: no option of the environment, and the task is made already; give options "
            "of a task where it is made"
        )
    return task
