"""The table of shapers that every law is tried on: a new shaper is one more row."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from gymnasium import spaces

from potentia.shaping import (
    E3B,
    RND,
    Advice,
    Chain,
    ClipReward,
    Count,
    EpisodicCount,
    EpisodicNovelty,
    NormalizeReward,
    NovelD,
    PotentialShaping,
    Progress,
    Scale,
    ScheduleDiscount,
    Shaper,
)
from potentia.shaping.schedules import Exponential, Linear

VECTOR = spaces.Box(-1.0, 1.0, (4,), np.float64)
ACTIONS = spaces.Discrete(3)
STATE_TABLE = np.array([0.3, -1.0, 2.0, 0.5, 4.0, -2.5])
ADVICE_TABLE = np.array(
    [[0.3, -1.0, 2.0], [0.5, 4.0, -2.5], [1.0, 0.0, 0.0], [0.2, 0.1, -0.7], [3.0, 2.0, 1.0], [0.0, -4.0, 0.6]]
)


def height(obs: np.ndarray) -> np.ndarray:
    """A potential of vectors."""
    return 2.0 * obs[..., 0] - obs[..., 1] ** 2


SHAPERS: dict[str, Callable[[], Shaper]] = {
    "PotentialShaping of a function": lambda: PotentialShaping(height),
    "PotentialShaping of a table": lambda: PotentialShaping(STATE_TABLE, scale=3.0, shift=-0.5),
    "PotentialShaping of the world's oracle": lambda: PotentialShaping("potential"),
    "Progress of a function": lambda: Progress(height, scale=2.0),
    "Progress of the world's oracle": lambda: Progress("potential"),
    "Advice, look-ahead": lambda: Advice(ADVICE_TABLE, look="ahead"),
    "Advice, look-back": lambda: Advice(ADVICE_TABLE, look="back"),
    "ScheduleDiscount": lambda: ScheduleDiscount(Linear(0.5, 0.9, 100)),
    "Count of observations": lambda: Count(scale=0.5),
    "Count of a world's state hash": lambda: Count("state_hash"),
    "Count by SimHash": lambda: Count(hash_bits=6),
    "EpisodicCount": EpisodicCount,
    "EpisodicCount of first visits to captions": lambda: EpisodicCount("caption", first_visit=True),
    "RND": lambda: RND(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2),
    "NovelD": lambda: NovelD(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2),
    "NovelD of a world's state hash": lambda: NovelD(VECTOR, "state_hash", alpha=1.0, hidden=16, batch_size=16),
    "E3B": lambda: E3B(VECTOR, ACTIONS, hidden=16, output_dim=4, batch_size=16, learning_rate=1e-2),
    "EpisodicNovelty": lambda: EpisodicNovelty(VECTOR, ACTIONS, neighbours=3, memory=5, hidden=16, output_dim=4),
    "ClipReward": lambda: ClipReward(-0.5, 0.5),
    "NormalizeReward": lambda: NormalizeReward(clip=2.0),
    "Scale of a potential by a number": lambda: Scale(PotentialShaping(height), 0.25),
    "Scale of a bonus by a schedule": lambda: Scale(EpisodicCount(), Exponential(1.0, 0.0, 50)),
    "Chain of potentials": lambda: Chain(
        PotentialShaping(height), Scale(PotentialShaping("potential", name="oracle"), 2.0)
    ),
    "Chain of one of each kind": lambda: Chain(
        ScheduleDiscount(0.8),
        ClipReward(-0.5, 0.5),
        PotentialShaping(height),
        Scale(EpisodicCount(), 0.1),
        Chain(Count(), RND(VECTOR, hidden=16, output_dim=8, batch_size=16), name="novelty"),
    ),
    "Chain of nothing": Chain,
}
