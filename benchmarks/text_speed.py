"""Steps per second of each text world beside its bare engine, in one run, on the same commands.

    python benchmarks/text_speed.py [--steps 2000] [--repeats 5] [plain] [textworld] [alfworld] [vector]

Every comparison plays recorded episodes, side after side, again and again, and prints medians. Times are of the
processor, without resets, and of a world's own `step`.

plain: the worlds in Python beside their rules alone (Household's are `House.do` and `House.won`, the others' `_act`).
The commands are drawn from those on offer, half of them from a shortest way where there is one. CodeRepair runs no
tests: what a run costs is printed below.
textworld: beside Jericho, which types the commands into the compiled story and reads nothing, and `textworld.start`.
alfworld: Household, commands listed at each step as ALFWorld does, beside ALFWorld (`pip install alfworld
fast-downward-textworld`), its first 15 commands of a room.
vector: four TextWorlds in one process and in one each, by the clock and by the processors.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the ids
from potentia.envs.text.code_repair import Sandbox
from potentia.envs.text.code_repair.package import load
from potentia.envs.text.textworld.kinds import KINDS, settings_of
from potentia.envs.text.textworld.library import story

Episode = tuple[int, list[str]]
"""A seed and the commands from there."""
Begin = Callable[[int], Callable[[str], Any]]
"""Begins the episode of a seed. Returns what does a command."""
PLAIN = ("Calculation", "CalculationSteps", "Inquiry", "Dialogue", "CodeRepair", "Household")
RUNS_TESTS = ("run tests", "submit")


def game(name: str, **kwargs: Any) -> Any:
    return gym.make(f"potentia/{name}-v0", **kwargs).unwrapped


def begins(env: Any, *, listing: bool = False) -> Begin:
    def list_and_step(command: str) -> None:
        env.commands  # noqa: B018
        env.step(command)

    def begin(seed: int) -> Callable[[str], Any]:
        env.reset(seed=seed)
        return list_and_step if listing else env.step

    return begin


def rules(env: Any) -> Begin:
    """What the world adds its interface to."""

    def begin(seed: int) -> Callable[[str], Any]:
        env.reset(seed=seed)
        if not hasattr(env, "house"):
            return env._act
        house = env.house
        return lambda command: (house.do(command), house.won())

    return begin


def record(env: Any, steps: int) -> list[Episode]:
    """Episodes of this many steps together."""
    env.ask({"plan"}.intersection(env.offered_keys))
    rng, episodes = np.random.default_rng(0), list[Episode]()
    while steps > 0:
        commands, done = list[str](), False
        _, info = env.reset(seed=len(episodes))
        while not done and len(commands) < steps:
            offered = [command for command in env.commands if command not in RUNS_TESTS]
            planned = info.get("plan", "").split("\n")[0]
            half = planned in offered and rng.random() < 0.5
            commands.append(planned if half else offered[int(rng.integers(len(offered)))])
            _, _, terminated, truncated, info = env.step(commands[-1])
            done = terminated or truncated
        episodes.append((len(episodes), commands))
        steps -= len(commands)
    return episodes


def rates(sides: dict[str, Begin], episodes: list[Episode], repeats: int) -> dict[str, list[float]]:
    """Steps a second of each side in each repeat."""
    found: dict[str, list[float]] = {name: [] for name in sides}
    steps = sum(len(commands) for _, commands in episodes)
    for _ in range(repeats):
        for name, begin in sides.items():
            spent = 0.0
            for seed, commands in episodes:
                step = begin(seed)
                start = time.process_time()
                for command in commands:
                    step(command)
                spent += time.process_time() - start
            found[name].append(steps / spent)
    return found


def row(name: str, found: dict[str, list[float]], *pairs: tuple[str, str]) -> str:
    """Medians, and the medians of ratios."""
    cells = [f"{statistics.median(values):,.0f}" for values in found.values()]
    for above, below in pairs:
        ratio = statistics.median(a / b for a, b in zip(found[above], found[below], strict=True))
        cells.append(f"{ratio:,.2f}" if ratio < 100 else f"{ratio:,.0f}")
    return f"| {name} | {' | '.join(cells)} |"


def plain(steps: int, repeats: int) -> Iterator[str]:
    yield "| world | rules alone | world | with all info | world / rules |\n|---|---|---|---|---|"
    for name in PLAIN:
        sides = {
            "rules": rules(game(name)),
            "world": begins(game(name)),
            "all info": begins(game(name, info_keys="all")),
        }
        found = rates(sides, record(game(name), steps), repeats)
        yield row(name, found, ("world", "rules"))
    yield f"\nSeven tests in CodeRepair's sandbox, not remembered: {sandbox_job():.1f} ms of the processors."


def sandbox_job(times: int = 100) -> float:
    """Milliseconds of all processes."""
    sandbox, package = Sandbox(), load("graphs")
    modules = tuple((name, "\n".join(lines)) for name, lines in package.modules.items())
    begun = os.times()
    for _ in range(times):
        sandbox.run(modules, package.visible.questions, package.visible.names)
    sandbox.close()
    return 1e3 * sum(now - before for now, before in zip(os.times()[:4], begun[:4], strict=True)) / times


def textworlds(steps: int, repeats: int) -> Iterator[str]:
    """By the plans of game 0 of each kind, over and over."""
    import jericho
    import textworld

    yield (
        "| kind | Jericho | textworld | world | textworld, infos | all info | world / Jericho | world / textworld | "
        "all info / textworld, infos |\n|---|---|---|---|---|---|---|---|---|"
    )
    infos = textworld.EnvInfos(admissible_commands=True, facts=True, policy_commands=True, description=True)
    for kind in KINDS:
        path = story(kind, settings_of(kind, {}), 0).path
        ours = {keys: game(f"TextWorld-{kind}", games=1, info_keys=keys) for keys in (None, "all")}
        plan = ours["all"].reset(seed=0)[1]["plan"].split("\n")
        sides = {
            "Jericho": begins(_Seedless(jericho.FrotzEnv(path, 1))),
            "textworld": begins(_Seedless(textworld.start(path))),
            "world": begins(ours[None]),
            "textworld, infos": begins(_Seedless(textworld.start(path, infos))),
            "all info": begins(ours["all"]),
        }
        found = rates(sides, [(0, plan)] * (1 + steps // len(plan)), repeats)
        yield row(kind, found, ("world", "Jericho"), ("world", "textworld"), ("all info", "textworld, infos"))


class _Seedless:
    """An engine whose ``reset`` takes no seed."""

    def __init__(self, engine: Any) -> None:
        self.reset, self.step = lambda seed: engine.reset(), engine.step


def alfworld(steps: int, repeats: int) -> Iterator[str]:
    from potentia.envs.text.household.original import ALFWorld
    from potentia.envs.text.household.pddl import write_game

    ours = game("Household")
    yield "| room | Household, listing | ALFWorld | ratio |\n|---|---|---|---|"
    for seed, commands in record(game("Household"), steps)[:repeats]:
        ours.reset(seed=seed)
        with tempfile.TemporaryDirectory() as folder:
            write_game(ours.house.room, Path(folder) / "game.tw-pddl")
            theirs = ALFWorld(games=[Path(folder) / "game.tw-pddl"], max_episode_steps=None)
            sides = {"ours": begins(ours, listing=True), "ALFWorld": begins(theirs)}
            found = rates(sides, [(seed, commands[:15])], 1)
            theirs.close()
        yield row(str(seed), found, ("ours", "ALFWorld"))


def vector(steps: int, repeats: int, num_envs: int = 4) -> Iterator[str]:
    yield f"| {num_envs} worlds | steps/s by the clock | steps per processor second |\n|---|---|---|"
    made = {way: gym.make_vec("potentia/TextWorld-Custom-v0", num_envs, processes=way) for way in (False, True)}
    found: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    for envs in made.values():
        envs.reset(seed=0)
    for _ in range(repeats):
        for way, envs in made.items():
            clock, spent = time.perf_counter(), processors(envs)
            for _ in range(steps // num_envs):
                envs.step(("look",) * num_envs)
            found[way].append((steps / (time.perf_counter() - clock), steps / (processors(envs) - spent)))
    for way, envs in made.items():
        clock, spent = (statistics.median(values) for values in zip(*found[way], strict=True))
        yield f"| {'a process each' if way else 'one process'} | {clock:,.0f} | {spent:,.0f} |"
        envs.close()


def processors(envs: Any) -> float:
    """Seconds that this process and a vector's workers have computed."""
    ticks = 0
    for process in getattr(envs, "processes", ()):
        fields = Path(f"/proc/{process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += int(fields[11]) + int(fields[12])
    return time.process_time() + ticks / os.sysconf("SC_CLK_TCK")


SECTIONS = {"plain": plain, "textworld": textworlds, "alfworld": alfworld, "vector": vector}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="all by default")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    warnings.simplefilter("ignore")  # Jericho's, of games that it does not know
    for name in arguments.sections or SECTIONS:
        print(f"\n{name}:\n")
        for line in SECTIONS[name](arguments.steps, arguments.repeats):
            print(line, flush=True)


if __name__ == "__main__":
    main()
