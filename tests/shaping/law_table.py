"""The table of shapers that every law is tried on: a new shaper is one more row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from gymnasium import spaces

from potentia.shaping import (
    E3B,
    RND,
    BlinkLink,
    Chain,
    Checklist,
    ChecklistScore,
    ClipReward,
    Count,
    EpisodicCount,
    EpisodicNovelty,
    HierarchicalAction,
    LookAheadAdvice,
    LookBackAdvice,
    NormalizeReward,
    NovelD,
    PairwiseJudge,
    PotentialShaping,
    Progress,
    Scale,
    ScheduleDiscount,
    Shaper,
)
from potentia.shaping.schedules import Exponential, Linear
from potentia.testing.experience import Info

VECTOR = spaces.Box(-1.0, 1.0, (4,), np.float64)
ACTIONS = spaces.Discrete(3)
STATE_TABLE = np.array([0.3, -1.0, 2.0, 0.5, 4.0, -2.5])
ADVICE_TABLE = np.array(
    [[0.3, -1.0, 2.0], [0.5, 4.0, -2.5], [1.0, 0.0, 0.0], [0.2, 0.1, -0.7], [3.0, 2.0, 1.0], [0.0, -4.0, 0.6]]
)


def height(obs: np.ndarray) -> np.ndarray:
    """A potential of vectors."""
    return 2.0 * obs[..., 0] - obs[..., 1] ** 2


def texts(*lines: str) -> Callable[[np.ndarray], np.ndarray]:
    """An info column with a text for each of the six states."""
    return lambda states: np.array(lines)[states]


CHECKLISTS = np.array([[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, -1]])
COLUMNS: Info = {
    "checklist": lambda states: CHECKLISTS[states],
    "goal": texts("buy", "buy", "sell", "sell", "rent", ""),
    "alternative": texts("click(1)", "noop()", "", "back()", "click(2)", "click(4)"),
    "response": texts(
        "",
        "<blink>[[0, 0, 9, 9]]</blink><think></think><link>click(3)</link>",
        "<blink>[]</blink> <think>No box.</think> <link>click(4)</link>",
        "click(3)",
        '{"rationale": "It is red.", "action": "click(3)"}',
        '{"rationale": "It is not.", "action": "click(4)"}',
    ),
    "reference": texts("click(3)", "click(3)\n[[0, 0, 9, 9]]", "", "click(4)\n[[5, 5, 9, 9]]", "back()", "click(3)"),
}
"""Columns whose values can't be invented without knowing what they mean."""


def info_of(make: Callable[[], Shaper]) -> Info:
    """Those of them that a shaper reads."""
    return {key: COLUMNS[key] for key in COLUMNS if key in make().contract.info_keys}


def arbiter(goal: str, page: str, action: str, alternative: str) -> float:
    """A verdict that depends on all four texts."""
    return (len(goal) + sum(page.encode()) + len(action) * len(alternative)) % 5 / 2 - 1


def checklist_judge(items: Sequence[str], page: str) -> np.ndarray:
    """Probabilities that depend on the page."""
    return np.tile([[0.1 * (sum(page.encode()) % 7), 0.25, 0.75 - 0.1 * (sum(page.encode()) % 7)]], (len(items), 1))


SHAPERS: dict[str, Callable[[], Shaper]] = {
    "PotentialShaping of a function": lambda: PotentialShaping(height),
    "PotentialShaping of a table": lambda: PotentialShaping(STATE_TABLE, shift=-0.5),
    "PotentialShaping of the world's oracle": lambda: PotentialShaping("potential"),
    "Progress of a function": lambda: Progress(height),
    "Progress of the world's oracle": lambda: Progress("potential"),
    "LookAheadAdvice": lambda: LookAheadAdvice(ADVICE_TABLE),
    "LookBackAdvice": lambda: LookBackAdvice(ADVICE_TABLE),
    "ScheduleDiscount": lambda: ScheduleDiscount(Linear(0.5, 0.9, 100)),
    "Count of observations": Count,
    "Count of a world's state hash": lambda: Count("state_hash"),
    "Count by SimHash": lambda: Count(hash_bits=6),
    "EpisodicCount": EpisodicCount,
    "EpisodicCount of first visits to captions": lambda: EpisodicCount("caption", first_visit=True),
    "RND": lambda: RND(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2),
    "NovelD": lambda: NovelD(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2),
    "NovelD of a world's state hash": lambda: NovelD(VECTOR, "state_hash", alpha=1.0, hidden=16, batch_size=16),
    "E3B": lambda: E3B(VECTOR, ACTIONS, hidden=16, output_dim=4, batch_size=16, learning_rate=1e-2),
    "EpisodicNovelty": lambda: EpisodicNovelty(VECTOR, ACTIONS, neighbours=3, memory=5, hidden=16, output_dim=4),
    "Checklist": Checklist,
    "ChecklistScore": ChecklistScore,
    "Checklist of a judge": lambda: Checklist(["find", "buy"], checklist_judge, questions=1),
    "ChecklistScore of a judge": lambda: ChecklistScore(["find", "buy"], checklist_judge),
    "PairwiseJudge of a column": lambda: PairwiseJudge(arbiter, questions=3),
    "PairwiseJudge of a function": lambda: PairwiseJudge(arbiter, lambda *_: ["click(3)", "noop()"]),
    "BlinkLink": lambda: BlinkLink((100.0, 100.0)),
    "HierarchicalAction": HierarchicalAction,
    "HierarchicalAction without certainty": lambda: HierarchicalAction(alpha=0.0, dars=2.0),
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
