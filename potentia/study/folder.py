"""A run's folder: every file in it is whole at any moment, whatever is killed when."""

from __future__ import annotations

import fcntl
import json
import math
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LOG_LIMIT = 2**20
"""Bytes of a run's standard output that are kept, about."""


def write_json(path: Path, value: Mapping[str, Any]) -> None:
    """Replaces a JSON file in one move, so that a reader sees the old one or the new one.

    Raises:
        OSError: If it can't be written. The old file stays.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8") as file:
            json.dump(value, file, indent=1, sort_keys=True)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise type(error)(
            error.errno,
            f"can't write ({error.strerror}); free some space or choose another folder with --out",
            str(path),
        ) from error


class RunFolder:
    """The files of one run: config, status, metrics, checkpoint, result.

    Args:
        path: The folder.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.checkpoint = path / "checkpoint.pt"
        self.log = path / "log.txt"
        self._status = os.path.join(path, "status.json")
        self._seen: tuple[tuple[int, int, int], dict[str, Any]] = (0, 0, 0), {}

    def config(self) -> dict[str, Any]:
        """The configuration of the run. It is ``{}`` if there is none."""
        try:
            config: dict[str, Any] = json.loads((self.path / "config.json").read_text("utf-8"))
        except FileNotFoundError:
            return {}
        if config.get("folder") is not None:
            config["folder"] = os.path.realpath(self.path / config["folder"])
        return config

    def set_config(self, config: Mapping[str, Any]) -> None:
        """Writes the configuration if it is another one. The study's folder is written as it is seen from this one."""
        if self.config() != config:
            folder = config.get("folder")
            seen = None if folder is None else os.path.relpath(folder, os.path.realpath(self.path))
            write_json(self.path / "config.json", {**config, "folder": seen})

    @property
    def completed(self) -> bool:
        """Whether the run finished and its result is there."""
        return self._written_status()["state"] == "completed" and (self.path / "result.json").is_file()

    def status(self) -> dict[str, Any]:
        """The last status. It is ``queued`` if there is none yet, ``interrupted`` if it runs but nobody works on it."""
        status = self._written_status()
        if status["state"] == "running":
            with self.lock(patience=0.0) as abandoned:
                if abandoned:
                    status["state"] = "interrupted"
        return status

    def _written_status(self) -> dict[str, Any]:
        """The status as it was written. A file that has not changed since is not read again."""
        try:
            stat = os.stat(self._status)
            version = stat.st_ino, stat.st_mtime_ns, stat.st_size
            if version != self._seen[0]:
                self._seen = version, json.loads(Path(self._status).read_text("utf-8"))
        except (OSError, ValueError):
            return {"state": "queued", "steps": 0}
        return dict(self._seen[1])

    def set_status(self, state: str, **changes: Any) -> None:
        """Changes the status. An error of an earlier attempt is forgotten once the run goes on."""
        kept = {key: value for key, value in self._written_status().items() if key != "error"}
        write_json(self.path / "status.json", kept | {"state": state, "updated": time.time()} | changes)

    def append(self, lines: list[Mapping[str, Any]]) -> None:
        """Appends lines to the metrics.

        Raises:
            ValueError: If a number in them is not finite. The message names the quantity and the step.
        """
        try:
            texts = [json.dumps(line, allow_nan=False) + "\n" for line in lines]
        except ValueError as error:
            name, line = next((name, line) for line in lines if (name := _not_finite(line)))
            message = f"{name} is not finite at step {line.get('step')} ({line.get('kind')}); this is not a result"
            raise ValueError(message) from error
        with open(self.path / "metrics.jsonl", "a", encoding="utf-8") as file:
            file.writelines(texts)
            file.flush()

    def bound_log(self) -> None:
        """Leaves the beginning and the end of a log that has grown beyond `LOG_LIMIT`. Whoever prints may go on."""
        try:
            if self.log.stat().st_size <= LOG_LIMIT:
                return
            with open(self.log, "r+b") as file:
                size = file.seek(-LOG_LIMIT // 2, os.SEEK_END) + LOG_LIMIT // 2
                tail = file.read()
                file.truncate(LOG_LIMIT // 4)
            with open(self.log, "ab") as file:  # a run prints with O_APPEND too, so it goes on behind this
                file.write(f"\n... ({size - LOG_LIMIT * 3 // 4:,} bytes left out) ...\n".encode() + tail)
        except OSError:
            return  # a log that can't be read now is tried again

    def rewind(self, step: int) -> None:
        """Drops the metrics after a step: they belong to work that is done again."""
        path = self.path / "metrics.jsonl"
        if not path.exists():
            return
        kept = []
        for line in path.read_text("utf-8").splitlines():
            try:
                if json.loads(line)["step"] <= step:
                    kept.append(line + "\n")
            except (ValueError, KeyError):
                continue  # torn by a crash
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        temporary.write_text("".join(kept), encoding="utf-8")
        os.replace(temporary, path)

    def evaluations(self) -> list[dict[str, Any]]:
        """The evaluations so far."""
        path = self.path / "metrics.jsonl"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [line for line in map(json.loads, lines) if line["kind"] == "eval"]

    @contextmanager
    def lock(self, patience: float = 1.0) -> Iterator[bool]:
        """True while no other process works on this run. The kernel lets go of it when this process dies.

        Args:
            patience: Seconds to try for: who asks for the status holds the lock for a moment.
        """
        # Opened for reading, so that a status can be asked for in a folder that can't be written.
        descriptor = os.open(self.path / ".lock", os.O_RDONLY | os.O_CREAT, 0o666)
        try:
            deadline = time.monotonic() + patience
            while not (mine := _try_lock(descriptor)) and time.monotonic() < deadline:
                time.sleep(0.02)
            yield mine
        finally:
            os.close(descriptor)


def _not_finite(value: Any, name: str = "") -> str:
    """The name of the first number that is not finite, or ``""``."""
    if isinstance(value, float):
        return "" if math.isfinite(value) else name
    items: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, Mapping):
        items = value.items()
    elif isinstance(value, list | tuple):
        items = enumerate(value)
    parts = (_not_finite(entry, f"{name}.{key}" if name else str(key)) for key, entry in items)
    return next((part for part in parts if part), "")


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
