"""What the two drivers share: a shaper, its carry, the true return so far, and when the shaper learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from potentia.arrays import array_namespace
from potentia.rollout import ENV, Array, Rollout, Truncation, check_truncation, concatenate
from potentia.shaping.fit import Home, require_fit
from potentia.shaping.shaper import Shaper
from potentia.transitions import TransitionReader, choose_rows
from potentia.trees import Tree, map_tree


class Driver:
    """Steps a shaper along with N environments.

    Args:
        home: The name of the wrapper, for messages.
        shaper: The shaper. It is shared, not copied.
        num_envs: N.
        mode: When finished environments start anew.
        gamma: The learner's discount factor.
        truncation: What the learner does at a cut.
        learn: Whether the shaper learns from what it sees.
        space: The space of one observation.
        action_space: The space of one action.
        offered: The info keys that the environment can have if it is asked.

    Attributes:
        learns: Whether the shaper learns from what is seen.
        true_return: The sum of the true rewards of each environment's episode so far, ``(N,)``.

    Raises:
        TypeError: If ``shaper`` is not a `Shaper`.
        ValueError: If the shaper can't run while the environment runs, or contradicts the learner.
    """

    def __init__(
        self,
        home: str,
        shaper: Shaper,
        num_envs: int,
        mode: AutoresetMode,
        gamma: float,
        truncation: Truncation,
        learn: bool,
        space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        offered: frozenset[str] = frozenset(),
    ) -> None:
        require_fit(shaper, Home(home, learns=learn, truncation=check_truncation(truncation)))
        self.shaper = shaper
        self.learns = learn and shaper.learns
        self.reader = TransitionReader(
            num_envs,
            mode,
            gamma=gamma,
            truncation=truncation,
            columns=shaper.contract.columns_in(offered),
            space=space,
            action_space=action_space,
        )
        self.carry = shaper.init(num_envs)
        self.term_names = (ENV, *shaper.term_names)
        self.true_return: Array = np.zeros(num_envs)
        self._ended: Array | None = None  # which environments ended in the last step, if any did
        self._pending: list[Rollout] = []
        self._pending_steps = 0

    @property
    def gamma(self) -> float:
        """The learner's discount factor."""
        return self.reader.gamma

    @property
    def truncation(self) -> Truncation:
        """What the learner does where an episode is cut."""
        return self.reader.truncation

    def reset(self, obs: Tree, info: Mapping[str, Any], mask: np.ndarray[Any, Any] | None = None) -> None:
        """Starts new episodes, in the environments of ``mask`` or in all."""
        self.reader.reset(obs, info, mask)
        fresh = self.shaper.init(self.reader.num_envs)
        self.carry = (
            fresh if mask is None else map_tree(lambda old, new: choose_rows(mask, new, old), self.carry, fresh)
        )
        self.true_return = (
            self.true_return * 0 if mask is None else choose_rows(mask, self.true_return * 0, self.true_return)
        )

    def step(self, action: Tree, step: tuple[Any, Any, Any, Any, Mapping[str, Any]]) -> Rollout:
        """Shapes one step of all environments."""
        obs, reward, terminated, truncated, info = step
        rollout = self.reader.step(action, obs, reward, terminated, truncated, info)
        shaped, self.carry = self.shaper.shape(rollout, self.carry)
        shaped.check_finite()
        self._add_up(shaped)
        if self.learns:
            self._remember(shaped)
        return shaped

    def _add_up(self, shaped: Rollout) -> None:
        """The true return. That of an episode that has ended stands until the next one's first step."""
        true, done = shaped._masked(shaped.terms[ENV])[0], shaped.done[0]
        xp = array_namespace(true)
        if type(self.true_return) is not type(true):
            self.true_return = xp.zeros_like(true)
        before = self.true_return if self._ended is None else xp.where(self._ended, 0.0, self.true_return)
        self.true_return = before + true
        self._ended = None if isinstance(done, np.ndarray) and not done.any() else done

    def _remember(self, rollout: Rollout) -> None:
        self._pending.append(rollout)
        self._pending_steps += int(rollout.mask.sum())
        if self._pending_steps >= self.shaper.update_size:
            self.shaper.update(concatenate(self._pending))
            self._pending, self._pending_steps = [], 0
