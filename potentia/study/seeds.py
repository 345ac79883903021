"""Random streams of a run: from its world and seed only, so that runs of different shapings are paired."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class RunSeeds:
    """The seeds of a run's parts, each below 2**31."""

    training: int
    evaluation: int
    learner: int
    shaper: int


def run_seeds(namespace: int, environment: str, seed: int) -> RunSeeds:
    """The seeds of seed ``seed`` in a world: the same for every shaping and learner.

    Args:
        namespace: The study's ``seed_namespace``.
        environment: The world's id.
        seed: The run's seed.
    """
    world = int.from_bytes(hashlib.sha256(environment.encode()).digest()[:8], "big")
    state = np.random.SeedSequence([namespace, world, seed]).generate_state(4)
    return RunSeeds(*(int(word) >> 1 for word in state))


def evaluation_seed(seeds: RunSeeds, step: int) -> int:
    """The seed of the evaluation at a step: it hangs on nothing that happened before."""
    return int(np.random.SeedSequence([seeds.evaluation, step]).generate_state(1)[0] >> 1)
