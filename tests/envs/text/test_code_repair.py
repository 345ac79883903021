"""CodeRepair: packages that are right, bugs that tests notice, edits that can be taken back, and the way to success."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the ids
from potentia.envs.text.code_repair import PACKAGES, CodeRepair, line_edits
from potentia.envs.text.code_repair import sandbox as sandbox_module
from potentia.envs.text.code_repair.package import load, split
from potentia.envs.text.code_repair.repair import hunks, restored, seeded, way_back
from potentia.envs.text.code_repair.sandbox import Sandbox, SandboxUnavailableError
from potentia.envs.text.code_repair.verdicts import fraction, verdicts
from potentia.testing.environments import check_env


def _available() -> bool:
    sandbox = Sandbox()
    try:
        return bool(sandbox.run((), "def test():\n    yield 1", ("test",)))
    except SandboxUnavailableError:
        return False
    finally:
        sandbox.close()


pytestmark = pytest.mark.skipif(not _available(), reason="this machine can't keep edited code in")


def test_keeps_every_rule() -> None:
    assert check_env("potentia/CodeRepair-v0", episodes=2, max_steps=25) == frozenset()


def test_keeps_every_rule_by_number_and_dense() -> None:
    make = {"form": {"commands": 96, "flat": True}, "packages": ["intervals"], "reward": "dense"}
    check_env(lambda: gym.make("potentia/CodeRepair-v0", **make), episodes=2, max_steps=25)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_package_without_a_bug_passes_all_its_tests(name: str) -> None:
    package = load(name)
    files = tuple(package.modules.items())
    for tests in (package.visible, package.hidden):
        assert [verdict for verdict in verdicts("kernel", files, tests) if not verdict.passed] == []
        assert len(tests.names) >= 6
    assert set(package.visible.questions.splitlines()) != set(package.hidden.questions.splitlines())
    assert 75 <= sum(map(len, package.modules.values())) <= 130


def test_each_small_change_can_be_changed_back() -> None:
    """In all lines of all packages, more than a thousand changes."""
    count = 0
    for name in PACKAGES:
        for lines in load(name).modules.values():
            for line in lines:
                for edit in line_edits(line):
                    assert line in line_edits(edit), (line, edit)
                    count += 1
    assert count > 1000


def test_the_kinds_of_changes() -> None:
    assert line_edits("if a < b:") == ("if a <= b:", "if a > b:", "if not a < b:")
    assert line_edits("x = f(a, b)") == ("x = f(b, a)",)
    assert line_edits('    return "+ < and 1"') == ()
    assert line_edits("x = -y  # a + b") == ()
    assert "    total" in line_edits("    return total")
    assert line_edits("    while not done:") == ("    while done:",)


@pytest.mark.parametrize("name", PACKAGES)
def test_a_bug_is_seen_by_a_readable_test_and_taken_back_by_one_edit(name: str) -> None:
    rng = np.random.default_rng(0)
    right = tuple(load(name).modules.items())
    for _ in range(3):
        files = seeded("kernel", name, 1, rng)
        assert 0 < fraction("kernel", files, name) < 1
        assert not all(verdict.passed for verdict in verdicts("kernel", files, load(name).visible))
        (bug,) = hunks(name, files)
        assert restored(files, [bug]) == right
        assert way_back("kernel", name, files, files) == bug.commands()


def test_several_bugs_all_count() -> None:
    env = CodeRepair(bugs=3, info_keys="all")
    for seed in range(4):
        _, info = env.reset(seed=seed)
        assert info["distance"] == 4.0
        total = 0.0
        for left, command in zip((3, 2, 1, 0), info["plan"].split("\n"), strict=True):
            _, reward, terminated, _, info = env.step(command)
            assert info["distance"] == left
            total += reward
        assert terminated
        assert info["success"]
        assert total == 1.0


def test_dense_reward_is_the_rise_of_the_fraction() -> None:
    env = CodeRepair(reward="dense", info_keys="all")
    _, info = env.reset(seed=5)
    start, plan = info["score"], info["plan"].split("\n")
    _, down, *_, info = env.step(f"delete {env.files[0][0]}.py 1")
    assert down == pytest.approx(info["score"] - start)
    _, back, *_, info = env.step("revert")
    assert down + back == pytest.approx(0.0)
    _, up, *_, info = env.step(plan[0])
    assert up == pytest.approx(1 - start)
    assert info["score"] == 1.0
    assert env.step("submit")[1] == 0.0


def test_the_way_back_from_a_mess_is_revert() -> None:
    """Nine lines deleted and one inserted: revert, the edit and submit are three commands."""
    env = CodeRepair(["graphs"], info_keys="all")
    env.reset(seed=0)
    for line in (40, 38, 36, 20, 19, 18, 12, 11, 3):
        env.step(f"delete graphs.py {line}")
    *_, info = env.step("insert graphs.py 1 with import os")
    assert info["distance"] == 3.0
    assert info["plan"].split("\n")[0] == "revert"
    for left, command in zip((2, 1, 0), info["plan"].split("\n"), strict=True):
        *_, info = env.step(command)
        assert info["distance"] == left
    assert info["success"]


def test_a_harmless_change_need_not_be_taken_back() -> None:
    env = CodeRepair(["intervals"], info_keys="all")
    env.reset(seed=1)
    *_, info = env.step("insert intervals.py 1 with # a remark")
    assert info["distance"] == 2.0
    for command in info["plan"].split("\n"):
        *_, info = env.step(command)
    assert info["success"]


def test_a_submission_that_fails_is_lost() -> None:
    env = CodeRepair(info_keys="all")
    env.reset(seed=2)
    text, reward, terminated, truncated, info = env.step("submit")
    assert (reward, terminated, truncated, bool(info["lost"])) == (0.0, True, False, True)
    assert (info["distance"], info["potential"]) == (-1.0, -1.0)
    assert text.endswith("% of all tests pass.")


def test_what_the_commands_say() -> None:
    env = CodeRepair(["queues"])
    text, _ = env.reset(seed=0)
    assert "heap.py: 57 lines" in text
    assert env.step("view heap.py 10-11")[0] == "heap.py 10-11 of 57:\n 10 \n 11     def __len__(self):"
    assert env.step("view heap.py 99")[0] == "heap.py has 57 lines."
    assert env.step("view tests.py 1")[0] == "tests.py 1-1 of 52:\n  1 from heap import Heap"
    assert env.step("view other.py")[0].startswith("There is no other.py.")
    assert env.step("search def peek")[0] == "heap.py 20:     def peek(self):"
    assert env.step("search nothing like it")[0] == "'nothing like it' is nowhere."
    assert env.step("replace tests.py 1 with x")[0] == "The tests can't be changed."
    assert env.step("replace heap.py 0 with x")[0] == "heap.py has 57 lines."
    assert env.step("look around")[0].startswith("That is no command.")
    assert "failed: wanted" in env.step("run tests")[0]
    env.step("replace heap.py 1 with this is no Python")
    assert "0 of 7 tests pass" in env.step("run tests")[0]
    assert "SyntaxError" in env.step("run tests")[0]


def test_events_say_what_was_found() -> None:
    env = CodeRepair(info_keys="all")
    _, info = env.reset(seed=3)
    (bug,) = hunks(env.package, env.files)
    line, mend = bug.start + 1, info["plan"].split("\n")[0]
    happened = [
        {name for name, event in env.step(command)[4]["subgoals"].items() if event}
        for command in ("run tests", f"view {bug.module}.py {line}", mend, "run tests")
    ]
    assert happened == [{"saw_a_test_fail"}, {"viewed_a_bug"}, {"changed_a_bug"}, {"saw_no_test_fail"}]


def test_the_mending_edit_is_among_the_commands_where_its_line_is_in_view() -> None:
    env = CodeRepair(info_keys=("plan",))
    for seed in range(6):
        _, info = env.reset(seed=seed)
        (bug,) = hunks(env.package, env.files)
        mend = info["plan"].split("\n")[0]
        assert mend not in env.commands
        (window,) = [
            command
            for command in env.commands
            if command.startswith(f"view {bug.module}.py ")
            and int(command.split()[2].split("-")[0]) <= bug.start + 1 <= int(command.split("-")[1])
        ]
        env.step(window)
        assert mend in env.commands
        assert len(env.commands) < 96
        assert len(set(env.commands)) == len(env.commands)


def test_the_hidden_tests_are_not_shown_and_not_told() -> None:
    env = CodeRepair(["numerals"])
    env.reset(seed=0)
    shown = [env.step("view tests.py")[0], env.step("run tests")[0], env.step("search test_")[0]]
    hidden = load("numerals").hidden.names
    assert all(name not in text for name in hidden for text in shown)


def test_hidden_tests_are_never_in_the_process_whose_values_are_shown() -> None:
    """Code that searches the memory that it was born with finds what earlier readable tests asked, and no more."""
    env = CodeRepair(["numerals"], max_episode_steps=None)
    env.reset(seed=0)
    assert sandbox_module._shared("kernel") is not sandbox_module._shared("kernel", True)
    asked = {"shown": [], "hidden": []}  # type: ignore[var-annotated]
    with pytest.MonkeyPatch.context() as patch:
        for name, hidden in (("shown", False), ("hidden", True)):
            one = sandbox_module._shared("kernel", hidden)
            patch.setattr(
                one, "_ask", lambda job, one=one, name=name: asked[name].append(job) or Sandbox._ask(one, job)
            )
        env.step(f"insert numerals.py {len(dict(env.files)['numerals']) + 1} with EXTRA = 1")
        env.step("run tests")
        env.step("submit")
    numerals = load("numerals")
    assert {job["tests"] for job in asked["shown"]} == {numerals.visible.questions}
    assert {job["tests"] for job in asked["hidden"]} == {numerals.hidden.questions}


def test_answers_to_the_readable_tests_by_heart_do_not_succeed() -> None:
    """Code that knows the tests' answers and computes nothing passes the readable half, and no more."""
    env = CodeRepair(["numerals"], max_episode_steps=None)
    env.reset(seed=0)
    heart = "def grouped(number, mark=','): return {999: '999', 1000: '1,000', 1234567: '1,234,567'}[number]"
    size = len(dict(env.files)["numerals"])
    env.step(f"insert numerals.py {size + 1} with {heart}")
    passed = {verdict.name: verdict.passed for verdict in verdicts("kernel", env.files, load("numerals").visible)}
    assert passed["test_thousands_are_grouped"]
    _, _, _, _, info = env.step("submit")
    assert info["lost"]


def test_copies_go_their_own_ways() -> None:
    env = CodeRepair(info_keys="all")
    env.reset(seed=4)
    env.step("run tests")
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        assert other.files == env.files
        other.step(f"delete {env.files[0][0]}.py 1")
        assert other.files != env.files


def test_a_test_is_parted_from_what_it_ought_to_give() -> None:
    parts = split("def test_a():\n    x = 1\n    assert x + 1 == 2\n    assert [x] == [1]\n")
    assert parts.questions == "def test_a():\n    x = 1\n    yield (x + 1)\n    yield [x]"
    assert parts.answers == (("2", "[1]"),)
    with pytest.raises(ValueError, match="VALUE == LITERAL"):
        split("def test_a():\n    assert f()")


def test_other_options_are_refused() -> None:
    with pytest.raises(ValueError, match="packages must be among"):
        CodeRepair(["numpy"])
    with pytest.raises(ValueError, match="bugs must be"):
        CodeRepair(bugs=0)
    with pytest.raises(ValueError, match="reward must be among"):
        CodeRepair(reward="many")
    with pytest.raises(ValueError, match="sandbox must be among"):
        CodeRepair(sandbox="none")
