"""The results of a study by whatever names it: its folder, its file, or its name."""

from __future__ import annotations

from pathlib import Path

from potentia.study.results.files import yaml_mapping

RUNS = Path("runs")
"""The folder that holds studies, if no other is given."""


def find_study(source: str | Path, out: Path = RUNS) -> Path:
    """The folder with a study's results.

    Args:
        source: that folder, a file in it, the study's file, or the study's name.
        out: the folder that holds studies, for a file or a name.

    Raises:
        FileNotFoundError: there are no results under that name. The message lists the studies that have some.
    """
    path = Path(source)
    name = path.name
    if path.is_file():
        if lies_in_results(path):
            return path.parent
        name = str(yaml_mapping(path.read_text(encoding="utf-8", errors="replace")).get("name") or path.stem)
    for folder in (path, out / name):
        if _holds_study(folder):
            return folder
    known = sorted(entry.name for entry in out.iterdir() if _holds_study(entry)) if out.is_dir() else []
    raise FileNotFoundError(
        f"wanted the folder, the file or the name of a study that was run, got {str(source)!r}: no results in "
        f"{str(path)!r} or {str(out / name)!r}; studies in {str(out)!r}: {', '.join(known) or 'none'}"
    )


def lies_in_results(file: Path) -> bool:
    """Whether a file is one of those of a study's results. A study's own file may lie beside a folder 'runs', too."""
    return (file.parent / "plan.json").is_file() or any((file.parent / "runs").glob("*/config.json"))


def _holds_study(folder: Path) -> bool:
    return (folder / "runs").is_dir()
