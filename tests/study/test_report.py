"""The report's numbers, and its files: complete, escaped, deterministic, honest about what is missing."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest

from potentia.study.report import analyse, compare, write_report
from potentia.study.report.curves import on_common_steps
from potentia.study.report.formats import both, number, steps
from potentia.study.report.hacking import hacking_index, trend
from potentia.study.results import load_study
from potentia.study.statistics import Interval
from tests.study.synthetic import CURVES, ENVIRONMENTS, write_study

BROKEN = "RuntimeError: <script>alert('x')</script> | NaN"


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    states = {
        (ENVIRONMENTS[1], "rnd", 3): ("failed", BROKEN),
        (ENVIRONMENTS[2], "count", 1): ("timeout", "ran past 900 s"),
        (ENVIRONMENTS[2], "misleading", 4): ("queued", None),
    }
    return write_study(tmp_path_factory.mktemp("study"), steps=100_000, states=states)


@pytest.fixture(scope="module")
def analysis(study):
    return analyse(load_study(study))


@pytest.fixture(scope="module")
def page(study):
    return write_report(study)


# --- numbers ------------------------------------------------------------------------------------------------


def test_the_ranking_is_that_of_the_results_on_disk(study, analysis):
    finals = {}
    for config in sorted((study / "runs").glob("*/config.json")):
        cell = json.loads(config.read_text())
        result = config.with_name("result.json")
        if cell["environment"]["id"] == ENVIRONMENTS[0] and result.exists():
            finals.setdefault(cell["shaping"]["name"], []).append(
                json.loads(result.read_text())["final"]["return_mean"]
            )
    (ranking,) = [r for r in analysis.rankings if r.environment == "DeepSea"]
    for row in ranking.rows:
        # five runs: the interquartile mean is that of the middle three.
        assert row.iqm.estimate == pytest.approx(np.mean(sorted(finals[row.method.label])[1:4]))
        assert row.iqm.low <= row.iqm.estimate <= row.iqm.high
    assert [row.method.label for row in ranking.rows] == sorted(
        finals, key=lambda name: -np.mean(sorted(finals[name])[1:4])
    )


def test_only_normalised_worlds_are_averaged_over(analysis):
    assert analysis.overall.environments == ("DeepSea", "DoorKey-8x8")
    assert any("Unnormalised" in warning and "MiniHack" in warning for warning in analysis.warnings)


def test_failed_runs_are_left_out_and_never_zero(analysis):
    (ranking,) = [r for r in analysis.rankings if r.environment == "DoorKey-8x8"]
    (row,) = [row for row in ranking.rows if row.method.label == "rnd"]
    assert (row.runs, row.planned) == (4, 5)
    assert row.mean.low > 0.3
    assert {run.state for run in analysis.troubles} == {"failed", "timeout", "queued"}
    assert analysis.troubles[0].error == BROKEN


def test_pairs_are_runs_with_the_same_seed(analysis):
    rows = {(row.environment, row.method.label): row for row in analysis.paired}
    assert rows["DoorKey-8x8", "rnd"].comparison.pairs == 4
    assert rows["DoorKey-8x8", "rnd"].comparison.p_value == 0.125  # 2 / 2^4: all four are better
    assert rows[None, "oracle potential"].comparison.pairs == 10
    assert rows[None, "oracle potential"].comparison.difference.low > 0.5
    assert ("DeepSea", "none") not in rows


def test_adding_a_method_moves_no_other_interval(analysis):
    study = analysis.cells.study
    fewer = replace(study, runs=tuple(run for run in study.runs if run.shaping != "count"))
    old = {row.method.label: row.iqm for row in analysis.overall.rows}
    for row in analyse(fewer).overall.rows:
        assert row.iqm == old[row.method.label]


def test_never_reached_thresholds_are_reported_as_such(analysis):
    (row,) = [
        r for r in analysis.thresholds if (r.environment, r.method.label, r.level) == ("DeepSea", "misleading", 0.9)
    ]
    assert (row.steps.reached, row.steps.runs) == (0, 5)
    assert steps(row.steps.median.estimate) == "not reached"
    assert row.threshold == pytest.approx(0.9 * 0.99)


def test_series_with_equal_steps_are_not_interpolated():
    a, b = (np.array([0.0, 10]), np.array([1.0, 2])), (np.array([0.0, 10]), np.array([3.0, 4]))
    x, values = on_common_steps([a, b])
    np.testing.assert_array_equal(x, [0, 10])
    np.testing.assert_array_equal(values, [[1, 2], [3, 4]])
    # a third on [5, 15]: the common range is [5, 10]; a is 1.5 at 5.
    x, values = on_common_steps([a, (np.array([5.0, 15]), np.array([0.0, 1]))])
    np.testing.assert_array_equal(x, [5, 10])
    np.testing.assert_array_equal(values, [[1.5, 2], [0, 0.5]])


# --- the hacking index --------------------------------------------------------------------------------------


def test_trend_is_a_correlation_with_the_contrast():
    values = np.array([0.0, 1, 0, 2, 1, 3, 2, 5, 3, 4])
    contrast = np.array([-1, -1, 0, 0, 0, 0, 0, 0, 1, 1])
    assert trend(values) == pytest.approx(np.corrcoef(values, contrast)[0, 1])
    assert trend(3 * values - 7) == pytest.approx(trend(values))
    # the contrast itself correlates fully with itself.
    assert trend(contrast.astype(float)) == pytest.approx(1)


def test_hacking_index_by_hand():
    rising, flat = np.array([-1.0, 0, 0, 0, 1]), np.ones(5)
    assert hacking_index(flat, rising) == pytest.approx(1)
    assert hacking_index(-rising, rising) == pytest.approx(2)
    assert hacking_index(rising, flat) == pytest.approx(-1)
    assert hacking_index(rising, rising) == 0
    assert hacking_index(rising, 100 * rising) == pytest.approx(0)


def test_a_negligible_rise_is_no_rise():
    rising = np.array([-1.0, 0, 0, 0, 1])  # standard deviation sqrt(2/5) = 0.632
    # scaled by 0.01 against a floor of 0.0632, ten times its spread: a trend of 1/10.
    assert trend(0.01 * rising, floor=0.1 * np.sqrt(0.4)) == pytest.approx(0.1)


def test_hacking_is_found_where_it_was_planted_and_nowhere_else(analysis):
    suspected = {row.method.label for row in analysis.hacking if row.suspected}
    assert suspected == {"misleading"}
    assert all(row.index == Interval(0, 0, 0) for row in analysis.hacking if row.method.label == "none")


# --- files --------------------------------------------------------------------------------------------------


def test_all_four_files_are_written_and_the_same_input_gives_the_same_bytes(study, page, tmp_path):
    again = write_report(study, tmp_path / "again")
    for name in ("report.html", "report.md", "results.csv", "results.json"):
        assert page.with_name(name).read_bytes() == again.with_name(name).read_bytes()


def test_the_page_is_self_contained_and_escaped(page):
    text = page.read_text(encoding="utf-8")
    assert "<script" not in text
    assert "&lt;script&gt;" in text
    addresses = re.findall(r'(?:href|src)="([^"]*)"', text)
    assert addresses
    assert all(address.startswith(("#", "data:")) for address in addresses)
    assert "@import" not in text
    assert not re.search(r"url\((?!#)", text)


def test_ids_are_unique_and_references_resolve(page):
    ids, references = [], []

    class Reader(HTMLParser):
        def handle_starttag(self, tag, attrs):
            for key, value in attrs:
                if key == "id":
                    ids.append(value)
                elif key in {"href", "xlink:href"} and value.startswith("#"):
                    references.append(value[1:])
                elif key in {"aria-labelledby", "aria-describedby"}:
                    references.extend(value.split())
                references.extend(re.findall(r"url\(#([^)]+)\)", value or ""))

    Reader().feed(page.read_text(encoding="utf-8"))
    assert len(ids) == len(set(ids))
    assert set(references) <= set(ids)


def test_unfinished_studies_say_so(page):
    text = page.read_text(encoding="utf-8")
    assert "This study is not finished." in text
    assert "72 of 75 runs have completed" in text
    assert "insufficient" in text


def test_csv_and_json_hold_every_run(page):
    rows = list(csv.DictReader(io.StringIO(page.with_name("results.csv").read_text(encoding="utf-8"))))
    assert len(rows) == 75
    (failed,) = [row for row in rows if row["state"] == "failed"]
    assert (failed["final_return"], failed["error"]) == ("", BROKEN)
    document = json.loads(page.with_name("results.json").read_text(encoding="utf-8"))
    assert len(document["runs"]) == 75
    assert document["overall"]["rows"][0]["method"] == "oracle potential"
    assert document["paired_differences"]


def test_markdown_tables_keep_their_columns(page):
    lines = page.with_suffix(".md").read_text(encoding="utf-8").splitlines()
    width = 0
    tables = 0
    for line in lines:
        if not line.startswith("|"):
            width = 0
            continue
        cells = len(re.findall(r"(?<!\\)\|", line))
        tables += width == 0
        assert cells == (width or cells), line
        width = cells
    assert tables >= 8
    assert r"\<script\>" in "\n".join(lines)


def test_hostile_names_and_contracts_are_escaped(tmp_path):
    name = '"><img src=x onerror=alert(1)>&|'
    folder = write_study(
        tmp_path,
        environments=ENVIRONMENTS[:1],
        shapings={"none": CURVES["none"], name: CURVES["count"]},
        seeds=2,
    )
    text = write_report(folder).read_text(encoding="utf-8")
    assert "<img" not in text
    assert "&lt;img" in text


def test_a_study_that_has_not_started_is_reported(tmp_path):
    states = {(ENVIRONMENTS[0], "none", seed): ("queued", None) for seed in range(2)}
    folder = write_study(
        tmp_path, environments=ENVIRONMENTS[:1], shapings={"none": CURVES["none"]}, seeds=2, states=states
    )
    text = write_report(folder, tmp_path / "page.html").read_text(encoding="utf-8")
    assert "No run has completed yet." in text
    assert (tmp_path / "page.md").exists()
    (tmp_path / "empty" / "runs").mkdir(parents=True)
    assert "No run has been started." in write_report(tmp_path / "empty").read_text(encoding="utf-8")


def test_compare_keeps_studies_apart(tmp_path):
    shapings = {name: CURVES[name] for name in ("none", "count")}
    study = write_study(tmp_path, environments=ENVIRONMENTS[:1], shapings=shapings)
    other = write_study(tmp_path, name="other", environments=ENVIRONMENTS[:1], shapings=shapings, seeds=2)
    document = json.loads(compare(study, other, out=tmp_path / "both").with_name("results.json").read_text())
    rows = {row["method"]: row for row in document["paired_differences"] if row["environment"] == "DeepSea"}
    assert rows["other: count"]["baseline"] == "other: none"
    assert rows["synthetic: count"]["comparison"]["pairs"] == 5
    with pytest.raises(ValueError, match="none"):
        compare()


# --- formats ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.12345, "0.123"), (-0.0001, "0.000"), (-2, "\u22122.000"), (123456.7, "123,457"), (42.25, "42.2")],
)
def test_numbers(value, text):
    assert number(value) == text


def test_missing_is_a_dash():
    assert number(float("nan")) == number(None) == both(None) == "\u2013"
