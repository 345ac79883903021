"""The loops of the grid worlds: the same game interpreted and compiled, and how soon a new installation plays it."""

from __future__ import annotations

import datetime
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentia.compiling import Compiled
from potentia.envs.grid import GridWorlds
from potentia.envs.grid.levels import LEVELS, NAMES
from potentia.envs.grid.loops import SAME_STEP, note_reset_loop, observe_loop

FIRST_OF_FAMILY = list({LEVELS[name].family.name: name for name in reversed(NAMES)}.values())
EVERYTHING = os.environ.get("POTENTIA_TEST_ALL") == "1"
"""To compile all families takes a minute where nothing is kept yet, so that each day others have their turn."""
TODAY = datetime.date.today().toordinal()


def some(names: list[str], number: int) -> list[str]:
    """All, or so many of them, each day others."""
    turn = number * TODAY % len(names)
    return names if EVERYTHING else (names + names)[turn : turn + number]


def loops_of(worlds: GridWorlds) -> list[Compiled]:
    return [worlds._step, worlds._draw, worlds._note_step, worlds._solve, observe_loop, note_reset_loop]


def played(worlds: GridWorlds) -> list[bytes]:
    """All that is written while three worlds play 80 steps."""
    level = worlds.level
    for n in range(3):
        worlds.seed(n, n)
    worlds.reset()
    rng = np.random.default_rng(0)
    seen = []
    for _ in range(80):
        actions = rng.choice([0, 1, 2, 2, 2, 3, 4, 5, 5] if level.actions == 7 else [0, 1, 2, 2], 3)
        assert worlds.step(actions)
        seen += [part.tobytes() for part in (*worlds.state, *worlds.out, *worlds.description)]
    return seen


@pytest.mark.parametrize("name", some(FIRST_OF_FAMILY, 4))
def test_interpreted_and_compiled_worlds_play_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = (GridWorlds(LEVELS[name], 3, SAME_STEP, described=True, measured=True) for _ in range(2))
    with monkeypatch.context() as patch:
        for loop in loops_of(one):
            patch.setattr(loop, "run", loop.interpret)
        interpreted = played(one)
    for loop in loops_of(other):
        if loop.run == loop._begin:
            loop.compile()
    assert played(other) == interpreted


def seconds_of(program: str, folder: Path) -> tuple[float, str]:
    """CPU seconds that a program takes beyond its imports, where nothing was compiled before, and its stderr."""
    timed = (
        "import time, gymnasium as gym, numpy as np, potentia; begin = time.process_time()\n"
        f"{program}\nprint(time.process_time() - begin)"
    )
    done = subprocess.run(
        [sys.executable, "-c", timed], env=os.environ | {"NUMBA_CACHE_DIR": str(folder)}, capture_output=True,
        text=True, timeout=300, check=True,
    )  # fmt: skip
    return float(done.stdout.split()[-1]), done.stderr


@pytest.mark.parametrize(
    ("name", "keys"), [(name, None) for name in some(list(NAMES), 2)] + [("KeyCorridorS6R3", "all")]
)
def test_the_first_step_of_a_new_installation_takes_three_seconds(name: str, keys: Any, tmp_path: Path) -> None:
    program = f"env = gym.make('potentia/{name}-v0', info_keys={keys!r}); env.reset(seed=0); env.step(0)"
    seconds, said = seconds_of(program, tmp_path)
    assert seconds < 6  # two on a quiet machine; on a busy one a CPU second does less
    assert said == ""


def test_the_first_vector_step_of_a_new_installation_takes_ten_seconds(tmp_path: Path) -> None:
    program = "envs = gym.make_vec('potentia/DoorKey-8x8-v0', 1024, info_keys=('success', 'potential'))\n"
    program += "envs.reset(seed=0); envs.step(np.zeros(1024, int))"
    assert seconds_of(program, tmp_path)[0] < 10
