"""A watch as a callback: what is wrong with a shaping while a model trains."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from stable_baselines3.common.callbacks import BaseCallback

from potentia.rollout import Rollout
from potentia.shaping.fit import Finding


class Watches(Protocol):
    """Whoever follows a training, such as `potentia.audit.Watch`.

    Attributes:
        findings: What is wrong so far.
    """

    findings: list[Finding]

    def begin(self) -> None:
        """Forgets the unfinished episodes."""
        ...

    def observe(self, rollout: Rollout, metrics: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Takes the shaped rollout that follows the last one, and what the shaper's update returned."""
        ...

    def step(self, reward: Any, terminated: Any, truncated: Any, info: Any) -> dict[str, Any]:
        """Takes one step of all environments."""
        ...


class WatchCallback(BaseCallback):
    """Follows a model whose environments are shaped by `potentia.wrappers.ShapeReward`, and logs ``audit/...``.

    With `VecNormalize` the reward that it normalises is followed. If a callback shapes instead of a wrapper, give the
    watch to that: ``ShapingCallback(shaper, watch=Watch(shaper))``.

    Args:
        watch: Where findings are gathered.
        verbose: As in Stable-Baselines3.

    Raises:
        KeyError: From ``learn``, if no wrapper shapes.
    """

    def __init__(self, watch: Watches, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.watch = watch

    def _on_training_start(self) -> None:
        self.watch.begin()

    def _on_step(self) -> bool:
        normalizer = self.model.get_vec_normalize_env()
        reward: Any = self.locals["rewards"] if normalizer is None else normalizer.get_original_reward()
        done = self.locals["dones"]
        for name, value in self.watch.step(reward, done, done, self.locals["infos"]).items():
            if isinstance(value, float):
                self.logger.record_mean(f"audit/{name}", value)
        self.logger.record("audit/findings", len(self.watch.findings))
        return True
