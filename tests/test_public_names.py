"""Whatever is public is exported, says what it is, and is named in the documentation; shapers also keep the laws."""

from __future__ import annotations

import inspect
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from potentia.shaping import Shaper
from tests.shaping.law_table import SHAPERS

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "potentia",
    "potentia.shaping",
    "potentia.agents",
    "potentia.wrappers",
    "potentia.testing",
    "potentia.audit",
    "potentia.judges",
)
NAMES = [(package, name) for package in PACKAGES for name in import_module(package).__all__]


def public_members(cls: type) -> list[str]:
    """What a class defines itself, without what Python or a dataclass makes."""
    fields = getattr(cls, "__dataclass_fields__", {})
    return [
        name
        for name, member in vars(cls).items()
        if not name.startswith("_")
        and name not in fields
        and (inspect.isfunction(member) or isinstance(member, property | classmethod | staticmethod))
    ]


@cache
def documentation() -> str:
    pages = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    return "\n".join(page.read_text("utf-8") for page in pages)


@pytest.mark.parametrize("package", PACKAGES)
def test_all_lists_what_is_public_and_nothing_else(package: str) -> None:
    module = import_module(package)
    found = {
        name for name, value in vars(module).items() if not name.startswith("_") and not isinstance(value, ModuleType)
    }
    assert set(module.__all__) == found
    assert len(module.__all__) == len(set(module.__all__))


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_says_what_it_is(package: str, name: str) -> None:
    value: Any = getattr(import_module(package), name)
    if not isinstance(value, type):
        assert inspect.getdoc(value)
        return
    own = vars(value).get("__doc__") or ""
    assert own, f"{name} has no docstring of its own"
    assert not own.startswith(f"{name}("), f"{name} has only the docstring that a dataclass makes"
    silent = [member for member in public_members(value) if not inspect.getdoc(getattr(value, member))]
    assert not silent, f"{name} has no docstring, nor inherits one, for {silent}"


@pytest.mark.parametrize(("package", "name"), NAMES)
def test_a_public_name_is_in_the_documentation(package: str, name: str) -> None:
    assert re.search(rf"\b{name}\b", documentation()), f"README.md and docs/*.md never name {package}.{name}"


def test_every_public_shaper_has_a_row_in_the_table_of_laws_and_numbers_in_its_docstring() -> None:
    exported = [getattr(import_module("potentia.shaping"), name) for _, name in NAMES if _ == "potentia.shaping"]
    shapers = {one for one in exported if isinstance(one, type) and issubclass(one, Shaper)} - {Shaper}
    assert shapers - {type(make()) for make in SHAPERS.values()} == set()
    for shaper in shapers:
        results = re.findall(r"^ *>>> .+\n(?: *\.\.\. .+\n)* *[^>\s].*\d", shaper.__doc__, re.M)
        assert results, f"the docstring of {shaper.__name__} has no example that prints numbers"


def test_each_shaper_has_a_page_of_its_own(tmp_path: Path) -> None:
    command = [sys.executable, str(ROOT / "scripts/method_pages.py"), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    index = (tmp_path / "index.md").read_text("utf-8")
    pages = {path.stem: path.read_text("utf-8") for path in tmp_path.glob("*.md") if path.stem != "index"}
    shapers = {name for package, name in NAMES if package == "potentia.shaping"}
    assert pages.keys() <= shapers
    for name, text in pages.items():
        assert f"[{name}]({name}.md)" in index
        assert re.search(r"\*\*Guarantee:\*\* (policy-invariant|return-preserving|vanishing|none|the weakest)", text), (
            name
        )
        for heading in ("## Contract", "## Laws"):
            assert heading in text, (name, heading)
    potential = pages["PotentialShaping"]
    assert potential.startswith("# PotentialShaping\n\n``discount * potential(next_obs) - potential(obs)``")
    assert "[0.0, 0.0, -4.0]" in potential
    assert "| remembers | nothing |" in potential


def test_the_readmes_table_of_shapers_is_what_their_contracts_say() -> None:
    command = [sys.executable, str(ROOT / "scripts/shaper_table.py"), "--check"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
