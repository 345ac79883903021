"""Does a bad heuristic hurt? Five opinions of states, by three shapings, beside those that need no opinion.

``python benchmarks/bad_heuristics.py run --file RUNS.jsonl`` trains what is missing in that file (``--seeds``,
``--limit`` in CPU seconds), and ``python benchmarks/bad_heuristics.py table --file RUNS.jsonl [--write]`` makes the
tables of ``README.md``.

Two worlds, each known exactly: two rooms with a key (66 states), and MiniGrid's DoorKey-5x5, one map of it, walked
state by state. In both the learner sees the state's number. It is PPO with a logit for each state and action, and the
same for all. What counts is the true return: of the episodes that ended during training, and of 64 afterwards.

The opinions are those of `potentia.audit.heuristics`.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from numpy.typing import NDArray

from potentia.agents import PPO, PPOConfig
from potentia.agents.evaluate import evaluate
from potentia.agents.loop import EnvCollector, Loop
from potentia.audit import Certificate, certify, heuristics, transitions_of
from potentia.envs.exact import TabularVectorEnv, TransitionModel, key_rooms
from potentia.shaping import BARFI, EXPRD, LIRPG, ExploRS, PotentialShaping, Progress, Shaper
from potentia.study.statistics import mean_interval

README = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- heuristics: made by benchmarks/bad_heuristics.py -->\n", "<!-- /heuristics -->\n"
GAMMA = 0.97
ENVS, STEPS_AT_ONCE, EPISODES = 16, 64, 64
CONFIG = PPOConfig(widths=(), learning_rate=0.02)
OPINIONS = ("helpful", "noisy", "irrelevant", "misleading", "delayed")
Floats = NDArray[np.float64]
Make = Callable[[TransitionModel, Floats, int], Shaper | None]


def door_key() -> TransitionModel:
    """DoorKey-5x5 as tensors: the map of seed 0, with what the goal pays on the shortest way to each state."""
    found = transitions_of("potentia/DoorKey-5x5-v0")
    size = found.num_states
    ends = np.zeros(size, bool)
    ends[found.next_state[found.terminated]] = True
    transition, reward = np.zeros((2, size, found.num_actions, size))
    transition[found.state, found.action, found.next_state] = found.probability
    reward[found.state, found.action, found.next_state] = found.reward
    transition[ends, :, ends] = 1.0
    return TransitionModel(transition, reward, ends, found.start, ends, found.names, time_limit=250)


WORLDS: dict[str, tuple[Callable[[], TransitionModel], int]] = {
    "KeyRooms": (key_rooms, 30_720),
    "DoorKey-5x5": (door_key, 30_720),
}


def spaces_of(model: TransitionModel) -> tuple[spaces.Discrete, spaces.Discrete]:
    """Of observations and of actions."""
    return spaces.Discrete(model.num_states), spaces.Discrete(model.num_actions)


def barfi(model: TransitionModel, opinion: Floats, seed: int, step: float = 0.1) -> Shaper:
    """The blend of the world's reward with progress by that opinion."""
    return BARFI(Progress(opinion), *spaces_of(model), seed=seed, step=step)


@cache
def exprd(model: TransitionModel) -> Shaper:
    """Two horizons and two policies at most: of a world of many states and actions the program is large."""
    return EXPRD(model, gamma=GAMMA, horizons=(1, 4), policies=2)


ADVISED: dict[str, Make] = {
    "PotentialShaping": lambda model, opinion, seed: PotentialShaping(opinion),
    "Progress": lambda model, opinion, seed: Progress(opinion),
    "BARFI": barfi,
    "BARFI, price alone": lambda model, opinion, seed: barfi(model, opinion, seed, step=0.0),
}
UNADVISED: dict[str, Make] = {
    "none": lambda model, opinion, seed: None,
    "EXPRD": lambda model, opinion, seed: exprd(model),
    "ExploRS": lambda model, opinion, seed: ExploRS(*spaces_of(model), seed=seed),
    "LIRPG": lambda model, opinion, seed: LIRPG(*spaces_of(model), seed=seed),
}


def train(model: TransitionModel, shaper: Shaper | None, seed: int, steps: int) -> dict[str, Any]:
    """One run."""
    envs = TabularVectorEnv(model, ENVS)
    agent = PPO(envs.single_observation_space, envs.single_action_space, CONFIG, seed=seed)
    loop = Loop(EnvCollector(envs, STEPS_AT_ONCE, gamma=GAMMA), agent, shaper)
    loop.begin(seed)
    curve: list[float] = []
    while loop.steps < steps:
        rollout = loop.iterate().rollout
        ended = int((rollout.done & rollout.mask).sum())
        if ended:
            curve.append(float(rollout.terms["env"].sum()) / ended)
    after = evaluate(lambda: TabularVectorEnv(model, ENVS), agent, EPISODES, seed=10_000 + seed)
    return {"during": float(np.mean(curve)), "after": float(np.mean(after.returns))}


def done(file: Path) -> list[dict[str, Any]]:
    """The runs so far."""
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()] if file.exists() else []


def cells() -> list[tuple[str, str, Make]]:
    """Shaping, opinion and maker of each column of runs."""
    advised = [(name, opinion, make) for opinion in OPINIONS for name, make in ADVISED.items()]
    return [(name, "", make) for name, make in UNADVISED.items()] + advised


def run(file: Path, seeds: int, limit: float, only: list[str]) -> None:
    """Trains what is missing, seeds outermost, until ``limit`` CPU seconds are spent."""
    torch.set_num_threads(1)
    begin = time.process_time()
    models = {name: make() for name, (make, _) in WORLDS.items()}
    thought = {name: heuristics(model, GAMMA) for name, model in models.items()}
    for seed in range(seeds):
        for world, model in models.items():
            for name, opinion, make in (cell for cell in cells() if cell[0] in only):
                known = {(line["world"], line["shaping"], line["opinion"], line["seed"]) for line in done(file)}
                if (world, name, opinion, seed) in known or time.process_time() - begin > limit:
                    continue
                cpu = time.process_time()
                shaper = make(model, thought[world].get(opinion, np.zeros(0)), seed)
                found = train(model, shaper, seed, WORLDS[world][1])
                learned = None if shaper is None else certify(model, shaper, gamma=GAMMA)
                line = {
                    "world": world, "shaping": name, "opinion": opinion, "seed": seed, "steps": WORLDS[world][1],
                    **{key: round(value, 4) for key, value in found.items()},
                    "regret": 0.0 if learned is None else round(share_of(learned), 4),
                    "cpu_seconds": round(time.process_time() - cpu, 2),
                }  # fmt: skip
                with file.open("a", encoding="utf-8") as out:
                    out.write(json.dumps(line) + "\n")


def share_of(certificate: Certificate) -> float:
    """What the worst policy that is optimal with the shaping loses, as a share of the optimal value."""
    return certificate.worst_regret / certificate.optimal_value


def table(lines: list[dict[str, Any]]) -> list[str]:
    """A Markdown table a world: the return during training by shaping and opinion, and what is proved beside it."""
    found = []
    for world, (make, steps) in WORLDS.items():
        model = make()
        thought = heuristics(model, GAMMA)
        here = [line for line in lines if line["world"] == world]
        best = float(model.reward_after().max())
        count = Counter((one["shaping"], one["opinion"]) for one in here).values()
        runs = (
            f"{min(count, default=0)} to {max(count, default=0)}" if len(set(count)) > 1 else f"{max(count, default=0)}"
        )
        found += [f"**{world}**, {model.num_states} states, {steps:,} steps a run, {runs} runs a cell:", ""]
        found += [f"| shaping | {' | '.join(OPINIONS)} | worst |", f"|---|{'---|' * (len(OPINIONS) + 1)}"]
        for name in [*ADVISED, *UNADVISED]:
            rows = [[one for one in here if (one["shaping"], one["opinion"]) == (name, by)] for by in (*OPINIONS, "")]
            if not any(rows):
                continue
            if name in UNADVISED:
                cell = words(rows[-1], best)
                found.append(f"| `{name}` | {' | '.join([cell, *['' for _ in OPINIONS[1:]]])} | {cell} |")
                continue
            told = [words(one, best) for one in rows[:-1]]
            worst = min((one for one in rows[:-1] if one), key=lambda one: float(np.mean([x["during"] for x in one])))
            found.append(f"| `{name}` | {' | '.join(told)} | {words(worst, best)} |")
            found.append(f"| its certificate | {' | '.join(proved(model, name, thought, rows))} | |")
        found.append("")
    return found


def words(rows: list[dict[str, Any]], best: float) -> str:
    """The mean return during training with its interval, within the returns that there are, and the mean after it."""
    if not rows:
        return ""
    during, after = ([row[key] for row in rows] for key in ("during", "after"))
    found = mean_interval([during], rng=np.random.default_rng(0))
    interval = f" [{max(found.low, 0):.2f}, {min(found.high, best):.2f}]" if found.known else ""
    return f"{found.estimate:.2f}{interval}, {np.mean(after):.2f}"


def proved(model: TransitionModel, name: str, thought: dict[str, Floats], rows: list[Any]) -> list[str]:
    """What the certificate says for each opinion: of a fixed shaping once, of a learned one at the end of each run."""
    found = []
    for opinion, runs in zip(OPINIONS, rows, strict=False):
        if name.startswith("BARFI"):
            lost = [run["regret"] for run in runs]
            kept = sum(one == 0 for one in lost)
            found.append(f"preserved in {kept} of {len(lost)}, {np.mean(lost):.0%} lost" if lost else "")
            continue
        shaper = ADVISED[name](model, thought[opinion], 0)
        certificate = certify(model, shaper, gamma=GAMMA) if shaper else None
        lost_at_worst = 0.0 if certificate is None else share_of(certificate)
        kept_here = certificate is None or certificate.optimum_preserved
        found.append("preserved" if kept_here else f"refuted, {lost_at_worst:.0%} lost")
    return found


def write(lines: list[str]) -> None:
    """Puts the tables between their marks in ``README.md``."""
    before, _, rest = README.read_text("utf-8").partition(BEGIN)
    _, _, after = rest.partition(END)
    README.write_text(before + BEGIN + "\n".join(lines) + END + after, "utf-8")


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    commands = parser.add_subparsers(dest="command", required=True)
    running, showing = commands.add_parser("run"), commands.add_parser("table")
    for one in (running, showing):
        one.add_argument("--file", type=Path, default=Path(__file__).with_name("bad_heuristics.jsonl"))
    running.add_argument("--seeds", type=int, default=10)
    running.add_argument("--limit", type=float, default=float("inf"), help="CPU seconds, of runs that begin")
    names = [*UNADVISED, *ADVISED]
    running.add_argument("--only", nargs="+", default=names, choices=names)
    showing.add_argument("--write", action="store_true", help="into README.md as well")
    options = parser.parse_args()
    if options.command == "run":
        run(options.file, options.seeds, options.limit, options.only)
        return
    lines = table(done(options.file))
    print("\n".join(lines))
    if options.write:
        write(lines)


if __name__ == "__main__":
    main()
