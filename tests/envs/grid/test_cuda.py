"""The rules compiled for CUDA: stepped through in Numba's simulator, and where there is a device, on it.

The simulator runs the rules as the Python that they are (nothing is compiled); what it writes is compared with what the
compiled rules write here.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

from potentia.agents.grid import GridPPOConfig, device_loop
from potentia.envs.grid import LEVELS, CudaGridVectorEnv, GridVectorEnv, GridWorlds
from potentia.envs.grid.cuda import CudaGridWorlds
from potentia.envs.grid.cuda_env import keys_there
from potentia.envs.grid.worlds import NEXT_STEP, SAME_STEP
from tests.staying import StaysOnDevice

NAMES = [
    "DoorKey-5x5", "KeyCorridorS3R2", "ObstructedMaze-1Dlhb", "Dynamic-Obstacles-5x5", "Fetch-5x5-N2", "PutNear-6x6-N2",
    "MemoryS7", "RedBlueDoors-6x6", "MultiRoom-N2-S4", "LavaCrossingS9N2", "GoToDoor-5x5", "LockedRoom",
]  # fmt: skip
WITH_INFO = [
    "DoorKey-5x5", "LavaGapS5", "KeyCorridorS3R1", "RedBlueDoors-6x6", "Dynamic-Obstacles-5x5", "Fetch-5x5-N2",
    "ObstructedMaze-1Dlhb",
]  # fmt: skip
WORLDS, STEPS, LIMIT = 3, 30, 12
SIMULATED = {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}
Kept = dict[str, Any]


def actions_of(name: str) -> np.ndarray[Any, Any]:
    return np.random.default_rng(0).choice([0, 1, 2, 2, 3, 4, 5], (STEPS, WORLDS))


def there(path: Path, function: str, module: str = __name__, **environment: str) -> Kept:
    """What a function of a module of tests gives in another process, with another environment."""
    program = f"import sys, numpy, {module}; numpy.savez(sys.argv[1], **sys.modules[{module!r}].{function}())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program, str(path)], env=os.environ | environment, capture_output=True,
        text=True, timeout=600, check=False, cwd=Path(__file__).parents[3],
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    with np.load(path) as kept:
        return dict(kept)


WHERE = pytest.mark.parametrize(
    "environment",
    [
        pytest.param(SIMULATED, id="simulator"),
        pytest.param({}, id="device", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
    ],
)


def worlds_there() -> Kept:
    kept = {}
    for name in NAMES:
        for mode in (NEXT_STEP, SAME_STEP):
            worlds = CudaGridWorlds(LEVELS[name], WORLDS, mode, LIMIT)
            worlds.seed(list(range(WORLDS)))
            worlds.reset()
            for t, actions in enumerate(actions_of(name)):
                worlds.step(torch.from_numpy(actions).to(worlds.device))
                parts = [*worlds.out[:6], *worlds.state[:4]]
                kept |= {f"{name} {mode} {t} {k}": part.cpu().numpy().copy() for k, part in enumerate(parts)}
    return kept


@WHERE
def test_the_kernels_play_what_the_cpu_plays(tmp_path: Path, environment: dict[str, str]) -> None:
    kept, compared = there(tmp_path / "kept.npz", "worlds_there", **environment), 0
    for name in NAMES:
        for mode in (NEXT_STEP, SAME_STEP):
            worlds = GridWorlds(LEVELS[name], WORLDS, mode, LIMIT)
            for n in range(WORLDS):
                worlds.seed(n, n)
            worlds.reset()
            for t, actions in enumerate(actions_of(name)):
                assert worlds.step(actions)
                ended = worlds.out.terminated | worlds.out.truncated
                for k, part in enumerate((*worlds.out[:6], *worlds.state[:4])):
                    other = kept[f"{name} {mode} {t} {k}"].view(part.dtype)
                    rows = ended if k == 1 and mode == SAME_STEP else np.full(WORLDS, k != 1)  # final images
                    assert (part[rows] == other[rows]).all(), (name, mode, t, k)
                    compared += int(rows.sum())
    assert compared > 9 * len(NAMES) * STEPS * WORLDS


def flat(value: Any, path: str) -> Kept:
    """The arrays and tensors within, by where they are."""
    if isinstance(value, dict):
        return {where: part for key, inner in value.items() for where, part in flat(inner, f"{path}/{key}").items()}
    return {path: value}


def play(
    make: Callable[..., GridVectorEnv], put: Callable[[Any], Any], guard: Callable[[], AbstractContextManager[Any]]
) -> Kept:
    """All that is given back in all modes; nothing is copied before the end, so that what is written later shows."""
    kept: Kept = {}
    for name in WITH_INFO:
        keys = keys_there(LEVELS[name])
        for mode in AutoresetMode:
            envs = make(name, WORLDS, info_keys=keys, autoreset_mode=mode, max_steps=LIMIT)
            kept |= flat(dict(enumerate(envs.reset(seed=5))), f"{name} {mode} reset")
            for t, actions in enumerate(put(actions_of(name) % envs.single_action_space.n)):
                with guard():
                    given = envs.step(actions)
                    kept |= flat(dict(enumerate(given)), f"{name} {mode} {t}")
                done = given[2] | given[3]
                if mode is AutoresetMode.DISABLED and bool(done.any()):
                    with guard():
                        begun = envs.reset(options={"reset_mask": done})
                        kept |= flat(dict(enumerate(begun)), f"{name} {mode} {t} anew")
    return kept


def environments_there() -> Kept:
    device = CudaGridVectorEnv("Empty-5x5").device
    kept = play(CudaGridVectorEnv, lambda x: torch.from_numpy(x).to(device), lambda: StaysOnDevice(device.type))
    return {path: part.cpu().numpy() for path, part in kept.items()}


@WHERE
def test_the_environment_is_that_of_the_cpu_in_all_modes(tmp_path: Path, environment: dict[str, str]) -> None:
    """Observations, rewards, ends, infos and final ones; and the host never waited for the device."""
    kept = there(tmp_path / "kept.npz", "environments_there", **environment)
    wanted = play(GridVectorEnv, lambda x: x, nullcontext)
    ended = {path.removesuffix("/4/_final_obs"): part for path, part in wanted.items() if path.endswith("_final_obs")}
    assert sum(int(rows.sum()) for rows in ended.values()) >= 2 * WORLDS * len(WITH_INFO)
    distances = {number for path, part in wanted.items() if path.endswith("/distance") for number in part}
    assert len(distances) > 15
    for path, part in wanted.items():
        got = kept.pop(path)
        rows = ended[path.partition("/")[0]] if "/final_" in path else np.ones(WORLDS, bool)
        assert got.dtype == part.dtype, path
        np.testing.assert_array_equal(got[rows], part[rows], path)
    left = {path.split("/")[2] for path in kept}  # where none ended, the device tells so in a mask
    assert left == {"final_obs", "final_info", "_final_obs", "_final_info"}
    assert not any(part.any() for path, part in kept.items() if path.endswith("_final_obs") and "/_final_obs" in path)


def searches_there() -> Kept:
    """The searches for distances one after the other in the only row of scratch; also that of PPO's own steps."""
    kept = {}
    for name in ("DoorKey-5x5", "KeyCorridorS3R2"):
        worlds = CudaGridWorlds(LEVELS[name], 4, measured=True, scratch_bytes=1)
        worlds.seed(list(range(4)))
        worlds.reset()
        kept[name] = worlds.description.table.cpu().numpy().copy()
    envs = CudaGridVectorEnv("Empty-5x5", 4, info_keys=())
    loop = device_loop(envs, GridPPOConfig(shared=False), num_steps=4, gamma=0.99)
    kept["losses"] = np.array([float(loss) for loss in loop.iterate().learned.values()])
    return kept


@WHERE
def test_little_scratch_is_enough_and_ppo_learns_there(tmp_path: Path, environment: dict[str, str]) -> None:
    kept = there(tmp_path / "kept.npz", "searches_there", **environment)
    for name in ("DoorKey-5x5", "KeyCorridorS3R2"):
        worlds = GridWorlds(LEVELS[name], 4, measured=True)
        for n in range(4):
            worlds.seed(n, n)
        worlds.reset()
        assert (worlds.description.table > 0).sum() > 50
        np.testing.assert_array_equal(kept[name], worlds.description.table)
    assert np.isfinite(kept["losses"]).all()
    assert kept["losses"].size > 1


def refusals_there() -> Kept:
    """What is said of keys that there can't be on a device: captions are written in Python."""
    said = {}
    for level, key in (("Empty-5x5", "caption"), ("Playground", "distance")):
        with pytest.raises(ValueError, match="info_keys must be among") as refused:
            CudaGridVectorEnv(level, info_keys=(key,))
        said[level] = np.array(str(refused.value))
    return said


@WHERE
def test_keys_that_a_device_cannot_give_are_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    said = there(tmp_path / "kept.npz", "refusals_there", **environment)
    assert "got ['caption']" in str(said["Empty-5x5"])
    assert "got ['distance']" in str(said["Playground"])


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda: CudaGridVectorEnv("Empty-5x5", device="cpu"), ValueError, "must be a CUDA device .* got 'cpu'"),
        (lambda: CudaGridVectorEnv("Empty-5x5", 0), ValueError, "num_envs must be at least 1, got 0"),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device")
def test_without_a_device_the_error_says_what_to_do() -> None:
    with pytest.raises(RuntimeError, match=r"pip install 'potentia\[cuda\]', or use GridVectorEnv"):
        CudaGridVectorEnv("Empty-5x5")
