"""BrowserGym's MiniWoB++ as a contender of ``web_speed.py``."""

# ruff: noqa: D102 - what the methods are, rounds.Driver says
from __future__ import annotations

import logging
import os
from typing import Any

import gymnasium as gym
import playwright.sync_api as sync
from rounds import ActionFailedError, serve_pages

_launch = sync.BrowserType.launch


def use_browser(path: str) -> None:
    """Makes every launch take the Chromium of the system.

    The environment's own option reaches only the first of the two browsers that each reset starts: the chat's has none.
    """

    def launch(self: Any, **options: Any) -> Any:
        return _launch(self, **{**options, **({"executable_path": path} if path else {})})

    sync.BrowserType.launch = launch


class BrowserGymDriver:
    """See ``rounds.Driver``; handles are its bids."""

    worlds = 1

    def __init__(self, job: dict[str, Any]) -> None:
        os.environ["MINIWOB_URL"] = job["pages"]
        import browsergym.miniwob  # noqa: F401 - registers the environments, for the address above

        use_browser(job["browser"])
        options = {"slow_mo": 0, "pre_observation_delay": 0} if job["tuned"] else {}
        self.env = gym.make(f"browsergym/miniwob.{job['page']}", disable_env_checker=True, **options).unwrapped

    def reset(self, seed: int) -> None:
        self.obs, _ = self.env.reset(seed=seed)
        self.goals = [self.obs["goal"]]

    def find(self, role: str) -> list[Any]:
        nodes = self.obs["axtree_object"]["nodes"]
        return [node["browsergym_id"] for node in nodes if node["role"]["value"] == role and "browsergym_id" in node]

    def click(self, handle: Any) -> Any:
        return f"click({handle!r})"

    def fill(self, handle: Any, texts: list[str]) -> Any:
        return f"fill({handle!r}, {texts[0]!r})"

    def step(self, action: Any) -> bool:
        self.obs, _, ended, _, _ = self.env.step(action)
        if error := self.obs["last_action_error"]:
            raise ActionFailedError(f"{action} failed: {error}")
        return bool(ended)

    def close(self) -> None:
        self.env.close()


if __name__ == "__main__":
    logging.disable(logging.WARNING)
    serve_pages(BrowserGymDriver)
