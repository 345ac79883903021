"""A lock for objects that are copied, pickled and forked."""

from __future__ import annotations

import logging
import os
import threading
import weakref
from types import TracebackType

__all__ = ["Lock"]


class Lock:
    """A reentrant lock. A copy of it, one from a pickle and the one in a forked process are fresh and free.

    A fork copies a lock as it stands: held by a thread that the child does not have, so that nobody ever frees it.

    Args:
        holds_forks: A fork waits until nobody else holds the lock. It is for what must not be copied half done,
            and takes a moment and no other lock but that of logging.
    """

    def __init__(self, holds_forks: bool = False) -> None:
        self._lock = threading.RLock()
        self._holds_forks = holds_forks
        _LOCKS.add(self)

    def renew(self) -> None:
        """Makes it free, whoever holds it."""
        self._lock = threading.RLock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._lock.release()

    def __reduce__(self) -> tuple[type[Lock], tuple[bool]]:
        return Lock, (self._holds_forks,)


_LOCKS: weakref.WeakSet[Lock] = weakref.WeakSet()


_held: list[Lock] = []


def _before_fork() -> None:
    _held[:] = [lock for lock in list(_LOCKS) if lock._holds_forks]
    for lock in _held:
        lock._lock.acquire()


def _after_fork() -> None:
    while _held:
        _held.pop()._lock.release()


def _after_fork_in_child() -> None:
    _held.clear()
    for lock in list(_LOCKS):
        lock.renew()


assert logging  # it is imported before, so that its own lock is taken after these: the last registered is the first
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_after_fork_in_child)
