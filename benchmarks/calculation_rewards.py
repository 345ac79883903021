"""A tiny learner on calculations under true and false rewards: only the true one may teach it anything.

Wu et al. 2025 (arXiv 2507.10532) found that random and inverted rewards raise scores only where problems were seen
before. Here each problem is drawn anew. The learner is a table: for each of the four signs that it may read, how much
it likes a candidate that is the sum, difference, product or quotient of the two numbers. It does not know which sign
means which, and learns that by REINFORCE, or not.

    python benchmarks/calculation_rewards.py --seeds 10 --episodes 2000
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import gymnasium as gym
import numpy as np

import potentia  # noqa: F401 - registers the ids

SIGNS = "+-*/"
RULES: tuple[Callable[[Fraction, Fraction], Fraction | None], ...] = (
    lambda a, b: a + b,
    lambda a, b: a - b,
    lambda a, b: a * b,
    lambda a, b: a / b if b else None,
)
REWARDS = ("true", "random", "inverted", "none")
LEARNING_RATE = 0.3
FRESH = 10**6
"""Where the seeds of problems begin on which nothing is learned."""

_PROBLEM = re.compile(r"Calculate: (\S+) ([-+*/]) (\S+)")


def read(text: str) -> Fraction:
    """A number as it is shown: ``45``, ``(7/3)`` or ``(7^2)``."""
    base, _, power = text.strip("()").partition("^")
    return Fraction(base) ** int(power or 1)


def features(text: str, commands: list[str]) -> tuple[int, np.ndarray[Any, Any]]:
    """The sign's number, and for each candidate whether it is what each rule gives, ``(K, 4)``."""
    match = _PROBLEM.fullmatch(text)
    assert match is not None, text
    a, sign, b = match.groups()
    results = [rule(read(a), read(b)) for rule in RULES]
    matches = [[Fraction(command) == result for result in results] for command in commands]
    return SIGNS.index(sign), np.array(matches, float)


def chances(table: np.ndarray[Any, Any], sign: int, matches: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """The probability of each candidate, a softmax, ``(K,)``."""
    logits = matches @ table[sign]
    weights = np.exp(logits - logits.max())
    return np.asarray(weights / weights.sum())


def success_rate(env: gym.Env[str, str], table: np.ndarray[Any, Any], problems: int) -> float:
    """The expected success on problems of their own."""
    total = 0.0
    for number in range(problems):
        text, info = env.reset(seed=FRESH + number)
        commands = info["commands"].split("\n")
        sign, matches = features(text, commands)
        right = [Fraction(command) == env.unwrapped.truth for command in commands]  # type: ignore[attr-defined]
        total += float(chances(table, sign, matches)[right].sum())
    return total / problems


def train(reward: str, seed: int, episodes: int, problems: int = 300) -> tuple[float, float]:
    """The success before and after learning from one kind of reward."""
    env = gym.make("potentia/Calculation-v0", steps=1, info_keys=("commands", "success"), disable_env_checker=True)
    table, rng, mean = np.zeros((4, 4)), np.random.default_rng(seed), 0.0
    before = success_rate(env, table, problems)
    text, info = env.reset(seed=seed)
    for episode in range(episodes):
        sign, matches = features(text, commands := info["commands"].split("\n"))
        policy = chances(table, sign, matches)
        action = int(rng.choice(len(policy), p=policy))
        _, paid, _, _, info = env.step(commands[action])
        earned = {
            "true": float(paid),
            "random": float(rng.random() < 0.5),
            "inverted": 1.0 - float(info["success"]),
            "none": 0.0,
        }[reward]
        mean += (earned - mean) / (episode + 1)
        table[sign] += LEARNING_RATE * (earned - mean) * (matches[action] - policy @ matches)
        text, info = env.reset()
    return before, success_rate(env, table, problems)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--episodes", type=int, default=2000)
    arguments = parser.parse_args()
    print("| reward | success before | after | gain [95 % interval over seeds] |\n|---|---|---|---|")
    for reward in REWARDS:
        pairs = np.array([train(reward, seed, arguments.episodes) for seed in range(arguments.seeds)])
        gains = pairs[:, 1] - pairs[:, 0]
        rng = np.random.default_rng(0)
        means = gains[rng.integers(len(gains), size=(10_000, len(gains)))].mean(axis=1)
        low, high = np.percentile(means, (2.5, 97.5))
        before, after = pairs.mean(axis=0)
        print(f"| {reward} | {before:.3f} | {after:.3f} | {gains.mean():+.3f} [{low:+.3f}, {high:+.3f}] |")


if __name__ == "__main__":
    main()
