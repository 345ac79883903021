"""Rules that nothing but the state decides: neither the time, nor how long an episode has been going on."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Sequence
from itertools import groupby
from math import comb, isfinite
from numbers import Real
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.testing.environment_episodes import Moment
from potentia.testing.environment_states import transitions

__all__ = ["check_hash", "check_later", "check_outputs", "check_termination", "seems_random"]

_PAIRS = 10
"""How many pairs of looks at what seems to be one state must be seen before their hashes are judged."""
_LATE = 5
"""How many late looks at states that were seen early must be wrong, all of them."""
_REPEATS = 20
"""How often an action must have been repeated in the same view before views count as ruled by no chance."""
_EPISODES, _CHANGES, _APART = 3, 8, 3
"""Views that stand still: in how many episodes, while the state changes how often, and how far apart they stop."""

Look = tuple[Hashable, int, bytes]
"""What was looked at (a state or a transition), in which step of an episode, and what was seen."""


def check_outputs(moments: Sequence[Moment], space: gym.Space[Any]) -> None:
    """Each observation lies in the space and each reward is a finite number, however late."""
    for moment in moments:
        where = f"step {moment.time} of episode {moment.episode}"
        assert space.contains(moment.observation), (
            f"observation: in {where} it is not in {space}, got {_short(moment.observation)}"
        )
        reward = moment.reward
        assert isinstance(reward, Real | np.number) and isfinite(reward), (  # noqa: PT018 - one rule
            f"reward: in {where} it must be a finite number, got {_short(reward)}"
        )


def check_later(moments: Sequence[Moment]) -> None:
    """Equal states look alike and equal transitions are paid alike, early and late in an episode."""
    if "state_hash" not in moments[0].info:
        return
    seen = [(_hash(moment), moment.time, moment.view) for moment in moments]
    paid = [
        ((_hash(before), str(after.action), _hash(after)), after.time, repr(float(after.reward)).encode())
        for before, after in transitions(moments)
    ]
    for name, what, looks in (("observation", "state", seen), ("reward", "transition", paid)):
        step = _breaks_at(looks)
        assert step is None, (
            f"{name}: from step {step} of an episode on it is never what it was before for the same {what}, going by "
            "state_hash"
        )
    _check_still(moments)


def _breaks_at(looks: Sequence[Look]) -> int | None:
    """The step from which on all looks differ from those before it, and else all agree. None if no step does so.

    Where late looks at one state differ from one another, the time itself is in sight, and nothing is judged.
    """
    first: dict[Hashable, Look] = {}
    for look in sorted(looks, key=lambda look: look[1]):
        first.setdefault(look[0], look)
    wrong = [look for look in looks if look[2] != first[look[0]][2]]
    if len(wrong) < _LATE or len({(what, seen) for what, _, seen in wrong}) > len({what for what, _, _ in wrong}):
        return None
    step = min(time for _, time, _ in wrong)
    right = [time for what, time, seen in looks if seen == first[what][2] and time != first[what][1] < step]
    return step if right and max(right) < step else None


def _check_still(moments: Sequence[Moment]) -> None:
    stops: list[int] = []
    for episode in _episodes(moments):
        views, hashes = [moment.view for moment in episode], [_hash(moment) for moment in episode]
        last = max((t for t in range(1, len(views)) if views[t] != views[t - 1]), default=0)
        changes = sum(hashes[t] != hashes[t - 1] for t in range(last + 1, len(hashes)))
        if changes >= _CHANGES:
            stops.append(last)
        elif len(views) > last + 2 * _CHANGES or last > _CHANGES:
            return  # it changes late, or the state does not
    assert len(stops) < _EPISODES or max(stops) - min(stops) > _APART, (
        f"observation: from step {max(stops) + 1} of an episode on it never changes again, though the state does"
    )


def check_hash(moments: Sequence[Moment], chance: bool | None) -> None:
    """The time is no part of ``state_hash``: states come back, and an action leads where it led before.

    Args:
        moments: Of random play.
        chance: Whether an action may lead from one state to several. None if that is not known.
    """
    if "state_hash" not in moments[0].info or chance:
        return
    pairs = back = 0
    for episode in _episodes(moments):
        by_view: dict[bytes, list[int]] = defaultdict(list)
        for moment in episode:
            by_view[moment.view].append(_hash(moment))
        pairs += sum(comb(len(hashes), 2) for hashes in by_view.values())
        back += sum(comb(count, 2) for hashes in by_view.values() for count in Counter(hashes).values())
    assert pairs < _PAIRS or back, (
        f"state_hash: {pairs} times an observation was seen again within an episode, and never the same hash with it; "
        "the time must not be part of it (if the world changes by itself, let it say so: chance = True)"
    )
    if chance is False or _views_are_certain(moments):
        _check_successors(moments)


def _check_successors(moments: Sequence[Moment]) -> None:
    led: dict[tuple[int, str], Moment] = {}
    for before, after in transitions(moments):
        other = led.setdefault((_hash(before), str(after.action)), after)
        assert _hash(other) == _hash(after), (
            f"state_hash: action {after.action} led from the state {_hash(before)} to {_hash(other)} in step "
            f"{other.time} of an episode and to {_hash(after)} in step {after.time}, and no chance is seen; either the "
            "time is part of the hash, or something that decides what follows is not"
        )


def _views_are_certain(moments: Sequence[Moment]) -> bool:
    """Whether an action in a view always leads to the same view, as far as it was repeated."""
    led: dict[tuple[bytes, str], bytes] = {}
    repeats = 0
    for before, after in transitions(moments):
        key = before.view, str(after.action)
        repeats += key in led
        if led.setdefault(key, after.view) != after.view:
            return False
    return repeats >= _REPEATS


def seems_random(moments: Sequence[Moment]) -> bool:
    """Whether an action was seen to lead from one state to several. Without hashes, the view stands for the state."""
    hashed = "state_hash" in moments[0].info
    led: dict[tuple[Any, str], Any] = {}
    for before, after in transitions(moments):
        one, other = (_hash(before), _hash(after)) if hashed else (before.view, after.view)
        if led.setdefault((one, str(after.action)), other) != other:
            return True
    return False


def check_termination(moments: Sequence[Moment]) -> None:
    """A transition that once ended the episode always does, whatever the time."""
    if "state_hash" not in moments[0].info:
        return
    ends: dict[tuple[Any, ...], bool] = {}
    for before, moment in transitions(moments):
        transition = (_hash(before), str(moment.action), _hash(moment))
        known = ends.setdefault(transition, bool(moment.terminated))
        assert known == moment.terminated, (
            f"termination: the transition (state_hash, action, state_hash) = {transition} was terminated in "
            "one place and went on in another; a time limit must be reported as truncated"
        )


def _episodes(moments: Sequence[Moment]) -> list[list[Moment]]:
    return [list(episode) for _, episode in groupby(moments, key=lambda moment: moment.episode)]


def _hash(moment: Moment) -> int:
    return int(moment.info["state_hash"])


def _short(value: Any) -> str:
    text = " ".join(repr(value).split())
    return text if len(text) <= 200 else f"{text[:200]}..."
