"""Curling: an arm of two links knocks a ball, which slides, rebounds and comes to rest."""

from __future__ import annotations

import math

from potentia.compiling import part
from potentia.envs.control.drawing import clear, disc, segment
from potentia.envs.control.paying import chosen_areas, paint_areas_of, pay_of, short_of, task_of
from potentia.envs.control.rules import Area, Part, Rules, world

__all__ = ["AREAS", "curling"]

AREAS = {"large": Area("large", (0.8, 0.8), 0.4), "small": Area("small", (0.8, -0.8), 0.2)}
_HALF, _BALL, _LINK, _THICK = 1.5, 0.15, 1.0, 0.05
_EDGE, _TOUCH = _HALF - _BALL, _BALL + _THICK
_STEP = 1.0 / 60.0
_PUSH, _DRAG, _FASTEST = 10.0, 4.0, 2.5
"""A joint turns by ``w' = 10 a - 4 w``: no faster than 2.5 radians a second."""
_REBOUND, _BRAKE = 0.7, 0.5
_RANDOM = 0.0001
"""Measured, within 0.00005, by ``benchmarks/control_anchors.py``."""
_X, _Y, _VX, _VY, _Q0, _Q1, _W0, _W1 = range(8)
_Q0_MOST, _Q1_MOST = 0.5 * math.pi, math.pi
_DIAGONAL = 2.0 * _EDGE * math.sqrt(2.0)
_WHITE, _GREY, _BLUE, _VIEW = (255, 255, 255), (90, 90, 90), (40, 80, 220), (-_HALF, _HALF, _HALF, -_HALF)


@world("Curling")
def curling(*, areas: tuple[str, ...] = ("large", "small"), reward: str = "final") -> Rules:
    """The table, the arm, the areas and the episodes of Curling in SERENE (Paolo et al. 2021, GECCO).

    On a table of 3 x 3, with the origin in its middle, an arm of two links of length 1 stands at (0, -1.5), straight
    up, and a ball of radius 0.15 lies at (-0.5, 0.2). An action drives the two joints, one within a quarter turn of
    straight up, the other within half a turn of the first link. An episode lasts 500 steps of 1/60 second. The original
    is simulated by Box2D; here a ball is a disc without spin that rebounds from links and walls with 0.7 of its speed,
    and slides to rest with a deceleration of 0.5. The arm is heavy: the ball doesn't move it. It passes above the rim.

    Args:
        areas: The areas that pay, of ``"large"`` and ``"small"``.
        reward: "final" pays ``(radius - distance) / radius`` for where in an area the ball is at the end. "arrival"
            pays 1 as it enters one, which ends the episode.

    Raises:
        ValueError: If an area or the reward is none of these.
    """
    paying = chosen_areas(AREAS, areas, reward)
    return Rules(
        name="Curling",
        goal=task_of("the ball", paying, reward),
        state=("x", "y", "x speed", "y speed", "shoulder", "elbow", "shoulder speed", "elbow speed"),
        begin=_begin,
        step=_step_of(paying, reward),
        observe=_observe,
        observed=("x", "y", "shoulder", "elbow", "shoulder speed", "elbow speed"),
        observation_low=(-_HALF, -_HALF, -2.0, -4.0, -3.0, -3.0),
        observation_high=(_HALF, _HALF, 2.0, 4.0, 3.0, 3.0),
        actions=("shoulder", "elbow"),
        limit=500,
        descriptor=_describe,
        described=("x", "y"),
        descriptor_low=(-_EDGE, -_EDGE),
        descriptor_high=(_EDGE, _EDGE),
        areas=paying,
        potential=short_of(paying, _DIAGONAL) if paying else None,
        paint=_paint_of(paying),
        random_return=_RANDOM if (areas, reward) == (tuple(AREAS), "final") else None,
        optimal_return=1.0 if paying else 0.0,
    )


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    state[:] = 0.0
    state[_X], state[_Y] = -0.5, 0.2


@part
def _turned(angle, speed, action, most):  # type: ignore[no-untyped-def]
    """A joint's angle and speed after a step. It stops at the end of its range."""
    speed += _STEP * (_PUSH * action - _DRAG * speed)
    angle += _STEP * speed
    if abs(angle) > most:
        angle, speed = math.copysign(most, angle), 0.0
    return angle, speed


@part
def _joints(q0, q1):  # type: ignore[no-untyped-def]
    """Where the elbow and the tip are. Angles grow to the left, from straight up."""
    elbow_x, elbow_y = -_LINK * math.sin(q0), -_HALF + _LINK * math.cos(q0)
    return elbow_x, elbow_y, elbow_x - _LINK * math.sin(q0 + q1), elbow_y + _LINK * math.cos(q0 + q1)


@part
def _knock(state, x0, y0, x1, y1, elbow_x, elbow_y, second):  # type: ignore[no-untyped-def]
    """What a link from one point to another does to the ball that it touches: pushes it out, and knocks it."""
    dx, dy = x1 - x0, y1 - y0
    share = min(max((state[_X] - x0) * dx + (state[_Y] - y0) * dy, 0.0), 1.0)  # of a length of 1
    at_x, at_y = x0 + share * dx, y0 + share * dy
    away_x, away_y = state[_X] - at_x, state[_Y] - at_y
    distance = math.sqrt(away_x * away_x + away_y * away_y)
    if distance >= _TOUCH:
        return
    if distance > 0.0:
        away_x, away_y = away_x / distance, away_y / distance
    else:
        away_x, away_y = -dy, dx
    # A joint's speed turns what is beyond it to the left: a point at (x, y) from it moves by (-y, x).
    speed_x, speed_y = -state[_W0] * (at_y + _HALF), state[_W0] * at_x
    if second:
        speed_x -= state[_W1] * (at_y - elbow_y)
        speed_y += state[_W1] * (at_x - elbow_x)
    closing = (state[_VX] - speed_x) * away_x + (state[_VY] - speed_y) * away_y
    if closing < 0.0:
        state[_VX] -= (1.0 + _REBOUND) * closing * away_x
        state[_VY] -= (1.0 + _REBOUND) * closing * away_y
    state[_X], state[_Y] = at_x + _TOUCH * away_x, at_y + _TOUCH * away_y


@part
def _keep_in(state, place, speed):  # type: ignore[no-untyped-def]
    """The ball rebounds from the rim."""
    if abs(state[place]) > _EDGE:
        state[place] = math.copysign(_EDGE, state[place])
        if state[place] * state[speed] > 0.0:
            state[speed] *= -_REBOUND


def _step_of(areas: tuple[Area, ...], reward: str) -> Part:
    pay = pay_of(areas, reward)

    @part
    def step(state, action, left, draws):  # type: ignore[no-untyped-def]
        state[_Q0], state[_W0] = _turned(state[_Q0], state[_W0], action[0], _Q0_MOST)
        state[_Q1], state[_W1] = _turned(state[_Q1], state[_W1], action[1], _Q1_MOST)
        state[_X] += _STEP * state[_VX]
        state[_Y] += _STEP * state[_VY]
        elbow_x, elbow_y, tip_x, tip_y = _joints(state[_Q0], state[_Q1])
        _knock(state, 0.0, -_HALF, elbow_x, elbow_y, elbow_x, elbow_y, False)
        _knock(state, elbow_x, elbow_y, tip_x, tip_y, elbow_x, elbow_y, True)
        _keep_in(state, _X, _VX)
        _keep_in(state, _Y, _VY)
        speed = math.sqrt(state[_VX] ** 2 + state[_VY] ** 2)
        kept = max(speed - _BRAKE * _STEP, 0.0) / speed if speed > 0.0 else 0.0
        state[_VX] *= kept
        state[_VY] *= kept
        return pay(state, left)

    return step


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1], out[2], out[3] = state[_X], state[_Y], state[_Q0], state[_Q1]
    out[4], out[5] = state[_W0], state[_W1]


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = state[_X], state[_Y]


def _paint_of(areas: tuple[Area, ...]) -> Part:
    paint_areas = paint_areas_of(areas, _VIEW)

    @part
    def paint(state, image):  # type: ignore[no-untyped-def]
        clear(image, _WHITE)
        paint_areas(image)
        elbow_x, elbow_y, tip_x, tip_y = _joints(state[_Q0], state[_Q1])
        segment(image, _VIEW, 0.0, -_HALF, elbow_x, elbow_y, 2.0 * _THICK, _GREY)
        segment(image, _VIEW, elbow_x, elbow_y, tip_x, tip_y, 2.0 * _THICK, _GREY)
        disc(image, _VIEW, state[_X], state[_Y], _BALL, _BLUE)

    return paint
