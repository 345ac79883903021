"""The laws of what a shaper may touch: what it adds, and what it reads. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

import numpy as np

from potentia.arrays import host_array, is_tensor
from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Shaper
from potentia.testing.case import Case, learn
from potentia.testing.compare import check_equal, check_untouched, narrow, terms
from potentia.testing.experience import STATE, Experience
from potentia.testing.invented import USUAL, invented
from potentia.trees import leaves

_FIELDS = frozenset({"obs", "action", "next_obs", "discount", "terminated", "truncated"})


def scope(case: Case) -> None:
    """Only the shaper's own terms and the discount change. Each is a finite column, and nothing is written into."""
    rng = case.rng()
    for shaper in (case.make(), case.trained()):
        for rollout in (case.rollout(rng), case.rollout(rng, gamma=1.0), narrow(case.rollout(rng))):
            before = copy.deepcopy(rollout)
            shaped, carry = shaper.shape(rollout, shaper.init(rollout.num_envs))
            check_untouched(before, rollout, "the rollout given to shape was written into")
            check_form(shaper, rollout, shaped)
            _check_carry(carry, rollout.num_envs)
            learn(shaper, shaped)
            check_untouched(before, rollout, "the rollout given to update was written into")


def check_form(shaper: Shaper, rollout: Rollout, shaped: Rollout) -> None:
    """Raises ``AssertionError`` unless a shaped rollout is the rollout and columns that the shaper may add or set."""
    for field in fields(Rollout):
        if field.name not in ("terms", "discount", "info"):
            assert getattr(shaped, field.name) is getattr(rollout, field.name), f"shape changed {field.name}"
    assert shaped.info.keys() == rollout.info.keys(), "shape changed the info columns"
    for name, column in rollout.info.items():
        assert shaped.info[name] is column, f"shape changed info[{name!r}]"
    assert shaped.terms["env"] is rollout.terms["env"], "shape changed the environment's own reward"
    added = tuple(name for name in shaped.terms if name not in rollout.terms)
    unknown = shaper.streams.keys() - set(shaper.term_names)
    assert not unknown, f"streams names {sorted(unknown)}, which are none of its terms {shaper.term_names}"
    assert added == shaper.term_names, f"shape added the terms {added}, but term_names says {shaper.term_names}"
    if not shaper.contract.sets_discount:
        assert shaped.discount is rollout.discount, "shape changed the discount; its contract must say sets_discount"
    zero = rollout.discount == 0
    assert not shaped.discount[zero].any(), "shape set a discount where the learner uses no next value"
    live = host_array(rollout.mask)
    for name, column in [("discount", shaped.discount), *((name, shaped.terms[name]) for name in added)]:
        _check_kind(name, column, rollout.discount if name == "discount" else rollout.terms["env"])
        assert np.isfinite(host_array(column)[live]).all(), f"{name!r} is not finite somewhere"


def _check_kind(name: str, column: Any, example: Any) -> None:
    assert is_tensor(column) == is_tensor(example), (
        f"{name!r} is of {type(column).__name__} where the rollout is of {type(example).__name__}: return "
        "potentia.arrays.like_column(values, rollout.discount)"
    )
    assert column.dtype == example.dtype, (
        f"{name!r} is of {column.dtype} where the reward is of {example.dtype}: Rollout.add casts it"
    )
    if is_tensor(example):
        assert column.device == example.device, f"{name!r} left the device {example.device} for {column.device}"


def _check_carry(carry: Carry, num_envs: int) -> None:
    for path, leaf in leaves(carry):
        length = len(leaf) if isinstance(leaf, list) else next(iter(getattr(leaf, "shape", ())), None)
        assert length == num_envs, (
            f"the carry{path} must be an array or a list with one entry for each of {num_envs} environments, got "
            f"{type(leaf).__name__} {getattr(leaf, 'shape', '')}"
        )


def reads(case: Case) -> None:
    """Columns that the contract doesn't list make no difference, now or by learning, and aren't asked for."""
    rng = case.rng()
    rollout, other, probe = (_with_usual(case.rollout(rng), case.experience) for _ in range(3))
    _check_questions(case, rollout)
    shaper = case.trained()
    want = terms(shaper, rollout)
    learn(shaper, rollout)
    learned = terms(shaper, probe)
    for column, changed in _changes(shaper, rollout, other):
        reader, advice = case.trained(), "its contract does not list it: add it to Contract(reads=...)"
        got = terms(reader, changed)
        if column == "discount" and not shaper.contract.sets_discount:
            got["discount"] = want["discount"]  # the change itself, not the shaper's doing
        check_equal(want, got, f"it reads {column}, but {advice}")
        learn(reader, changed)
        check_equal(learned, terms(reader, probe), f"update reads {column}, but {advice}")


def _with_usual(rollout: Rollout, experience: Experience) -> Rollout:
    """The same with columns that worlds often give."""
    usual = {key: invented(key, experience.num_states) for key in USUAL}
    more = {f"{prefix}{key}": usual[key](rollout.info[f"{prefix}{STATE}"]) for prefix in ("", "next_") for key in usual}
    return replace(rollout, info={**more, **rollout.info})


def _changes(shaper: Shaper, rollout: Rollout, other: Rollout) -> Iterator[tuple[str, Rollout]]:
    """For each field that the contract doesn't list, the rollout with another one in its place. So for info columns."""
    listed = shaper.contract.reads
    for name in sorted(_FIELDS - listed):
        changed = replace(rollout, **{name: getattr(other, name)})
        yield name, replace(changed, discount=changed.discount * ~changed.terminated) if name == "discount" else changed
    if "reward" not in listed:
        yield "the reward", replace(rollout, terms=other.terms)
        if not shaper.contract.sets_discount:
            yield "another's term", rollout.add("another's term", other.terms["env"])
    unlisted = [name for name in sorted(rollout.info) if f"info:{name}" not in listed]
    columns = {name: other.info[name] for name in unlisted}
    yield f"one of the info columns {unlisted}", replace(rollout, info={**rollout.info, **columns})


class _Watched(dict[str, Any]):
    """Columns that remember who was asked for in vain."""

    def __init__(self, columns: Any) -> None:
        super().__init__(columns)
        self.missed: set[str] = set()

    def __missing__(self, key: str) -> Any:
        self.missed.add(key)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        self.missed |= set() if super().__contains__(key) else {str(key)}
        return super().__contains__(key)

    def get(self, key: str, default: Any = None) -> Any:
        """The column, if there is one."""
        return super().get(key, default) if key in self else default


def _check_questions(case: Case, rollout: Rollout) -> None:
    """A column that is read where a rollout has it makes a difference there that nobody expects."""
    shaper = case.trained()
    info, terms = _Watched(rollout.info), _Watched(rollout.terms)
    watched = rollout._replace(info=info, terms=terms)
    shaper.shape(watched, shaper.init(rollout.num_envs))
    learn(shaper, watched)
    info.missed -= {name.removeprefix("info:") for name in shaper.contract.measures}
    assert not info.missed, f"it asks for the info columns {sorted(info.missed)}, which its contract does not list"
    foreign = terms.missed - set(shaper.term_names)
    assert not foreign, f"it asks for the terms {sorted(foreign)}, which are another's; read rollout.reward"
