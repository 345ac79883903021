"""PPO on one device beside the trainers of other fast simulators, in one run: steps a second of playing and learning.

``python benchmarks/ppo_peers.py --peer pufferlib=PYTHON --peer navix=PYTHON`` prints a Markdown table; PYTHON is the
interpreter of an environment that has that peer, and either may be left out. Ours runs in this script's interpreter, or
in that of ``--ours``.

Each peer trains on a world of its own by its own trainer, with the numbers it ships; ours trains on ours with as many
worlds, steps, epochs, minibatches and layers of the same widths. What differs nevertheless is in the notes. The weights
change all the time, but nothing is said of how well anything learns.

- PufferLib: ``pufferl`` with the configuration of Ocean's grid, and of that only this is changed, all to its advantage
  on a CPU: no LSTM, Adam for Muon, worlds stepped in the trainer's process, no dashboard. The network is one layer, of
  the configuration's width, of the width that the library's networks have by default, and of that of ours.
- navix: ``navix.agents.PPO`` with its default numbers and two towers of 64 and 64 tanh units, with its default of
  worlds and with many. A run of several iterations is one compiled function, which also makes the network and the
  worlds.

Every contender is a process of its own that compiles and warms up and then waits, a pair at a time. A round asks each
for its speed over ``--seconds``, forwards and backwards by turns, and the ratio is taken within the round; the table
has the medians. A peer that fails is reported by the last line of its error, and the others go on.

All run on the CPU, each on as many cores as it has threads, on which it is put where the system can. Run it on a
machine where nothing else runs.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from grid_peers import CORES, TAIL, Contender, interpreter, peer_of

# A driver has threads, seconds and given; what it defines, the end of the text says.
HEAD = """
import json, os, sys, time
threads, seconds, given = int(sys.argv[1]), float(sys.argv[2]), json.loads(sys.argv[3])
if hasattr(os, "sched_setaffinity"):
    os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
"""


@dataclass(eq=False)
class Program(Contender):
    """A contender that is told its task as a dictionary.

    Attributes:
        text: Its program, which follows `HEAD`.
        given: What ``given`` is in it.
    """

    text: str = ""
    given: dict[str, Any] = field(default_factory=dict)

    def program(self, seconds: float) -> list[str]:
        """Its text and arguments."""
        return [HEAD + self.text, str(self.threads), str(seconds), json.dumps(self.given)]


def play(found: Iterable[Program], pythons: dict[str, str], options: argparse.Namespace) -> None:
    """Measures contenders that take turns."""
    found = list(found)
    with tempfile.TemporaryDirectory() as folder:
        try:
            for one in found:
                print(f"starting {one.name}, {one.level}, {one.worlds} worlds, {one.threads} threads", file=sys.stderr)
                one.start(pythons[one.name], options.seconds, folder, options.limit)
            for index in range(options.rounds):
                for one in found if index % 2 == 0 else reversed(found):
                    one.measure(options.limit)
        finally:
            for one in found:
                one.stop()


def add_options(parser: argparse.ArgumentParser, names: Iterable[str]) -> None:
    """The options that all comparisons share."""
    parser.add_argument("--peer", type=peer_of(names), action="append", default=[], metavar="NAME=PYTHON")
    parser.add_argument(
        "--ours", type=interpreter, default=sys.executable, metavar="PYTHON", help="the interpreter that has potentia"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3.0, help="of each contender in a round, or one run of it")
    parser.add_argument(
        "--limit", type=float, default=600.0, help="seconds in which a contender must compile, or answer"
    )
    parser.add_argument(
        "--threads", type=int, nargs="+", default=sorted({1, min(2, CORES)}), help="one after another: 1 and 2"
    )


OURS = """
from potentia.agents.grid import GridPPOConfig, device_loop
from potentia.envs.grid import GridVectorEnv
worlds = GridVectorEnv(given["level"], given["worlds"], device="cpu", info_keys=())
config = GridPPOConfig(
    n_epochs=given["epochs"], n_minibatches=given["minibatches"], widths=tuple(given["widths"]),
    activation=given["activation"], shared=given["shared"], encoding="numbers",
)
loop = device_loop(worlds, config, num_steps=given["steps"], gamma=0.99)
def run():
    loop.iterate()
    return given["worlds"] * given["steps"]
"""
PUFFERLIB = """
sys.argv = sys.argv[:1]
from pufferlib import pufferl
settings = pufferl.load_config("puffer_grid")
settings["vec"] = {"backend": "Serial", "num_envs": 1}
settings["rnn_name"], settings["policy"]["hidden_size"] = None, given["widths"][0]
settings["train"].update(device="cpu", optimizer="adam", use_rnn=False)
worlds = pufferl.load_env("puffer_grid", settings)
policy = pufferl.load_policy(settings, worlds)
pufferl.PuffeRL.print_dashboard = lambda *args, **kwargs: None
trainer = pufferl.PuffeRL({**settings["train"], "env": "puffer_grid"}, worlds, policy)
ships = trainer.config
found = (trainer.total_agents, ships["bptt_horizon"], ships["update_epochs"], trainer.total_minibatches)
assert found == (given["worlds"], given["steps"], given["epochs"], given["minibatches"]), found
def run():
    before = trainer.global_step
    trainer.evaluate()
    trainer.train()
    return trainer.global_step - before
"""
NAVIX = """
import jax, navix
from itertools import count
from navix.agents import PPO, PPOHparams
from navix.agents.models import ActorCritic
def seen(state): return navix.observations.symbolic_first_person(state).ravel()
space = navix.spaces.Discrete.create(256, shape=(147,), dtype="uint8")
env = navix.make(given["level"], observation_fn=seen, observation_space=space)
default = PPOHparams()
found = (default.num_steps, default.num_epochs, default.num_minibatches)
assert found == (given["steps"], given["epochs"], given["minibatches"]), found
frames = given["iterations"] * given["worlds"] * given["steps"]
agent = PPO(
    hparams=default.replace(num_envs=given["worlds"], budget=frames),
    network=ActorCritic(action_dim=len(env.action_set)), env=env,
)
train, seeds = jax.jit(agent.train), count()
def run():
    state, _ = jax.block_until_ready(train(jax.random.key(next(seeds))))
    return int(state.frames)
"""
DRIVERS = {"potentia": OURS, "pufferlib": PUFFERLIB, "navix": NAVIX}
# One pass over 8 minibatches: what both peers ship.
NUMBERS = {"epochs": 1, "minibatches": 8}
PUFFER_NOTE = (
    "a cheaper view of 121 numbers that sees through walls, 5 actions; GELU for our ReLU; {} parameters for our {}; "
    "its minibatches are drawn by priority, and for each the advantages anew"
)
NAVIX_NOTE = "a cheaper view that sees through walls; limit of 256 steps{}; as many parameters"


def pairs(peers: set[str], threads: int) -> list[list[Program]]:
    """What is measured with so many threads: ours, then the peer."""
    found = []

    def pair(name: str, level: str, theirs: str, task: dict[str, Any], **more: Any) -> None:
        ours = program("potentia", level, {**task, "level": level})
        found.append([ours, program(name, theirs, {**task, "level": theirs, **more}, ours)])

    def program(name: str, level: str, task: dict[str, Any], base: Program | None = None) -> Program:
        return Program(name, level, task["worlds"], threads, base, text=DRIVERS[name] + TAIL, given=task)

    if "pufferlib" in peers:
        for width in (512, 128, 64):
            task = {"worlds": 1024, "steps": 64, "widths": [width], "activation": "relu", "shared": True, **NUMBERS}
            sizes = [f"{inputs * width + width + (width + 1) * outputs:,}" for inputs, outputs in ((121, 6), (147, 8))]
            pair("pufferlib", "DoorKey-8x8", "Ocean grid", task, note=PUFFER_NOTE.format(*sizes))
    if "navix" in peers:
        names = (("Empty-8x8", "Navix-Empty-8x8-v0", ""), ("DoorKey-8x8", "Navix-DoorKey-Random-8x8-v0", " for 640"))
        for level, theirs, limit in names:
            for worlds, iterations in ((16, 48), (1024, 3)):
                task = {"worlds": worlds, "steps": 128, "widths": [64, 64], **NUMBERS}
                task |= {"activation": "tanh", "shared": False}
                pair("navix", level, theirs, task, iterations=iterations, note=NAVIX_NOTE.format(limit))
    return found


def line(one: Program) -> str:
    """A line of the Markdown table."""
    task, ratio = one.given, one.ratio()
    layers = ", ".join(map(str, task["widths"])) + (" shared" if task["shared"] else ", two towers")
    row = f"| {one.name} | {one.level} | {layers} | {one.worlds} x {task['steps']} | "
    row += f"{task['epochs']} x {task['minibatches']} | {one.threads} | "
    if one.error:
        return f"{row}failed | – | {one.error.replace('|', '/')} |"
    return f"{row}{one.median():,.0f} | {f'{ratio:,.2f}x' if ratio else '–'} | {task.get('note', '')} |"


def main() -> None:
    """Measures all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add_options(parser, set(DRIVERS) - {"potentia"})
    options = parser.parse_args()
    pythons = {"potentia": options.ours, **dict(options.peer)}
    print(
        "| trainer | level | network | worlds x steps | epochs x minibatches | threads | steps/s | ours / theirs "
        "| note |\n|---|---|---|---|---|---|---|---|---|",
        flush=True,
    )
    for threads in options.threads:
        for group in pairs(set(dict(options.peer)), threads):
            play(group, pythons, options)
            print("\n".join(map(line, group)), flush=True)


if __name__ == "__main__":
    main()
