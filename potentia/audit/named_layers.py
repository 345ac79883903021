"""Wrappers known by name alone, as scripts and settings write them. Nobody else's module is imported."""

from __future__ import annotations

import ast
import re
from importlib import import_module
from typing import Any

import gymnasium as gym

import potentia.shaping
from potentia.shaping.shaper import Contract, Shaper
from potentia.wrappers.layers import Layer, Role
from potentia.wrappers.stack import layer_of_class

DEFAULT_GAMMA = 0.99
"""That of Gymnasium's NormalizeReward, of VecNormalize, and of the models of Stable-Baselines3."""

_GYMNASIUM = ("gymnasium.wrappers.vector", "gymnasium.wrappers")
_BY_NAME: dict[str, Role] = {
    "Monitor": "reports",
    "VecMonitor": "reports",
    "VecNormalize": "changes",
    "ClipRewardEnv": "changes",
    "MaxAndSkipEnv": "repeats",
    "AtariWrapper": "repeats",
    "FrameSkip": "repeats",
    "EpisodicLifeEnv": "passes",
    "NoopResetEnv": "passes",
    "FireResetEnv": "passes",
    "WarpFrame": "passes",
    "TimeFeatureWrapper": "passes",
    "VecFrameStack": "passes",
    "VecTransposeImage": "passes",
    "VecCheckNan": "passes",
    "VecVideoRecorder": "passes",
}
"""Those of Stable-Baselines3 and of CleanRL's copies of them."""
_POTENTIAL = re.compile(r"potential|pbrs", re.IGNORECASE)
_SHAPED = re.compile(r"shap(ing|ed|er)", re.IGNORECASE)
_REWARD = re.compile(r"reward", re.IGNORECASE)
_WRAPPER = re.compile(r"wrapper|env$|^vec[A-Z]|monitor", re.IGNORECASE)


def call_name(call: ast.Call) -> str:
    """The last part of the name of what is called."""
    return _last(call.func)


def _last(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def layer_named(dotted: str, call: ast.Call | None = None, place: str = "") -> Layer | None:
    """What is known of a wrapper by the whole name of its class, or None if it is none.

    Args:
        dotted: Such as ``gymnasium.wrappers.NormalizeReward``. That of ``gym`` counts as Gymnasium's.
        call: What makes it, if that is written, for our wrappers' arguments.
        place: Where it stands.
    """
    package, name = dotted.partition(".")[0], dotted.rpartition(".")[2]
    if package == "potentia" and name in ("ShapeReward", "ShapeVectorReward"):
        return _ours(call, place)
    if name in _BY_NAME:
        return Layer(name, _BY_NAME[name], gamma=DEFAULT_GAMMA if name == "VecNormalize" else None, place=place)
    if package in ("gymnasium", "gym"):
        kind = _of_gymnasium(name, vector=".vector." in dotted)
        if kind is None:
            return None
        return layer_of_class(kind, DEFAULT_GAMMA, place)
    if "." not in dotted or package == "potentia" or not _WRAPPER.search(name):
        return None
    return _guessed(name, place)


def _of_gymnasium(name: str, vector: bool) -> type | None:
    for module in _GYMNASIUM if vector else _GYMNASIUM[::-1]:
        kind = getattr(import_module(module), name, None)
        if isinstance(kind, type) and issubclass(kind, gym.Wrapper | gym.vector.VectorWrapper):
            return kind
    return None


def _ours(call: ast.Call | None, place: str) -> Layer:
    """One of our wrappers: its shaper by the classes that are named in its arguments."""
    words = {} if call is None else {word.arg: word.value for word in call.keywords}
    argument = words.get("shaper", call.args[1] if call is not None and len(call.args) > 1 else None)
    made = [] if argument is None else [call_name(part) for part in ast.walk(argument) if isinstance(part, ast.Call)]
    rule: Any = words.get("truncation")
    truncation: Any = rule.value if isinstance(rule, ast.Constant) else "bootstrap" if rule is None else None
    name = next(iter(made), "ShapeReward")
    return Layer(name, "shapes", any(map(is_invariant, made)), truncation=truncation, tells=True, place=place)


def is_invariant(name: str) -> bool:
    """Whether a class of `potentia.shaping` adds a difference of a potential, by its name or its contract."""
    kind = getattr(potentia.shaping, name, None)
    if not isinstance(kind, type) or not issubclass(kind, Shaper):
        return False
    contract = kind.contract if isinstance(kind.contract, Contract) else Contract()
    return contract.guarantee == "policy_invariant" or name in _INVARIANT


_INVARIANT = frozenset(
    {"GoalImage", "HopPotential", "JudgedPotential", "LTLProgress", "PotentialShaping", "RewardMachine"}
)
"""Those whose contract is known only when they are made."""


def _guessed(name: str, place: str) -> Layer:
    """Somebody's wrapper, which can't be looked at: what its name says it does."""
    if _POTENTIAL.search(name):
        return Layer(name, "shapes", True, place=place)
    if _SHAPED.search(name):
        return Layer(name, "shapes", place=place)
    return Layer(name, "changes" if _REWARD.search(name) else "steps", place=place)
