"""Answers by key, in a SQLite file that several processes share."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from potentia.judges.lock import Lock

__all__ = ["Store"]

_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key TEXT PRIMARY KEY, judge TEXT NOT NULL, question TEXT NOT NULL, answer TEXT NOT NULL
) WITHOUT ROWID
"""
_PATIENCE = 60.0
"""Seconds to wait while another process writes."""
_AT_ONCE = 500
"""Keys in one query: SQLite allows 999 variables in its older versions."""
_ABANDONED: list[sqlite3.Connection] = []
"""Connections of a parent process: to close one here would be taken for its last word on the file."""


class Store:
    """Texts by key. What is written first under a key stays, so all processes read the same.

    Args:
        path: The file. It is made if it does not exist. It must lie on a local disk.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = Lock(holds_forks=True)  # the child of a fork in a transaction would find the file locked for ever
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def read(self, keys: Sequence[str]) -> dict[str, str]:
        """The answers that are known, by key."""
        found: dict[str, str] = {}
        with self._lock:
            connection = self._connect()
            for start in range(0, len(keys), _AT_ONCE):
                some = list(keys[start : start + _AT_ONCE])
                marks = ", ".join("?" * len(some))
                found |= connection.execute(f"SELECT key, answer FROM answers WHERE key IN ({marks})", some).fetchall()
        return found

    def write(self, rows: Mapping[str, tuple[str, str, str]]) -> None:
        """Keeps (judge, question, answer) by key, where the key is new."""
        if not rows:
            return
        with self._lock, self._connect() as connection:  # one transaction
            connection.executemany(
                "INSERT OR IGNORE INTO answers VALUES (?, ?, ?, ?)", [(key, *row) for key, row in rows.items()]
            )

    def __len__(self) -> int:
        with self._lock:
            count: int = self._connect().execute("SELECT COUNT(*) FROM answers").fetchone()[0]
        return count

    def close(self) -> None:
        """Closes the file. The next call opens it again."""
        with self._lock:
            if self._connection is not None and self._process == os.getpid():
                self._connection.close()
            self._connection = None

    def _connect(self) -> sqlite3.Connection:
        if self._connection is not None and self._process != os.getpid():
            _ABANDONED.append(self._connection)
            self._connection = None
        if self._connection is None:
            self._connection, self._process = _open(self.path), os.getpid()
        return self._connection

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_connection": None}


def _open(path: Path) -> sqlite3.Connection:
    path.parent.mkdir(parents=True, exist_ok=True)
    end = time.monotonic() + _PATIENCE
    while True:
        connection = sqlite3.connect(path, timeout=_PATIENCE, check_same_thread=False)
        try:
            # A reader does not stop a writer. SQLite does not wait for who changes the mode at the same time.
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=NORMAL")
            with connection:
                connection.execute(_TABLE)
        except sqlite3.OperationalError as error:
            connection.close()
            if "locked" not in str(error) or time.monotonic() > end:
                raise
            time.sleep(0.02)
        except sqlite3.DatabaseError as error:
            connection.close()
            raise ValueError(
                f"{path} is no SQLite file: {error}; give the path of a cache, or of a new file"
            ) from error
        else:
            return connection
