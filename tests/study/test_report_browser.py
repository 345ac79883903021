"""The report in a real browser: no requests, no errors, nothing overflows, nothing is invisible."""

from __future__ import annotations

import json

import pytest

from potentia.study.report import write_report
from tests.study.synthetic import ENVIRONMENTS, write_study


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    states = {(ENVIRONMENTS[1], "rnd", 3): ("failed", "loss is NaN " + "x" * 300)}
    return write_report(write_study(tmp_path_factory.mktemp("browser"), environments=ENVIRONMENTS[:2], states=states))


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_fits_and_is_quiet(browser, report, width):
    page = browser.new_page(viewport={"width": width, "height": 900})
    messages, requests = [], []
    page.on("console", lambda message: messages.append(message.text))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(report.as_uri())
    assert messages == []
    assert requests == [report.as_uri()]
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sizes = page.eval_on_selector_all(
        "svg.figure",
        "all => all.map(svg => [svg.getBoundingClientRect().width, svg.getBoundingClientRect().height])",
    )
    # 2 worlds x (return, success, gap) + 3 profiles + 2 worlds x 4 shaped methods
    assert len(sizes) == 6 + 3 + 8
    assert min(min(size) for size in sizes) > 100
    page.close()


def test_wide_tables_do_not_scroll_on_a_desktop(browser, report):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(report.as_uri())
    overflow = page.eval_on_selector_all(".scroll", "all => all.map(box => box.scrollWidth - box.clientWidth)")
    assert len(overflow) >= 8
    assert max(overflow) <= 0, overflow
    page.close()


def test_tables_show_the_numbers_of_the_json(browser, report):
    document = json.loads(report.with_name("results.json").read_text(encoding="utf-8"))
    page = browser.new_page()
    page.goto(report.as_uri())
    rows = page.eval_on_selector_all("table:first-of-type", "tables => tables[0].innerText")
    for row in document["overall"]["rows"]:
        low, high = f"{row['iqm']['low']:.3f}", f"{row['iqm']['high']:.3f}"
        assert row["method"] in rows
        assert f"{row['iqm']['estimate']:.3f}" in rows
        assert f"[{low}, {high}]" in rows
    assert "loss is NaN" in page.inner_text("body")
    page.close()


def test_every_figure_has_a_text_alternative(browser, report):
    page = browser.new_page()
    page.goto(report.as_uri())
    named = page.eval_on_selector_all(
        "svg.figure",
        "all => all.map(svg => svg.getAttribute('aria-labelledby').split(' ')"
        ".map(id => document.getElementById(id).textContent.length))",
    )
    assert named
    assert all(min(lengths) > 0 for lengths in named)
    page.close()
