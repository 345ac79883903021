"""The applications of a task together: one handler, one state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from potentia.envs.web.apps.application import App
from potentia.envs.web.apps.database import Contents, contents
from potentia.envs.web.http import Request, Response

__all__ = ["AppWorld"]


class AppWorld(Mapping[str, App]):
    """Applications by name, each linking to the others.

    Args:
        apps: Their classes. The first one's front page is where an episode begins.
    """

    def __init__(self, apps: Iterable[type[App]]) -> None:
        classes = list(apps)
        self._apps = {
            cls.name: cls({other.title: f"http://{other.name}.test/" for other in classes if other is not cls})
            for cls in classes
        }
        self._by_host = {app.host: app for app in self._apps.values()}
        self._restored = 0

    def __getitem__(self, name: str) -> App:
        return self._apps[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._apps)

    def __len__(self) -> int:
        return len(self._apps)

    @property
    def hosts(self) -> frozenset[str]:
        """The names under which they are reached."""
        return frozenset(self._by_host)

    @property
    def start(self) -> str:
        """The address of the first one's front page."""
        return f"http://{next(iter(self._by_host))}/"

    def handle(self, request: Request) -> Response:
        """The response of the application that the request names.

        Raises:
            KeyError: If none of them has that host.
        """
        return self._by_host[request.host].handle(request)

    def contents(self) -> Contents:
        """All rows of all tables, named ``<application>.<table>``."""
        found: dict[str, Any] = {}
        for name, app in self._apps.items():
            found |= {f"{name}.{table}": rows for table, rows in contents(app.db).items()}
        return found

    @property
    def changes(self) -> int:
        """How many rows were changed since the beginning: while it stays, so does the state."""
        return sum(app.db.total_changes for app in self._apps.values()) + self._restored

    def fork(self) -> AppWorld:
        """Another copy, with copies of the databases."""
        other = AppWorld.__new__(AppWorld)
        other._apps = {name: app.fork() for name, app in self._apps.items()}
        other._by_host = {app.host: app for app in other._apps.values()}
        other._restored = 0
        return other

    def save(self) -> dict[str, bytes]:
        """The whole state."""
        return {name: app.save() for name, app in self._apps.items()}

    def restore(self, saved: Mapping[str, bytes]) -> None:
        """Goes back to a saved state."""
        for name, app in self._apps.items():
            app.restore(saved[name])
        self._restored += 1
