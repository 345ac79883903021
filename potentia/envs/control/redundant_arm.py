"""An arm of twenty joints in the unit square: many postures for each place of its end."""

from __future__ import annotations

import math

from potentia.compiling import part
from potentia.envs.control.drawing import clear, disc, segment
from potentia.envs.control.paying import chosen_areas, paint_areas_of, pay_of, short_of, task_of
from potentia.envs.control.rules import Area, Part, Rules, world

__all__ = ["AREAS", "JOINTS", "LINK", "TURN", "redundant_arm"]

AREAS = {
    "low": Area("low", (0.25, 0.25), 0.05),
    "far": Area("far", (0.85, 0.85), 0.05),
    "high": Area("high", (0.25, 0.90), 0.05),
}
JOINTS, LINK, TURN = 20, 0.025, 0.05
"""The number of links, the length of each, and by how many radians an action of 1 turns a joint."""
_BASE = 0.5
_RANDOM = 0.0073
"""Measured, within 0.0004, by ``benchmarks/control_anchors.py``."""
_VIEW = (0.0, 1.0, 1.0, 0.0)
_WHITE, _GREY, _BLUE, _FARTHEST = (255, 255, 255), (90, 90, 90), (40, 80, 220), 1.0


@world("RedundantArm")
def redundant_arm(*, areas: tuple[str, ...] = ("low", "far", "high"), reward: str = "final") -> Rules:
    """The arm of twenty joints of SERENE (Paolo et al. 2021, GECCO): its areas, and episodes of 100 steps.

    The arm begins in the middle of the unit square and is half as long as a side: its end can be anywhere in the
    largest disc in the square. It lies straight to the right at first. An action turns each joint by up to 0.05
    radians, within half a turn, and the agent sees the angles alone. Links may cross one another.

    Args:
        areas: The areas that pay, of ``"low"``, ``"far"`` and ``"high"``.
        reward: "final" pays ``(radius - distance) / radius`` for where in an area the arm ends up. "arrival" pays 1 as
            its end enters one, which ends the episode.

    Raises:
        ValueError: If an area or the reward is none of these.
    """
    paying = chosen_areas(AREAS, areas, reward)
    return Rules(
        name="RedundantArm",
        goal=task_of("the end of the arm", paying, reward),
        state=(*(f"joint {i}" for i in range(JOINTS)), "x", "y"),
        begin=_begin,
        step=_step_of(paying, reward),
        observe=_observe,
        observed=tuple(f"joint {i}" for i in range(JOINTS)),
        observation_low=(-4.0,) * JOINTS,
        observation_high=(4.0,) * JOINTS,
        actions=tuple(f"joint {i}" for i in range(JOINTS)),
        limit=100,
        descriptor=_describe,
        described=("x", "y"),
        descriptor_low=(0.0, 0.0),
        descriptor_high=(1.0, 1.0),
        areas=paying,
        potential=_potential_of(paying) if paying else None,
        paint=_paint_of(paying),
        random_return=_RANDOM if (areas, reward) == (tuple(AREAS), "final") else None,
        optimal_return=1.0 if paying else 0.0,
    )


@part
def _place(state):  # type: ignore[no-untyped-def]
    """Writes where the end of the arm is, from the angles of the joints."""
    x, y, angle = _BASE, _BASE, 0.0
    for i in range(JOINTS):
        angle += state[i]
        x += LINK * math.cos(angle)
        y += LINK * math.sin(angle)
    state[JOINTS], state[JOINTS + 1] = x, y


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    state[:] = 0.0
    _place(state)


def _step_of(areas: tuple[Area, ...], reward: str) -> Part:
    pay = pay_of(areas, reward)

    @part
    def step(state, action, left, draws):  # type: ignore[no-untyped-def]
        for i in range(JOINTS):
            state[i] = min(max(state[i] + TURN * action[i], -math.pi), math.pi)
        _place(state)
        return pay(state[JOINTS:], left)

    return step


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    for i in range(JOINTS):
        out[i] = state[i]


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = state[JOINTS], state[JOINTS + 1]


def _potential_of(areas: tuple[Area, ...]) -> Part:
    short = short_of(areas, _FARTHEST)

    @part
    def potential(state):  # type: ignore[no-untyped-def]
        return short(state[JOINTS:])

    return potential


def _paint_of(areas: tuple[Area, ...]) -> Part:
    paint_areas = paint_areas_of(areas, _VIEW)

    @part
    def paint(state, image):  # type: ignore[no-untyped-def]
        clear(image, _WHITE)
        paint_areas(image)
        x, y, angle = _BASE, _BASE, 0.0
        for i in range(JOINTS):
            angle += state[i]
            to_x, to_y = x + LINK * math.cos(angle), y + LINK * math.sin(angle)
            segment(image, _VIEW, x, y, to_x, to_y, 0.015, _GREY)
            x, y = to_x, to_y
        disc(image, _VIEW, x, y, 0.03, _BLUE)

    return paint
