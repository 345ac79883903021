"""What an import costs: nothing heavy comes along before it is used."""

from __future__ import annotations

import subprocess
import sys

import pytest

HEAVY = ("torch", "numba", "pydantic", "rich", "jinja2", "matplotlib", "nle", "playwright")


def loaded(code: str, heavy: tuple[str, ...] = HEAVY) -> list[str]:
    """Which heavy libraries a fresh process has imported after some code."""
    code = f"import sys\n{code}\nprint(*[name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    "code",
    [
        "import potentia",
        "from potentia import Rollout",
        "import potentia, gymnasium; gymnasium.make('potentia/Chain-v0').reset(seed=0)",
        # A rollout of NumPy arrays, and its sums, need no PyTorch either.
        "import potentia, numpy as np; z, f = np.zeros((2, 1)), np.zeros((2, 1), bool);"
        "potentia.Rollout(obs=z, action=z, next_obs=z, terms={'env': z}, discount=z, terminated=f, truncated=f)"
        ".add('a', z).check_finite()",
    ],
)
def test_nothing_heavy_is_imported_before_it_is_needed(code: str) -> None:
    assert loaded(code) == []


def test_the_same_command_by_module_and_by_name() -> None:
    done = subprocess.run([sys.executable, "-m", "potentia", "--help"], capture_output=True, text=True, check=True)
    assert "study" in done.stdout
