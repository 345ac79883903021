"""From plain functions to what Numba compiles, and what such a function is made of.

Numba compiles a function only if those that it calls are in Numba's own form. Here functions stay plain, so that Python
runs them as they are. A copy whose names stand for Numba's forms is made when there is something to compile.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from functools import update_wrapper
from types import CellType, CodeType, FunctionType
from typing import Any, TypeVar, overload

import numpy as np

F = TypeVar("F", bound=Callable[..., Any])
Put = Callable[[np.ndarray[Any, Any]], Any] | None
"""From an array that a function knows to what stands for it in the compiled one. None leaves it, a constant."""

prange = range
"""``range`` in a loop whose rounds don't depend on each other; compiled with ``parallel=True`` it runs on all cores."""

_FORM = 2
"""Changes when what is compiled changes though the functions don't."""
_PARTS: dict[FunctionType, dict[str, Any]] = {}
_DISPATCHERS: dict[tuple[FunctionType, Put], Any] = {}


@overload
def part(function: F) -> F: ...
@overload
def part(**options: Any) -> Callable[[F], F]: ...
def part(function: F | None = None, **options: Any) -> Any:
    """Marks a function as one that compiled loops may call; returns it as it is.

    Args:
        function: The function.
        options: How it is compiled, as ``numba.njit`` takes it, such as ``inline="always"``.
    """
    if function is None:
        return lambda later: part(later, **options)
    assert isinstance(function, FunctionType)
    _PARTS[function] = options
    return function


def is_part(value: Any) -> bool:
    """Whether a value is a function that `part` marked."""
    return isinstance(value, FunctionType) and value in _PARTS


def dispatcher(function: Callable[..., Any], put: Put = None) -> Any:
    """Numba's form of a part, which code for any of Numba's targets can call."""
    assert isinstance(function, FunctionType)
    if (function, put) not in _DISPATCHERS:
        import numba  # noqa: PLC0415 - costs 0.2 s, mostly for nothing

        options = _PARTS[function]
        _DISPATCHERS[function, put] = numba.njit(**options)(linked(function, options, put))
    return _DISPATCHERS[function, put]


def linked(function: Callable[..., Any], options: dict[str, Any] | None = None, put: Put = None) -> Any:
    """A copy of a function that calls the parts in Numba's form, to be compiled for any target.

    Its name tells what it is made of. Numba names machine code by the function's name and a number that counts in each
    process anew. Of two functions of one name, kept by two processes, a third would take one for the other.
    """
    import numba  # noqa: PLC0415

    assert isinstance(function, FunctionType)

    def form(value: Any) -> Any:
        if value is prange:
            return numba.prange
        if put is not None and isinstance(value, np.ndarray):
            return put(value)
        return dispatcher(value, put) if is_part(value) else value

    known = function.__globals__
    forms = {name: form(known[name]) for name in _names(function.__code__) if name in known}
    cells = tuple(CellType(form(cell.cell_contents)) for cell in function.__closure__ or ())
    copy = FunctionType(function.__code__, known | forms, function.__name__, function.__defaults__, cells)
    update_wrapper(copy, function)
    copy.__qualname__ = f"{function.__qualname__}_{digest_of(function, options or {})}"
    return copy


def digest_of(function: Callable[..., Any], options: dict[str, Any]) -> str:
    """16 digits that change with anything that a function's machine code is made from, but not with comments.

    That is its bytecode, its options, the constants that it reads, and all this of each part that it calls.
    """
    found = hashlib.sha256(f"{_FORM} {sorted(options.items())!r}".encode())
    seen: set[int] = set()

    def add(value: Any) -> None:
        if isinstance(value, FunctionType) and (value in _PARTS or value is function):
            if id(value) not in seen:
                seen.add(id(value))
                found.update(repr(sorted(_PARTS.get(value, {}).items())).encode())
                for piece in _pieces(value):
                    add(piece)
        elif isinstance(value, np.ndarray):
            found.update(f"{value.dtype}{value.shape}".encode() + value.tobytes())
        elif isinstance(value, tuple | list):
            found.update(f"({len(value)}".encode())
            for entry in value:
                add(entry)
        elif isinstance(value, bytes):
            found.update(value)
        elif value is None or isinstance(value, bool | int | float | str | np.generic):
            found.update(f"{type(value).__name__}:{value!r};".encode())
        elif isinstance(value, type):
            found.update(f"{value.__module__}.{value.__qualname__}{getattr(value, '_fields', '')}".encode())
        else:
            found.update(f"{type(value).__name__} {getattr(value, '__name__', '')}".encode())

    add(function)
    return found.hexdigest()[:16]


def _pieces(function: FunctionType) -> Iterator[Any]:
    """The bytecode of a function, its constants, and the values of its outer names."""
    for code in _codes(function.__code__):
        yield code.co_code
        yield code.co_names
        yield code.co_varnames
        yield from (const for const in code.co_consts if not isinstance(const, CodeType) and const != function.__doc__)
    yield from (cell.cell_contents for cell in function.__closure__ or ())
    yield from function.__defaults__ or ()
    for name in _names(function.__code__):
        if name in function.__globals__:
            yield function.__globals__[name]


def _codes(code: CodeType) -> Iterator[CodeType]:
    """The code of a function and of those inside it."""
    yield code
    for const in code.co_consts:
        if isinstance(const, CodeType):
            yield from _codes(const)


def _names(code: CodeType) -> list[str]:
    """The names that may be global, in a fixed order."""
    return sorted({name for inner in _codes(code) for name in inner.co_names})
