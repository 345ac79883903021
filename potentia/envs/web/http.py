"""Requests and responses as data: an application is a function from the one to the other. A transport carries them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlsplit

__all__ = ["Handler", "Request", "Response", "redirect", "request_to"]


@dataclass(frozen=True)
class Request:
    """What a browser asks.

    Attributes:
        method: "GET" or "POST".
        host: The host's name, without a port: ``"shop.test"``.
        path: Begins with "/", percent-decoded by nobody: our own paths are plain.
        query: The fields of the URL, each with its values in order.
        form: The fields of an URL-encoded body, likewise.
    """

    method: str
    host: str
    path: str
    query: Mapping[str, list[str]] = field(default_factory=dict)
    form: Mapping[str, list[str]] = field(default_factory=dict)

    def asked(self, name: str, default: str = "") -> str:
        """A field of the URL, or the default."""
        return self.query.get(name, [default])[0]

    def sent(self, name: str, default: str = "") -> str:
        """A field of the form without white space around it, or the default."""
        return self.form.get(name, [default])[0].strip()


@dataclass(frozen=True)
class Response:
    """What the server answers.

    Attributes:
        status: HTTP's.
        body: The content.
        content_type: Of the body.
        location: Where a redirect leads.
        lasting: Whether the browser may keep it: it never changes.
    """

    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    location: str = ""
    lasting: bool = False


Handler = Callable[[Request], Response]
"""A whole application, as a transport sees it."""


def redirect(location: str) -> Response:
    """After a form: the browser is to get another page (303), so that reloading sends nothing twice."""
    return Response(303, location=location)


def request_to(method: str, url: str, body: str = "") -> Request:
    """The request for an absolute URL, with an URL-encoded body."""
    parts = urlsplit(url)
    query, form = (parse_qs(text, keep_blank_values=True) for text in (parts.query, body))
    return Request(method, parts.hostname or "", parts.path or "/", query, form)
