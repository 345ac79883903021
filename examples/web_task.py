"""A task in a shop, solved by its reference solution, with and without a detour: what shaping pays is the same.

The true return is discounted, so it is less after a detour; the sums of the potentials' differences are not.
On choosing a potential: docs/potentials.md.
"""

from __future__ import annotations

import argparse

import gymnasium as gym

import potentia  # noqa: F401 - registers the worlds
from potentia.shaping import Chain, Checklist, PotentialShaping
from potentia.wrappers import ShapeReward

DETOUR = ('fill(0, "nothing can be typed into a link")', "click(0)", "back()")


def play(env: ShapeReward, seed: int, detour: tuple[str, ...], *, tell: bool) -> dict[str, float]:
    """Takes a detour, then follows the reference; returns the discounted sum of each term."""
    _, info = env.reset(seed=seed)
    if tell:
        print(info["goal"])
    sums, weight, done, left = dict.fromkeys(info["terms"], 0.0), 1.0, False, list(detour)
    while not done:
        # The reference is the next action from wherever the agent is; a second line tells where its element lies.
        action = left.pop(0) if left else info["reference"].partition("\n")[0]
        _, _, terminated, truncated, info = env.step(action)
        done = terminated or truncated
        for name, term in info["terms"].items():
            sums[name] += weight * term
        weight *= info["discount"]
        if tell:
            terms = "  ".join(f"{name} {term:.3f}" for name, term in info["terms"].items())
            print(f"  {action:12} potential {info['potential']:.3f}: {terms}")
    return sums


def main() -> None:
    """Plays the task twice."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--task", default="ShopBuy", help="a name of docs/web.md, such as MailReply")
    parser.add_argument("--backend", default="html", help="html needs no browser; cdp drives Chromium")
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()

    # What is followed and printed; what is shaped with is asked for by itself.
    keys = ("goal", "reference", "potential")
    world = gym.make(f"potentia/Web-{options.task}-v0", backend=options.backend, actions="text", info_keys=keys)
    env = ShapeReward(world, Chain(PotentialShaping("potential"), Checklist()), gamma=0.99)
    ways = {"straight": play(env, options.seed, (), tell=True), "detour": play(env, options.seed, DETOUR, tell=False)}
    env.close()
    for name, sums in ways.items():
        print(f"{name:10}", "  ".join(f"{term} {total:.4f}" for term, total in sums.items()))


if __name__ == "__main__":
    main()
