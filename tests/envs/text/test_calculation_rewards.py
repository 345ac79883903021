"""What `benchmarks/calculation_rewards.py` shows, in short: a true reward teaches, a false one does not."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pytest

SCRIPT = Path(__file__).parents[3] / "benchmarks" / "calculation_rewards.py"


@pytest.fixture(scope="module")
def benchmark() -> Any:
    spec = importlib.util.spec_from_file_location("calculation_rewards", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("reward", "low", "high"), [("true", 0.5, 1.0), ("random", -0.1, 0.1), ("inverted", -0.2, -0.03)]
)
def test_only_the_true_reward_teaches(benchmark: Any, reward: str, low: float, high: float) -> None:
    """Over three seeds of 400 episodes. Before learning, one of eight candidates is right by chance."""
    pairs = np.array([benchmark.train(reward, seed, 400, problems=100) for seed in range(3)])
    assert pairs[:, 0] == pytest.approx(1 / 8, abs=0.02)
    gain = float(np.mean(pairs[:, 1] - pairs[:, 0]))
    assert low < gain < high


def test_the_learner_reads_what_is_shown(benchmark: Any) -> None:
    """7 squared minus a half: 48.5 is what the second rule gives."""
    sign, matches = benchmark.features("Calculate: (7^2) - (1/2)", ["97/2", "99/2", "5"])
    assert (sign, matches.tolist()) == (1, [[0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 0]])
