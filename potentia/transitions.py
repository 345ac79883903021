"""Turns what a vector environment returns, in any of Gymnasium's autoreset modes, into ``(1, N)`` rollouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.arrays import array_namespace, host_array
from potentia.gamma import check_gamma, needs_gamma
from potentia.observations import of_arrays, row_of_one, rows_of_batch
from potentia.rollout import ENV, Array, Rollout, Truncation, check_truncation, discount_column
from potentia.trees import Tree, map_tree

NEXT_ACTION = "next_action"
"""The info column of the action that is taken next: known to whoever acts, not to the environment."""


class TransitionReader:
    """Remembers what came before, so that each step becomes a true transition with its mask.

    The three modes say when a finished environment starts anew: ``NEXT_STEP`` spends a step on it (masked here), whose
    action is ignored. Mode ``SAME_STEP`` returns the first observation of the new episode and the last of the old one
    in ``info["final_obs"]``. Mode ``DISABLED`` waits for ``reset(options={"reset_mask": mask})``, and steps before it
    are masked.

    Args:
        num_envs: N.
        mode: When finished environments start anew.
        gamma: The learner's discount factor, in [0, 1].
        truncation: What the learner does at a cut: ``"bootstrap"`` or ``"terminal"``.
        columns: The info columns wanted. Column ``x`` describes ``obs``, and ``next_x`` describes ``next_obs``.
        space: The space of one observation. None means that all its parts hold arrays.
        action_space: The space of one action. None means that all its parts hold arrays.

    Attributes:
        keys: The keys of info that are read.
        waiting: ``(N,)`` bool: the environments that have ended and not yet started anew.
    """

    @needs_gamma
    def __init__(
        self,
        num_envs: int,
        mode: AutoresetMode,
        *,
        gamma: float,
        truncation: Truncation = "bootstrap",
        columns: Iterable[str] = (),
        space: spaces.Space[Any] | None = None,
        action_space: spaces.Space[Any] | None = None,
    ) -> None:
        self.num_envs = num_envs
        self.mode = AutoresetMode(mode)
        self.gamma = check_gamma(gamma)
        self.truncation = check_truncation(truncation)
        self._columns = sorted(columns)
        self.keys = info_keys(self._columns)
        self._space, self._action_space = (
            None if part is None or of_arrays(part) else part for part in (space, action_space)
        )
        self._obs: Tree = None
        self._first = True  # shapes are checked once; they don't change from step to step
        self._info: dict[str, Tree] = {}
        self.waiting: Array = np.zeros(num_envs, dtype=bool)
        self._all_act = True  # nobody is known to be waiting; False where only the device knows
        # What most steps have in common: no environment waits, and none ends.
        self._everybody, self._gammas = np.ones((1, num_envs), dtype=bool), np.full((1, num_envs), self.gamma)

    def reset(self, obs: Tree, info: Mapping[str, Any], mask: Array | None = None) -> None:
        """Starts new episodes, in the environments of ``mask`` or in all.

        Raises:
            KeyError: If info lacks a key that is read.
            ValueError: If the environment is shaped already.
        """
        if "terms" in info and "true_reward" in info:
            raise ValueError(
                "this environment is shaped already: its info has 'terms', and its reward is not the true one. Shape "
                "in one place: put the shapers into one Chain(inner, outer)"
            )
        self._obs = map_tree(_copy, _rows(self._space, obs))
        rows = None if mask is None else host_array(mask)
        new = {key: self._read(info, key, rows) for key in self.keys}
        nobody = np.zeros(self.num_envs, dtype=bool)
        if mask is None:
            self._info, self.waiting = new, nobody
        else:
            self._info = {key: _choose_trees(mask, new[key], self._info[key]) for key in self.keys}
            self.waiting = choose_rows(mask, nobody, self.waiting)
        self._all_act = isinstance(self.waiting, np.ndarray) and not self.waiting.any()

    def step(
        self, action: Tree, obs: Tree, reward: Array, terminated: Array, truncated: Array, info: Mapping[str, Any]
    ) -> Rollout:
        """One step of all environments as a ``(1, N)`` rollout.

        Args:
            action: What ``VectorEnv.step`` was given.
            obs: The observations that it returned, as the four that follow.
            reward: ``(N,)``.
            terminated: ``(N,)``.
            truncated: ``(N,)``.
            info: A dictionary of columns ``(N, ...)``.

        Raises:
            KeyError: If info lacks a key that is read.
            RuntimeError: If it comes before `reset`.
        """
        if self._obs is None:
            raise RuntimeError("step() came before reset(): call env.reset() first")
        terminated, truncated = _array(terminated), _array(truncated)
        done = terminated | truncated
        on_host = isinstance(done, np.ndarray)
        goes_on = on_host and not done.any()
        rows = None if self._all_act or self.mode is not AutoresetMode.DISABLED else ~host_array(self.waiting)
        next_obs = map_tree(_copy, _rows(self._space, obs))
        next_info = {key: self._read(info, key, rows) for key in self.keys}
        before = next_obs, next_info
        if self.mode is AutoresetMode.SAME_STEP and not goes_on and bool(done.any()):
            next_obs, next_info = self._final(done, next_obs, next_info, info)
        env = _floating(_array(reward))
        if goes_on and env.dtype == self._gammas.dtype:
            discount = self._gammas
        else:
            discount = _time(discount_column(self.gamma, terminated, truncated, env, self.truncation))
        columns = self._info | {f"next_{key}": value for key, value in next_info.items()} if self.keys else {}
        fields = {
            "obs": map_tree(_time, self._obs),
            "action": map_tree(_time, map_tree(_array, _rows(self._action_space, action))),
            "next_obs": map_tree(_time, next_obs),
            "terms": {ENV: _time(env)},
            "discount": discount,
            "terminated": _time(terminated),
            "truncated": _time(truncated),
            "mask": self._everybody if self._all_act and on_host else _time(~_like(self.waiting, terminated)),
            "info": {name: map_tree(_time, columns[name]) for name in self._columns},
        }
        rollout = Rollout(**fields) if self._first else Rollout._unchecked(**fields, _unmasked=self._all_act)
        self._first = False
        self._obs, self._info = before
        self._advance(done, goes_on)
        return rollout

    def _advance(self, done: Array, goes_on: bool) -> None:
        if self.mode is AutoresetMode.NEXT_STEP:
            self.waiting, self._all_act = done, goes_on
        elif self.mode is AutoresetMode.DISABLED and not (goes_on and self._all_act):
            self.waiting, self._all_act = _like(self.waiting, done) | done, False

    def _final(
        self, done: Array, obs: Tree, columns: dict[str, Tree], info: Mapping[str, Any]
    ) -> tuple[Tree, dict[str, Tree]]:
        """The observations and info columns with those of the last step where an episode ended."""
        if "final_obs" not in info:
            raise ValueError(
                "in autoreset mode SAME_STEP info must hold 'final_obs' where an episode ended, got the keys "
                f"{sorted(info)}; without it the true next observation is lost: use another mode or mend it"
            )
        final, last = info["final_obs"], info.get("final_info", {})
        ended = host_array(done)
        if isinstance(final, np.ndarray) and final.dtype == object:
            merged = map_tree(_copy, obs)
            for row in np.flatnonzero(ended):
                one = final[row] if self._space is None else map_tree(_only, row_of_one(self._space, final[row]))
                map_tree(lambda batch, value, row=row: batch.__setitem__(row, value), merged, one)
        else:
            merged = map_tree(lambda new, old: choose_rows(done, new, old), _rows(self._space, final), obs)
        read = {key: self._read(last, key, ended, of="final_info") for key in self.keys}
        return merged, {key: _choose_trees(done, read[key], columns[key]) for key in self.keys}

    def _read(self, info: Mapping[str, Any], key: str, rows: np.ndarray[Any, Any] | None, of: str = "info") -> Tree:
        """A column of info. It must have been given for each environment, or for those in ``rows``.

        A dictionary, such as ``subgoals``, is a tree of columns.
        """
        if key not in info:
            raise missing_key(key, info, of)
        present = info.get(f"_{key}")
        if isinstance(present, np.ndarray) and not present.all():
            missing = np.flatnonzero(~present if rows is None else rows & ~present)
            if missing.size:
                raise KeyError(
                    f"a shaper reads {of}[{key!r}], which environment {missing[0]} did not give in this step "
                    f"({missing.size} of {self.num_envs} did not); an environment must give it at each reset and step"
                )
        return _column(info[key])


def missing_key(key: str, info: Mapping[str, Any], of: str = "info") -> KeyError:
    """The error that an info lacks a key, with what to do."""
    return KeyError(
        f"a shaper reads {of}[{key!r}], but the environment's {of} has {sorted(info)}; use a shaper that does without, "
        f"or an environment that gives it: worlds of this library give what they offer once they are asked, by "
        f"info_keys=({key!r},) at gym.make or by potentia.envs.world.ask(env, [{key!r}])"
    )


def info_keys(columns: Iterable[str]) -> list[str]:
    """The keys of an environment's info from which columns are made: ``potential`` for ``next_potential``.

    ``next_action`` is not among them: whoever acts knows it.
    """
    return sorted({name.removeprefix("next_") for name in columns if name != NEXT_ACTION})


def autoreset_mode(env: VectorEnv[Any, Any, Any]) -> AutoresetMode:
    """The autoreset mode of a vector environment.

    Raises:
        ValueError: If it doesn't say. Guessing would corrupt the transitions at each episode's end.
    """
    # Gymnasium < 1.3 writes the mode into metadata that all environments of a class share, so the attribute goes first.
    mode = getattr(env.unwrapped, "autoreset_mode", None) or env.metadata.get("autoreset_mode")
    if mode is None:
        raise ValueError(
            f"{env} does not say when it resets finished environments; set "
            "env.metadata['autoreset_mode'] = gymnasium.vector.AutoresetMode.NEXT_STEP (or SAME_STEP, DISABLED)"
        )
    return AutoresetMode(mode)


def _column(value: Any) -> Tree:
    """A column of info, without the masks ``_name`` that Gymnasium puts beside the names of a dictionary."""
    if not isinstance(value, Mapping):
        return _array(value)
    return {name: _column(part) for name, part in value.items() if not name.startswith("_")}


def _choose_trees(mask: Array, chosen: Tree, other: Tree) -> Tree:
    return map_tree(lambda old, new: choose_rows(mask, new, old), other, chosen)


def _rows(space: spaces.Space[Any] | None, batch: Any) -> Tree:
    return batch if space is None else rows_of_batch(space, batch)


def _array(value: Any) -> Array:
    return value if hasattr(value, "dtype") and hasattr(value, "shape") else np.asarray(value)


def _floating(value: Array) -> Array:
    xp = array_namespace(value)
    return value if xp.isdtype(value.dtype, "real floating") else xp.astype(value, xp.float64)


def _like(value: Array, example: Array) -> Array:
    """``value`` as the same kind of array on the same device as ``example``."""
    if isinstance(value, type(example)):
        return value
    if isinstance(example, np.ndarray):
        return host_array(value)
    return array_namespace(example).asarray(value, device=example.device)


def _copy(value: Array) -> Array:
    return value.clone() if is_torch_array(value) else np.array(value)


def _time(value: Array) -> Array:
    return value[None]


def _only(rows: Array) -> Any:
    return rows[0]


def choose_rows(mask: Array, chosen: Any, other: Any) -> Any:
    """The rows of ``chosen`` where ``mask`` is True, of ``other`` elsewhere: arrays, or lists with one entry a row.

    Rows of ``other`` may have grown along their second axis. Then those of ``chosen`` get zeros behind.
    """
    if isinstance(other, list):
        return [new if take else old for take, new, old in zip(host_array(mask).tolist(), chosen, other, strict=True)]
    if isinstance(other, np.ndarray) and other.dtype == object:
        return np.where(host_array(mask), chosen, other)
    if other.ndim > 1 and other.shape[1] > chosen.shape[1]:
        more = [(0, 0), (0, other.shape[1] - chosen.shape[1])] + [(0, 0)] * (other.ndim - 2)
        chosen = np.pad(host_array(chosen), more)
    mask, chosen = _like(mask, other), _like(chosen, other)
    return array_namespace(other).where(mask.reshape((-1,) + (1,) * (other.ndim - 1)), chosen, other)
