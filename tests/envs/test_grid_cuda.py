"""The rules compiled for CUDA: stepped through in Numba's simulator, and where there is a device, on it.

The simulator runs the rules as the Python that they are (nothing is compiled); what it writes is compared with what the
compiled rules write here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from potentia.envs.grid import LEVELS, GridWorlds
from potentia.envs.grid.worlds import NEXT_STEP, SAME_STEP

NAMES = [
    "DoorKey-5x5", "KeyCorridorS3R2", "ObstructedMaze-1Dlhb", "Dynamic-Obstacles-5x5", "Fetch-5x5-N2", "PutNear-6x6-N2",
    "MemoryS7", "RedBlueDoors-6x6", "MultiRoom-N2-S4", "LavaCrossingS9N2", "GoToDoor-5x5", "LockedRoom",
]  # fmt: skip
WORLDS, STEPS, LIMIT = 3, 30, 12
THERE = f"""
import sys, numpy as np, torch
from potentia.envs.grid import LEVELS
from potentia.envs.grid.cuda import CudaGridWorlds
kept = {{}}
for name in {NAMES}:
    for mode in ({NEXT_STEP}, {SAME_STEP}):
        worlds = CudaGridWorlds(LEVELS[name], {WORLDS}, mode, {LIMIT})
        worlds.seed(list(range({WORLDS})))
        worlds.reset()
        for t, actions in enumerate(np.random.default_rng(0).choice([0, 1, 2, 2, 3, 4, 5], ({STEPS}, {WORLDS}))):
            worlds.step(torch.from_numpy(actions).to(worlds.device))
            parts = [*worlds.out[:6], *worlds.state[:4]]
            kept |= {{f"{{name}} {{mode}} {{t}} {{k}}": part.cpu().numpy().copy() for k, part in enumerate(parts)}}
np.savez(sys.argv[1], **kept)
"""


def there(path: Path, **environment: str) -> Any:
    command = [sys.executable, "-W", "ignore", "-c", THERE, str(path)]
    done = subprocess.run(
        command, env=os.environ | environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return np.load(path)


def compare(kept: Any) -> None:
    compared = 0
    for name in NAMES:
        for mode in (NEXT_STEP, SAME_STEP):
            worlds = GridWorlds(LEVELS[name], WORLDS, mode, LIMIT)
            for n in range(WORLDS):
                worlds.seed(n, n)
            worlds.reset()
            for t, actions in enumerate(np.random.default_rng(0).choice([0, 1, 2, 2, 3, 4, 5], (STEPS, WORLDS))):
                assert worlds.step(actions)
                ended = worlds.out.terminated | worlds.out.truncated
                for k, part in enumerate((*worlds.out[:6], *worlds.state[:4])):
                    other = kept[f"{name} {mode} {t} {k}"].view(part.dtype)
                    rows = ended if k == 1 and mode == SAME_STEP else np.full(WORLDS, k != 1)  # final images
                    assert (part[rows] == other[rows]).all(), (name, mode, t, k)
                    compared += int(rows.sum())
    assert compared > 9 * len(NAMES) * STEPS * WORLDS


def test_the_simulator_plays_what_the_cpu_plays(tmp_path: Path) -> None:
    compare(there(tmp_path / "kept.npz", NUMBA_ENABLE_CUDASIM="1", NUMBA_DISABLE_JIT="1"))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_device_plays_what_the_cpu_plays(tmp_path: Path) -> None:
    compare(there(tmp_path / "kept.npz"))
