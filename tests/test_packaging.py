"""A wheel has every file of the package: scripts, pages, templates and studies as well."""

from __future__ import annotations

import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists() or shutil.which("git") is None, reason="no git checkout")


def git(*words: str) -> list[str]:
    return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()


def test_the_wheel_takes_the_package_whole() -> None:
    """Hatch puts all of a listed package into a wheel but what is excluded, or matched by an ignore file."""
    build = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["hatch"]["build"]
    assert build == {"targets": {"wheel": {"packages": ["potentia"]}}}
    assert git("ls-files", "--cached", "--ignored", "--exclude-standard", "potentia") == []


def test_no_file_of_the_package_is_hidden_from_git() -> None:
    """A page or a script that an ignore file matches would work here and be missing everywhere else."""
    hidden = git("ls-files", "--others", "--ignored", "--exclude-standard", "potentia")
    assert [path for path in hidden if "__pycache__" not in path] == []


def test_files_that_are_read_at_run_time_are_tracked() -> None:
    endings = {Path(path).suffix for path in git("ls-files", "potentia")}
    assert endings >= {".py", ".js", ".html", ".css", ".j2", ".yaml", ".json", ".typed"}
