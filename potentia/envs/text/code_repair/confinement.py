"""What Linux lets a process do to itself: give up files (Landlock) and nearly all system calls (seccomp).

This module imports nothing of the library: the warden runs it in an interpreter of its own.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import signal
import struct
import sys

if sys.platform != "win32":
    import resource

__all__ = [
    "MEMORY",
    "SECONDS",
    "UnconfinableError",
    "die_with_parent",
    "give_up_calls",
    "give_up_files",
    "limit",
    "wants_no_more_rights",
]

MEMORY = 256 * 2**20
"""The most address space of a process that runs tests, in bytes."""
SECONDS = 1
"""The most processor time of a test that can't be counted in lines."""

_PR_SET_PDEATHSIG, _PR_SET_SECCOMP, _PR_SET_NO_NEW_PRIVS = 1, 22, 38
_LANDLOCK_CREATE, _LANDLOCK_RESTRICT = 444, 446
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}
"""How many rights to files each version of Landlock knows. Later ones know as many as 5."""

_ALLOWED = {
    # Memory, the pipe that results go to, signals of its own, the clock, random numbers, and the end. Nothing opens,
    # connects, forks, executes, signals, sleeps or waits.
    "x86_64": (
        0xC000003E,
        (0, 1, 3, 5, 8, 9, 10, 11, 12, 13, 14, 15, 25, 28, 39, 60, 96, 131, 186, 201, 219, 228, 229, 231, 318),
    ),
    "aarch64": (
        0xC00000B7,
        (63, 64, 57, 80, 62, 222, 226, 215, 214, 134, 135, 139, 216, 233, 172, 93, 169, 132, 178, 128, 113, 114, 94,
         278),
    ),
}  # fmt: skip
"""The audit number of an architecture, and the numbers there of read, write, close, fstat, lseek, mmap, mprotect,
munmap, brk, rt_sigaction, rt_sigprocmask, rt_sigreturn, mremap, madvise, getpid, exit, gettimeofday, sigaltstack,
gettid, time (x86), restart_syscall, clock_gettime, clock_getres, exit_group and getrandom."""


class UnconfinableError(Exception):
    """The kernel does not offer what confinement needs."""


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, *arguments: int | ctypes.c_void_p) -> None:
    values = [ctypes.c_ulong(a) if isinstance(a, int) else a for a in (*arguments, 0, 0, 0, 0)[:4]]
    if _libc().prctl(ctypes.c_int(option), *values) != 0:
        code = ctypes.get_errno()
        raise UnconfinableError(f"prctl({option}): {errno.errorcode.get(code, code)}")


def wants_no_more_rights() -> None:
    """This process and its children can never gain rights, and end with their parent.

    Raises:
        UnconfinableError: If this is no Linux.
    """
    if sys.platform != "linux":
        raise UnconfinableError(f"{sys.platform} has no seccomp")
    _prctl(_PR_SET_NO_NEW_PRIVS, 1)


def give_up_files() -> int:
    """No path can be opened, made, moved or removed from now on. Returns Landlock's version, 0 for none.

    What is open stays so.
    """
    if sys.platform != "linux":
        return 0
    libc = _libc()
    version = int(libc.syscall(_LANDLOCK_CREATE, None, ctypes.c_size_t(0), 1))
    if version < 1:
        return 0
    rights = (1 << _FILE_RIGHTS[min(version, 5)]) - 1
    rules = struct.pack("Q", rights)
    if version >= 4:
        rules += struct.pack("Q", 3)  # TCP: bind and connect
    if version >= 6:
        rules += struct.pack("Q", 3)  # abstract sockets and signals of other domains
    ruleset = int(libc.syscall(_LANDLOCK_CREATE, rules, ctypes.c_size_t(len(rules)), 0))
    if ruleset < 0 or libc.syscall(_LANDLOCK_RESTRICT, ruleset, 0) != 0:
        return 0
    os.close(ruleset)
    return version


def limit() -> None:
    """Bounds on memory, processor time, files and processes, which can't be raised again."""
    for name, value in (
        ("RLIMIT_AS", MEMORY),
        ("RLIMIT_CPU", SECONDS),
        ("RLIMIT_CORE", 0),
        ("RLIMIT_FSIZE", 0),
        ("RLIMIT_NOFILE", 8),
        ("RLIMIT_NPROC", 0),
    ):
        which = getattr(resource, name, None)
        if which is not None:
            resource.setrlimit(which, (value, value))


def die_with_parent() -> None:
    """The kernel kills this process when its parent ends."""
    if sys.platform == "linux":
        _prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))


def give_up_calls() -> None:
    """From now on all system calls are refused but those that `_ALLOWED` names.

    Raises:
        UnconfinableError: If the machine's architecture is not known here, or the kernel has no filters.
    """
    machine = platform.machine()
    if machine not in _ALLOWED:
        raise UnconfinableError(f"the system calls of {machine!r} are not known here, only those of {sorted(_ALLOWED)}")
    program = _program(*_ALLOWED[machine])
    code = ctypes.create_string_buffer(program, len(program))
    head = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(code))
    _prctl(_PR_SET_SECCOMP, 2, ctypes.cast(ctypes.create_string_buffer(head, len(head)), ctypes.c_void_p))


def _program(architecture: int, allowed: tuple[int, ...]) -> bytes:
    """A filter for `seccomp`: kill under another architecture, allow those, refuse all others with EPERM."""
    load, equal, give = 0x20, 0x15, 0x06
    kill, refuse, allow = 0x80000000, 0x00050000 | errno.EPERM, 0x7FFF0000
    lines = [(load, 0, 0, 4), (equal, 1, 0, architecture), (give, 0, 0, kill), (load, 0, 0, 0)]
    count = len(allowed)
    lines += [(equal, count - place, 0, number) for place, number in enumerate(allowed)]
    lines += [(give, 0, 0, refuse), (give, 0, 0, allow)]
    return b"".join(struct.pack("HBBI", *line) for line in lines)
