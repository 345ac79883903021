"""Shapers that promise what they don't keep, and trials that try nothing: each must be caught."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping import Carry, Chain, ClipReward, Contract, Count, LookAheadAdvice, PotentialShaping, Scale, Shaper
from potentia.testing import check_shaper
from potentia.testing.case import Case
from potentia.testing.invariance_laws import optimal_policy
from potentia.testing.shapers import draw_experience
from tests.shaping.law_table import ADVICE_TABLE, height
from tests.testing.honest import Mean, Plain, Static, Tally, assert_caught, change, name_of


class ZeroAtTruncation(Static):
    contract = change(Static.contract, reads=Static.contract.reads | {"terminated", "truncated"})

    def term(self, rollout: Rollout) -> Any:
        return rollout.discount * ~rollout.done * height(rollout.next_obs) - height(rollout.obs)


class KeptAtTermination(Static):
    def term(self, rollout: Rollout) -> Any:
        discount = rollout.discount + 0.9 * (rollout.discount == 0)
        return discount * height(rollout.next_obs) - height(rollout.obs)


class OwnGamma(Static):
    contract = change(Static.contract, reads=Static.contract.reads | {"terminated"})

    def term(self, rollout: Rollout) -> Any:
        return 0.99 * ~rollout.terminated * height(rollout.next_obs) - height(rollout.obs)


class ClippedPotential(Static):
    def term(self, rollout: Rollout) -> Any:
        return super().term(rollout).clip(-0.5, 0.5)


class BonusNotPotential(Static):
    def term(self, rollout: Rollout) -> Any:
        return (height(rollout.next_obs) > 0) * 1.0


class NothingWhereTheDiscountIsOne(Static):
    """It takes a discount of 1 for one that was never set."""

    def term(self, rollout: Rollout) -> Any:
        return super().term(rollout) * (rollout.discount != 1)


class DoubledWhereAllDiscountsAreOne(Static):
    def term(self, rollout: Rollout) -> Any:
        return super().term(rollout) * (1 + host_array(rollout.discount == 1).all())


class WrongFromStep24On(Static):
    """What is ahead is left out from the 24th step of an episode on."""

    contract = change(Static.contract, reads=Static.contract.reads | {"terminated", "truncated"}, scope="episode")

    def init(self, num_envs: int) -> Carry:
        return np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        steps = self.init(rollout.num_envs) if isinstance(carry, tuple) else host_array(carry)
        mask, done, late = host_array(rollout.mask), host_array(rollout.done), np.zeros(rollout.discount.shape)
        for t in range(rollout.num_steps):
            late[t] = steps >= 24
            steps = np.where(mask[t], np.where(done[t], 0, steps + 1), steps)
        ahead = rollout.discount * (1 - like_column(late, rollout.discount)) * height(rollout.next_obs)
        return rollout.add(self.name, ahead - height(rollout.obs)), steps


class RepaysWhereTheDiscountIsZero(Static):
    """A bonus at each step, all taken back where the learner uses no next value, and there alone."""

    contract = change(
        Static.contract, basis="history", reads=Static.contract.reads | {"terminated", "truncated"}, scope="episode"
    )
    at_any_end = False

    def init(self, num_envs: int) -> Carry:
        return np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        owed = self.init(rollout.num_envs) if isinstance(carry, tuple) else host_array(carry)
        mask, done, discount = map(host_array, (rollout.mask, rollout.done, rollout.discount))
        bonus, rows = np.nan_to_num(height(host_array(rollout.next_obs))), np.zeros(rollout.discount.shape)
        for t in range(rollout.num_steps):
            repaid = (discount[t] == 0) | (done[t] & self.at_any_end)
            rows[t] = np.where(repaid, -owed, bonus[t])
            after = np.where(repaid | done[t], 0.0, (owed + bonus[t]) / np.where(discount[t] == 0, 1.0, discount[t]))
            owed = np.where(mask[t], after, owed)
        return rollout.add(self.name, like_column(rows, rollout.discount)), owed


class RepaysAtAnyEnd(RepaysWhereTheDiscountIsZero):
    at_any_end = True


class LearningPotential(Static):
    """A potential that learns but is read anew at both ends: no value is kept from when the state was entered."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = 0

    @property
    def scale(self) -> float:
        return 1.0 + 0.1 * self.steps

    def term(self, rollout: Rollout) -> Any:
        return self.scale * super().term(rollout)

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        self.steps += int(rollout.mask.sum())
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.steps = state["steps"]


class LearnsLate(LearningPotential):
    """It begins to learn after some forty updates."""

    @property
    def scale(self) -> float:
        return 1.0 + 0.1 * (self.steps > 1200) * self.steps


def advice_called_a_potential() -> Shaper:
    """Its table tells actions apart, so that V' is no V - potential."""
    advice = LookAheadAdvice(ADVICE_TABLE)
    advice.contract = change(advice.contract, basis="state")
    return advice


class SaysItVanishes(Plain):
    contract = Contract(guarantee="vanishing", reads=frozenset({"obs"}))


class SaysItKeepsReturns(Plain):
    contract = Contract(guarantee="return_preserving", reads=frozenset({"obs"}))


class VanishesTowardsAConstant(Tally):
    def bonus(self, page: str) -> float:
        return 0.1 + 0.9 * super().bonus(page)


class VanishesTowardsALittle(Tally):
    def bonus(self, page: str) -> float:
        return 0.02 + 0.98 * super().bonus(page)


class VanishesForAWhile(Tally):
    def bonus(self, page: str) -> float:
        return float((1 + min(self.counts.get(page, 0.0), 900.0)) ** -0.5)


class NeverVanishesInOneState(Tally):
    def bonus(self, page: str) -> float:
        return max(super().bonus(page), 0.2 * page.endswith("3."))


BROKEN: list[tuple[Callable[[], Shaper], str]] = [
    (ZeroAtTruncation, "telescoping"),
    (KeptAtTermination, "telescoping"),
    (OwnGamma, "telescoping"),
    (ClippedPotential, "telescoping"),
    (BonusNotPotential, "telescoping"),
    (NothingWhereTheDiscountIsOne, "telescoping"),
    (DoubledWhereAllDiscountsAreOne, "episodes"),
    (WrongFromStep24On, "telescoping"),
    (RepaysWhereTheDiscountIsZero, "settling"),
    (LearningPotential, "telescoping_while_learning"),
    (LearnsLate, "telescoping_while_learning"),
    (advice_called_a_potential, "advantages"),
    (SaysItKeepsReturns, "returns"),
    (SaysItVanishes, "vanishing"),
    (VanishesTowardsAConstant, "vanishing"),
    (VanishesTowardsALittle, "vanishing"),
    (VanishesForAWhile, "vanishing"),
    (NeverVanishesInOneState, "vanishing"),
]


@pytest.mark.parametrize(("make", "law"), BROKEN, ids=name_of)
def test_a_false_promise_is_caught_by_name(make: Callable[[], Shaper], law: str) -> None:
    assert_caught(make, law)


def test_what_is_taken_back_at_any_end_is_lawful() -> None:
    check_shaper(RepaysAtAnyEnd, second_process=False)


def test_the_law_of_optimal_policies_needs_no_other() -> None:
    with pytest.raises(AssertionError, match="the set of optimal actions of a random world changes"):
        optimal_policy(Case(BonusNotPotential, draw_experience(BonusNotPotential), 0))


class FarFromTheGoal(Plain):
    contract = Contract(reads=frozenset({"info:next_steps_left"}))

    def term(self, rollout: Rollout) -> Any:
        return (rollout.info["next_steps_left"] > 10) * 1.0


def test_a_trial_that_tries_nothing_does_not_pass() -> None:
    with pytest.raises(
        AssertionError, match=r"^experience: Tally: 'Tally' is the same .* in every trial.*next_caption"
    ):
        check_shaper(lambda: Scale(Tally(), 0.0))
    with pytest.raises(
        AssertionError, match=r"pass an observation_space, or info=.* \['next_steps_left'\], with values"
    ):
        check_shaper(FarFromTheGoal)
    check_shaper(FarFromTheGoal, info={"steps_left": lambda states: 4 * states}, second_process=False)
    with pytest.raises(AssertionError, match="'discount' is the same as without it in every trial"):
        check_shaper(SetsWhatItWas)


class SetsWhatItWas(Shaper):
    contract = Contract(reads=frozenset({"discount"}), sets_discount=True)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return rollout.with_discount(rollout.discount), carry


def test_a_column_that_nobody_reads_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"info has \['distance', 'hint'\], which PotentialShaping does not read; .*"):
        check_shaper(
            lambda: PotentialShaping("potential"),
            info={"hint": lambda states: states, "distance": lambda states: states},
        )


def test_a_shaper_must_be_the_same_when_made_again() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(AssertionError, match=r"^experience: .*make_shaper makes another shaper at each call"):
        check_shaper(lambda: PotentialShaping(height, shift=rng.uniform()))


def test_the_members_of_a_chain_are_held_to_their_promises() -> None:
    with pytest.raises(AssertionError, match=r"^vanishing: SaysItVanishes"):
        check_shaper(lambda: Chain(Count(), SaysItVanishes()), second_process=False)


def test_a_chain_that_clips_a_potential_cannot_even_be_built() -> None:
    with pytest.raises(
        ValueError, match=r"ClipReward rescales the reward so far, which would destroy .* PotentialShaping"
    ):
        Chain(PotentialShaping(height), ClipReward())


def test_means_are_lawful_unless_late() -> None:
    class LateInText(Mean):
        def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
            return super().update(rollout) | ({"late": "yes"} if self.updates > 40 else {})

    check_shaper(Mean, second_process=False)
    assert_caught(LateInText, "metrics")
