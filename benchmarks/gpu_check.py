"""One command for the day that a GPU is at hand: are the worlds on it right, and how fast is the loop?

Grid worlds must be equal to the bit. Control worlds, by themselves and played by policies, must agree within rounding.

``python benchmarks/gpu_check.py`` needs torch, numba, numba-cuda, gymnasium, array-api-compat and this package on the
path, and nothing else. It ends within five minutes, prints one table, and fails (exit status 1) on any mismatch. Levels
that it has no time for are named, and ``--levels NAME ...`` checks those.

``--device cpu`` runs the same code in Numba's simulator, with small numbers: it checks this script, not a GPU.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

_ON_CPU = "cpu" in sys.argv[1:]
if _ON_CPU:
    os.environ |= {"NUMBA_ENABLE_CUDASIM": "1", "NUMBA_DISABLE_JIT": "1"}  # before numba is imported
    warnings.filterwarnings("ignore", "overflow encountered in scalar")  # hashes wrap around, as they should

import numpy as np  # noqa: E402
import torch  # noqa: E402
from gymnasium.spaces import Discrete  # noqa: E402

from potentia.agents.grid import GridPPOConfig, device_loop  # noqa: E402
from potentia.agents.loop import Loop  # noqa: E402
from potentia.envs.control import WORLDS, ControlVectorEnv, PolicyVectorEnv  # noqa: E402
from potentia.envs.grid import LEVELS, CudaGridVectorEnv, GridVectorEnv  # noqa: E402
from potentia.envs.grid.vector import IMAGE_SPACE  # noqa: E402
from potentia.shaping import (  # noqa: E402
    E3B,
    RND,
    Chain,
    Count,
    EpisodicCount,
    EpisodicNovelty,
    NovelD,
    PotentialShaping,
    Shaper,
)

LEVEL = "DoorKey-8x8"
CONTROL_SHARE, PARITY_SHARE, SPEED_SHARE, BONUS_SHARE = 0.25, 0.5, 0.75, 0.9
"""How far into the budget of seconds each part may go; what remains is for learning."""
CONTROL_KEYS = ("success", "descriptor", "area", "subgoals", "potential", "progress", "steps", "path")
ROUNDING = 1e-5
"""By how much real numbers of control worlds may differ: steps of sines and fused products add up."""


class Clock:
    """The seconds of the whole run."""

    def __init__(self, budget: float) -> None:
        self.begin, self.budget = time.perf_counter(), budget

    def within(self, share: float) -> bool:
        """Whether less than a share of the budget is spent."""
        return time.perf_counter() - self.begin < share * self.budget


def differences(name: str, worlds: int, steps: int, device: str) -> tuple[list[str], float]:
    """What differs between the kernels and the CPU in a level, and the seconds until the first step was done."""
    ours = GridVectorEnv(name, worlds)
    keys = tuple(key for key in ours.offered_keys if key != "caption")
    ours.ask(keys)
    begin = time.perf_counter()
    theirs = CudaGridVectorEnv(name, worlds, info_keys=keys, device=device)
    found = _compare("reset", ours.reset(seed=7), theirs.reset(seed=7))
    actions = np.random.default_rng(7).choice([0, 1, 2, 2, 3, 4, 5], (steps, worlds))
    first = 0.0
    for t, action in enumerate(actions):
        found += _compare(f"step {t}", ours.step(action), theirs.step(torch.as_tensor(action, device=theirs.device)))
        first = first or time.perf_counter() - begin
    return found, first


def control_differences(cls: type[ControlVectorEnv], name: str, worlds: int, steps: int) -> tuple[list[str], float]:
    """The same of a control world, or of the policies in one, whose numbers may be rounded otherwise."""
    options: dict[str, Any] = {"autoreset_mode": "NextStep", "time_limit": steps}
    ours = cls(name, worlds, **options)
    ours.ask(set(CONTROL_KEYS).intersection(ours.offered_keys))
    ours.action_space.seed(7)
    begin, first = time.perf_counter(), 0.0
    # Numba's simulator is asked for by the same name.
    theirs: Any = cls(name, worlds, info_keys=ours.info_keys, device="cuda", **options)
    found = _compare("reset", ours.reset(seed=7), theirs.reset(seed=7), within=ROUNDING)
    for t in range(4 if cls is PolicyVectorEnv else 2 * steps):
        action = ours.action_space.sample()
        given = theirs.step(torch.as_tensor(action, device=theirs.device))
        found += _compare(f"step {t}", ours.step(action), given, within=ROUNDING)
        first = first or time.perf_counter() - begin
    return found, first


def _compare(where: str, one: Any, other: Any, path: str = "", within: float = 0.0) -> list[str]:
    if isinstance(one, dict):
        return [line for key in one for line in _compare(where, one[key], other[key], f"{path}.{key}", within)]
    if isinstance(one, tuple):
        return [
            line
            for i, pair in enumerate(zip(one, other, strict=True))
            for line in _compare(where, *pair, f"[{i}]", within)
        ]
    got = other.cpu().numpy() if isinstance(other, torch.Tensor) else np.asarray(other)
    wanted = np.asarray(one).astype(got.dtype)
    if got.dtype.kind != "f":
        return [] if np.array_equal(wanted, got) else [f"{where}{path}"]
    same = got.shape == wanted.shape and np.allclose(got, wanted, rtol=within, atol=within, equal_nan=True)
    return [] if same else [f"{where}{path}"]


def parity(names: list[str], clock: Clock, worlds: int, steps: int, device: str) -> Iterator[tuple[str, str]]:
    """A row for each level: state, observation, reward, hash and distance against the CPU, and the compile time."""
    for name in names:
        if not clock.within(PARITY_SHARE):
            yield f"parity {name}", "not reached"
            continue
        yield f"parity {name}", _verdict(*differences(name, worlds, steps, device))


def control_parity(names: list[str], clock: Clock, worlds: int, steps: int) -> Iterator[tuple[str, str]]:
    """Two rows for each control world, by itself and with policies as actions."""
    for name in names:
        for form, cls in (("", ControlVectorEnv), ("Policies", PolicyVectorEnv)):
            if not clock.within(CONTROL_SHARE):
                yield f"parity {name}{form}", "not reached"
                continue
            yield f"parity {name}{form}", _verdict(*control_differences(cls, name, worlds, steps))


def episodes(clock: Clock, policies: int, device: str, limit: int | None) -> tuple[str, str]:
    """How many episodes of policies are played in HardMaze a second, after one call that warms up."""
    envs: Any = PolicyVectorEnv("HardMaze", policies, device="cuda", time_limit=limit)
    envs.reset(seed=0)
    genomes = torch.rand(policies, envs.single_action_space.shape[0], device=envs.device) * 10.0 - 5.0
    envs.step(genomes)
    _wait(device)
    begin, calls = time.perf_counter(), 0
    while time.perf_counter() - begin < 2.0 and clock.within(SPEED_SHARE):
        envs.step(genomes)
        _wait(device)
        calls += 1
    rate = policies * calls / (time.perf_counter() - begin)
    return f"{policies:,} policies in HardMaze", f"{rate:,.0f} episodes/s"


def _verdict(found: list[str], seconds: float) -> str:
    return f"MISMATCH {found[0]} ({len(found)} in all)" if found else f"equal, {seconds:.1f} s"


def measured(loop: Loop, device: str, seconds: float) -> dict[str, float]:
    """Steps a second and the share of each phase, after two rollouts that warm up."""
    collector: Any = loop.collector
    for profile in (loop.profile, collector.profile):
        profile.synchronized = True
    loop.iterate()
    loop.iterate()
    loop.profile.clear()
    collector.profile.clear()
    _wait(device)
    before, begin = loop.steps, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        loop.iterate()
    _wait(device)
    wall, whole = time.perf_counter() - begin, sum(loop.profile.seconds.values())
    loop.check()
    shares = {name: part / whole for name, part in loop.profile.seconds.items()}
    return {"steps/s": (loop.steps - before) / wall, **shares, "act": collector.profile.seconds["act"] / whole}


def _wait(device: str) -> None:
    if device == "cuda":
        torch.cuda.synchronize()


def loop_of(worlds: int, device: str, shaper: Shaper | None = None, steps: int = 32, **config: Any) -> Loop:
    """GridPPO on so many worlds of one level."""
    envs = CudaGridVectorEnv(LEVEL, worlds, info_keys=(), device=device)
    settings = GridPPOConfig(learning_rate=1e-3, n_minibatches=16, activation="relu", **config)
    return device_loop(envs, settings, num_steps=steps, gamma=0.99, shaper=shaper, device=device)


def speed(clock: Clock, sizes: list[int], device: str, steps: int) -> Iterator[tuple[str, str]]:
    """A row for each number of worlds and each way to compute."""
    ways: dict[str, dict[str, Any]] = {"": {}, ", compiled": {"compile": True}, ", bfloat16": {"bfloat16": True}}
    cases = [(n, way) for n in sizes for way in ways if not way or n == sizes[-1]]
    for n, way in cases:
        if clock.within(SPEED_SHARE):
            yield (
                f"{n:,} worlds{way}",
                _row(measured(loop_of(n, device, steps=steps, **ways[way]), device, 2.0), device),
            )


def bonuses(clock: Clock, worlds: int, device: str, steps: int) -> Iterator[tuple[str, str]]:
    """A row for each bonus, with its share of the loop."""
    actions, where = Discrete(7), {"device": device}
    makers: dict[str, Callable[[], Shaper]] = {
        "potential": lambda: PotentialShaping("potential"),
        "potential and count": lambda: Chain(PotentialShaping("potential"), Count("state_hash", **where)),
        "EpisodicCount": lambda: EpisodicCount("state_hash"),
        "RND": lambda: RND(IMAGE_SPACE, kinds="vector", **where),
        "NovelD": lambda: NovelD(IMAGE_SPACE, "state_hash", kinds="vector", **where),
        "E3B": lambda: E3B(IMAGE_SPACE, actions, kinds="vector", **where),
        "EpisodicNovelty": lambda: EpisodicNovelty(IMAGE_SPACE, actions, memory=64, kinds="vector", **where),
    }
    for name, make in makers.items():
        if clock.within(BONUS_SHARE):
            yield name, _row(measured(loop_of(worlds, device, make(), steps), device, 1.0), device)


def _row(found: dict[str, float], device: str) -> str:
    memory = f", {torch.cuda.max_memory_allocated() / 2**20:,.0f} MiB" if device == "cuda" else ""
    shares = ", ".join(f"{name} {share:.0%}" for name, share in found.items() if name != "steps/s")
    return f"{found['steps/s']:,.0f} steps/s ({shares}){memory}"


def learned(clock: Clock, worlds: int, device: str) -> tuple[str, str]:
    """Seconds until 95 % of the episodes of a window succeeded."""
    loop = loop_of(worlds, device, steps=64)
    collector: Any = loop.collector
    begin = time.perf_counter()
    while clock.within(1.0):
        for _ in range(4):
            loop.iterate()
        done = collector.read_episodes()
        if done["episodes"] >= 100 and done["success"] >= 0.95:
            return f"95 % on {LEVEL}", f"{time.perf_counter() - begin:.1f} s, {loop.steps:,} steps"
    return f"95 % on {LEVEL}", f"not in {time.perf_counter() - begin:.0f} s"


def main() -> int:
    """Prints the table; returns 1 if the kernels and the CPU differ anywhere."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cuda", "cpu"), default="cuda")
    parser.add_argument("--levels", nargs="+", choices=list(LEVELS), default=list(LEVELS), metavar="NAME")
    parser.add_argument("--worlds", nargs="*", choices=list(WORLDS), default=list(WORLDS), help="of control")
    parser.add_argument("--seconds", type=float, default=280.0, help="the budget of the whole run")
    options = parser.parse_args()
    on_cpu = options.device == "cpu"
    if not on_cpu and not torch.cuda.is_available():
        print("no CUDA device; --device cpu checks this script in Numba's simulator", file=sys.stderr)
        return 2
    clock = Clock(options.seconds)
    worlds, steps, many = (2, 4, [2, 3]) if on_cpu else (64, 64, [64, 1024, 4096, 16_384, 65_536])
    failed = False
    print("| what | found |\n|---|---|")

    def show(row: tuple[str, str]) -> None:
        print(f"| {row[0]} | {row[1]} |", flush=True)

    for row in control_parity(options.worlds, clock, worlds, steps):
        failed |= "MISMATCH" in row[1]
        show(row)
    for row in parity(options.levels, clock, worlds, steps, options.device):
        failed |= "MISMATCH" in row[1]
        show(row)
    if clock.within(SPEED_SHARE):
        show(episodes(clock, 2 if on_cpu else 16_384, options.device, 4 if on_cpu else None))
    for row in speed(clock, many, options.device, 4 if on_cpu else 32):
        show(row)
    for row in bonuses(clock, many[-1] if on_cpu else 4096, options.device, 4 if on_cpu else 32):
        show(row)
    if not on_cpu:
        show(learned(clock, 4096, options.device))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
