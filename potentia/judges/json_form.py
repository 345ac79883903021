"""Questions and answers as JSON: for keys, caches, recordings and saved state."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from potentia.judges.question import KINDS, Answer, Question, checked

__all__ = ["answer_data", "canonical", "digest", "question_data", "read_answer", "read_question"]


def canonical(data: Any) -> str:
    """The one JSON text of some data: keys in order, no spaces, and ASCII, so that any text can be written anywhere."""
    return json.dumps(data, sort_keys=True, separators=(",", ":"))


def digest(data: Any) -> str:
    """The SHA-256 of the canonical JSON text, in hexadecimal digits."""
    return hashlib.sha256(canonical(data).encode("ascii")).hexdigest()


def question_data(question: Question, *, truth: bool = True) -> dict[str, Any]:
    """A question as ``{"kind": name, text: value, ...}``.

    Args:
        question: The question.
        truth: Whether the world's own answer is written with it.

    >>> from potentia.judges import Progress
    >>> question_data(Progress("Leave.", "A door is open.", truth=(0.5,)))
    {'kind': 'Progress', 'goal': 'Leave.', 'state': 'A door is open.', 'truth': [0.5]}
    """
    texts = {name: list(text) if isinstance(text, tuple) else text for name, text in question.texts.items()}
    data: dict[str, Any] = {"kind": type(question).__name__, **texts}
    if question.replicate:
        data["replicate"] = question.replicate
    if truth and question.truth is not None:
        data["truth"] = list(question.truth)
    return data


def read_question(data: Mapping[str, Any]) -> Question:
    """The question that `question_data` wrote.

    Raises:
        ValueError: If it is none.
    """
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    kind = values.pop("kind", None)
    if kind not in KINDS:
        raise ValueError(f"a question must have one of the kinds {sorted(KINDS)}, got {kind!r}")
    try:
        return KINDS[kind](**values)
    except TypeError as error:
        raise ValueError(f"this is no {kind}: {error}") from error


def answer_data(answer: Answer) -> dict[str, Any]:
    """An answer as a JSON object, without what is at its default."""
    default = Answer()
    fields = {name: getattr(answer, name) for name in Answer.__dataclass_fields__ if name != "values"}
    rest = {name: value for name, value in fields.items() if value != getattr(default, name)}
    return {"values": list(answer.values)} | {
        name: list(value) if isinstance(value, tuple) else value for name, value in rest.items()
    }


def read_answer(question: Question, data: Mapping[str, Any]) -> Answer:
    """The answer that `answer_data` wrote.

    Raises:
        ValueError: If it does not answer the question.
    """
    values: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    try:
        return checked(question, Answer(**values))
    except TypeError as error:
        raise ValueError(f"this is no answer: {error}") from error
