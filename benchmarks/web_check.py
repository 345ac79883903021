"""Does every web world keep the rules of `potentia.testing.check_env`, in Chromium?

Run: python benchmarks/web_check.py [--episodes 1] [--steps 3] [ID ...]

The tests do this for a few pages and, without a browser, for all applications. Here it is done for all ids: Gymnasium's
own checker, fresh buffers, the same hashes of episodes in new instances and used ones, ends, info, all three autoreset
modes of the vector form against the single one, and the spec. Prints a line for each id, with the first broken rule.
"""

from __future__ import annotations

import argparse
import time

import gymnasium as gym

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.web import WebEnv
from potentia.testing import check_env


def broken(world: str, episodes: int, steps: int) -> str:
    """The first broken rule, or ""."""
    try:
        check_env(world, episodes=episodes, max_steps=steps)
    except Exception as error:
        return f"{type(error).__name__}: {error}".splitlines()[0]
    return ""


def main() -> None:
    """Prints the table."""
    every = [world for world in gym.registry if world.startswith(("potentia/Web-", "potentia/MiniWoB-"))]
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("worlds", nargs="*", default=every, metavar="ID")
    parser.add_argument("--episodes", type=int, default=1)
    parser.add_argument("--steps", type=int, default=3)
    chosen = parser.parse_args()
    keeper = WebEnv("MailStar")  # keeps the browser open
    keeper.reset(seed=0)
    start, proper = time.perf_counter(), 0
    for world in chosen.worlds:
        told = broken(world, chosen.episodes, chosen.steps)
        proper += not told
        print(f"{world:48s} {told or 'proper'}", flush=True)
    keeper.close()
    print(f"{proper} of {len(chosen.worlds)} worlds are proper ({time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
