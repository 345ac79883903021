"""How the grid worlds and PPO on them grow: from 1 to 65,536 worlds, and from 1 to 256 updates a rollout.

``python benchmarks/grid_growth.py worlds``: steps/s of DoorKey-8x8 with random actions, of worlds alone and with
GridPPO learning from them (4 epochs of 4 minibatches on rollouts of 65,536 transitions, or of 128 steps if that
is less), the bytes of a world's state and of the learner's buffers, and the process's peak memory so far; medians of
``--rounds``. ``python benchmarks/grid_growth.py updates``: nanoseconds of learning a transition, for 32,768 transitions
and one to 16 epochs of one to 64 minibatches.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from potentia.agents.grid import GridPPOConfig, device_loop
from potentia.compiling import patience
from potentia.envs.grid import GridVectorEnv

LEVEL = "DoorKey-8x8"
COUNTS = (1, 4, 16, 64, 256, 1024, 4096, 16_384, 65_536)


def rate(run: Callable[[], int], rounds: int, seconds: float = 0.5) -> float:
    """Steps a second, the median of rounds."""
    run()
    found = []
    for _ in range(rounds):
        begin, steps = time.perf_counter(), 0
        while time.perf_counter() - begin < seconds:
            steps += run()
        found.append(steps / (time.perf_counter() - begin))
    return statistics.median(found)


def nbytes(*trees: Any) -> int:
    """The bytes of arrays and tensors, in tuples and dictionaries."""
    whole = 0
    for tree in trees:
        parts = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, tuple) else None
        whole += int(getattr(tree, "nbytes", 0)) if parts is None else nbytes(*parts)
    return whole


def worlds(rounds: int) -> None:
    """Prints a table over the number of worlds."""
    print("| worlds | steps/s | bytes a world | with PPO, steps/s | its buffers, MiB | peak memory, MiB |")
    print("|---|---|---|---|---|---|")
    for n in COUNTS:
        envs = GridVectorEnv(LEVEL, n, device="cpu", info_keys=())
        envs.reset(seed=0)
        actions = torch.randint(0, 7, (64, n))

        def play(envs: Any = envs, actions: Any = actions, n: int = n) -> int:
            for row in actions:
                envs.step(row)
            return 64 * n

        alone = rate(play, rounds)
        steps = max(1, min(128, 65_536 // n))
        loop = device_loop(envs, GridPPOConfig(shared=False), num_steps=steps, gamma=0.99)

        def learn(loop: Any = loop, transitions: int = steps * n) -> int:
            loop.iterate()
            return transitions

        both = rate(learn, rounds)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        state, buffers = nbytes(envs.worlds.state, envs.worlds.out) / n, nbytes(vars(loop.collector)) / 2**20
        print(f"| {n:,} | {alone:,.0f} | {state:,.0f} | {both:,.0f} | {buffers:,.1f} | {peak:,.0f} |", flush=True)


def updates(rounds: int) -> None:
    """Prints a table over epochs and minibatches."""
    sizes = (1, 4, 16, 64)
    print("| epochs | " + " | ".join(f"{size} minibatches" for size in sizes) + " |\n|---|" + "---|" * len(sizes))
    for epochs in (1, 4, 16):
        cells = []
        for size in sizes:
            envs = GridVectorEnv(LEVEL, 1024, device="cpu", info_keys=())
            config = GridPPOConfig(n_epochs=epochs, n_minibatches=size, shared=False)
            loop = device_loop(envs, config, num_steps=32, gamma=0.99)
            loop.iterate()
            found = []
            for _ in range(rounds):
                loop.iterate()
                found.append(loop.profile.last["learn"] / 32_768)
            cells.append(f"{statistics.median(found) * 1e9:,.0f} ns")
        print(f"| {epochs} | " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("what", choices=("worlds", "updates"))
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    patience.to_compile = 0  # nothing is interpreted
    (worlds if given.what == "worlds" else updates)(given.rounds)


if __name__ == "__main__":
    main()
