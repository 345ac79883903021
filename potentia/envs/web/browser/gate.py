"""The only way out of a page: a proxy on loopback that answers for the task's hosts.

The proxy refuses and counts the rest.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from potentia.envs.web.http import Handler, Response, request_to

__all__ = ["Gate"]

_LONGEST_BODY = 1 << 20


class Gate:
    """An HTTP server that a browser context is told to use as its proxy for every address, loopback included.

    Whatever the page asks for, by navigation, redirect, fetch, image, WebSocket or worker, comes here. Hosts of the
    task are answered by its handler. Every other host, port or scheme is answered 403 and counted.

    Args:
        handler: Answers requests for the hosts.
        hosts: The names that may be reached, on port 80.

    Attributes:
        blocked: How many requests were refused.
        refused: The first hundred of them: ``"GET http://127.0.0.2:8000/"``.
        errors: What the handler raised, if anything: a bug of the application.
    """

    def __init__(self, handler: Handler, hosts: Callable[[], frozenset[str]]) -> None:
        self.handler, self.hosts = handler, hosts
        self.blocked = 0
        self.refused: list[str] = []
        self.errors: list[BaseException] = []
        self._lock = threading.Lock()
        self._server = _Server(("127.0.0.1", 0), _Connection)
        self._server.gate = self
        threading.Thread(target=self._server.serve_forever, name="potentia-gate", daemon=True).start()

    @property
    def address(self) -> str:
        """Where it listens: ``"127.0.0.1:4711"``."""
        host, port = self._server.server_address[:2]
        return f"{host!s}:{port}"

    def answer(self, method: str, url: str, body: str) -> Response:
        """The response to a request that came through."""
        parts = urlsplit(url)
        if parts.scheme != "http" or parts.hostname not in self.hosts() or parts.port not in (None, 80):
            self.refuse(method, url)
            return Response(403, b"This page can't be reached from here.", "text/plain; charset=utf-8")
        with self._lock:
            try:
                return self.handler(request_to(method, url, body))
            except Exception as error:
                self.errors.append(error)
                return Response(500, b"The application failed.", "text/plain; charset=utf-8")

    def refuse(self, method: str, url: str) -> None:
        """Counts an attempt to leave."""
        with self._lock:
            self.blocked += 1
            if len(self.refused) < 100:
                self.refused.append(f"{method} {url}")

    def close(self) -> None:
        """Stops listening, within a second. It does not wait for that."""
        threading.Thread(target=self._end, daemon=True).start()

    def _end(self) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    gate: Gate

    def handle_error(self, request: object, client_address: object) -> None:
        """A connection that the browser dropped is nothing to report."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1
    server: _Server

    def do_GET(self) -> None:
        self._answer("GET", "")

    def do_HEAD(self) -> None:
        self._answer("HEAD", "")

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if not 0 <= length <= _LONGEST_BODY:
            self.close_connection = True
            self._send(Response(413, b"Too long."))
            return
        self._answer("POST", self.rfile.read(length).decode("utf-8", "replace"))

    def do_CONNECT(self) -> None:
        self.server.gate.refuse("CONNECT", self.path)
        self.close_connection = True
        self._send(Response(403))

    def do_OPTIONS(self) -> None:
        self._answer("OPTIONS", "")

    do_PUT = do_DELETE = do_PATCH = do_OPTIONS  # noqa: N815 - names of the standard library

    def _answer(self, method: str, body: str) -> None:
        url = self.path if "://" in self.path else f"http://{self.headers.get('Host', '')}{self.path}"
        self._send(self.server.gate.answer(method, url, body))

    def _send(self, response: Response) -> None:
        self.send_response_only(response.status)
        if response.location:
            self.send_header("Location", response.location)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Cache-Control", "max-age=31536000" if response.lasting else "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(response.body)
        self.wfile.flush()

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""
