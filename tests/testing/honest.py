"""Small shapers that keep every law; each mutant breaks one of them in one place."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping import Carry, Contract, Shaper
from potentia.testing import check_shaper
from tests.shaping.law_table import height


class Static(Shaper):
    """The difference of a potential."""

    contract = Contract(guarantee="policy_invariant", reads=frozenset({"obs", "next_obs", "discount"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, self.term(rollout)), carry

    def term(self, rollout: Rollout) -> Any:
        return rollout.discount * height(rollout.next_obs) - height(rollout.obs)


class Plain(Static):
    """A bonus for where it is, with no promise."""

    contract = Contract(reads=frozenset({"obs"}))

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs)


class Steps(Shaper):
    """``1 / (1 + steps)``: steps are those of the episode so far, one number an environment in the carry."""

    contract = Contract(reads=frozenset({"terminated", "truncated"}), scope="episode")

    def init(self, num_envs: int) -> Carry:
        return np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        steps = self.init(rollout.num_envs) if isinstance(carry, tuple) else host_array(carry)
        counted, ends = host_array(self.counted(rollout)), host_array(self.ends(rollout))
        rows = np.zeros(counted.shape)
        for t in range(rollout.num_steps):
            rows[t] = 1 / (1 + steps)
            steps = np.where(counted[t], np.where(ends[t], 0, steps + 1), steps)
        return rollout.add(self.name, like_column(rows, rollout.discount)), steps

    def counted(self, rollout: Rollout) -> Any:
        return rollout.mask

    def ends(self, rollout: Rollout) -> Any:
        return rollout.done


class Tally(Shaper):
    """``1 / sqrt(1 + n)``: n counts a page in all rollouts so far; the counts are a dict."""

    contract = Contract(guarantee="vanishing", reads=frozenset({"info:next_caption"}), scope="lifelong")

    def __init__(self) -> None:
        super().__init__()
        self.counts: dict[str, float] = {}

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        bonus = [self.bonus(page) for page in self.pages(rollout).ravel().tolist()]
        return rollout.add(self.name, like_column(np.array(bonus), rollout.discount)), carry

    def bonus(self, page: str) -> float:
        return float((1 + self.counts.get(page, 0.0)) ** -0.5)

    def pages(self, rollout: Rollout) -> Any:
        return host_array(rollout.info["next_caption"])

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        for page in self.pages(rollout)[host_array(rollout.mask)].tolist():
            self.counts[page] = self.counts.get(page, 0.0) + 1
        return {"pages": len(self.counts)}

    def state_dict(self) -> dict[str, Any]:
        return {"counts": dict(self.counts)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.counts = dict(state["counts"])


class Mean(Shaper):
    """The mean of the rewards so far, at every step."""

    contract = Contract(reads=frozenset({"reward"}), scope="lifelong")

    def __init__(self) -> None:
        super().__init__()
        self.sum, self.number, self.updates = 0.0, 0.0, 0

    @property
    def mean(self) -> float:
        return self.sum / max(self.number, 1.0)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, 0.0 * rollout.discount + self.mean), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        if host_array(rollout.mask).any():
            self.learn(host_array(rollout.terms["env"]), host_array(rollout.mask), rollout)
            self.updates += 1
        return {"mean": self.mean}

    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        self.sum += float(reward[mask].sum())
        self.number += float(mask.sum())

    def state_dict(self) -> dict[str, Any]:
        return {"sum": self.sum, "number": self.number}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.sum, self.number = state["sum"], state["number"]


HONEST = [Static, Plain, Steps, Tally, Mean]


def change(contract: Contract, **changes: Any) -> Contract:
    """The same contract with other promises, or with more that it reads."""
    return replace(contract, **changes)


def assert_caught(make: Callable[[], Shaper], law: str, **settings: Any) -> None:
    """The shaper breaks this law, and it is the first that it breaks."""
    with pytest.raises(AssertionError, match=rf"^{law}: "):
        check_shaper(make, **({"second_process": False} | settings))


def name_of(value: Any) -> str | None:
    """What pytest calls a mutant."""
    return getattr(value, "__name__", None)
