"""Our actions as BrowserGym's strings."""

from __future__ import annotations

from collections.abc import Sequence

from potentia.envs.web.actions import KEYS, Action
from potentia.envs.web.browsergym.tree import Row

__all__ = ["SUBSETS", "action_string"]

SUBSETS = ("chat", "bid", "coord", "nav")
"""The parts of BrowserGym's actions that `action_string` needs."""

_NOTHING = "noop(0)"


def action_string(action: Action, rows: Sequence[Row], height: int) -> str:  # noqa: PLR0911 - a table
    r"""One call in BrowserGym's language that does what an action says.

    BrowserGym runs its strings as Python. This function is the only one that writes them: the call's name is one of
    those below and every argument is a number or a text quoted by ``repr``, so whatever an agent says stays a text.

    Args:
        action: What is to be done.
        rows: The rows it speaks of.
        height: Of the viewport, in pixels. Scrolling goes 0.8 of it.

    >>> action_string(Action("type", text="'); import os #"), [], 720)
    'keyboard_type("\'); import os #")'
    """
    row = rows[action.row] if 0 <= action.row < len(rows) else None
    target = rows[action.target] if 0 <= action.target < len(rows) else None
    match action.kind:
        case "click" if row is not None and row.bid:
            if row.element.role == "option" and row.owner:
                return _call("select_option", row.owner, row.element.name)
            return _call("click", row.bid)
        case "fill" if row is not None and row.bid and "editable" in row.element.flags:
            return _call("fill", row.bid, action.text)
        case "drag" if row is not None and target is not None and row.bid and target.bid:
            return _call("drag_and_drop", row.bid, target.bid)
        case "press" if action.text in KEYS:
            return _call("keyboard_press", action.text)
        case "scroll":
            return _call("scroll", 0, round(0.8 * height) * (1 if action.text == "down" else -1))
        case "back":
            return _call("go_back")
        case "answer":
            return _call("send_msg_to_user", row.element.name if row is not None else action.text)
        case "click_at" | "move_at" | "down_at" | "up_at":
            return _call(_OF_THE_MOUSE[action.kind], *(int(part) for part in action.point))
        case "type":
            return _call("keyboard_type", action.text)
        case _:
            return _NOTHING


_OF_THE_MOUSE = {"click_at": "mouse_click", "move_at": "mouse_move", "down_at": "mouse_down", "up_at": "mouse_up"}


def _call(name: str, *arguments: int | str) -> str:
    return f"{name}({', '.join(map(repr, arguments))})"
