"""The loop of a run: collect, shape, learn, update. Evaluations and checkpoints come between."""

from __future__ import annotations

import dataclasses
import time
from typing import Any

import torch

from potentia import checkpoint
from potentia.agents.agent import columns_of
from potentia.agents.evaluate import evaluate
from potentia.agents.grid import DeviceCollector, GridPPO, stays_on_device
from potentia.agents.loop import PHASES, Collector, EnvCollector, EpisodeCollector, Loop
from potentia.collect import reset_seed
from potentia.metrics import ReturnTracker, reward_metrics
from potentia.study.archive import ArchiveMap
from potentia.study.certifying import certificate_of
from potentia.study.folder import RunFolder, write_json
from potentia.study.learners import make_learner, rollout_steps
from potentia.study.manifest import manifest
from potentia.study.plan import RunConfig
from potentia.study.results import certificates
from potentia.study.seeds import evaluation_seed, run_seeds
from potentia.study.shapings import make_shaper
from potentia.study.world import World

_TOLD_EVERY = 0.25
"""Seconds between two writings of the status. Each waits for the disk, and a rollout may take a few milliseconds."""


class Training:
    """A run that goes on from its checkpoint, if there is one.

    Args:
        config: The run's configuration.
        folder: Where its files are.
    """

    def __init__(self, config: RunConfig, folder: RunFolder) -> None:
        torch.set_num_threads(1)
        self.config, self.folder = config, folder
        self.seeds = run_seeds(config.seed_namespace, config.environment.id, config.seed)
        self.world = World.probe(config)
        spaces = self.world.observation_space, self.world.action_space
        self.shaper = make_shaper(
            config.shaping, *spaces, device=config.device, seed=self.seeds.shaper, folder=config.folder
        )
        self.learner = make_learner(
            config.learner,
            config.environment.learner,
            *spaces,
            streams=self.shaper.streams,
            device=config.device,
            seed=self.seeds.learner,
            folder=config.folder,
        )
        columns = self.shaper.contract.columns_in(self.world.info_keys) | columns_of(self.learner)
        keys = {name.removeprefix("next_") for name in columns} - {"action"}
        self.envs = self.world.make(config.environment.num_envs, keys)
        self.steps = self.interval = 0
        self.profile = dict.fromkeys((*PHASES, "evaluate"), 0.0)
        self._last_return: float | None = None
        self._resume()
        self.loop = Loop(
            self._collector(columns), self.learner, self.shaper, steps=self.steps, keys=self.world.info_keys
        )
        self._begun = self.steps, time.monotonic()
        self._told = -_TOLD_EVERY
        seeds = dataclasses.asdict(self.seeds) | {"seed": config.seed}
        write_json(folder.path / "manifest.json", manifest(self.world.spec, self.shaper, seeds, config.device))

    def _resume(self) -> None:
        if not self.folder.checkpoint.exists():
            self.folder.rewind(-1)
            return
        parts = checkpoint.load(self.folder.checkpoint)
        self.learner.load_state_dict(parts["learner"])
        self.shaper.load_state_dict(parts["shaper"])
        self.steps, self.interval, self.profile = parts["steps"], parts["interval"], parts["profile"]
        self.folder.rewind(self.steps)

    def _collector(self, columns: frozenset[str]) -> Collector:
        """Rollouts of some steps, or of an episode of each environment if the shaper must see whole ones.

        Worlds that are on the run's device already, and fit, are collected from there. Others step on the host, and
        their rollouts go to the device.
        """
        config, envs = self.config, self.envs
        device = None if config.device == "cpu" else config.device
        if self.shaper.contract.needs_episodes:
            return EpisodeCollector(envs, envs.num_envs, gamma=config.gamma, columns=columns, device=device)
        steps = rollout_steps(config.learner, config.environment.learner)
        if isinstance(self.learner, GridPPO) and stays_on_device(envs):
            there = str(self.learner.device)
            return DeviceCollector(envs, steps, gamma=config.gamma, columns=columns, device=there)
        return EnvCollector(envs, steps, gamma=config.gamma, columns=columns, device=device)

    def run(self, stop: Any) -> bool:
        """Trains to the end and writes the result. Returns False if it was asked to stop before."""
        total = self.config.steps
        if self.steps == 0 and self.interval == 0:
            self._evaluate()
        while self.steps < total:
            end = min((self.interval + 1) * self.config.checkpoint.every, total)
            if not self._train_until(end, stop):
                return False
            self.interval += 1
            self._save()
        self._finish()
        return True

    def close(self) -> None:
        """Closes the environments."""
        self.envs.close()

    def _train_until(self, end: int, stop: Any) -> bool:
        """One interval: it begins with a reset of the environments, so it depends only on the checkpoint before."""
        config, loop = self.config, self.loop
        loop.begin(reset_seed(self.seeds.training, self.interval))
        tracker = ReturnTracker(loop.collector.num_envs)
        while self.steps < end:
            if stop:
                self._tell()
                return False
            turn = loop.iterate()
            loop.check()
            before, self.steps = self.steps, loop.steps
            for phase, seconds in turn.seconds.items():
                self.profile[phase] += seconds
            line = {
                "kind": "train",
                "step": self.steps,
                "time": time.time(),
                **reward_metrics(turn.rollout),
                **tracker.update(turn.rollout).metrics(),
                "learner": turn.learned,
                "shaper": turn.updated,
                "profile": turn.seconds,
            }
            self.folder.append([_numbers(line)])
            every = config.evaluation.every
            if self.steps // every > before // every and self.steps < config.steps:
                self._evaluate()
            if self.steps >= end or time.monotonic() - self._told >= _TOLD_EVERY:
                self._tell()
        return True

    def _tell(self) -> None:
        """Writes how far it has come, and how fast."""
        self._told = time.monotonic()
        rate = (self.steps - self._begun[0]) / max(self._told - self._begun[1], 1e-9)
        self.folder.set_status("running", steps=self.steps, rate=rate, return_mean=self._last_return)

    def _save(self) -> None:
        checkpoint.save(
            self.folder.checkpoint,
            learner=self.learner.state_dict(),
            shaper=self.shaper.state_dict(),
            steps=self.steps,
            interval=self.interval,
            profile=self.profile,
        )

    def _evaluate(self) -> None:
        """True return on environments of its own. Nothing learns."""
        begin = time.perf_counter()
        spec = self.config.evaluation
        found = evaluate(
            lambda: self.world.make(min(spec.episodes, self.config.environment.num_envs), {"success"}),
            self.learner,
            spec.episodes,
            seed=evaluation_seed(self.seeds, self.steps),
            greedy=spec.greedy,
        ).metrics
        self.profile["evaluate"] += time.perf_counter() - begin
        self.folder.append([{"kind": "eval", "step": self.steps, "time": time.time(), **found}])
        self._last_return = found["return_mean"]

    def _finish(self) -> None:
        evaluations = self.folder.evaluations()
        if evaluations[-1]["step"] != self.steps:
            self._evaluate()
            evaluations = self.folder.evaluations()
        last = evaluations[-1]
        keys = ("step", "return_mean", "success_rate")
        result = {
            "run_id": self.config.run_id,
            "final": {key: last[key] for key in ("return_mean", "success_rate", "episodes")},
            "evals": [{key: line[key] for key in keys} for line in evaluations],
            "wall_seconds": sum(self.profile.values()),
            "steps": self.steps,
            "anchors": self.world.anchors,
        }
        archive_map = getattr(self.learner, "archive_map", None)
        if archive_map is not None:
            bounds = getattr(getattr(self.learner, "config", None), "bounds", None)
            ArchiveMap.of(archive_map(), bounds).save(self.folder.path)
        if (certificate := certificate_of(self.world, self.shaper)) is not None:
            write_json(self.folder.path / certificates.FILE, certificate)
        write_json(self.folder.path / "result.json", result)


def _numbers(value: Any) -> Any:
    """As JSON has it: a tensor of one number is that number."""
    if isinstance(value, dict):
        return {key: _numbers(entry) for key, entry in value.items()}
    return value.item() if isinstance(value, torch.Tensor) else value
