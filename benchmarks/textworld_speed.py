"""Steps per second of TextWorld's worlds against the bare engine, and of their vector forms, in one run, interleaved.

Run: python benchmarks/textworld_speed.py [--steps 2000] [--repeats 5] [--envs 4] [KIND ...]

Each side plays the plans of the same four games, over and over, in rounds that alternate. "Jericho" types the commands
into the compiled story and reads nothing. "textworld" is `textworld.start` with what it always gives (text, score,
end). "world" is ours by default; "all info" also has facts, commands, caption, hash, distance and plan; "textworld,
infos" is TextWorld with admissible commands, facts, policy, description and inventory. Times are of the CPU, without
resets. The last rows are vectors of N worlds in one process and in one each, by the clock. Household: see
benchmarks/household_speed.py.
"""

from __future__ import annotations

import argparse
import os
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


if __name__ == "__main__":
    main()
