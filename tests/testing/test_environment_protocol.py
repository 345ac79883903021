"""`check_env` holds a world to the protocol of `potentia.envs.world`, and catches worlds that break it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from potentia.envs.info_keys import flag, number, whole
from potentia.envs.world import World
from potentia.testing import check_env

END, LIMIT = 6, 20


class Line(World, gym.Env[Any, Any]):
    """A good world: walk from 0 to 6; every info key that it offers costs a look at the map."""

    metadata = {"render_modes": []}  # noqa: RUF012
    chance = False

    def __init__(self, info_keys: Any = None) -> None:
        self.observation_space, self.action_space = spaces.Discrete(END + 1), spaces.Discrete(2)
        self.place = self.steps = 0
        self.luck = 0.0
        self.offer(("state_hash", "distance", "potential", "subgoals", "success"), ("success",), info_keys)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.place, self.steps, self.luck = int(self.np_random.integers(3)), 0, float(self.np_random.random())
        return self.place, self.info_now()

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.place = max(self.place + (1 if action else -1), 0)
        self.steps += 1
        done = self.place == END
        info = self.info_now()
        if "subgoals" in info:
            info["subgoals"] = {"arrived": done}
        return self.place, self.luck * done, done, not done and self.steps >= LIMIT, info

    @property
    def time_limit(self) -> int:
        return LIMIT

    @property
    def action_names(self) -> tuple[str, str]:
        return "left", "right"

    def info_now(self) -> dict[str, Any]:
        left = END - self.place
        known = {
            "state_hash": whole(self.place), "distance": number(left), "potential": number(0.0 - left / END),
            "subgoals": {"arrived": False}, "success": flag(left == 0),
        }  # fmt: skip
        return {key: known[key] for key in self.info_keys}

    def save(self) -> Any:
        return self.place, self.steps, self.luck, self.np_random.bit_generator.state

    def restore(self, saved: Any) -> tuple[Any, dict[str, Any]]:
        self.place, self.steps, self.luck, state = saved
        self.np_random.bit_generator.state = state
        return self.place, self.info_now()


class AskingDoesNothing(Line):
    def ask(self, keys: Iterable[str]) -> None:
        if set(keys) - set(self.offered_keys):
            super().ask(keys)


class AskingDraws(Line):
    def _describe(self) -> None:
        if "distance" in self.info_keys and self._np_random is not None:
            self.np_random.random()

    def info_now(self) -> dict[str, Any]:
        if "distance" in self.info_keys:
            self.np_random.random()
        return super().info_now()


class AskingTakesAll(Line):
    def ask(self, keys: Iterable[str]) -> None:
        super().ask(set(keys) & set(self.offered_keys))


class RefusesWithoutWords(Line):
    def ask(self, keys: Iterable[str]) -> None:
        if set(keys) - set(self.offered_keys):
            raise ValueError("no")
        super().ask(keys)


class TellsWhatItDoesNotOffer(Line):
    def offer(self, offered: Iterable[str], free: Iterable[str], info_keys: Any) -> None:
        super().offer(offered, free, info_keys)
        self.offered_keys, self.info_keys = self.offered_keys[1:], ("state_hash", *self.info_keys)


class TellsLateWhatWasAskedLate(Line):
    """What is asked for in the middle of an episode is as it was at its beginning."""

    asked_at: int | None = None

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        self.asked_at = None
        return super().reset(**kwargs)

    def _describe(self) -> None:
        self.asked_at = self.steps or None

    def info_now(self) -> dict[str, Any]:
        info = super().info_now()
        return info if self.asked_at is None or "distance" not in info else {**info, "distance": number(END)}


class SaysNothingOfActions(Line):
    def action_text(self, action: Any) -> str:
        return ""


class GoalIsNoText(Line):
    def goal_text(self) -> Any:
        return None


class InfoNowIsEmpty(Line):
    def info_now(self) -> dict[str, Any]:
        return {}

    def reset(self, **kwargs: Any) -> tuple[Any, dict[str, Any]]:
        observation, _ = super().reset(**kwargs)
        return observation, Line.info_now(self)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        *rest, _ = super().step(action)
        info = Line.info_now(self)
        if "subgoals" in info:
            info["subgoals"] = {"arrived": self.place == END}
        return (*rest, info)


class LimitIsAnother(Line):
    @property
    def time_limit(self) -> int:
        return LIMIT - 5


class AnchorsAreReversed(Line):
    random_return, optimal_return = 1.0, 0.5


class AnchorIsNaN(Line):
    random_return = float("nan")


class RestoreForgetsTheTime(Line):
    def restore(self, saved: Any) -> tuple[Any, dict[str, Any]]:
        return super().restore((saved[0], 0, *saved[2:]))


class RestoreForgetsTheRandomNumbers(Line):
    def restore(self, saved: Any) -> tuple[Any, dict[str, Any]]:
        return super().restore((*saved[:3], np.random.default_rng().bit_generator.state))


class ChanceIsAWord(Line):
    chance: Any = "yes"


def test_a_good_world_passes() -> None:
    assert check_env(Line) == frozenset()


@pytest.mark.parametrize(
    ("mutant", "message"),
    [
        (AskingDoesNothing, "info was asked for .*, and lacks it"),
        (AskingDraws, "what is asked for must change nothing"),
        (AskingTakesAll, "must refuse a key that is not offered"),
        (RefusesWithoutWords, "by a ValueError that says what is, got 'no'"),
        (TellsWhatItDoesNotOffer, r"info has \['state_hash'\], which offered_keys lacks"),
        (TellsLateWhatWasAskedLate, "asked in step 3 of an episode, a world tells"),
        (SaysNothingOfActions, r"action_text\(action\) must be a text, got ''"),
        (GoalIsNoText, r"goal_text\(\) must be a text, got None"),
        (InfoNowIsEmpty, r"info_now\(\) must have the keys \['success'\], got \[\]"),
        (LimitIsAnother, "time_limit is 15, and an episode did not end in step 15"),
        (AnchorsAreReversed, "random_return 1.0 is more than optimal_return 0.5"),
        (AnchorIsNaN, "random_return must be None or a finite number, got nan"),
        (RestoreForgetsTheTime, "the whole state must be kept"),
        (RestoreForgetsTheRandomNumbers, "the whole state must be kept"),
        (ChanceIsAWord, "chance must be True, False or None, got 'yes'"),
    ],
)
def test_a_world_that_breaks_its_protocol_is_caught(mutant: type[Line], message: str) -> None:
    with pytest.raises(AssertionError, match=f"protocol: .*{message}"):
        check_env(mutant)
