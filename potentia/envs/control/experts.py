"""Who can do the task in a control world: an actor that looks at observations alone, and remembers the time."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.arrays import is_tensor
from potentia.envs.control import mountain_car, reacher, redundant_arm
from potentia.envs.control.catalogue import find_rules
from potentia.envs.control.hard_maze_way import way_through
from potentia.envs.control.rules import Area, Rules
from potentia.envs.control.spaces import action_space_of

__all__ = ["ControlExpert"]

Floats = NDArray[np.float64]
Act = Callable[[Floats, NDArray[np.int64]], Floats]
"""From observations ``(N, O)`` and steps of the episode ``(N,)`` to actions ``(N, A)``."""


class ControlExpert:
    """An actor that does the task in control worlds nearly always. It is a `potentia.collect.Actor`.

    Where observations tell all that is needed (the classics, the redundant arm), it is a rule that looks at them. The
    maze and the table of curling always begin alike, and nothing there is left to chance: it plays what leads to the
    area.

    Args:
        envs: Control worlds of one kind, or a vector environment of them. Only what kind they are is read.
        area: The name of the area to go to, where there are areas. None: the first that pays.

    Raises:
        ValueError: If there is no expert for this world, or it has no such area.
    """

    def __init__(self, envs: Sequence[Any], *, area: str | None = None) -> None:
        world = envs[0].unwrapped
        rules: Rules = world.rules
        one = getattr(world, "single_action_space", world.action_space)
        if one != action_space_of(rules):
            raise ValueError(
                f"an expert acts step by step: make potentia/{rules.name}-v0; here an action is {one}, such as a policy"
            )
        if rules.name not in _EXPERTS:
            raise ValueError(f"there is no expert for {rules.name}; there are experts for {tuple(_EXPERTS)}")
        self._act = _EXPERTS[rules.name](rules, area)

    def init(self, num_envs: int) -> Any:
        """No step has been taken."""
        return np.zeros(num_envs, np.int64)

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        """What to do, ``(N, A)`` float32, by what is seen, ``(N, O)``, and how long the episode has lasted."""
        seen = np.asarray(obs.cpu() if is_tensor(obs) else obs, np.float64)
        return self._act(seen, carry).astype(np.float32), carry + 1


def _wanted(rules: Rules, name: str | None) -> Area:
    known = {area.name: area for area in rules.areas}
    if not known:
        raise ValueError(f"{rules.name} has no area that pays: there is nowhere to go")
    if name is not None and name not in known:
        raise ValueError(f"area must be among {tuple(known)}, got {name!r}")
    return known[name] if name is not None else rules.areas[0]


def _drive_car(rules: Rules, area: str | None) -> Act:
    """Full force to the side from which fewer steps lead to the top."""

    def act(obs: Floats, time: NDArray[np.int64]) -> Floats:
        left, right = (
            mountain_car.steps_from(*mountain_car.driven(obs[:, 0], obs[:, 1], side)) for side in (-1.0, 1.0)
        )
        return np.where(right <= left, 1.0, -1.0)[:, None]

    return act


def _swing(rules: Rules, area: str | None) -> Act:
    """The torque follows the elbow's speed, so that it never takes energy away."""
    return lambda obs, time: np.where(obs[:, 5:] >= 0.0, 1.0, -1.0)


def _reach(rules: Rules, area: str | None) -> Act:
    """Each joint is drawn to the posture that touches the target and is nearer, and slowed down."""
    first, second = reacher.LINKS

    def act(obs: Floats, time: NDArray[np.int64]) -> Floats:
        angles = np.arctan2(obs[:, 2:4], obs[:, 0:2])
        x, y = obs[:, 4], obs[:, 5]
        bend = np.arccos(np.clip((x**2 + y**2 - first**2 - second**2) / (2 * first * second), -1.0, 1.0))
        turns = []
        for elbow in (bend, -bend):
            shoulder = np.arctan2(y, x) - np.arctan2(second * np.sin(elbow), first + second * np.cos(elbow))
            turn = np.stack([shoulder, elbow], axis=1) - angles
            turns.append((turn + np.pi) % (2 * np.pi) - np.pi)
        farther = [np.abs(turn).max(axis=1) for turn in turns]
        turn = np.where((farther[0] <= farther[1])[:, None], *turns)
        return np.clip(5.0 * turn - 0.45 * obs[:, 6:8], -1.0, 1.0)

    return act


def _bend(rules: Rules, area: str | None) -> Act:
    """Damped least squares: all joints turn a little, so that the end moves straight to the middle of the area."""
    target = np.array(_wanted(rules, area).centre)

    def act(obs: Floats, time: NDArray[np.int64]) -> Floats:
        angles = np.cumsum(obs, axis=1)
        links = redundant_arm.LINK * np.stack([np.cos(angles), np.sin(angles)], axis=1)  # (N, 2, 20)
        beyond = np.cumsum(links[:, :, ::-1], axis=2)[:, :, ::-1]  # from each joint to the end
        end = 0.5 + beyond[:, :, 0]
        slopes = np.stack([-beyond[:, 1], beyond[:, 0]], axis=1)
        square = slopes @ slopes.transpose(0, 2, 1) + 1e-4 * np.eye(2)
        turn = np.einsum("nij,ni->nj", slopes, np.linalg.solve(square, (target - end)[:, :, None])[:, :, 0])
        most = np.abs(turn).max(axis=1, keepdims=True)
        action: Floats = turn / np.maximum(most, redundant_arm.TURN)
        return action

    return act


def _play(actions: Floats) -> Act:
    """What is written down, and then nothing."""
    padded = np.concatenate([actions, np.zeros_like(actions[:1])])
    return lambda obs, time: padded[np.minimum(time, len(actions))]


_THROWS = {
    "large": (((1.0, 0.5), 50), ((-0.5, 0.5), 55), ((0.0, -1.0), 35)),
    "small": (((-1.0, 0.0), 10), ((1.0, -0.5), 55), ((1.0, 0.0), 50)),
}
"""An action and for how many steps: the best of 24,576 random ones of three parts (benchmarks/curling_throws.py)."""


def _throw(rules: Rules, area: str | None) -> Act:
    return _play(np.concatenate([np.tile(action, (steps, 1)) for action, steps in _THROWS[_wanted(rules, area).name]]))


def _go(rules: Rules, area: str | None) -> Act:
    return _play(_way(_wanted(rules, area).name))


@functools.lru_cache(maxsize=8)
def _way(area: str) -> Floats:
    return way_through(find_rules("HardMaze", areas=(area,)))


_EXPERTS: dict[str, Callable[[Rules, str | None], Act]] = {
    "HardMaze": _go,
    "Curling": _throw,
    "RedundantArm": _bend,
    "SparseMountainCar": _drive_car,
    "SparseAcrobot": _swing,
    "SparseReacher": _reach,
}
