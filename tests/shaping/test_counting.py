"""Keys, the table of counts, and the tables of visits: compiled and in PyTorch, against Python's own dictionaries."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from potentia.rollout import Rollout
from potentia.shaping import Count, EpisodicCount
from potentia.shaping._models.count_table import CountTable
from potentia.shaping._models.keys import EMPTY, _hash, _tensor_words, _words, mixed, mixed_one, state_keys
from potentia.shaping._models.nearest import nearest, nearest_by_products
from potentia.shaping._models.visits import no_visits, visit
from potentia.transitions import choose_rows
from tests.staying import StaysOnDevice

COMPILED = pytest.mark.parametrize("compiled", [True, False], ids=["compiled", "torch"])
SIGNED = st.integers(-(2**63) + 1, 2**63 - 1)


@COMPILED
@settings(max_examples=40, deadline=None)
@given(
    batches=st.lists(st.lists(st.one_of(st.integers(-3, 3), SIGNED), max_size=40), max_size=6), seed=st.integers(0, 9)
)
def test_a_table_counts_as_a_dictionary_does(compiled: bool, batches: list[list[int]], seed: int) -> None:
    table, want, rng = CountTable(compiled=compiled), Counter[int](), np.random.default_rng(seed)
    for batch in batches:
        keys, mask = np.array(batch, np.int64), rng.random(len(batch)) < 0.8
        table.add(keys if compiled else torch.from_numpy(keys), mask if compiled else torch.from_numpy(mask))
        want.update(key for key, real in zip(batch, mask, strict=True) if real)
        asked = np.array([*batch, 12345], np.int64)
        assert table.counts(asked).tolist() == [want[key] for key in asked.tolist()]
    assert len(table) == len(want)
    saved = table.state_dict()
    assert dict(zip(saved["keys"].tolist(), saved["counts"].tolist(), strict=True)) == want
    other = CountTable(compiled=not compiled)
    other.load_state_dict(saved)
    assert other.counts(saved["keys"]).tolist() == saved["counts"].tolist()


@COMPILED
def test_a_table_grows_and_stays_small(compiled: bool) -> None:
    """100,000 keys, each i of them counted i % 5 + 1 times; 12 bytes a slot, and never more slots than needed."""
    table = CountTable(compiled=compiled)
    keys = np.random.default_rng(0).integers(-(2**62), 2**62, 100_000)
    for round_ in range(5):
        part = keys[np.arange(len(keys)) % 5 >= round_]
        for few in np.array_split(part, 7):
            table.add(torch.from_numpy(few), torch.ones(len(few), dtype=torch.bool))
    assert len(table) == len(keys)
    assert (np.asarray(table.counts(keys)) == np.arange(len(keys)) % 5 + 1).all()
    assert table.slots == (2**17 if compiled else 2**18)
    assert table.nbytes == 12 * (table.slots + 1)
    assert table.nbytes / len(table) < (16 if compiled else 32)


def test_a_table_on_an_accelerator_waits_for_it_only_to_grow() -> None:
    """65,536 slots take 32,768 keys, which may all be new, before the device is asked how many were."""
    table = CountTable(capacity=2**15, compiled=False)
    rng = np.random.default_rng(0)
    with StaysOnDevice("cpu") as guard:
        for _ in range(8):
            keys = torch.from_numpy(rng.integers(0, 500, 4096))
            table.add(keys, keys > 100)
            table.counts(keys)
    assert guard.count > 500
    assert len(table) == 399
    assert table.slots == 2**16


def test_keys_are_the_numbers_themselves_or_64_bits_of_hash() -> None:
    column = np.array([[3, -(2**62)], [EMPTY, 0]])
    assert state_keys(column).tolist() == [3, -(2**62), EMPTY + 1, 0]
    views = np.random.default_rng(1).integers(0, 11, (40, 25, 7, 7, 3)).astype(np.uint8)
    keys = state_keys(views)
    assert keys.dtype == np.int64
    assert len(set(keys.tolist())) == 1000
    changed = views.copy()
    changed[0, 0, 6, 6, 2] ^= 1
    assert (state_keys(changed) != keys).tolist() == [True] + [False] * 999
    swapped = views[..., ::-1, :]  # the order of the words matters
    assert not set(state_keys(swapped).tolist()) & set(keys.tolist())


def test_keys_are_the_same_on_an_accelerator() -> None:
    rng = np.random.default_rng(2)
    for rows in (rng.integers(0, 9, (50, 147)).astype(np.uint8), rng.normal(size=(50, 3)).astype(np.float32)):
        assert (np.asarray(_hash(_tensor_words(torch.from_numpy(rows)))) == _hash(_words(rows))).all()
    numbers = rng.integers(-(2**62), 2**62, 100)
    with np.errstate(over="ignore"):  # as where it is compiled
        one_by_one = [int(np.int64(np.uint64(mixed_one(np.uint64(key & (2**64 - 1)))))) for key in numbers.tolist()]
    assert mixed(torch.from_numpy(numbers)).tolist() == one_by_one


def naive(keys: Any, mask: Any, done: Any) -> list[list[int]]:
    tables: list[Counter[int]] = [Counter() for _ in keys[0]]
    before = [[0] * len(keys[0]) for _ in keys]
    for t, row in enumerate(keys.tolist()):
        for b, key in enumerate(row):
            if mask[t, b]:
                before[t][b] = tables[b][key]
                tables[b][key] += 1
                if done[t, b]:
                    tables[b] = Counter()
    return before


@COMPILED
def test_visits_are_those_of_the_episode(compiled: bool) -> None:
    """500 steps of 4 worlds, episodes of some 60 steps and hundreds, in parts, against dictionaries."""
    rng = np.random.default_rng(3)
    shape = (500, 4)
    keys = rng.integers(0, 80, shape) * 2**40
    mask, done = rng.random(shape) < 0.9, rng.random(shape) < np.array([0.0, 0.003, 0.02, 0.5])
    visits, got = no_visits(4), []
    for start, stop in ((0, 1), (1, 130), (130, 131), (131, 500)):
        rows = [part[start:stop] for part in (keys.copy(), mask, done)]
        given = rows if compiled else [torch.from_numpy(part) for part in rows]
        before, visits = visit(given[0].reshape(-1), given[1], given[2], visits)
        got += before.tolist()
    assert got == naive(keys, mask, done)
    assert visits["key"].shape[1] >= len(np.unique(keys))


def test_visits_on_an_accelerator_are_asked_for_only_when_tables_may_be_full(monkeypatch: pytest.MonkeyPatch) -> None:
    """Episodes of 10 steps in tables of 16 slots: the device is asked once in 16 steps, or less, and nothing grows."""
    asked = []
    cpu = torch.Tensor.cpu
    monkeypatch.setattr(torch.Tensor, "cpu", lambda self: asked.append(1) or cpu(self))  # type: ignore[func-returns-value]
    visits: Any = no_visits(3)
    with StaysOnDevice("cpu"):
        for step in range(160):
            done = torch.full((1, 3), step % 7 == 6)
            _, visits = visit(torch.full((3,), step), torch.ones_like(done), done, visits)
    assert 1 <= len(asked) <= 16
    assert visits["key"].shape == (3, 16)


def test_a_world_that_is_reset_forgets_though_its_tables_have_grown() -> None:
    shaper = EpisodicCount()

    def stay(steps: int) -> Rollout:
        obs = np.arange(steps)[:, None] * np.ones((1, 2), np.int64)
        flags = np.zeros((steps, 2), bool)
        return Rollout(obs, flags * 0, obs, {"env": flags * 0.0}, flags + 1.0, flags, flags)

    _, carry = shaper.shape(stay(40), shaper.init(2))
    assert carry["key"].shape == (2, 64)
    reset = {name: choose_rows(np.array([True, False]), new, carry[name]) for name, new in shaper.init(2).items()}
    shaped, _ = shaper.shape(stay(40), reset)
    assert shaped.terms["EpisodicCount"][:, 0].tolist() == [1.0] * 40
    assert shaped.terms["EpisodicCount"][:, 1].tolist() == pytest.approx([2**-0.5] * 40)


def test_texts_are_told_apart() -> None:
    keys = state_keys(np.array([["a key", "a door"], ["a door", "a key"]]))
    assert keys[0] == keys[3] != keys[1] == keys[2]


def test_counts_of_many_worlds_are_those_of_each_key() -> None:
    rng = np.random.default_rng(4)
    obs = rng.integers(0, 3, (64, 32, 2))
    flags = np.zeros((64, 32), bool)
    rollout = Rollout(obs, flags * 0, obs, {"env": flags * 0.0}, flags + 1.0, flags, flags)
    count = Count()
    assert count.update(rollout) == {"states": 9.0}
    want = Counter(map(tuple, obs.reshape(-1, 2).tolist()))
    term = count.shape(rollout)[0].terms["Count"]
    assert term.ravel().tolist() == pytest.approx([(want[tuple(o)] + 1) ** -0.5 for o in obs.reshape(-1, 2).tolist()])


def test_the_nearest_are_those_that_a_search_finds() -> None:
    """By loops and by products: 20 steps of 3 worlds, memory of 7, episodes that end within."""
    rng = np.random.default_rng(5)
    vectors = torch.from_numpy(rng.normal(size=(3, 27, 4)).astype(np.float32))
    vectors[:, 10] = vectors[:, 12]
    episodes = torch.from_numpy(np.sort(rng.integers(0, 3, (3, 27)), axis=1))
    episodes[:, [3, 15]] = -1
    episodes[0, 8:13] = 1
    now = torch.where(episodes[:, 7:] < 0, 1, episodes[:, 7:])
    want = np.full((3, 20, 2), np.inf)
    for b in range(3):
        for t in range(20):
            own, at = vectors[b, 7 + t], [j for j in range(t, t + 7) if episodes[b, j] == now[b, t]]
            squares = sorted(float((own - vectors[b, j]).square().sum()) for j in at)[:2]
            want[b, t, : len(squares)] = squares
    assert np.isinf(want).any()
    for search in (nearest, nearest_by_products):
        found = search(vectors, episodes, now, 7, 2).sort(-1).values
        np.testing.assert_allclose(found, want, rtol=1e-4)
        assert found[0, 5, 0] == want[0, 5, 0] == 0.0  # 12 finds 10, in the same place


def test_a_table_on_an_accelerator_takes_arrays_of_the_host() -> None:
    table = CountTable(compiled=False)
    table.add(np.array([5, 5, 7]), np.array([True, True, False]))
    assert table.counts(np.array([5, 7])).tolist() == [2, 0]


@pytest.mark.parametrize("compiled", [True, False])
def test_beyond_the_limit_all_others_share_one_count(compiled: bool) -> None:
    table = CountTable(capacity=4, limit=8, compiled=compiled)
    table.add(np.arange(8) if compiled else torch.arange(8), np.ones(8, bool))
    slots = table.slots
    for start in range(100, 1000, 10):
        keys = np.concatenate([np.arange(start, start + 10), [3]])
        table.add(keys if compiled else torch.as_tensor(keys), np.arange(11) != 0)  # one is masked
    assert len(table) == 8
    assert table.slots == slots
    asked = np.array([0, 3, 555, 10**6])
    counts = np.asarray(table.counts(asked if compiled else torch.as_tensor(asked)))
    assert counts.tolist() == [1, 91, 9 * 90, 9 * 90]
    other = CountTable(limit=8, compiled=not compiled)
    other.load_state_dict(table.state_dict())
    assert np.asarray(other.counts(asked if not compiled else torch.as_tensor(asked))).tolist() == counts.tolist()
