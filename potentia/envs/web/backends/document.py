"""A page without a browser: the element table of server-rendered HTML, and what its links and forms do.

The rules by which elements are named are those of ``table.js``. Tests hold the two to each other on every page that
the reference solutions visit. There is no layout, no script and no style here.
"""

from __future__ import annotations

import copy
import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode

from potentia.envs.web.elements import ROLES, Element

__all__ = ["Document", "Node"]

_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"]
)
_UNSEEN = frozenset(["script", "style", "template", "head", "title", "meta", "link", "noscript"])
_ROLE_OF_TAG = {
    "a": "link", "button": "button", "textarea": "textbox", "select": "combobox", "option": "option", "td": "cell",
    "th": "cell", "li": "listitem", "label": "label", "img": "image",
} | {f"h{level}": "heading" for level in range(1, 7)}  # fmt: skip
_ROLE_OF_INPUT = {
    "submit": "button", "reset": "button", "button": "button", "image": "button", "checkbox": "checkbox",
    "radio": "radio", "range": "slider",
}  # fmt: skip
_CONTROLS = frozenset(("textbox", "checkbox", "radio", "combobox", "slider"))
_INTERACTIVE = _CONTROLS | {"link", "button", "option"}
_SPACE = re.compile(r"[ \t\n\r\f]+")


@dataclass(eq=False)
class Node:
    """An element of the tree. Texts stand among its children as they are."""

    tag: str
    attributes: dict[str, str]
    parent: Node | None = None
    children: list[Node | str] = field(default_factory=list)

    def text(self) -> str:
        """All text within, white space collapsed."""
        return _collapsed("".join(self._texts()))

    def own_text(self) -> str:
        """The text directly within."""
        return _collapsed(" ".join(child for child in self.children if isinstance(child, str)))

    def descendants(self) -> Iterator[Node]:
        """Itself and all elements within, in document order."""
        yield self
        for child in self.children:
            if isinstance(child, Node):
                yield from child.descendants()

    def ancestor(self, tag: str) -> Node | None:
        """The nearest element of a tag around it."""
        node = self.parent
        while node is not None and node.tag != tag:
            node = node.parent
        return node

    def _texts(self) -> Iterator[str]:
        for child in self.children:
            if isinstance(child, str):
                yield child
            elif child.tag not in _UNSEEN:
                yield from child._texts()


def _collapsed(text: str) -> str:
    return _SPACE.sub(" ", text).strip(" ")


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.root = self.open = Node("#document", {})

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "option" and self.open.tag == "option":
            self.handle_endtag("option")
        node = Node(tag, {name: value or "" for name, value in attrs}, self.open)
        self.open.children.append(node)
        if tag not in _VOID:
            self.open = node

    def handle_endtag(self, tag: str) -> None:
        node: Node | None = self.open
        while node is not None and node.tag != tag:
            node = node.parent
        if node is not None and node.parent is not None:
            self.open = node.parent

    def handle_data(self, data: str) -> None:
        self.open.children.append(data)


class _Tree:
    """A parsed page as it was sent. It is never changed, so that pages seen again need no parsing."""

    def __init__(self, html: str) -> None:
        builder = _Builder()
        builder.feed(html)
        builder.close()
        nodes = list(builder.root.descendants())
        self.title = next((node.text() for node in nodes if node.tag == "title"), "")
        self.labels = {
            node.attributes["for"]: node for node in nodes if node.tag == "label" and "for" in node.attributes
        }
        self.values: dict[Node, str] = {}
        self.checked: set[Node] = set()
        for node in nodes:
            self._prepare(node)
        body = next((node for node in nodes if node.tag == "body"), builder.root)
        self.rows = [node for node in _seen(body) if self._is_row(node)]

    def _prepare(self, node: Node) -> None:
        """What a control holds when the page is loaded."""
        role = role_of(node)
        if role in ("textbox", "slider"):
            self.values[node] = _given_text(node)
        elif role in ("checkbox", "radio"):
            if "checked" in node.attributes:
                self.checked.add(node)
        elif role == "combobox":
            options = [option for option in node.descendants() if option.tag == "option"]
            chosen = [option for option in options if "selected" in option.attributes][-1:] or options[:1]
            self.checked.update(chosen)

    def _is_row(self, node: Node) -> bool:
        role = role_of(node)
        if role in _INTERACTIVE or role == "image":
            return True
        return bool(node.own_text()) and not (node.tag == "label" and self._control_of(node) is not None)

    def _control_of(self, label: Node) -> Node | None:
        if "for" in label.attributes:
            wanted = label.attributes["for"]
            return next((node for node in _root(label).descendants() if node.attributes.get("id") == wanted), None)
        return next((node for node in label.descendants() if role_of(node) in _CONTROLS), None)


_tree = functools.lru_cache(maxsize=128)(_Tree)
"""A tree takes some 50 KiB. Pages come back within an episode, which has some 20, and seldom later."""


class Document:
    """A page whose controls can be set.

    Args:
        html: Well-formed HTML.
    """

    def __init__(self, html: str) -> None:
        tree = _tree(html)
        self.title, self.nodes, self._labels = tree.title, tree.rows, tree.labels
        self.focused: Node | None = None
        self.values, self.checked = dict(tree.values), set(tree.checked)

    def fork(self) -> Document:
        """Another one whose controls hold the same."""
        other = copy.copy(self)
        other.values, other.checked = dict(self.values), set(self.checked)
        return other

    def elements(self) -> list[Element]:
        """The rows of the element table."""
        return [self._element(node) for node in self.nodes]

    def _element(self, node: Node) -> Element:
        role = role_of(node)
        flags = {"visible"}
        if role in _INTERACTIVE:
            flags.add("interactive")
        if "disabled" in node.attributes:
            flags.add("disabled")
        elif role == "textbox" and "readonly" not in node.attributes:
            flags.add("editable")
        if node in self.checked:
            flags.add("checked")
        if node is self.focused:
            flags.add("focused")
        value = self.values.get(node, "")
        if role == "combobox":
            value = next((option.text() for option in node.descendants() if option in self.checked), "")
        return Element(role, self._name(node, role), value, frozenset(flags))

    def _name(self, node: Node, role: str) -> str:
        given = node.attributes
        if label := given.get("aria-label", "").strip():
            return label
        if role in _CONTROLS:
            label_node = self._labels.get(given.get("id", "")) or node.ancestor("label")
            return (label_node.own_text() if label_node else "") or given.get("placeholder") or given.get("title") or ""
        if node.tag == "input":
            return given.get("value") or given.get("title") or "Submit"
        if role in ("link", "button", "option"):
            return node.text() or given.get("title", "")
        if role == "image":
            return given.get("alt") or given.get("title") or ""
        return node.own_text()

    def submission(self, button: Node | None, form: Node) -> tuple[str, str, str]:
        """What submitting a form sends: method, action and the URL-encoded fields."""
        fields = []
        for node in form.descendants():
            if not (name := node.attributes.get("name")) or "disabled" in node.attributes:
                continue
            role = role_of(node)
            if role in ("checkbox", "radio"):
                if node in self.checked:
                    fields.append((name, node.attributes.get("value", "on")))
            elif role == "combobox":
                chosen = [option for option in node.descendants() if option in self.checked]
                fields += [(name, option.attributes.get("value", option.text())) for option in chosen]
            elif role == "button":
                if node is button:
                    fields.append((name, node.attributes.get("value", "")))
            elif node.tag in ("input", "textarea"):
                fields.append((name, self.values.get(node, node.attributes.get("value", ""))))
        method = form.attributes.get("method", "get").upper()
        return method, form.attributes.get("action", ""), urlencode(fields)


def role_of(node: Node) -> str:
    """Its role: what its attribute ``role`` says, or its tag."""
    if (given := node.attributes.get("role", "")) in ROLES:
        return given
    if node.tag == "input":
        kind = node.attributes.get("type", "text").lower()
        return "other" if kind == "hidden" else _ROLE_OF_INPUT.get(kind, "textbox")
    if node.tag == "a" and "href" not in node.attributes:
        return "text"
    return _ROLE_OF_TAG.get(node.tag, "text")


def _given_text(node: Node) -> str:
    if node.tag == "textarea":
        text = "".join(child for child in node.children if isinstance(child, str))
        return text.removeprefix("\n")
    return node.attributes.get("value", "")


def _seen(node: Node) -> Iterator[Node]:
    """An element and those within that are seen. What is within a link, a button or a text area is part of that."""
    if node.tag in _UNSEEN or "hidden" in node.attributes or node.attributes.get("type") == "hidden":
        return
    yield node
    if role_of(node) in ("link", "button", "option", "textbox"):
        return
    for child in node.children:
        if isinstance(child, Node):
            yield from _seen(child)


def _root(node: Node) -> Node:
    while node.parent is not None:
        node = node.parent
    return node
