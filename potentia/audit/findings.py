"""The one question before a training: what is wrong with this shaping, stack, model, study, script or file?"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

from potentia.audit.composition import composition
from potentia.audit.script_findings import read_script
from potentia.audit.zoo import is_zoo, read_zoo
from potentia.rollout import Truncation
from potentia.shaping.fit import Finding, Home, fit
from potentia.shaping.shaper import Shaper
from potentia.wrappers.layers import Layer, Learner, evaluation_findings, findings_of
from potentia.wrappers.stack import check_stack, layers_of_spec, stacks


def audit(
    target: Any,
    *,
    gamma: float | None = None,
    truncation: Truncation | None = None,
    shaper: Shaper | None = None,
    home: Home | None = None,
    evaluation: Any = None,
) -> list[Finding]:
    """What is wrong with a shaping before anything is trained, each mistake with its line of advice.

    Nothing is run: stacks are looked at, scripts and settings are read. What a finding's ``name`` means is a table on
    the page "The audit" of the documentation.

    Args:
        target: One of these.

            - A `potentia.shaping.Shaper`: how its parts fit together, and into ``home``.
            - An environment or a vector of them in any wrappers, or its ``spec``: `potentia.testing.check_stack`.
            - A model or a ``VecEnv`` of Stable-Baselines3: `potentia.agents.sb3.check_stack`.
            - A study: a `potentia.study.spec.StudySpec`, its file, or the name of one that comes with the package.
            - A Python file, such as one of CleanRL, which is read and not run, or a file of RL-Zoo's settings.
            - ``"module:object"``: any of these, or a function that makes one.
        gamma: The learner's discount factor, where the target does not say it. None if it is not to be compared.
        truncation: What the learner does where an episode is cut. None if it is not to be compared.
        shaper: What a callback or a replay of Stable-Baselines3 is to add to a model.
        home: Where a shaper is to run. None if that is not to be asked.
        evaluation: The environment on which the learner is to be evaluated.

    Returns:
        The findings, severe ones first. Empty if there is nothing to say.

    Raises:
        TypeError: If it is none of these.
        OSError: If there is no such file.
        ValueError: If a file can't be read as what its ending says, or there is no such study.

    >>> from potentia.shaping import PotentialShaping
    >>> from potentia.wrappers import ShapeReward
    >>> lake = gym.make("FrozenLake-v1")
    >>> env = ShapeReward(lake, PotentialShaping([0.0] * 15 + [3.0]), gamma=1.0)
    >>> [finding] = audit(env, gamma=0.9)
    >>> finding.name, finding.problem.partition(": ")[2]  # (1 - 0.9) * 3 / (1 - 0.9)
    ('gamma', 'worth up to 3, at a greatest potential of 3')
    """
    found = [*_of(target, gamma, truncation, shaper, home)]
    if evaluation is not None:
        found += evaluation_findings(_layers_of(evaluation))
    return sorted(dict.fromkeys(found), key=lambda finding: not finding.severe)


def _of(
    target: Any, gamma: float | None, truncation: Truncation | None, shaper: Shaper | None, home: Home | None
) -> list[Finding]:
    if isinstance(target, str | Path):
        return _of_source(str(target), gamma, truncation, shaper, home)
    if isinstance(target, Shaper):
        return [*composition(target), *(fit(target, home) if home is not None else ())]
    if isinstance(target, gym.Env | VectorEnv):
        return check_stack(target, gamma=gamma, truncation=truncation)
    if isinstance(target, EnvSpec):
        return findings_of(layers_of_spec(target), Learner(gamma, truncation))
    if _is_of_sb3(target):
        from potentia.agents import sb3  # noqa: PLC0415 - an extra, which is there if the target is

        return sb3.check_stack(target, shaper, gamma=gamma)
    study = import_module("potentia.study.spec") if "potentia.study.spec" in sys.modules else None
    if study is not None and isinstance(target, study.StudySpec):
        return _of_study(target, target.name)
    raise TypeError(
        "audit takes a shaper, an environment or its spec, a model or a VecEnv of Stable-Baselines3, a study, a Python "
        f"file, a file of RL-Zoo's settings, or 'module:object'; got {type(target).__name__}: {target!r:.80}"
    )


def _of_source(
    source: str, gamma: float | None, truncation: Truncation | None, shaper: Shaper | None, home: Home | None
) -> list[Finding]:
    path = Path(source)
    if path.suffix == ".py":
        return read_script(path, gamma=gamma)
    if path.suffix in (".yaml", ".yml") and is_zoo(path):
        return read_zoo(path, gamma=gamma)
    module, colon, name = source.partition(":")
    if colon and not path.exists():
        return _of(_made(module, name), gamma, truncation, shaper, home)
    from potentia.study.spec import load_study  # noqa: PLC0415 - the only way up: who asks for a study has it

    return _of_study(load_study(source), source)


def _made(module: str, name: str) -> Any:
    """The object of ``module:name``. A function is called, a class is made."""
    if "" not in sys.path:
        sys.path.insert(0, "")  # modules of the working directory, as ``python -m`` finds them
    found: Any = import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    known = isinstance(found, Shaper | gym.Env | VectorEnv | EnvSpec) or _is_of_sb3(found)
    return found() if callable(found) and not known else found


def _is_of_sb3(target: Any) -> bool:
    """Whether it is a model or a vector of environments of Stable-Baselines3, which need not be installed."""
    names = {base.__name__ for base in type(target).__mro__ if base.__module__.startswith("stable_baselines3.")}
    return bool(names & {"BaseAlgorithm", "VecEnv"})


def _of_study(study: Any, source: str) -> list[Finding]:
    from potentia.study.findings import study_findings  # noqa: PLC0415

    found: list[Finding] = study_findings(study, source)
    return found


def _layers_of(env: Any) -> list[tuple[Layer, ...]]:
    if not _is_of_sb3(env):
        return stacks(env)
    from potentia.agents.sb3.stack import stacks_of_vector  # noqa: PLC0415

    return stacks_of_vector(env)
