"""The command line: quick where it only lists, and the same with a name, a file or a folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import potentia
from potentia.cli import app, main
from potentia.study import catalogue
from potentia.study.fields import reference
from potentia.study.learners import LEARNERS
from potentia.study.shapings import SHAPERS
from tests.test_imports import loaded

DOCS = Path(__file__).parents[1] / "docs" / "study.md"


def called(*arguments: str) -> str:
    result = CliRunner().invoke(app, list(arguments))
    assert result.exit_code == 0, result.output
    return result.output


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["envs"],
        ["shapers"],
        ["learners"],
        ["judges"],
        ["study", "list"],
        ["study", "fields"],
        ["study", "status", "smoke"],
    ],
)
def test_lists_import_nothing_slow(arguments: list[str]) -> None:
    code = f"from typer.testing import CliRunner\nfrom potentia.cli import app\nCliRunner().invoke(app, {arguments})"
    assert loaded(code, ("torch", "numba", "nle", "playwright", "matplotlib")) == []


def test_the_version() -> None:
    assert called("--version") == f"potentia {potentia.__version__}\n"


def test_lists_are_of_what_can_be_named() -> None:
    assert list(sorted(catalogue.shapers())) == SHAPERS.names
    assert list(sorted(catalogue.learners())) == LEARNERS.names
    for kind in (SHAPERS, LEARNERS):
        for name, text in {**catalogue.shapers(), **catalogue.learners()}.items():
            if name in kind.names:
                first = (kind.maker(name).__doc__ or "").splitlines()[0]
                assert text.partition("\n")[0] == first
    assert "max E[min(rho A, clip(rho, 1 - c, 1 + c) A)]" in called("learners")
    assert "gae_lambda: The weight of longer returns" in called("learners", "ppo")
    assert called("envs", "deepsea").split() == ["potentia/DeepSea-v0"]


def test_the_docs_have_every_field() -> None:
    assert DOCS.read_text("utf-8").partition("potentia study fields -->\n")[2].strip() == reference().strip()


def test_a_study_is_named_by_its_file_its_name_or_its_folder(tmp_path: Path) -> None:
    out = ["--out", str(tmp_path)]
    called("study", "run", "smoke", *out, "--no-report", "--jobs", "2")
    for place in ("smoke", str(tmp_path / "smoke"), str(tmp_path / "smoke" / "study.yaml")):
        assert "4 runs: 4 completed" in called("study", "status", place, *out)
    lines = CliRunner().invoke(app, ["study", "compare", "smoke", str(tmp_path / "smoke"), *out])
    assert lines.exit_code == 0, lines.output
    missing = CliRunner().invoke(app, ["study", "report", "quickstart", *out])
    assert "no results in 'quickstart'" in str(missing.exception)


def test_names_are_completed() -> None:
    environment = os.environ | {"_POTENTIA_COMPLETE": "complete_bash", "COMP_WORDS": "potentia study run qu"}
    done = subprocess.run(
        [sys.executable, "-c", "from potentia.cli import app; app(prog_name='potentia')"],
        env=environment | {"COMP_CWORD": "3"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.stdout.split() == ["quickstart"]


def test_audit_prints_findings_and_says_by_its_exit_code_if_one_is_severe(tmp_path: Path) -> None:
    wrapped = "env = gym.make('CartPole-v1')\nenv = gym.wrappers.NormalizeReward(env, gamma={})\n"
    script = tmp_path / "train.py"
    script.write_text("import gymnasium as gym\ngamma = 0.95\n" + wrapped.format(0.99), encoding="utf-8")
    done = CliRunner().invoke(app, ["audit", str(script)])
    assert done.exit_code == 1
    assert "train.py:4" in done.output
    assert "give it gamma=0.95" in done.output
    as_json = CliRunner().invoke(app, ["audit", str(script), "--json"])
    assert as_json.exit_code == 1
    [finding] = json.loads(as_json.output)
    assert (finding["name"], finding["severe"], finding["place"]) == ("gamma", True, "train.py:4")
    assert CliRunner().invoke(app, ["audit", str(script), "--gamma", "0.99"]).output.endswith("nothing found\n")
    made = CliRunner().invoke(app, ["audit", "tests.audit.test_findings:shaped", "--gamma", "0.5"])
    assert made.exit_code == 1, made.output
    assert "worth up to 12" in made.output  # 0.4 * 15 / 0.5


@pytest.mark.parametrize("target", ["nowhere.py", "no_such_module:thing", "no_such_study", "math:pi"])
def test_what_cannot_be_audited_is_wrong_use(target: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.argv", ["potentia", "audit", target])
    with pytest.raises(SystemExit) as stopped:
        main()
    assert stopped.value.code == 2
