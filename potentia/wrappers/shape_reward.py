"""The driver for single environments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode

from potentia.rollout import ENV, Truncation
from potentia.shaping.shaper import Shaper
from potentia.trees import Tree, map_tree
from potentia.wrappers.driver import Driver


class ShapeReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Shapes the reward of a `gymnasium.Env`, for any trainer: each step is a (1, 1) rollout.

    ``info`` holds, from reset on: ``true_reward``, the environment's own reward; ``terms``, every named term of the
    reward that was returned; and ``discount``, what the learner should multiply the next value by (0 at termination).
    After a reset they are 0, 0, and the driver's discount.

    Wrap an already shaped environment again and the terms add up as in a `potentia.shaping.Chain`.

    Args:
        env: The environment.
        shaper: The shaper, shared with whoever else holds it. `gym.make` from this wrapper's spec starts from a copy
            of it as it was when it was given here.
        discount: The learner's discount factor. The one number must be the learner's own.
        truncation: What the learner does where an episode is cut by a limit: ``"bootstrap"`` if it uses the value of
            the last observation there (Stable-Baselines3, `potentia.agents.PPO`), ``"terminal"`` if it treats a cut
            as an end.
        learn: Whether `Shaper.update` is called, after every ``shaper.update_size`` steps; False to evaluate.

    Raises:
        TypeError: If ``shaper`` is not a shaper.
        ValueError: If the shaper needs whole episodes or the policy, or contradicts the learner or an inner driver;
            from `step` if a reward is NaN or infinite.
        KeyError: If the environment's ``info`` lacks what the shaper reads.

    >>> import gymnasium as gym
    >>> from potentia.shaping import PotentialShaping
    >>> lake = gym.make("FrozenLake-v1", is_slippery=False)
    >>> env = ShapeReward(lake, PotentialShaping(lambda state: state / 15), discount=0.9)
    >>> _, info = env.reset(seed=0)
    >>> _, reward, _, _, info = env.step(2)  # to the right: from state 0 to state 1
    >>> round(reward, 3), info["true_reward"], info["discount"]  # 0.9 * 1 / 15 - 0
    (0.06, 0.0, 0.9)
    """

    def __init__(
        self,
        env: gym.Env[Any, Any],
        shaper: Shaper,
        discount: float = 0.99,
        *,
        truncation: Truncation = "bootstrap",
        learn: bool = True,
    ) -> None:
        RecordConstructorArgs.__init__(self, shaper=shaper, discount=discount, truncation=truncation, learn=learn)
        gym.Wrapper.__init__(self, env)
        # DISABLED: a single environment waits until it is reset.
        inner = _inner(env)
        self._driver = Driver(shaper, 1, AutoresetMode.DISABLED, discount, truncation, learn, inner)

    @property
    def shaper(self) -> Shaper:
        """The shaper."""
        return self._driver.shaper

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Resets the environment and forgets the episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._driver.reset(_batch(obs), _batch_info(info, self._driver.reader.keys))
        terms = dict.fromkeys(self._driver.term_names, 0.0)
        return obs, info | {"true_reward": 0.0, "terms": terms, "discount": self._driver.discount}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Steps the environment; the reward returned is the sum of all terms."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        inner = {}
        if self._driver.inner is not None:
            inner = {"terms": _batch_numbers(info["terms"]), "discount": np.array([info["discount"]])}
        step = (
            _batch(obs),
            np.array([reward], np.float64),
            np.array([bool(terminated)]),
            np.array([bool(truncated)]),
            _batch_info(info, self._driver.reader.keys),
        )
        shaped = self._driver.step(_batch(action), step, inner)
        terms = {name: float(term[0, 0]) for name, term in shaped.terms.items()}
        info = info | {"true_reward": terms[ENV], "terms": terms, "discount": float(shaped.discount[0, 0])}
        return obs, float(shaped.reward[0, 0]), terminated, truncated, info


def _inner(env: gym.Env[Any, Any]) -> Driver | None:
    while isinstance(env, gym.Wrapper):
        if isinstance(env, ShapeReward):
            return env._driver
        env = env.env
    return None


def _batch(tree: Tree) -> Tree:
    return map_tree(lambda leaf: np.asarray(leaf)[None], tree)


def _batch_numbers(terms: dict[str, float]) -> dict[str, Any]:
    return {name: np.array([term]) for name, term in terms.items()}


def _batch_info(info: dict[str, Any], keys: Iterable[str]) -> dict[str, Any]:
    return info | {key: np.asarray(info[key])[None] for key in keys if key in info}
