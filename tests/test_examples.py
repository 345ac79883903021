"""The examples and the README's code run as they stand, and show what they say they show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


def run(name: str, *arguments: str) -> str:
    command = [sys.executable, str(ROOT / "examples" / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    return done.stdout


def scores(told: str) -> dict[str, float]:
    return {name.strip(): float(score) for name, score in re.findall(r"^(.+?) +true return (\S+) of", told, re.M)}


def test_own_shaper() -> None:
    told = run("own_shaper.py")
    assert "StepCost keeps its word." in told
    assert "FalseClaim does not: telescoping: " in told
    assert "learned from: -0.01, true: 0.0" in told


def test_own_loop() -> None:
    found = scores(run("own_loop.py"))
    assert found.keys() == {"none", "count", "oracle and count"}
    assert found["count"] > 0.9


def test_stable_baselines3_learns_with_a_potential_what_it_does_not_learn_without() -> None:
    pytest.importorskip("stable_baselines3")
    found = scores(run("with_stable_baselines3.py"))
    assert found["none"] < 0.1
    assert found["potential"] > 0.9


def test_the_code_of_the_worlds_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs/worlds.md").read_text("utf-8"), re.S)
    assert len(blocks) == 2
    for block in blocks:
        exec(compile(block, "docs/worlds.md", "exec"), {})


def test_the_readmes_code_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text("utf-8"), re.S)
    assert blocks
    for block in blocks:
        names: dict[str, object] = {}
        exec(compile(block, "README.md", "exec"), names)
        assert set(names["info"]["terms"]) == {"env", "PotentialShaping", "EpisodicCount"}  # type: ignore[index]
