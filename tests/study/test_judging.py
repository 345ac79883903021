from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from potentia.cli import app
from potentia.judges import Cached, Rules
from potentia.study.judging import probe_table, read_judge


def test_a_judge_is_a_name_data_or_a_file(tmp_path: Path) -> None:
    path = tmp_path / "judge.yaml"
    path.write_text("type: Cached\njudge: {type: Rules, name: mine}\n")
    for text, kind in (("Rules", Rules), ("{type: Rules}", Rules), (str(path), Cached)):
        assert isinstance(read_judge(text), kind)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Ruels", r"unknown judge 'Ruels'; did you mean 'Rules'"),
        ("{type: Mistaken, share: 1.0}", "judge: this field is required|judge.judge"),
        ("{", "this is no YAML"),
        ("3", "judge: must be"),
    ],
)
def test_what_says_no_judge_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        read_judge(text)


def test_a_table_from_the_command_line() -> None:
    judges = ["Rules", "{type: Mistaken, judge: {type: Rules}, share: 1.0}"]
    result = CliRunner().invoke(app, ["judges", "probe", *judges, "--world", "potentia/KeyRooms-v0", "--episodes", "1"])
    assert result.exit_code == 0, result.output
    assert "| probe | ideal | rules | rules, lying 1 |" in result.output
    assert "| right decisions | 1 | 1.00 | 0.00 |" in result.output
    with pytest.raises(ValueError, match="two of the judges are called 'rules'"):
        probe_table(["Rules", "Rules"], episodes=1)


@pytest.mark.parametrize("arguments", [[], ["Vote"], ["list", "Vote"]])
def test_judges_are_listed_without_a_command_too(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, ["judges", *arguments])
    assert result.exit_code == 0
    assert "Vote" in result.output
