"""The laws of how a shaper shapes, whatever it promises. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np

from potentia.rollout import Rollout, concatenate
from potentia.shaping.shaper import Carry, Shaper
from potentia.testing.case import Case, learn, saved
from potentia.testing.compare import Results, check_carries, check_equal, padded, part_of, results, soiled, terms
from potentia.testing.learning_laws import check_metrics
from potentia.testing.saving_law import same_state


def shape_never_learns(case: Case) -> None:
    """Shaping leaves the parameters as they are: twice the same rollout, twice the same terms, and the same state."""
    shaper, rng = case.trained(), case.rng()
    rollout = case.rollout(rng)
    state = saved(shaper)
    first = terms(shaper, rollout)
    terms(shaper, case.rollout(rng))
    check_equal(first, terms(shaper, rollout), "shaping another rollout in between changed the terms: shape learns")
    assert state == saved(shaper), "shape changed the state_dict: shape learns"


def chunks(case: Case) -> None:
    """Shaping T steps at once gives the same as shaping them in parts with the carry passed on."""
    shaper, rng = case.trained(), case.rng()
    if shaper.contract.needs_episodes:
        return
    rollout = case.rollout(rng)
    whole, end = shaper.shape(rollout, shaper.init(rollout.num_envs))
    some = sorted({0, *rng.integers(1, rollout.num_steps, 3).tolist(), rollout.num_steps})
    for bounds in (some, list(range(rollout.num_steps + 1))):
        parts, carry = in_parts(shaper, [rollout[start:stop] for start, stop in pairwise(bounds)])
        where = f"in parts that end at {bounds[1:]}"
        check_equal(results(whole), parts, f"{where} it gives other numbers than at once")
        check_carries(end, carry, f"{where} it ends with another carry than at once")
    implied, _ = shaper.shape(rollout)
    check_equal(results(whole), results(implied), "shape(rollout) and shape(rollout, init(B)) differ")


def in_parts(shaper: Shaper, parts: list[Rollout], carry: Carry | None = None) -> tuple[Results, Carry]:
    """The results of rollouts that follow each other, and the carry after them."""
    carry, shaped = shaper.init(parts[0].num_envs) if carry is None else carry, []
    for part in parts:
        after, carry = shaper.shape(part, carry)
        shaped.append(after)
    return results(concatenate(shaped)), carry


def columns(case: Case) -> None:
    """Environments do not leak into each other: in another order, or alone, each gets what it gets."""
    shaper, rng = case.trained(), case.rng()
    rollout = case.rollout(rng, envs=4)
    order = rng.permutation(4)
    want = terms(shaper, rollout)
    got = terms(shaper, rollout[:, order])
    check_equal(part_of(want, np.s_[:, order]), got, f"environments permuted by {order} differ")
    for env in range(4):
        alone = terms(shaper, rollout[:, [env]])
        check_equal(part_of(want, np.s_[:, [env]]), alone, f"environment {env} alone is not as among others")


def mask(case: Case) -> None:
    """Masked steps earn 0, and neither they nor what stands in them, even NaN, change anything, now or by learning."""
    rng = case.rng()
    rollout = case.rollout(rng)
    clean, dirty = case.trained(), case.trained()
    nonsense = soiled(rollout, rng)
    want, got = terms(clean, rollout), terms(dirty, nonsense)
    for found in (want, got):
        for name in clean.term_names:
            assert not found[name][~rollout.mask].any(), f"the term {name!r} is not 0 on masked steps"
    live = part_of(want, rollout.mask)
    check_equal(live, part_of(got, rollout.mask), "nonsense behind the mask changes the terms")
    wide, index = padded(rollout, rng)
    among = part_of(part_of(terms(clean, wide), index), rollout.mask)
    check_equal(live, among, "masked steps or environments between change the terms of the others: see rollout.mask")
    learn(clean, rollout)
    learn(dirty, nonsense)
    probe = case.rollout(np.random.default_rng(case.seed + 1), gaps=False)
    check_equal(terms(clean, probe), terms(dirty, probe), "nonsense behind the mask changes what update learns")


def episodes(case: Case) -> None:
    """The carry is forgotten where an episode ends: the next one is shaped as if it were the first."""
    shaper, rng = case.trained(), case.rng()
    for gaps in (True, False):
        rollout = case.rollout(rng, steps=44 if case.late else 24, envs=1, gaps=gaps)
        whole = terms(shaper, rollout)
        ends = np.flatnonzero(rollout.done[:, 0])
        for start, stop in zip(ends + 1, [*(ends[1:] + 1), rollout.num_steps], strict=False):
            if start < stop and (rollout.done[stop - 1, 0] or not shaper.contract.needs_episodes):
                alone = terms(shaper, rollout[start:stop])
                part = part_of(whole, np.s_[start:stop])
                flags = "terminated" if rollout.terminated[start - 1, 0] else "truncated"
                flags = "terminated and truncated" if (rollout.terminated & rollout.truncated)[start - 1, 0] else flags
                check_equal(part, alone, f"the episode from step {start} depends on the one before, which {flags}")


def empty(case: Case) -> None:
    """No step, or masked ones only, change nothing: neither the carry nor the parameters, if update is given them."""
    shaper, rng = case.trained(), case.rng()
    first, second = case.rollout(rng), case.rollout(rng)
    nothing = soiled(replace(second, mask=np.zeros_like(second.mask)), rng)
    want, end = in_parts(shaper, [first, second])
    for rollout, what in ((first[:0], "a rollout of no steps"), (nothing, "a rollout of masked steps")):
        alone = terms(shaper, rollout)
        for name in shaper.term_names:
            assert alone[name].shape == rollout.discount.shape, f"{what} gets a term of shape {alone[name].shape}"
        got, carry = in_parts(shaper, [first, rollout, second])
        live = np.r_[: first.num_steps, first.num_steps + rollout.num_steps : len(got["discount"])]
        check_equal(want, part_of(got, live), f"{what} in between changes the terms that follow")
        check_carries(end, carry, f"{what} in between changes the carry")
        idle = case.trained()
        before = saved(idle)
        check_metrics(learn(idle, rollout))
        assert same_state(before, saved(idle)), f"update given {what} changes the state_dict"
        check_equal(want, in_parts(idle, [first, second])[0], f"update given {what} changes the terms")
