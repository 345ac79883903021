"""The command line: ``potentia study run|status|report|compare|list``, ``potentia replay|envs|shapers``."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from potentia.study.documents import SpecError

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="A gym for reward shaping: worlds, shaping layers with checked guarantees, and studies of their worth.",
)
study_app = typer.Typer(no_args_is_help=True, help="Studies: environments x shapings x learners x seeds.")
app.add_typer(study_app, name="study")
_OUT, _ERR = Console(), Console(stderr=True)
if not _OUT.is_terminal:
    _OUT.width = max(_OUT.width, 160)  # a table that is piped into a file keeps its words

Source = Annotated[str, typer.Argument(help="A study file, or the name of a study that comes with the package.")]
Out = Annotated[Path, typer.Option("--out", help="The folder that holds studies.")]


@study_app.command("run")
def run(
    source: Source,
    out: Out = Path("runs"),
    jobs: Annotated[int, typer.Option(min=1, help="Runs at once, one process and one thread each.")] = os.cpu_count()
    or 1,
    shard: Annotated[str, typer.Option(help="Run only part k of n, as k/n, on one of n machines.")] = "1/1",
    timeout: Annotated[float | None, typer.Option(help="Seconds that one run may take.")] = None,
    report: Annotated[bool, typer.Option(help="Write the report at the end.")] = True,
) -> None:
    """Run what is missing of a study. The same command again goes on where it stopped."""
    from potentia.study.progress import shown, summary  # noqa: PLC0415 - a quick start for the other commands
    from potentia.study.runner import Shard, run_study  # noqa: PLC0415
    from potentia.study.spec import load_study  # noqa: PLC0415

    with shown(_OUT) as watch:
        folder, executor = run_study(
            load_study(source), source, out, jobs=jobs, shard=Shard.parse(shard), timeout=timeout, watch=watch
        )
    states = folder.states()
    _OUT.print(summary(states), highlight=False)
    for problem in executor.problems:
        _ERR.print(problem, highlight=False, soft_wrap=True, style="red")
    again = f"potentia study run {source} --out {out}"
    if executor.interrupted:
        _ERR.print(
            f"Interrupted. Nothing is lost: '{again}' goes on where it stopped.", highlight=False, soft_wrap=True
        )
        raise typer.Exit(130)
    if report and states["completed"]:
        _write_report(folder.path)
    wrong = [(config, run) for config, run in folder.runs if run.status()["state"] in ("failed", "timeout")]
    for config, run in wrong:
        error = run.status().get("error", "")
        _ERR.print(f"{config.label}: {error}\n  log: {run.log}", highlight=False, soft_wrap=True, style="red")
    if wrong or executor.problems:
        _ERR.print(f"{len(wrong)} runs failed; '{again}' tries them again.", highlight=False, soft_wrap=True)
        raise typer.Exit(1)


@study_app.command("status")
def status(source: Source, out: Out = Path("runs")) -> None:
    """Show every run of a study."""
    from potentia.study.progress import summary, table  # noqa: PLC0415
    from potentia.study.runner import StudyFolder  # noqa: PLC0415
    from potentia.study.spec import load_study  # noqa: PLC0415

    folder = StudyFolder(load_study(source), out)
    _OUT.print(table(folder.runs))
    _OUT.print(summary(folder.states()), highlight=False)


@study_app.command("report")
def report(
    study: Annotated[Path, typer.Argument(help="The folder of a study.")],
    to: Annotated[Path | None, typer.Option(help="Where to write it; into the folder by default.")] = None,
) -> None:
    """Write the report of a study, finished or not."""
    _write_report(_study_folder(study), to)


@study_app.command("compare")
def compare(studies: Annotated[list[Path], typer.Argument(help="The folders of two studies or more.")]) -> None:
    """Compare the results of studies on the worlds that they share."""
    from potentia.study.report import compare as compare_studies  # noqa: PLC0415

    typer.echo(compare_studies(*map(_study_folder, studies)))


@study_app.command("list")
def list_studies() -> None:
    """List the studies that come with the package."""
    from potentia.study.spec import bundled_studies, load_study  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False)
    for name in ("study", "runs", "what it asks"):
        grid.add_column(name)
    for name in bundled_studies():
        study = load_study(name)
        cells = len(study.environments) * len(study.shapings) * len(study.learners) * len(study.seed_list)
        grid.add_row(name, str(cells), study.description)
    _OUT.print(grid)


@app.command("replay")
def replay(
    path: Annotated[Path, typer.Argument(help="An episode's file, a folder of episodes, or the folder of a run.")],
    to: Annotated[Path | None, typer.Option(help="The HTML file to write; beside the episodes by default.")] = None,
    episode: Annotated[int | None, typer.Option(min=0, help="Show only the episode of this number.")] = None,
    episodes: Annotated[int, typer.Option(min=1, help="Of a run: how many episodes to play.")] = 3,
) -> None:
    """Write a page that plays recorded episodes, or episodes of a run's policy, step by step."""
    from potentia.replay import replay as write_replay  # noqa: PLC0415

    written = write_replay(path, to, episode=episode, episodes=episodes)
    _OUT.print(f"Replay: {written}", highlight=False, soft_wrap=True)


@app.command("envs")
def envs(containing: Annotated[str, typer.Argument(help="Show only ids that contain this.")] = "") -> None:
    """List the worlds."""
    import gymnasium as gym  # noqa: PLC0415

    for name in sorted(gym.registry):
        if name.startswith("potentia/") and containing.lower() in name.lower():
            typer.echo(name)


@app.command("shapers")
def shapers() -> None:
    """List the shapers that a study can name, with what they add."""
    from potentia.study.shapings import known_shapers  # noqa: PLC0415

    grid = Table(box=None, pad_edge=False)
    for name in ("shaper", "adds"):
        grid.add_column(name)
    for name, shaper in sorted(known_shapers().items()):
        grid.add_row(name, (shaper.__doc__ or "").splitlines()[0])
    _OUT.print(grid)


def _write_report(study: Path, to: Path | None = None) -> None:
    try:
        from potentia.study.report import write_report  # noqa: PLC0415
    except ImportError as error:
        message = f"no report: {error}; this needs the extra 'report': pip install 'potentia[report]'"
        _ERR.print(message, highlight=False, soft_wrap=True)
        return
    _OUT.print(f"Report: {write_report(study, to)}", highlight=False, soft_wrap=True)


def _study_folder(path: Path) -> Path:
    if not (path / "runs").is_dir():
        raise SpecError(
            str(path), ["there is no study in this folder; give the folder that holds 'study.yaml' and 'runs'"]
        )
    return path


def main() -> None:
    """Runs the command line; a mistake in a study or an argument is told without a traceback."""
    try:
        app()
    except (SpecError, ValueError, OSError) as error:
        _ERR.print(f"potentia: {error}", style="red", highlight=False, soft_wrap=True)
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
