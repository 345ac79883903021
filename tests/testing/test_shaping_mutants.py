"""Shapers that are broken in how they shape: each must be caught, by the law that it breaks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping import Carry, Contract, Count, Shaper, Stream
from potentia.testing import check_shaper
from tests.shaping.law_table import height
from tests.testing.honest import HONEST, Mean, Plain, Static, Steps, assert_caught, change, name_of


class ReplacesTheTrueReward(Plain):
    contract = Contract(reads=frozenset({"reward"}))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        clipped = replace(rollout, terms={"env": rollout.terms["env"].clip(-1, 1)})
        return clipped.add(self.name, rollout.reward), carry


class WritesIntoTheRollout(Plain):
    def term(self, rollout: Rollout) -> Any:
        rollout.obs[...] *= 0.5
        return height(rollout.obs)


class WritesWhenItLearns(Plain):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        rollout.terms["env"][...] *= 0.5
        return {}


class MisnamesItsTerm(Plain):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.add("something else", self.term(rollout)), carry


class SetsDiscountUnsaid(Static):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        halved = rollout.with_discount(0.5 * rollout.discount)
        return halved.add(self.name, self.term(halved)), carry


class SetsTheDiscountAtTheEnds(Shaper):
    """It writes gamma where the learner uses no next value, too."""

    contract = Contract(reads=frozenset({"discount"}), sets_discount=True)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return replace(rollout, discount=0.0 * rollout.discount + 0.6), carry


class SetsTheDiscountWhereEpisodesAreCut(SetsTheDiscountAtTheEnds):
    """At a termination it is 0 again, at a cut that the learner takes for an end it is not."""

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.with_discount(0.0 * rollout.discount + 0.6), carry


class AddsAColumn(Plain):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped = rollout.add(self.name, self.term(rollout))
        return replace(shaped, info={**shaped.info, "height": height(rollout.obs)}), carry


class OfAnotherDtype(Plain):
    """32 bits where the reward has 64."""

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term = np.where(rollout.mask, self.term(rollout), 0).astype(np.float32)
        return replace(rollout, terms={**rollout.terms, self.name: term}), carry


class OfMoreBitsThanTheReward(Plain):
    """64 bits where the reward has 32."""

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term = np.where(rollout.mask, self.term(rollout), 0).astype(np.float64)
        return replace(rollout, terms={**rollout.terms, self.name: term}), carry


class NamesAStreamThatIsNoTerm(Plain):
    @property
    def streams(self) -> dict[str, Stream]:
        return {"intrinsic": Stream()}


class DividesByOneMinusGamma(Plain):
    contract = change(Plain.contract, reads=frozenset({"obs", "discount"}))

    def term(self, rollout: Rollout) -> Any:
        with np.errstate(divide="ignore"):
            return height(rollout.obs) / (1 - rollout.discount)


class CarryOfAnotherForm(Steps):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped, steps = super().shape(rollout, np.ravel(carry) if len(carry) else ())
        return shaped, steps[None]


class LearnsInShape(Count):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped = super().shape(rollout, carry)
        self.update(rollout)
        return shaped


class DrawsInShape(Plain):
    """Noise from a generator of its own, which is not saved."""

    def __init__(self) -> None:
        super().__init__()
        self.rng = np.random.default_rng(0)

    def term(self, rollout: Rollout) -> Any:
        return self.rng.normal(size=rollout.discount.shape)


class ReadsWhatItDoesNotList(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) * rollout.action


class ReadsTheRewardUnsaid(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) + rollout.terms["env"]


class ReadsAnUndeclaredColumn(Plain):
    """It takes the world's potential if there is one."""

    def term(self, rollout: Rollout) -> Any:
        return rollout.info["potential"] if "potential" in rollout.info else height(rollout.obs)


class ReadsAnOptionalColumn(Plain):
    """It takes a column that nobody thinks of if there is one."""

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) + rollout.info.get("hint", 0.0)


class ReadsAnothersTerm(Plain):
    """It takes RND's term if there is one."""

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) - rollout.terms.get("RND", 0.0)


class ReadsWhateverTermComesLast(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) - (list(rollout.terms.values())[-1] if len(rollout.terms) > 1 else 0.0)


class LearnsFromWhatItDoesNotList(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        super().learn(reward * host_array(rollout.action), mask, rollout)


class LooksAhead(Plain):
    def term(self, rollout: Rollout) -> Any:
        return np.concatenate([height(rollout.obs)[1:], height(rollout.obs)[-1:]])


class SubtractsTheMeanOverTime(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) - height(rollout.obs).mean(0, keepdims=True)


class ForgetsAfterStep24(Steps):
    """From the 24th step of an episode on it counts from where the rollout begins."""

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        steps = self.init(rollout.num_envs) if isinstance(carry, tuple) else host_array(carry)
        return super().shape(rollout, np.where(steps >= 24, 0, steps))


class LooksAtOtherEnvironments(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) - height(rollout.obs)[:, :1]


class SubtractsTheMeanOfAll(Plain):
    """No order of the environments changes it, but their number does."""

    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) - height(rollout.obs).mean(1, keepdims=True)


class PaysOnMaskedSteps(Plain):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return replace(rollout, terms={**rollout.terms, self.name: np.nan_to_num(self.term(rollout))}), carry


class CountsMaskedSteps(Steps):
    def counted(self, rollout: Rollout) -> Any:
        return rollout.mask | True


class CountsMaskedStepsFarFromTheGoal(Steps):
    """As does one that looks at distances of more than 2 only."""

    contract = change(Steps.contract, reads=Steps.contract.reads | {"info:distance"})

    def counted(self, rollout: Rollout) -> Any:
        return rollout.mask | (host_array(rollout.info["distance"]) > 2)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped, carry = super().shape(rollout, carry)
        far = like_column(host_array(rollout.info["distance"]) > 2, rollout.discount)
        return rollout.add(self.name, shaped.terms[self.name] * far), carry


class EndsAtMaskedFlags(Steps):
    """Flags that stand in masked steps end its episode."""

    def counted(self, rollout: Rollout) -> Any:
        return rollout.mask | rollout.done


class NeverForgets(Steps):
    def ends(self, rollout: Rollout) -> Any:
        return rollout.done & False


class ForgetsAtTerminationOnly(Steps):
    def ends(self, rollout: Rollout) -> Any:
        return rollout.terminated


class ForgetsWhereOneFlagIsTrue(Steps):
    """Memory stays where an episode terminates just when it is cut."""

    def ends(self, rollout: Rollout) -> Any:
        return rollout.terminated ^ rollout.truncated


class ForgetsWhereTheDiscountIsZero(Steps):
    contract = change(Steps.contract, reads=frozenset({"discount"}))

    def ends(self, rollout: Rollout) -> Any:
        return rollout.discount == 0


class NeverForgetsForAllHisLife(NeverForgets):
    """The scope says how long parameters last; the carry lasts an episode."""

    contract = change(Steps.contract, scope="lifelong")


class RaisesOnNoSteps(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) / (rollout.mask | True).max()


class ForgetsOnNoSteps(Steps):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return super().shape(rollout, carry if rollout.num_steps else ())


class DecaysOnMaskedRollouts(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        if not host_array(rollout.mask).any():
            self.sum *= 0.9
        return super().update(rollout)


BROKEN: list[tuple[Callable[[], Shaper], str]] = [
    (ReplacesTheTrueReward, "scope"),
    (WritesIntoTheRollout, "scope"),
    (WritesWhenItLearns, "scope"),
    (MisnamesItsTerm, "scope"),
    (SetsDiscountUnsaid, "scope"),
    (SetsTheDiscountAtTheEnds, "scope"),
    (SetsTheDiscountWhereEpisodesAreCut, "scope"),
    (AddsAColumn, "scope"),
    (OfAnotherDtype, "scope"),
    (OfMoreBitsThanTheReward, "scope"),
    (NamesAStreamThatIsNoTerm, "scope"),
    (DividesByOneMinusGamma, "scope"),
    (CarryOfAnotherForm, "scope"),
    (LearnsInShape, "shape_never_learns"),
    (DrawsInShape, "shape_never_learns"),
    (ReadsWhatItDoesNotList, "reads"),
    (ReadsTheRewardUnsaid, "reads"),
    (ReadsAnUndeclaredColumn, "reads"),
    (ReadsAnOptionalColumn, "reads"),
    (ReadsAnothersTerm, "reads"),
    (ReadsWhateverTermComesLast, "reads"),
    (LearnsFromWhatItDoesNotList, "reads"),
    (LooksAhead, "chunks"),
    (SubtractsTheMeanOverTime, "chunks"),
    (ForgetsAfterStep24, "chunks"),
    (LooksAtOtherEnvironments, "columns"),
    (SubtractsTheMeanOfAll, "columns"),
    (PaysOnMaskedSteps, "mask"),
    (CountsMaskedSteps, "mask"),
    (CountsMaskedStepsFarFromTheGoal, "mask"),
    (EndsAtMaskedFlags, "mask"),
    (NeverForgets, "episodes"),
    (ForgetsAtTerminationOnly, "episodes"),
    (ForgetsWhereOneFlagIsTrue, "episodes"),
    (ForgetsWhereTheDiscountIsZero, "episodes"),
    (NeverForgetsForAllHisLife, "episodes"),
    (RaisesOnNoSteps, "empty"),
    (ForgetsOnNoSteps, "empty"),
    (DecaysOnMaskedRollouts, "empty"),
]


@pytest.mark.parametrize(("make", "law"), BROKEN, ids=name_of)
def test_a_broken_shaper_is_caught_by_name(make: Callable[[], Shaper], law: str) -> None:
    assert_caught(make, law)


@pytest.mark.parametrize("make", HONEST, ids=name_of)
def test_the_unbroken_ones_pass(make: Callable[[], Shaper]) -> None:
    check_shaper(make, second_process=False)
