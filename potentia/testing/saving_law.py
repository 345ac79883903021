"""The law of saving and loading. It raises ``AssertionError`` if broken."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.arrays import host_array, is_tensor
from potentia.checkpoint import loads
from potentia.rollout import Rollout
from potentia.shaping.shaper import Shaper
from potentia.testing.case import Case, learn, saved
from potentia.testing.compare import check_equal, terms

_CROWD = 600


def save_load(case: Case) -> None:
    """What a checkpoint saves of it, another shaper loads, and goes on bit by bit the same.

    Nothing is lost on the way, though the shaper saw hundreds of states. Nothing stays of what the other one had
    learned before. And what was loaded is a copy: neither's learning changes the other.
    """
    rng, crowd = case.rng(), case.experience.of(_CROWD if case.late else 6)
    shaper = case.taught()
    learn(shaper, crowd.rollout(rng, crowd.num_states // 6 + 10, 6))
    state, probes = saved(shaper), (crowd.rollout(rng), case.rollout(rng))
    fresh, other = case.make(), case.make()
    learn(other, crowd.rollout(rng))
    for heir in (fresh, other):
        heir.load_state_dict(loads(state))
        assert same_state(state, saved(heir)), "a shaper that loaded a state saves another one"
    for _ in range(3):
        for probe in probes:
            want = terms(shaper, probe)
            check_equal(want, terms(fresh, probe), "a loaded shaper gives other numbers", exact=True)
            check_equal(want, terms(other, probe), "loading leaves something of what was learned before", exact=True)
        rollout = case.rollout(rng)
        for one in (shaper, fresh, other):
            learn(one, rollout)
    _check_apart(case, shaper, case.rollout(rng))


def _check_apart(case: Case, shaper: Shaper, rollout: Rollout) -> None:
    """Shapers that loaded the same state, and the one whose it is, learn on their own."""
    state = shaper.state_dict()
    one, two = case.make(), case.make()
    for heir in (one, two):
        heir.load_state_dict(state)
    want = terms(shaper, rollout)
    learn(one, rollout)
    message = "load_state_dict keeps what it is given, so that two shapers learn together: load a copy"
    for other in (shaper, two):
        check_equal(want, terms(other, rollout), message, exact=True)
    want = terms(one, rollout)
    learn(shaper, rollout)
    check_equal(want, terms(one, rollout), message, exact=True)


def same_state(one: bytes, other: bytes) -> bool:
    """Whether two files hold the same state."""
    return one == other or _same(loads(one), loads(other))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return (
            isinstance(other, dict) and one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
        )
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(_same, one, other))
    if is_tensor(one):
        return is_tensor(other) and one.dtype == other.dtype and np.array_equal(host_array(one), host_array(other))
    return bool(np.array_equal(one, other))
