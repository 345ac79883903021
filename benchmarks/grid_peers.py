"""The compiled grid worlds beside other fast grid simulators, in one run: random actions, full view, resets included.

``python benchmarks/grid_peers.py --peer envpool=PYTHON --peer navix=PYTHON --peer xminigrid=PYTHON --peer
pufferlib=PYTHON`` prints a Markdown table; PYTHON is the interpreter of an environment that has that peer, and any peer
may be left out. Ours runs in this script's interpreter, or in that of ``--ours``.

Every contender is a process of its own that compiles and warms up, one after another, and then waits. A round asks
each in turn for its speed over ``--seconds``, forwards and backwards by turns, and the ratio is taken within the round;
the table has the medians. A peer that fails is reported by the last line of its error, and the others go on.

All run on the CPU, with as many threads as there are cores that this process may use (``taskset`` limits them) or as
the table says: ``OMP_NUM_THREADS``, ``OPENBLAS_NUM_THREADS``, ``MKL_NUM_THREADS`` and ``NUMBA_NUM_THREADS`` are set to
that number; EnvPool takes it as an argument, and JAX takes all the cores. Run it on a machine where nothing else runs:
threads that wait busily for each other take each other's core. Actions are drawn beforehand. Of our ``info`` only
``success`` is asked for, as the peers tell nothing of the kind.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Timer
from typing import Any

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
WORLDS = (1024, 8192)

# A driver defines run(), which takes some steps and returns how many; it has level, worlds and threads.
HEAD = """
import sys, time
level, worlds, threads, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
"""
TAIL = """
for _ in range(3):
    run()
print("ready", flush=True)
for _ in sys.stdin:
    done, spent, start = 0, 0.0, time.perf_counter()
    while spent < seconds:
        done += run()
        spent = time.perf_counter() - start
    print("rate", done / spent, flush=True)
"""
# How a vector environment of NumPy arrays runs.
VECTOR = """
from itertools import cycle, islice
import numpy as np
rows = cycle(np.random.default_rng(0).integers(0, moves, (256, worlds)).astype(dtype))
def run():
    for row in islice(rows, 16):
        env.step(row)
    return 16 * worlds
"""
# How a batch of functional environments runs: the observation, part of the state, is written in every step.
SCAN = """
from itertools import cycle
blocks = cycle(list(jax.random.randint(jax.random.key(1), (8, 32, worlds), 0, moves)))
state = jax.jit(jax.vmap(reset))(jax.random.split(jax.random.key(0), worlds))
scan = jax.jit(lambda state, actions: jax.lax.scan(lambda s, a: (jax.vmap(step)(s, a), None), state, actions)[0])
def run():
    global state
    state = jax.block_until_ready(scan(state, next(blocks)))
    return 32 * worlds
"""
DRIVERS = {
    "potentia": f"""
from potentia.compiling import patience
from potentia.envs.grid import GridVectorEnv
patience.to_compile = 0
env, moves, dtype = GridVectorEnv(level, worlds, info_keys=("success",)), 7, "int64"
env.reset(seed=0)
{VECTOR}""",
    "envpool": f"""
import envpool
env = envpool.make(level, env_type="gymnasium", num_envs=worlds, num_threads=threads, seed=0)
moves, dtype = 7, "int32"
env.reset()
{VECTOR}""",
    "navix": f"""
import jax, navix
env = navix.make(level, observation_fn=navix.observations.symbolic_first_person)
reset, step, moves = env.reset, env.step, 7
{SCAN}""",
    "xminigrid": f"""
import jax, xminigrid
from xminigrid.wrappers import GymAutoResetWrapper
env, params = xminigrid.make(level)
env, moves = GymAutoResetWrapper(env), env.num_actions(params)
def reset(key): return env.reset(params, key)
def step(state, action): return env.step(params, state, action)
{SCAN}""",
    "pufferlib": f"""
from pufferlib.ocean.grid.grid import Grid
env, moves, dtype = Grid(num_envs=worlds), 5, "int32"
env.reset(seed=0)
{VECTOR}""",
}
PEERS = tuple(name for name in DRIVERS if name != "potentia")
NAVIX = "cheaper view: sees through walls; limit of {} steps for {}"
ENVPOOL = "the same view, with direction and mission; other levels for a seed"
PUFFER = (
    "cheaper view: 11x11 uint8, sees through walls, not copied; "
    "5 actions, small mazes drawn beforehand, limit below 100 steps"
)
NOTES = {
    ("envpool", "DoorKey-8x8"): ENVPOOL,
    ("envpool", "KeyCorridorS3R3"): ENVPOOL,
    ("navix", "DoorKey-8x8"): NAVIX.format(256, 640),
    ("navix", "KeyCorridorS3R3"): NAVIX.format(196, 270),
    ("xminigrid", "DoorKey-8x8"): "cheaper view: 2 channels, sees through walls; 6 actions",
    ("pufferlib", "Ocean grid"): PUFFER,
}
IDS = {
    ("envpool", "DoorKey-8x8"): "MiniGrid-DoorKey-8x8-v0",
    ("envpool", "KeyCorridorS3R3"): "MiniGrid-KeyCorridorS3R3-v0",
    ("navix", "DoorKey-8x8"): "Navix-DoorKey-Random-8x8-v0",
    ("navix", "KeyCorridorS3R3"): "Navix-KeyCorridorS3R3-v0",
    ("xminigrid", "DoorKey-8x8"): "MiniGrid-DoorKey-8x8",
}


@dataclass(eq=False)
class Contender:
    """A simulator on one level, in a process of its own.

    Attributes:
        name: The simulator.
        level: The level, by our name for it.
        worlds: How many worlds.
        threads: How many threads.
        base: Ours that it is compared with.
        rates: Steps a second, by round.
        error: Why it does not run, if it does not.
    """

    name: str
    level: str
    worlds: int
    threads: int = CORES
    base: Contender | None = None
    rates: list[float] = field(default_factory=list)
    error: str = ""

    def __post_init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None

    def program(self, seconds: float) -> list[str]:
        """Its text and arguments."""
        level = IDS.get((self.name, self.level), self.level)
        numbers = [str(value) for value in (self.worlds, self.threads, seconds)]
        return [HEAD + DRIVERS[self.name] + TAIL, level, *numbers]

    def start(self, python: str, seconds: float, folder: str, limit: float) -> None:
        """Starts the process, in an empty folder since some peers write where they are, and waits for its warm-up."""
        threads = dict.fromkeys(
            ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS"), str(self.threads)
        )
        self._errors = Path(folder) / f"{id(self)}.txt"
        try:
            with self._errors.open("w") as errors:
                self._process = subprocess.Popen(
                    [python, "-c", *self.program(seconds)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    text=True,
                    cwd=folder,
                    env={**os.environ, **threads, "JAX_PLATFORMS": "cpu"},
                )
        except OSError as error:
            self.error = str(error)
            return
        self._await("ready", limit)

    def measure(self, limit: float) -> None:
        """Asks for the speed of a round."""
        if self.error or self._process is None or self._process.stdin is None:
            return
        try:
            self._process.stdin.write("go\n")
            self._process.stdin.flush()
        except OSError:
            pass  # it has ended, as waiting for it will tell
        if rate := self._await("rate", limit):
            self.rates.append(float(rate))

    def _await(self, word: str, limit: float) -> str:
        """What the process says after a word; whatever a library prints besides is skipped."""
        process = self._process
        if process is None or process.stdout is None:
            return ""
        timer = Timer(limit, process.kill)
        timer.start()
        try:
            for line in process.stdout:
                if line.split(maxsplit=1)[:1] == [word]:
                    return line.removeprefix(word).strip()
        finally:
            in_time = timer.is_alive()
            timer.cancel()
        code = process.wait()
        lines = [line.strip() for line in self._errors.read_text(errors="replace").splitlines() if line.strip()]
        self.error = (lines[-1] if lines else f"ended with {code}") if in_time else f"nothing within {limit:g} s"
        return ""

    def stop(self) -> None:
        """Ends the process."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def ratio(self) -> float | None:
        """How many times as fast ours is, the median over rounds; None if either does not run."""
        if self.base is None or self.base.error or self.error:
            return None
        return statistics.median(x / y for x, y in zip(self.base.rates, self.rates, strict=True))

    def median(self) -> float:
        """Steps a second; 0 if it does not run."""
        return statistics.median(self.rates) if self.rates and not self.error else 0.0


def contenders(peers: set[str]) -> list[Contender]:
    """What is measured; on each level ours first, then what is compared with it."""
    found: list[Contender] = []
    for level in ("DoorKey-8x8", "KeyCorridorS3R3"):
        ours = {worlds: Contender("potentia", level, worlds) for worlds in WORLDS}
        found += ours.values()
        for threads in sorted({1, min(2, CORES), CORES}):
            found += [Contender("envpool", level, worlds, threads, ours[1024]) for worlds in (64, 1024)]
        for name in ("navix", "xminigrid"):
            if (name, level) in IDS:
                found += [Contender(name, level, worlds, base=ours[worlds]) for worlds in WORLDS]
    if "pufferlib" in peers:
        one_core = Contender("potentia", "DoorKey-8x8", 1024, 1)
        found += [one_core, Contender("pufferlib", "Ocean grid", 1024, 1, one_core)]
    return [one for one in found if one.name in {"potentia", *peers}]


def table(found: list[Contender]) -> list[str]:
    """The lines of the Markdown table. Of EnvPool, which has a choice of worlds and threads, the best on each level."""
    lines = [
        "| simulator | level | worlds | threads | steps/s | ours / theirs | note |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        rivals = [other for other in found if (other.name, other.level) == (one.name, one.level)]
        if one.name == "envpool" and one is not max(rivals, key=Contender.median):
            continue
        row = f"| {one.name} | {one.level} | {one.worlds} | {one.threads} | "
        note = NOTES.get((one.name, one.level), "")
        if one.error:
            lines.append(f"{row}failed | – | {one.error.replace('|', '/')} |")
        elif one.base is None or (ratio := one.ratio()) is None:
            lines.append(f"{row}{one.median():,.0f} | – | {note} |")
        else:
            against = "" if one.base.worlds == one.worlds else f" (to {one.base.worlds} of ours)"
            lines.append(f"{row}{one.median():,.0f} | {ratio:,.2f}x{against} | {note} |")
    return lines


def interpreter(text: str) -> str:
    """A path that holds in another folder too; links are kept, for a virtual environment's interpreter is one."""
    return os.path.abspath(text) if os.sep in text else text


def peer_of(names: Iterable[str]) -> Any:
    """A function that takes NAME=PYTHON apart."""
    names = tuple(names)

    def parse(text: str) -> tuple[str, str]:
        name, _, python = text.partition("=")
        if name not in names or not python:
            raise argparse.ArgumentTypeError(f"wants NAME=PYTHON, with NAME one of {', '.join(names)}, got {text!r}")
        return name, interpreter(python)

    return parse


def main() -> None:
    """Measures all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--peer", type=peer_of(PEERS), action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument(
        "--ours", type=interpreter, default=sys.executable, metavar="PYTHON", help="the interpreter that has potentia"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of each contender in a round")
    parser.add_argument(
        "--limit", type=float, default=600.0, help="seconds in which a contender must compile, or answer"
    )
    options = parser.parse_args()
    pythons = {"potentia": options.ours, **dict(options.peer)}
    found = contenders(set(dict(options.peer)))
    with tempfile.TemporaryDirectory() as folder:
        try:
            for one in found:
                print(f"starting {one.name}, {one.level}, {one.worlds} worlds, {one.threads} threads", file=sys.stderr)
                one.start(pythons[one.name], options.seconds, folder, options.limit)
            for index in range(options.rounds):
                print(f"round {index + 1} of {options.rounds}", file=sys.stderr)
                for one in found if index % 2 == 0 else reversed(found):
                    one.measure(options.limit)
        finally:
            for one in found:
                one.stop()
    print("\n".join(table(found)))


if __name__ == "__main__":
    main()
