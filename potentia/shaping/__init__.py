"""Reward-shaping layers: each maps a `potentia.Rollout` to a rollout, under a declared contract."""

from potentia.shaping.compose import Chain, Scale
from potentia.shaping.credit.hindsight import Hindsight
from potentia.shaping.credit.redistribution import Redistribution
from potentia.shaping.credit.shapley import Shapley
from potentia.shaping.credit.turning_point import TurningPoint
from potentia.shaping.designed.barfi import BARFI
from potentia.shaping.designed.barfi_discount import BARFIDiscount
from potentia.shaping.designed.expadard import ExpAdaRD
from potentia.shaping.designed.explors import ExploRS
from potentia.shaping.designed.exprd import EXPRD
from potentia.shaping.designed.lirpg import LIRPG
from potentia.shaping.discounts.automatic_discount import AutomaticDiscount
from potentia.shaping.discounts.discount_by_entropy import DiscountByEntropy
from potentia.shaping.discounts.discount_by_return import DiscountByReturn
from potentia.shaping.discounts.hyperbolic_discount import HyperbolicDiscount
from potentia.shaping.discounts.meta_gradient_discount import MetaGradientDiscount
from potentia.shaping.discounts.schedule_discount import ScheduleDiscount
from potentia.shaping.exploration.count import Count, EpisodicCount
from potentia.shaping.exploration.e3b import E3B
from potentia.shaping.exploration.episodic_novelty import EpisodicNovelty
from potentia.shaping.exploration.noveld import NovelD
from potentia.shaping.exploration.novelty_bonus import NoveltyBonus
from potentia.shaping.exploration.rnd import RND
from potentia.shaping.imitation.discriminator import Discriminator
from potentia.shaping.imitation.goal_image import GoalImage
from potentia.shaping.imitation.hop_potential import HopPotential
from potentia.shaping.imitation.optimal_transport import OptimalTransport
from potentia.shaping.imitation.self_imitation import SelfImitation
from potentia.shaping.judged.blink_link import BlinkLink
from potentia.shaping.judged.calm import CALM
from potentia.shaping.judged.checklist import Checklist, ChecklistScore
from potentia.shaping.judged.ellm import ELLM
from potentia.shaping.judged.hierarchical_action import HierarchicalAction
from potentia.shaping.judged.information_gain import InformationGain
from potentia.shaping.judged.judged_potential import JudgedPotential
from potentia.shaping.judged.motif import Motif
from potentia.shaping.judged.oni import ONI
from potentia.shaping.judged.pairwise_judge import PairwiseJudge
from potentia.shaping.judged.rubric_reward import RubricReward, RuleReward
from potentia.shaping.judged.turn_credit import TurnCredit
from potentia.shaping.potentials.advice import LookAheadAdvice, LookBackAdvice
from potentia.shaping.potentials.goal_distance import GoalDistance
from potentia.shaping.potentials.ltl_progress import LTLProgress
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.progress import Progress
from potentia.shaping.potentials.reward_machine import RewardMachine
from potentia.shaping.potentials.sources import Potential
from potentia.shaping.potentials.subgoal_graph import SubgoalGraph
from potentia.shaping.potentials.successor import Successor
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream
from potentia.shaping.transforms.clip_reward import ClipReward
from potentia.shaping.transforms.column_reward import ColumnReward
from potentia.shaping.transforms.gated import Gated
from potentia.shaping.transforms.hide_reward import HideReward
from potentia.shaping.transforms.indicator_cost import IndicatorCost, Limit
from potentia.shaping.transforms.interval_iou import IntervalIoU
from potentia.shaping.transforms.length_penalty import LengthPenalty
from potentia.shaping.transforms.noise import FlipNoise, InvertedReward, RandomReward
from potentia.shaping.transforms.normalize_reward import NormalizeReward
from potentia.shaping.transforms.par import PAR
from potentia.shaping.transforms.reasoning_pattern import ReasoningPattern
from potentia.shaping.transforms.temporal_attenuation import TemporalAttenuation
from potentia.shaping.transforms.variance_filter import variance_filter

__all__ = [
    "BARFI",
    "CALM",
    "E3B",
    "ELLM",
    "EXPRD",
    "LIRPG",
    "ONI",
    "PAR",
    "RND",
    "AutomaticDiscount",
    "BARFIDiscount",
    "BlinkLink",
    "Carry",
    "Chain",
    "Checklist",
    "ChecklistScore",
    "ClipReward",
    "ColumnReward",
    "Contract",
    "Count",
    "DiscountByEntropy",
    "DiscountByReturn",
    "Discriminator",
    "EpisodicCount",
    "EpisodicNovelty",
    "ExpAdaRD",
    "ExploRS",
    "FlipNoise",
    "Gated",
    "GoalDistance",
    "GoalImage",
    "HideReward",
    "HierarchicalAction",
    "Hindsight",
    "HopPotential",
    "HyperbolicDiscount",
    "IndicatorCost",
    "InformationGain",
    "IntervalIoU",
    "InvertedReward",
    "JudgedPotential",
    "LTLProgress",
    "LengthPenalty",
    "Limit",
    "LookAheadAdvice",
    "LookBackAdvice",
    "MetaGradientDiscount",
    "Motif",
    "NormalizeReward",
    "NovelD",
    "NoveltyBonus",
    "OptimalTransport",
    "PairwiseJudge",
    "Potential",
    "PotentialShaping",
    "Progress",
    "RandomReward",
    "ReasoningPattern",
    "Redistribution",
    "RewardMachine",
    "RubricReward",
    "RuleReward",
    "Scale",
    "ScheduleDiscount",
    "SelfImitation",
    "Shaper",
    "Shapley",
    "Stream",
    "SubgoalGraph",
    "Successor",
    "TemporalAttenuation",
    "TurnCredit",
    "TurningPoint",
    "variance_filter",
]
