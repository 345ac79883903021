"""BrowserGym's accessibility tree as our element table."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from potentia.envs.text_space import well_formed
from potentia.envs.web.elements import Element

__all__ = ["Row", "read_tree"]

_ROLES: Mapping[str, str] = {
    "link": "link", "button": "button", "menuitem": "button", "tab": "button", "textbox": "textbox",
    "searchbox": "textbox", "spinbutton": "textbox", "Date": "textbox", "DateTime": "textbox", "InputTime": "textbox",
    "ColorWell": "other", "checkbox": "checkbox", "switch": "checkbox", "menuitemcheckbox": "checkbox",
    "radio": "radio", "menuitemradio": "radio", "combobox": "combobox", "option": "option", "heading": "heading",
    "cell": "cell", "gridcell": "cell", "columnheader": "cell", "rowheader": "cell", "listitem": "listitem",
    "treeitem": "listitem", "LabelText": "label", "StaticText": "text", "image": "image", "img": "image",
    "slider": "slider",
}  # fmt: skip
_INTERACTIVE = frozenset(("link", "button", "textbox", "checkbox", "radio", "combobox", "option", "slider"))
_CLOSED = frozenset(("link", "button", "option", "textbox"))  # what is within is their name or their value
_TEXTS = frozenset(("cell", "listitem", "label", "heading"))
_BID = re.compile(r"[A-Za-z0-9]+")
_SEEN = 0.5


@dataclass(frozen=True)
class Row:
    """An element and how BrowserGym's actions name it.

    Attributes:
        element: The row of the table.
        bid: Its id, or that of what it is the text of, or "" if nothing has one.
        owner: Of an option, the id of its list.
    """

    element: Element
    bid: str
    owner: str = ""


def read_tree(tree: Mapping[str, Any], properties: Mapping[str, Any], focused: str = "") -> list[Row]:
    """The rows of a page, in document order.

    Rows are the elements that can be operated, those with a text of their own, images, and whatever BrowserGym found
    clickable and that has no row within. A text within a row of the same name is not repeated.

    Args:
        tree: ``axtree_object`` of the observation.
        properties: ``extra_element_properties``: box, visibility and clickability by id.
        focused: ``focused_element_bid``.
    """
    nodes = {node["nodeId"]: node for node in tree["nodes"]}
    inner = {child for node in tree["nodes"] for child in node.get("childIds", ())}
    found: list[Row] = []
    for node in tree["nodes"]:
        if node["nodeId"] not in inner:
            found += _Reader(nodes, properties, focused).rows(node)
    return found


class _Reader:
    """What stays the same while a tree is walked."""

    def __init__(self, nodes: Mapping[str, Any], properties: Mapping[str, Any], focused: str) -> None:
        self._nodes, self._properties, self._focused = nodes, properties, focused

    def rows(self, node: Mapping[str, Any]) -> Iterator[Row]:
        """The rows of a tree below and with a node, without recursion: pages may be deep."""
        # A node's place: the id next above, the names already told above, and the list that its options belong to.
        pending: list[tuple[Mapping[str, Any], str, str, str]] = [(node, "", "", "")]
        while pending:
            one, above, told, owner = pending.pop()
            given = str(one.get("browsergym_id", ""))
            bid = given if _BID.fullmatch(given) else above
            row = self._row(one, bid, told, owner, own=bool(given))
            if row is not None:
                yield row
                if row.element.role in _CLOSED:
                    continue
                told = f"{told} {row.element.name}"
                owner = bid if row.element.role == "combobox" else owner
            elif _said(one, "role") == "listbox":
                owner = bid
            children = [self._nodes[key] for key in one.get("childIds", ()) if key in self._nodes]
            pending += [(child, bid, told, owner) for child in reversed(children)]

    def _row(self, node: Mapping[str, Any], bid: str, told: str, owner: str, *, own: bool) -> Row | None:
        if node.get("ignored"):
            return None
        kind, name = _said(node, "role"), _said(node, "name").strip()
        clickable = own and bool(self._properties.get(bid, {}).get("clickable"))
        role = _ROLES.get(kind, "other" if clickable else "")
        if role == "label" and self._holds_control(node):
            return None
        if role in _TEXTS and not name:
            name = self._text_of(node)
        if not role or (role in ("text", *_TEXTS) and not name) or (role == "text" and name in told):
            return None
        if role == "other" and kind != "ColorWell" and self._has_row_within(node):
            return None
        shown = self._properties.get(owner if role == "option" else bid, {})
        return Row(
            Element(
                role,
                well_formed(name),
                well_formed(_value(node, role)),
                self._flags(node, role, bid, shown),
                _box(shown),
            ),
            bid,
            owner,
        )

    def _flags(self, node: Mapping[str, Any], role: str, bid: str, shown: Mapping[str, Any]) -> frozenset[str]:
        told = {entry["name"]: entry["value"].get("value") for entry in node.get("properties", ())}
        locked = bool(told.get("disabled"))
        flags = {
            "interactive": role in _INTERACTIVE or bool(self._properties.get(bid, {}).get("clickable")),
            "editable": role == "textbox" and not locked and not told.get("readonly"),
            "checked": told.get("selected" if role == "option" else "checked") in (True, "true"),
            "disabled": locked,
            "focused": bool(bid) and bid == self._focused and role != "text",
            "visible": (shown.get("visibility") or 0.0) >= _SEEN,
        }
        return frozenset(name for name, true in flags.items() if true)

    def _below(self, node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        pending = [*reversed(node.get("childIds", ()))]
        while pending:
            child = self._nodes.get(pending.pop())
            if child is not None:
                yield child
                pending += reversed(child.get("childIds", ()))

    def _text_of(self, node: Mapping[str, Any]) -> str:
        """The texts directly in it."""
        children = (self._nodes.get(key) for key in node.get("childIds", ()))
        return " ".join(
            _said(child, "name").strip() for child in children if child and _said(child, "role") == "StaticText"
        )

    def _holds_control(self, node: Mapping[str, Any]) -> bool:
        return any(_ROLES.get(_said(child, "role")) in _INTERACTIVE for child in self._below(node))

    def _has_row_within(self, node: Mapping[str, Any]) -> bool:
        return any(_said(child, "role") in _ROLES for child in self._below(node))


def _said(node: Mapping[str, Any], key: str) -> str:
    return str(node.get(key, {}).get("value") or "")


def _value(node: Mapping[str, Any], role: str) -> str:
    return _said(node, "value") if role in ("textbox", "combobox", "slider") else ""


def _box(shown: Mapping[str, Any]) -> tuple[int, int, int, int]:
    box: Sequence[float] = shown.get("bbox") or (0, 0, 0, 0)
    x, y, width, height = (round(number) for number in box)
    return x, y, width, height
