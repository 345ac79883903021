"""Pages without a browser, for server-rendered applications: the same actions and element table, but no pictures."""

from __future__ import annotations

from urllib.parse import urljoin, urlsplit, urlunsplit

from potentia.envs.web.actions import Action
from potentia.envs.web.backends.document import Document, Node, role_of
from potentia.envs.web.elements import PageState
from potentia.envs.web.http import Handler, Response, request_to

__all__ = ["HtmlPage"]

_REDIRECTS = 10


class HtmlPage:
    """A tab that reads HTML, follows links and submits forms by calling the application itself.

    It does for the applications of this family what Chromium does: a test compares the two page by page. Scripts,
    styles and frames are not there.

    Args:
        handler: The application.
        hosts: The names that it answers to. A link to any other is an attempt to leave, counted in `blocked`.

    Attributes:
        url: The address of the page shown.
        blocked: The number of attempts to leave since `open`.
    """

    def __init__(self, handler: Handler, hosts: frozenset[str]) -> None:
        self._handler, self._hosts = handler, hosts
        self.url = "about:blank"
        self.blocked = 0
        self._document = Document("")
        self._past: list[str] = []

    @property
    def past(self) -> tuple[str, ...]:
        """The addresses that `back` leads to, the next one last."""
        return tuple(self._past)

    def fork(self) -> HtmlPage:
        """Another tab at the same place, with the same history and the same in its controls."""
        other = HtmlPage(self._handler, self._hosts)
        other.url, other.blocked, other._past = self.url, self.blocked, list(self._past)
        other._document = self._document.fork()
        return other

    def open(self, url: str) -> None:
        """Begins anew at an address: no history, nothing counted."""
        self._past, self.blocked = [], 0
        self._load("GET", url)

    def state(self) -> PageState:
        """What is on the page."""
        return PageState(self.url, self._document.title, self._document.elements())

    def act(self, action: Action) -> None:
        """What of an action has a meaning without layout and script. The rest does nothing."""
        if action.kind == "click":
            self.click(action.row)
        elif action.kind == "fill":
            self.fill(action.row, action.text)
        elif action.kind == "press" and action.text == "Enter":
            self.enter()
        elif action.kind == "back":
            self.back()

    def click(self, index: int) -> None:
        """A click on the element in a row. On a row that isn't there, or is disabled, it does nothing."""
        nodes, document = self._document.nodes, self._document
        if not 0 <= index < len(nodes) or "disabled" in nodes[index].attributes:
            return
        node = nodes[index]
        role = role_of(node)
        if role == "option":
            document.focused = node.ancestor("select")
            if document.focused is not None:
                document.checked.difference_update(document.focused.descendants())
            document.checked.add(node)
        else:
            document.focused = node if role in ("textbox", "combobox", "slider", "checkbox", "radio") else None
            self._activate(node, role)

    def _activate(self, node: Node, role: str) -> None:
        checked = self._document.checked
        if role == "link":
            self._go("GET", urljoin(self.url, node.attributes["href"]))
        elif role == "checkbox":
            checked.symmetric_difference_update({node})
        elif role == "radio":
            group = node.attributes.get("name")
            form = node.ancestor("form")
            same = {
                other for other in checked if other.attributes.get("name") == group and other.ancestor("form") is form
            }
            checked.difference_update(same)
            checked.add(node)
        elif role == "button" and node.attributes.get("type", "submit") == "submit":
            self._submit(node)

    def fill(self, index: int, text: str) -> None:
        """Replaces the content of the text box in a row. On any other row it does nothing."""
        nodes = self._document.nodes
        if not 0 <= index < len(nodes) or role_of(nodes[index]) != "textbox":
            return
        node = nodes[index]
        if "disabled" in node.attributes or "readonly" in node.attributes:
            return
        self._document.values[node] = text if node.tag == "textarea" else text.replace("\n", "")
        self._document.focused = node

    def enter(self) -> None:
        """The key Enter: in a text box of one line, it submits the form by its first button."""
        node = self._document.focused
        if node is None or node.tag != "input":
            return
        if (form := node.ancestor("form")) is None:
            return
        buttons = [part for part in form.descendants() if role_of(part) == "button"]
        self._submit(buttons[0] if buttons else node)

    def back(self) -> None:
        """To the page before. On the first page it does nothing."""
        if self._past:
            self._load("GET", self._past.pop())

    def _submit(self, button: Node) -> None:
        if (form := button.ancestor("form")) is None:
            return
        method, action, fields = self._document.submission(button, form)
        target = urljoin(self.url, action or self.url)
        if method == "GET":
            target = urlunsplit(urlsplit(target)._replace(query=fields, fragment=""))
            fields = ""
        self._go(method, target, fields)

    def _go(self, method: str, url: str, body: str = "") -> None:
        before = self.url
        if self._load(method, url, body) and self.url != before:
            self._past.append(before)

    def _load(self, method: str, url: str, body: str = "") -> bool:
        """Shows another page, following redirects. It gives False if that would have left the hosts."""
        for _ in range(_REDIRECTS):
            parts = urlsplit(url)
            if parts.scheme != "http" or parts.hostname not in self._hosts:
                self.blocked += 1
                return False
            response = self._handler(request_to(method, url, body))
            if not response.location:
                self._show(url, response)
                return True
            method, url, body = "GET", urljoin(url, response.location), ""
        raise RuntimeError(f"{url} redirects more than {_REDIRECTS} times: the application has a loop of redirects")

    def _show(self, url: str, response: Response) -> None:
        self.url = url
        self._document = Document(response.body.decode())
