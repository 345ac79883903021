"""What a model's reply must be, and the numbers in it."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from potentia.judges.question import Achieved, Answer, Forward, Holds, Ideas, Prefers, Progress, Question

__all__ = ["Form", "Token", "form_of", "read_reply"]


@dataclass(frozen=True)
class Form:
    """What a reply to a question looks like: ``{"answer": value}``, or ``{"answer": [value, ...]}``.

    Attributes:
        scores: What each value that can be written, as it is written, says in numbers.
        count: How many values there are. None is one value outside a list.
        texts: Whether values are any texts, at most so many. 0 if they are those of ``scores``.
    """

    scores: Mapping[str, float]
    count: int | None = None
    texts: int = 0

    @property
    def schema(self) -> dict[str, Any]:
        """The JSON schema of the reply."""
        value: dict[str, Any]
        if self.texts:
            value = {"type": "array", "items": {"type": "string"}, "maxItems": self.texts}
        else:
            value = {"enum": [json.loads(label) for label in self.scores]}
            kind = {bool: "boolean", int: "integer", str: "string"}[type(value["enum"][0])]
            value = {"type": kind} if kind == "boolean" else {"type": kind} | value
            if self.count is not None:
                value = {"type": "array", "items": value, "minItems": self.count, "maxItems": self.count}
        answer = {"answer": value}
        return {"type": "object", "properties": answer, "required": ["answer"], "additionalProperties": False}


_YES = {"true": 1.0, "false": 0.0}
_DIGITS = {str(digit): digit / 9 for digit in range(10)}
_SIDES = {'"A"': 1.0, '"B"': -1.0, '"neither"': 0.0}


def form_of(question: Question) -> Form:
    """The form of the reply to a question."""
    match question:
        case Achieved() | Holds():
            return Form(_YES, count=question.size)
        case Forward():
            return Form(_YES)
        case Progress():
            return Form(_DIGITS)
        case Prefers():
            return Form(_SIDES)
        case Ideas(most=most):
            return Form({}, texts=most)
    raise ValueError(f"there is no form of a reply to {type(question).__name__}")


@dataclass(frozen=True)
class Token:
    """A token of a reply.

    Attributes:
        text: Its text.
        others: The logarithm of the probability of each token that could have stood here, itself included, as far as
            the server says.
    """

    text: str
    others: Mapping[str, float]


def read_reply(question: Question, text: str, tokens: Sequence[Token] = ()) -> Answer:
    """The answer in a reply: the expected score where tokens have probabilities, else the score of what is written.

    ``sum of p(value) score(value) / sum of p(value)`` over the values of which the server gives a probability, where
    the value stands in the reply. It varies less than what happens to be drawn.

    Raises:
        ValueError: If the reply is not of the question's form. The message says how, for who is asked to repair it.

    >>> from potentia.judges import Progress
    >>> question = Progress("Leave.", "A door.")
    >>> read_reply(question, '{"answer": 3}').values
    (0.3333333333333333,)
    >>> sure = Token("3", {"3": math.log(0.5), "9": math.log(0.25), "x": math.log(0.25)})
    >>> read_reply(question, '{"answer": 3}', [Token('{"answer": ', {}), sure, Token("}", {})]).values
    (0.5555555555555555,)
    """
    form = form_of(question)
    bare = _without_fence(text)
    try:
        reply = json.loads(bare)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"it is not JSON: {error}") from None
    if not isinstance(reply, dict) or set(reply) != {"answer"}:
        raise ValueError('it must be an object with the one key "answer"')
    value = reply["answer"]
    if form.texts:
        return Answer(texts=_texts(value, form.texts))
    single = form.count is None
    values = [value] if single else value
    if not isinstance(values, list) or (not single and len(values) != form.count):
        raise ValueError(f'"answer" must be a list of {form.count}')
    written = [json.dumps(one) for one in values]
    wrong = [one for one in written if one not in form.scores]
    if wrong:
        raise ValueError(f"{wrong[0][:80]} is none of {', '.join(form.scores)}")
    scores = [form.scores[one] for one in written]
    if tokens and "".join(token.text for token in tokens) == text:
        places = _places(text, form)
        if len(places) == len(scores):
            expected = [_expected(tokens, place, form.scores) for place in places]
            scores = [score if one is None else one for one, score in zip(expected, scores, strict=True)]
    return Answer(tuple(scores))


def _texts(value: Any, most: int) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError('"answer" must be a list of texts')
    kept = list(dict.fromkeys(one.strip() for one in value if one.strip()))
    if not kept:
        raise ValueError('"answer" must have at least one text')
    return tuple(kept[:most])


def _without_fence(text: str) -> str:
    match = re.fullmatch(r"\s*```(?:json)?\s*\n(.*)\n\s*```\s*", text, re.S)
    return match[1] if match else text


def _places(text: str, form: Form) -> list[int]:
    """Where each value begins: its first character that is no quotation mark."""
    start = re.search(r'"answer"\s*:', text)
    if start is None:
        return []
    labels = re.compile("|".join(map(re.escape, form.scores)))
    return [match.start() + match[0].startswith('"') for match in labels.finditer(text, start.end())]


def _expected(tokens: Sequence[Token], place: int, scores: Mapping[str, float]) -> float | None:
    """The expected score of the value at a place of the text, None if no token there could have been another."""
    start = 0
    for token in tokens:
        if start + len(token.text) > place:
            break
        start += len(token.text)
    before = token.text[: place - start]
    bare = {label.strip('"'): score for label, score in scores.items()}
    mass = total = 0.0
    for other, logarithm in token.others.items():
        rest = other.removeprefix(before)
        fits = {score for label, score in bare.items() if rest and (label.startswith(rest) or rest.startswith(label))}
        if other.startswith(before) and len(fits) == 1:  # a token that begins two labels says nothing of either
            probability = math.exp(min(logarithm, 0.0))
            mass, total = mass + probability * fits.pop(), total + probability
    return min(max(mass / total, min(bare.values())), 1.0) if total > 0 else None
