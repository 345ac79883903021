"""The report's numbers, and its files: complete, escaped, deterministic, honest about what is missing."""

from __future__ import annotations

import csv
import io
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import cycle

import numpy as np
import pytest

from potentia.study.report import analyse, compare, write_report
from potentia.study.report.curves import on_common_steps
from potentia.study.report.formats import both, number, steps
from potentia.study.report.hacking import hacking_index, trend
from potentia.study.report.headlines import headline_sentences
from potentia.study.results import load_study
from potentia.study.statistics import Interval, measured_coverage
from tests.study.synthetic import CURVES, ENVIRONMENTS, set_scores, write_study

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
    assert row.lost == 1
    assert row.mean.estimate > 0.65  # a zero for the lost run would make it 0.57
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


def two_worlds(tmp_path, scores, *, seeds=5, lost=(), success=True):
    """A study of the methods `scores` names, each with a list of scores for the first world and one for the second."""
    worlds = ENVIRONMENTS[:2]
    states = {(worlds[1], shaping, seed): ("failed", "gone") for shaping, seed in lost}
    shapings = {name: CURVES["none"] for name in scores}
    folder = write_study(tmp_path, environments=worlds, shapings=shapings, seeds=seeds, states=states)
    cells = {(world, name): own[place] for name, own in scores.items() for place, world in enumerate(worlds)}
    set_scores(folder, cells, success=success)
    return folder


def test_worlds_weigh_the_same_whatever_was_lost_in_them(tmp_path):
    # Equal methods: 1 in the first world and 0 in the second; b has lost three runs of the second. Pooled over runs,
    # b would come to 5/7 and be ranked above a.
    equal = ([1.0] * 5, [0.0] * 5)
    folder = two_worlds(tmp_path, {"none": equal, "b": equal}, lost=[("b", seed) for seed in range(3)])
    analysis = analyse(load_study(folder))
    rows = {row.method.label: row for row in analysis.overall.rows}
    assert rows["b"].iqm.estimate == pytest.approx(rows["none"].iqm.estimate) == pytest.approx(0.5)
    assert rows["b"].mean.estimate == pytest.approx(0.5)
    assert (rows["b"].rank.estimate, rows["none"].rank.estimate) == (1.5, 1.5)
    assert (rows["b"].runs, rows["b"].planned, rows["b"].lost) == (2, 5, 3)
    assert rows["b"].iqm.low < 0.4  # equal runs have an interval, too: they can't rule out all others


def test_a_method_with_lost_runs_says_so_in_the_tables(tmp_path):
    scores = ([0.9, 0.8, 0.7, 0.8, 0.9], [0.5, 0.6, 0.4, 0.5, 0.5])
    folder = two_worlds(tmp_path, {"none": scores, "b": scores}, lost=[("b", 0), ("b", 4)])
    page = write_report(folder, tmp_path / "page.html")
    table = page.read_text(encoding="utf-8").split("<tbody>")[1].split("</tbody>")[0]
    assert re.search(r"b<span[^>]*>‡</span></th>\s*<td class=\"n\">3.*of 5.*2 lost", table)
    assert "none<span" not in table
    (line,) = [
        x for x in page.with_suffix(".md").read_text().split("### DeepSea")[0].splitlines() if x.startswith("| b ")
    ]
    assert line.startswith("| b | 3 of 5 | 2 |")


def test_tied_methods_share_their_place_and_its_interval(tmp_path):
    folder = two_worlds(tmp_path, {name: ([1.0] * 5, [1.0] * 5) for name in ("none", "a", "b")})
    analysis = analyse(load_study(folder))
    for ranking in analysis.all_rankings:
        assert [row.rank for row in ranking.rows] == [Interval(2.0, 2.0, 2.0)] * 3
    assert headline_sentences(analysis)[0].startswith(
        "Highest interquartile mean of the final normalised score: none and a and b, equal, 1.000 ["
    )


@pytest.mark.parametrize(("seeds", "claimed"), [(2, False), (4, False), (5, True)])
def test_nothing_is_claimed_below_five_pairs_and_holms_p_stands_with_the_claim(tmp_path, seeds, claimed):
    # In one world: five pairs of one sign have p = 2/32; with the second world ten, p = 2/1024.
    scores = {"none": ([0.9, 0.8, 0.7, 0.8, 0.9], [0.9] * 5), "bad": ([0.1, 0.12, 0.1, 0.11, 0.1], [0.1] * 5)}
    folder = two_worlds(tmp_path, scores, seeds=seeds)
    study = load_study(folder)
    one = replace(study, runs=tuple(run for run in study.runs if run.environment == "DeepSea"))
    sentences = headline_sentences(analyse(one))
    assert analyse(one).paired[0].comparison.difference.high < 0
    claim = f"Paired interval wholly worse than no shaping: bad (p = 0.062 after Holm, {seeds} pairs)."
    assert (claim in sentences) == claimed
    assert any("wholly" in sentence for sentence in sentences) == claimed
    assert any("no difference from no shaping is claimed" in sentence for sentence in sentences) != claimed
    assert any("no place is claimed for: none, bad" in sentence for sentence in sentences) != claimed


def test_a_single_seed_has_estimates_and_no_intervals(tmp_path):
    folder = two_worlds(tmp_path, {"none": ([0.2], [0.3]), "a": ([0.9], [0.8])}, seeds=1)
    analysis = analyse(load_study(folder))
    (best, _) = analysis.overall.rows
    assert (best.method.label, both(best.iqm)) == ("a", "0.850 –")
    assert not analysis.paired[0].comparison.difference.known
    text = write_report(folder).read_text(encoding="utf-8")
    assert not re.search(r"\bnan\b", text, re.IGNORECASE)
    json.loads((folder / "results.json").read_text(encoding="utf-8"))


def test_the_success_rate_is_left_out_where_a_world_does_not_say_it(tmp_path):
    scores = {"none": ([0.2] * 5, [0.3] * 5)}
    silent = write_report(two_worlds(tmp_path / "silent", scores, success=False)).with_suffix(".md").read_text()
    assert "Success rate" not in silent
    assert "this world does not say whether an episode succeeded" in silent
    told = write_report(two_worlds(tmp_path / "told", scores)).with_suffix(".md").read_text()
    assert told.count("| Success rate (") == 3
    assert "does not say" not in told


def test_measured_coverage_stands_beside_the_number_of_runs(page):
    text = page.with_suffix(".md").read_text(encoding="utf-8")
    at_five = {row.statistic: row for row in measured_coverage(5)}
    header = next(line for line in text.split("### DeepSea")[1].splitlines() if line.startswith("| Shaping"))
    assert f"IQM ({at_five['interquartile mean'].lowest:.0%}".replace("%", " %") in header
    assert f"Mean ({at_five['mean'].lowest:.0%}".replace("%", " %") in header
    # The smallest cell has four runs, for which there are the numbers of three.
    section = text.split("## Measured coverage")[1].split("##")[0]
    assert "from 3 runs" in section
    assert section.count("\n| ") == 1 + len(measured_coverage(3))


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


def test_hacking_is_not_suspected_of_four_runs(tmp_path):
    shapings = {name: CURVES[name] for name in ("none", "misleading")}
    four = write_study(tmp_path, environments=ENVIRONMENTS[:1], shapings=shapings, seeds=4)
    (row,) = [row for row in analyse(load_study(four)).hacking if row.method.label == "misleading"]
    sure = replace(row, index=Interval(1.0, 0.9, 1.1))
    assert not sure.suspected
    assert replace(sure, runs=5).suspected


def test_the_hacking_index_stays_between_its_bounds(tmp_path, monkeypatch):
    # Indices of 1.9 and -1: the studentised interval of two such runs is far wider than what an index can be.
    found = cycle([1.9, -1.0])
    monkeypatch.setattr("potentia.study.report.hacking.hacking_index", lambda *series: next(found))
    two = write_study(tmp_path, environments=ENVIRONMENTS[:1], shapings={"none": CURVES["none"]}, seeds=2)
    (row,) = analyse(load_study(two)).hacking
    assert row.index.estimate == pytest.approx(0.45)
    assert (row.index.low, row.index.high) == (-2, 2)


def test_hacking_is_found_where_it_was_planted_and_nowhere_else(analysis):
    suspected = {row.method.label for row in analysis.hacking if row.suspected}
    assert suspected == {"misleading"}
    assert all(row.index == Interval(0, 0, 0) for row in analysis.hacking if row.method.label == "none")


# --- files --------------------------------------------------------------------------------------------------


def test_curves_and_shares_are_those_of_the_figures(page, analysis):
    document = json.loads(page.with_name("results.json").read_text(encoding="utf-8"))
    wanted = {("true return", "DeepSea", "count"), ("success rate", "DoorKey-8x8", "none"), ("profile", None, "rnd")}
    found = {(c["quantity"], c["curve"]["environment"], c["curve"]["method"]): c["curve"] for c in document["curves"]}
    assert wanted <= found.keys()
    curve = found["true return", "DeepSea", "count"]
    (same,) = [c for c in analysis.curves["true return"] if (c.environment, c.method.label) == ("DeepSea", "count")]
    np.testing.assert_array_equal(curve["band"]["estimate"], same.band.estimate)
    assert len(curve["x"]) == len(curve["band"]["low"]) == 21
    rows = list(csv.DictReader(io.StringIO(page.with_name("curves.csv").read_text(encoding="utf-8"))))
    points = [
        row
        for row in rows
        if (row["quantity"], row["environment"], row["method"]) == ("true return", "DeepSea", "count")
    ]
    assert [float(row["estimate"]) for row in points] == curve["band"]["estimate"]
    shares = list(csv.DictReader(io.StringIO(page.with_name("shares.csv").read_text(encoding="utf-8"))))
    last = [
        float(row["share"])
        for row in shares
        if (row["environment"], row["method"], float(row["step"])) == ("DeepSea", "rnd", 100_000)
    ]
    assert len(last) == 2
    assert sum(last) == pytest.approx(1)
    assert len(document["reward_shares"]) == 3 * 4


def test_all_files_are_written_and_the_same_input_gives_the_same_bytes(study, page, tmp_path):
    again = write_report(study, tmp_path / "again")
    for name in ("report.html", "report.md", "results.csv", "curves.csv", "shares.csv", "results.json"):
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
