"""What the audit finds in a study before it runs stands in its report."""

from __future__ import annotations

import json
from pathlib import Path

from potentia.study.report import compare, write_report
from potentia.study.results import load_study
from potentia.study.runner import StudyFolder, run_study
from tests.study.running import study

FADING = {
    "type": "PotentialShaping",
    "potential": "potential",
    "weight": {"type": "linear", "start": 1.0, "end": 0.0, "steps": 100},
}
SHAPINGS = [{"name": "none"}, {"name": "fading", "shapers": [FADING]}]


def test_what_a_study_warns_of_is_kept_and_reported_with_its_advice(tmp_path: Path) -> None:
    names: list[str] = []
    spec = study(shapings=SHAPINGS, steps=64)
    folder, _ = run_study(spec, "tiny", tmp_path, jobs=2, warn=lambda finding: names.append(finding.name))
    assert folder.states() == {"completed": 2}
    assert names == ["schedule"]
    (found,) = load_study(folder.path).findings
    assert (found.name, found.severe, found.place[:22]) == ("schedule", True, "shapings[1].shapers[0]")
    page = write_report(folder.path)
    advice = "weight it by a number, or let the potential itself change"
    for text in (page.read_text("utf-8"), page.with_suffix(".md").read_text("utf-8")):
        assert advice in text
        assert "\n\n\n\n" not in text
    assert [
        entry["name"] for entry in json.loads(page.with_name("results.json").read_text("utf-8"))["findings"]
    ] == names
    assert advice in compare(folder.path, folder.path, out=tmp_path / "both").read_text("utf-8")
    run_study(spec, "tiny", tmp_path)  # there is nothing to do, so nothing is looked at, and nothing forgotten
    assert load_study(folder.path).findings == (found,)


def test_findings_of_an_earlier_form_of_a_study_are_forgotten(tmp_path: Path) -> None:
    folder = StudyFolder(study(), tmp_path)
    folder.prepare()
    (folder.path / "findings.json").write_text(json.dumps({"runs": ["other"], "findings": [{"name": "stale"}]}))
    folder.keep_findings([])
    assert load_study(folder.path).findings == ()
    assert not (folder.path / "findings.json").exists()
    for torn in ("", "[]", '{"findings": 3}', '{"findings": [3, {}]}'):
        (folder.path / "findings.json").write_text(torn)
        assert all(finding.name == "" for finding in load_study(folder.path).findings)
