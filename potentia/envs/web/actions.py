"""One structured action, and the Gymnasium spaces in which an agent may say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, get_args

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from potentia.envs.action_text import ActionCall, format_action, parse_action
from potentia.envs.text_space import text_space, well_formed
from potentia.envs.web.elements import Element

__all__ = ["KEYS", "OPERATIONS", "Action", "View", "make_view"]

KEYS: Mapping[str, tuple[int, str]] = {
    "Enter": (13, "\r"), "Tab": (9, "\t"), "Escape": (27, ""), "Backspace": (8, ""), "Delete": (46, ""),
    "Space": (32, " "),
    "ArrowUp": (38, ""), "ArrowDown": (40, ""), "ArrowLeft": (37, ""), "ArrowRight": (39, ""), "Home": (36, ""),
    "End": (35, ""), "PageUp": (33, ""), "PageDown": (34, ""),
}  # fmt: skip
"""Keys that can be pressed: their codes, and the text that they put in."""

OPERATIONS = ("noop", "click", "fill", "answer", "scroll_down", "scroll_up", "back", "enter")
"""The operations of the ``multidiscrete`` view, in order."""

Kind = Literal[
    "noop", "click", "fill", "press", "scroll", "back", "answer", "click_at", "drag", "type", "move_at", "down_at",
    "up_at",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)
"""The kinds of actions, in the order of the ``dict`` view."""


@dataclass(frozen=True)
class Action:
    """What is done in a step.

    Attributes:
        kind: What is done. In "noop" only time passes. "click" and "fill" act on the element in `row`. "press" presses
            the key `text`. "scroll" scrolls "up" or "down" (`text`). "back" goes to the page before. "answer" answers
            with `text`, or with what stands in `row`. "click_at" clicks at `point`. "drag" drags from `row` to
            `target`. "type" types `text` into what has the focus. "move_at" moves the mouse to `point`, and with
            "down_at" and "up_at" its button goes down or up there: together they draw and drag anything.
        row: A row of the element table.
        text: See kind.
        point: x and y in CSS pixels.
        target: The row where a drag ends.
    """

    kind: Kind
    row: int = -1
    text: str = ""
    point: tuple[int, int] = (0, 0)
    target: int = -1


NOOP = Action("noop")
_PLAIN = (Action("scroll", text="down"), Action("scroll", text="up"), Action("back"), Action("press", text="Enter"))
_POINTED: tuple[Kind, ...] = ("click_at", "move_at", "down_at", "up_at")


class View(Protocol):
    """A Gymnasium space and what its members mean."""

    @property
    def space(self) -> gym.Space[Any]:
        """The space."""
        ...

    def read(self, action: Any, fields: Sequence[str]) -> Action:
        """The action that a member of the space stands for.

        Raises:
            ValueError: If it stands for none. The message says what was wanted.
        """
        ...

    def mask(self, elements: Sequence[Element], fields: Sequence[str], asks: bool, everything: bool) -> Any:
        """Which parts of the space do something, ``(A,)`` int8, or None if it has no mask.

        Args:
            elements: The rows of the table.
            fields: The candidate texts.
            asks: Whether the task is a question.
            everything: Whether any row may be clicked, and not only those known to be interactive.
        """
        ...


class DiscreteView:
    """``Discrete(1 + E + E*K + E + 4)``: each index is one action, so its mask is exact.

    Noop, click e, type field k into e, answer with the text of e, then scroll down, scroll up, back and Enter.
    """

    def __init__(self, rows: int, fields: int) -> None:
        self.rows, self.fields = rows, fields
        self.space = spaces.Discrete(1 + rows + rows * fields + rows + len(_PLAIN))

    def read(self, action: Any, fields: Sequence[str]) -> Action:
        index = int(action)
        if not 0 <= index < int(self.space.n):
            raise ValueError(f"the action must be one of 0..{int(self.space.n) - 1}, got {action!r}")
        if index == 0:
            return NOOP
        index -= 1
        if index < self.rows:
            return Action("click", index)
        index -= self.rows
        if index < self.rows * self.fields:
            row, field = divmod(index, self.fields)
            return Action("fill", row, fields[field]) if field < len(fields) else NOOP
        index -= self.rows * self.fields
        return Action("answer", index) if index < self.rows else _PLAIN[index - self.rows]

    def mask(self, elements: Sequence[Element], fields: Sequence[str], asks: bool, everything: bool) -> Any:
        found = np.zeros(int(self.space.n), np.int8)
        found[0] = 1
        rows, known = self.rows, min(self.fields, len(fields))
        for row, element in enumerate(elements[:rows]):
            flags = element.flags
            if "disabled" not in flags and (everything or "interactive" in flags):
                found[1 + row] = 1
            if "editable" in flags:
                begin = 1 + rows + row * self.fields
                found[begin : begin + known] = 1
            if asks and element.name:
                found[1 + rows + rows * self.fields + row] = 1
        found[-4:] = _plain_mask(elements)
        return found


class MultiDiscreteView:
    """``MultiDiscrete([8, E, K])``: an operation of `OPERATIONS`, a row, a field.

    Its mask is one mask for each choice, one after another. Together the choices may still name what does nothing.
    """

    def __init__(self, rows: int, fields: int) -> None:
        self.rows, self.fields = rows, fields
        self.space = spaces.MultiDiscrete([len(OPERATIONS), rows, fields])

    def read(self, action: Any, fields: Sequence[str]) -> Action:
        if not self.space.contains(np.asarray(action, np.int64)):
            raise ValueError(
                f"the action must be [operation, row, field] below {self.space.nvec.tolist()}, got {action!r}"
            )
        operation, row, field = (int(part) for part in action)
        name = OPERATIONS[operation]
        if name == "fill":
            return Action("fill", row, fields[field]) if field < len(fields) else NOOP
        if name in ("click", "answer"):
            return Action("click" if name == "click" else "answer", row)
        return NOOP if name == "noop" else _PLAIN[operation - 4]

    def mask(self, elements: Sequence[Element], fields: Sequence[str], asks: bool, everything: bool) -> Any:
        del everything
        shown = list(elements[: self.rows])
        editable = any("editable" in element.flags for element in shown)
        operations = [1, bool(shown), editable and bool(fields), asks and bool(shown), *_plain_mask(shown)]
        rows = np.arange(self.rows) < max(len(shown), 1)
        known = np.arange(self.fields) < max(len(fields), 1)
        return np.concatenate([operations, rows, known]).astype(np.int8)


class CoordinatesView:
    """``MultiDiscrete([10, W, H, K])``: an operation, a pixel, a field.

    The operations, in order: noop, click at the pixel, type the field into what has the focus, scroll down, scroll up,
    back, Enter, move the mouse to the pixel, press its button there, release its button there.
    """

    def __init__(self, viewport: tuple[int, int], fields: int) -> None:
        self.space = spaces.MultiDiscrete([2 + len(_PLAIN) + len(_POINTED), *viewport, fields])

    def read(self, action: Any, fields: Sequence[str]) -> Action:
        if not self.space.contains(np.asarray(action, np.int64)):
            raise ValueError(
                f"the action must be [operation, x, y, field] below {self.space.nvec.tolist()}, got {action!r}"
            )
        operation, x, y, field = (int(part) for part in action)
        if operation == 1:
            return Action("click_at", point=(x, y))
        if operation == 2:
            return Action("type", text=fields[field]) if field < len(fields) else NOOP
        if operation >= 3 + len(_PLAIN):
            return Action(_POINTED[operation - 2 - len(_PLAIN)], point=(x, y))
        return NOOP if operation == 0 else _PLAIN[operation - 3]

    def mask(self, elements: Sequence[Element], fields: Sequence[str], asks: bool, everything: bool) -> Any:
        del elements, fields, asks, everything


class DictView:
    """A ``Dict`` of an action's parts: ``kind`` (an index of `KINDS`), ``row``, ``target``, ``point`` and ``text``."""

    def __init__(self, rows: int, viewport: tuple[int, int], longest: int) -> None:
        self.space = spaces.Dict(
            kind=spaces.Discrete(len(KINDS)),
            row=spaces.Discrete(rows),
            target=spaces.Discrete(rows),
            point=spaces.MultiDiscrete([*viewport]),
            text=text_space(longest),
        )

    def read(self, action: Any, fields: Sequence[str]) -> Action:
        del fields
        if not isinstance(action, Mapping) or set(action) != set(self.space):
            raise ValueError(f"the action must be a dictionary of {sorted(self.space)}, got {action!r}")
        x, y = (int(part) for part in action["point"])
        kind = KINDS[int(action["kind"])]
        return checked(
            Action(kind, int(action["row"]), well_formed(str(action["text"])), (x, y), int(action["target"]))
        )

    def mask(self, elements: Sequence[Element], fields: Sequence[str], asks: bool, everything: bool) -> Any:
        del elements, fields, asks, everything


class TextView:
    """A text by a strict grammar, of which nothing is ever executed.

    ``click(3)``, ``fill(3, "text")``, ``press("Enter")``, ``scroll("down")``, ``back()``, ``answer("text")``,
    ``click_at(120, 45)``, ``move_at(120, 45)``, ``down_at(120, 45)``, ``up_at(120, 45)``, ``drag(3, 7)``,
    ``type("text")``, ``noop()``. Alone, or once between the tags ``<action>`` and ``</action>``, or ``<link>`` and
    ``</link>``, with other text around it.
    """

    def __init__(self, longest: int) -> None:
        self.space = text_space(longest)

    def read(self, action: Any, fields: Sequence[str]) -> Action:
        del fields
        reply = well_formed(str(action))
        for tag in ("action", "link"):
            if reply.count(f"<{tag}>") == 1 == reply.count(f"</{tag}>"):
                reply = reply.partition(f"<{tag}>")[2].partition(f"</{tag}>")[0]
        return read_text(reply)

    def mask(self, elements: Sequence[Element], fields: Sequence[str], asks: bool, everything: bool) -> Any:
        del elements, fields, asks, everything


_SIGNATURES: Mapping[str, tuple[type, ...]] = {
    "noop": (), "click": (int,), "fill": (int, str), "press": (str,), "scroll": (str,), "back": (), "answer": (str,),
    "drag": (int, int), "type": (str,), **{kind: (int, int) for kind in _POINTED},
}  # fmt: skip


def read_text(text: str) -> Action:
    """The action that a text of the grammar says.

    Raises:
        ValueError: If it says none. The message tells what was wanted.
    """
    call = parse_action(text)
    if call.name not in _SIGNATURES:
        raise ValueError(f"there is no action {call.name!r}: the actions are {', '.join(_SIGNATURES)}")
    wanted = _SIGNATURES[call.name]
    args = call.arguments
    if len(args) != len(wanted) or any(type(part) is not kind for part, kind in zip(args, wanted, strict=False)):
        form = ", ".join(kind.__name__ for kind in wanted)
        raise ValueError(f"{call.name} must be {call.name}({form}), got {text.strip()!r}")
    numbers = [part for part in args if isinstance(part, int)]
    texts = [part for part in args if isinstance(part, str)]
    said = texts[0] if texts else ""
    kind = next(kind for kind in KINDS if kind == call.name)
    if kind in _POINTED:
        return Action(kind, point=(numbers[0], numbers[1]))
    if kind == "drag":
        return Action("drag", numbers[0], target=numbers[1])
    return checked(Action(kind, numbers[0] if numbers else -1, said))


def write_text(action: Action) -> str:
    """An action as a text of the grammar. `read_text` gives the action back."""
    parts: dict[Kind, tuple[int | str, ...]] = {
        "click": (action.row,), "fill": (action.row, action.text), "drag": (action.row, action.target),
        "noop": (), "back": (), **dict.fromkeys(_POINTED, action.point),
    }  # fmt: skip
    return format_action(ActionCall(action.kind, parts.get(action.kind, (action.text,))))


def checked(action: Action) -> Action:
    """The action.

    Raises:
        ValueError: If it presses a key, or scrolls to a side, that there is not.
    """
    if action.kind == "press" and action.text not in KEYS:
        raise ValueError(f"press must be given one of {', '.join(KEYS)}, got {action.text!r}")
    if action.kind == "scroll" and action.text not in ("up", "down"):
        raise ValueError(f"scroll must be given 'up' or 'down', got {action.text!r}")
    return action


def _plain_mask(elements: Sequence[Element]) -> list[int]:
    """Scrolling if something is out of sight, back always, and Enter if a text box has the focus."""
    hidden = any("visible" not in element.flags for element in elements)
    typing = any("focused" in element.flags and "editable" in element.flags for element in elements)
    return [int(hidden), int(hidden), 1, int(typing)]


def make_view(name: str, *, rows: int, fields: int, viewport: tuple[int, int], longest: int) -> View:
    """The view of a name.

    Raises:
        ValueError: If there is none of that name.
    """
    makers: Mapping[str, Callable[[], View]] = {
        "discrete": lambda: DiscreteView(rows, fields),
        "multidiscrete": lambda: MultiDiscreteView(rows, fields),
        "coordinates": lambda: CoordinatesView(viewport, fields),
        "dict": lambda: DictView(rows, viewport, longest),
        "text": lambda: TextView(longest),
    }
    if name not in makers:
        raise ValueError(f"actions must be one of {', '.join(makers)}, got {name!r}")
    return makers[name]()
