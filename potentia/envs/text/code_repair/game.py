"""`CodeRepair`: a bug in a small package is looked for, mended and handed in, in words."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import ClassVar

from potentia.envs.text.code_repair.edits import line_edits
from potentia.envs.text.code_repair.package import PACKAGES, load
from potentia.envs.text.code_repair.repair import Hunk, hunks, seeded, way_back
from potentia.envs.text.code_repair.sandbox import KINDS
from potentia.envs.text.code_repair.verdicts import Files, fraction, verdicts
from potentia.envs.text.game import PlainGame, Turn, text_hash
from potentia.envs.world import Wanted
from potentia.limits import check_among

__all__ = ["CodeRepair"]

_COMMAND = re.compile(
    r"(?P<verb>list|run tests|submit|revert)"
    r"|view (?P<view>\w+\.py)(?: (?P<first>\d{1,6})(?:-(?P<last>\d{1,6}))?)?"
    r"|search (?P<search>.+)"
    r"|(?P<edit>replace|insert|delete) (?P<file>\w+\.py) (?P<line>\d{1,6})(?: with(?: (?P<text>.*))?)?"
)
_WINDOW = 10
"""How many lines a view among `CodeRepair.commands` shows."""
_FOUND = 20
_TESTS = "tests.py"
_HELP = (
    "Commands: list | view FILE [FIRST-LAST] | search TEXT | replace FILE LINE with TEXT | insert FILE LINE with TEXT "
    "| delete FILE LINE | revert | run tests | submit"
)


class CodeRepair(PlainGame):
    """Bugs are seeded in a small package. Find them, mend them, and submit.

    Eight packages of one or two modules and 80 to 125 lines, each with tests that can be read and run and hidden ones
    that decide with them. A bug is one small change to one line (`line_edits`), for which a readable test fails. It is
    SWE-Gym (Pan et al. 2024, arXiv 2412.21139) in small: a step takes a fraction of a millisecond, or some milliseconds
    where tests run. Edited code is run in a `Sandbox`, and what came out for some files is remembered.

    Commands: ``list``, ``view FILE [FIRST-LAST]``, ``search TEXT``, ``replace FILE LINE with TEXT``, ``insert FILE LINE
    with TEXT`` (before that line), ``delete FILE LINE``, ``revert`` (all files as they were at the start), ``run
    tests`` and ``submit``, which ends the episode. A text keeps its indentation. Success is a submission that passes
    all tests.

    ``commands`` has, for learners that can't read, windows of ten lines to view and every small change to the lines
    that were viewed last. The one that mends a bug is among those to its line, so that by number a view comes first.

    The distance is the number of edits that take back what differs from the package without bugs, as far as that is
    needed for all tests to pass, or that ``revert`` and the edits after it take, and one for ``submit``. Another edit
    that mends several differences at once is not looked for.

    Args:
        packages: The packages drawn from, by name. None is all: `package.PACKAGES`.
        bugs: How many lines are changed.
        reward: ``"sparse"``: 1 for success. ``"dense"``: with each edit the rise of the fraction of tests that pass.
        sandbox: ``"kernel"`` or ``"limits"``, see `Sandbox`.
        max_episode_steps: Of an episode.
        info_keys: See `TextGame`.
        render_mode: "ansi", or None.

    Raises:
        ValueError: If a package, ``reward`` or ``sandbox`` is unknown, or ``bugs`` is less than 1.
        SandboxUnavailableError: At a reset, if this machine can't keep edited code in.
    """

    kept = ("_package", "_files", "_start", "_view")
    event_names = ("viewed_a_bug", "changed_a_bug", "saw_a_test_fail", "saw_no_test_fail")
    chance: ClassVar[bool | None] = False  # type: ignore[misc]

    def __init__(
        self,
        packages: Sequence[str] | None = None,
        *,
        bugs: int = 1,
        reward: str = "sparse",
        sandbox: str = "kernel",
        max_episode_steps: int | None = 40,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        self._names = PACKAGES if packages is None else tuple(packages)
        for name in self._names:
            load(name)
        if not self._names:
            raise ValueError(f"packages must be some of {PACKAGES}, got none")
        if isinstance(bugs, bool) or not isinstance(bugs, int) or bugs < 1:
            raise ValueError(f"bugs must be a whole number from 1, got {bugs!r}")
        check_among(("sparse", "dense"), reward=reward)
        check_among(KINDS, sandbox=sandbox)
        self._bugs, self._dense, self._kind = bugs, reward == "dense", sandbox
        self.distance_scale = float(bugs + 3)
        self._package = self._names[0]
        self._start: Files = tuple(load(self._package).modules.items())
        self._files, self._view = self._start, ("", 0, 0)
        readers = {
            "caption": self._caption,
            "state_hash": self._hash,
            "distance": self._distance,
            "facts": self._facts,
            "plan": self._plan,
            "score": self._score,
        }
        super().__init__(
            readers,
            max_episode_steps=max_episode_steps,
            length=8192,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    @property
    def package(self) -> str:
        """The name of the package that has the bugs."""
        return self._package

    @property
    def files(self) -> Files:
        """The modules as they are now."""
        return self._files

    @property
    def optimal_return(self) -> float | None:
        """1 for success, if the reward is sparse."""
        return None if self._dense else 1.0

    @property
    def commands(self) -> Sequence[str]:
        """What can be done here, and each small change to the lines that were viewed last."""
        found = ["run tests", "submit", "list", f"view {_TESTS}"]
        if self._files != self._start:
            found.append("revert")
        name, first, last = self._view
        lines = dict(self._files).get(name, ())
        for place in range(first, min(last, len(lines))):
            found += [f"replace {name}.py {place + 1} with {edit}" for edit in line_edits(lines[place])]
        for name, lines in self._files:
            starts = range(1, len(lines) + 1, _WINDOW)
            found += [f"view {name}.py {start}-{min(start + _WINDOW - 1, len(lines))}" for start in starts]
        return found

    def goal_text(self) -> str:
        """What is to be done."""
        what = "a bug" if self._bugs == 1 else f"{self._bugs} bugs"
        return f"The package {self._package} has {what}. Mend it so that all tests pass, hidden ones too, and submit."

    def _begin(self) -> str:
        self._package = self._names[int(self.np_random.integers(len(self._names)))]
        self._start = self._files = seeded(self._kind, self._package, self._bugs, self.np_random)
        self._view = ("", 0, 0)
        return f"{self.goal_text()}\n{_HELP}\n{self._list()}"

    def _act(self, command: str) -> Turn:
        match = _COMMAND.fullmatch(command)
        if match is None:
            return Turn(f"That is no command. {_HELP}")
        if match["view"]:
            return self._do_view(match["view"], int(match["first"] or 1), match["last"] or match["first"])
        if match["search"]:
            return Turn(self._search(match["search"]))
        if match["edit"]:
            return self._do_edit(match["edit"], match["file"].removesuffix(".py"), int(match["line"]), match["text"])
        plain = {"list": self._do_list, "run tests": self._do_tests, "revert": self._do_revert}
        return plain.get(match["verb"], self._do_submit)()

    def _do_list(self) -> Turn:
        return Turn(self._list())

    def _do_revert(self) -> Turn:
        return self._change(self._start, "All files are as they were at the start.", frozenset())

    def _list(self) -> str:
        tests = load(self._package).visible.text.splitlines()
        sizes = [f"{name}.py: {len(lines)} lines" for name, lines in (*self._files, ("tests", tests))]
        return "\n".join(sizes)

    def _do_view(self, file: str, first: int, last: str | None) -> Turn:
        name = file.removesuffix(".py")
        lines = self._readable().get(name)
        if lines is None:
            return Turn(f"There is no {file}.\n{self._list()}")
        start, end = max(first, 1), min(int(last or len(lines)), len(lines))
        if start > end:
            return Turn(f"{file} has {len(lines)} lines.")
        if file != _TESTS:
            self._view = (name, start - 1, end)
        seen = any(hunk.module == name and start - 1 <= hunk.start < end for hunk in self._hunks())
        shown = "\n".join(f"{start + k:3} {line}" for k, line in enumerate(lines[start - 1 : end]))
        return Turn(f"{file} {start}-{end} of {len(lines)}:\n{shown}", events=_events(viewed_a_bug=seen))

    def _readable(self) -> dict[str, Sequence[str]]:
        return {**dict(self._files), "tests": load(self._package).visible.text.splitlines()}

    def _search(self, text: str) -> str:
        found = [
            f"{name}.py {number}: {line}"
            for name, lines in self._readable().items()
            for number, line in enumerate(lines, 1)
            if text in line
        ]
        more = f"\nand {len(found) - _FOUND} more" if len(found) > _FOUND else ""
        return "\n".join(found[:_FOUND]) + more if found else f"{text!r} is nowhere."

    def _do_edit(self, verb: str, name: str, line: int, text: str | None) -> Turn:
        if name == "tests":
            return Turn("The tests can't be changed.")
        lines = dict(self._files).get(name)
        if lines is None:
            return Turn(f"There is no {name}.py.\n{self._list()}")
        if not 1 <= line <= len(lines) + (verb == "insert"):
            return Turn(f"{name}.py has {len(lines)} lines.")
        new = () if verb == "delete" else (text or "",)
        end = line - (verb == "insert")
        changed = (*lines[: line - 1], *new, *lines[end:])
        files = tuple((other, changed if other == name else content) for other, content in self._files)
        hit = any(hunk.module == name and hunk.start == line - 1 for hunk in self._hunks())
        shown = "\n".join(f"{k + 1:3} {changed[k]}" for k in range(max(line - 2, 0), min(line + 1, len(changed))))
        return self._change(files, f"{name}.py now:\n{shown}", _events(changed_a_bug=hit))

    def _change(self, files: Files, text: str, events: frozenset[str]) -> Turn:
        before, self._files = self._files, files
        reward = 0.0
        if self._dense and files != before:
            reward = self._score() - fraction(self._kind, before, self._package)
        return Turn(text, reward, events=events)

    def _do_tests(self) -> Turn:
        found = verdicts(self._kind, self._files, load(self._package).visible)
        failed = [f"{verdict.name} failed: {verdict.told[:200]}" for verdict in found if not verdict.passed]
        summary = f"{len(found) - len(failed)} of {len(found)} tests pass."
        events = _events(saw_a_test_fail=bool(failed), saw_no_test_fail=not failed)
        return Turn("\n".join([summary, *failed]), events=events)

    def _do_submit(self) -> Turn:
        success = self._score() == 1.0
        text = "All tests pass, hidden ones too." if success else f"{self._score():.0%} of all tests pass."
        return Turn(text, float(success and not self._dense), success, lost=not success)

    def _score(self) -> float:
        return fraction(self._kind, self._files, self._package)

    def _hunks(self) -> list[Hunk]:
        return hunks(self._package, self._files)

    def _caption(self) -> str:
        name, first, last = self._view
        view = f"lines {first + 1} to {last} of {name}.py are in view" if name else "no file is in view"
        changed = "some lines were changed" if self._files != self._start else "nothing was changed"
        return f"In the package {self._package} {view}, and {changed}."

    def _hash(self) -> int:
        both = [f"{name}\n" + "\n".join(lines) for name, lines in (*self._files, *self._start)]
        end = "done" if self._turn.success or self._turn.lost else ""
        return text_hash(self._package, *both, str(self._view), end)

    def _distance(self) -> int:
        if self._turn.success:
            return 0
        return -1 if self._turn.lost else len(self._way()) + 1

    def _way(self) -> list[str]:
        return way_back(self._kind, self._package, self._files, self._start)

    def _facts(self) -> str:
        found = [f"wrong: {hunk.module}.py {hunk.start + 1}" for hunk in self._hunks()]
        return "\n".join([f"package: {self._package}", f"tests that pass: {self._score():.4f}", *found])

    def _plan(self) -> str:
        return "\n".join([*self._way(), "submit"]) if self._running else ""


def _events(**happened: bool) -> frozenset[str]:
    return frozenset(name for name, value in happened.items() if value)
