"""An application's state: a small SQLite database in memory, copied and compared as a whole."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["Contents", "Difference", "contents", "copy_of", "difference", "open_database"]

Contents = Mapping[str, Counter[tuple[Any, ...]]]
"""All rows of all tables: table to a multiset of rows, without the column ``id``."""


def open_database(schema: str) -> sqlite3.Connection:
    """An empty database in memory. It may be used from several threads, one at a time."""
    connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    connection.row_factory = sqlite3.Row
    connection.executescript(schema)
    connection.execute("PRAGMA foreign_keys = ON")
    return connection


def copy_of(connection: sqlite3.Connection) -> sqlite3.Connection:
    """Another database with the same content."""
    other = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    other.row_factory = sqlite3.Row
    other.deserialize(connection.serialize())
    other.execute("PRAGMA foreign_keys = ON")
    return other


def contents(connection: sqlite3.Connection) -> Contents:
    """All rows, with rows that refer to others naming them by content, so that the order of insertion does not count.

    The column ``id`` is left out: what a row is called is no part of what it says. A column ``<table>_id`` is replaced
    by the content of the row it refers to.
    """
    tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    rows = {table: connection.execute(f"SELECT * FROM {table} ORDER BY rowid").fetchall() for table in tables}
    references = {table: _references(connection, table) for table in tables}
    by_id = {table: {row["id"]: row for row in rows[table] if "id" in row.keys()} for table in tables}  # noqa: SIM118
    known: dict[tuple[str, Any], tuple[Any, ...]] = {}

    def said(table: str, row: sqlite3.Row) -> tuple[Any, ...]:
        parts: list[Any] = []
        for column in row.keys():  # noqa: SIM118 - a Row iterates over its values
            if column == "id":
                continue
            value, target = row[column], references[table].get(column)
            if target is not None and value is not None:
                if (target, value) not in known:
                    known[target, value] = said(target, by_id[target][value])
                value = known[target, value]
            parts.append(value)
        return tuple(parts)

    return {table: Counter(said(table, row) for row in rows[table]) for table in tables}


def _references(connection: sqlite3.Connection, table: str) -> dict[str, str]:
    return {row["from"]: row["table"] for row in connection.execute(f"PRAGMA foreign_key_list({table})")}


@dataclass(frozen=True)
class Difference:
    """What separates a database from the one wanted.

    Attributes:
        missing: (table, row) wanted and not there.
        stray: (table, row) there and not wanted.
    """

    missing: tuple[tuple[str, tuple[Any, ...]], ...]
    stray: tuple[tuple[str, tuple[Any, ...]], ...]

    def __bool__(self) -> bool:
        return bool(self.missing or self.stray)


def difference(now: Contents, wanted: Contents, *, ignoring: Iterable[str] = ()) -> Difference:
    """The rows by which ``now`` and ``wanted`` differ, in all tables but those ignored."""
    tables = sorted(set(wanted) - set(ignoring))
    return Difference(
        tuple((table, row) for table in tables for row in (wanted[table] - now[table]).elements()),
        tuple((table, row) for table in tables for row in (now[table] - wanted[table]).elements()),
    )
