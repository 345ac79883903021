"""The driver for single environments."""

from __future__ import annotations

import multiprocessing
import warnings
from collections.abc import Iterable, Mapping
from typing import Any, SupportsFloat

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs
from gymnasium.vector import AutoresetMode

from potentia.envs.world import ask_offered, offered_keys
from potentia.gamma import needs_gamma
from potentia.observations import row_of_one
from potentia.rollout import ENV, Truncation
from potentia.shaping.shaper import Shaper
from potentia.trees import map_tree
from potentia.wrappers.driver import Driver
from potentia.wrappers.form import made, recorded
from potentia.wrappers.layers import has_invariant, potential_size


class ShapeReward(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Shapes the reward of a `gymnasium.Env`, for any trainer: each step is a (1, 1) rollout.

    ``info`` holds, from reset on:

    - ``true_reward``: the environment's own reward.
    - ``true_return``: the sum of these over the episode so far.
    - ``terms``: every named term of the reward that was returned.
    - ``discount``: what the learner should multiply the next value by, 0 at termination.

    After a reset they are 0, 0, all 0, and gamma. Inside a vector environment in mode ``SAME_STEP`` the info of a step
    that ends an episode is that of the reset. The step's own info is in ``info["final_info"]``. An environment is
    shaped once: to shape with two shapers, put them into one `potentia.shaping.Chain`.

    Args:
        env: The environment.
        shaper: The shaper, shared with whoever else holds it, or one as data, ``{"type": "Count", ...}`` as in a
            study. `gym.make` from this wrapper's spec starts from a copy of it as it was when the wrapper was made.
            The spec as JSON has its arguments, unless one is a lambda or the like.
        gamma: The learner's own discount factor. None is assumed: another number than the learner's would pay for
            waiting, or punish it.
        truncation: What the learner does where an episode is cut by a limit: ``"bootstrap"`` if it uses the value of
            the last observation there (Stable-Baselines3, `potentia.agents.PPO`), ``"terminal"`` if it treats a cut
            as an end.
        learn: Whether `Shaper.update` is called, after every ``shaper.update_size`` steps. Give False to evaluate.

    Raises:
        TypeError: If ``shaper`` is not a shaper, or gamma is missing.
        ValueError: If the shaper needs whole episodes or the policy, or contradicts the learner, or the environment is
            shaped already. From `step`, if a reward is NaN or infinite.
        RuntimeError: From `step`, if the episode has ended and was not reset.
        KeyError: If the environment's ``info`` lacks what the shaper reads.

    >>> import gymnasium as gym
    >>> from potentia.shaping import PotentialShaping
    >>> lake = gym.make("FrozenLake-v1", is_slippery=False)
    >>> env = ShapeReward(lake, PotentialShaping(lambda state: state / 15), gamma=0.9)
    >>> _, info = env.reset(seed=0)
    >>> _, reward, _, _, info = env.step(2)  # to the right: from state 0 to state 1
    >>> round(reward, 3), info["true_reward"], info["discount"]  # 0.9 * 1 / 15 - 0
    (0.06, 0.0, 0.9)
    """

    @needs_gamma
    def __init__(
        self,
        env: gym.Env[Any, Any],
        shaper: Shaper | Mapping[str, Any],
        *,
        gamma: float,
        truncation: Truncation = "bootstrap",
        learn: bool = True,
    ) -> None:
        made_shaper = made(shaper, env.observation_space, env.action_space)
        form = recorded(made_shaper)
        RecordConstructorArgs.__init__(self, shaper=form, gamma=gamma, truncation=truncation, learn=learn)
        gym.Wrapper.__init__(self, env)
        inside = list(_stack(env))
        for wrapper in inside:
            if isinstance(wrapper, ShapeReward):
                raise ValueError(
                    f"this environment is shaped already, by {wrapper.shaper.name}; shape it once, with "
                    f"Chain({wrapper.shaper.name}, {getattr(made_shaper, 'name', made_shaper)})"
                )
        # A single environment waits until it is reset, unless Gymnasium's wrapper resets it in the next step.
        resets = any(isinstance(wrapper, gym.wrappers.Autoreset) for wrapper in inside)
        mode = AutoresetMode.NEXT_STEP if resets else AutoresetMode.DISABLED
        spaces = env.observation_space, env.action_space
        self._driver = Driver("ShapeReward", made_shaper, 1, mode, gamma, truncation, learn, *spaces, offered_keys(env))
        ask_offered(env, self._driver.reader.keys)
        self._running = False
        if self._driver.learns and multiprocessing.parent_process() is not None:
            warnings.warn(
                f"{made_shaper.name} learns, and here it learns alone: in N processes there are N such models. "
                "Wrap the vector of environments with ShapeVectorReward, or pass learn=False",
                stacklevel=3,
            )

    @property
    def shaper(self) -> Shaper:
        """The shaper."""
        return self._driver.shaper

    @property
    def gamma(self) -> float:
        """The learner's discount factor, as it was told."""
        return self._driver.gamma

    @property
    def shaping(self) -> dict[str, Any]:
        """What whoever holds the stack may want to compare, as plain data that passes between processes."""
        shaper = self.shaper
        return {
            "name": shaper.name,
            "terms": shaper.term_names,
            "invariant": has_invariant(shaper),
            "size": potential_size(shaper),
            "gamma": self.gamma,
            "truncation": self.truncation,
        }

    @property
    def truncation(self) -> Truncation:
        """What the learner does where an episode is cut, as it was told."""
        return self._driver.truncation

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Resets the environment and forgets the episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        driver = self._driver
        if self._running and driver.truncation == "terminal":
            warnings.warn(
                f"an episode was left before its end, and with truncation='terminal' {self.shaper.name} did not see "
                "it: a time limit outside this wrapper belongs inside",
                stacklevel=2,
            )
        driver.reset(row_of_one(self.observation_space, obs), _row_of_info(info, driver.reader.keys))
        self._running = False
        terms = dict.fromkeys(driver.term_names, 0.0)
        return obs, info | {"true_reward": 0.0, "true_return": 0.0, "terms": terms, "discount": driver.gamma}

    def step(self, action: Any) -> tuple[Any, SupportsFloat, bool, bool, dict[str, Any]]:
        """Steps the environment. The reward returned is the sum of all terms."""
        driver = self._driver
        if driver.reader.waiting[0] and driver.reader.mode is AutoresetMode.DISABLED:
            raise RuntimeError(
                "step() came after the end of the episode: call reset() first. If the environment starts anew by "
                "itself, wrap it in gymnasium.wrappers.Autoreset inside, or make a vector environment of it"
            )
        obs, reward, terminated, truncated, info = self.env.step(action)
        step = (
            row_of_one(self.observation_space, obs),
            np.array([_number(reward)], np.float64),
            np.array([bool(terminated)]),
            np.array([bool(truncated)]),
            _row_of_info(info, driver.reader.keys),
        )
        shaped = driver.step(row_of_one(self.action_space, action), step)
        self._running = not (terminated or truncated)
        terms = {name: float(term[0, 0]) for name, term in shaped.terms.items()}
        ours = {
            "true_reward": terms[ENV],
            "true_return": float(driver.true_return[0]),
            "terms": terms,
            "discount": float(shaped.discount[0, 0]),
        }
        return obs, float(shaped.reward[0, 0]), terminated, truncated, info | ours


def _stack(env: gym.Env[Any, Any]) -> Iterable[gym.Env[Any, Any]]:
    while isinstance(env, gym.Wrapper):
        yield env
        env = env.env


def _number(reward: Any) -> float:
    if isinstance(reward, float | int):
        return float(reward)
    if np.size(reward) != 1:
        raise ValueError(f"a reward must be one number, got {reward!r}; mend the environment")
    return float(np.asarray(reward, np.float64).reshape(()))


def _row_of_info(info: Any, keys: Iterable[str]) -> dict[str, Any]:
    if not isinstance(info, dict):
        raise TypeError(
            f"an environment's info must be a dict, got {type(info).__name__}; a vector environment wants "
            "potentia.wrappers.ShapeVectorReward"
        )
    return info | {key: map_tree(_row, info[key]) for key in keys if key in info}


def _row(value: Any) -> np.ndarray[Any, Any]:
    return np.asarray(value)[None]
