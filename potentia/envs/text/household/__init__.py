"""Household tasks in ALFWorld's language and by its rules, in plain Python."""

from __future__ import annotations

import os

from potentia.envs.text.forms import register_text_world
from potentia.envs.text.household.house import House
from potentia.envs.text.household.room import Room
from potentia.envs.text.household.tasks import TASKS, Goal
from potentia.envs.text.household.world import Household

__all__ = ["TASKS", "Goal", "House", "Household", "Room", "register"]


def register() -> None:
    """Register ``potentia/Household-<task>-v0``, and ``potentia/Household-v0``, which draws among all six tasks.

    Where ``ALFWORLD_DATA`` is set, ``potentia/ALFWorld-<task>-v0`` and ``potentia/ALFWorld-v0`` play the real games.
    """
    maker = "potentia.envs.text.household.world:make_household"
    register_text_world("Household", maker, task="any")
    for task in TASKS:
        register_text_world(f"Household-{task}", maker, task=task)
    if os.environ.get("ALFWORLD_DATA"):
        maker = "potentia.envs.text.household.original:make_alfworld"
        register_text_world("ALFWorld", maker, task="any")
        for task in TASKS:
            register_text_world(f"ALFWorld-{task}", maker, task=task)
