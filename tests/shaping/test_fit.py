"""The one fit check: what a contract asks for, held against what each home offers, in one kind of message."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

from potentia.shaping import (
    RND,
    Contract,
    Count,
    EpisodicCount,
    LookAheadAdvice,
    PotentialShaping,
    ScheduleDiscount,
    Shaper,
)
from potentia.shaping.fit import FitError, Home, fit, require_fit, without_learning

STEPS = Home("this loop")


class Asks(Shaper):
    """Adds nothing, and has the contract that it is made with."""

    def __init__(self, **needs: Any) -> None:
        super().__init__()
        self.contract = Contract(**needs)


@pytest.mark.parametrize(
    ("shaper", "home", "name", "words"),
    [
        (Asks(needs_episodes=True), STEPS, "episodes", "collect_episodes"),
        (EpisodicCount(), Home("a replay", ordered=False), "order", "samples have no order here; wrap the environment"),
        (Asks(needs_policy=True), STEPS, "policy", r"shaper\.update\(rollout, policy=\.\.\.\)"),
        (Asks(needs_values=True), STEPS, "values", "use a learner of potentia.agents"),
        (LookAheadAdvice([[0.0]]), STEPS, "next_action", "columns=shaper.contract.info_columns"),
        (PotentialShaping("potential"), Home("w", keys=frozenset({"success"})), "columns", "'potential'.* has success"),
        (ScheduleDiscount(0.5), Home("SB3", discounts=False), "discount", "one gamma for all steps"),
        (Asks(truncation="terminal"), STEPS, "truncation", "sees an end .*, but the one here uses the next value"),
    ],
)
def test_what_does_not_fit_is_refused_with_the_way_out(shaper: Shaper, home: Home, name: str, words: str) -> None:
    assert [finding.name for finding in fit(shaper, home)] == [name]
    with pytest.raises(FitError, match=f"^{shaper.name} does not fit {home.name}: .*{words}"):
        require_fit(shaper, home)


def test_what_fits_passes_and_what_is_lost_is_said() -> None:
    offers = Home("all", episodes=True, policy=True, next_action=True, values=True, streams=True, truncation=None)
    for needs in ({"needs_episodes": True}, {"needs_policy": True}, {"needs_values": True}, {"truncation": "terminal"}):
        assert require_fit(Asks(**needs), offers) == []
    assert require_fit(Asks(needs_policy=True), without_learning(STEPS)) == []
    assert require_fit(Count(), Home("a replay", ordered=False)) == []
    rnd = RND(gym.spaces.Discrete(2))
    assert require_fit(rnd, offers) == []
    (finding,) = require_fit(rnd, STEPS)
    assert (finding.name, finding.severe) == ("streams", False)
    assert "terms RND ask for value heads of their own" in finding.message


def test_all_reasons_are_given_at_once() -> None:
    with pytest.raises(FitError, match=r"whole episodes.*; it needs the learner's policy") as caught:
        require_fit(Asks(needs_episodes=True, needs_policy=True), STEPS)
    assert [finding.name for finding in caught.value.findings] == ["episodes", "policy"]
