"""The driver for vector environments, of numpy arrays or of tensors on a device."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode, VectorEnv, VectorWrapper

from potentia.arrays import array_namespace
from potentia.envs.world import ask_offered, offered_keys
from potentia.gamma import needs_gamma
from potentia.rollout import ENV, Array, Rollout, Truncation
from potentia.shaping.shaper import Shaper
from potentia.transitions import autoreset_mode
from potentia.wrappers.driver import Driver
from potentia.wrappers.form import made, recorded


class ShapeVectorReward(VectorWrapper, RecordConstructorArgs):
    """Shapes the rewards of a `gymnasium.vector.VectorEnv`, in any autoreset mode: each step is a (1, N) rollout.

    The rewards are the same in all modes: the true last observation of an episode is used where the mode hides it,
    and the steps that merely reset an environment earn 0 and teach nothing. ``info`` holds, from reset on,
    ``true_reward`` ``(N,)``, ``true_return`` ``(N,)``, ``terms`` (a dict of ``(N,)``), and ``discount`` ``(N,)``, as
    for `ShapeReward`. They are of the step that was taken, also where a new episode has begun.

    Args:
        env: The vector environment. It must say when it resets finished environments.
        shaper: As for `ShapeReward`.
        gamma: As for `ShapeReward`.
        truncation: As for `ShapeReward`.
        learn: As for `ShapeReward`.

    Raises:
        TypeError: As for `ShapeReward`.
        ValueError: As for `ShapeReward`. Also if the environment doesn't name its autoreset mode, and from `reset` if
            the environments inside are shaped already.
        KeyError: As for `ShapeReward`.
    """

    @needs_gamma
    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        shaper: Shaper | Mapping[str, Any],
        *,
        gamma: float,
        truncation: Truncation = "bootstrap",
        learn: bool = True,
    ) -> None:
        made_shaper = made(shaper, env.single_observation_space, env.single_action_space)
        form = recorded(made_shaper)
        RecordConstructorArgs.__init__(self, shaper=form, gamma=gamma, truncation=truncation, learn=learn)
        VectorWrapper.__init__(self, env)
        mode, spaces = autoreset_mode(env), (env.single_observation_space, env.single_action_space)
        self._driver = Driver(
            "ShapeVectorReward", made_shaper, env.num_envs, mode, gamma, truncation, learn, *spaces, offered_keys(env)
        )
        ask_offered(env, self._driver.reader.keys)
        self._example: Array = np.zeros(env.num_envs)
        self._all_envs = np.ones(env.num_envs, dtype=bool)

    @property
    def shaper(self) -> Shaper:
        """The shaper."""
        return self._driver.shaper

    @property
    def gamma(self) -> float:
        """The learner's discount factor, as it was told."""
        return self._driver.gamma

    @property
    def truncation(self) -> Truncation:
        """What the learner does where an episode is cut, as it was told."""
        return self._driver.truncation

    @property
    def autoreset_mode(self) -> AutoresetMode:
        """When finished environments start anew."""
        return self._driver.reader.mode

    def reset(
        self, *, seed: int | list[int] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Resets all environments, or those of ``options["reset_mask"]``, and forgets their episodes."""
        mask = (options or {}).get("reset_mask")
        obs, info = self.env.reset(seed=seed, options=options)  # type: ignore[arg-type]  # lists of seeds pass
        self._driver.reset(obs, info, mask)
        zero = array_namespace(self._example).zeros_like(self._example)
        terms = dict.fromkeys(self._driver.term_names, zero)
        return obs, self._with(info, terms, zero + self._driver.gamma)

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Steps all environments. The rewards returned are the sums of all terms."""
        obs, reward, terminated, truncated, info = self.env.step(actions)
        shaped: Rollout = self._driver.step(actions, (obs, reward, terminated, truncated, info))
        self._example = shaped.discount[0]
        terms = {name: term[0] for name, term in shaped.terms.items()}
        return obs, shaped.reward[0], terminated, truncated, self._with(info, terms, shaped.discount[0] + 0.0)

    def _with(self, info: dict[str, Any], terms: dict[str, Array], discount: Array) -> dict[str, Any]:
        """Adds our keys, each with the mask ``_key`` that Gymnasium pairs with every key of a vector's info."""
        ours = {
            "true_reward": terms[ENV],
            "true_return": self._driver.true_return,
            "terms": _Terms(terms),
            "discount": discount,
        }
        return info | ours | {f"_{key}": self._all_envs.copy() for key in ours}


class _Terms(dict[str, Any]):
    """The terms and nothing else, so that they can be summed. Yet Gymnasium's wrappers find the mask of each."""

    def __missing__(self, key: str) -> np.ndarray[Any, Any]:
        term = self[key.removeprefix("_")] if key.startswith("_") else None
        if term is None:
            raise KeyError(key)
        return np.ones(len(term), dtype=bool)
