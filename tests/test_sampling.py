"""Samples of exhaustive tests: the same within a run, others on other days, and all on demand."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from tests.sampling import ALL, SEED, keep_samples


def items_of(function: str, cases: int, keep: int | None) -> list[Any]:
    marker = None if keep is None else SimpleNamespace(args=(keep,))
    return [
        SimpleNamespace(nodeid=f"test_x.py::{function}[{case}]", get_closest_marker=lambda name: marker)
        for case in range(cases)
    ]


def test_a_run_takes_so_many_of_each_function_and_all_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(ALL, raising=False)
    items = [*items_of("test_pages", 130, 12), *items_of("test_levels", 5, 9), *items_of("test_other", 7, None)]
    drawn = {}
    for day in ("2026-01-01", "2026-01-01", "2026-01-02"):
        monkeypatch.setenv(SEED, day)
        kept = [item.nodeid for item in keep_samples(items)]
        assert [sum(name in nodeid for nodeid in kept) for name in ("pages", "levels", "other")] == [12, 5, 7]
        assert drawn.setdefault(day, kept) == kept
    assert drawn["2026-01-01"] != drawn["2026-01-02"]
    monkeypatch.setenv(ALL, "1")
    assert keep_samples(items) == items
