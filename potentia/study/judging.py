"""Judges from the command line: read as a study file has them, and probed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import yaml

from potentia.judges import Judge, Question
from potentia.judges.probes import probe, table
from potentia.objects import read
from potentia.shaping import objects
from potentia.testing import judge_questions

__all__ = ["WORLDS", "probe_table", "read_judge"]

WORLDS = ("potentia/KeyRooms-v0", "potentia/DoorKey-5x5-v0")
"""Small worlds that know the truth of what judges are asked."""


def read_judge(text: str) -> Judge:
    """The judge that a text says: the path of a YAML or JSON file, ``{type: ...}`` itself, or a name.

    Args:
        text: For example ``"judge.yaml"``, ``"{type: Embeddings, alike: 0.6}"`` or ``"Embeddings"``.

    Raises:
        ValueError: If it says none, with a line for each thing that is wrong.
        OSError: If the file can't be read.

    >>> read_judge("{type: Mistaken, judge: {type: Rules}, share: 0.5}").name
    'rules, lying 0.5'
    """
    path = Path(text)
    in_file = path.suffix in {".yaml", ".yml", ".json"}
    try:
        data = yaml.safe_load(path.read_text("utf-8") if in_file else text)
    except yaml.YAMLError as error:
        raise ValueError(f"{text}: this is no YAML: {error}") from error
    if isinstance(data, str):
        data = {"type": data}
    problems: list[str] = []
    assert objects.JUDGES  # the kind is known once its module is imported
    recipe = read(data, Judge, "judge", problems)
    if problems:
        raise ValueError("\n".join(problems))
    judge: Judge = recipe({"seed": 0, "device": "cpu"})
    return judge


def probe_table(judges: Sequence[str], worlds: Sequence[str] = (), *, episodes: int = 4, seed: int = 0) -> str:
    """The table of `potentia.judges.probes.probe` for some judges, as `read_judge` reads them.

    Args:
        judges: What says each judge.
        worlds: The ids of the worlds whose states and steps they are measured on. If there are none, those of `WORLDS`.
        episodes: The episodes in each world.
        seed: Of the episodes.

    Raises:
        ValueError: If a judge or a world can't be used. Also if two judges have one name.
    """
    questions: list[Question] = []
    for world in worlds or WORLDS:
        questions += judge_questions(world, episodes=episodes, seed=seed)
    findings = {}
    for text in judges:
        with read_judge(text) as judge:
            if judge.name in findings:
                raise ValueError(f"two of the judges are called {judge.name!r}; probe them one by one")
            findings[judge.name] = probe(judge, questions)
    return table(findings)
