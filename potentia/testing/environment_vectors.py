"""The rule that a vector environment is nothing but its single environments side by side."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv
from gymnasium.vector.utils import iterate

from potentia.envs.world import ask, offered_keys
from potentia.testing.environment_actions import RandomActions
from potentia.testing.environment_episodes import equal

__all__ = ["check_vector"]

_NUM_ENVS = 3

MakeVector = Callable[[int, AutoresetMode], VectorEnv[Any, Any, Any]]


class _Twin:
    """A single environment driven as one row of a vector environment should be."""

    def __init__(self, env: gym.Env[Any, Any], mode: AutoresetMode) -> None:
        self.env = env
        self.mode = mode
        self.ended = False

    def reset(self, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
        self.ended = False
        return self.env.reset(seed=seed)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any], Any]:
        """The row's next return, and the last (observation, info) of an episode ended in SAME_STEP mode."""
        if self.ended and self.mode is AutoresetMode.NEXT_STEP:
            observation, info = self.reset()
            return observation, 0.0, False, False, info, None
        observation, reward, terminated, truncated, info = self.env.step(action)
        self.ended = bool(terminated or truncated)
        if self.ended and self.mode is AutoresetMode.SAME_STEP:
            last = (observation, info)
            observation, info = self.reset()
            return observation, float(reward), bool(terminated), bool(truncated), info, last
        return observation, float(reward), bool(terminated), bool(truncated), info, None


def check_vector(make: Callable[[], gym.Env[Any, Any]], *, seed: int, steps: int, ours: bool) -> None:
    """Compare the vector forms of an environment with its single form, in every autoreset mode.

    Args:
        make: Makes a fresh single environment.
        seed: Row i starts from seed + i.
        steps: Number of vector steps in each mode.
        ours: Whether infos, and the environment's own ``vector_entry_point`` if any, must agree as well.

    Raises:
        AssertionError: "vector: ...", on the first difference.
    """
    spec = make().spec
    forms: dict[str, MakeVector] = {"sync": lambda n, mode: SyncVectorEnv([make] * n, autoreset_mode=mode)}
    if ours and spec is not None and spec.vector_entry_point is not None:
        forms["vector_entry_point"] = lambda n, mode: gym.make_vec(
            spec, n, vectorization_mode="vector_entry_point", autoreset_mode=mode
        )
    for form, make_vector in forms.items():
        for mode in AutoresetMode:
            vector = make_vector(_NUM_ENVS, mode)
            ask(vector, offered_keys(vector))
            twins = [_Twin(make(), mode) for _ in range(_NUM_ENVS)]
            try:
                where = f"{form}, {mode.value}"
                _compare(vector, twins, seed=seed, steps=steps, infos_too=ours, where=where)
            finally:
                vector.close()
                for twin in twins:
                    twin.env.close()


def _compare(
    vector: VectorEnv[Any, Any, Any],
    twins: list[_Twin],
    *,
    seed: int,
    steps: int,
    infos_too: bool,
    where: str,
) -> None:
    vector.action_space.seed(seed)
    draws = [RandomActions(twin.env, seed + index) for index, twin in enumerate(twins)]
    observations, infos = vector.reset(seed=seed)
    for index, (row, twin) in enumerate(zip(_rows(vector, observations), twins, strict=True)):
        observation, info = twin.reset(seed + index)
        _same(row, observation, f"{where}: first observation of environment {index}")
        if infos_too:
            _same(_row_info(infos, index), info, f"{where}: first info of environment {index}")
    for step in range(steps):
        in_words = isinstance(vector.single_action_space, spaces.Text)
        actions = tuple(draw.draw() for draw in draws) if in_words else vector.action_space.sample()
        observations, rewards, terminated, truncated, infos = vector.step(actions)
        rows = _rows(vector, observations)
        single_actions = list(iterate(vector.action_space, actions))
        for index, twin in enumerate(twins):
            here = f"{where}: step {step} of environment {index}"
            observation, reward, term, trunc, info, last = twin.step(single_actions[index])
            _same(rows[index], observation, f"{here}: observation")
            ends = (rewards[index], terminated[index], truncated[index])
            _same(ends, (reward, term, trunc), f"{here}: reward, terminated, truncated")
            got = _row_info(infos, index)
            final_obs, final_info = got.pop("final_obs", None), got.pop("final_info", None)
            if last is not None:
                _same(final_obs, last[0], f"{here}: final_obs")
            if infos_too:
                _same(got, info, f"{here}: info")
                _same(final_info, None if last is None else last[1], f"{here}: final_info")
        if twins[0].mode is AutoresetMode.DISABLED:
            _reset_ended(vector, twins, infos_too, f"{where}: step {step}")


def _reset_ended(vector: VectorEnv[Any, Any, Any], twins: list[_Twin], infos_too: bool, where: str) -> None:
    mask = np.array([twin.ended for twin in twins])
    if not mask.any():
        return
    observations, infos = vector.reset(options={"reset_mask": mask})
    rows = _rows(vector, observations)
    for index in np.flatnonzero(mask):
        observation, info = twins[index].reset()
        _same(rows[index], observation, f"{where}: observation after the masked reset of {index}")
        if infos_too:
            _same(_row_info(infos, int(index)), info, f"{where}: info after the masked reset of {index}")


def _rows(vector: VectorEnv[Any, Any, Any], observations: Any) -> list[Any]:
    return list(iterate(vector.observation_space, observations))


def _row_info(infos: dict[str, Any], index: int) -> dict[str, Any]:
    """The info of one environment: the keys whose mask is set for it."""
    row: dict[str, Any] = {}
    for key, value in infos.items():
        mask = infos.get(f"_{key}")
        if mask is not None and mask[index]:
            row[key] = _row_info(value, index) if isinstance(value, dict) else value[index]
    return row


def _same(got: Any, wanted: Any, what: str) -> None:
    assert equal(got, wanted), f"vector: {what}: the vector gave {got!r}, the single environment {wanted!r}"
