"""What the tests say of a package's files: a pure function of the files, remembered."""

from __future__ import annotations

from dataclasses import dataclass

from potentia.envs.text.code_repair import sandbox
from potentia.envs.text.code_repair.package import Package, Tests, load

__all__ = ["Files", "Verdict", "fraction", "verdicts"]

Files = tuple[tuple[str, tuple[str, ...]], ...]
"""Names of modules and their lines."""


@dataclass(frozen=True)
class Verdict:
    """How one test ended.

    Attributes:
        name: The test's.
        passed: Whether it gave what it ought to.
        told: "", or what it gave instead, or its error.
    """

    name: str
    passed: bool
    told: str


def verdicts(kind: str, files: Files, tests: Tests, *, hidden: bool = False) -> tuple[Verdict, ...]:
    """Runs tests on files in a sandbox of a kind, and compares here what comes out with what ought to."""
    modules = tuple((name, "\n".join(lines) + "\n") for name, lines in files)
    outcomes = sandbox.run(kind, modules, tests.questions, tests.names, hidden)
    found = []
    for name, outcome, wanted in zip(tests.names, outcomes, tests.answers, strict=True):
        passed = not outcome.error and outcome.values == wanted
        found.append(Verdict(name, passed, "" if passed else _told(outcome, wanted)))
    return tuple(found)


def _told(outcome: sandbox.Outcome, wanted: tuple[str, ...]) -> str:
    for value, ought in zip(outcome.values, wanted, strict=False):
        if value != ought:
            return f"wanted {ought}, got {value}"
    return outcome.error or "it gave more or fewer values than it has assertions"


def fraction(kind: str, files: Files, package: str) -> float:
    """The fraction of all tests of a package, hidden ones among them, that these files pass."""
    whole: Package = load(package)
    found = [*verdicts(kind, files, whole.visible), *verdicts(kind, files, whole.hidden, hidden=True)]
    return sum(verdict.passed for verdict in found) / len(found)
