"""Study files as text: YAML read strictly, and complaints that name the field and what was probably meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Sequence
from typing import Any

import yaml


class SpecError(ValueError):
    """A study that can't be run as it is written; the message has one line for each problem."""

    def __init__(self, source: str, problems: Sequence[str]) -> None:
        self.source, self.problems = source, list(problems)
        count = f"{len(self.problems)} problem" + ("s" if len(self.problems) != 1 else "")
        super().__init__(f"{source}: {count}\n" + "\n".join(f"  - {problem}" for problem in self.problems))


class _Loader(yaml.SafeLoader):
    """YAML in which ``3e-4`` is a number, as in YAML 1.2, and a key may be written once only."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """A mapping; a repeated key is an error, where PyYAML would silently take the last."""
        seen = set()
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":  # "<<: *defaults", which the keys beside it override
                continue
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(
                    None, None, f"the key {key!r} is written twice", key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


_Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"^[-+]?[0-9][0-9_]*(\.[0-9_]*)?[eE][-+]?[0-9]+$"), list("-+0123456789")
)


def read_yaml(text: str, source: str) -> dict[str, Any]:
    """The mapping that a YAML text holds.

    Raises:
        SpecError: If it is not YAML, repeats a key, or is not a mapping; with the line and column.
    """
    try:
        document = yaml.load(text, Loader=_Loader)
    except yaml.YAMLError as error:
        raise SpecError(source, [" ".join(str(error).split())]) from error
    if not isinstance(document, dict):
        raise SpecError(source, [f"a study must be a mapping of fields to values, got {type(document).__name__}"])
    return document


def write_yaml(document: dict[str, Any]) -> str:
    """A document as YAML, fields in their order."""
    return yaml.safe_dump(document, sort_keys=False, allow_unicode=True, width=100)


def unknown(kind: str, got: str, known: Iterable[str]) -> str:
    """``unknown <kind> 'got'; did you mean 'x'? known: x, y, z``; a long list is cut to the likeliest."""
    names = sorted(known)
    lowered = {name.lower(): name for name in names}
    # The cutoff lets transposed letters of short names through: 'RDN' and 'RND' have a ratio of 2/3.
    close = difflib.get_close_matches(got.lower(), lowered, n=3, cutoff=0.6)
    hint = f"; did you mean {' or '.join(repr(lowered[name]) for name in close)}?" if close else ";"
    shown = names if len(names) <= 24 else [*names[:24], f"... ({len(names)} in all)"]
    return f"unknown {kind} {got!r}{hint} known: {', '.join(shown) or 'none'}"


def field_path(location: Iterable[str | int]) -> str:
    """``("shapings", 2, "name")`` as ``shapings[2].name``."""
    path = ""
    for part in location:
        path += f"[{part}]" if isinstance(part, int) else f".{part}" if path else part
    return path
