"""MiniWoB++'s own Selenium environment as a contender of ``web_speed.py``."""

# ruff: noqa: D102 - what the methods are, rounds.Driver says
from __future__ import annotations

from typing import Any

import gymnasium as gym
import miniwob
from miniwob.action import ActionTypes
from rounds import serve_pages

TAGS = {"checkbox": "input_checkbox", "radio": "input_radio", "textbox": "input_text", "button": "button"}


class SeleniumDriver:
    """See ``rounds.Driver``; handles are its references of elements."""

    worlds = 1

    def __init__(self, job: dict[str, Any]) -> None:
        gym.register_envs(miniwob)
        self.env = gym.make(f"miniwob/{job['page']}-v1").unwrapped
        self.options = {"record_screenshots": job["screenshot"]}
        self.kinds = self.env.action_space_config.action_types
        self.blank = self.env.action_space.sample()

    def reset(self, seed: int) -> None:
        self.obs, _ = self.env.reset(seed=seed, options=self.options)
        self.goals = [self.obs["utterance"]]

    def find(self, role: str) -> list[Any]:
        return [row["ref"] for row in self.obs["dom_elements"] if row["tag"] == TAGS[role]]

    def click(self, handle: Any) -> Any:
        return {**self.blank, "action_type": self.kinds.index(ActionTypes.CLICK_ELEMENT), "ref": handle}

    def fill(self, handle: Any, texts: list[str]) -> Any:
        kind = self.kinds.index(ActionTypes.FOCUS_ELEMENT_AND_TYPE_TEXT)
        return {**self.blank, "action_type": kind, "ref": handle, "text": texts[0]}

    def step(self, action: Any) -> bool:
        obs, _, ended, _, _ = self.env.step(action)
        if not ended:
            self.obs = obs
        return bool(ended)

    def close(self) -> None:
        self.env.close()


if __name__ == "__main__":
    serve_pages(SeleniumDriver)
