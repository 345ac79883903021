"""Files that are wrong in one place, by the hundred: each is refused at once, by the path of what is wrong."""

from __future__ import annotations

import copy
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from potentia.study.documents import SpecError, read_yaml
from potentia.study.plan import check_study
from potentia.study.rehearsal import check_cells
from potentia.study.runner import StudyFolder
from potentia.study.spec import parse_study

GOOD: dict[str, Any] = {
    "name": "good",
    "description": "A study with every field.",
    "imports": ["json"],
    "environments": [
        {
            "id": "potentia/Chain-v0",
            "name": "chain",
            "kwargs": {"length": 6},
            "num_envs": 2,
            "max_episode_steps": 20,
            "steps": 64,
            "threshold": 0.5,
            "anchors": {"random": 0.1, "optimal": 0.9},
            "learner": {"learning_rate": 0.01, "rollout_steps": 4},
        }
    ],
    "shapings": [
        {"name": "none", "shapers": []},
        {
            "name": "both",
            "shapers": [
                {"type": "PotentialShaping", "potential": [0.0, 1.0, 2.0, 3.0, 4.0, 5.0], "shift": 0.5},
                {
                    "type": "Scale",
                    "shaper": {"type": "RND", "hidden": 8, "batch_size": 4, "learning_rate": 0.001, "proportion": 0.5},
                    "weight": {"type": "linear", "start": 0.1, "end": 0.0, "steps": 100},
                },
                {"type": "Count", "weight": 0.1, "hash_bits": 16},
            ],
        },
    ],
    "learners": [{"type": "ppo", "name": "p", "config": {"n_epochs": 2, "widths": [8, 8], "activation": "relu"}}],
    "gamma": 0.9,
    "device": "cpu",
    "seeds": [0, 1],
    "seed_namespace": 3,
    "steps": 64,
    "evaluation": {"every": 32, "episodes": 2, "greedy": True},
    "checkpoint": {"every": 32},
    "timeout": 60.0,
    "report": {"baseline": "none"},
}

Path_ = tuple[str | int, ...]
WRONG: dict[type, list[Any]] = {
    int: ["five", None, math.nan, math.inf, -1, 0, 2**70, 10**12, 2.5, True, [], {}],
    float: ["half", None, math.nan, -math.inf, True, [], {}, [0.5]],
    str: [5, None, [], {}, "", "\x00", "no such thing", "x" * 200_000],
    bool: ["yes", None, 2, []],
    list: ["abc", 3, {}, [None], [[]]],
    dict: ["abc", 3, [], {"no_such_field": 1}],
}
FREE = {  # what is wrong for most fields and right for these
    ("description",): ["", "no such thing"],
    ("environments", 0, "name"): [None, "no such thing"],
    ("environments", 0, "max_episode_steps"): [None, 10**12],
    ("environments", 0, "steps"): [None, 10**12],
    ("environments", 0, "threshold"): [None],
    ("environments", 0, "anchors", "random"): [None],
    ("environments", 0, "anchors", "optimal"): [None],
    ("environments", 0, "learner", "rollout_steps"): [],
    ("shapings", 0, "name"): ["no such thing"],  # then the baseline is missing, which is told
    ("shapings", 1, "name"): ["no such thing"],
    ("shapings", 1, "shapers", 2, "hash_bits"): [None],
    ("shapings", 1, "shapers", 2, "weight"): [None],
    ("learners", 0, "name"): [None, "no such thing"],
    ("seeds", 0): [0, 10**12],
    ("seeds", 1): [10**12],
    ("seeds",): [3],
    ("seed_namespace",): [0, 10**12],
    ("steps",): [10**12],
    ("evaluation", "every"): [10**12],
    ("checkpoint", "every"): [10**12],
    ("timeout",): [None],
    ("shapings", 1, "shapers", 1, "weight", "steps"): [10**12],
    ("learners", 0, "config", "n_epochs"): [10**12],
    ("shapings", 1, "shapers", 1, "shaper", "batch_size"): [10**12],
    ("shapings", 1, "shapers", 1, "weight"): [3],
}


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    """Every field and entry of the document, with its path."""
    if path:
        yield path, value
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield from leaves(entry, (*path, key))


def put(path: Path_, value: Any) -> dict[str, Any]:
    """The good document with another value at a path."""
    document = copy.deepcopy(GOOD)
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return document


def told(path: Path_) -> str:
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def is_clear(problem: str, path: Path_, wrong: Any) -> bool:
    """Whether a line names the path; or that of what it is a part of, and the part or its value in words."""
    if problem.startswith((told(path), f"the field {told(path)!r} is named")):
        return True
    parents = [told(path[:length]) for length in range(1, len(path))]
    named = [*[str(part) for part in path[1:] if isinstance(part, str)][-1:], str(wrong)]
    return any(parent in problem for parent in parents) and any(name in problem for name in named)


def mutations() -> list[tuple[str, dict[str, Any], Path_, Any]]:
    """A name, the document, the path of what is wrong in it, and the wrong value."""
    found = []
    for path, value in leaves(GOOD):
        for wrong in WRONG[type(value)]:
            free = FREE.get(path, [])
            if not any(wrong == one and type(wrong) is type(one) for one in free):
                found.append((f"{told(path)} = {str(wrong)[:20]!r}", put(path, wrong), path, wrong))
        if isinstance(value, dict):
            found.append((f"{told(path)}.tpyo", put((*path, "tpyo"), 1), (*path, "tpyo"), 1))
    for name in ("name", "environments", "shapings", "gamma", "steps"):
        found.append((f"no {name}", {key: value for key, value in GOOD.items() if key != name}, (name,), None))
    special = [
        ("anchors reversed", put(("environments", 0, "anchors"), {"random": 1.0, "optimal": 0.0}), ENVIRONMENT),
        ("anchors equal", put(("environments", 0, "anchors"), {"random": 1.0, "optimal": 1.0}), ENVIRONMENT),
        ("two names", put(("shapings", 1, "name"), "none"), ("shapings",)),
        ("two seeds", put(("seeds",), [1, 1]), ("seeds",)),
        ("a thousand million seeds", put(("seeds",), 10**9), ("seeds",)),
        ("the old field", {"discount": 0.9, **{k: v for k, v in GOOD.items() if k != "gamma"}}, ("discount",)),
        ("a deep list", put(("environments", 0, "kwargs"), {"length": nested(3000)}), ("environments",)),
        ("minibatches", put(("learners", 0, "config"), {"minibatches": 4}), ("learners", 0, "config", "minibatches")),
        ("gamma of a learner", put(("learners", 0, "config"), {"gamma": 0.9}), ("learners", 0, "config", "gamma")),
        ("a date", put(("description",), __import__("datetime").date(2020, 1, 1)), ("description",)),
        ("bytes", put(("environments", 0, "kwargs", "length"), b"x"), ("environments", 0, "kwargs", "length")),
        ("a key of numbers", put(("environments", 0, "kwargs"), {1: 2}), ("environments", 0, "kwargs")),
        ("many values", put(("environments", 0, "kwargs"), {"length": [0] * 300_000}), ()),
    ]
    return found + [(name, document, path, "") for name, document, path in special]


ENVIRONMENT: Path_ = ("environments", 0, "anchors")


def nested(depth: int) -> Any:
    value: Any = 1
    for _ in range(depth):
        value = [value]
    return value


def refuse(document: dict[str, Any]) -> SpecError | None:
    """All checks that are made before a run starts; nothing is written."""
    try:
        study = parse_study(document, "file.yaml")
        check_study(study, "file.yaml")
        folder = StudyFolder(study, Path("nowhere"))
        check_cells(study, [config for config, _ in folder.runs], "file.yaml")
    except SpecError as error:
        return error
    return None


def test_the_good_file_is_good() -> None:
    assert refuse(GOOD) is None


def test_every_wrong_file_is_refused_at_once_by_the_path_of_what_is_wrong() -> None:
    cases = mutations()
    assert len(cases) >= 136
    unclear = []
    for name, document, path, wrong in cases:
        begun = time.process_time()
        error = refuse(document)
        seconds = time.process_time() - begun
        if error is None:
            unclear.append(f"{name}: was not refused")
        elif not any(is_clear(problem, path, wrong) for problem in error.problems):
            unclear.append(f"{name}: {error.problems}")
        elif seconds > 1.0:
            unclear.append(f"{name}: took {seconds:.1f} s")
        elif max(map(len, error.problems)) > 1000:
            unclear.append(f"{name}: says {max(map(len, error.problems))} characters")
    assert not unclear, f"{len(unclear)} of {len(cases)} are not clear:\n" + "\n".join(unclear)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: " + "[" * 3000 + "]" * 3000, "nested too deeply"),
        ("a: " + "{b: " * 3000 + "1" + "}" * 3000, "nested too deeply"),
        ("seeds: " + "9" * 5000, "integer string conversion"),
        ("a: [1, 2", "expected"),
        ("a: 1\na: 2", "the key 'a' is written twice"),
        ("1: 2", "a key must be a text, got 1"),
        ("? [a, b]\n: 2", "a key must be a text"),
        ("? {a: b}\n: 2", "a key must be a text"),
        ("- a\n- b", "must be a mapping"),
        ("", "must be a mapping"),
        ("a: 1\n---\nb: 2", "single document"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: *nowhere", "undefined alias"),
        ("\tname: x", "cannot start any token"),
        ("a: \x07", "special characters are not allowed"),
    ],
)
def test_texts_that_are_no_study(text: str, message: str) -> None:
    begun = time.process_time()
    with pytest.raises(SpecError, match=message):
        parse_study(read_yaml(text, "file.yaml"), "file.yaml")
    assert time.process_time() - begun < 1.0


def test_dates_are_texts_and_references_cannot_multiply() -> None:
    assert read_yaml("description: 2020-01-01", "file.yaml") == {"description": "2020-01-01"}
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 12)]
    with pytest.raises(SpecError, match="more than 200,000 values"):
        parse_study(read_yaml("\n".join(lines), "file.yaml"), "file.yaml")
    with pytest.raises(SpecError, match="nested too deeply"):
        parse_study(read_yaml("a: &a [*a]", "file.yaml"), "file.yaml")


def test_what_is_good_in_python_is_good_in_a_file() -> None:
    text = json.dumps(GOOD)
    assert parse_study(read_yaml(text, "file.yaml")) == parse_study(GOOD)
