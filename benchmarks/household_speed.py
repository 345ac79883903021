"""Steps per second of Household: the bare engine, the environment, and the real ALFWorld, in one process, interleaved.

Run: python benchmarks/household_speed.py [--steps 20000] [--repeats 5] [--real-steps 15]

All play the same commands in the same rooms, of which half are a shortest way's and half any that are offered. "engine"
is our rules alone. "listing" also asks for the commands on offer, as whoever chooses among them does, and as ALFWorld
does at each step. ALFWorld is left out where `pip install alfworld fast-downward-textworld` was not done.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from random import Random
from typing import Any

from potentia.envs.text.household import TASKS, House, Household, Room
from potentia.envs.text.household.furnishing import furnish
from potentia.envs.text.household.original import ALFWorld
from potentia.envs.text.household.pddl import write_game
from potentia.envs.text.household.way import shortest_way

Game = tuple[Room, list[str]]


def games(steps: int) -> list[Game]:
    """Rooms and the commands played in them, up to 50 in each."""
    played: list[Game] = []
    rng = Random(0)
    while steps > 0:
        room = furnish(list(TASKS), rng)
        house, commands = House(room), list[str]()
        while not house.won() and len(commands) < min(50, steps):
            commands.append(shortest_way(house)[0] if rng.random() < 0.5 else rng.choice(house.commands()))
            house.do(commands[-1])
        played.append((room, commands))
        steps -= len(commands)
    return played


def engine(played: list[Game], listing: bool) -> None:
    """Plays on the bare engine."""
    for room, commands in played:
        house = House(room)
        for command in commands:
            if listing:
                house.commands()
            house.do(command)
            house.won()


def environment(played: list[Game], listing: bool, keys: Any) -> None:
    """Plays on the environment, which takes its rooms from here."""
    env = Household(info_keys=keys)
    rooms = iter([room for room, _ in played])
    env._room = lambda number: next(rooms)  # type: ignore[method-assign]
    for _, commands in played:
        env.reset(seed=None)
        for command in commands:
            if listing:
                env.commands  # noqa: B018
            env.step(command)


def real(played: list[Game], folder: Path) -> float:
    """Plays on ALFWorld's engine. Returns its steps per second, loading and resets excluded."""
    room, commands = played[0]
    write_game(room, folder / "game.tw-pddl")
    env = ALFWorld(games=[folder / "game.tw-pddl"], max_episode_steps=None)
    env.reset(seed=0)
    start = time.process_time()
    for command in commands:
        env.step(command)
    spent = time.process_time() - start
    env.close()
    return len(commands) / spent


def main() -> None:
    """Prints medians and their ratios."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=20_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--real-steps", type=int, default=15)
    options = parser.parse_args()
    played = games(options.steps)
    total = sum(len(commands) for _, commands in played)
    sides: dict[str, Callable[[], None]] = {
        "engine": lambda: engine(played, False),
        "environment": lambda: environment(played, False, None),
        "engine, listing": lambda: engine(played, True),
        "environment, listing": lambda: environment(played, True, None),
        "with potential": lambda: environment(played, False, ("potential",)),
        "with all info": lambda: environment(played, False, "all"),
    }
    speeds: dict[str, list[float]] = {name: [] for name in sides}
    theirs: list[float] = []
    try_real = find_spec("alfworld") is not None and find_spec("fast_downward") is not None
    with tempfile.TemporaryDirectory() as folder:
        for repeat in range(options.repeats):
            for name, play in sides.items():
                start = time.process_time()
                play()
                speeds[name].append(total / (time.process_time() - start))
            if try_real and options.real_steps:
                room, commands = played[repeat]
                theirs.append(real([(room, commands[: options.real_steps])], Path(folder)))
    medians = {name: statistics.median(values) for name, values in speeds.items()}
    for name, value in medians.items():
        print(f"{name:22} {value:12,.0f} steps per CPU second")
    for what in ("", ", listing"):
        print(f"environment{what} / engine{what}: {medians[f'environment{what}'] / medians[f'engine{what}']:.2f}")
    if theirs:
        slow = statistics.median(theirs)
        print(f"{'ALFWorld':22} {slow:12,.1f} steps per CPU second")
        print(f"environment, listing / ALFWorld: {medians['environment, listing'] / slow:,.0f}")


if __name__ == "__main__":
    main()
