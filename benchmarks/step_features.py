"""Overlaps of words between a goal, an action and what stands on the page, as numbers for a judge of steps."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from potentia.envs.web.actions import read_text

_TEXT = r"""(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
_ROW = re.compile(rf"\[\d+\] (\w+) ({_TEXT})(?: = ({_TEXT}))?(?: \(([\w, ]+)\))?")
_QUOTED = re.compile(r'"([^"]*)"')
_KINDS = ("link", "button", "textbox", "checkbox", "radio", "combobox", "option", "fill", "answer", "back", "press")


@dataclass(frozen=True)
class Row:
    """A line of a page's text."""

    role: str
    name: str
    value: str
    flags: str


@lru_cache(maxsize=4096)
def page_rows(page: str) -> tuple[Row, ...]:
    """The rows of a page, as `potentia.envs.web.elements.page_text` writes them."""
    found = []
    for line in page.split("\n")[1:]:
        match = _ROW.fullmatch(line)
        if match is None:
            raise ValueError(f"a line of the page must be \"[3] textbox 'To' = 'text' (focused)\", got {line!r}")
        role, name, value, flags = match.groups()
        found.append(Row(role, ast.literal_eval(name), ast.literal_eval(value) if value else "", flags or ""))
    return tuple(found)


def words(text: str) -> list[str]:
    """The words and numbers in small letters, without an ending s."""
    return [word.removesuffix("s") for word in re.findall(r"[a-z0-9.]+", text.lower())]


def share(text: str, others: set[str]) -> float:
    """The share of a text's words that are among others; 0 without any."""
    said = words(text)
    return sum(word in others for word in said) / len(said) if said else 0.0


def overlap(goal: str, page: str, action: str) -> float:
    """The share of the words of an action's element and of what it types that the goal has, too."""
    done = read_text(action)
    name = page_rows(page)[done.row].name if done.row >= 0 else ""
    return share(f"{name} {done.text}", set(words(goal)))


def step_features(goal: str, page: str, action: str, *, place: bool) -> np.ndarray:
    """The kind of action, overlaps of words and what controls hold, ``(27,)`` float32; with ``place`` also where."""
    rows, done = page_rows(page), read_text(action)
    row = rows[done.row] if done.row >= 0 else Row("", "", "", "")
    kind = done.kind if done.kind != "click" else row.role
    title = page.split("\n", 1)[0]
    goal_words, lower = set(words(goal)), goal.lower()
    boxes = [other for other in rows if other.role == "textbox"]
    held = {other.value for other in boxes if other.value}
    quoted = _QUOTED.findall(goal)
    before = " ".join(lower.partition(done.text.lower())[0].split()[-4:]) if done.text else ""
    others = [share(other.name, goal_words) for other in rows if other.role == (row.role or "link")]
    found = [float(kind == known) for known in _KINDS] + [
        share(row.name, goal_words),
        float(bool(row.name) and row.name.lower() in lower),
        float(bool(row.name) and row.name in quoted),
        share(row.name, goal_words) - max(others, default=0.0),
        share(row.name, set(words(title))),
        share(title, goal_words),
        float(bool(done.text) and done.text.lower() in lower),
        float(done.text in quoted),
        share(row.name, set(words(before))),
        float(done.text in held),
        float(bool(row.value)),
        float(row.value != "" and row.value.lower() in lower),
        float("checked" in row.flags),
        sum(text in held for text in quoted) / max(len(quoted), 1),
        float(bool(boxes)),
        float(any(not other.value for other in boxes)),
    ]
    return np.array(found + [done.row / len(rows)] * place, np.float32)
