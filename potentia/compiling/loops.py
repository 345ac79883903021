"""A loop that is interpreted until it pays to compile it."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import update_wrapper
from types import FunctionType
from typing import Any, TypeVar

import numpy as np

from potentia.compiling.kept import cache_folder, is_kept, keep
from potentia.compiling.linking import digest_of, linked
from potentia.compiling.notice import notice

F = TypeVar("F", bound=Callable[..., Any])


class Patience:
    """How long loops are interpreted.

    Attributes:
        compile: Seconds for which a loop is interpreted before it is compiled; 0 compiles at the first call.
        load: Seconds of interpreting, all loops of the process together, before machine code is loaded that is on disk
            already: to import Numba takes longer.
    """

    compile = 2.0
    load = 0.2


patience = Patience()


def compiled(name: str, *, work: Callable[..., float] | None, **options: Any) -> Callable[[F], F]:
    """Makes a loop `Compiled`.

    Args:
        name: What it does, in words, such as "the steps of grid worlds".
        work: From the arguments of a call to the number of its innermost rounds, about. None for a loop that is never
            interpreted, because its floating point numbers would be others.
        options: How it is compiled, as ``numba.njit`` takes it, such as ``parallel=True``.
    """
    return lambda function: Compiled(function, name, work, options)  # type: ignore[return-value]


class Compiled:
    """A loop over arrays, called as the function that it is made of.

    Args:
        function: The function.
        name: As `compiled` takes it, as the others.
        work: The number of innermost rounds.
        options: Numba's.

    Attributes:
        run: What a call comes to: first a method of this object, in the end Numba's machine code. To call it instead of
            the object saves 0.2 us.
    """

    spent_by_all = 0.0

    def __init__(
        self, function: Callable[..., Any], name: str, work: Callable[..., float] | None, options: dict[str, Any]
    ) -> None:
        assert isinstance(function, FunctionType)
        self.function, self.name, self._work, self._options = function, name, work, options
        self._spent = self._rounds = 0.0
        self._digest, self._is_kept = "", False
        self.run: Callable[..., Any] = self._begin
        update_wrapper(self, function)

    def __call__(self, *arguments: Any) -> Any:
        """What the function returns."""
        return self.run(*arguments)

    def _begin(self, *arguments: Any) -> Any:
        """A call for which it is not yet decided that machine code is better."""
        rounds = None if self._work is None else float(self._work(*arguments))
        if rounds is None or not self._can_be_interpreted(rounds):
            return self.compile()(*arguments)
        begin = time.perf_counter()
        result = self.interpret(*arguments)
        took = time.perf_counter() - begin
        Compiled.spent_by_all += took
        self._spent, self._rounds = self._spent + took, self._rounds + rounds
        return result

    def interpret(self, *arguments: Any) -> Any:
        """What the function returns, as plain Python, in which integers of fixed width wrap around as compiled ones."""
        with np.errstate(over="ignore"):
            return self.function(*arguments)

    def compile(self) -> Callable[..., Any]:
        """Numba's form of the function, which is called from now on."""
        import numba  # noqa: PLC0415 - costs 0.2 s, mostly for nothing

        if numba.config.DISABLE_JIT:
            self.run = self.interpret
            return self.run
        made, folder = numba.njit(**self._options)(linked(self.function)), cache_folder()
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

    def _can_be_interpreted(self, rounds: float) -> bool:
        """Whether so many rounds more are made sooner than machine code for them."""
        self._find()
        expected = rounds * (self._spent / self._rounds if self._rounds else 1e-6)
        if self._is_kept:
            return Compiled.spent_by_all + expected < min(patience.compile, patience.load)
        return self._spent + expected < patience.compile

    def _find(self) -> None:
        """Looks, once, whether machine code is on disk."""
        if not self._digest:
            self._digest = digest_of(self.function, self._options)
            self._is_kept = is_kept(self.name, self._digest)

    def __reduce__(self) -> str:
        """A loop is copied and pickled as what its module calls it."""
        return self.function.__qualname__
