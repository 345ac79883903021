"""What every application is made of: a schema, seeded content, and routes from requests to pages."""

from __future__ import annotations

import functools
import re
import sqlite3
from collections.abc import Callable, Mapping
from random import Random
from typing import Any, ClassVar, TypeVar

import jinja2

from potentia.envs.web.apps.database import copy_of, open_database
from potentia.envs.web.http import Request, Response

__all__ = ["NOW", "TODAY", "App", "BadInput", "route"]

NOW = "2026-03-16 09:00"
"""The time at which every episode takes place, a Monday: no clock runs in these worlds."""

TODAY = NOW[:10]

_Method = TypeVar("_Method", bound=Callable[..., Response])


class BadInput(ValueError):  # noqa: N818 - said to users, not raised at them
    """A form that can't be accepted. Its message is shown on the page."""


def route(method: str, pattern: str) -> Callable[[_Method], _Method]:
    """Marks a method of an `App` as the answer to a method and path. ``{name}`` in it is a number, and an argument."""

    def mark(function: _Method) -> _Method:
        function.route = (method, pattern)  # type: ignore[attr-defined]
        return function

    return mark


@functools.cache
def _templates() -> jinja2.Environment:
    loader = jinja2.PackageLoader("potentia.envs.web.apps", "pages")
    return jinja2.Environment(
        loader=loader, autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )


@functools.cache
def _routes(cls: type[App]) -> tuple[tuple[str, re.Pattern[str], str], ...]:
    found = []
    for name in dir(cls):
        if (marked := getattr(getattr(cls, name), "route", None)) is not None:
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[0-9]+)", marked[1])
            found.append((marked[0], re.compile(pattern), name))
    return tuple(found)


class App:
    """A server-rendered application: a function from `Request` to `Response` whose only state is ``self.db``.

    It has one user, who is signed in. Subclasses give the class attributes, `populate`, and methods marked by `route`
    that read and write ``self.db`` and end with `page` or `potentia.envs.web.http.redirect`. Every actionable element
    of a page has a name of its own on that page, pages are plain HTML (no script), have at most some 50 elements, and
    begin with the navigation bar.

    Args:
        neighbours: Title to address of the other applications of the task. Their links stand in the bar.

    Attributes:
        name: The host is ``<name>.test``.
        title: What its pages are headed by.
        schema: SQL of its tables. Each has a column ``id INTEGER PRIMARY KEY``. References are declared.
        bar: Text to path of the links in the navigation bar.
    """

    name: ClassVar[str]
    title: ClassVar[str]
    schema: ClassVar[str]
    bar: ClassVar[Mapping[str, str]]

    def __init__(self, neighbours: Mapping[str, str] | None = None) -> None:
        self.neighbours = dict(neighbours or {})
        self.db: sqlite3.Connection = open_database(self.schema)

    @property
    def host(self) -> str:
        """The name under which the browser reaches it."""
        return f"{self.name}.test"

    def populate(self, random: Random, rows: int) -> None:
        """Fills an empty database with noise: about ``rows`` rows of each kind that tasks are about."""
        raise NotImplementedError

    def fork(self) -> App:
        """Another copy of it, with a copy of its database."""
        other = type(self).__new__(type(self))
        other.neighbours, other.db = self.neighbours, copy_of(self.db)
        return other

    def save(self) -> bytes:
        """The whole state."""
        return self.db.serialize()

    def restore(self, saved: bytes) -> None:
        """Goes back to a saved state."""
        self.db.deserialize(saved)
        self.db.execute("PRAGMA foreign_keys = ON")

    def handle(self, request: Request) -> Response:
        """The response to a request. What a request changes, it changes wholly or not at all."""
        for method, pattern, name in _routes(type(self)):  # type: ignore[arg-type]  # a class is hashable
            if method == request.method and (match := pattern.fullmatch(request.path)):
                # SQLite's integers end at 64 bits; no row has such a number.
                numbers = {key: int(value[:18]) for key, value in match.groupdict().items()}
                return self._answer(getattr(self, name), request, numbers)
        return self.missing()

    def _answer(self, method: Callable[..., Response], request: Request, numbers: dict[str, int]) -> Response:
        self.db.execute("BEGIN")
        try:
            response = method(request, **numbers)
        except BadInput as error:
            self.db.execute("ROLLBACK")
            return self.page("message.html", "That did not work", status=400, message=str(error))
        except LookupError:
            self.db.execute("ROLLBACK")
            return self.missing()
        except BaseException:
            self.db.execute("ROLLBACK")
            raise
        self.db.execute("COMMIT")
        return response

    def missing(self) -> Response:
        """The page for an address where nothing is."""
        return self.page("message.html", "Not found", status=404, message="There is no such page.")

    def page(self, template: str, heading: str, *, status: int = 200, **values: Any) -> Response:
        """A page from a template in ``pages/``, which extends ``layout.html``."""
        text = _templates().get_template(template).render(app=self, heading=heading, **values)
        return Response(status, text.encode())

    def rows(self, query: str, *values: Any) -> list[sqlite3.Row]:
        """All rows of a query."""
        return self.db.execute(query, values).fetchall()

    def row(self, query: str, *values: Any) -> sqlite3.Row:
        """The first row of a query.

        Raises:
            LookupError: If there is none: answered as "Not found".
        """
        found: sqlite3.Row | None = self.db.execute(query, values).fetchone()
        if found is None:
            raise LookupError(query)
        return found

    def insert(self, table: str, **values: Any) -> int:
        """Inserts a row. The result is its id."""
        columns, marks = ", ".join(values), ", ".join("?" * len(values))
        statement = f"INSERT INTO {table} ({columns}) VALUES ({marks})"
        return int(self.db.execute(statement, tuple(values.values())).lastrowid or 0)

    def change(self, statement: str, *values: Any) -> int:
        """Runs an UPDATE or DELETE. The result is the number of rows that it changed."""
        return self.db.execute(statement, values).rowcount
