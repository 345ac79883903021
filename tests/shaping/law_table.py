"""The table of shapers that every law is tried on: a new shaper is one more row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.envs.exact import random_mdp
from potentia.judges import Answer, Ideas, Question, Rules
from potentia.rollout import Rollout
from potentia.shaping import (
    BARFI,
    CALM,
    E3B,
    ELLM,
    EXPRD,
    LIRPG,
    ONI,
    PAR,
    RND,
    AutomaticDiscount,
    BARFIDiscount,
    BlinkLink,
    Chain,
    Checklist,
    ChecklistScore,
    ClipReward,
    ColumnReward,
    Count,
    DiscountByEntropy,
    DiscountByReturn,
    Discriminator,
    EpisodicCount,
    EpisodicNovelty,
    ExpAdaRD,
    ExploRS,
    FlipNoise,
    Gated,
    GoalDistance,
    GoalImage,
    HideReward,
    HierarchicalAction,
    Hindsight,
    HopPotential,
    HyperbolicDiscount,
    IndicatorCost,
    InformationGain,
    IntervalIoU,
    InvertedReward,
    JudgedPotential,
    LengthPenalty,
    Limit,
    LookAheadAdvice,
    LookBackAdvice,
    LTLProgress,
    MetaGradientDiscount,
    Motif,
    NormalizeReward,
    NovelD,
    NoveltyBonus,
    OptimalTransport,
    PairwiseJudge,
    PotentialShaping,
    Progress,
    RandomReward,
    ReasoningPattern,
    Redistribution,
    RewardMachine,
    RubricReward,
    RuleReward,
    Scale,
    ScheduleDiscount,
    SelfImitation,
    Shaper,
    Shapley,
    SubgoalGraph,
    Successor,
    TemporalAttenuation,
    TurnCredit,
    TurningPoint,
)
from potentia.shaping.schedules import Exponential, Horizon, Linear
from potentia.testing.experience import Info

GOALS = spaces.Dict(
    achieved_goal=spaces.Box(-1.0, 1.0, (2,), np.float64), desired_goal=spaces.Box(-1.0, 1.0, (2,), np.float64)
)
VECTOR = spaces.Box(-1.0, 1.0, (4,), np.float64)
ACTIONS = spaces.Discrete(3)
STATE_TABLE = np.array([0.3, -1.0, 2.0, 0.5, 4.0, -2.5])
ADVICE_TABLE = np.array(
    [[0.3, -1.0, 2.0], [0.5, 4.0, -2.5], [1.0, 0.0, 0.0], [0.2, 0.1, -0.7], [3.0, 2.0, 1.0], [0.0, -4.0, 0.6]]
)


def height(obs: np.ndarray) -> np.ndarray:
    """A potential of vectors."""
    return 2.0 * obs[..., 0] - obs[..., 1] ** 2


def pairs_of_steps(episode: Rollout, sets: np.ndarray) -> np.ndarray:
    """A score of sets of steps: the square of what they sum to."""
    return (sets * np.asarray(episode.obs)[:, 0, 0]).sum(1) ** 2


def texts(*lines: str) -> Callable[[np.ndarray], np.ndarray]:
    """An info column with a text for each of the six states."""
    return lambda states: np.array(lines)[states]


CHECKLISTS = np.array([[0, 0], [0.5, 0], [1, 0], [1, 0.5], [1, 1], [0.5, -1]])
FLAGS = np.array([0, 1, 0, 1, 1, 0], bool)
COLUMNS: Info = {
    "progress": lambda states: np.array([0.0, 0.3, 0.1, 0.6, 1.0, 0.8])[states],
    "subgoals": lambda states: {"find": FLAGS[states], "buy": FLAGS[states - 1]},
    "alternatives": lambda states: np.array([[0.1, 0.5], [2, 1], [0, -1], [1, 1.5], [0.3, 0], [-1, 0]])[states],
    "interval": lambda states: np.array([[0.0, 4], [1, 2], [5, 1], [0, 1], [2, 6], [3, 4]])[states],
    "target": lambda states: np.array([[1.0, 3], [0, 2], [1, 5], [2, 3], [2, 6], [0, 9]])[states],
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
    "room": lambda states: np.array([1, 0, 5, 2, 4, 3])[states],
    "reference": texts("click(3)", "click(3)\n[[0, 0, 9, 9]]", "", "click(4)\n[[5, 5, 9, 9]]", "back()", "click(3)"),
}
"""Columns whose values can't be invented without knowing what they mean."""


def info_of(make: Callable[[], Shaper]) -> Info:
    """Those of them that a shaper reads."""
    return {key: COLUMNS[key] for key in COLUMNS if key in make().contract.info_keys}


class SlowRules(Rules):
    """Rules that are asked in update alone, as a model or a server is."""

    quick = False


def rule(question: Question) -> tuple[float, ...]:
    """Numbers that depend on all texts of a question."""
    text = "|".join(map(str, question.texts.values()))
    number = sum(place * letter for place, letter in enumerate(text.encode(), 7))
    return tuple(question.low + (1 - question.low) * ((number + 3 * i) % 7) / 6 for i in range(question.size))


class Advises(SlowRules):
    """Has ideas, too: two or three for each goal."""

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        ideas = ("find it", "see number 4", "buy")
        return [
            Answer(texts=ideas[: 2 + len(one.goal) % 2])
            if isinstance(one, Ideas)
            else super(Advises, self).answer([one])[0]
            for one in questions
        ]


def embed(texts: Sequence[str]) -> np.ndarray:
    """Vectors that depend on the letters."""
    return np.array([[sum(text.encode()) % 5 + 1, len(text) % 3, sum(text.encode()) % 7] for text in texts])


GOAL = np.array([1.0, -1.0, 0.5, 0.0])


def hops(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """Hops that no progress agrees with."""
    return 0.45 * (after[..., 0] - before[..., 0]) + 0.1 * after[..., 1]


JUDGE, QUICK, ADVISER = SlowRules(rule), Rules(rule), Advises(rule)


SMALL_ONE: dict[str, Any] = {"embedding": 2, "channels": 4, "hidden": 4, "batch_size": 8, "learning_rate": 1e-2}
SMALL = SMALL_ONE | {"steps": 1}

_STEPS = np.random.default_rng(1).uniform(-1, 1, (2, 9, 4, 4))
_LAST = np.arange(9)[:, None] == np.array([8, 5, 8, 8])
SHOWN = Rollout(
    obs=_STEPS[0], action=np.arange(36).reshape(9, 4) % 3, next_obs=_STEPS[1], terms={"env": np.zeros((9, 4))},
    discount=np.full((9, 4), 0.9), terminated=_LAST & (np.arange(4) < 2), truncated=_LAST & (np.arange(4) >= 2),
    mask=np.arange(9)[:, None] <= np.array([8, 5, 8, 8]),
)  # fmt: skip
"""Four demonstrations of `VECTOR` and `ACTIONS`: the second is shorter, and half of them are cut."""
SMALL_GAIL: dict[str, Any] = {"hidden": 16, "batch_size": 4, "learning_rate": 1e-2}


SHAPERS: dict[str, Callable[[], Shaper]] = {
    "PotentialShaping of a function": lambda: PotentialShaping(height),
    "PotentialShaping of a table": lambda: PotentialShaping(STATE_TABLE, shift=-0.5),
    "PotentialShaping of the world's oracle": lambda: PotentialShaping("potential"),
    "Progress of a function": lambda: Progress(height),
    "Progress of the world's oracle": lambda: Progress("potential"),
    "LookAheadAdvice": lambda: LookAheadAdvice(ADVICE_TABLE),
    "LookBackAdvice": lambda: LookBackAdvice(ADVICE_TABLE),
    "RewardMachine": lambda: RewardMachine(
        "a -> b: find\nb -> c: buy & success => 2\nb -> a: potential < -0.5 | !find", gamma=0.9, events=["find", "buy"]
    ),
    "RewardMachine of the paper's sign": lambda: RewardMachine("a -> b: success", gamma=1.0, sign="-"),
    "LTLProgress": lambda: LTLProgress("eventually (find & next buy) & always !success", events=["find", "buy"]),
    "GoalDistance": lambda: GoalDistance(scale=2.0),
    "GoalDistance, discounted": lambda: GoalDistance("discounted", gamma=0.9),
    "GoalDistance by reachability": lambda: GoalDistance(
        "reachable", GOALS, steps=1, hidden=8, batch_size=16, learning_rate=0.01
    ),
    "SubgoalGraph": lambda: SubgoalGraph(GOALS, beta=0.01, steps=5, hidden=8, capacity=8),
    "SubgoalGraph of the high level": lambda: SubgoalGraph(GOALS, "high", beta=0.01, steps=5, hidden=8, capacity=8),
    "SubgoalGraph of the low level": lambda: SubgoalGraph(GOALS, "low", beta=0.01, steps=5, hidden=8, capacity=8),
    "Successor of the Laplacian": lambda: Successor(VECTOR, hidden=8, batch_size=16, learning_rate=0.01),
    "Successor of features": lambda: Successor(VECTOR, "features", hidden=8, batch_size=16, learning_rate=0.01),
    "ScheduleDiscount": lambda: ScheduleDiscount(Linear(0.5, 0.9, 100)),
    "ScheduleDiscount of a horizon": lambda: ScheduleDiscount(Horizon(Linear(1.0, 9.0, 100))),
    "AutomaticDiscount": lambda: AutomaticDiscount(SHOWN, "euclidean", start=1, quantile=1.0, episodes=500, every=1),
    "AutomaticDiscount of one demonstration": lambda: AutomaticDiscount(
        SHOWN[:, :1], start=1, quantile=1.0, episodes=500
    ),
    "HyperbolicDiscount": lambda: HyperbolicDiscount(0.5),
    "DiscountByReturn": lambda: DiscountByReturn(0.0, 3.0, 0.3, 0.7),
    "DiscountByEntropy": lambda: DiscountByEntropy(0.45, 0.75),
    "MetaGradientDiscount": lambda: MetaGradientDiscount(0.45),
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
    "NoveltyBonus": lambda: NoveltyBonus(neighbours=2),
    "NoveltyBonus of a function": lambda: NoveltyBonus(lambda obs: obs[..., :2], neighbours=2, capacity=3),
    "NoveltyBonus of captions": lambda: NoveltyBonus("caption", width=8),
    "NoveltyBonus of flags": lambda: NoveltyBonus("subgoals"),
    "NoveltyBonus spread over the steps": lambda: NoveltyBonus("potential", neighbours=3, spread=True),
    "Discriminator": lambda: Discriminator(VECTOR, ACTIONS, SHOWN, **SMALL_GAIL),
    "Discriminator without a penalty": lambda: Discriminator(
        VECTOR, ACTIONS, SHOWN, sees="transition", form="log D", penalty=None, spectral_norm=True, **SMALL_GAIL
    ),
    "Discriminator of states, absorbing": lambda: Discriminator(
        VECTOR, ACTIONS, SHOWN, sees="state", form="AIRL", penalty="dragan", absorbing=0.9, **SMALL_GAIL
    ),
    "Discriminator, preconditioned": lambda: Discriminator(
        VECTOR, ACTIONS, SHOWN, penalty="nagard", purple=True, purple_limit=0.5, **SMALL_GAIL
    ),
    "Checklist": Checklist,
    "ChecklistScore": ChecklistScore,
    "Checklist of a judge": lambda: Checklist(["find", "buy"], JUDGE, questions=1),
    "Checklist of rules": lambda: Checklist(["find", "buy"], QUICK),
    "ChecklistScore of a judge": lambda: ChecklistScore(["find", "buy"], JUDGE),
    "JudgedPotential": lambda: JudgedPotential(JUDGE, unknown=0.5, questions=2),
    "JudgedPotential of the world's truth": lambda: JudgedPotential(Rules(), "Buy."),
    "CALM": lambda: CALM(JUDGE, ["find", "buy"], questions=3),
    "CALM of actions alone": lambda: CALM(QUICK, ["find", "buy"], use_observation=False, action_names=["a", "b", "c"]),
    "CALM of the world's truth": lambda: CALM(Rules(), ["find", "buy"], window=1, use_action=False),
    "CALM of ideas": lambda: CALM(ADVISER, goal=None, most=4),
    "CALM as a bonus": lambda: CALM(JUDGE, {"find it": "find"}, form="bonus"),
    "ELLM": lambda: ELLM(["find", "buy"], embed),
    "ELLM of ideas": lambda: ELLM(ADVISER, embed),
    "ONI": lambda: ONI(JUDGE, questions=3),
    "ONI of the world's truth": lambda: ONI(Rules()),
    "ONI by classification": lambda: ONI(JUDGE, "Buy.", "classification", threshold=0.4, **SMALL),
    "ONI by ranking": lambda: ONI(JUDGE, "Buy.", "ranking", threshold=-9.0, **SMALL),
    "Motif": lambda: Motif(
        [["a", "the caption", -1.0], ["see", "go", 0.5], ["buy", "a", 0]], quantile=0.0, **SMALL_ONE
    ),
    "InformationGain": InformationGain,
    "RubricReward": lambda: RubricReward(JUDGE, ["polite", "short"], questions=3),
    "RubricReward of ideas at the end": lambda: RubricReward(ADVISER, goal="buy", when="end"),
    "RuleReward": lambda: RuleReward(["polite", "short"], JUDGE),
    "RuleReward of functions": lambda: RuleReward({"short": lambda text: "4" in text}),
    "TurnCredit": TurnCredit,
    "TurnCredit of a known most": lambda: TurnCredit(3.0),
    "PairwiseJudge of a column": lambda: PairwiseJudge(JUDGE, questions=3),
    "PairwiseJudge of a function": lambda: PairwiseJudge(JUDGE, lambda *_: ["click(3)", "noop()"]),
    "BlinkLink": lambda: BlinkLink((100.0, 100.0)),
    "HierarchicalAction": HierarchicalAction,
    "HierarchicalAction without certainty": lambda: HierarchicalAction(alpha=0.0, dars=2.0),
    "OptimalTransport": lambda: OptimalTransport(SHOWN),
    "OptimalTransport of distances": lambda: OptimalTransport(
        SHOWN, VECTOR, metric="euclidean", standardize=True, encoder=lambda obs: obs[:, :2], epsilon=0.1, size=None
    ),
    "SelfImitation": lambda: SelfImitation(episodes=3, least=-9.0, length=4, metric="euclidean"),
    "GoalImage": lambda: GoalImage(GOAL),
    "GoalImage of demonstrations": lambda: GoalImage(SHOWN, lambda obs: obs[:, 1:], metric="cosine", shift=0.5),
    "HopPotential": lambda: HopPotential(hops, GOAL),
    "HopPotential of a column": lambda: HopPotential("progress", fusion="mean"),
    "EXPRD": lambda: EXPRD(random_mdp(6, 3), gamma=0.8, sparsity=0.01),
    "EXPRD of a world's numbers of states": lambda: EXPRD(random_mdp(6, 3), gamma=0.8, states="room"),
    "ExpAdaRD": lambda: ExpAdaRD(random_mdp(6, 3), gamma=0.8),
    "ExploRS": lambda: ExploRS(spaces.Discrete(6), ACTIONS, scale=2.0),
    "ExploRS of a network": lambda: ExploRS(VECTOR, ACTIONS, form="neural", hidden=8, wait_steps=0, wait_returns=0),
    "ClipReward": lambda: ClipReward(-0.5, 0.5),
    "HideReward": HideReward,
    "ColumnReward": lambda: ColumnReward("next_distance"),
    "NormalizeReward": lambda: NormalizeReward(clip=2.0),
    "PAR": lambda: PAR(reference=[0.5, -0.5], when="always"),
    "PAR of a column": lambda: PAR("lsc", reference="alternatives"),
    "PAR by running bounds": lambda: PAR("min_max", when="always"),
    "PAR by running moments": lambda: PAR("clip"),
    "LengthPenalty": lambda: LengthPenalty("next_response", free=1),
    "LengthPenalty of a number": lambda: LengthPenalty("next_distance", free=0.5),
    "FlipNoise": lambda: FlipNoise(0.4),
    "FlipNoise by episode": lambda: FlipNoise(0.5, "episode"),
    "FlipNoise by group": lambda: FlipNoise(0.5, "group", group="goal"),
    "RandomReward": RandomReward,
    "InvertedReward": lambda: InvertedReward(-1.0, 2.0),
    "ReasoningPattern": lambda: ReasoningPattern("next_response", ["no", "is"], enough=3),
    "ReasoningPattern as a second opinion": lambda: ReasoningPattern("next_response", ["no", "is"], below=0.2),
    "Gated": lambda: Gated("next_success", {PotentialShaping(height): 0.5, Count(): 2.0}),
    "Gated by a function": lambda: Gated(lambda rollout: rollout.discount * 0 + 0.5, {EpisodicCount(): 1.0}),
    "IntervalIoU": IntervalIoU,
    "IndicatorCost": lambda: IndicatorCost({"next_success": Limit(0.9, at_least=True, keeps_task=True), "lost": 0.1}),
    "TemporalAttenuation": lambda: TemporalAttenuation(0.3),
    "Redistribution of equal parts": lambda: Redistribution(form="uniform"),
    "Redistribution by differences": lambda: Redistribution(VECTOR, ACTIONS, hidden=8, batch_size=4, learning_rate=0.1),
    "Redistribution by random subsets": lambda: Redistribution(
        VECTOR, ACTIONS, form="random", subset=2, hidden=8, batch_size=4, learning_rate=0.1
    ),
    "TurningPoint": TurningPoint,
    "TurningPoint with a bonus": lambda: TurningPoint("outcome_plus_bonus", eta=0.5),
    "Hindsight": lambda: Hindsight(VECTOR, ACTIONS, hidden=8, batch_size=16, learning_rate=0.1),
    "Shapley": lambda: Shapley(pairs_of_steps, orders=4, alpha=0.75),
    "BARFI": lambda: BARFI(EpisodicCount(), VECTOR, ACTIONS, trust=0.5, hidden=8),
    "BARFIDiscount": lambda: BARFIDiscount(0.45),
    "LIRPG": lambda: LIRPG(VECTOR, ACTIONS, intrinsic=0.5, extrinsic=0.5, hidden=8),
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

SPACES: dict[str, spaces.Space[Any]] = {
    name: GOALS for name in SHAPERS if name.startswith(("GoalDistance", "SubgoalGraph"))
} | dict.fromkeys(("EXPRD", "ExpAdaRD", "ExploRS"), spaces.Discrete(6))
"""The observation space of those that can't take vectors or integers."""
