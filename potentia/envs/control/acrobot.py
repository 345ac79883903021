"""Gymnasium's acrobot with a continuous torque and a sparse reward, and the energy that it lacks as its potential."""

from __future__ import annotations

import math

from potentia.compiling import part
from potentia.envs.control.drawing import clear, disc, segment
from potentia.envs.control.draws import between
from potentia.envs.control.rules import PLAYING, SUCCESS, Rules, world

__all__ = ["acrobot"]

_STEP, _GRAVITY = 0.2, 9.8
_FASTEST_1, _FASTEST_2 = 4.0 * math.pi, 9.0 * math.pi
_ANGLE_1, _ANGLE_2, _SPEED_1, _SPEED_2 = range(4)
_RANDOM = 0.0001
"""Measured, within 0.0001, by ``benchmarks/control_anchors.py``."""
_REST, _NEEDED, _LEAST = -2.0 * _GRAVITY, 0.5 * _GRAVITY, 0.1
"""The energy of hanging still, and the least with which the tip can be as high as it has to."""
_WHITE, _GREY, _BLUE, _GREEN = (255, 255, 255), (90, 90, 90), (40, 80, 220), (120, 200, 120)
_VIEW = (-2.2, 2.2, 2.2, -2.2)


@world("SparseAcrobot")
def acrobot() -> Rules:
    """Acrobot-v1 of Gymnasium, step for step, but for a torque from -1 to 1 and the reward: 1 when the tip is up.

    Two links of length 1 and mass 1 hang from a joint; the torque acts between them. An episode lasts up to 500 steps
    of 0.2 s. Success is a tip higher than 1 above the joint. The potential is ``-0.1 - 0.9 m``: m is the part of the
    energy that is missing, from hanging still to the least with which the tip is up. A success has 0.
    """
    return Rules(
        name="SparseAcrobot",
        goal="swing the free end up to a link's length above the joint",
        state=("first angle", "second angle", "first speed", "second speed"),
        begin=_begin,
        step=_step,
        observe=_observe,
        observed=("first cos", "first sin", "second cos", "second sin", "first speed", "second speed"),
        observation_low=(-1.0, -1.0, -1.0, -1.0, -13.0, -29.0),
        observation_high=(1.0, 1.0, 1.0, 1.0, 13.0, 29.0),
        actions=("torque",),
        limit=500,
        descriptor=_describe,
        described=("tip x", "tip y"),
        descriptor_low=(-2.0, -2.0),
        descriptor_high=(2.0, 2.0),
        potential=_potential,
        paint=_paint,
        random_return=_RANDOM,
        optimal_return=1.0,
    )


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    for i in range(4):
        state[i] = between(draws, -0.1, 0.1)


@part
def _accelerations(angle_1, angle_2, speed_1, speed_2, torque):  # type: ignore[no-untyped-def]
    """Sutton and Barto's equations, with masses and lengths 1, centres at half the lengths, moments of inertia 1."""
    cos, sin = math.cos(angle_2), math.sin(angle_2)
    d_1, d_2 = 3.5 + cos, 1.25 + 0.5 * cos
    fall_2 = 0.5 * _GRAVITY * math.cos(angle_1 + angle_2 - 0.5 * math.pi)
    fall_1 = (
        -0.5 * speed_2 * speed_2 * sin
        - speed_2 * speed_1 * sin
        + 1.5 * _GRAVITY * math.cos(angle_1 - 0.5 * math.pi)
        + fall_2
    )
    second = (torque + d_2 / d_1 * fall_1 - 0.5 * speed_1 * speed_1 * sin - fall_2) / (1.25 - d_2 * d_2 / d_1)
    return -(d_2 * second + fall_1) / d_1, second


@part
def _wrapped(angle):  # type: ignore[no-untyped-def]
    while angle > math.pi:
        angle -= 2.0 * math.pi
    while angle < -math.pi:
        angle += 2.0 * math.pi
    return angle


@part
def _is_up(state):  # type: ignore[no-untyped-def]
    return -math.cos(state[_ANGLE_1]) - math.cos(state[_ANGLE_1] + state[_ANGLE_2]) > 1.0


@part
def _step(state, action, left, draws):  # type: ignore[no-untyped-def]
    """One step of Runge and Kutta's fourth order."""
    a, b, u, v, torque, half = state[0], state[1], state[2], state[3], action[0], 0.5 * _STEP
    du_1, dv_1 = _accelerations(a, b, u, v, torque)
    u_2, v_2 = u + half * du_1, v + half * dv_1
    du_2, dv_2 = _accelerations(a + half * u, b + half * v, u_2, v_2, torque)
    u_3, v_3 = u + half * du_2, v + half * dv_2
    du_3, dv_3 = _accelerations(a + half * u_2, b + half * v_2, u_3, v_3, torque)
    u_4, v_4 = u + _STEP * du_3, v + _STEP * dv_3
    du_4, dv_4 = _accelerations(a + _STEP * u_3, b + _STEP * v_3, u_4, v_4, torque)
    sixth = _STEP / 6.0
    state[_ANGLE_1] = _wrapped(a + sixth * (u + 2.0 * u_2 + 2.0 * u_3 + u_4))
    state[_ANGLE_2] = _wrapped(b + sixth * (v + 2.0 * v_2 + 2.0 * v_3 + v_4))
    u += sixth * (du_1 + 2.0 * du_2 + 2.0 * du_3 + du_4)
    v += sixth * (dv_1 + 2.0 * dv_2 + 2.0 * dv_3 + dv_4)
    state[_SPEED_1] = min(max(u, -_FASTEST_1), _FASTEST_1)
    state[_SPEED_2] = min(max(v, -_FASTEST_2), _FASTEST_2)
    if _is_up(state):
        return 1.0, SUCCESS
    return 0.0, PLAYING


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = math.cos(state[_ANGLE_1]), math.sin(state[_ANGLE_1])
    out[2], out[3] = math.cos(state[_ANGLE_2]), math.sin(state[_ANGLE_2])
    out[4], out[5] = state[_SPEED_1], state[_SPEED_2]


@part
def _describe(state, out):  # type: ignore[no-untyped-def]
    one, both = state[_ANGLE_1], state[_ANGLE_1] + state[_ANGLE_2]
    out[0], out[1] = math.sin(one) + math.sin(both), -math.cos(one) - math.cos(both)


@part
def _energy(state):  # type: ignore[no-untyped-def]
    cos, u, v = math.cos(state[_ANGLE_2]), state[_SPEED_1], state[_SPEED_2]
    moving = 0.5 * (3.5 + cos) * u * u + (1.25 + 0.5 * cos) * u * v + 0.625 * v * v
    return moving - _GRAVITY * (1.5 * math.cos(state[_ANGLE_1]) + 0.5 * math.cos(state[_ANGLE_1] + state[_ANGLE_2]))


@part
def _potential(state):  # type: ignore[no-untyped-def]
    if _is_up(state):
        return 0.0
    missing = min(max((_NEEDED - _energy(state)) / (_NEEDED - _REST), 0.0), 1.0)
    return -_LEAST - (1.0 - _LEAST) * missing


@part
def _paint(state, image):  # type: ignore[no-untyped-def]
    clear(image, _WHITE)
    segment(image, _VIEW, -2.2, 1.0, 2.2, 1.0, 0.05, _GREEN)
    one, both = state[_ANGLE_1], state[_ANGLE_1] + state[_ANGLE_2]
    x, y = math.sin(one), -math.cos(one)
    tip_x, tip_y = x + math.sin(both), y - math.cos(both)
    segment(image, _VIEW, 0.0, 0.0, x, y, 0.15, _GREY)
    segment(image, _VIEW, x, y, tip_x, tip_y, 0.15, _GREY)
    disc(image, _VIEW, tip_x, tip_y, 0.15, _BLUE)
