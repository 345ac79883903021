"""Pages that try to get out, and listeners on loopback that tell whether they did."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from potentia.envs.web.elements import PageState
from potentia.envs.web.http import Request, Response
from potentia.envs.web.task import Opening, Verdict

HOST = "hostile.test"


class Listener:
    """Counts who connects to it. On 127.0.0.2 it stands for "anywhere else"."""

    def __init__(self, address: str) -> None:
        self.hits = 0
        self._socket = socket.create_server((address, 0))
        self.host, self.port = address, self._socket.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    @property
    def at(self) -> str:
        return f"{self.host}:{self.port}"

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                self.hits += 1
                connection.close()

    def close(self) -> None:
        self._socket.close()


class PageTask:
    """A web task of fixed pages: path to HTML, or to a response. It has no goal and never ends by itself."""

    name = "pages"
    viewport = (320, 240)
    asks = clicks_anything = False
    needs_browser = True
    probe = skip = ""
    info_keys: tuple[str, ...] = ()
    goal = "none"
    fields: Sequence[str] = ("text",)

    def __init__(self, pages: Mapping[str, str | Response], budget: int = 50) -> None:
        self.pages, self.budget = pages, budget

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset((HOST,))

    def handle(self, request: Request) -> Response:
        found = self.pages.get(request.path, "<title>missing</title>")
        return found if isinstance(found, Response) else Response(200, found.encode())

    def begin(self, seed: int, index: int) -> Opening:
        return Opening(f"http://{HOST}/", seed * 1000 + index)

    def judge(self, page: PageState, answer: str | None) -> Verdict:
        return Verdict()

    def describe(self, key: str, page: PageState) -> Any:
        raise KeyError(key)

    def identity(self) -> Any:
        return None
