"""An arm of two joints that has to touch a point, which is elsewhere in each episode."""

from __future__ import annotations

import math

from potentia.compiling import part
from potentia.envs.control.drawing import clear, disc, segment
from potentia.envs.control.draws import uniform
from potentia.envs.control.rules import PLAYING, SUCCESS, Rules, world

__all__ = ["DRAG", "LINKS", "PUSH", "STEP", "TOUCH", "reacher"]

LINKS, TOUCH = (0.1, 0.11), 0.01
PUSH, DRAG, STEP = 40.0, 2.0, 0.02
_FARTHEST, _RANDOM = 0.2, 0.0117
"""The farthest target, and what random actions earn: within 0.0007, by ``benchmarks/control_anchors.py``."""
_FIRST, _SECOND = LINKS
_Q0, _Q1, _W0, _W1, _X, _Y = range(6)
_FASTEST = PUSH / DRAG
_WHITE, _GREY, _BLUE, _GREEN = (255, 255, 255), (90, 90, 90), (40, 80, 220), (120, 200, 120)
_VIEW = (-0.25, 0.25, 0.25, -0.25)


@world("SparseReacher")
def reacher() -> Rules:
    """An arm with the links of Reacher (Gymnasium, MuJoCo), whose task and observation are alike, not its dynamics.

    A joint turns by ``w' = 40 a - 2 w`` a second, whatever the other does. The target is drawn from the disc of radius
    0.2. An episode lasts up to 50 steps of 0.02 s; touching the target, within 0.01, pays 1 and ends it. The potential
    is minus the part of half a turn that the farther joint has yet to turn, to the nearer of the two postures that
    touch the target.
    """
    return Rules(
        name="SparseReacher",
        goal="touch the target with the end of the arm",
        state=("shoulder", "elbow", "shoulder speed", "elbow speed", "target x", "target y"),
        begin=_begin,
        step=_step,
        observe=_observe,
        observed=(
            "shoulder cos", "elbow cos", "shoulder sin", "elbow sin", "target x", "target y",
            "shoulder speed", "elbow speed", "x beyond target", "y beyond target",
        ),
        observation_low=(-1.0, -1.0, -1.0, -1.0, -0.2, -0.2, -_FASTEST, -_FASTEST, -0.5, -0.5),
        observation_high=(1.0, 1.0, 1.0, 1.0, 0.2, 0.2, _FASTEST, _FASTEST, 0.5, 0.5),
        actions=("shoulder", "elbow"),
        limit=50,
        descriptor=_describe,
        described=("tip x", "tip y"),
        descriptor_low=(-0.21, -0.21),
        descriptor_high=(0.21, 0.21),
        potential=_potential,
        paint=_paint,
        random_return=_RANDOM,
        optimal_return=1.0,
    )  # fmt: skip


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    state[_Q0], state[_Q1] = 0.2 * uniform(draws) - 0.1, 0.2 * uniform(draws) - 0.1
    state[_W0], state[_W1] = 0.01 * uniform(draws) - 0.005, 0.01 * uniform(draws) - 0.005
    away, angle = _FARTHEST * math.sqrt(uniform(draws)), 2.0 * math.pi * uniform(draws)
    state[_X], state[_Y] = away * math.cos(angle), away * math.sin(angle)


@part
def _wrapped(angle):  # type: ignore[no-untyped-def]
    if angle > math.pi:
        return angle - 2.0 * math.pi
    if angle < -math.pi:
        return angle + 2.0 * math.pi
    return angle


@part
def _tip(state):  # type: ignore[no-untyped-def]
    both = state[_Q0] + state[_Q1]
    return (
        _FIRST * math.cos(state[_Q0]) + _SECOND * math.cos(both),
        _FIRST * math.sin(state[_Q0]) + _SECOND * math.sin(both),
    )


@part
def _distance(state):  # type: ignore[no-untyped-def]
    x, y = _tip(state)
    return math.sqrt((x - state[_X]) ** 2 + (y - state[_Y]) ** 2)


@part
def _step(state, action, left, draws):  # type: ignore[no-untyped-def]
    for i in range(2):
        state[_W0 + i] += STEP * (PUSH * action[i] - DRAG * state[_W0 + i])
        state[_Q0 + i] = _wrapped(state[_Q0 + i] + STEP * state[_W0 + i])
    if _distance(state) <= TOUCH:
        return 1.0, SUCCESS
    return 0.0, PLAYING


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    x, y = _tip(state)
    out[0], out[1], out[2], out[3] = (
        math.cos(state[_Q0]), math.cos(state[_Q1]), math.sin(state[_Q0]), math.sin(state[_Q1])
    )  # fmt: skip
    out[4], out[5], out[6], out[7] = state[_X], state[_Y], state[_W0], state[_W1]
    out[8], out[9] = x - state[_X], y - state[_Y]


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = _tip(state)


@part
def _potential(state):  # type: ignore[no-untyped-def]
    if _distance(state) <= TOUCH:
        return 0.0
    x, y = state[_X], state[_Y]
    cos = (x * x + y * y - _FIRST * _FIRST - _SECOND * _SECOND) / (2.0 * _FIRST * _SECOND)
    bend = math.acos(min(max(cos, -1.0), 1.0))
    nearest = math.pi
    for side in (-1.0, 1.0):
        elbow = side * bend
        shoulder = math.atan2(y, x) - math.atan2(_SECOND * math.sin(elbow), _FIRST + _SECOND * math.cos(elbow))
        turns = max(abs(_wrapped(_wrapped(shoulder) - state[_Q0])), abs(_wrapped(elbow - state[_Q1])))
        nearest = min(nearest, turns)
    return 0.0 - nearest / math.pi


@part
def _paint(state, image):  # type: ignore[no-untyped-def]
    clear(image, _WHITE)
    disc(image, _VIEW, state[_X], state[_Y], 0.02, _GREEN)
    x, y = _FIRST * math.cos(state[_Q0]), _FIRST * math.sin(state[_Q0])
    tip_x, tip_y = _tip(state)
    segment(image, _VIEW, 0.0, 0.0, x, y, 0.02, _GREY)
    segment(image, _VIEW, x, y, tip_x, tip_y, 0.02, _GREY)
    disc(image, _VIEW, tip_x, tip_y, 0.012, _BLUE)
