"""What a Stable-Baselines3 vector environment returns, as true transitions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.vec_env import VecEnv, VecEnvWrapper, VecNormalize

from potentia.envs.world import ask_offered, offered_keys
from potentia.rollout import ENV, Rollout
from potentia.shaping.shaper import Contract
from potentia.transitions import info_keys, missing_key
from potentia.trees import Tree, map_tree


class TransitionRecorder:
    """Turns what a Stable-Baselines3 ``VecEnv`` returns into ``(1, N)`` rollouts.

    ``infos[i]["TimeLimit.truncated"]`` tells a cut from an end. Stable-Baselines3 uses the next value at a cut.

    Args:
        model: Whose environment is recorded, and whose gamma is the discount. It may be given another environment.
        contract: Says which info columns are wanted: those read, and those measured with where they are offered.
    """

    def __init__(self, model: BaseAlgorithm, contract: Contract) -> None:
        self._model, self.gamma = model, float(model.gamma)  # type: ignore[attr-defined]
        self._contract = contract
        self._follow(self._present())

    def _present(self) -> VecEnv:
        env = self._model.get_env()
        assert env is not None
        return innermost(env)  # wrappers have reset_infos too, which stay empty

    def _follow(self, env: VecEnv) -> None:
        """Starts with an environment that was reset, or will be before its first step."""
        self.env = env
        self._before: list[Mapping[str, Any]] = []
        self._last: Rollout | None = None
        self.columns = sorted(self._contract.columns_in(offered_keys(env)))
        self.keys = info_keys(self.columns)
        ask_offered(env, self.keys)

    def begin(self) -> None:
        """Reads how the episodes begin, right after a reset. Worlds that were asked after it tell what it left out."""
        late = offered_keys(self.env).intersection(self.keys)
        now = self.env.env_method("info_now") if late else [{}] * self.env.num_envs
        begun = zip(now, self.env.reset_infos, strict=True)
        self._before = [{key: info[key] for key in late.intersection(info)} | reset for info, reset in begun]

    def record(
        self,
        obs: Tree,
        action: np.ndarray,
        next_obs: Tree,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> Rollout:
        """One step of all environments. Its ``next_obs`` are the true successors of `true_next_obs`."""
        if (env := self._present()) is not self.env:
            self._follow(env)
        before = self._before or list(self.env.reset_infos)
        if self.keys and self._last is not None:
            for index in _begun_anew(obs, self._last):
                before[index] = self.env.reset_infos[index]
        limited = np.array([info.get("TimeLimit.truncated", False) for info in infos], bool)
        truncated = done.astype(bool) & limited
        terminated = done.astype(bool) & ~truncated
        values = {key: (self._column(before, key), self._column(infos, key)) for key in self.keys}
        info = {name: values[name.removeprefix("next_")][name.startswith("next_")] for name in self.columns}
        # After an end the next step starts from the new episode's first observation, which its reset described.
        self._before = [self.env.reset_infos[i] if ended else infos[i] for i, ended in enumerate(done)]
        reward = reward.astype(np.float64)
        self._last = Rollout(
            obs=map_tree(lambda leaf: np.array(leaf)[None], obs),
            action=np.array(action)[None],
            next_obs=map_tree(lambda leaf: np.array(leaf)[None], next_obs),
            terms={ENV: reward[None]},
            discount=np.where(terminated, 0.0, self.gamma)[None],
            terminated=terminated[None],
            truncated=truncated[None],
            info={name: map_tree(lambda leaf: leaf[None], column) for name, column in info.items()},
        )
        return self._last

    @staticmethod
    def _column(infos: Sequence[Mapping[str, Any]], key: str) -> Tree:
        try:
            return _stacked([info[key] for info in infos])
        except KeyError:
            raise missing_key(key, infos[0]) from None


def _stacked(values: Sequence[Any]) -> Tree:
    """Values of as many environments as a column. Dictionaries, such as ``subgoals``, become a tree of columns."""
    first = values[0]
    if isinstance(first, Mapping):
        return {name: _stacked([value[name] for value in values]) for name in first}
    return np.array(values)


def _begun_anew(obs: Tree, last: Rollout) -> list[int]:
    """The environments that were reset from outside, as ``learn`` does when it is called again.

    They had not ended, and yet do not go on from where they were.
    """

    def goes_on(index: int) -> bool:
        same: list[bool] = []
        map_tree(lambda now, old: same.append(now[index].tobytes() == old[0, index].tobytes()), obs, last.next_obs)
        return all(same)

    return [index for index in np.flatnonzero(~last.done[0]).tolist() if not goes_on(index)]


def innermost(env: VecEnv) -> VecEnv:
    """The vector environment inside all wrappers."""
    while isinstance(env, VecEnvWrapper):
        env = env.venv
    return env


def true_next_obs(
    new_obs: Tree, done: np.ndarray, infos: list[dict[str, Any]], normalizer: VecNormalize | None = None
) -> Tree:
    """The true successors: finished environments start anew in the same step and keep their last observation in info.

    Args:
        new_obs: What the step returned, not normalised.
        done: Which environments finished.
        infos: Theirs.
        normalizer: Set if observations in ``infos`` are normalised by it.
    """
    next_obs = map_tree(np.array, new_obs)
    for index in np.flatnonzero(done):
        last = infos[index]["terminal_observation"]
        last = last if normalizer is None else normalizer.unnormalize_obs(last)
        map_tree(lambda batch, one, row=index: batch.__setitem__(row, one), next_obs, last)
    return next_obs
