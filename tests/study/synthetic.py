"""Writes run folders with known curves, so that reports and readers can be tested without training
anything."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml

ENVIRONMENTS = ("potentia/DeepSea-v0", "potentia/DoorKey-8x8-v0", "potentia/MiniHack-Room-15x15-v0")
ANCHORS: dict[str, tuple[float | None, float | None]] = {
    ENVIRONMENTS[0]: (0.0, 0.99),
    ENVIRONMENTS[1]: (0.01, 0.97),
    ENVIRONMENTS[2]: (0.05, None),
}


@dataclass(frozen=True)
class Curve:
    """A sigmoid learning curve in units of the optimum: where it ends and when (share of training) it
    gets half-way."""

    final: float
    half: float
    noise: float = 0.05
    shaped_gain: float = 0.0  # rise of the shaped return that the true return does not share
    term: str | None = None


CURVES = {
    "none": Curve(0.15, 0.8),
    "oracle potential": Curve(0.97, 0.25, term="oracle potential"),
    "count": Curve(0.8, 0.5, term="count"),
    "rnd": Curve(0.7, 0.6, noise=0.12, term="rnd"),
    "misleading": Curve(0.05, 0.9, shaped_gain=3.0, term="misleading"),
}
CONTRACTS = {
    "oracle potential": "policy_invariant",
    "count": "vanishing",
    "rnd": "vanishing",
    "misleading": "unconstrained",
}


def write_study(
    root: Path,
    *,
    name: str = "synthetic",
    environments: Sequence[str] = ENVIRONMENTS,
    shapings: Mapping[str, Curve] | None = None,
    seeds: int = 5,
    steps: int = 100_000,
    states: Mapping[tuple[str, str, int], tuple[str, str | None]] | None = None,
) -> Path:
    """Write a study; `states` maps (environment, shaping, seed) to (state, error) where not completed."""
    folder = root / name
    folder.mkdir(parents=True)
    curves = dict(CURVES if shapings is None else shapings)
    spec = {
        "name": name,
        "environments": [{"id": e} for e in environments],
        "shapings": {s: [] for s in curves},
        "learners": [{"type": "ppo"}],
        "seeds": seeds,
        "steps": steps,
    }
    (folder / "study.yaml").write_text(yaml.safe_dump(spec, sort_keys=False), encoding="utf-8")
    for index, environment in enumerate(environments):
        for shaping, curve in curves.items():
            for seed in range(seeds):
                state, error = (states or {}).get((environment, shaping, seed), ("completed", None))
                source = np.random.default_rng([index, seed, *shaping.encode()])
                cell = Cell(folder, environment, shaping, curve, seed, steps)
                write_run(cell, source, state=state, error=error)
    return folder


@dataclass(frozen=True)
class Cell:
    """One run of a study, before it has a folder."""

    study: Path
    environment: str
    shaping: str
    curve: Curve
    seed: int
    steps: int


def write_run(cell: Cell, source: np.random.Generator, *, state: str = "completed", error: str | None = None) -> Path:
    """Write one run folder; a run that did not complete stops at 55 % of its steps."""
    index = len(list((cell.study / "runs").glob("*")))
    folder = cell.study / "runs" / f"{index:04d}"
    folder.mkdir(parents=True)
    done = {"completed": 1.0, "queued": 0.0}.get(state, 0.55)
    random, optimal = ANCHORS.get(cell.environment, (0.0, 1.0))
    scale = (random or 0.0, 1.0 if optimal is None else optimal)
    lines = _lines(cell, scale, done, source)
    _dump(folder / "config.json", _config(cell, folder.name))
    _dump(
        folder / "status.json",
        {
            "state": state,
            "steps": int(done * cell.steps),
            "updated": 1.7e9,
            "pid": 1,
            "error": error,
            "attempt": 1,
        },
    )
    if state == "queued":
        return folder
    _dump(folder / "manifest.json", _manifest(cell.shaping, cell.seed, cell.environment))
    (folder / "metrics.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    if state == "completed":
        evals = [line for line in lines if line["kind"] == "eval"]
        result = {
            "run_id": folder.name,
            "final": {k: evals[-1][k] for k in ("return_mean", "success_rate", "episodes")},
            "evals": [{k: e[k] for k in ("step", "return_mean", "success_rate")} for e in evals],
            "wall_seconds": 60.0 + index,
            "steps": cell.steps,
            "anchors": {"random": random, "optimal": optimal},
        }
        _dump(folder / "result.json", result)
    return folder


def set_scores(study: Path, scores: Mapping[tuple[str, str], Sequence[float]], *, success: bool = True) -> None:
    """Give the completed runs of cells other final scores, normalised ones, by (environment, shaping) and seed.

    Args:
        study: what `write_study` wrote.
        scores: one score for each seed.
        success: whether the world says what a success is.
    """
    for path in (study / "runs").glob("*/result.json"):
        config = json.loads(path.with_name("config.json").read_text(encoding="utf-8"))
        own = scores[config["environment"]["id"], config["shaping"]["name"]]
        result = json.loads(path.read_text(encoding="utf-8"))
        low, high = result["anchors"]["random"], result["anchors"]["optimal"]
        score = own[config["seed"]]
        result["final"] |= {"return_mean": low + (high - low) * score, "success_rate": score if success else None}
        _dump(path, result)


def _lines(cell: Cell, scale: tuple[float, float], done: float, source: np.random.Generator) -> list[dict[str, Any]]:
    curve, steps, (low, high) = cell.curve, cell.steps, scale
    lines: list[dict[str, Any]] = []
    half = curve.half * math.exp(source.normal(0, 0.15))
    final = min(max(curve.final + source.normal(0, curve.noise), 0.0), 1.0)
    for k in range(21):
        share = k / 20
        if share > done:
            break
        level = final / (1 + math.exp(-12 * (share - half))) if final else 0.0
        success = min(max(level + source.normal(0, 0.02), 0.0), 1.0)
        true = low + (high - low) * success
        if k:
            bonus = curve.shaped_gain * share + (0.5 * math.exp(-3 * share) if curve.term else 0.0)
            part = bonus / (bonus + abs(true) + 0.05)
            terms = {"env": true / 50} | ({curve.term: bonus / 50} if curve.term else {})
            shares = {"env": 1 - part} | ({curve.term: part} if curve.term else {})
            lines.append(
                {
                    "kind": "train",
                    "step": int(share * steps),
                    "time": 3.0 * k,
                    "terms": terms,
                    "shares": shares,
                    "episodes": 40,
                    "return": {"env": true, "shaped": true + bonus},
                    "learner": {"loss": 0.1},
                    "shaper": {},
                    "profile": {"act": 1.0, "step": 1.2, "shape": 0.2 if curve.term else 0.0, "learn": 0.6},
                }
            )
        lines.append(
            {
                "kind": "eval",
                "step": int(share * steps),
                "episodes": 20,
                "returns": [true] * 20,
                "return_mean": true,
                "success_rate": success,
                "length_mean": 40.0,
            }
        )
    return lines


def _config(cell: Cell, run_id: str) -> dict[str, Any]:
    return {
        "study": cell.study.name,
        "run_id": run_id,
        "environment": {"id": cell.environment, "kwargs": {}},
        "shaping": {
            "name": cell.shaping,
            "shapers": [{"type": cell.curve.term}] if cell.curve.term else [],
        },
        "learner": {"type": "ppo", "lr": 3e-4},
        "seed": cell.seed,
        "steps": cell.steps,
        "evaluation": {"episodes": 20, "every": cell.steps // 20},
    }


def _manifest(shaping: str, seed: int, environment: str) -> dict[str, Any]:
    return {
        "git": {"sha": "0123456789abcdef0123456789abcdef01234567", "dirty": False},
        "versions": {"potentia": "0.1.0", "numpy": "2.4.6", "gymnasium": "1.2.0", "torch": "2.13.0"},
        "python": "3.11.2",
        "platform": "Linux-x86_64",
        "cpu": "2 cores",
        "torch_threads": 1,
        "seeds": {"run": seed, "evaluation": 10_000 + seed},
        "environment": {"id": environment, "wrappers": ["ShapeReward"]},
        "contract": {
            "guarantee": CONTRACTS.get(shaping, "policy_invariant"),
            "reads": ["potential"] if "potential" in shaping else ["obs"],
            "scope": "step",
            "truncation": "bootstrap",
        },
    }


def _dump(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=1), encoding="utf-8")
