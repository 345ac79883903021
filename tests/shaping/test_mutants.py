"""Deliberately broken shapers and drivers: each must be caught, by the law that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from potentia.rollout import Rollout
from potentia.shaping import RND, Carry, Chain, ClipReward, Contract, Count, EpisodicCount, PotentialShaping, Shaper
from potentia.testing import check_shaper
from potentia.transitions import TransitionReader
from potentia.wrappers.driver import Driver
from tests.shaping.law_table import VECTOR, height

STATIC = Contract(guarantee="policy_invariant", reads=frozenset({"obs", "next_obs", "discount"}))


class Mutant(Shaper):
    """A shaper with a name, which adds what `term` returns."""

    contract = STATIC

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add(self.name, self.term(rollout)), carry

    def term(self, rollout: Rollout) -> Any:
        return rollout.discount * height(rollout.next_obs) - height(rollout.obs)


class ZeroAtTruncation(Mutant):
    contract = replace(STATIC, reads=STATIC.reads | {"terminated", "truncated"})

    def term(self, rollout: Rollout) -> Any:
        return rollout.discount * ~rollout.done * height(rollout.next_obs) - height(rollout.obs)


class KeptAtTermination(Mutant):
    def term(self, rollout: Rollout) -> Any:
        discount = rollout.discount + 0.9 * (rollout.discount == 0)
        return discount * height(rollout.next_obs) - height(rollout.obs)


class OwnDiscount(Mutant):
    contract = replace(STATIC, reads=STATIC.reads | {"terminated"})

    def term(self, rollout: Rollout) -> Any:
        return 0.99 * ~rollout.terminated * height(rollout.next_obs) - height(rollout.obs)


class ClippedPotential(Mutant):
    def term(self, rollout: Rollout) -> Any:
        return super().term(rollout).clip(-0.5, 0.5)


class BonusNotPotential(Mutant):
    def term(self, rollout: Rollout) -> Any:
        return (height(rollout.next_obs) > 0) * 1.0


class LearningPotential(Mutant):
    """A potential that learns but is read anew at both ends: no value is kept from when the state was entered."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = 1.0

    def term(self, rollout: Rollout) -> Any:
        return self.scale * super().term(rollout)

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        self.scale *= 1.5
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"scale": self.scale}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.scale = state["scale"]


class CarryNotCleared(EpisodicCount):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        no_end = np.zeros_like(rollout.terminated)
        shaped, carry = super().shape(replace(rollout, terminated=no_end, truncated=no_end), carry)
        return rollout.add(self.name, shaped.terms[self.name]), carry


class LearnsInShape(Count):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped = super().shape(rollout, carry)
        self.update(rollout)
        return shaped


class ReplacesTheTrueReward(Mutant):
    contract = Contract(reads=frozenset({"reward"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        clipped = replace(rollout, terms={"env": rollout.terms["env"].clip(-1, 1)})
        return clipped.add(self.name, 0 * rollout.reward), carry


class WritesIntoTheRollout(Mutant):
    contract = Contract(reads=frozenset({"obs"}))

    def term(self, rollout: Rollout) -> Any:
        rollout.obs[...] *= 0.5
        return height(rollout.obs)


class MisnamesItsTerm(Mutant):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add("something else", self.term(rollout)), carry


class LooksAtOtherEnvironments(Mutant):
    contract = Contract(reads=frozenset({"obs"}))

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) - height(rollout.obs)[:, :1]


class LooksAhead(Mutant):
    contract = Contract(reads=frozenset({"obs"}))

    def term(self, rollout: Rollout) -> Any:
        return np.concatenate([height(rollout.obs)[1:], height(rollout.obs)[-1:]])


class NormalisesOverTheMask(Count):
    contract: Contract

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        return super().update(replace(rollout, mask=np.ones_like(rollout.mask)))


class NumpyOnly(Mutant):
    contract = Contract(reads=frozenset({"obs"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return replace(
            rollout, terms={**rollout.terms, self.name: np.where(rollout.mask, height(np.asarray(rollout.obs)), 0)}
        ), carry


class ForgetsToSave(RND):
    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"optimizer": self.__class__.fresh().model.optimizer.state_dict()}

    @classmethod
    def fresh(cls) -> RND:
        return RND(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2)


class ReadsWhatItDoesNotList(Mutant):
    contract = Contract(reads=frozenset({"obs"}))

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) * rollout.action


class SaysItVanishes(Mutant):
    contract = Contract(guarantee="vanishing", reads=frozenset({"obs"}))

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs)


class SaysItKeepsReturns(SaysItVanishes):
    contract = Contract(guarantee="return_preserving", reads=frozenset({"obs"}))


class SetsDiscountUnsaid(Mutant):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        halved = rollout.with_discount(0.5 * rollout.discount)
        return halved.add(self.name, self.term(halved)), carry


BROKEN_SHAPERS: list[tuple[Callable[[], Shaper], str]] = [
    (ZeroAtTruncation, "telescoping"),
    (KeptAtTermination, "telescoping"),
    (OwnDiscount, "telescoping"),
    (ClippedPotential, "telescoping"),
    (BonusNotPotential, "telescoping"),
    (LearningPotential, "telescoping_while_learning"),
    (CarryNotCleared, "episodes"),
    (LearnsInShape, "shape_never_learns"),
    (ReplacesTheTrueReward, "scope"),
    (WritesIntoTheRollout, "scope"),
    (MisnamesItsTerm, "scope"),
    (SetsDiscountUnsaid, "scope"),
    (LooksAtOtherEnvironments, "columns"),
    (LooksAhead, "chunks"),
    (NormalisesOverTheMask, "mask"),
    (NumpyOnly, "backends"),
    (lambda: ForgetsToSave(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2), "save_load"),
    (ReadsWhatItDoesNotList, "reads"),
    (SaysItVanishes, "vanishing"),
    (SaysItKeepsReturns, "returns"),
]


@pytest.mark.parametrize(("make", "law"), BROKEN_SHAPERS, ids=lambda value: getattr(value, "__name__", None))
def test_a_broken_shaper_is_caught_by_name(make: Callable[[], Shaper], law: str) -> None:
    with pytest.raises(AssertionError, match=rf"^{law}: "):
        check_shaper(make)


def test_the_unbroken_ones_pass() -> None:
    check_shaper(Mutant)
    check_shaper(EpisodicCount)


def _ignore_final_obs(monkeypatch: pytest.MonkeyPatch) -> None:
    final = TransitionReader._final
    monkeypatch.setattr(
        TransitionReader, "_final", lambda self, done, obs, *rest: (obs, final(self, done, obs, *rest)[1])
    )


def _ignore_final_info(monkeypatch: pytest.MonkeyPatch) -> None:
    read = TransitionReader._read
    latest: dict[str, Any] = {}

    def wrong(self: TransitionReader, info: Mapping[str, Any], key: str, rows: Any, of: str = "info") -> Any:
        if of == "info":
            latest[key] = read(self, info, key, rows)
        return latest[key]

    monkeypatch.setattr(TransitionReader, "_read", wrong)


def _unmask_autoreset_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransitionReader, "_advance", lambda self, done: None)


def _forget_everybody_at_a_partial_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    reset = Driver.reset

    def wrong(self: Driver, obs: Any, info: Mapping[str, Any], mask: Any = None) -> None:
        reset(self, obs, info, mask)
        self.carry = self.shaper.init(self.reader.num_envs)

    monkeypatch.setattr(Driver, "reset", wrong)


def _remember_the_reset_observation_as_next(monkeypatch: pytest.MonkeyPatch) -> None:
    step = TransitionReader.step

    def wrong(self: TransitionReader, *args: Any, **kwargs: Any) -> Rollout:
        rollout = step(self, *args, **kwargs)
        return replace(rollout, obs=rollout.next_obs)

    monkeypatch.setattr(TransitionReader, "step", wrong)


def _discount_kept_at_termination(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "potentia.transitions.discount_column",
        lambda gamma, terminated, truncated, like, truncation: like * 0 + gamma,
    )


BROKEN_DRIVERS: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], Shaper]]] = [
    (_ignore_final_obs, lambda: PotentialShaping(height)),
    (_ignore_final_info, lambda: PotentialShaping("potential")),
    (_unmask_autoreset_steps, lambda: PotentialShaping(height)),
    (_forget_everybody_at_a_partial_reset, EpisodicCount),
]


@pytest.mark.parametrize(("damage", "make"), BROKEN_DRIVERS, ids=lambda value: getattr(value, "__name__", "")[1:])
def test_a_broken_driver_is_caught_by_the_law_of_drivers(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[pytest.MonkeyPatch], None], make: Callable[[], Shaper]
) -> None:
    check_shaper(make, seeds=1)
    damage(monkeypatch)
    with pytest.raises(AssertionError, match=r"^drivers: "):
        check_shaper(make)


def test_a_chain_that_clips_a_potential_cannot_even_be_built() -> None:
    with pytest.raises(
        ValueError, match=r"ClipReward rescales the reward so far, which would destroy .* PotentialShaping"
    ):
        Chain(PotentialShaping(height), ClipReward())
