"""What a newcomer waits for: CPU seconds of whole commands, each in a process of its own, with nothing compiled yet.

``python benchmarks/first_minutes.py [--beside CHECKOUT]`` prints a Markdown table: medians of interleaved rounds. The
second checkout is another version of this library, in the same environment.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent.parent
MAKE = (
    "import gymnasium as gym, potentia; env = gym.make({id!r}); env.reset(seed=0); env.step(env.action_space.sample())"
)
VECTOR = (
    "import gymnasium as gym, potentia; envs = gym.make_vec({id!r}, 16); envs.reset(seed=0); "
    "envs.step(envs.action_space.sample())"
)
COMMANDS = {
    "import gymnasium, numpy": ["-c", "import gymnasium, numpy"],
    "import potentia": ["-c", "import potentia"],
    "potentia --help": ["-m", "potentia.cli", "--help"],
    "potentia envs": ["-m", "potentia.cli", "envs"],
    "potentia shapers": ["-m", "potentia.cli", "shapers"],
    **{f"make, reset, step: {level}": ["-c", MAKE.format(id=f"potentia/{level}-v0")] for level in (
        "DoorKey-8x8", "KeyCorridorS3R3", "MultiRoom-N6")},
    "16 worlds: DoorKey-8x8": ["-c", VECTOR.format(id="potentia/DoorKey-8x8-v0")],
}  # fmt: skip


def seconds(arguments: list[str], checkout: Path) -> float:
    """The CPU seconds of one command, with an empty cache of compiled code."""
    with tempfile.TemporaryDirectory() as cache:
        environment = {**os.environ, "PYTHONPATH": str(checkout), "NUMBA_CACHE_DIR": cache, "OMP_NUM_THREADS": "1"}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, *arguments], env=environment, cwd=cache, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--beside", type=Path, help="another checkout of this library")
    parser.add_argument("--rounds", type=int, default=3)
    said = parser.parse_args()
    checkouts = [path for path in (said.beside, HERE) if path is not None]
    print("| CPU seconds |" + "".join(f" {'before' if path != HERE else 'now'} |" for path in checkouts))
    print("|---|" + "---|" * len(checkouts))
    for name, arguments in COMMANDS.items():
        rounds = [[seconds(arguments, path) for path in checkouts] for _ in range(said.rounds)]
        medians = (statistics.median(column) for column in zip(*rounds, strict=True))
        print(f"| {name} |" + "".join(f" {median:.2f} |" for median in medians), flush=True)


if __name__ == "__main__":
    main()
