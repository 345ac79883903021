"""Bugs: how they are seeded, and the shortest way to take them out."""

from __future__ import annotations

from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import combinations

import numpy as np

from potentia.envs.text.code_repair.edits import line_edits
from potentia.envs.text.code_repair.package import load
from potentia.envs.text.code_repair.verdicts import Files, fraction, verdicts

__all__ = ["Hunk", "hunks", "restored", "seeded", "way_back"]

_TRIES = 200
_MOST_HUNKS = 4
"""Of more than so many changes all are taken back."""


@dataclass(frozen=True)
class Hunk:
    """Lines of a module that differ from those without a bug.

    Attributes:
        module: Its name.
        start: The first of them, from 0.
        end: Behind the last.
        right: What stands there without a bug.
    """

    module: str
    start: int
    end: int
    right: tuple[str, ...]

    def commands(self) -> list[str]:
        """The edits that take it back, one line each. They are in an order in which line numbers stay right."""
        place = f"{self.module}.py"
        same = min(self.end - self.start, len(self.right))
        edits = [f"replace {place} {self.start + k + 1} with {self.right[k]}" for k in range(same)]
        edits += [f"insert {place} {self.start + k + 1} with {self.right[k]}" for k in range(same, len(self.right))]
        return edits + [f"delete {place} {self.start + same + 1}"] * (self.end - self.start - same)


def seeded(kind: str, package: str, bugs: int, rng: np.random.Generator) -> Files:
    """A package with so many lines changed. Some test that can be read fails for each, and some test passes.

    Args:
        kind: Of the sandbox.
        package: Its name.
        bugs: How many lines are changed.
        rng: Decides.

    Raises:
        RuntimeError: If no such lines are found.
    """
    files: Files = tuple(load(package).modules.items())
    for _ in range(_TRIES):
        candidate = _with_a_bug(files, rng)
        if len(hunks(package, candidate)) > len(hunks(package, files)) and _counts(kind, package, candidate):
            files = candidate
        if len(hunks(package, files)) == bugs:
            return files
    raise RuntimeError(f"no {bugs} bugs were found in {package} in {_TRIES} tries: ask for fewer")


def _with_a_bug(files: Files, rng: np.random.Generator) -> Files:
    sizes = [len(lines) for _, lines in files]
    place = int(rng.integers(sum(sizes)))
    module = 0
    while place >= sizes[module]:
        place -= sizes[module]
        module += 1
    name, lines = files[module]
    edits = line_edits(lines[place])
    if not edits:
        return files
    changed = (*lines[:place], edits[int(rng.integers(len(edits)))], *lines[place + 1 :])
    return (*files[:module], (name, changed), *files[module + 1 :])


def _counts(kind: str, package: str, files: Files) -> bool:
    """Whether some test passes, one that can be read fails, and no less than taking all bugs back is enough."""
    if all(verdict.passed for verdict in verdicts(kind, files, load(package).visible)):
        return False
    if not 0 < fraction(kind, files, package) < 1:
        return False
    return len(way_back(kind, package, files, files)) == len(hunks(package, files))


def hunks(package: str, files: Files) -> list[Hunk]:
    """Where files differ from those without a bug, in order: line by line where no line was added or taken out."""
    found = []
    for name, lines in files:
        right = load(package).modules[name]
        if lines == right:
            continue
        if len(lines) == len(right):
            differing = [k for k, line in enumerate(lines) if line != right[k]]
            found += [Hunk(name, k, k + 1, right[k : k + 1]) for k in differing]
        else:
            codes = SequenceMatcher(None, lines, right, autojunk=False).get_opcodes()
            found += [Hunk(name, a, b, right[c:d]) for tag, a, b, c, d in codes if tag != "equal"]
    return found


def restored(files: Files, back: list[Hunk]) -> Files:
    """The files with some of their differences taken back."""
    lines = {name: list(content) for name, content in files}
    for hunk in reversed(back):
        lines[hunk.module][hunk.start : hunk.end] = hunk.right
    return tuple((name, tuple(content)) for name, content in lines.items())


def way_back(kind: str, package: str, files: Files, start: Files) -> list[str]:
    """The fewest edits after which all tests pass, as far as taking differences back, or all edits, is the way.

    Args:
        kind: Of the sandbox.
        package: The package's name.
        files: As they are.
        start: As they were when the episode began: what ``revert`` leads to.
    """
    differing = hunks(package, files)
    every, reverted = _edits(differing), ["revert", *_edits(hunks(package, start))]
    shortest = min(every, reverted, key=len)
    if len(differing) > _MOST_HUNKS:
        return shortest
    some = [list(chosen) for size in range(len(differing)) for chosen in combinations(differing, size)]
    for chosen in sorted(some, key=lambda chosen: len(_edits(chosen))):
        if len(_edits(chosen)) >= len(shortest):
            break
        if fraction(kind, restored(files, chosen), package) == 1:
            return _edits(chosen)
    return shortest


def _edits(back: list[Hunk]) -> list[str]:
    """From the last line to the first, so that no edit moves a line that another one names."""
    return [command for hunk in reversed(back) for command in hunk.commands()]
