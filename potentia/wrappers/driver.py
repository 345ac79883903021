"""What the two drivers share: a shaper, its carry, and when it learns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode

from potentia.rollout import ENV, Array, Rollout, Truncation, concatenate
from potentia.shaping.shaper import Shaper
from potentia.transitions import TransitionReader, choose_rows
from potentia.trees import Tree, map_tree


class Driver:
    """Steps a shaper along with N environments.

    Args:
        shaper: The shaper; it is shared, not copied.
        num_envs: N.
        mode: When finished environments start anew.
        discount: The learner's discount factor.
        truncation: What the learner does at a cut.
        learn: Whether the shaper learns from what it sees.
        inner: The driver further inside the same stack, if any: its terms and discount are read, not computed again.

    Raises:
        TypeError: If ``shaper`` is not a `Shaper`.
        ValueError: If the shaper can't run while the environment runs, or contradicts the inner driver or the learner.
    """

    def __init__(
        self,
        shaper: Shaper,
        num_envs: int,
        mode: AutoresetMode,
        discount: float,
        truncation: Truncation,
        learn: bool,
        inner: Driver | None = None,
    ) -> None:
        if not isinstance(shaper, Shaper):
            raise TypeError(f"shaper must be a potentia.shaping.Shaper, got {type(shaper).__name__}: {shaper!r}")
        contract = shaper.contract
        if contract.needs_episodes:
            raise ValueError(
                f"{shaper.name} needs whole episodes and cannot run inside an environment; collect episodes and apply "
                "shaper.shape(rollout, carry) to them before the learner sees them"
            )
        if contract.needs_policy and learn:
            raise ValueError(
                f"{shaper.name} needs the learner's policy to learn, which a wrapper does not have; call "
                "shaper.update(rollout, policy=...) yourself and pass learn=False here"
            )
        if contract.truncation not in ("data", truncation):
            raise ValueError(
                f"{shaper.name} is right only for learners with truncation={contract.truncation!r}, got {truncation!r}"
            )
        if inner is not None:
            _check_agreement(inner, shaper, discount, truncation)
        self.shaper, self.learn, self.inner = shaper, learn, inner
        self.reader = TransitionReader(num_envs, mode, discount, truncation, contract.info_columns)
        self.carry = shaper.init(num_envs)
        self.discount, self.truncation = self.reader.discount, self.reader.truncation
        self._pending: list[Rollout] = []
        self._pending_steps = 0

    @property
    def term_names(self) -> tuple[str, ...]:
        """All terms of the stack so far, the environment's own first."""
        return (self.inner.term_names if self.inner else (ENV,)) + self.shaper.term_names

    def reset(self, obs: Tree, info: Mapping[str, Any], mask: np.ndarray[Any, Any] | None = None) -> None:
        """Starts new episodes, in the environments of ``mask`` or in all."""
        self.reader.reset(obs, info, mask)
        fresh = self.shaper.init(self.reader.num_envs)
        self.carry = (
            fresh if mask is None else map_tree(lambda old, new: choose_rows(mask, new, old), self.carry, fresh)
        )

    def step(
        self, action: Tree, step: tuple[Any, Any, Any, Any, Mapping[str, Any]], inner: Mapping[str, Array]
    ) -> Rollout:
        """Shapes one step of all environments; ``inner``: the inner driver's terms and discount, if there is one."""
        obs, reward, terminated, truncated, info = step
        known = {"terms": inner["terms"], "discount": inner["discount"]} if inner else {}
        rollout = self.reader.step(action, obs, reward, terminated, truncated, info, **known)
        shaped, self.carry = self.shaper.shape(rollout, self.carry)
        shaped.check_finite()
        if self.learn:
            self._remember(shaped)
        return shaped

    def _remember(self, rollout: Rollout) -> None:
        self._pending.append(rollout)
        self._pending_steps += int(rollout.mask.sum())
        if self._pending_steps >= self.shaper.update_size:
            self.shaper.update(concatenate(self._pending))
            self._pending, self._pending_steps = [], 0


def _check_agreement(inner: Driver, shaper: Shaper, discount: float, truncation: Truncation) -> None:
    if (inner.discount, inner.truncation) != (discount, truncation):
        raise ValueError(
            f"this environment is shaped already by {inner.shaper.name} with discount={inner.discount} and "
            f"truncation={inner.truncation!r}, got {discount} and {truncation!r}: one learner has one of each"
        )
    if shaper.contract.sets_discount:
        raise ValueError(
            f"{shaper.name} sets the discount, but {inner.shaper.name} inside may already have read it; "
            f"use Chain({shaper.name}, {inner.shaper.name}) in one wrapper"
        )
    invariant = inner.shaper.contract.guarantee == "policy_invariant" and inner.shaper.term_names
    if shaper.contract.rescales and invariant:
        raise ValueError(
            f"{shaper.name} rescales the reward and would destroy the guarantee of {inner.shaper.name} "
            "(policy_invariant) inside; wrap the environment with it first"
        )
    taken = set(inner.term_names) & set(shaper.term_names)
    if taken:
        raise ValueError(f"the terms {sorted(taken)} are in this stack already; give the second shaper another name")
