"""What a law is tried on: fresh and trained shapers, and experience for them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from potentia.checkpoint import dumps, loads
from potentia.rollout import Rollout
from potentia.shaping.shaper import Shaper
from potentia.testing.experience import Experience

_FEW, _MANY = 2, 48
_SHORT, _LONG, _CALM = 12, 40, 28


@dataclass(frozen=True, eq=False)
class Case:
    """What a law is tried on.

    Attributes:
        make: Makes a fresh shaper.
        experience: Where rollouts come from.
        seed: Seeds the rollouts.
        late: Whether episodes are long, and trained shapers have learned often: what breaks late breaks here.
    """

    make: Callable[[], Shaper]
    experience: Experience
    seed: int
    late: bool = False

    def rng(self) -> np.random.Generator:
        """A generator that starts anew at each call."""
        return np.random.default_rng(self.seed)

    def rollout(self, rng: np.random.Generator, **settings: Any) -> Rollout:
        """A rollout: of 12 steps, or of 40 whose first episode goes on for 28 at least."""
        length = {"steps": _LONG, "calm": _CALM} if self.late else {"steps": _SHORT}
        return self.experience.rollout(rng, **(length | settings))

    def trained(self) -> Shaper:
        """A shaper that has learned from two rollouts, or from 48 if it is late, so that its parameters matter."""
        if not self.late:
            return self.taught()
        shaper = self.make()
        shaper.load_state_dict(loads(self._past))
        return shaper

    @cached_property
    def _past(self) -> bytes:
        return saved(self.taught())

    def taught(self) -> Shaper:
        """The same, in no case by loading what another one learned."""
        shaper, rng = self.make(), np.random.default_rng(self.seed + 1000)
        for _ in range(_MANY if self.late else _FEW):
            learn(shaper, self.experience.rollout(rng))
        return shaper


def learn(shaper: Shaper, rollout: Rollout) -> dict[str, Any]:
    """One update, unless it needs a policy, which the laws have not got."""
    return {} if shaper.contract.needs_policy else shaper.update(rollout)


def saved(shaper: Shaper) -> bytes:
    """What it saves, as the bytes of a checkpoint."""
    return dumps(shaper.state_dict())
