"""The control worlds' kernels: stepped through in Numba's simulator, and where there is a device, on it.

The simulator runs the parts as the Python that they are; what it writes is compared with what the compiled loops write.
Whole numbers, flags and random numbers are equal. Real ones agree within rounding.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

import potentia  # noqa: F401 - registers the worlds
from potentia.compiling import kernels
from potentia.compiling.linking import linked
from potentia.envs.control import ControlVectorEnv, CudaControlVectorEnv, CudaPolicyVectorEnv, PolicyVectorEnv
from tests.envs.control.test_policies import SLIDE
from tests.envs.grid.test_cuda import WHERE, Kept, flat, there
from tests.staying import StaysOnDevice

KEYS = ("success", "descriptor", "area", "subgoals", "potential", "progress")
WORLDS, STEPS = 3, 12
CASES = {"HardMaze": 7, "RedundantArm": 5, "SparseReacher": 6, "SparseMountainCar": 6, "SLIDE": 9}
"""Worlds, one with choices and chance among them, and short limits: episodes end, and begin anew by chance."""
POLICIES = {"HardMaze": 12, "SparseAcrobot": 6, "SLIDE": 30}
Make = Callable[..., Any]
Guard = Callable[[], AbstractContextManager[Any]]


def worlds_of(name: str) -> Any:
    return SLIDE if name == "SLIDE" else name


def actions_of(name: str, envs: Any) -> Any:
    """Some actions are out of bounds, and in the world with choices some worlds succeed and one fails."""
    if name == "SLIDE":
        return np.array([2, 2, 0])
    return envs.action_space.sample() * (2 if name == "RedundantArm" else 1)


def keep(kept: Kept, name: str, given: Any) -> None:
    kept |= flat(dict(enumerate(given)), name)


def play(make: Make, put: Callable[[Any], Any], guard: Guard) -> Kept:
    """All that is given back in all modes. Nothing is copied before the end, so that what is written later shows."""
    kept: Kept = {}
    for name, limit in CASES.items():
        for mode in AutoresetMode:
            envs = make(ControlVectorEnv, worlds_of(name), WORLDS, time_limit=limit, autoreset_mode=mode)
            envs.ask(set(KEYS).intersection(envs.offered_keys))
            envs.action_space.seed(3)
            where = f"{name} {mode.value}"
            keep(kept, f"{where} reset", envs.reset(seed=[5, 6, 5]))
            for t in range(STEPS):
                actions = put(actions_of(name, envs))
                with guard():
                    given = envs.step(actions)
                    keep(kept, f"{where} {t}", given)
                done = given[2] | given[3]
                if mode is AutoresetMode.DISABLED and bool(done.any()):
                    with guard():
                        keep(kept, f"{where} {t} anew", envs.reset(options={"reset_mask": done}))
            saved, other = envs.save(), copy.deepcopy(envs)
            keep(kept, f"{where} saved", saved)
            keep(kept, f"{where} later", other.step(actions)[:4])
            keep(kept, f"{where} restored", envs.restore(saved))
            keep(kept, f"{where} again", envs.step(actions)[:4])
    return kept


def evaluate(make: Make, put: Callable[[Any], Any], guard: Guard) -> Kept:
    """The same of policies: the episodes of genomes, twice in each mode."""
    kept: Kept = {}
    for name, limit in POLICIES.items():
        for mode in AutoresetMode:
            envs = make(
                PolicyVectorEnv, worlds_of(name), WORLDS, hidden=(4,), time_limit=limit, path_length=5,
                autoreset_mode=mode, shared_bias=name == "SLIDE",
            )  # fmt: skip
            envs.ask({"subgoals", "progress", "path"}.intersection(envs.offered_keys))
            envs.action_space.seed(4)
            where = f"{name} {mode.value}"
            keep(kept, f"{where} reset", envs.reset(seed=8))
            for t in range(4):
                genomes = put(envs.action_space.sample())
                with guard():
                    given = envs.step(genomes)
                    keep(kept, f"{where} {t}", given)
                    if mode is AutoresetMode.DISABLED:
                        keep(kept, f"{where} {t} anew", envs.reset(options={"reset_mask": given[2]}))
    return kept


def on_device(what: Callable[..., Kept]) -> Kept:
    device = CudaControlVectorEnv("SparseReacher").device

    def make(cls: Make, world: Any, num_envs: int, **options: Any) -> Any:
        envs = cls(world, num_envs, device="cuda", **options)
        assert isinstance(envs, CudaControlVectorEnv)
        assert isinstance(envs, CudaPolicyVectorEnv) == (cls is PolicyVectorEnv)
        return envs

    kept = what(make, lambda x: torch.from_numpy(x).to(device), lambda: StaysOnDevice(device.type))
    return {path: part.cpu().numpy() for path, part in kept.items()}


def played_there() -> Kept:
    return on_device(play)


def evaluated_there() -> Kept:
    return on_device(evaluate)


def check(kept: Kept, wanted: Kept) -> tuple[int, int, int]:
    """Compares all that the CPU gives. Returns how many steps paid, terminated and truncated."""
    ended = {path.removesuffix("/4/_final_obs"): part for path, part in wanted.items() if path.endswith("_final_obs")}
    for path, part in wanted.items():
        got = kept.pop(path)
        rows = ended[path.partition("/")[0]] if "/final_" in path else np.ones(WORLDS, bool)
        assert got.dtype == (np.int64 if part.dtype == np.uint64 else part.dtype), path
        if part.dtype.kind == "f":
            bound = 1e-6 if part.dtype == np.float32 else 1e-11
            np.testing.assert_allclose(got[rows], part[rows], rtol=bound, atol=bound, err_msg=path)
        else:
            np.testing.assert_array_equal(got.view(part.dtype)[rows], part[rows], path)
    left = {path.split("/")[2] for path in kept}  # where none ended, the device tells so in a mask
    assert left <= {"final_obs", "final_info", "_final_obs", "_final_info"}
    assert not any(part.any() for path, part in kept.items() if "/_final_obs" in path)
    paid, terminated, truncated = (
        sum(int((part != 0).sum()) for path, part in wanted.items() if path.endswith(f"/{k}")) for k in (1, 2, 3)
    )
    return paid, terminated, truncated


@WHERE
def test_the_kernels_play_what_the_compiled_loops_play(tmp_path: Path, environment: dict[str, str]) -> None:
    """Observations, rewards, ends, infos, final ones, states, copies; and the host never waited for the device."""
    kept = there(tmp_path / "kept.npz", "played_there", **environment, module=__name__)
    wanted = play(lambda cls, *args, **options: cls(*args, **options), lambda x: x, nullcontext)
    paid, terminated, truncated = check(kept, wanted)
    assert min(paid, terminated) > WORLDS * len(AutoresetMode)
    assert truncated > WORLDS * len(AutoresetMode) * (len(CASES) - 1)


@WHERE
def test_the_kernel_plays_the_episodes_of_policies(tmp_path: Path, environment: dict[str, str]) -> None:
    kept = there(tmp_path / "kept.npz", "evaluated_there", **environment, module=__name__)
    wanted = evaluate(lambda cls, *args, **options: cls(*args, **options), lambda x: x, nullcontext)
    paid, terminated, truncated = check(kept, wanted)
    assert (terminated, truncated) == (WORLDS * (4 + 4 + 2) * len(POLICIES), 0)
    assert 0 < paid < terminated


def step_there(cls: Make, **options: Any) -> None:
    envs = cls("HardMaze", 2, device="cuda", **options)
    envs.reset(seed=0)
    envs.step(np.zeros((2, 3), np.float32))


def refused_there() -> Kept:
    messages = {}
    cases: dict[str, tuple[Make, dict[str, Any]]] = {
        "picture": (ControlVectorEnv, {"render_mode": "rgb_array"}),
        "key": (ControlVectorEnv, {"info_keys": ("caption",)}),
        "actions": (ControlVectorEnv, {}),
        "genes": (PolicyVectorEnv, {}),
    }
    for name, (cls, options) in cases.items():
        with pytest.raises(ValueError, match="must") as refused:
            step_there(cls, **options)
        messages[name] = np.array(str(refused.value))
    return messages


@WHERE
def test_what_a_device_cannot_give_is_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    messages = there(tmp_path / "kept.npz", "refused_there", **environment, module=__name__)
    assert "render_mode must be None, got 'rgb_array'" in str(messages["picture"])
    assert "got ['caption']" in str(messages["key"])
    assert "must have shape (2, 2), got (2, 3)" in str(messages["actions"])
    assert "must be genomes of shape (2, 72)" in str(messages["genes"])


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: CudaControlVectorEnv("HardMaze", device="cpu"), ValueError, "must be a CUDA device .* got 'cpu'"),
        (lambda: ControlVectorEnv("HardMaze", device="mps"), ValueError, "must be a CUDA device .* got 'mps'"),
        (lambda: type("Own", (ControlVectorEnv,), {})("HardMaze", device="cuda"), TypeError, "Own is on the CPU alone"),
    ],
)
def test_what_is_refused(make: Callable[[], object], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


@pytest.mark.skipif(torch.cuda.is_available(), reason="a CUDA device")
@pytest.mark.parametrize("name", ["HardMaze", "HardMazePolicies"])
def test_without_a_device_the_error_says_what_to_do(name: str) -> None:
    with pytest.raises(RuntimeError, match=r"pip install 'potentia\[cuda\]', or use device=\"cpu\""):
        gym.make_vec(f"potentia/{name}-v0", 2, device="cuda")


def test_arrays_that_constant_memory_has_no_room_for_become_device_arrays(monkeypatch: pytest.MonkeyPatch) -> None:
    """A kernel's constants have 64 KB. The potential of the maze knows a table of 190 KB, and calls other parts."""
    potential = ControlVectorEnv("HardMaze").rules.potential
    assert potential is not None
    sizes: list[int] = []

    def put(array: np.ndarray[Any, Any]) -> Any:
        sizes.append(array.nbytes)
        return array

    linked(potential, put=put)
    assert max(sizes) > 2**16
    assert len(sizes) == 3  # the table; centres and squares of radii, in the part that it calls
    monkeypatch.setattr(kernels.cuda, "to_device", lambda array: ("there", array.nbytes))
    small, large = np.zeros(2), np.zeros(1000)
    assert kernels._table(small) is small
    assert kernels._table(large) == ("there", 8000)
