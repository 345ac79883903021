"""Another shaping for a run: one of its study, as it was trained in a run like it, or one from a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from potentia.objects.kinds import unknown
from potentia.shaping.shaper import Shaper
from potentia.study.documents import SpecError, read_yaml
from potentia.study.plan import RunConfig
from potentia.study.runner import StudyFolder
from potentia.study.shapings import make_shaper
from potentia.study.spec import ShapingSpec
from potentia.study.trained import Trained, read_checkpoint
from potentia.study.world import World


def other_shaping(run: Path, shaping: str, trained: Trained, world: World) -> tuple[Shaper, str]:
    """The shaping of a name or a file, and the id of the run whose learning it has, "" if it has none.

    Args:
        run: The folder of a run.
        shaping: The name of a shaping of the run's study, or the path of a YAML file.
        trained: The run.
        world: Its world.

    Raises:
        ValueError: If there is no such shaping, or it can't be made.
    """
    config, folder = trained.config, trained.config.folder
    specs, runs = _of_study(run)
    checkpoint: Path | None = None
    if shaping in specs:
        spec = specs[shaping]
        checkpoint = next((path for cell, path in runs if cell == _cell(config, shaping)), None)
    elif Path(shaping).is_file():
        spec, folder = _read(Path(shaping)), str(Path(shaping).absolute().parent)
    else:
        raise ValueError(f"{unknown('shaping', shaping, specs)}; or give the path of a YAML file of one")
    made = make_shaper(
        spec, world.observation_space, world.action_space,
        device=config.device, seed=trained.seeds.shaper, where=shaping, folder=folder,
    )  # fmt: skip
    if checkpoint is None:
        return made, ""
    made.load_state_dict(read_checkpoint(checkpoint)[1]["shaper"])
    return made, checkpoint.name if made.learns else ""


def _of_study(run: Path) -> tuple[dict[str, ShapingSpec], list[tuple[dict[str, Any], Path]]]:
    """The shapings of the study that a run lies in, and its runs that have a checkpoint."""
    study = run.absolute().parent.parent
    if not (study / "study.yaml").is_file():
        return {}, []
    folder = StudyFolder.find(str(study), study.parent)
    trained = [(config, own.path) for config, own in folder.runs if own.checkpoint.exists()]
    runs = [(_cell(config, config.shaping.name), path) for config, path in trained]
    return {spec.name: spec for spec in folder.study.shapings}, runs


def _cell(config: RunConfig, shaping: str) -> dict[str, Any]:
    return {
        "environment": config.environment, "learner": config.learner, "seed": config.seed, "gamma": config.gamma,
        "shaping": shaping,
    }  # fmt: skip


def _read(path: Path) -> ShapingSpec:
    document = read_yaml(path.read_text("utf-8"), str(path))
    shapers = document.get("shapers", [document] if "type" in document else None)
    if not isinstance(shapers, list):
        raise SpecError(str(path), ["wanted a shaping: 'shapers: [...]', or 'type: ...' and its arguments"])
    name = document.get("name", path.stem) if "shapers" in document else path.stem
    return ShapingSpec(name=str(name), shapers=shapers)
