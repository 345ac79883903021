"""The command line: ``potentia study``, ``audit``, ``replay``, ``judges``, and lists of what there is."""

from __future__ import annotations

import dataclasses
import json
import os
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text
from typer.core import TyperGroup

if TYPE_CHECKING:
    from potentia.shaping.fit import Finding


class _ListsByDefault(TyperGroup):
    """A group whose arguments are those of one of its commands unless they begin with another."""

    default = "list"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] != "--help"):
            args = [self.default, *args]
        return super().parse_args(ctx, args)


class _FindsByDefault(_ListsByDefault):
    """``potentia audit TARGET`` is ``potentia audit findings TARGET``."""

    default = "findings"


app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    help="A gym for reward shaping: worlds, shaping layers with checked guarantees, and studies of their worth.",
)
study_app = typer.Typer(no_args_is_help=True, help="Studies: environments x shapings x learners x seeds.")
app.add_typer(study_app, name="study")
judges_app = typer.Typer(cls=_ListsByDefault, help="Judges: a list of those that a study can name, and probes.")
app.add_typer(judges_app, name="judges")
audit_app = typer.Typer(
    cls=_FindsByDefault, help="What is wrong with a shaping before it is trained, and what it does to what is learned."
)
app.add_typer(audit_app, name="audit")
_OUT, _ERR = Console(), Console(stderr=True)
if not _OUT.is_terminal:
    _OUT.width = max(_OUT.width, 160)  # a table that is piped into a file keeps its words


def _complete_study(incomplete: str) -> list[str]:
    from potentia.study.spec import bundled_studies  # noqa: PLC0415 - a quick start for the other commands

    files = [str(path) for path in Path().glob("*.yaml")]
    return [name for name in [*bundled_studies(), *files] if name.startswith(incomplete)]


Source = Annotated[
    str,
    typer.Argument(
        help="A study file, or the name of a study that comes with the package.", autocompletion=_complete_study
    ),
]
Place = Annotated[
    str,
    typer.Argument(
        help="A study: its folder, its file, or the name of one that comes with the package.",
        autocompletion=_complete_study,
    ),
]
Out = Annotated[Path, typer.Option("--out", help="The folder that holds studies.")]
Containing = Annotated[str, typer.Argument(help="Show only names that contain this; of one name, all that is said.")]


def _version(wanted: bool) -> None:
    if wanted:
        from potentia import __version__  # noqa: PLC0415

        typer.echo(f"potentia {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")] = (
        False
    ),
) -> None:
    """A gym for reward shaping: worlds, shaping layers with checked guarantees, and studies of their worth."""
    del version


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
    from potentia.study.progress import shown, summary  # noqa: PLC0415
    from potentia.study.runner import Shard, run_study  # noqa: PLC0415
    from potentia.study.spec import load_study  # noqa: PLC0415

    def warn(finding: Finding) -> None:
        _say(_ERR, f"{finding.name}: {finding.place}: {finding.message}", style="yellow")

    part = Shard.parse(shard)
    with shown(_OUT) as watch:
        folder, executor = run_study(
            load_study(source), source, out, jobs=jobs, shard=part, timeout=timeout, watch=watch, warn=warn
        )
    states = folder.states()
    _say(_OUT, summary(states))
    for problem in executor.problems:
        _say(_ERR, problem, style="red")
    again = shlex.join(["potentia", "study", "run", source, "--out", str(out)])
    if executor.interrupted:
        _say(_ERR, f"Interrupted. Nothing is lost, and this goes on where it stopped:\n  {again}")
        raise typer.Exit(130)
    if report and states["completed"]:
        _write_report(folder.path)
    unfinished = executor.unfinished()
    for job, reason in unfinished:
        text = f"{job.config.label}: {reason}\n  log: {shlex.quote(str(job.folder.log))}"
        _say(_ERR, text, style="red")
    if unfinished or executor.problems:
        _say(_ERR, f"{len(unfinished)} runs are not completed; this tries them again:\n  {again}")
        raise typer.Exit(1)


@study_app.command("status")
def status(study: Place, out: Out = Path("runs")) -> None:
    """Show every run of a study."""
    from potentia.study.progress import summary, table  # noqa: PLC0415
    from potentia.study.runner import StudyFolder  # noqa: PLC0415

    folder = StudyFolder.find(study, out)
    _OUT.print(table(folder.runs))
    _say(_OUT, summary(folder.states()))


@study_app.command("report")
def report(
    study: Place,
    out: Out = Path("runs"),
    to: Annotated[Path | None, typer.Option(help="Where to write it; into the folder by default.")] = None,
) -> None:
    """Write the report of a study, finished or not."""
    from potentia.study.results.finding import find_study  # noqa: PLC0415

    if not _write_report(find_study(study, out), to):
        raise typer.Exit(1)


@study_app.command("compare")
def compare(
    studies: Annotated[list[str], typer.Argument(help="Two studies or more: folders, files or names.")],
    out: Out = Path("runs"),
    to: Annotated[Path | None, typer.Option(help="Where to write it; beside the first study by default.")] = None,
) -> None:
    """Compare the results of studies on the worlds that they share."""
    from potentia.study.report import compare as compare_studies  # noqa: PLC0415
    from potentia.study.results.finding import find_study  # noqa: PLC0415

    if not _reported(lambda: compare_studies(*(find_study(study, out) for study in studies), out=to)):
        raise typer.Exit(1)


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


@study_app.command("fields")
def fields() -> None:
    """List every field of a study file, with its type, its default and what it means."""
    from potentia.study.fields import reference  # noqa: PLC0415

    typer.echo(reference())


@audit_app.command("findings")
def audit(
    target: Annotated[
        str,
        typer.Argument(
            help="A study, its file or its name; MODULE:OBJECT, where a stack or a model is, or what makes one; a "
            "Python script, which is read and not run; a file of RL-Zoo's settings.",
            autocompletion=_complete_study,
        ),
    ],
    gamma: Annotated[float | None, typer.Option(help="The learner's discount factor, if TARGET does not say it.")] = (
        None
    ),
    as_json: Annotated[bool, typer.Option("--json", help="Print a list of findings as JSON.")] = False,
) -> None:
    """Say what is wrong with TARGET; ``findings`` may be left out. Exit code 1 if it is severe, 2 for wrong use."""
    from potentia.audit import audit as findings_of  # noqa: PLC0415

    try:
        found = findings_of(target, gamma=gamma)
    except (ImportError, AttributeError, TypeError) as error:
        raise ValueError(f"{target} can't be audited: {error}") from error
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in found], indent=2))
    else:
        _print_findings(target, found)
    if any(finding.severe for finding in found):
        raise typer.Exit(1)


def _print_findings(target: str, found: list[Finding]) -> None:
    if not found:
        _say(_OUT, f"{target}: nothing found")
        return
    grid = Table(box=None, pad_edge=False)
    for name in ("finding", "where", "what is wrong", "what to do"):
        grid.add_column(name)
    for finding in found:
        style = "red" if finding.severe else "yellow"
        cells = (finding.name, finding.place, finding.problem, finding.advice)
        grid.add_row(Text(cells[0], style), *map(Text, cells[1:]))
    _OUT.print(grid)
    severe = sum(finding.severe for finding in found)
    _say(_OUT, f"{len(found)} findings, {severe} of them severe")


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
    _say(_OUT, f"Replay: {written}")


@audit_app.command("replay")
def audit_replay(
    run: Annotated[Path, typer.Argument(help="The folder of a run: one of STUDY/runs.")],
    shaping: Annotated[str, typer.Option(help="Another shaping: its name in the run's study, or a YAML file of one.")],
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes of the run's policy to play.")] = 20,
    to: Annotated[Path | None, typer.Option(help="The HTML file to write; in the run's folder by default.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print all of it as JSON.")] = False,
) -> None:
    """Shape what a run's policy does by another shaping, too: where does the advantage change sign? Writes a page."""
    from potentia.replay.counterfactual import counterfactual  # noqa: PLC0415

    page = to or run / f"against-{Path(shaping).stem}.html"
    found = counterfactual(run, shaping, episodes=episodes, to=page)
    typer.echo(found.to_json() if as_json else str(found))
    _say(_ERR if as_json else _OUT, f"Replay: {page}")


@app.command("reannotate")
def reannotate(
    run: Annotated[Path, typer.Argument(help="The folder of a run whose shaping has a judge: one of STUDY/runs.")],
    judge: Annotated[Path, typer.Option(help="A YAML file of another judge: 'type: Embeddings' and its arguments.")],
    episodes: Annotated[int, typer.Option(min=1, help="How many episodes of the run's policy to read.")] = 20,
) -> None:
    """Recompute a run's judged shaping by another judge, on episodes of its policy, and compare."""
    from potentia.replay.reannotation import reannotate as compare_judges  # noqa: PLC0415

    typer.echo(str(compare_judges(run, judge, episodes=episodes)))


@app.command("envs")
def envs(containing: Containing = "") -> None:
    """List the worlds."""
    import gymnasium as gym  # noqa: PLC0415

    for name in sorted(gym.registry):
        if name.startswith("potentia/") and containing.lower() in name.lower():
            typer.echo(name)


@app.command("shapers")
def shapers(containing: Containing = "") -> None:
    """List the shapers that a study can name, with what they add."""
    from potentia.study import catalogue  # noqa: PLC0415

    _list("shaper", "adds", catalogue.shapers(), containing)


@app.command("learners")
def learners(containing: Containing = "") -> None:
    """List the learners that a study can name."""
    from potentia.study import catalogue  # noqa: PLC0415

    _list("learner", "what it is", catalogue.learners(), containing)


@judges_app.command("list")
def judges(containing: Containing = "") -> None:
    """List the judges that a study can name."""
    from potentia.study import catalogue  # noqa: PLC0415

    _list("judge", "answers", catalogue.judges(), containing)


@judges_app.command("probe")
def probe(
    judges: Annotated[
        list[str],
        typer.Argument(metavar="JUDGE...", help="A YAML or JSON file, a name, or {type: name, argument: value, ...}."),
    ],
    world: Annotated[
        list[str] | None, typer.Option(help="Worlds on whose states and steps judges are measured: two if none.")
    ] = None,
    episodes: Annotated[int, typer.Option(min=0, help="The episodes in each world.")] = 4,
    seed: Annotated[int, typer.Option(help="Of the episodes.")] = 0,
) -> None:
    """Ask judges what fools judges, and measure them by what worlds know. Prints a Markdown table."""
    from potentia.study.judging import probe_table  # noqa: PLC0415

    typer.echo(probe_table(judges, world or (), episodes=episodes, seed=seed))


def _list(kind: str, about: str, texts: Mapping[str, str], containing: str) -> None:
    """A line on each that matches, or all that one says of itself, if its name is given."""
    if containing in texts:
        typer.echo(f"{containing}: {texts[containing]}")
        return
    grid = Table(box=None, pad_edge=False)
    for name in (kind, about):
        grid.add_column(name)
    for name, text in sorted(texts.items()):
        if containing.lower() in name.lower():
            grid.add_row(name, Text(text.partition("\n")[0]))  # formulas have brackets, which are no markup
    _OUT.print(grid)


def _say(console: Console, text: str, style: str = "") -> None:
    """Prints a text as it is: a path may hold brackets, which are no markup, and is not broken into lines."""
    console.print(text, style=style, highlight=False, markup=False, soft_wrap=True)


def _write_report(study: Path, to: Path | None = None) -> bool:
    from potentia.study.report import write_report  # noqa: PLC0415

    return _reported(lambda: write_report(study, to))


def _reported(write: Callable[[], Path]) -> bool:
    """Writes a report and says where. Returns False if the extra that it needs is not installed."""
    try:
        page = write()
    except ImportError as error:
        _say(_ERR, f"no report: {error}")
        return False
    _say(_OUT, f"Report: {page}")
    return True


def main() -> None:
    """Runs the command line. A mistake in a study or an argument is told without a traceback."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal without UTF-8 shows "?" for what it lacks
            stream.reconfigure(errors="replace")
    try:
        app()
    except (ValueError, OSError) as error:  # a SpecError is a ValueError
        _say(_ERR, f"potentia: {error}", style="red")
        raise SystemExit(2) from error


if __name__ == "__main__":
    main()
