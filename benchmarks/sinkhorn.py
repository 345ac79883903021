"""Sinkhorn's iterations beside POT and OTT, in one run: milliseconds for one plan.

``python benchmarks/sinkhorn.py --peer ott=PYTHON`` prints a Markdown table; PYTHON is the interpreter of an environment
that has ott-jax, and may be left out. Ours and POT run in this script's interpreter, or in that of ``--ours``.

Each contender solves the same problems: cosine costs between two sequences of n random directions of 16 numbers,
uniform marginals, epsilon 0.05, 100 iterations and no early stop. A batch is one call where the library has batches
(ours; OTT's solver under ``jax.vmap`` and ``jax.jit``) and a loop where it has none (POT). The numbers are float32, as
JAX has them by default, but for POT, which gets the float64 that it is made for, and for one line of ours. The costs
are at hand, the plans are asked for.

Every contender is a process of its own that compiles and warms up and then waits. A round asks each for its speed over
``--seconds``, forwards and backwards by turns, and the ratio is taken within the round; the table has the medians. One
thread each, on one core, by the processor's time.
"""

from __future__ import annotations

import argparse
from typing import Any

from grid_peers import TAIL
from ppo_peers import Program, add_options, play

PROBLEMS = """
import numpy as np
rng = np.random.default_rng(0)
size, batch, epsilon = given["size"], given["batch"], 0.05
directions = rng.normal(size=(2, batch, size, 16))
directions /= np.linalg.norm(directions, axis=-1, keepdims=True)
costs = 1 - directions[0] @ directions[1].swapaxes(1, 2)
mass = np.full(size, 1 / size)
def run():
    solve()
    return batch
"""
OURS = """
import torch
from potentia.shaping.imitation import sinkhorn
torch.set_num_threads(threads)
problems = torch.as_tensor(costs, dtype=getattr(torch, given["dtype"]))
def solve():
    return sinkhorn(problems, epsilon, 100)
"""
POT = """
import ot
def solve():
    options = {"method": given["method"], "numItermax": 100, "stopThr": 0, "warn": False}
    return [ot.bregman.sinkhorn(mass, mass, cost, epsilon, **options) for cost in costs]
"""
OTT = """
import jax
from ott.geometry import geometry
from ott.problems.linear import linear_problem
from ott.solvers.linear import sinkhorn
solver = sinkhorn.Sinkhorn(lse_mode=given["lse"], threshold=0.0, min_iterations=100, max_iterations=100)
def plan(cost):
    return solver(linear_problem.LinearProblem(geometry.Geometry(cost_matrix=cost, epsilon=epsilon))).matrix
plans = jax.jit(jax.vmap(plan))
problems = jax.numpy.asarray(costs, dtype=jax.numpy.float32)
def solve():
    return jax.block_until_ready(plans(problems))
"""
# The time of the processor, which other programs on the machine take nothing from.
CLOCKED = TAIL.replace("perf_counter", "process_time")
TEXTS = {"potentia": OURS, "pot": POT, "ott": OTT}


def contenders(size: int, batch: int, peers: set[str]) -> list[Program]:
    """Ours, then what is compared with it."""
    task: dict[str, Any] = {"size": size, "batch": batch}

    def program(name: str, label: str, base: Program | None = None, **more: Any) -> Program:
        return Program(name, label, batch, 1, base, text=PROBLEMS + TEXTS[name] + CLOCKED, given={**task, **more})

    ours = program("potentia", "float32", dtype="float32")
    found = [ours, program("potentia", "float64", ours, dtype="float64")]
    found += [program("pot", method, ours, method=method) for method in ("sinkhorn", "sinkhorn_log")]
    if "ott" in peers:
        found += [program("ott", label, ours, lse=label == "logarithmic") for label in ("logarithmic", "exponential")]
    return found


def main() -> None:
    """Measures all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, ["ott"])
    parser.add_argument("--sizes", type=int, nargs="+", default=[50, 100, 175, 500], help="n")
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.set_defaults(seconds=1.0, threads=[1])
    options = parser.parse_args()
    pythons = {"potentia": options.ours, "pot": options.ours, **dict(options.peer)}
    print("| n | batch | library | form | ms a plan | ours / theirs |\n|---|---|---|---|---|---|", flush=True)
    for size in options.sizes:
        for batch in options.batches:
            found = contenders(size, batch, set(dict(options.peer)))
            play(found, pythons, options)
            for one in found:
                ratio, speed = one.ratio(), one.median()
                print(
                    f"| {size} | {batch} | {one.name} | {one.level} | "
                    + (f"failed: {one.error}" if one.error else f"{1e3 / speed:.3f}")
                    + f" | {f'{ratio:.1f}x' if ratio else '–'} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
