"""What a learner is: an actor that learns from rollouts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from potentia.collect import Actor
from potentia.rollout import Rollout


class Agent(Actor, Protocol):
    """An actor that learns. It owns no gamma: the rollout's discount column is the only one there is."""

    @property
    def policy(self) -> Any:
        """What `Shaper.update` is given: it has ``log_prob(obs, action)`` and ``parameters()``, or is None."""
        ...

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """Learns from a shaped rollout that its current parameters collected; returns metrics by name."""
        ...

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with the agent's present policy and randomness of its own; using it leaves the agent unchanged."""
        ...

    def state_dict(self) -> dict[str, Any]:
        """All that is needed to go on exactly: tensors, arrays, numbers and strings in dicts and lists."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        ...
