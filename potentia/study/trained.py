"""What a run has learned, loaded from its checkpoint."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from potentia import checkpoint
from potentia.agents.agent import Agent
from potentia.collect import Actor
from potentia.shaping.shaper import Shaper
from potentia.study.folder import RunFolder
from potentia.study.learners import make_learner
from potentia.study.plan import RunConfig
from potentia.study.results import Run
from potentia.study.seeds import RunSeeds, run_seeds
from potentia.study.shapings import make_shaper
from potentia.study.world import World


@dataclass(frozen=True)
class Trained:
    """A run as its last checkpoint has it.

    Attributes:
        config: the run's configuration.
        steps: the steps of training done.
        seeds: the seeds of its parts.
        shaper: the shaping with what it has learned.
        learner: the learner with what it has learned.
    """

    config: RunConfig
    steps: int
    seeds: RunSeeds
    shaper: Shaper
    learner: Agent


def load_policy(run: Run | str | os.PathLike[str], *, greedy: bool | None = None, seed: int = 0) -> Actor:
    """The policy that a run has learned, ready to act in its world.

    >>> import gymnasium as gym
    >>> policy = load_policy("runs/quickstart/runs/0123456789ab")  # doctest: +SKIP
    >>> env = gym.make_vec("potentia/DeepSea-v0", 4, size=10)  # doctest: +SKIP
    >>> obs, _ = env.reset(seed=0)  # doctest: +SKIP
    >>> action, memory = policy.act(obs, policy.init(4))  # doctest: +SKIP

    Args:
        run: a run of `load(...).study.runs`, or a run's folder.
        greedy: whether to take the likeliest action. The default is that of the study's evaluations.
        seed: of the policy's own randomness.

    Returns:
        an actor: ``act(obs, memory)`` takes observations ``(N, ...)`` and the memory that ``init(N)`` or the last call
        gave, and returns actions ``(N, ...)`` with the memory after them.

    Raises:
        FileNotFoundError: it is no run's folder, or the run has no checkpoint yet.
    """
    folder = run.folder if isinstance(run, Run) else Path(run)
    trained = restored(*read_checkpoint(folder))
    greedily = trained.config.evaluation.greedy if greedy is None else greedy
    return trained.learner.frozen(greedy=greedily, seed=seed)


def read_checkpoint(run: Path) -> tuple[RunConfig, dict[str, Any]]:
    """A run's configuration and its checkpoint as it was saved.

    Args:
        run: the run's folder.

    Raises:
        FileNotFoundError: it is no run's folder, or the run has no checkpoint yet.
        ValueError: the checkpoint is damaged.
    """
    folder = RunFolder(run)
    document = folder.config()
    if not document:
        raise FileNotFoundError(
            f"wanted the folder of a run, with config.json, got {run}: take one of those in a study's folder 'runs'"
        )
    config = RunConfig.parse(document)
    if not folder.checkpoint.exists():
        raise FileNotFoundError(
            f"{run} has no checkpoint yet (one comes every {config.checkpoint.every} steps); let the run go on first"
        )
    return config, checkpoint.load(folder.checkpoint)


def restored(config: RunConfig, parts: Mapping[str, Any]) -> Trained:
    """The learner and the shaper of a checkpoint. A world is made once, for its spaces."""
    seeds = run_seeds(config.seed_namespace, config.environment.id, config.seed)
    world = World.probe(config)
    spaces = world.observation_space, world.action_space
    shaper: Shaper = make_shaper(config.shaping, *spaces, device=config.device, seed=seeds.shaper, folder=config.folder)
    shaper.load_state_dict(parts["shaper"])
    learner = make_learner(
        config.learner,
        config.environment.learner,
        *spaces,
        streams=shaper.streams,
        device=config.device,
        seed=seeds.learner,
        folder=config.folder,
    )
    learner.load_state_dict(parts["learner"])
    return Trained(config, int(parts["steps"]), seeds, shaper, learner)
