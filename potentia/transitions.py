"""Turns what a vector environment returns, in any of Gymnasium's autoreset modes, into ``(1, N)`` rollouts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from array_api_compat import is_torch_array
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.arrays import array_namespace, host_array
from potentia.rollout import ENV, Array, Rollout, Truncation, check_discount, check_truncation, discount_column
from potentia.trees import Tree, map_tree


class TransitionReader:
    """Remembers what came before, so that each step becomes a true transition with its mask.

    The three modes say when a finished environment starts anew: ``NEXT_STEP`` spends a step on it (masked here), whose
    action is ignored; ``SAME_STEP`` returns the first observation of the new episode and the last of the old one in
    ``info["final_obs"]``; ``DISABLED`` waits for ``reset(options={"reset_mask": mask})``, and steps before it are
    masked.

    Args:
        num_envs: N.
        mode: When finished environments start anew.
        discount: The learner's discount factor, in [0, 1].
        truncation: What the learner does at a cut: ``"bootstrap"`` or ``"terminal"``.
        columns: The info columns wanted; ``x`` describes ``obs``, ``next_x`` describes ``next_obs``.
    """

    def __init__(
        self,
        num_envs: int,
        mode: AutoresetMode,
        discount: float,
        truncation: Truncation = "bootstrap",
        columns: Iterable[str] = (),
    ) -> None:
        self.num_envs = num_envs
        self.mode = AutoresetMode(mode)
        self.discount = check_discount(discount)
        self.truncation = check_truncation(truncation)
        self._columns = sorted(columns)
        if "next_action" in self._columns:
            raise ValueError(
                "a shaper reads the info column 'next_action', which is not known while the environment runs; "
                "shape whole rollouts instead: shaper.shape(rollout, carry) with info={'next_action': ...}"
            )
        self.keys = sorted({name.removeprefix("next_") for name in self._columns})
        self._obs: Tree = None
        self._first = True  # shapes are checked once; they don't change from step to step
        self._info: dict[str, Array] = {}
        self._waiting: Array = np.zeros(num_envs, dtype=bool)  # ended, and not yet started anew

    def reset(self, obs: Tree, info: Mapping[str, Any], mask: Array | None = None) -> None:
        """Starts new episodes, in the environments of ``mask`` or in all."""
        self._obs = map_tree(_copy, obs)
        new = {key: self._read(info, key) for key in self.keys}
        if mask is None:
            self._info, self._waiting = new, np.zeros(self.num_envs, dtype=bool)
        else:
            self._info = {key: choose_rows(mask, new[key], self._info[key]) for key in self.keys}
            self._waiting = choose_rows(mask, np.zeros(self.num_envs, dtype=bool), self._waiting)

    def step(
        self,
        action: Tree,
        obs: Tree,
        reward: Array,
        terminated: Array,
        truncated: Array,
        info: Mapping[str, Any],
        *,
        terms: Mapping[str, Array] | None = None,
        discount: Array | None = None,
    ) -> Rollout:
        """One step of all environments as a ``(1, N)`` rollout.

        Args:
            action: As given to ``VectorEnv.step``, as are the five that follow as returned by it.
            obs: See above.
            reward: See above.
            terminated: See above.
            truncated: See above.
            info: See above.
            terms: The parts of the reward, if it was shaped before; ``{"env": reward}`` by default.
            discount: The discount column, if it was set before.
        """
        if self._obs is None:
            raise RuntimeError("step() came before reset(): call env.reset() first")
        terminated, truncated = _array(terminated), _array(truncated)
        done = terminated | truncated
        next_obs, next_info = map_tree(_copy, obs), {key: self._read(info, key) for key in self.keys}
        before = next_obs, next_info
        if self.mode is AutoresetMode.SAME_STEP and bool(done.any()):
            next_obs = self._final_obs(done, obs, info)
            final = info.get("final_info", {})
            next_info = {
                key: choose_rows(done, self._read(final, key, of="final_info"), next_info[key]) for key in self.keys
            }
        rewards = {ENV: _floating(_array(reward))} if terms is None else dict(terms)
        if discount is None:
            discount = discount_column(self.discount, terminated, truncated, rewards[ENV], self.truncation)
        columns = self._info | {f"next_{key}": value for key, value in next_info.items()}
        make = Rollout if self._first else Rollout._unchecked
        rollout = make(
            obs=map_tree(_time, self._obs),
            action=map_tree(_time, map_tree(_array, action)),
            next_obs=map_tree(_time, next_obs),
            terms={name: _time(term) for name, term in rewards.items()},
            discount=_time(discount),
            terminated=_time(terminated),
            truncated=_time(truncated),
            mask=_time(~_like(self._waiting, terminated)),
            info={name: _time(columns[name]) for name in self._columns},
        )
        self._first = False
        self._obs, self._info = before
        self._advance(done)
        return rollout

    def _advance(self, done: Array) -> None:
        if self.mode is AutoresetMode.NEXT_STEP:
            self._waiting = done
        elif self.mode is AutoresetMode.DISABLED:
            self._waiting = _like(self._waiting, done) | done

    def _final_obs(self, done: Array, obs: Tree, info: Mapping[str, Any]) -> Tree:
        if "final_obs" not in info:
            raise ValueError(
                "in autoreset mode SAME_STEP info must hold 'final_obs' where an episode ended, got the keys "
                f"{sorted(info)}; without it the true next observation is lost: use another mode or mend it"
            )
        final = info["final_obs"]
        if isinstance(final, np.ndarray) and final.dtype == object:
            merged = map_tree(_copy, obs)
            for row in np.flatnonzero(host_array(done)):
                map_tree(lambda batch, one, row=row: batch.__setitem__(row, one), merged, final[row])
            return merged
        return map_tree(lambda new, old: choose_rows(done, new, old), final, obs)

    def _read(self, info: Mapping[str, Any], key: str, of: str = "info") -> Array:
        if key not in info:
            raise KeyError(
                f"a shaper reads {of}[{key!r}], but the environment's {of} has {sorted(info)}; "
                "use an environment that gives it or a shaper that does without"
            )
        return _array(info[key])


def autoreset_mode(env: VectorEnv[Any, Any, Any]) -> AutoresetMode:
    """The autoreset mode of a vector environment.

    Raises:
        ValueError: If it doesn't say; guessing would corrupt the transitions at each episode's end.
    """
    # Gymnasium < 1.3 writes the mode into metadata that all environments of a class share, so the attribute goes first.
    mode = getattr(env.unwrapped, "autoreset_mode", None) or env.metadata.get("autoreset_mode")
    if mode is None:
        raise ValueError(
            f"{env} does not say when it resets finished environments; set "
            "env.metadata['autoreset_mode'] = gymnasium.vector.AutoresetMode.NEXT_STEP (or SAME_STEP, DISABLED)"
        )
    return AutoresetMode(mode)


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


def choose_rows(mask: Array, chosen: Any, other: Any) -> Any:
    """The rows of ``chosen`` where ``mask`` is True, of ``other`` elsewhere: arrays, or lists with one entry a row.

    Rows of ``other`` may have grown along their second axis; then those of ``chosen`` get zeros behind.
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
