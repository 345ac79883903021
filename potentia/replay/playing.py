"""Plays episodes with what a run of a study has learned, and records them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.vector import AutoresetMode

from potentia.arrays import host_array
from potentia.collect import within_bounds
from potentia.replay.episode import Episode, episode_files, episode_number, load_episode, save_episode
from potentia.replay.policies import PolicyPlayer, in_its_world
from potentia.replay.recording import RecordEpisodes
from potentia.rollout import Rollout, concatenate
from potentia.study.seeds import RunSeeds, evaluation_seed
from potentia.study.trained import Trained, read_checkpoint, restored
from potentia.transitions import TransitionReader
from potentia.trees import map_tree

_NEXT_ACTION = "next_action"


def play_run(run: Path, episodes: int) -> Path:
    """Plays evaluation episodes with a run's policy, as it is in the checkpoint. Nothing learns.

    They are kept in the run's folder, for each step of the training apart, and are not played again. The k-th is what
    `potentia.agents.evaluate` plays with `episode_seed` of k in one copy of the world. It is shaped when it is over, so
    that a shaper that needs whole episodes or the next action can be shown, too. Of a search for policies it shows what
    policies do in the world itself, unshaped: first the best that was found, then others that it kept.

    Args:
        run: The folder of a run, which has a checkpoint.
        episodes: How many episodes there shall be, at least 1.

    Returns:
        The folder of the episodes.

    Raises:
        FileNotFoundError: If the run has no checkpoint yet.
        ValueError: If ``episodes`` is less than 1, or the checkpoint is damaged.
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, got {episodes}")
    config, parts = read_checkpoint(run)
    out = run / "episodes" / f"step-{parts['steps']}"
    played = 1 + max(map(episode_number, episode_files(out)), default=-1) if out.is_dir() else 0
    if played < episodes:
        Player(in_its_world(restored(config, parts))).play(range(played, episodes), out)
    return out


def episode_seed(seeds: RunSeeds, step: int, episode: int) -> int:
    """The seed, in [0, 2^31), of an episode that is played after a step of the training.

    Args:
        seeds: The run's seeds.
        step: The steps of training done.
        episode: The number of the episode, from 0.
    """
    return int(np.random.SeedSequence([evaluation_seed(seeds, step), episode]).generate_state(1)[0] >> 1)


class Player:
    """A run's world, shaper and learner, as the checkpoint has them.

    Args:
        trained: The run.
        columns: What the transitions shall have of info beside what the run's shaper reads.
    """

    def __init__(self, trained: Trained, columns: Iterable[str] = ()) -> None:
        self.config, self.steps, self.seeds = trained.config, trained.steps, trained.seeds
        self.shaper, self.learner = trained.shaper, trained.learner
        self.columns = self.shaper.contract.info_columns.union(columns)

    def play(self, numbers: Iterable[int], out: Path) -> None:
        """Plays the episodes of these numbers. Each appears in ``out`` when it is over and shaped."""
        for episode, rollout in self.played(numbers):
            save_episode(self._shaped(episode, rollout), out)

    def played(self, numbers: Iterable[int]) -> Iterator[tuple[Episode, Rollout]]:
        """Plays the episodes of these numbers in the world as it is: each unshaped, with its transitions ``(T, 1)``."""
        labels = {
            "shaping": self.config.shaping.name,
            "learner": self.config.learner.label,
            "seed": str(self.config.seed),
            "trained for": f"{self.steps:,} steps",
        }
        with tempfile.TemporaryDirectory() as raw, RecordEpisodes(self._make(), raw, labels=labels) as env:
            for number in numbers:
                rollout = self._play_one(env, number)
                [path] = episode_files(Path(raw))
                episode = load_episode(path)
                path.unlink()
                yield episode, rollout

    def _make(self) -> gym.Env[Any, Any]:
        """The world with pictures, or else with text, if it has them."""
        environment = self.config.environment
        kwargs = {"max_episode_steps": environment.max_episode_steps, **self.config.kwargs}
        env = gym.make(environment.id, disable_env_checker=True, **kwargs)
        modes = env.metadata.get("render_modes") or ()
        mode = next((mode for mode in ("rgb_array", "ansi") if mode in modes), None)
        if mode is None or "render_mode" in kwargs:
            return env
        env.close()
        return gym.make(environment.id, disable_env_checker=True, render_mode=mode, **kwargs)

    def _play_one(self, env: gym.Env[Any, Any], number: int) -> Rollout:
        """The transitions of an episode ``(T, 1)``, with what the shaper reads."""
        seed = episode_seed(self.seeds, self.steps, number)
        columns = self.columns
        reader = TransitionReader(1, AutoresetMode.DISABLED, gamma=self.config.gamma, columns=columns - {_NEXT_ACTION})
        greedy = number == 0 if isinstance(self.learner, PolicyPlayer) else self.config.evaluation.greedy
        actor = self.learner.frozen(greedy=greedy, seed=seed)
        obs, info = env.reset(seed=seed)
        reader.reset(_batch(obs), _batch_info(info, reader.keys))
        drawn, carry = actor.act(_batch(obs), actor.init(1))
        steps: list[Rollout] = []
        after = []
        ended = False
        while not ended:
            action = map_tree(host_array, drawn)
            single = map_tree(lambda part: part[0], within_bounds(action, env.action_space))
            obs, reward, terminated, truncated, info = env.step(single)
            ended = bool(terminated or truncated)
            numbers = np.array([float(reward)]), np.array([bool(terminated)]), np.array([bool(truncated)])
            steps.append(reader.step(action, _batch(obs), *numbers, _batch_info(info, reader.keys)))
            # The last one is drawn and not taken, as `potentia.collect` has it for the column "next_action".
            drawn, carry = actor.act(_batch(obs), carry)
            after.append(map_tree(host_array, drawn))
        rollout = concatenate(steps)
        if _NEXT_ACTION in columns:
            return replace(rollout, info={**rollout.info, _NEXT_ACTION: np.stack(after)})
        return rollout

    def _shaped(self, episode: Episode, rollout: Rollout) -> Episode:
        shaped, _ = self.shaper.shape(rollout, self.shaper.init(1))
        return episode.relabelled({name: host_array(term)[:, 0].tolist() for name, term in shaped.terms.items()})


def _batch(tree: Any) -> Any:
    return map_tree(lambda leaf: np.asarray(leaf)[None], tree)


def _batch_info(info: Mapping[str, Any], keys: list[str]) -> dict[str, Any]:
    return {**info, **{key: _batch(info[key]) for key in keys if key in info}}
