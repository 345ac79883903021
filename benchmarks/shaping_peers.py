"""Our shapers beside rllte-core's intrinsic rewards, and our counts beside Python's dictionary.

``python benchmarks/shaping_peers.py rewards --peer rllte=PYTHON`` prints a Markdown table of microseconds for each
transition, of both the reward and the learning of its model; PYTHON is the interpreter of an environment that has
rllte-core. Observations are 147 numbers, float32, drawn afresh for each rollout outside the measured time; episodes are
of 64 steps, of 16 with 8192 environments, and end at a different step in each environment. The networks are of the same
widths: 147 -> 256 -> 128, or -> 32 where that is rllte's default. rllte's rewards have their own defaults besides, but
that RE3 remembers 64 steps instead of 1000 (which would take 4 GB with 8192 environments), and that the moments by
which observations are normalised come from one rollout instead of 2560 random steps: not in the measured time. What an
rllte reward does as it watches each step is measured too.

Every contender is a process of its own that plays two rollouts, or so many that an episode is over, and then waits. A
round asks each in turn for its speed over ``--seconds``, or one rollout if that takes longer, forwards and backwards by
turns; the ratio is taken within the round, and the table has the medians. A contender that fails is reported by the
last line of its error, and the others go on.

``python benchmarks/shaping_peers.py counts``: a million states that all differ are counted twice, in rollouts of
(64, 1024): microseconds for each to get its bonus and be counted, as it is new and as it is known, and bytes of memory
for each. One thread.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from ppo_peers import Program, add_options, play

# Our shapers, as they are made; space and actions are Gymnasium's, the rest is as in `Row`.
OURS = {
    "RND": "RND(space, hidden=256, layers=1, output_dim=latent, batch_size=256, proportion=proportion)",
    "NovelD": "NovelD(space, hidden=256, output_dim=latent, batch_size=256, proportion=proportion)",
    "E3B": "E3B(space, actions, hidden=256, output_dim=latent, batch_size=256)",
    "EpisodicNovelty": "EpisodicNovelty(space, actions, memory=64, hidden=256, output_dim=latent, batch_size=256)",
}
# rllte's, likewise; worlds stand for the environments.
THEIRS = {
    "RND": "RND(worlds, latent_dim=latent, batch_size=256, update_proportion=proportion)",
    "E3B": "E3B(worlds, latent_dim=latent, batch_size=256)",
    "PseudoCounts": "PseudoCounts(worlds, latent_dim=latent, batch_size=256)",
    "NGU": "NGU(worlds, latent_dim=latent, batch_size=256)",
    "RE3": "RE3(worlds, latent_dim=latent, storage_size=64)",
    "ICM": "ICM(worlds, latent_dim=latent, batch_size=256)",
    "RIDE": "RIDE(worlds, latent_dim=latent, batch_size=256)",
}


class Row(NamedTuple):
    """What is compared: names of `OURS` and `THEIRS`, outputs of the networks, share of transitions trained on."""

    ours: str | None
    theirs: tuple[str, ...]
    latent: int = 128
    proportion: float = 1.0
    note: str = ""


ROWS = (
    Row("RND", ("RND",)),
    Row("RND", ("RND",), proportion=0.25, note="rllte computes the whole loss and masks three quarters of it"),
    Row("NovelD", (), note="of RND's networks, the predictor with a second hidden layer; rllte has none"),
    Row("E3B", ("E3B",)),
    Row("EpisodicNovelty", ("PseudoCounts",), 32, note="rllte remembers the whole episode"),
    Row("EpisodicNovelty", ("NGU",), 32, note="NGU is PseudoCounts and RND; ours without the RND"),
    Row(None, ("RE3", "ICM", "RIDE"), note="we have none"),
)
SIZES = {16: (128, 64), 1024: (32, 64), 8192: (8, 16)}  # environments; steps of a rollout, and of an episode

DATA = """
from itertools import count
import torch
torch.manual_seed(0)
worlds_, steps, latent, proportion = given["worlds"], given["steps"], given["latent"], given["proportion"]
started = count(step=steps)
def draw():
    seen = torch.randint(0, 11, (steps + 1, worlds_, 147)).float()
    step = next(started) + torch.arange(steps)[:, None] + torch.arange(worlds_)
    return seen, torch.randint(0, 7, (steps, worlds_)), step % given["episode"] == given["episode"] - 1
"""
POTENTIA = """
import gymnasium, math
import potentia.shaping
from potentia import Rollout
space, actions = gymnasium.spaces.Box(-math.inf, math.inf, (147,)), gymnasium.spaces.Discrete(7)
shaper = eval("potentia.shaping." + given["make"])
carry = shaper.init(worlds_)
def learn(seen, chosen, ended):
    global carry
    rollout = Rollout(
        obs=seen[:-1], action=chosen, next_obs=seen[1:], terms={"env": torch.zeros(chosen.shape)},
        discount=torch.where(ended, 0.0, 0.99), terminated=ended, truncated=torch.zeros_like(ended),
    )
    rollout, carry = shaper.shape(rollout, carry)
    shaper.update(rollout)
"""
RLLTE = """
import gymnasium, math
from gymnasium.vector import VectorEnv
from rllte.common.prototype import BaseReward
from rllte.xplore import reward as rewards
def moments(self): self.obs_norm.update(draw()[0].flatten(0, 1))
BaseReward.init_normalization = moments
worlds = VectorEnv(worlds_, gymnasium.spaces.Box(-math.inf, math.inf, (147,)), gymnasium.spaces.Discrete(7))
module = eval("rewards." + given["make"])
if isinstance(module, rewards.NGU):
    module.mrs = 5.0  # its default, which 1.0.1 forgets to keep
names = ("observations", "actions", "rewards", "terminateds", "truncateds", "next_observations")
def learn(seen, chosen, ended):
    columns = (seen[:-1], chosen, torch.zeros(chosen.shape), ended, torch.zeros_like(ended), seen[1:])
    for t in range(steps):
        module.watch(*(column[t] for column in columns))
    module.compute(dict(zip(names, columns)))
"""
TIMED = """
def once():
    drawn = draw()
    start = time.perf_counter()
    learn(*drawn)
    return time.perf_counter() - start
for _ in range(max(2, -(-given["episode"] // steps))):
    once()
print("ready", flush=True)
for _ in sys.stdin:
    spent, rollouts = 0.0, 0
    while spent < seconds:
        spent, rollouts = spent + once(), rollouts + 1
    print("rate", rollouts * steps * worlds_ / spent, flush=True)
"""


def contenders(ours: set[str], threads: int, worlds: int) -> list[list[Program]]:
    """What is measured with so many threads and environments: in each group ours, if there is one, then rllte's."""
    groups = []
    for row in ROWS:
        steps, episode = SIZES[worlds]
        task = {"worlds": worlds, "steps": steps, "episode": episode}
        task |= {"latent": row.latent, "proportion": row.proportion, "note": row.note}
        base = None
        if row.ours in ours:
            text = DATA + POTENTIA + TIMED
            base = Program(
                "potentia", row.ours, worlds, threads, text=text, given={**task, "make": OURS[row.ours], "note": ""}
            )
        theirs = [
            Program(
                "rllte", name, worlds, threads, base, text=DATA + RLLTE + TIMED, given={**task, "make": THEIRS[name]}
            )
            for name in row.theirs
        ]
        if base is not None and not theirs:
            base.given["note"] = row.note
        groups.append([*([base] if base else []), *theirs])
    return groups


def line(one: Program) -> str:
    """A line of the Markdown table."""
    task, ratio = one.given, one.ratio()
    row = f"| {one.name} | {one.level} | {one.worlds} x {task['steps']} | {task['latent']} | "
    row += f"{task['proportion']:.0%} | {one.threads} | "
    if one.error:
        return f"{row}failed | – | {one.error.replace('|', '/')} |"
    return f"{row}{1e6 / one.median():,.2f} | {f'{ratio:,.1f}x' if ratio else '–'} | {task['note']} |"


def rewards(options: argparse.Namespace) -> None:
    """Prints the table of rewards."""
    pythons = {"potentia": options.ours, **dict(options.peer)}
    shapers = subprocess.run(
        [options.ours, "-c", "import potentia.shaping; print(*dir(potentia.shaping))"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    print(
        "| library | reward | environments x steps | outputs | trained on | threads | us a transition | theirs / ours "
        "| note |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for threads in options.threads:
        for worlds in options.worlds:
            for group in contenders(set(shapers), threads, worlds):
                if not any(one.level in options.only for one in group):
                    continue
                chosen = [one for one in group if one.name in pythons]
                play(chosen, pythons, options)
                print("\n".join(map(line, chosen)), flush=True)


MILLION, SHAPE = 1 << 20, (64, 1024)


class Dictionary:
    """What one writes without a library: a dictionary of counts, asked once for each step."""

    def __init__(self) -> None:
        self.counts: dict[Any, int] = {}

    def __call__(self, states: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        """The bonus of each state, which is then counted."""
        counts, seen = self.counts, []
        if states.ndim == 1:
            keys = states.tolist()
        else:
            width, data = states[0].size, states.tobytes()
            keys = [data[start : start + width] for start in range(0, len(data), width)]
        for key in keys:
            before = counts.get(key, 0)
            seen.append(before)
            counts[key] = before + 1
        return 1 / np.sqrt(np.array(seen) + 1)

    def bytes(self) -> int:
        """Of the dictionary and its keys; small counts are Python's own."""
        return sys.getsizeof(self.counts) + sum(map(sys.getsizeof, self.counts))


class Ours:
    """`potentia.shaping.Count` on rollouts of tensors or arrays."""

    def __init__(self, key: str | None, kind: str) -> None:
        import torch

        from potentia import Rollout
        from potentia.shaping import Count

        self._count, self._key, self._rollout = Count(key=key), key, Rollout
        self._as = torch.as_tensor if kind == "torch" else np.asarray

    def __call__(self, states: np.ndarray[Any, Any]) -> Any:
        """The bonus of each state, which is then counted."""
        states = self._as(states.reshape(*SHAPE, *states.shape[1:]))
        blank = self._as(np.zeros(SHAPE, np.float32))
        never = blank != 0
        rollout = self._rollout(
            obs=blank if self._key else states, action=blank, next_obs=blank if self._key else states,
            terms={"env": blank}, discount=blank, terminated=never, truncated=never,
            info={f"next_{self._key}": states} if self._key else {},
        )  # fmt: skip
        shaped, _ = self._count.shape(rollout)
        self._count.update(rollout)
        return shaped.terms[self._count.name]

    def bytes(self) -> int:
        """Of the table."""
        return table_bytes(self._count)


def table_bytes(count: Any) -> int:
    """The bytes of memory in which a `potentia.shaping.Count` keeps what it counted."""
    return int(count.table.nbytes)


def counts(options: argparse.Namespace) -> None:
    """Prints the table of counts."""
    rng, size = np.random.default_rng(0), SHAPE[0] * SHAPE[1]
    hashes = rng.permutation(np.arange(MILLION)) * np.int64(0x5851F42D4C957F2D)  # an odd factor: they all differ
    images = rng.integers(0, 11, (MILLION, 7, 7, 3)).astype(np.uint8)
    contenders: dict[str, tuple[np.ndarray[Any, Any], Callable[[], Any]]] = {
        "dict, int keys": (hashes, Dictionary),
        "Count, int64 column, NumPy": (hashes, lambda: Ours("state_hash", "numpy")),
        "Count, int64 column, PyTorch": (hashes, lambda: Ours("state_hash", "torch")),
        "dict, bytes of an observation": (images, Dictionary),
        "Count, observations, NumPy": (images, lambda: Ours(None, "numpy")),
        "Count, observations, PyTorch": (images, lambda: Ours(None, "torch")),
    }
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in contenders}
    memory = {}
    for states, make in contenders.values():  # what is compiled is compiled now
        make()(states[:size])
    for index in range(options.rounds):
        for name in contenders if index % 2 == 0 else reversed(contenders):
            states, make = contenders[name]
            counter, passes = make(), []
            for _ in range(2):
                begin = time.perf_counter()
                for start in range(0, MILLION, size):
                    counter(states[start : start + size])
                passes.append((time.perf_counter() - begin) / MILLION * 1e6)
            times[name].append((passes[0], passes[1]))
            memory[name] = counter.bytes() / MILLION
    print("| | us a new state | us a known state | bytes a state |\n|---|---|---|---|")
    for name, found in times.items():
        new, known = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"| {name} | {new:.3f} | {known:.3f} | {memory[name]:.0f} |")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    rewarding = commands.add_parser("rewards")
    add_options(rewarding, ["rllte"])
    rewarding.add_argument("--worlds", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    rewarding.add_argument("--only", nargs="+", choices={*OURS, *THEIRS}, default={*OURS, *THEIRS})
    rewarding.set_defaults(rounds=3, seconds=2.0)
    commands.add_parser("counts").add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.command == "rewards":
        rewards(options)
    else:
        counts(options)


if __name__ == "__main__":
    main()
