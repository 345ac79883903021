"""Gymnasium's continuous mountain car with a sparse reward, and the time to the top as its potential."""

from __future__ import annotations

import functools
import math

import numpy as np
from numpy.typing import NDArray

from potentia.compiling import part
from potentia.envs.control.drawing import clear, disc, segment
from potentia.envs.control.draws import between
from potentia.envs.control.rules import PLAYING, SUCCESS, Part, Rules, world

__all__ = ["driven", "mountain_car", "steps_from", "steps_to_top"]

Floats = NDArray[np.float64]

_LEFT, _RIGHT, _TOP = -1.2, 0.6, 0.45
_FASTEST, _POWER, _GRAVITY = 0.07, 0.0015, 0.0025
_POSITION, _VELOCITY = range(2)
_COLUMNS, _ROWS = 121, 113
_RANDOM = 0.0020
"""Measured, within 0.0003, by ``benchmarks/control_anchors.py``."""
_WHITE, _BLACK, _BLUE, _GREEN = (255, 255, 255), (0, 0, 0), (40, 80, 220), (120, 200, 120)
_VIEW = (-1.3, 1.2, 0.7, -0.1)


@world("SparseMountainCar")
def mountain_car() -> Rules:
    """MountainCarContinuous-v0 of Gymnasium, step for step, but for the reward: 1 at the top, and no cost of force.

    An episode lasts up to 999 steps, as Gymnasium's. The potential is the number of steps to the top at full force, by
    value iteration on a grid, as a part of the largest.
    """
    return Rules(
        name="SparseMountainCar",
        goal="drive the car to the top of the hill on the right",
        state=("position", "velocity"),
        begin=_begin,
        step=_step,
        observe=_observe,
        observed=("position", "velocity"),
        observation_low=(_LEFT, -_FASTEST),
        observation_high=(_RIGHT, _FASTEST),
        actions=("force",),
        limit=999,
        descriptor=_observe,
        described=("position", "velocity"),
        descriptor_low=(_LEFT, -_FASTEST),
        descriptor_high=(_RIGHT, _FASTEST),
        potential=_potential_of(),
        paint=_paint,
        random_return=_RANDOM,
        optimal_return=1.0,
    )


@part
def _begin(state, draws):  # type: ignore[no-untyped-def]
    state[_POSITION], state[_VELOCITY] = between(draws, -0.6, -0.4), 0.0


@part
def _step(state, action, left, draws):  # type: ignore[no-untyped-def]
    velocity = state[_VELOCITY] + _POWER * action[0] - _GRAVITY * math.cos(3.0 * state[_POSITION])
    velocity = min(max(velocity, -_FASTEST), _FASTEST)
    position = min(max(state[_POSITION] + velocity, _LEFT), _RIGHT)
    if position == _LEFT and velocity < 0.0:
        velocity = 0.0
    state[_POSITION], state[_VELOCITY] = position, velocity
    if position >= _TOP and velocity >= 0.0:
        return 1.0, SUCCESS
    return 0.0, PLAYING


@part
def _observe(state, out):  # type: ignore[no-untyped-def]
    out[0], out[1] = state[_POSITION], state[_VELOCITY]


@functools.lru_cache(maxsize=1)
def steps_to_top() -> Floats:
    """The least number of steps to the top from ``(velocity, position)`` on a grid of (113, 121) points."""
    position, velocity = np.meshgrid(np.linspace(_LEFT, _RIGHT, _COLUMNS), np.linspace(-_FASTEST, _FASTEST, _ROWS))
    done = _is_up(position, velocity)
    steps = np.where(done, 0.0, 1e3)
    ways = [driven(position, velocity, force) for force in (-1.0, 1.0)]
    known = [(_is_up(*way), *_corners(*way)) for way in ways]
    while True:
        reached = [1.0 + np.where(up, 0.0, (steps.ravel()[index] * weight).sum(axis=0)) for up, index, weight in known]
        better = np.where(done, 0.0, np.minimum(steps, np.minimum(*reached)))
        if np.abs(better - steps).max() < 1e-3:
            return better
        steps = better


def _is_up(position: Floats, velocity: Floats) -> NDArray[np.bool_]:
    return (position >= _TOP) & (velocity >= 0.0)


def driven(position: Floats, velocity: Floats, force: float) -> tuple[Floats, Floats]:
    """Positions and velocities after a step with a force, of arrays of both."""
    speed = np.clip(velocity + _POWER * force - _GRAVITY * np.cos(3.0 * position), -_FASTEST, _FASTEST)
    place = np.clip(position + speed, _LEFT, _RIGHT)
    return place, np.where((place == _LEFT) & (speed < 0.0), 0.0, speed)


def steps_from(position: Floats, velocity: Floats) -> Floats:
    """About how many steps lead to the top, from arrays of both: `steps_to_top` between its points."""
    index, weight = _corners(position, velocity)
    found: Floats = np.where(_is_up(position, velocity), 0.0, (steps_to_top().ravel()[index] * weight).sum(axis=0))
    return found


def _corners(position: Floats, velocity: Floats) -> tuple[NDArray[np.int64], Floats]:
    """The four points of the grid around each place, and their weights, ``(4, rows, columns)``."""
    x = (position - _LEFT) / (_RIGHT - _LEFT) * (_COLUMNS - 1)
    y = (velocity + _FASTEST) / (2.0 * _FASTEST) * (_ROWS - 1)
    column, row = np.minimum(x.astype(np.int64), _COLUMNS - 2), np.minimum(y.astype(np.int64), _ROWS - 2)
    u, v = x - column, y - row
    first = row * _COLUMNS + column
    index = np.stack([first, first + 1, first + _COLUMNS, first + _COLUMNS + 1])
    return index, np.stack([(1 - u) * (1 - v), u * (1 - v), (1 - u) * v, u * v])


def _potential_of() -> Part:
    table = steps_to_top()
    longest = float(table.max())

    @part
    def potential(state):  # type: ignore[no-untyped-def]
        if state[_POSITION] >= _TOP and state[_VELOCITY] >= 0.0:
            return 0.0
        x = (state[_POSITION] - _LEFT) / (_RIGHT - _LEFT) * (_COLUMNS - 1)
        y = (state[_VELOCITY] + _FASTEST) / (2.0 * _FASTEST) * (_ROWS - 1)
        column, row = min(int(x), _COLUMNS - 2), min(int(y), _ROWS - 2)
        u, v = x - column, y - row
        below = (1.0 - u) * table[row, column] + u * table[row, column + 1]
        above = (1.0 - u) * table[row + 1, column] + u * table[row + 1, column + 1]
        return 0.0 - ((1.0 - v) * below + v * above) / longest

    return potential


@part
def _height(position):  # type: ignore[no-untyped-def]
    return 0.55 + 0.45 * math.sin(3.0 * position)


@part
def _paint(state, image):  # type: ignore[no-untyped-def]
    clear(image, _WHITE)
    x = _LEFT
    while x < _RIGHT:
        segment(image, _VIEW, x, _height(x), x + 0.1, _height(x + 0.1), 0.02, _BLACK)
        x += 0.1
    disc(image, _VIEW, _TOP, _height(_TOP) + 0.1, 0.06, _GREEN)
    disc(image, _VIEW, state[_POSITION], _height(state[_POSITION]) + 0.06, 0.06, _BLUE)
