"""The script for the day that a GPU is at hand, run in Numba's simulator: it passes, and it fails on a mismatch."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "benchmarks" / "gpu_check.py"


def run(code: str) -> subprocess.CompletedProcess[str]:
    program = f"import sys; sys.argv[1:] = ['--device', 'cpu', '--levels', 'DoorKey-5x5', '--seconds', '1']\n{code}"
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
