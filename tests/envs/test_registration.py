"""Registering: complete, idempotent, and without importing a simulator."""

from __future__ import annotations

import subprocess
import sys

import gymnasium as gym

from potentia.envs import register_envs


def test_registering_again_changes_nothing() -> None:
    register_envs()
    before = dict(gym.registry)
    register_envs()
    assert dict(gym.registry) == before
    for name in ("Chain", "DeepSea", "LoopTrap", "RandomMDP", "KeyRooms", "FrozenLake8x8", "DoorKey-8x8"):
        assert f"potentia/{name}-v0" in gym.registry


def test_the_module_notation_registers_and_imports_no_simulator() -> None:
    """In a fresh process: making one world loads nothing that only the others need."""
    code = (
        "import sys, gymnasium;"
        "gymnasium.make('potentia:potentia/Chain-v0');"
        "assert 'potentia/DoorKey-8x8-v0' in gymnasium.registry;"
        "heavy = {'minigrid', 'minihack', 'nle'} & set(sys.modules);"
        "assert not heavy, heavy"
    )
    subprocess.run([sys.executable, "-W", "error::UserWarning", "-c", code], check=True, timeout=60)
