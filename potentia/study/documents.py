"""Study files as text: YAML read strictly, and complaints that name the field and what was probably meant."""

from __future__ import annotations

import math
import re
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import is_dataclass
from itertools import accumulate
from typing import Any

import yaml

from potentia.objects.writing import Recorded

_DEEPEST, _MOST, _LONGEST = 32, 200_000, 100_000
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("null", "bool", "int", "float", "str", "merge")}


class SpecError(ValueError):
    """A study that can't be run as it is written. The message has one line for each problem."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source, self.problems = source, list(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        super().__init__(f"{source}: {count}\n" + "\n".join(f"  - {problem}" for problem in self.problems))


class _Loader(yaml.SafeLoader):
    """YAML in which ``3e-4`` is a number, as in YAML 1.2, a date is a text, and a key may be written once only."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - of PyYAML's own form
        first: [(tag, pattern) for tag, pattern in found if tag in _PLAIN_TAGS]
        for first, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
    }

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping. A repeated key is an error, where PyYAML would silently take the last."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # "<<: *defaults", which the keys beside it override
                continue
            key = self.construct_object(key_node, deep=True)
            if not isinstance(key, str):
                raise _problem_at(key_node, f"a key must be a text, got {_shown(key)}")
            if key in seen:
                raise _problem_at(key_node, f"the key {key!r} is written twice")
            seen.add(key)
        return super().construct_mapping(node, deep)


def _problem_at(node: yaml.Node, problem: str) -> yaml.constructor.ConstructorError:
    return yaml.constructor.ConstructorError(None, None, problem, node.start_mark)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_yaml(text: str, source: str) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Raises:
        SpecError: If it is not YAML, repeats a key, or is not a mapping. The message has the line and column.
    """
    too_deep = f"brackets are nested too deeply; at most {_DEEPEST} levels are read"
    steps = (1 if letter in "[{" else -1 for letter in text if letter in "[]{}")
    if max(accumulate(steps), default=0) > 8 * _DEEPEST:  # PyYAML would take a second for it
        raise SpecError(source, [too_deep])
    try:
        document = yaml.load(text, Loader=_Loader)
    except RecursionError:  # nested by indentation
        raise SpecError(source, [too_deep]) from None
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # numbers of thousands of digits are a ValueError
        raise SpecError(source, [" ".join(str(error).split())[:500]]) from error
    if not isinstance(document, dict):
        raise SpecError(source, [f"a study must be a mapping of fields to values, got {type(document).__name__}"])
    return document


def write_yaml(document: dict[str, Any]) -> str:
    """A document as YAML, fields in their order."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def value_problems(document: Any) -> list[str]:
    """What no field of any study may hold, each with its path: what JSON can't, numbers without end, trees without end.

    Shapers and schedules of Python may stand among the shapings. The list ends after the first ten.
    """
    problems = []
    for path, problem in _walk(document):
        problems.append(f"{field_path(path)}: {problem}" if path else problem)
        if len(problems) == 10:
            break
    return problems


def _walk(document: Any) -> Iterator[tuple[tuple[str | int, ...], str]]:
    waiting: list[tuple[tuple[str | int, ...], Any]] = [((), document)]
    for _ in range(_MOST):
        if not waiting:
            return
        path, value = waiting.pop()
        if len(path) > _DEEPEST:
            yield path[:3], f"is nested too deeply; at most {_DEEPEST} levels are read"
            return
        if isinstance(value, dict):
            waiting += [((*path, key), entry) for key, entry in reversed(value.items()) if isinstance(key, str)]
            yield from ((path, f"a key must be a text, got {_shown(key)}") for key in value if not isinstance(key, str))
        elif isinstance(value, list | tuple):
            waiting += [((*path, index), entry) for index, entry in reversed(list(enumerate(value)))]
        elif path[:1] == ("shapings",) and (isinstance(value, Recorded) or is_dataclass(value)):
            continue
        elif problem := _leaf_problem(value):
            yield path, problem
    yield (), f"the study has more than {_MOST:,} values; put large tables into a file: {{type: file, path: ...}}"


def _leaf_problem(value: Any) -> str:
    if isinstance(value, float) and not math.isfinite(value):
        return f"must be a finite number, got {value}"
    if isinstance(value, int) and not -(2**63) <= value < 2**63:
        return "must be a number of at most 63 bits, got one of " + str(value.bit_length())
    if isinstance(value, str) and (len(value) > _LONGEST or "\x00" in value):
        return f"must be a text of at most {_LONGEST:,} characters, none of them NUL"
    if value is None or isinstance(value, bool | int | float | str):
        return ""
    return f"must be a number, a text, a list or a mapping, got {type(value).__name__}"


def _shown(value: Any) -> str:
    return repr(value)[:100]


def field_path(location: Iterable[str | int]) -> str:
    """``("shapings", 2, "name")`` as ``shapings[2].name``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
