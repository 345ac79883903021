"""The script for the day that a GPU is at hand, run in Numba's simulator: it passes, and it fails on a mismatch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "gpu_check.py"


def run(code: str, *worlds: str, seconds: int = 1) -> subprocess.CompletedProcess[str]:
    arguments = ["--device", "cpu", "--levels", "DoorKey-5x5", "--seconds", str(seconds), "--worlds", *worlds]
    program = f"import sys; sys.argv[1:] = {arguments}\n{code}"
    return subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=300, check=False, cwd=SCRIPT.parent
    )


def test_it_compares_and_names_what_it_has_no_time_for() -> None:
    done = run("import gpu_check; sys.exit(gpu_check.main())")
    assert done.returncode == 0, done.stderr[-2000:]
    assert "| parity DoorKey-5x5 | equal" in done.stdout


def test_a_mismatch_fails() -> None:
    done = run(
        "import gpu_check\n"
        "step = gpu_check.CudaGridVectorEnv.step\n"
        "def wrong(self, actions):\n"
        "    obs, reward, *rest = step(self, actions)\n"
        "    return obs, reward + 1, *rest\n"
        "gpu_check.CudaGridVectorEnv.step = wrong\n"
        "sys.exit(gpu_check.main())"
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert "MISMATCH step 0[1]" in done.stdout


def test_control_worlds_and_the_policies_in_them_are_compared() -> None:
    """A device that gives back another place of the arm is found out, though its rewards are right."""
    done = run(
        "import gpu_check\n"
        "from potentia.envs.control import CudaPolicyVectorEnv\n"
        "step = CudaPolicyVectorEnv.step\n"
        "def wrong(self, actions):\n"
        "    *rest, info = step(self, actions)\n"
        "    return *rest, info | {'descriptor': info['descriptor'] + 1e-4}\n"
        "CudaPolicyVectorEnv.step = wrong\n"
        "gpu_check.PARITY_SHARE = gpu_check.SPEED_SHARE = gpu_check.BONUS_SHARE = 0.0\n"
        "sys.exit(gpu_check.main())",
        "SparseReacher",
        seconds=200,
    )
    assert done.returncode == 1, done.stderr[-2000:]
    assert "| parity SparseReacher | equal" in done.stdout
    assert "| parity SparseReacherPolicies | MISMATCH step 0[4].descriptor" in done.stdout
