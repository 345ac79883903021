"""From a study folder to its runs, whatever state they are in."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from potentia.study.folder import RunFolder
from potentia.study.results.certificates import read_certificate
from potentia.study.results.files import (
    Json,
    column,
    json_lines,
    json_object,
    mapping,
    number,
    unique,
    yaml_mapping,
)
from potentia.study.results.findings import read_findings
from potentia.study.results.judging import read_judging
from potentia.study.results.labels import distinct_labels
from potentia.study.results.records import Evaluations, Run, Study, Training
from potentia.study.results.searches import read_search


def load_study(folder: Path) -> Study:
    """Read a study folder with all of its runs, finished or not.

    Args:
        folder: the folder that holds `study.yaml` and `runs/`.

    Raises:
        FileNotFoundError: the folder holds neither.
    """
    spec_file, runs_folder = folder / "study.yaml", folder / "runs"
    if not spec_file.is_file() and not runs_folder.is_dir():
        raise FileNotFoundError(
            f"wanted a study folder with study.yaml and runs/, got {folder}: name the folder that "
            "`potentia study run` wrote"
        )
    text = spec_file.read_text(encoding="utf-8") if spec_file.is_file() else ""
    spec = yaml_mapping(text)
    folders = sorted(p for p in runs_folder.glob("*") if (p / "config.json").is_file())
    # A study that was changed leaves the runs of its earlier form in the folder: they are not a part of it.
    planned = (json_object(folder / "plan.json") or {}).get("runs")
    if isinstance(planned, list):
        folders = [path for path in folders if path.name in planned]
    configs = [json_object(path / "config.json") or {} for path in folders]
    environments = distinct_labels([mapping(c, "environment") for c in configs], "id")
    learners = distinct_labels([mapping(c, "learner") for c in configs], "type")
    runs = [
        _load_run(path, config, environment, learner)
        for path, config, environment, learner in zip(folders, configs, environments, learners, strict=True)
    ]
    name = str(spec.get("name") or (runs[0].study if runs else folder.name))
    return Study(name, folder, spec, text, tuple(sorted(runs, key=_order(spec))), read_findings(folder))


def _load_run(folder: Path, config: Json, environment: str, learner: str) -> Run:
    status = json_object(folder / "status.json") or {}
    result = json_object(folder / "result.json")
    state = str(RunFolder(folder).status()["state"]) if status else "queued"
    error = status.get("error")
    final = number(mapping(result, "final").get("return_mean"))
    if state == "completed" and not math.isfinite(final):
        state, error = (
            "interrupted",
            "status says completed, but result.json is missing or holds no final return",
        )
    lines = json_lines(folder / "metrics.jsonl")
    trained = _by_step(lines, "train")
    seed = number(config.get("seed"))
    steps = number(config.get("steps"))
    return Run(
        folder=folder,
        run_id=str(config.get("run_id", folder.name)),
        study=str(config.get("study", "")),
        environment=environment,
        shaping=str(mapping(config, "shaping").get("name", "?")),
        learner=learner,
        seed=int(seed) if math.isfinite(seed) else -1,
        planned_steps=int(steps) if math.isfinite(steps) else 0,
        state=state,
        error=None if error is None else str(error),
        config=config,
        manifest=json_object(folder / "manifest.json") or {},
        status=status,
        result=result if state == "completed" else None,
        evaluations=_evaluations(_by_step(lines, "eval")),
        training=_training(trained),
        judging=read_judging(trained),
        search=read_search(trained),
        certificate=read_certificate(folder) if state == "completed" else None,
    )


def _evaluations(lines: list[Json]) -> Evaluations:
    lines = [line for line in lines if math.isfinite(number(line.get("return_mean")))]
    return Evaluations(
        steps=column(lines, "step"),
        returns=column(lines, "return_mean"),
        success=column(lines, "success_rate"),
        length=column(lines, "length_mean"),
        episodes=int(number(lines[-1].get("episodes", 0))) if lines else 0,
    )


def _training(lines: list[Json]) -> Training:
    shares = [mapping(line, "shares") for line in lines]
    returns = [mapping(line, "return") for line in lines]
    profiles = [mapping(line, "profile") for line in lines]
    return Training(
        steps=column(lines, "step"),
        shares={name: column(shares, name) for name in unique(k for share in shares for k in share)},
        true_return=column(returns, "env"),
        shaped_return=column(returns, "shaped"),
        profile={part: float(np.nansum(column(profiles, part))) for part in unique(k for p in profiles for k in p)},
    )


def _by_step(lines: list[Json], kind: str) -> list[Json]:
    """Lines of one kind with unique, increasing steps: after a resume the later line of a step counts."""
    kept = {number(line.get("step")): line for line in lines if line.get("kind") == kind}
    return [kept[step] for step in sorted(step for step in kept if math.isfinite(step))]


def _order(spec: Json) -> Any:
    """Sort key: the specification's own order where it names things, "none" first among shapings."""
    text = json.dumps(spec, default=str)

    def place(name: str) -> int:
        found = text.find(json.dumps(name))
        return found if found >= 0 else len(text)

    def key(run: Run) -> tuple[Any, ...]:
        environment = str(mapping(run.config, "environment").get("id", run.environment))
        return (
            (place(environment), run.environment),
            (run.shaping != "none", place(run.shaping), run.shaping),
            (place(run.learner), run.learner),
            run.seed,
            run.run_id,
        )

    return key
