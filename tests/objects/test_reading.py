"""Objects inside objects, said as data: what is made, what is refused, and what is written back."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from gymnasium import spaces

from potentia.demonstrations import Demonstrations
from potentia.judges import Prefers
from potentia.objects import Kind, ObjectError, as_data, kinds, read
from potentia.objects.files import read_file
from potentia.objects.reading import paths_from, read_fields
from potentia.shaping import RND, Chain, Checklist, Count, EpisodicCount, PairwiseJudge, PotentialShaping, Scale, Shaper
from potentia.shaping.objects import SHAPERS, from_data, to_data
from potentia.shaping.schedules import Linear

BOX, ACTIONS = spaces.Box(-1.0, 1.0, (3,)), spaces.Discrete(2)


def right(question: Any) -> Any:
    """A rule: an item is done if the page has it."""
    return [float(item in question.text) for item in question.criteria]


def longer(question: Any) -> Any:
    """A rule: the longer action is the better one."""
    return (float(np.sign(len(question.first) - len(question.second))),)


def minus_distance(obs: Any) -> Any:
    return -np.abs(obs)


class Twice(Shaper):
    """A shaper of a shaper: adds the inner term twice."""

    def __init__(self, inner: Shaper, *, kinds: Mapping[str, Literal["a", "b"]] | None = None) -> None:
        super().__init__()
        self.inner, self.kinds = inner, kinds


@pytest.fixture(autouse=True)
def offered(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another package offers `Twice`."""
    point = EntryPoint("Twice", f"{__name__}:Twice", SHAPERS.group)
    monkeypatch.setitem(vars(SHAPERS), "_offered", dict(SHAPERS.own()) | {"Twice": point})


def problems(data: Any, annotation: Any = Shaper) -> list[str]:
    found: list[str] = []
    read(data, annotation, "shapers[0]", found)
    return found


def make(data: dict[str, Any]) -> Any:
    return from_data(data, observation_space=BOX, action_space=ACTIONS, device="cpu", seed=7)


def test_a_shaper_in_a_shaper_with_a_schedule_and_what_is_filled_in() -> None:
    made = make(
        {
            "type": "Chain",
            "shapers": [
                {"type": "Twice", "inner": {"type": "RND", "hidden": 16}},
                {"type": "Count", "weight": {"type": "linear", "start": 1.0, "end": 0.0, "steps": 10}},
            ],
        }
    )
    twice, scaled = made.shapers
    assert isinstance(twice.inner, RND)
    assert twice.inner._made_with == ((), {"observation_space": BOX, "device": "cpu", "seed": 7, "hidden": 16})
    assert isinstance(scaled, Scale)
    assert scaled.weight == Linear(1.0, 0.0, 10)


def test_a_judge_and_functions_by_name() -> None:
    def rules(function: str) -> dict[str, Any]:
        return {"type": "Rules", "rule": {"type": "function", "name": f"{__name__}:{function}"}}

    checklist = make({"type": "Checklist", "items": ["a"], "judge": rules("right")})
    assert isinstance(checklist, Checklist)
    judge = make({"type": "PairwiseJudge", "judge": rules("longer")})
    assert isinstance(judge, PairwiseJudge)
    assert judge.verdicts.get(Prefers("goal", "long", "x", "page")) == (1.0,)
    assert to_data(judge) == {"type": "PairwiseJudge", "judge": rules("longer")}


@pytest.mark.parametrize("name", ["table.npy", "table.json", "table.jsonl"])
def test_a_table_in_a_file(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if path.suffix == ".npy":
        np.save(path, np.array([1.0, 4.0]))
    else:
        path.write_text("1.0\n4.0\n" if path.suffix == ".jsonl" else "[1.0, 4.0]", "utf-8")
    shaper = make({"type": "PotentialShaping", "potential": {"type": "file", "path": str(path)}})
    rest = {"obs": np.array([[0]]), "next_obs": np.array([[1]])}
    from potentia import Rollout

    no = np.zeros((1, 1), bool)
    zero = np.zeros((1, 1))
    rollout = Rollout(
        action=zero, terms={"env": zero}, discount=np.full((1, 1), 0.5), terminated=no, truncated=no, **rest
    )
    assert shaper.shape(rollout)[0].terms["PotentialShaping"].item() == 0.5 * 4.0 - 1.0


def test_a_path_among_other_forms_begins_where_paths_begin_and_must_exist(tmp_path: Path) -> None:
    (tmp_path / "shown.npz").write_bytes(b"")
    problems: list[str] = []
    with paths_from(tmp_path):
        recipe = read("shown.npz", Demonstrations, "demonstrations", problems)
        read("hidden.npz", Demonstrations, "demonstrations", problems)
    assert recipe({}) == tmp_path / "shown.npz"
    assert problems == [f"demonstrations: there is no file 'hidden.npz' (from {tmp_path})"]


def test_files_of_several_arrays_and_files_that_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=np.arange(3))
    assert read_file(tmp_path / "a.npz")["x"].tolist() == [0, 1, 2]
    np.save(tmp_path / "o.npy", np.array([{}]), allow_pickle=True)
    with pytest.raises(ValueError, match="allow_pickle"):
        read_file(tmp_path / "o.npy")
    with pytest.raises(ValueError, match=r"must end in .npy, .npz, .json or .jsonl, got 'a.txt'"):
        read_file(tmp_path / "a.txt")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ({"type": "RDN"}, r"^shapers\[0\]\.type: unknown shaper 'RDN'; did you mean 'RND'"),
        ({"tpye": "RND"}, r"^shapers\[0\]\.type: this field is required"),
        (7, r"^shapers\[0\]: must be an object {type: ...} \(shaper\), got 7"),
        ({"type": "RND", "hiden": 3}, r"^shapers\[0\]\.hiden: unknown argument 'hiden'; did you mean 'hidden'"),
        ({"type": "RND", "hidden": 2.5}, r"^shapers\[0\]\.hidden: must be a whole number, got 2.5"),
        ({"type": "RND", "hidden": True}, r"^shapers\[0\]\.hidden: must be a whole number, got True"),
        ({"type": "RND", "proportion": "a"}, r"^shapers\[0\]\.proportion: must be a finite number, got 'a'"),
        ({"type": "RND", "proportion": float("nan")}, r"^shapers\[0\]\.proportion: must be a finite number, got nan"),
        ({"type": "Twice"}, r"^shapers\[0\]\.inner: Twice requires this argument"),
        ({"type": "Twice", "inner": {"type": "RDN"}}, r"^shapers\[0\]\.inner\.type: .* did you mean 'RND'"),
        ({"type": "Twice", "inner": {"type": "RND"}, "kinds": {"x": "c"}}, r"kinds\.x: must be 'a' or 'b', got 'c'"),
        ({"type": "Chain", "shapers": [{"type": "RND"}, 4]}, r"^shapers\[0\]\.shapers\[1\]: must be an object"),
        ({"type": "BlinkLink", "size": [1.0]}, r"^shapers\[0\]\.size: must be a list of 2, got 1"),
        ({"type": "BlinkLink", "size": [1.0, "b"]}, r"^shapers\[0\]\.size\[1\]: must be a finite number, got 'b'"),
        (
            {"type": "Count", "weight": {"type": "linaer"}},
            r"^shapers\[0\]\.weight\.type: unknown function or schedule 'linaer'; did you mean 'linear'",
        ),
        (
            {"type": "Count", "weight": {"schedule": "linear", "start": 1}},
            r"^shapers\[0\]\.weight: write {type: linear, ...} instead of {schedule: linear, ...}",
        ),
        (
            {"type": "Checklist", "items": ["a"], "judge": {"type": "RND"}},
            r"^shapers\[0\]\.judge\.type: unknown judge 'RND'",
        ),
        (
            {"type": "PotentialShaping", "potential": {"type": "file", "path": "nowhere.npy"}},
            r"^shapers\[0\]\.potential\.path: there is no file 'nowhere.npy'",
        ),
        ({"type": "RND", "seed": {"type": "linear"}}, r"^shapers\[0\]\.seed: must be a whole number, got the object"),
    ],
)
def test_what_is_wrong_is_named_by_its_path(data: Any, message: str) -> None:
    import re

    found = problems(data)
    assert any(re.search(message, problem) for problem in found), found


def test_what_a_constructor_refuses_is_named_by_its_path_too() -> None:
    with pytest.raises(ObjectError, match=r"^shaper\.inner: ValueError: proportion must lie in \(0, 1\]"):
        make({"type": "Twice", "inner": {"type": "RND", "proportion": 2.0}})
    with pytest.raises(ObjectError, match=r"potential: ValueError: the module 'nowhere' can't be imported"):
        make({"type": "PotentialShaping", "potential": {"type": "function", "name": "nowhere:f"}})


def test_a_parameter_may_ask_for_one_class_of_a_kind() -> None:
    assert problems({"type": "RND"}, RND | None) == []
    assert "unknown shaper 'Count'; known: RND" in problems({"type": "Count"}, RND | None)[0]


def test_a_package_cannot_replace_a_shaper_silently(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Kind("shaper", (Shaper,), SHAPERS.own, group="potentia.shapers")
    monkeypatch.setattr(kinds, "entry_points", lambda group: [EntryPoint("Count", "somewhere:Count", group)])
    with pytest.raises(ValueError, match=r"somewhere:Count offers a shaper named 'Count', which exists already"):
        _ = kind.names


def test_a_package_that_fails_is_named_only_where_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = Kind("shaper", (Shaper,), SHAPERS.own, group="potentia.shapers")
    monkeypatch.setattr(kinds, "entry_points", lambda group: [EntryPoint("Broken", "nowhere:Broken", group)])
    assert kind.maker("Count") is Count
    with pytest.raises(ValueError, match=r"the shaper 'Broken' can't be imported from nowhere:Broken"):
        kind.maker("Broken")


@dataclass(frozen=True)
class Inner:
    rate: float = 0.1


@dataclass(frozen=True)
class Outer:
    widths: tuple[int, ...] = (64,)
    inner: Inner = Inner()
    mode: Literal["x", "y"] = "x"
    limit: float | None = None

    renamed: ClassVar[dict[str, str]] = {"layers": "widths"}


def test_a_configuration_is_made_of_fields_with_its_types() -> None:
    found: list[str] = []
    settings = {"widths": [3, 4], "inner": {"rate": 1}, "limit": None}
    assert read_fields(settings, Outer, "config", found)({}) == Outer((3, 4), Inner(1), "x", None)
    assert found == []
    wrong = {"widths": [3, "a"], "inner": {"rat": 1}, "mode": "z", "layers": [1], "limit": "no"}
    read_fields(wrong, Outer, "config", found)
    assert found == [
        "config.widths[1]: must be a whole number, got 'a'",
        "config.inner.rat: unknown setting 'rat'; did you mean 'rate'? known: rate",
        "config.mode: must be 'x' or 'y', got 'z'",
        "config.layers: write widths",
        "config.limit: must be a finite number or nothing (null), got 'no'",
    ]


@pytest.mark.parametrize(
    "shaper",
    [
        Count("state_hash", hash_bits=8),
        EpisodicCount(),
        PotentialShaping(np.array([0.0, 1.0]), shift=1.0),
        PotentialShaping(minus_distance),
        Scale(Count(), Linear(1.0, 0.0, 10)),
        Chain(PotentialShaping("potential"), Scale(RND(BOX, hidden=8, seed=3), 0.1), name="both"),
        Twice(Count()),
    ],
)
def test_a_shaper_is_written_as_what_makes_it_again(shaper: Shaper) -> None:
    data = to_data(shaper)
    again = from_data(json.loads(json.dumps(data)), observation_space=BOX)
    assert type(again) is type(shaper)
    assert again.name == shaper.name
    assert to_data(again) == to_data(copy.deepcopy(shaper)) == data


def test_what_has_no_form_says_so() -> None:
    with pytest.raises(ValueError, match=r"phi\.potential can't be written as data: .*<lambda> is a function that no"):
        to_data(PotentialShaping(lambda state: state, name="phi"))

    class Unknown(Shaper):
        pass

    with pytest.raises(ValueError, match=r"Chain\.shapers\[0\] can't be written .*Unknown is not known by name; offer"):
        to_data(Chain(Unknown()))


def test_callables_of_python_keep_their_kind() -> None:
    schedule: Callable[[int], float] = Linear(1.0, 0.0, 4)
    assert as_data({"a": (1, schedule)}) == {"a": [1, {"type": "linear", "start": 1.0, "end": 0.0, "steps": 4}]}
