"""Many environments over one `TransitionModel`, stepped together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from potentia.envs.exact.dynamics import TabularDynamics, offered_by
from potentia.envs.exact.model import BoolArray, TransitionModel
from potentia.envs.exact.observations import encode_states, state_space
from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.world import World

__all__ = ["TabularVectorEnv"]


class TabularVectorEnv(World, VectorEnv[Any, Any, Any]):
    """N copies of a `TabularWorld` in numpy: what ``SyncVectorEnv`` gives, number for number, but fast.

    Environment ``i`` of ``reset(seed=s)`` goes through exactly what ``TabularWorld.reset(seed=s + i)`` would.

    Args:
        model: The world's tensors and time limit.
        num_envs: N.
        observation: "index" or "one_hot".
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``. `potentia.envs.world.ask` adds more.
        time_limit: Replaces the model's limit if given.
        max_episode_steps: As Gymnasium's ``TimeLimit`` would: an additional limit.
        autoreset_mode: One of Gymnasium's three modes. In SAME_STEP ``info`` carries ``final_obs`` and
            ``final_info``. In DISABLED the caller resets with ``options={"reset_mask": mask}``.

    Raises:
        ValueError: If an option is unknown.
    """

    def __init__(
        self,
        model: TransitionModel,
        num_envs: int = 1,
        *,
        observation: str = "index",
        info_keys: Sequence[str] | None = None,
        time_limit: int | None = None,
        max_episode_steps: int | None = None,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        render_mode: str | None = None,
    ) -> None:
        super().__init__()
        limits = [m for m in (time_limit or model.time_limit, max_episode_steps) if m is not None]
        self.model = replace(model, time_limit=min(limits, default=None))
        self.num_envs = num_envs
        self.autoreset_mode = AutoresetMode(autoreset_mode)
        self.metadata = {"render_modes": ["ansi"], "autoreset_mode": self.autoreset_mode}
        self.render_mode = render_mode
        self.single_observation_space = state_space(model.num_states, observation)
        self.single_action_space = spaces.Discrete(model.num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._observation = observation
        self._dynamics = TabularDynamics(self.model, num_envs)
        self.offer(offered_by(self.model), ("success",), info_keys)
        self._ended: BoolArray = np.zeros(num_envs, dtype=np.bool_)
        self._seeded = False

    def _describe(self) -> None:
        self._dynamics.describe(self.info_keys)

    @property
    def time_limit(self) -> int | None:
        """The model's, or ``max_episode_steps`` if that is less."""
        return self.model.time_limit

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[NDArray[Any], dict[str, Any]]:
        """Start new episodes, in all environments or in those of ``options["reset_mask"]``.

        Args:
            seed: See `potentia.envs.vector_reset.seeds_of`.
            options: ``{"reset_mask": mask}`` with a bool array of shape (N,).

        Raises:
            TypeError: If the seed is none.
            ValueError: If the mask or the seeds have the wrong shape.
        """
        mask = reset_mask(options, self.num_envs)
        where = np.ones(self.num_envs, dtype=np.bool_) if mask is None else mask
        seeds = seeds_of(seed, self.num_envs)
        for index, own in enumerate(seeds):
            if where[index] and (own is not None or not self._seeded):
                self._dynamics.streams.seed_from(index, own)
        self._seeded = self._seeded or bool(where.all())
        self._dynamics.restart(where)
        self._ended[where] = False
        return self._observe(), _present(self._dynamics.info(), where)

    def step(self, actions: Any) -> tuple[NDArray[Any], NDArray[np.float64], BoolArray, BoolArray, dict[str, Any]]:
        """Step every environment.

        Raises:
            ValueError: If the actions do not fit, or in DISABLED mode an ended environment was not reset.
        """
        actions = np.asarray(actions, dtype=np.int64)
        if actions.shape != (self.num_envs,) or ((actions < 0) | (actions >= self.model.num_actions)).any():
            raise ValueError(
                f"actions must have shape {(self.num_envs,)} and values in 0..{self.model.num_actions - 1}, "
                f"got shape {actions.shape}: {actions}"
            )
        everywhere = np.ones(self.num_envs, dtype=np.bool_)
        fresh = self._ended if self.autoreset_mode is AutoresetMode.NEXT_STEP else ~everywhere
        if self.autoreset_mode is AutoresetMode.DISABLED and self._ended.any():
            raise ValueError(
                f"environments {np.flatnonzero(self._ended).tolist()} have ended: in DISABLED mode call "
                'reset(options={"reset_mask": terminated | truncated}) before the next step'
            )
        if fresh.any():
            self._dynamics.restart(fresh)
        before, reward, terminated, truncated = self._dynamics.advance(actions, ~fresh)
        info = self._dynamics.info(before, fresh)
        done = terminated | truncated
        present: dict[str, Any] = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and done.any():
            present = self._final(info, done)
            self._dynamics.restart(done)
            info = self._dynamics.info(before, done)
        self._ended = done
        present |= _present(info, everywhere)
        return self._observe(), reward, terminated, truncated, present

    def _final(self, info: dict[str, Any], done: BoolArray) -> dict[str, Any]:
        """What the ended episodes last showed, in the form of Gymnasium's own vector environments."""
        final = np.full(self.num_envs, None, dtype=object)
        for index, observation in zip(np.flatnonzero(done), self._observe()[done], strict=True):
            final[index] = observation
        last = {"final_obs": final, "_final_obs": done.copy()}
        return last | {"final_info": _present(info, done), "_final_info": done.copy()}

    def _observe(self) -> NDArray[Any]:
        return encode_states(self._dynamics.state, self.model.num_states, self._observation)


def _present(info: dict[str, Any], where: BoolArray) -> dict[str, Any]:
    """Add Gymnasium's ``_key`` masks and blank what is not present."""
    out: dict[str, Any] = {}
    for key, value in info.items():
        if isinstance(value, dict):
            out[key] = _present(value, where)
        elif where.all():
            out[key] = value
        else:
            out[key] = np.where(where, value, None if value.dtype == object else value.dtype.type(0))
        out[f"_{key}"] = where.copy()
    return out
