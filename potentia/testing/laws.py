"""The laws that every shaper obeys, whatever it promises. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

import copy
import io
from collections.abc import Callable
from dataclasses import dataclass, fields, replace
from itertools import pairwise
from typing import Any

import numpy as np
import torch
from array_api_compat import is_torch_array
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.rollout import Rollout, concatenate
from potentia.shaping.shaper import Carry, Shaper
from potentia.testing.experience import NUM_ACTIONS, Experience, WalkWorld
from potentia.trees import leaves, map_tree
from potentia.wrappers import ShapeReward, ShapeVectorReward


@dataclass(frozen=True)
class Case:
    """What a law is tried on.

    Attributes:
        make: Makes a fresh shaper.
        experience: Where rollouts come from.
        seed: Seeds the rollouts.
    """

    make: Callable[[], Shaper]
    experience: Experience
    seed: int

    def rng(self) -> np.random.Generator:
        """A generator that starts anew at each call."""
        return np.random.default_rng(self.seed)

    def trained(self) -> Shaper:
        """A fresh shaper that has learned from two rollouts, so that its parameters matter."""
        shaper, rng = self.make(), np.random.default_rng(self.seed + 1000)
        for _ in range(2):
            self.learn(shaper, self.experience.rollout(rng))
        return shaper

    @staticmethod
    def learn(shaper: Shaper, rollout: Rollout) -> None:
        """One update, unless it needs a policy, which the laws have not got."""
        if not shaper.contract.needs_policy:
            shaper.update(rollout)


def scope(case: Case) -> None:
    """Only the shaper's own terms and the discount change; each is a (T, B) column; nothing is written into."""
    shaper, rollout = case.trained(), case.experience.rollout(case.rng())
    before = copy.deepcopy(rollout)
    shaped, _ = shaper.shape(rollout, shaper.init(rollout.num_envs))
    Case.learn(shaper, rollout)
    _same(before, rollout, "the rollout given to shape and update was written into")
    for field in fields(Rollout):
        if field.name not in ("terms", "discount", "info"):
            assert getattr(shaped, field.name) is getattr(rollout, field.name), f"shape changed {field.name}"
    assert shaped.info.keys() == rollout.info.keys(), "shape changed the info columns"
    for name, column in rollout.info.items():
        assert shaped.info[name] is column, f"shape changed info[{name!r}]"
    assert shaped.terms["env"] is rollout.terms["env"], "shape changed the environment's own reward"
    added = tuple(name for name in shaped.terms if name not in rollout.terms)
    assert added == shaper.term_names, f"shape added the terms {added}, but term_names says {shaper.term_names}"
    if not shaper.contract.sets_discount:
        assert shaped.discount is rollout.discount, "shape changed the discount; its contract must say sets_discount"
    zero = rollout.discount == 0
    assert not shaped.discount[zero].any(), "shape set a discount where the learner uses no next value"


def reads(case: Case) -> None:
    """Columns that the contract doesn't list as read make no difference."""
    shaper, rng = case.trained(), case.rng()
    rollout, other = case.experience.rollout(rng), case.experience.rollout(rng)
    want = _terms(shaper, rollout)
    listed = shaper.contract.reads
    for name in sorted({"obs", "action", "next_obs", "discount", "terminated", "truncated"} - listed):
        changed = replace(rollout, **{name: getattr(other, name)})
        changed = replace(changed, discount=changed.discount * ~changed.terminated) if name == "discount" else changed
        got = _terms(shaper, changed)
        if not shaper.contract.sets_discount:
            got["discount"] = want["discount"]  # the change itself, not the shaper's doing
        _equal(want, got, f"it reads {name}, but its contract does not list it")
    if "reward" not in listed:
        changed = replace(rollout, terms=other.terms)
        _equal(want, _terms(shaper, changed), "it reads the reward, but its contract does not list 'reward'")
    for name in sorted(rollout.info):
        if f"info:{name}" not in listed:
            changed = replace(rollout, info={**rollout.info, name: other.info[name]})
            _equal(want, _terms(shaper, changed), f"it reads info[{name!r}], but its contract does not list it")


def chunks(case: Case) -> None:
    """Shaping T steps at once gives the same as shaping them in parts with the carry passed on."""
    shaper, rng = case.trained(), case.rng()
    if shaper.contract.needs_episodes:
        return
    rollout = case.experience.rollout(rng)
    whole, end = shaper.shape(rollout, shaper.init(rollout.num_envs))
    cuts = sorted({0, *rng.integers(1, rollout.num_steps, 3).tolist(), rollout.num_steps})
    carry, parts = shaper.init(rollout.num_envs), []
    for start, stop in pairwise(cuts):
        part, carry = shaper.shape(rollout[start:stop], carry)
        parts.append(part)
    _equal(_results(whole), _results(concatenate(parts)), f"cut at {cuts[1:-1]} it gives other numbers than at once")
    _equal_trees(end, carry, f"cut at {cuts[1:-1]} it ends with another carry than at once")
    implied, _ = shaper.shape(rollout)
    _equal(_results(whole), _results(implied), "shape(rollout) and shape(rollout, init(B)) differ")


def columns(case: Case) -> None:
    """Environments do not leak into each other: permuting them permutes the result."""
    shaper, rng = case.trained(), case.rng()
    rollout = case.experience.rollout(rng, envs=4)
    order = rng.permutation(4)
    want = _terms(shaper, rollout)
    got = _terms(shaper, rollout[:, order])
    _equal({name: term[:, order] for name, term in want.items()}, got, f"environments permuted by {order} differ")


def mask(case: Case) -> None:
    """Masked steps earn 0, and what stands in them, even NaN, changes nothing, neither now nor by learning."""
    rollout = case.experience.rollout(case.rng())
    dirty = _dirty(rollout)
    clean_shaper, dirty_shaper = case.trained(), case.trained()
    want, got = _terms(clean_shaper, rollout), _terms(dirty_shaper, dirty)
    for name in clean_shaper.term_names:
        assert not got[name][~rollout.mask].any(), f"the term {name!r} is not 0 on masked steps"
    live = {name: term[rollout.mask] for name, term in want.items()}
    _equal(live, {name: term[rollout.mask] for name, term in got.items()}, "NaN behind the mask changes the terms")
    Case.learn(clean_shaper, rollout)
    Case.learn(dirty_shaper, dirty)
    probe = case.experience.rollout(np.random.default_rng(case.seed + 1), gaps=False)
    _equal(_terms(clean_shaper, probe), _terms(dirty_shaper, probe), "NaN behind the mask changes what update learns")


def episodes(case: Case) -> None:
    """The carry is forgotten where an episode ends: the next one is shaped as if it were the first."""
    shaper = case.trained()
    if shaper.contract.scope == "lifelong" and not shaper.contract.needs_episodes and _has_carry(shaper):
        return
    rollout = case.experience.rollout(case.rng(), steps=20, envs=1)
    whole = _terms(shaper, rollout)
    ends = np.flatnonzero(rollout.done[:, 0])
    for start, stop in zip(ends + 1, [*(ends[1:] + 1), rollout.num_steps], strict=False):
        if start < stop and (rollout.done[stop - 1, 0] or not shaper.contract.needs_episodes):
            alone = _terms(shaper, rollout[start:stop])
            part = {name: term[start:stop] for name, term in whole.items()}
            _equal(part, alone, f"the episode from step {start} depends on the one before it")


def backends(case: Case) -> None:
    """NumPy and PyTorch (and CUDA, where there is one) give the same numbers."""
    rollout = case.experience.rollout(case.rng())
    want = _terms(case.trained(), rollout)
    for device in ["cpu"] + (["cuda"] if torch.cuda.is_available() else []):
        shaper = case.trained()
        tensors = rollout.map(
            lambda array, to=device: array if array.dtype.kind in "OU" else torch.as_tensor(array, device=to)
        )
        shaped, _ = shaper.shape(tensors, shaper.init(rollout.num_envs))
        for name in shaper.term_names:
            term = shaped.terms[name]
            assert is_torch_array(term), f"{name!r} is no tensor though the rollout is of tensors"
            assert term.device == tensors.discount.device, f"{name!r} left the device {device}"
        _equal(want, {k: v.cpu().numpy() for k, v in _results(shaped).items()}, f"numpy and torch ({device}) differ")
        Case.learn(shaper, tensors)


def shape_never_learns(case: Case) -> None:
    """Shaping leaves the parameters as they are: twice the same rollout, twice the same terms, and the same state."""
    shaper, rng = case.trained(), case.rng()
    rollout = case.experience.rollout(rng)
    state = _saved(shaper)
    first = _terms(shaper, rollout)
    _terms(shaper, case.experience.rollout(rng))
    _equal(first, _terms(shaper, rollout), "shaping another rollout in between changed the terms: shape learns")
    assert state == _saved(shaper), "shape changed the state_dict: shape learns"


def save_load(case: Case) -> None:
    """What state_dict saves, torch loads with weights_only=True, and a fresh shaper goes on bit by bit the same."""
    shaper, fresh, rng = case.trained(), case.make(), case.rng()
    fresh.load_state_dict(torch.load(io.BytesIO(_saved(shaper)), weights_only=True))
    for _ in range(2):
        rollout = case.experience.rollout(rng)
        _equal(_terms(shaper, rollout), _terms(fresh, rollout), "a loaded shaper gives other numbers", exact=True)
        Case.learn(shaper, rollout)
        Case.learn(fresh, rollout)


def drivers(case: Case) -> None:
    """An environment, a vector of them in each autoreset mode, and relabelling earn the same; or the driver refuses."""
    shaper = case.trained()

    def world() -> WalkWorld:
        return WalkWorld(case.experience)

    if shaper.contract.needs_episodes or "info:next_action" in shaper.contract.reads:
        try:
            ShapeReward(world(), shaper, gamma=0.9, learn=False)
        except ValueError:
            return
        raise AssertionError("a driver must refuse it with a ValueError: it cannot know what it needs")
    want = [_single_ledger(ShapeReward(world(), case.trained(), gamma=0.9, learn=False), env, 30) for env in range(3)]
    for mode in AutoresetMode:
        vector = SyncVectorEnv([world] * 3, autoreset_mode=mode)
        got = _vector_ledger(ShapeVectorReward(vector, case.trained(), gamma=0.9, learn=False), mode, 30)
        for env in range(3):
            np.testing.assert_allclose(
                got[env], want[env], rtol=1e-5, atol=1e-6, err_msg=f"Env and VectorEnv ({mode.name}) differ"
            )


LAWS = (scope, shape_never_learns, reads, chunks, columns, mask, episodes, backends, save_load, drivers)
"""All of them, in the order in which they are tried."""


def _actions(env: int) -> Any:
    rng = np.random.default_rng(env)
    while True:
        yield int(rng.integers(NUM_ACTIONS))


def _single_ledger(env: ShapeReward, index: int, steps: int) -> list[list[float]]:
    env.reset(seed=index)
    ledger: list[list[float]] = []
    actions = _actions(index)
    while len(ledger) < steps:
        _, reward, terminated, truncated, info = env.step(next(actions))
        ledger.append([float(reward), info["true_reward"], info["discount"]])
        if terminated or truncated:
            env.reset()
    return ledger


def _vector_ledger(env: ShapeVectorReward, mode: AutoresetMode, steps: int) -> list[list[list[float]]]:
    env.reset(seed=[0, 1, 2])
    ledgers: list[list[list[float]]] = [[], [], []]
    actions = [_actions(index) for index in range(3)]
    resetting = np.zeros(3, bool)
    while min(map(len, ledgers)) < steps:
        chosen = np.array([0 if wait else next(a) for wait, a in zip(resetting, actions, strict=True)])
        _, reward, terminated, truncated, info = env.step(chosen)
        for index in range(3):
            row = [float(reward[index]), float(info["true_reward"][index]), float(info["discount"][index])]
            if not resetting[index]:
                ledgers[index].append(row)
            else:
                assert row[0] == 0, f"a step that only resets an environment earned {row[0]}"
        done = terminated | truncated
        resetting = done if mode is AutoresetMode.NEXT_STEP else np.zeros(3, bool)
        if mode is AutoresetMode.DISABLED and done.any():
            env.reset(options={"reset_mask": done})
    return [ledger[:steps] for ledger in ledgers]


def _terms(shaper: Shaper, rollout: Rollout) -> dict[str, np.ndarray[Any, Any]]:
    return _results(shaper.shape(rollout, shaper.init(rollout.num_envs))[0])


def _results(shaped: Rollout) -> dict[str, Any]:
    added = {name: term for name, term in shaped.terms.items() if name != "env"}
    return added | {"discount": shaped.discount}


def _equal(want: dict[str, Any], got: dict[str, Any], message: str, *, exact: bool = False) -> None:
    for name, term in want.items():
        told = f"{message} (term {name!r})"
        if exact:
            np.testing.assert_array_equal(got[name], term, err_msg=told)
        else:  # float32 networks sum in another order
            np.testing.assert_allclose(got[name], term, rtol=1e-5, atol=1e-6, err_msg=told)


def _equal_trees(want: Carry, got: Carry, message: str) -> None:
    for (path, one), (_, other) in zip(leaves(want), leaves(got), strict=True):
        if isinstance(one, list):
            assert one == other, message + path
        else:
            np.testing.assert_allclose(np.asarray(other), np.asarray(one), rtol=1e-5, atol=1e-6, err_msg=message + path)


def _same(want: Rollout, got: Rollout, message: str) -> None:
    for field in fields(Rollout):
        for (path, one), (_, other) in zip(
            leaves(getattr(want, field.name)), leaves(getattr(got, field.name)), strict=True
        ):
            np.testing.assert_array_equal(one, other, err_msg=f"{message}: {field.name}{path}")


def _dirty(rollout: Rollout) -> Rollout:
    def spoil(array: Any) -> Any:
        if array.dtype.kind != "f":
            return array
        hidden = ~rollout.mask.reshape(rollout.mask.shape + (1,) * (array.ndim - 2))
        return np.where(hidden, np.nan, array)

    columns = ("obs", "next_obs", "terms", "discount", "info")
    return replace(rollout, **{name: map_tree(spoil, getattr(rollout, name)) for name in columns})


def _saved(shaper: Shaper) -> bytes:
    buffer = io.BytesIO()
    torch.save(shaper.state_dict(), buffer)
    return buffer.getvalue()


def _has_carry(shaper: Shaper) -> bool:
    return any(True for _ in leaves(shaper.init(1)))
