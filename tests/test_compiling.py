"""Loops that are interpreted until compiling pays: the same results, when they are compiled, and what is kept."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentia.compiling import Compiled, kept, notice, part, patience, prange
from potentia.compiling.linking import digest_of

FIRST = np.array([3, 5, 7], np.uint64)


@part(inline="always")
def mixed(x: Any) -> Any:
    return (x ^ (x >> np.uint64(29))) * np.uint64(0x9E3779B97F4A7C15) + FIRST[1]


def total_of_mixed(numbers: Any) -> Any:
    total = np.uint64(0)
    for k in prange(len(numbers)):
        total += mixed(numbers[k])
    return total


NUMBERS = np.arange(1000, dtype=np.uint64)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty cache, where this test keeps what it compiles."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    kept.cache_folder.cache_clear()
    kept.find_folder.cache_clear()
    yield tmp_path
    kept.cache_folder.cache_clear()
    kept.find_folder.cache_clear()


def loop(name: str = "sums of mixed numbers", work: Any = len, seconds: float = 1.0, **options: Any) -> Compiled:
    return Compiled(total_of_mixed, name, work, seconds, options)


def is_compiled(made: Compiled) -> bool:
    return hasattr(made.run, "stats")


@pytest.fixture(autouse=True)
def nothing_interpreted_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Compiled, "spent", 0.0)


def test_it_is_interpreted_until_that_took_as_long_as_a_compiler(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = loop(seconds=1.0)
    want = made(NUMBERS)
    assert not is_compiled(made)
    monkeypatch.setattr(Compiled, "spent", 1.01)  # as after many calls, of whichever loops
    assert made(NUMBERS) == want  # wraps around as in machine code
    assert is_compiled(made)
    # A call foreseen to take longer than the compiler is compiled at once; so is what is not the same interpreted.
    monkeypatch.setattr(Compiled, "spent", 0.0)
    for soon in (loop(work=lambda numbers: 1e6 + 1), loop(work=None)):
        assert soon(NUMBERS) == want
        assert is_compiled(soon)


def test_what_is_foreseen_is_corrected_by_what_is_measured(folder: Path) -> None:
    made = loop(work=lambda numbers: 10.0)  # says 10 microseconds
    made._own, made._foreseen = 0.5, 1e-5  # but such a call took half a second
    assert made._can_be_interpreted(1.9e-5)
    assert not made._can_be_interpreted(2.1e-5)


def test_machine_code_is_kept_and_loaded_by_what_the_functions_are(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = loop(work=None)
    first(NUMBERS)
    assert first.run.stats.cache_misses
    again = loop(work=None)
    again(NUMBERS)
    assert again.run.stats.cache_hits
    assert not again.run.stats.cache_misses
    assert len(list(folder.glob("*/*.nbi"))) == 1
    # What is on disk is loaded when all loops together were interpreted for a while.
    eager = loop(seconds=1e9)
    monkeypatch.setattr(Compiled, "spent", 2 * patience.to_load)
    eager(NUMBERS)
    assert is_compiled(eager)
    # Machine code of other options, as of other sources, replaces what has the same name.
    loop(work=None, error_model="numpy")(NUMBERS)
    assert len(list(folder.glob("*/*.nbi"))) == 1
    loop("sums of mixed numbers on all cores", work=None)(NUMBERS)
    assert len(list(folder.glob("*/*.nbi"))) == 2


def sum_or_sums(which: str) -> Compiled:
    """A loop whose name does not tell what it returns."""
    if which == "sum":

        def total(numbers: Any) -> Any:
            return numbers.sum()

    else:

        def total(numbers: Any) -> Any:
            return numbers.cumsum(), numbers * 1.5

    return Compiled(total, which, None, 1.0, {})


def test_what_two_processes_kept_is_not_confused_by_a_third(tmp_path: Path) -> None:
    program = "import sys, numpy as np; from tests.test_compiling import sum_or_sums; numbers = np.arange(4); "
    program += "print([np.sum(sum_or_sums(which)(numbers)) for which in sys.argv[1:]])"
    for loops, sums in ((["sum"], [6]), (["sums"], [19.0]), (["sum", "sums"], [6, 19.0])):
        done = subprocess.run(
            [sys.executable, "-c", program, *loops], env=os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)},
            capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[1], check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        assert [float(part.strip("[]).\n").split("(")[-1]) for part in done.stdout.split(",")] == sums


SOURCE = """
@part
def inner(x):
    {doc}
    {comment}
    return x * {factor} + TABLE[{place}]

def outer(x):
    return inner(x) + ONE
"""


def outer_of(doc: str = '"""Doubles."""', comment: str = "", factor: int = 2, place: int = 0, **known: Any) -> Any:
    names = {"part": part, "TABLE": np.arange(3), "ONE": 1} | known
    exec(SOURCE.format(doc=doc, comment=comment, factor=factor, place=place), names)
    return names["outer"]


@pytest.mark.parametrize("same", [{"doc": '"""Twice as much."""'}, {"comment": "# as in the paper"}])
def test_words_compile_nothing_anew(same: dict[str, Any]) -> None:
    assert digest_of(outer_of(), {}) == digest_of(outer_of(**same), {})


@pytest.mark.parametrize("other", [{"factor": 3}, {"place": 1}, {"TABLE": np.arange(3) + 1}, {"ONE": 1.0}])
def test_whatever_changes_the_machine_code_changes_the_digest(other: dict[str, Any]) -> None:
    assert digest_of(outer_of(), {}) != digest_of(outer_of(**other), {})


def test_options_change_the_digest() -> None:
    assert digest_of(total_of_mixed, {}) != digest_of(total_of_mixed, {"parallel": True})


def test_a_parallel_loop_is_the_same(folder: Path) -> None:
    assert loop(work=None, parallel=True)(NUMBERS) == loop()(NUMBERS)


def test_a_long_compilation_says_what_it_does(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    loop(work=None)(NUMBERS)
    assert capsys.readouterr().err == ""  # a short one is silent
    monkeypatch.setattr(notice, "AFTER", 0.0)
    made = loop("noise", work=None)
    made(NUMBERS)
    told = capsys.readouterr().err
    assert told.startswith("potentia: compiling noise for this machine ... ")
    assert told.endswith(f" s, once, kept in {kept.cache_folder()}\n")
    assert told.count("\n") == 1
    loop("noise", work=None)(NUMBERS)
    assert capsys.readouterr().err == ""  # loading says nothing


def test_without_a_folder_it_is_compiled_anew_with_a_warning(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kept, "_can_be_written", lambda folder: False)
    made = loop(work=None)
    with pytest.warns(RuntimeWarning, match=r"compiled anew in each process.*set NUMBA_CACHE_DIR"):
        assert made(NUMBERS) == made.interpret(NUMBERS)
    assert not list(folder.rglob("*.nbi"))


def test_a_temporary_folder_serves_only_if_it_is_ones_own(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary = folder / "temporary"
    monkeypatch.setattr(kept, "_candidates", lambda: iter((Path("/dev/null/nowhere"), temporary)))
    with pytest.warns(RuntimeWarning, match=f"as often as {temporary} is cleared"):
        loop(work=None)(NUMBERS)
    assert list(temporary.glob("*.nbi"))
    temporary.chmod(0o777)  # anybody could put machine code there
    kept.cache_folder.cache_clear()
    kept.find_folder.cache_clear()
    with pytest.warns(RuntimeWarning, match="compiled anew in each process"):
        loop(work=None)(NUMBERS)


def test_a_loop_is_pickled_as_what_its_module_calls_it() -> None:
    from potentia.envs.grid.loops import observe_loop

    assert pickle.loads(pickle.dumps(observe_loop)) is observe_loop


def test_numbas_own_switch_turns_the_compiler_off(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import numba

    want = loop(work=None)(NUMBERS)
    monkeypatch.setattr(numba.config, "DISABLE_JIT", 1)
    made = loop(work=None)
    assert made(NUMBERS) == want
    assert not is_compiled(made)
