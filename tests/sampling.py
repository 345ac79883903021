"""Exhaustive tests, of which each run takes another sample, and ``make test-all`` takes all."""

from __future__ import annotations

import datetime
import os
import random

import pytest

ALL, SEED = "POTENTIA_TEST_ALL", "POTENTIA_TEST_SEED"


def sample_seed() -> str:
    """The seed of the samples: what the environment says, else the day. Workers of one run inherit it."""
    return os.environ.setdefault(SEED, datetime.datetime.now(datetime.UTC).date().isoformat())


def keep_samples(items: list[pytest.Item]) -> list[pytest.Item]:
    """The tests to run: of each function marked ``exhaustive(keep)`` only ``keep`` cases, drawn by the seed."""
    if os.environ.get(ALL):
        return items
    cases: dict[str, list[pytest.Item]] = {}
    for item in items:
        if item.get_closest_marker("exhaustive") is not None:
            cases.setdefault(item.nodeid.partition("[")[0], []).append(item)
    left_out: set[str] = set()
    for function, found in cases.items():
        marker = found[0].get_closest_marker("exhaustive")
        assert marker is not None
        (keep,) = marker.args
        names = sorted(item.nodeid for item in found)
        drawn = random.Random(f"{sample_seed()} {function}").sample(names, min(keep, len(names)))
        left_out.update(set(names) - set(drawn))
    return [item for item in items if item.nodeid not in left_out]
