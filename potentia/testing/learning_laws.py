"""The laws of learning that every shaper obeys. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import numpy as np
from torch.optim.optimizer import register_optimizer_step_post_hook

from potentia.arrays import host_array, is_tensor
from potentia.rollout import Rollout, concatenate
from potentia.shaping.shaper import Shaper
from potentia.testing.case import Case, learn
from potentia.testing.compare import (
    Results,
    as_tensors,
    check_equal,
    overwrite,
    padded,
    results,
    returned,
    soiled,
    terms,
)

_PASSES = 16


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
        finite = single and np.asarray(number).dtype.kind in "biuf" and bool(np.isfinite(number).all())
        assert isinstance(name, str), f"a metric's name must be a text, got {name!r}"
        assert finite, f"the metric {name!r} must be one finite number, got {value!r}"


def learning(case: Case) -> None:
    """What is learned does not depend on the order or number of environments, nor on how experience is split.

    A shaper that steps an optimiser is held to the order and to masked environments alone, and not to the last digit.
    """
    rng = case.rng()
    rollout, probe = _closed(case.rollout(rng, envs=4)), case.rollout(rng)
    with _optimiser() as steps:
        learn(case.trained(), rollout)
    if steps:
        _check_order(case, rng, probe)
        return
    want = _learned(case, [rollout], probe)
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
    """One step on one minibatch tells no order of the environments from another, nor masked ones beside from none.

    If it tells other orders of the steps in their environments from it too, it draws what it learns from, and nothing
    follows.
    """
    rollout = case.experience.rollout(rng, 2, 4, ends=0.0)
    wide = rollout[:, [0, 1, 2, 3, 0, 1]]
    beside = soiled(replace(wide, mask=wide.mask & (np.arange(6) < 4)), rng)
    before, want = (_learned(case, parts, probe, 1) for parts in ([], [rollout]))
    ways = {"in another order of the environments": rollout[:, rng.permutation(4)], "with masked ones beside": beside}
    for way, other in ways.items():
        got = _learned(case, [other], probe, 1)
        for name, column in want.items():
            moved, apart = (np.abs(found[name] - column).mean() for found in (before, got))
            reordered = (_learned(case, [other], probe, 1)[name] for other in _in_other_orders(rollout))
            draws = (np.abs(found - column).mean() > 0.001 * moved + 1e-6 for found in reordered)
            assert apart <= 0.02 * moved + 1e-6 or any(draws), (
                f"learning {way} gives other terms: they differ by {apart:.3g} where learning changed them by "
                f"{moved:.3g} (term {name!r})"
            )


def _in_other_orders(rollout: Rollout) -> Iterator[Rollout]:
    """A rollout of two steps with the later one first: in all environments, then in some of them."""
    for swapped in range(2**rollout.num_envs - 1, 0, -1):
        steps = np.arange(2)[:, None] ^ ((swapped >> np.arange(rollout.num_envs)) & 1)
        yield rollout.map(lambda array, at=steps: array[at, np.arange(at.shape[1])])


def references(case: Case) -> None:
    """Nothing of a rollout is kept but by copy, as its memory may be used again. Nor is what was returned kept."""
    kinds: tuple[tuple[str, Callable[[Rollout], Rollout]], ...] = (("array", lambda same: same), ("tensor", as_tensors))
    for kind, convert in kinds:
        want, got = (_while_memory_is_used_again(case, convert, kind, again) for again in (False, True))
        check_equal(want, got, f"it keeps {kind}s of the rollout that it was given: keep a copy")


def _while_memory_is_used_again(
    case: Case, convert: Callable[[Rollout], Rollout], kind: str, again: bool
) -> dict[str, Any]:
    """What a shaper makes of a second rollout, and of that again after it learned from it."""
    rng, shaper = case.rng(), case.trained()
    first, second = convert(case.rollout(rng)), convert(case.rollout(rng))
    shaped, carry = shaper.shape(first, shaper.init(first.num_envs))
    theirs, copies = _own(shaper, returned(shaped)), _own(shaper, results(shaped))
    learn(shaper, first)
    if again:
        overwrite(first)
    after = _own(shaper, results(shaper.shape(second, carry)[0]))
    learn(shaper, second)
    learned = _own(shaper, terms(shaper, second))
    check_equal(copies, theirs, f"it writes into {kind}s that it has returned: return new ones")
    return after | {f"{name}, learned": column for name, column in learned.items()}


def _own(shaper: Shaper, found: Results) -> Results:
    names = (*shaper.term_names, "discount") if shaper.contract.sets_discount else shaper.term_names
    return {name: found[name] for name in names}
