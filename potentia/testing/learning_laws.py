"""The laws of learning, saving and loading that every shaper obeys. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from torch.optim.optimizer import register_optimizer_step_post_hook

from potentia.arrays import host_array, is_tensor
from potentia.checkpoint import loads
from potentia.rollout import Rollout, concatenate
from potentia.shaping.shaper import Shaper
from potentia.testing.case import Case, learn, saved
from potentia.testing.compare import Results, as_tensors, check_equal, overwrite, padded, terms

_PASSES = 16
_CROWD = 600


def metrics(case: Case) -> None:
    """What update returns are finite numbers by name, at the first update and at the fiftieth."""
    shaper, rng = case.make(), case.rng()
    for _ in range(50 if case.late else 2):
        check_metrics(learn(shaper, case.experience.rollout(rng)))


def check_metrics(found: Any) -> None:
    """Raises ``AssertionError`` unless each metric has a name and is one finite number."""
    assert isinstance(found, dict), f"update must return a dict of metrics, got {type(found).__name__}: return {{}}"
    for name, value in found.items():
        number = host_array(value) if is_tensor(value) or isinstance(value, np.ndarray | np.generic) else value
        single = isinstance(value, int | float) or (not isinstance(number, str) and np.size(number) == 1)
        finite = single and np.issubdtype(np.asarray(number).dtype, np.number) and bool(np.isfinite(number).all())
        assert isinstance(name, str), f"a metric's name must be a text, got {name!r}"
        assert finite or isinstance(value, bool), f"the metric {name!r} must be one finite number, got {value!r}"


def learning(case: Case) -> None:
    """What is learned does not depend on the order or number of environments, nor on how experience is split.

    A shaper that steps an optimiser is held to the order alone, and not to the last digit: its minibatches differ.
    """
    rng = case.rng()
    rollout, probe = _closed(case.rollout(rng, envs=4)), case.rollout(rng)
    with _optimiser() as steps:
        want = _learned(case, [rollout], probe)
    if steps:
        _check_order(case, rng, probe)
        return
    order, half = rng.permutation(4), rollout.num_steps // 2
    ways = {
        "in another order of the environments": [rollout[:, order]],
        "with masked environments and steps between": [padded(rollout, rng)[0]],
        "from two environments and then from the others": [rollout[:, :2], rollout[:, 2:]],
    }
    if not case.make().contract.needs_episodes:
        ways["in two halves"] = [rollout[:half], rollout[half:]]
        ways["with one environment after the other"] = [concatenate(rollout[:, [env]] for env in range(4))]
    for way, parts in ways.items():
        check_equal(want, _learned(case, parts, probe), f"learning {way} gives other terms")


def _closed(rollout: Rollout) -> Rollout:
    """The same with a last step at which every episode is cut and bootstrapped."""
    truncated = rollout.truncated.copy()
    truncated[-1] |= rollout.mask[-1] & ~rollout.terminated[-1]
    return replace(rollout, truncated=truncated)


def _learned(case: Case, parts: Sequence[Rollout], probe: Rollout, passes: int = _PASSES) -> Results:
    """The terms of a probe after a few passes: a shaper may ask a slow judge a little at a time."""
    shaper = case.trained()
    for _ in range(passes):
        for part in parts:
            learn(shaper, part)
    return terms(shaper, probe)


@contextmanager
def _optimiser() -> Iterator[list[bool]]:
    """Notes the steps of PyTorch's optimisers."""
    steps: list[bool] = []
    hook = register_optimizer_step_post_hook(lambda *_: steps.append(True))
    try:
        yield steps
    finally:
        hook.remove()


def _check_order(case: Case, rng: np.random.Generator, probe: Rollout) -> None:
    """One step on one minibatch does not tell one order of the environments from another.

    If it tells one order of the steps from another too, it draws what it learns from, and nothing follows.
    """
    rollout = case.experience.rollout(rng, 3, 4, ends=0.0)
    before, want, others, later = (
        _learned(case, parts, probe, passes=1)
        for parts in ([], [rollout], [rollout[:, rng.permutation(4)]], [rollout[[2, 0, 1]]])
    )
    for name, column in want.items():
        moved, apart, drawn = (np.abs(other[name] - column).mean() for other in (before, others, later))
        limit = 0.02 * moved + 1e-6
        assert apart <= limit or drawn > limit, (
            f"learning in another order of the environments gives other terms: they differ by {apart:.3g} where "
            f"learning changed them by {moved:.3g} (term {name!r})"
        )


def references(case: Case) -> None:
    """Nothing of a rollout is kept but by copy: its memory may be used for the next one."""
    kinds: tuple[tuple[str, Callable[[Rollout], Rollout]], ...] = (("array", lambda same: same), ("tensor", as_tensors))
    for kind, convert in kinds:
        found = []
        for reuse in (False, True):
            rng, shaper = case.rng(), case.trained()
            first, second = convert(case.rollout(rng)), convert(case.rollout(rng))
            _, carry = shaper.shape(first, shaper.init(first.num_envs))
            learn(shaper, first)
            if reuse:
                overwrite(first)
            shaped, _ = shaper.shape(second, carry)
            learn(shaper, second)
            found.append(({name: host_array(shaped.terms[name]) for name in shaper.term_names}, terms(shaper, second)))
        message = f"it keeps {kind}s of the rollout that it was given: keep a copy"
        for want, got in zip(*found, strict=True):
            check_equal(want, {name: host_array(column) for name, column in got.items()}, message)


def save_load(case: Case) -> None:
    """What a checkpoint saves of it, another shaper loads, and goes on bit by bit the same.

    Nothing is lost on the way, though the shaper saw hundreds of states; nothing stays of what the other one had
    learned before; and what was loaded is a copy, so that neither's learning changes the other.
    """
    rng, crowd = case.rng(), case.experience.of(_CROWD if case.late else 6)
    shaper = case.taught()
    learn(shaper, crowd.rollout(rng, crowd.num_states // 6 + 10, 6))
    state, probe = saved(shaper), crowd.rollout(rng)
    fresh, other = case.make(), case.make()
    learn(other, crowd.rollout(rng))
    for heir in (fresh, other):
        heir.load_state_dict(loads(state))
        assert same_state(state, saved(heir)), "a shaper that loaded a state saves another one"
    for _ in range(3):
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
