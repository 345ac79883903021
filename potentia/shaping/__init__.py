"""Reward-shaping layers: each maps a `potentia.Rollout` to a rollout, under a declared contract."""

from potentia.shaping.advice import Advice
from potentia.shaping.blink_link import BlinkLink
from potentia.shaping.checklist import Checklist
from potentia.shaping.compose import Chain, Scale
from potentia.shaping.count import Count, EpisodicCount
from potentia.shaping.discount import ScheduleDiscount
from potentia.shaping.e3b import E3B
from potentia.shaping.episodic_novelty import EpisodicNovelty
from potentia.shaping.hierarchical_action import HierarchicalAction
from potentia.shaping.noveld import NovelD
from potentia.shaping.pairwise_judge import PairwiseJudge
from potentia.shaping.potential import PotentialShaping
from potentia.shaping.progress import Progress
from potentia.shaping.rnd import RND
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream
from potentia.shaping.transform import ClipReward, NormalizeReward

__all__ = [
    "E3B",
    "RND",
    "Advice",
    "BlinkLink",
    "Carry",
    "Chain",
    "Checklist",
    "ClipReward",
    "Contract",
    "Count",
    "EpisodicCount",
    "EpisodicNovelty",
    "HierarchicalAction",
    "NormalizeReward",
    "NovelD",
    "PairwiseJudge",
    "PotentialShaping",
    "Progress",
    "Scale",
    "ScheduleDiscount",
    "Shaper",
    "Stream",
]
