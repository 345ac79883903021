"""MiniHack levels from a user's own des-file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.testing import check_env

pytest.importorskip("minihack")

ROOM = """MAZE: "mylevel", ' '
FLAGS:noteleport,hardfloor
GEOMETRY:center,center
MAP
-------
|.....|
|.....|
|.....|
-------
ENDMAP
REGION:(0,0,6,4),lit,"ordinary"
BRANCH:(1,1,1,1),(0,0,0,0)
STAIR:(5,1),down
"""
EAST = 1


def room(**options: Any) -> gym.Env[Any, Any]:
    return gym.make("potentia/MiniHack-Navigation-Custom-v0", des_file=ROOM, **options)


def test_the_distance_leads_to_the_stairs(tmp_path: Path) -> None:
    file = tmp_path / "room.des"
    file.write_text(ROOM, encoding="utf-8")
    env = gym.make("potentia/MiniHack-Navigation-Custom-v0", des_file=str(file), info_keys="all")
    _, info = env.reset(seed=0)
    seen = [float(info["distance"])]
    for _ in range(4):
        _, _, terminated, _, info = env.step(EAST)
        seen.append(float(info["distance"]))
    assert seen == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert terminated
    assert info["success"]


def test_it_keeps_the_rules_of_worlds() -> None:
    check_env(room, episodes=2, max_steps=40)


def test_a_level_is_needed_and_must_compile() -> None:
    with pytest.raises(ValueError, match=r"MiniHack-Skill-Custom-v0 has no level of its own: give des_file"):
        gym.make("potentia/MiniHack-Skill-Custom-v0")
    with pytest.raises(ValueError, match="compile"):
        gym.make("potentia/MiniHack-Navigation-Custom-v0", des_file="MAZE: nonsense").reset(seed=0)
