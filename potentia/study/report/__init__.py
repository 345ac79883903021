"""The report of a study: one self-contained HTML page, with Markdown, CSV and JSON beside it."""

from __future__ import annotations

from pathlib import Path

from potentia.study.report.analysis import Analysis, analyse
from potentia.study.report.cells import merge
from potentia.study.report.export import results_json, tables
from potentia.study.report.render import html, markdown
from potentia.study.results import Study, find_study, load_study

__all__ = ["Analysis", "analyse", "compare", "write_report"]


def write_report(study: str | Path, out: Path | None = None) -> Path:
    """Write `report.html`, `report.md`, `results.json` and three to seven CSV files of a study, finished or not.

    The same run folders give the same bytes.

    Args:
        study: its folder, its file or its name (`potentia.study.results.find_study`).
        out: the HTML file (`.html`) or the folder to write to. The default is the study's own folder.

    Returns:
        the path of the HTML file.

    Raises:
        FileNotFoundError: there are no results of such a study.
        ImportError: the extra `report` is not installed.
    """
    folder = find_study(study)
    return _write(load_study(folder), folder if out is None else Path(out))


def compare(*studies: str | Path, out: Path | None = None) -> Path:
    """Write one report of several studies. Each shaping is named `study: shaping`.

    Worlds are the same where their id and settings are. A method's baseline is that of its own study.

    Args:
        *studies: folders, files or names of studies.
        out: as in `write_report`. The default is the folder `comparison` beside the first study.

    Returns:
        the path of the HTML file.
    """
    if not studies:
        raise ValueError("wanted the studies to compare, by folder, file or name, got none")
    folders = [find_study(study) for study in studies]
    target = folders[0].parent / "comparison" if out is None else Path(out)
    return _write(merge([load_study(folder) for folder in folders]), target)


def _write(study: Study, out: Path) -> Path:
    page = out if out.suffix == ".html" else out / "report.html"
    analysis = analyse(study)
    texts = {
        page: html(analysis),
        page.with_suffix(".md"): markdown(analysis),
        page.with_name("results.json"): results_json(analysis),
        **{page.with_name(name): text for name, text in tables(analysis).items()},
    }
    page.parent.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return page
