"""Small changes to a line of Python, as they turn right lines into bugs and bugs into right lines."""

from __future__ import annotations

import functools
import keyword
import re
from collections.abc import Iterator

__all__ = ["line_edits"]

_TOKEN = re.compile(
    r'(?P<string>"""(?:.*?)"""|"(?:\\.|[^"\\])*"|' + r"'(?:\\.|[^'\\])*')"
    r"|(?P<comment>\#.*)|(?P<number>\d+(?:\.\d+)?)|(?P<name>[A-Za-z_]\w*)"
    r"|(?P<sign>\*\*|//=|//|<=|>=|==|!=|->|[-+*/%&|^]=|\S)|(?P<space>\s+)"
)

_SWAPS = {
    "<": ("<=", ">"),
    "<=": ("<", ">="),
    ">": (">=", "<"),
    ">=": (">", "<="),
    **{
        text: (other,)
        for pair in (
            "== !=", "+= -=", "*= //=", "and or", "True False", "min max", "any all", "break continue",
            "append appendleft", "pop popleft", "left right", "low high", "start end", "first last", "row column",
            "keys values", "find rfind", "lstrip rstrip",
        )
        for text, other in (pair.split(), pair.split()[::-1])
    },
}  # fmt: skip
_BETWEEN = {"+": ("-",), "-": ("+",), "*": ("//",), "//": ("*", "%"), "%": ("//",)}
"""Signs that are changed between two values only."""
_KEYWORDS = frozenset(keyword.kwlist)

Token = tuple[str, str]


@functools.lru_cache(50_000)
def line_edits(line: str) -> tuple[str, ...]:
    """The lines that one small change makes of a line, each once, none the line itself.

    Comparisons, signs, whole numbers by one, logic, names that come in pairs, the order of two arguments, a condition's
    ``not``, and a ``return`` that is left out. Each change can be changed back by one of the same kinds.

    >>> line_edits("    return low - 1")
    ('    return high - 1', '    return low + 1', '    return low - 0', '    return low - 2', '    low - 1')
    """
    tokens = [(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(line)]
    texts = [text for _, text in tokens]
    found: dict[str, None] = {}
    for place, token in enumerate(tokens):
        for other in _others(tokens, place, token):
            found["".join([*texts[:place], other, *texts[place + 1 :]])] = None
    for other in (*_arguments(tokens), *_negations(tokens), *_returns(line, tokens)):
        found[other] = None
    found.pop(line, None)
    return tuple(found)


def _others(tokens: list[Token], place: int, token: Token) -> tuple[str, ...]:
    kind, text = token
    if kind == "number":
        if not text.isdigit():
            return ()
        return (f"{int(text) + 1}",) if int(text) == 0 else (f"{int(text) - 1}", f"{int(text) + 1}")
    if kind not in ("name", "sign"):
        return ()
    if text in _BETWEEN:
        return _BETWEEN[text] if _ends_a_value(tokens[:place]) else ()
    return _SWAPS.get(text, ())


def _ends_a_value(tokens: list[Token]) -> bool:
    solid = [token for token in tokens if token[0] != "space"]
    if not solid:
        return False
    kind, text = solid[-1]
    return kind in ("number", "string") or text in ")]}" or (kind == "name" and text not in _KEYWORDS)


def _arguments(tokens: list[Token]) -> Iterator[str]:
    """The first two of what stands in parentheses, the other way round."""
    for place, (_, text) in enumerate(tokens):
        if text != "(":
            continue
        commas, end, depth = [], 0, 0
        for further in range(place, len(tokens)):
            sign = tokens[further][1] if tokens[further][0] == "sign" else ""
            depth += (sign in ("(", "[", "{")) - (sign in (")", "]", "}"))
            if depth == 0:
                end = further
                break
            if depth == 1 and sign == ",":
                commas.append(further)
        if not commas or not end:
            continue
        stop = commas[1] if len(commas) > 1 else end
        inside = "".join(text for _, text in tokens[place + 1 : commas[0]])
        after = "".join(text for _, text in tokens[commas[0] + 1 : stop])
        if after.strip():
            before = "".join(text for _, text in tokens[: place + 1])
            rest = "".join(text for _, text in tokens[stop:])
            yield f"{before}{after.strip()}, {inside.strip()}{rest}"


def _negations(tokens: list[Token]) -> Iterator[str]:
    texts = [text for _, text in tokens]
    for place, (kind, text) in enumerate(tokens):
        if kind == "name" and text in ("if", "elif", "while") and len(texts) > place + 2:
            if texts[place + 2] == "not":
                yield "".join([*texts[: place + 2], *texts[place + 4 :]])
            else:
                yield "".join([*texts[: place + 2], "not ", *texts[place + 2 :]])


def _returns(line: str, tokens: list[Token]) -> Iterator[str]:
    body = line.lstrip()
    indent = line[: len(line) - len(body)]
    if not indent:
        return
    if body.startswith("return "):
        line = indent + body.removeprefix("return ").lstrip()
        if _is_a_statement_of_value([(str(match.lastgroup), match.group()) for match in _TOKEN.finditer(line)]):
            yield line
    elif _is_a_statement_of_value(tokens):
        yield f"{indent}return {body}"


def _is_a_statement_of_value(tokens: list[Token]) -> bool:
    """Whether a line is a value and nothing else, as far as its tokens say."""
    solid = [token for token in tokens if token[0] not in ("space", "comment")]
    comparisons = ("==", "!=", "<=", ">=")
    assigns = any(kind == "sign" and text.endswith("=") and text not in comparisons for kind, text in solid)
    begins = bool(solid) and solid[0][0] in ("name", "number") and solid[0][1] not in _KEYWORDS
    return begins and not assigns and solid[-1][1] not in (":", ",", "(", "[", "{")
