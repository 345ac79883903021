"""The way through the hard maze to an area, as actions: down the lengths of shortest ways."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from potentia.envs.control.hard_maze import WALLS
from potentia.envs.control.loops import DISABLED
from potentia.envs.control.rules import Rules
from potentia.envs.control.walls import distances_to_walls
from potentia.envs.control.worlds import ControlWorlds

__all__ = ["way_through"]

_LOOK, _DIRECTIONS = 12.0, 48
"""How far ahead the robot compares lengths, and in how many directions."""
_ROOM = 10.5
"""How far from a wall it keeps where it can: half a unit more than it must."""
_TURN = 0.1
"""The most radians that it turns in a step."""


def way_through(rules: Rules) -> NDArray[np.float64]:
    """Actions ``(T, 2)`` that lead the robot from the start to the middle of the maze's one area.

    They are found by driving it there, in a world of its own: nothing in the maze is left to chance.

    Raises:
        RuntimeError: If it does not arrive.
    """
    world, around = ControlWorlds(rules, 1, DISABLED), ControlWorlds(rules, _DIRECTIONS, DISABLED)
    world.begin(np.ones(1, bool))
    angles = np.linspace(-math.pi, math.pi, _DIRECTIONS, endpoint=False)
    ring = _LOOK * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centre = np.array(rules.areas[0].centre)
    actions: list[tuple[float, float]] = []
    for _ in range(rules.limit - 1):
        place, heading = world.state[0, :2], world.state[0, 2]
        away = centre - place
        if np.linalg.norm(away) < 1.0:
            return np.array(actions)
        if world.inside[0] < 0:
            around.state[:, :2] = place + ring
            along = place + ring[:, None] * np.linspace(0.25, 1.0, 4)[:, None]
            room = distances_to_walls(along, WALLS).min(axis=(1, 2))
            away = ring[np.where(room >= _ROOM, around.info(("potential",))["potential"], room - 100.0).argmax()]
        turn = (math.atan2(away[1], away[0]) - heading + math.pi) % (2.0 * math.pi) - math.pi
        turns = min(max(turn / _TURN, -1.0), 1.0)
        ahead = min(max(math.cos(turn), 0.0), 1.0 - abs(turns)) if abs(turn) > _TURN / 2 else 1.0 - abs(turns)
        actions.append((ahead + turns, ahead - turns))
        world.step(np.array([actions[-1]]))
    raise RuntimeError(f"the robot did not find the way to the {rules.areas[0].name} area; it got to {world.state[0]}")
