"""The wrapper that records episodes while they are played."""

from __future__ import annotations

import os
import weakref
from collections.abc import Mapping
from pathlib import Path
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from potentia.envs.world import ask, offered_keys
from potentia.replay.episode import save_episode
from potentia.replay.images import Frame
from potentia.replay.reading import action_words, goal_text, shown_text
from potentia.replay.tape import Tape


class RecordEpisodes(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Records the episodes of any `gymnasium.Env` into a folder, one file each, for ``potentia replay FOLDER``.

    Put it outermost: around `potentia.wrappers.ShapeReward` it records every reward term, around an unshaped
    environment the one term "env". What is recorded of a step is told at `Episode`. A world of this library is asked
    for all the info that it offers.

    A file appears, whole, when its episode ends. An episode that is cut short by `reset`, `close`, an exception that
    ends the program, or Ctrl-C is kept, too, and marked "unfinished". Only a process that is killed outright
    (SIGKILL, or SIGTERM without a handler) loses the episode that it is in. Numbers go on after those in the folder.

    Args:
        env: The environment. Pictures are taken if its ``render_mode`` is "rgb_array", text if it is "ansi".
        folder: Where the files go. It is made if need be.
        every: Records each ``every``-th episode, beginning with the first.
        frames: Whether to take pictures.
        max_frames: Of a longer episode only every 2nd, 4th, 8th ... picture is kept, and the last.
        labels: What the page shall say of all episodes, by name, such as ``{"learner": "ppo"}``.

    Raises:
        ValueError: If ``every`` is less than 1 or ``max_frames`` less than 2.
        OSError: If a file can't be written. The methods `step`, `reset` and `close` raise it.

    >>> import tempfile
    >>> import gymnasium as gym
    >>> from potentia.replay import episode_files, load_episode
    >>> folder = tempfile.TemporaryDirectory()
    >>> with RecordEpisodes(gym.make("FrozenLake-v1", is_slippery=False), folder.name) as env:
    ...     _ = env.reset(seed=0)
    ...     for action in (2, 2, 1, 1, 1, 2):  # right, right, down, down, down, right
    ...         _ = env.step(action)
    >>> [path] = episode_files(Path(folder.name))
    >>> episode = load_episode(path)
    >>> path.name, episode.length, episode.true_return, episode.end
    ('episode-000000.zip', 6, 1.0, 'terminated')
    >>> folder.cleanup()
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        folder: str | os.PathLike[str],
        *,
        every: int = 1,
        frames: bool = True,
        max_frames: int = 1000,
        labels: Mapping[str, str] | None = None,
    ) -> None:
        if every < 1:
            raise ValueError(f"every must be at least 1, got {every}")
        if max_frames < 2:
            raise ValueError(
                f"max_frames must be at least 2, the first and the last, got {max_frames}; or frames=False"
            )
        folder, labels = Path(folder), dict(labels or {})
        options: dict[str, Any] = {"every": every, "frames": frames, "max_frames": max_frames, "labels": labels}
        RecordConstructorArgs.__init__(self, folder=str(folder), **options)
        gym.Wrapper.__init__(self, env)
        self._folder, self._every, self._labels = folder, every, labels
        self._max_frames = max_frames if frames and env.render_mode == "rgb_array" else 0
        self._ansi = env.render_mode == "ansi"
        ask(env, offered_keys(env))
        self._say = action_words(env.unwrapped)
        self._begun = 0
        self._tape: Tape | None = None
        self._keep: weakref.finalize[..., RecordEpisodes] | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Resets the environment. An episode that was going on is kept as unfinished."""
        self._stop()
        obs, info = self.env.reset(seed=seed, options=options)
        if self._begun % self._every == 0:
            name = self.spec.id if self.spec is not None else type(self.unwrapped).__name__
            goal = goal_text(self.unwrapped, obs, info)
            self._tape = Tape(name, goal, self._labels, self._max_frames)
            self._tape.add("", 0.0, self._text(obs), info, self._frame)
            # Runs once: from here, when this wrapper is collected as garbage, or when the interpreter ends.
            self._keep = weakref.finalize(self, _keep, self._tape, self._folder)
        self._begun += 1
        return obs, info

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Steps the environment. What it returns is passed on as it is."""
        action_text = self._say(action) if self._tape is not None else ""
        obs, reward, terminated, truncated, info = self.env.step(action)
        if self._tape is not None:
            take = None if info.get("failure") else self._frame
            self._tape.add(action_text, float(reward), self._text(obs), info, take)
            if terminated or truncated:
                self._tape.finish(bool(terminated), bool(truncated), info, take)
                self._stop()
        return obs, reward, terminated, truncated, info

    def close(self) -> None:
        """Closes the environment. An episode that was going on is kept as unfinished."""
        try:
            self._stop()
        finally:
            self.env.close()

    def _stop(self) -> None:
        self._tape = None
        keep, self._keep = self._keep, None
        if keep is not None:
            keep()

    def _text(self, obs: Any) -> str:
        screen = self.env.render() if self._ansi else None
        return screen if isinstance(screen, str) else shown_text(obs)

    def _frame(self) -> Frame:
        return np.asarray(self.env.render())


def _keep(tape: Tape, folder: Path) -> None:
    episode = tape.episode()
    if episode is not None:
        save_episode(episode, folder)
