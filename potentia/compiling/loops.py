"""A loop that is interpreted until it pays to compile it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import Any, Generic, ParamSpec, TypeVar

import numpy as np

from potentia.compiling.kept import cache_folder, is_kept, keep
from potentia.compiling.linking import digest_of, linked
from potentia.compiling.notice import notice

P = ParamSpec("P")
R = TypeVar("R")


class Patience:
    """How long loops are interpreted.

    Attributes:
        to_compile: A loop is compiled when interpreting, all loops of the process together, took so many times the
            seconds that it takes to compile this one. 0 compiles at the first call.
        to_load: Seconds of interpreting before machine code is loaded that is on disk already: to import Numba takes
            longer.
    """

    to_compile = 1.0
    to_load = 0.2


patience = Patience()


def compiled(
    name: str, *, work: Callable[..., float] | None, seconds: float = 1.0, **options: Any
) -> Callable[[Callable[P, R]], Compiled[P, R]]:
    """Makes a loop `Compiled`.

    Args:
        name: What it does, in words, such as "the steps of grid worlds".
        work: From the arguments of a call to the microseconds that it takes to interpret it, about. None for a loop
            that is never interpreted, because its floating point numbers would be others.
        seconds: How long it takes to compile, about.
        options: How it is compiled, as ``numba.njit`` takes it, such as ``parallel=True``.
    """
    return lambda function: Compiled(function, name, work, seconds, options)


class Compiled(Generic[P, R]):
    """A loop over arrays, called as the function that it is made of.

    Args:
        function: The function.
        name: As `compiled` takes it, as the others.
        work: Microseconds to interpret a call.
        seconds: Seconds to compile.
        options: Numba's.

    Attributes:
        run: What a call comes to: first a method of this object, in the end Numba's machine code. To call it instead of
            the object saves 0.2 us.
    """

    spent = 0.0
    """Seconds that all loops of this process were interpreted."""

    def __init__(
        self,
        function: Callable[P, R],
        name: str,
        work: Callable[..., float] | None,
        seconds: float,
        options: dict[str, Any],
    ) -> None:
        assert isinstance(function, FunctionType)
        self.function: Callable[P, R] = function
        self.name, self._work, self._seconds, self._options = name, work, seconds, options
        self._own = self._foreseen = 0.0
        self._digest, self._is_kept = "", False
        self.run: Callable[P, R] = self._begin
        update_wrapper(self, function)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        """What the function returns."""
        return self.run(*arguments, **named)

    def _begin(self, *arguments: P.args, **named: P.kwargs) -> R:
        """A call for which it is not yet decided that machine code is better."""
        foreseen = None if self._work is None else 1e-6 * float(self._work(*arguments, **named))
        if foreseen is None or not self._can_be_interpreted(foreseen):
            return self.compile()(*arguments, **named)
        begin = time.thread_time()
        result = self.interpret(*arguments, **named)
        took = time.thread_time() - begin
        Compiled.spent += took
        self._own, self._foreseen = self._own + took, self._foreseen + foreseen
        return result

    def interpret(self, *arguments: P.args, **named: P.kwargs) -> R:
        """What the function returns, as plain Python, in which integers of fixed width wrap around as compiled ones."""
        with np.errstate(over="ignore"):
            return self.function(*arguments, **named)

    def compile(self) -> Callable[P, R]:
        """Numba's form of the function, which is called from now on."""
        from numba import config, njit  # noqa: PLC0415 - costs 0.2 s, mostly for nothing

        if config.DISABLE_JIT:  # type: ignore[attr-defined]
            self.run = self.interpret
            return self.run
        made, folder = njit(**self._options)(linked(self.function, self._options)), cache_folder()
        self._find()
        if folder is not None:
            keep(made, folder, self.name, self._digest)
        compile_of_numba = made._compiler.compile  # what is called when nothing was kept

        def compile_with_notice(*signature: Any) -> Any:
            with notice(self.name, folder):
                return compile_of_numba(*signature)

        made._compiler.compile = compile_with_notice
        self.run = made
        return self.run

    def _can_be_interpreted(self, foreseen: float) -> bool:
        """Whether a call that is foreseen to take so many seconds is sooner made than machine code for it."""
        self._find()
        expected = foreseen * (self._own / self._foreseen if self._foreseen else 1.0)
        allowed = patience.to_compile * self._seconds
        return Compiled.spent + expected < (min(allowed, patience.to_load) if self._is_kept else allowed)

    def _find(self) -> None:
        """Looks, once, whether machine code is on disk."""
        if not self._digest:
            self._digest = digest_of(self.function, self._options)
            self._is_kept = is_kept(self.name, self._digest)

    def __reduce__(self) -> str:
        """A loop is copied and pickled as what its module calls it."""
        return self.function.__qualname__
