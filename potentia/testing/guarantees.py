"""The laws behind each guarantee of a contract. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from potentia.rollout import Rollout
from potentia.shaping.shaper import Guarantee
from potentia.testing.case import Case, learn
from potentia.testing.compare import segments, sum_of_terms
from potentia.testing.invariance_laws import (
    advantages,
    optimal_policy,
    settling,
    telescoping,
    telescoping_while_learning,
)

_UPDATES = 2048


def returns(case: Case) -> None:
    """The terms of a whole episode sum to 0: its return is what it was."""
    shaper = case.trained()
    rollout = _whole_episodes(case.rollout(case.rng()))
    term = sum_of_terms(shaper, rollout)
    for b in range(rollout.num_envs):
        for start, stop in segments(rollout, b):
            got = float(term[start:stop, b].sum())
            assert abs(got) < 1e-6, f"the terms of the episode at steps {start}..{stop - 1} sum to {got}, not 0"


def vanishing(case: Case) -> None:
    """Learning again and again from the same experience, the term goes to 0 at every step of it, not to a constant.

    After 2048 updates it is a twentieth of its greatest at most, and since 512 it fell as 1 / sqrt(n) does, to a half.
    Or it is a thousandth, where rounding ends every fall.
    """
    if not case.late:
        return  # once is enough for so many updates
    shaper, rollout = case.make(), case.experience.rollout(case.rng())
    sizes: dict[int, float] = {}
    for update in range(_UPDATES + 1):
        if update & (update - 1) == 0:
            sizes[update] = float(np.abs(sum_of_terms(shaper, rollout)).max())
        learn(shaper, rollout)
    last, before, greatest = sizes[_UPDATES], sizes[_UPDATES // 4], max(sizes.values())
    assert last <= 1e-3 * greatest or (last <= 0.05 * greatest and last <= 0.55 * before), (
        f"after {_UPDATES} updates from the same experience the term is {last:.4g} somewhere, after {_UPDATES // 4} it "
        f"was {before:.4g} and at its greatest {greatest:.4g}: it does not vanish"
    )


GUARANTEES: Mapping[Guarantee, tuple[Callable[[Case], None], ...]] = {
    "policy_invariant": (telescoping, settling, telescoping_while_learning, advantages, optimal_policy),
    "return_preserving": (returns,),
    "vanishing": (vanishing,),
    "unconstrained": (),
}
"""The laws that each guarantee adds."""


def _whole_episodes(rollout: Rollout) -> Rollout:
    """The rollout with its last step made an end, so that every episode in it is whole."""
    terminated = rollout.terminated.copy()
    terminated[-1] = rollout.mask[-1] & ~rollout.truncated[-1]
    return replace(rollout, terminated=terminated, discount=rollout.discount * ~terminated)
