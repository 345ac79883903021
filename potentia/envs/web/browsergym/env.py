"""A BrowserGym environment behind our observations, actions and info."""

from __future__ import annotations

from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.envs.info_keys import flag, whole
from potentia.envs.text_space import well_formed
from potentia.envs.web.actions import Action, make_view, write_text
from potentia.envs.web.browsergym.strings import SUBSETS, action_string
from potentia.envs.web.browsergym.tree import Row, read_tree
from potentia.envs.web.elements import PageState, page_text
from potentia.envs.web.miniwob.goals import named_texts
from potentia.envs.web.observation import Observer
from potentia.envs.web.play import state_hash
from potentia.envs.world import World

__all__ = ["FromBrowserGym", "from_browsergym"]

_FREE = ("success", "goal", "failure", "action_error")
_TEXT_LENGTH = 2000
_DEFAULT = ("goal", "text", "elements", "fields", "action_mask")


class FromBrowserGym(World, gym.Env[dict[str, Any], Any]):
    """What `from_browsergym` gives. That function makes it, so that actions are read as they are written.

    Args:
        env: An environment with BrowserGym's observations and action strings.
        failures: The exceptions by which it tells that a page is lost.
        observation: See `from_browsergym`, as all the others.
        actions: Likewise.
        rows: Likewise.
        fields: Likewise.
        info_keys: Likewise.
        max_steps: Likewise.
        viewport: Likewise.
        asks: Likewise.
    """

    metadata = {"render_modes": []}  # noqa: RUF012 - Gymnasium's attribute

    def __init__(
        self,
        env: gym.Env[Any, str],
        *,
        failures: tuple[type[Exception], ...] = (),
        observation: Sequence[str] | None = None,
        actions: str = "discrete",
        rows: int = 64,
        fields: int = 6,
        info_keys: Sequence[str] | None = None,
        max_steps: int = 30,
        viewport: tuple[int, int] = (1280, 720),
        asks: bool = False,
    ) -> None:
        if max_steps < 1:
            raise ValueError(f"max_steps must be at least 1, got {max_steps}")
        self.env, self._failures, self._limit = env, failures, max_steps
        self._asks, self._height = asks, viewport[1]
        # What an Observer asks of a task.
        self._task: Any = SimpleNamespace(goal="", fields=(), asks=asks, clicks_anything=False, viewport=viewport)
        self.view = make_view(actions, rows=rows, fields=fields, viewport=viewport, longest=_TEXT_LENGTH)
        if observation is None:
            masked = self.view.mask((), (), asks=False, everything=False) is not None
            observation = [part for part in _DEFAULT if masked or part != "action_mask"]
        self.observer = Observer(self._task, observation, self.view, rows=rows, fields=fields)
        self.observation_space, self.action_space = self.observer.space, self.view.space
        self._rows: list[Row] = []
        self._state = PageState("about:blank", "", ())
        self._steps, self._begun = 0, False
        self.offer(("caption", "state_hash", *_FREE), _FREE, info_keys)

    @property
    def time_limit(self) -> int:
        """``max_steps``."""
        return self._limit

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        return self._info() if self._begun else {}

    def goal_text(self) -> str:
        """BrowserGym's."""
        return str(self._task.goal)

    def __getstate__(self) -> Any:
        """Refuses.

        Raises:
            TypeError: Always: what a browser holds can't be had twice.
        """
        raise TypeError(
            "an environment of BrowserGym can't be copied or pickled: make another one with the same options"
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begins an episode."""
        super().reset(seed=seed)
        if seed is None and not self._begun:
            seed = int(self.np_random.integers(2**31))
        obs, _ = self.env.reset(seed=seed, options=options)
        self._steps, self._begun = 0, True
        self._task.goal = " ".join(well_formed(str(obs["goal"])).split())
        self._task.fields = named_texts(self._task.goal)
        self._read(obs)
        return self.observer(self._state), self._info()

    def step(self, action: Any) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """One action.

        Raises:
            RuntimeError: If it comes before the first reset.
        """
        if not self._begun:
            raise RuntimeError("step() came before reset(): call reset() first")
        self._steps += 1
        reward, terminated, truncated = 0.0, False, False
        error = failure = ""
        try:
            act = self.view.read(action, self._task.fields)
        except ValueError as refused:
            error = str(refused)
        else:
            try:
                obs, given, terminated, truncated, _ = self.env.step(action_string(act, self._rows, self._height))
                reward, error = float(given), str(obs["last_action_error"])
                self._read(obs)
            except self._failures as lost:
                failure = f"page unreadable: {lost}".splitlines()[0]
        truncated = truncated or ((bool(failure) or self._steps >= self._limit) and not terminated)
        info = self._info(success=terminated and reward > 0, failure=failure, error=error)
        return self.observer(self._state), reward, bool(terminated), bool(truncated), info

    def action_text(self, action: Any) -> str:
        """An action in words, by the grammar of the text view. An action that can't be read is given as it is."""
        try:
            return write_text(self.view.read(action, self._task.fields))
        except ValueError:
            return str(action)

    def action_string(self, action: Action) -> str:
        """An action on the present page as the string that BrowserGym is given."""
        return action_string(action, self._rows, self._height)

    def close(self) -> None:
        """Ends the browser."""
        self.env.close()

    def _read(self, told: dict[str, Any]) -> None:
        self._rows = read_tree(told["axtree_object"], told["extra_element_properties"], told["focused_element_bid"])
        title = well_formed(told["open_pages_titles"][int(np.asarray(told["active_page_index"]).reshape(-1)[0])])
        shot = None
        if "screenshot" in self.observer.parts:
            shot = np.asarray(told["screenshot"])
            width, height = self._task.viewport
            if shot.shape != (height, width, 3):
                tall, wide = shot.shape[:2]
                raise ValueError(f"screenshots are {wide}x{tall}: say viewport=({wide}, {tall})")
        self._state = PageState(told["url"], title, [row.element for row in self._rows], None, shot)

    def _info(self, *, success: bool = False, failure: str = "", error: str = "") -> dict[str, Any]:
        known: dict[str, Any] = {
            "success": flag(success), "goal": self._task.goal, "failure": failure, "action_error": error
        }  # fmt: skip
        if "caption" in self.info_keys:
            known["caption"] = page_text(self._state)
        if "state_hash" in self.info_keys:
            known["state_hash"] = whole(state_hash(self._state, None))
        return {key: known[key] for key in self.info_keys}


def from_browsergym(env: gym.Env[Any, str], **options: Any) -> FromBrowserGym:
    """A BrowserGym environment with our spaces: finite actions with a mask, arrays, and a limit of steps.

    The reward is its own. ``success`` is a positive one at the end. Actions are read as strictly as our own, and
    BrowserGym, which runs its action strings as Python, only gets strings that
    `potentia.envs.web.browsergym.strings.action_string` wrote. Its ``action_mapping`` is replaced by one that takes a
    single such call. It has no potential, no subgoals and no count of attempts to leave the page, and time goes on.

    Args:
        env: Made by ``gym.make("browsergym/...")``.
        options: ``observation``, ``actions``, ``rows``, ``fields`` and ``info_keys`` are as of
            `potentia.envs.web.WebEnv`. An episode is truncated after ``max_steps`` (30), which BrowserGym never does.
            ``viewport`` is the size of its screenshots in pixels (1280, 720). ``asks`` says whether answering does
            something in this task (False).

    Raises:
        ValueError: If an option is none, or can't be.
        ImportError: If BrowserGym is not installed.
    """
    try:
        from browsergym.core.action.highlevel import HighLevelActionSet  # noqa: PLC0415 - an extra
        from browsergym.core.observation import MarkingError  # noqa: PLC0415 - an extra
        from playwright.sync_api import Error  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise ImportError("from_browsergym needs BrowserGym: pip install 'potentia[browsergym]'") from error
    mapping = HighLevelActionSet(list(SUBSETS), multiaction=False, strict=True, demo_mode="off")
    env.unwrapped.action_mapping = mapping.to_python_code  # type: ignore[attr-defined]  # BrowserEnv's
    return FromBrowserGym(env, failures=(Error, MarkingError), **options)
