"""The rule that distances are walked: from each state some action leads one nearer, and at the end is success."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.envs.world import Restorable
from potentia.testing.environment_actions import all_actions

__all__ = ["check_paths"]

_STEPS = 4000
"""Steps that may be spent on trying actions."""
_STARTS = 4
"""States of random play from which a way is walked."""

Reached = tuple[bool, bool, dict[str, Any]]
"""What a step returned: terminated, truncated and info."""


class _BudgetError(Exception):
    """No more steps may be spent."""


class _Walker:
    """A world in which every action can be tried: by restoring it, or by playing again from a seed."""

    def __init__(self, env: gym.Env[Any, Any], seed: int) -> None:
        self.env, self.seed = env, seed
        self.spent = 0
        self._played: list[Any] = []
        self._saved: Any = None

    def begin(self) -> dict[str, Any]:
        """The info of a fresh episode."""
        _, info = self.env.reset(seed=self.seed)
        self._played = []
        self._keep()
        return info

    @property
    def steps(self) -> int:
        """Of this episode so far."""
        return len(self._played)

    def go(self, action: Any) -> Reached:
        """Takes an action for good."""
        reached = self._step(action)
        self._played.append(action)
        self._keep()
        return reached

    def look(self, action: Any) -> Reached:
        """What an action would return. The world stands where it stood."""
        reached = self._step(action)
        if isinstance(self.env, Restorable):
            self.env.restore(self._saved)
        else:
            self.env.reset(seed=self.seed)
            for played in self._played:
                self._step(played)
        return reached

    def _keep(self) -> None:
        if isinstance(self.env, Restorable):
            self._saved = self.env.save()

    def _step(self, action: Any) -> Reached:
        self.spent += 1
        if self.spent > _STEPS:
            raise _BudgetError
        _, _, terminated, truncated, info = self.env.step(action)
        return bool(terminated), bool(truncated), info


def check_paths(make: Callable[[], gym.Env[Any, Any]], *, seed: int, longest: int) -> bool:
    """Walk from the start, and from states of random play, to success, always one nearer.

    Args:
        make: Makes a fresh environment whose info has the distance, and in which chance decides nothing.
        seed: Of the episodes.
        longest: The steps of the longest episode that was seen.

    Returns:
        Whether success was reached at least once.

    Raises:
        AssertionError: "distance: ..." or "success: ...".
    """
    whole = make()
    env = whole.unwrapped
    try:
        env.reset(seed=seed)
        if not all_actions(env):
            return False
        return any([_walk(_Walker(env, seed + start), 5 * start, longest) for start in range(_STARTS)])
    finally:
        whole.close()


def _walk(walker: _Walker, detour: int, longest: int) -> bool:
    """Some steps of random play, and then to success. Returns whether that was reached."""
    rng = np.random.default_rng(walker.seed)
    try:
        info = walker.begin()
        for _ in range(detour):
            if not (actions := all_actions(walker.env)):
                break
            terminated, truncated, info = walker.go(actions[int(rng.integers(len(actions)))])
            if terminated or truncated:
                info = walker.begin()
        while float(info["distance"]) > 0:
            terminated, truncated, info = walker.go(_nearer(walker, info))
            assert not (info.get("success") and truncated and not terminated and walker.steps < longest), (
                f"success: an episode ended in success by truncation after {walker.steps} steps, and others were "
                "longer; a task that is done must be terminated"
            )
            if truncated and not terminated:
                return False
    except _BudgetError:
        return False
    assert info.get("success", True) or info["distance"] != 0, "success: distance is 0, and success is False"
    return bool(info.get("success"))


def _nearer(walker: _Walker, info: dict[str, Any]) -> Any:
    """The first action after which one action less is left. Where the world has a plan, that is tried first."""
    left, there = float(info["distance"]), []
    actions = all_actions(walker.env)
    if plan := str(info.get("plan", "")):
        actions = list(dict.fromkeys([plan.split("\n", maxsplit=1)[0], *actions]))
    for action in actions:
        _, _, info = walker.look(action)
        there.append(float(info["distance"]))
        assert there[-1] < 0 or there[-1] >= left - 1, (
            f"distance: action {action!r} led from {left:g} to {there[-1]:g}; the fewest actions to success can't fall "
            "by more than one"
        )
        if there[-1] == left - 1:
            return action
    raise AssertionError(
        f"distance: {left:g} actions are said to be left, but the {len(actions)} that there are lead to {there}; "
        f"one of them must lead to {left - 1:g} (if chance decides, let the world say so: chance = True)"
    )
