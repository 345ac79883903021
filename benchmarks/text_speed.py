<<<<<<< HEAD
"""Steps per second of the plain-Python text worlds against their rules alone, on the same commands.

    python benchmarks/text_speed.py [--steps 3000]

Each command is drawn from the world's own. It is done twice from the same state: by the rules (`_act`) and by
`gym.make`'s environment. In CodeRepair no tests are run, except for the info that tells what they would say.
=======
"""Steps per second of TextWorld's worlds against the bare engine, and of their vector forms, in one run, interleaved.

Run: python benchmarks/text_speed.py [--steps 2000] [--repeats 5] [--envs 4] [KIND ...]

Each side plays the plans of the same four games, over and over, in rounds that alternate. "Jericho" types the commands
into the compiled story and reads nothing. "textworld" is `textworld.start` with what it always gives (text, score,
end). "world" is ours by default; "all info" also has facts, commands, caption, hash, distance and plan; "textworld,
infos" is TextWorld with admissible commands, facts, policy, description and inventory. Times are of the CPU, without
resets. The last rows are vectors of N worlds in one process and in one each, by the clock. Household: see
benchmarks/household_speed.py.
>>>>>>> 539a4ea (TextWorld: a game is looked up once an episode; documentation, benchmarks of speed and growth; adapters as tried)
"""

from __future__ import annotations

import argparse
import os
<<<<<<< HEAD
import time
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the ids
from potentia.envs.text.code_repair import Sandbox
from potentia.envs.text.code_repair.package import load

WORLDS = ("Calculation", "CalculationSteps", "Inquiry", "Dialogue", "CodeRepair")


def measure(name: str, steps: int, info_keys: str | None) -> tuple[float, float, float]:
    """Microseconds of processor time of a step, of the rules alone, and of a reset."""
    env = gym.make(f"potentia/{name}-v0", info_keys=info_keys, disable_env_checker=True)
    game: Any = env.unwrapped
    rng = np.random.default_rng(0)
    env.reset(seed=0)
    spent, times, resets = {"step": 0.0, "rules": 0.0, "reset": 0.0}, time.process_time, 1
    for _ in range(steps):
        commands = [command for command in game.commands if command not in ("run tests", "submit")]
        command = commands[int(rng.integers(len(commands)))]
        saved = game.save()
        begun = times()
        game._act(command)
        spent["rules"] += times() - begun
        game.restore(saved)
        begun = times()
        _, _, terminated, truncated, _ = env.step(command)
        spent["step"] += times() - begun
        if terminated or truncated:
            begun, resets = times(), resets + 1
            env.reset()
            spent["reset"] += times() - begun
    return 1e6 * spent["step"] / steps, 1e6 * spent["rules"] / steps, 1e6 * spent["reset"] / max(resets - 1, 1)


def sandbox_job(times: int = 100) -> float:
    """Milliseconds of processor time, of all processes, of a job of seven tests that nobody remembers."""
    sandbox, package = Sandbox(), load("graphs")
    modules = tuple((name, "\n".join(lines)) for name, lines in package.modules.items())
    job = modules, package.visible.questions, package.visible.names
    begun = os.times()
    for _ in range(times):
        sandbox.run(*job)
    sandbox.close()
    spent = [now - before for now, before in zip(os.times()[:4], begun[:4], strict=True)]
    return 1e3 * sum(spent) / times


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=3000)
    steps = parser.parse_args().steps
    print("| world | steps/s | rules alone | ratio | a reset, us | steps/s with all info |\n|---|---|---|---|---|---|")
    for name in WORLDS:
        step, rules, reset = measure(name, steps, None)
        everything, *_ = measure(name, steps // 10, "all")
        row = f"{1e6 / step:,.0f} | {1e6 / rules:,.0f} | {rules / step:.2f} | {reset:,.0f} | {1e6 / everything:,.0f}"
        print(f"| {name} | {row} |")
    print(f"\nSeven tests in the sandbox, not remembered: {sandbox_job():.1f} ms of processor time.")
=======
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym

from potentia.envs.text.textworld.kinds import KINDS, generate, settings_of
from potentia.envs.text.textworld.world import TextWorld

warnings.simplefilter("ignore")
Play = Callable[[int], tuple[int, float]]
"""Plays the game of a number once through. Returns steps and seconds."""


def plans(kind: str, numbers: range) -> list[list[str]]:
    """The commands that win each game."""
    found = []
    for number in numbers:
        world = TextWorld(kind, games=1, first_game=number, info_keys=["plan"])
        found.append(world.reset(seed=0)[1]["plan"].split("\n"))
        world.close()
    return found


def timed(step: Callable[[str], Any], commands: list[str]) -> tuple[int, float]:
    start = time.process_time()
    for command in commands:
        step(command)
    return len(commands), time.process_time() - start


def sides(kind: str, commands: list[list[str]], folder: Path) -> dict[str, Play]:
    """Every side plays by the same function of a game's number."""
    import jericho
    import textworld
    from textworld.generator import compile_game

    paths = []
    for number in range(len(commands)):
        options = textworld.GameOptions()
        options.path = str(folder / f"{kind}{number}.z8")
        paths.append(compile_game(generate(kind, settings_of(kind, {}), number), options))
    bare = [jericho.FrotzEnv(path, 1) for path in paths]
    infos = textworld.EnvInfos(
        admissible_commands=True, facts=True, policy_commands=True, description=True, inventory=True
    )
    plain = [textworld.start(path) for path in paths]
    full = [textworld.start(path, infos) for path in paths]
    ours = [TextWorld(kind, games=1, first_game=number) for number in range(len(paths))]
    asked = [TextWorld(kind, games=1, first_game=number, info_keys="all") for number in range(len(paths))]

    def side(envs: list[Any]) -> Play:
        def play(number: int) -> tuple[int, float]:
            envs[number].reset()
            return timed(envs[number].step, commands[number])

        return play

    named = {"Jericho": bare, "textworld": plain, "world": ours, "textworld, infos": full, "all info": asked}
    return {name: side(envs) for name, envs in named.items()}


def rates(plays: dict[str, Play], games: int, steps: int, repeats: int) -> dict[str, list[float]]:
    """Steps a second of each side in each repeat."""
    found: dict[str, list[float]] = {name: [] for name in plays}
    for _ in range(repeats):
        for name, play in plays.items():
            done, seconds, number = 0, 0.0, 0
            while done < steps:
                more, took = play(number % games)
                done, seconds, number = done + more, seconds + took, number + 1
            found[name].append(done / seconds)
    return found


def vector_rate(kind: str, num_envs: int, steps: int, *, processes: bool) -> float:
    """Steps of single worlds a second."""
    envs = gym.make_vec(f"potentia/TextWorld-{kind}-v0", num_envs, processes=processes)
    envs.reset(seed=0)
    start = time.perf_counter()
    for _ in range(steps // num_envs):
        envs.step(("look",) * num_envs)
    took = time.perf_counter() - start
    envs.close()
    return steps / took


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("kinds", nargs="*", default=list(KINDS))
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--envs", type=int, default=4)
    arguments = parser.parse_args()
    print(
        f"steps/s, median of {arguments.repeats} interleaved repeats of {arguments.steps} steps, {os.cpu_count()} cores"
    )
    for kind in arguments.kinds:
        commands = plans(kind, range(4))
        with tempfile.TemporaryDirectory() as folder:
            plays = sides(kind, commands, Path(folder))
            found = rates(plays, len(commands), arguments.steps, arguments.repeats)
        rows = {name: statistics.median(values) for name, values in found.items()}
        ratio = statistics.median(a / b for a, b in zip(found["world"], found["textworld"], strict=True))
        rich = statistics.median(a / b for a, b in zip(found["all info"], found["textworld, infos"], strict=True))
        said = "  ".join(f"{name} {rate:.0f}" for name, rate in rows.items())
        print(f"{kind:14} {said}  world / textworld {ratio:.2f}, with infos {rich:.2f}", flush=True)
    for processes in (False, True):
        rate = vector_rate("Custom", arguments.envs, arguments.steps, processes=processes)
        print(f"{arguments.envs} worlds, {'a process each' if processes else 'one process'}: {rate:.0f}", flush=True)
>>>>>>> 539a4ea (TextWorld: a game is looked up once an episode; documentation, benchmarks of speed and growth; adapters as tried)


if __name__ == "__main__":
    main()
