"""The packages in which bugs are seeded: modules and their tests, as files beside this one."""

from __future__ import annotations

import ast
import functools
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from potentia.envs.text.code_repair.values import written
from potentia.limits import check_among

__all__ = ["PACKAGES", "Package", "Tests", "load", "split"]

_SOURCES = Path(__file__).with_name("sources")

PACKAGES: tuple[str, ...] = tuple(sorted(folder.name for folder in _SOURCES.iterdir() if folder.is_dir()))
"""Their names."""


@dataclass(frozen=True)
class Tests:
    """Tests in two halves: what they do, and what it ought to give.

    Attributes:
        text: As they were written, with assertions.
        questions: Python in which each test is a generator that yields what the assertions compare.
        names: Of the tests.
        answers: What each ought to yield, as `written` writes it.
    """

    text: str
    questions: str
    names: tuple[str, ...]
    answers: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Package:
    """A package without a bug.

    Attributes:
        name: Its folder's.
        modules: The lines of each module, by name.
        visible: Tests that can be read and run.
        hidden: Tests that decide with them.
    """

    name: str
    modules: Mapping[str, tuple[str, ...]]
    visible: Tests
    hidden: Tests


def split(text: str) -> Tests:
    r"""Parts tests into what they do and what it ought to give.

    A test is a function ``test_...``. Each of its assertions compares a value with a literal.

    Raises:
        ValueError: If an assertion is no such comparison.

    >>> parts = split("def test_sum():\n    assert sum([1, 2]) == 3")
    >>> parts.questions, parts.answers
    ('def test_sum():\n    yield sum([1, 2])', (('3',),))
    """
    tree = ast.parse(text)
    tests = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    answers = []
    for test in tests:
        wanted = []
        for place, statement in enumerate(test.body):
            if isinstance(statement, ast.Assert):
                question, answer = _compared(statement)
                wanted.append(written(ast.literal_eval(answer)))
                test.body[place] = ast.copy_location(ast.Expr(ast.Yield(question)), statement)
        answers.append(tuple(wanted))
    questions = ast.unparse(ast.fix_missing_locations(tree))
    return Tests(text, questions, tuple(test.name for test in tests), tuple(answers))


def _compared(statement: ast.Assert) -> tuple[ast.expr, ast.expr]:
    test = statement.test
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq):
        raise ValueError(f"an assertion must be VALUE == LITERAL, got {ast.unparse(test)!r}")
    return test.left, test.comparators[0]


@functools.cache
def load(name: str) -> Package:
    """A package by name.

    Raises:
        ValueError: If there is none of that name.
    """
    check_among(PACKAGES, packages=name)
    folder = _SOURCES / name
    modules = {
        path.name.removesuffix(".py.txt"): tuple(path.read_text(encoding="utf-8").splitlines())
        for path in sorted(folder.glob("*.py.txt"))
    }
    visible, hidden = ((folder / f"{part}.txt").read_text(encoding="utf-8") for part in ("tests", "hidden_tests"))
    return Package(name, modules, split(visible), split(hidden))
