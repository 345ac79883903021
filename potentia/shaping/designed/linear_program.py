"""Linear programs, put together block by block and solved by SciPy's HiGHS."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["LinearProgram"]

Floats = NDArray[np.float64]
Block = tuple[slice, Any]
"""Variables, and the matrix ``(rows, variables)``, dense or sparse, by which they are multiplied."""


class LinearProgram:
    """Maximises ``weights @ x`` over ``low <= x <= high`` under linear constraints.

    Raises:
        ImportError: If SciPy is not installed.

    >>> program = LinearProgram()  # the most of x + 2 y where x + y <= 1 and y <= x
    >>> x, y = program.add(1, 0.0, np.inf, 1.0), program.add(1, 0.0, np.inf, 2.0)
    >>> program.at_least([(x, [[-1.0]]), (y, [[-1.0]])], -1.0)
    >>> program.at_least([(x, [[1.0]]), (y, [[-1.0]])], 0.0)
    >>> program.solve("x and y can't be so").tolist()
    [0.5, 0.5]
    """

    def __init__(self) -> None:
        self._optimize, self._sparse = _scipy()
        self._size = 0
        self._bounds: list[tuple[Floats, Floats]] = []
        self._weights: list[Floats] = []
        self._rows: list[tuple[list[Block], Floats, Floats]] = []

    def add(self, size: int, low: float, high: float, weight: Floats | float = 0.0) -> slice:
        """More variables, with their bounds and their weight in what is maximised. Returns where they are in x."""
        self._bounds.append((np.full(size, low), np.full(size, high)))
        self._weights.append(np.broadcast_to(np.asarray(weight, np.float64), size))
        self._size += size
        return slice(self._size - size, self._size)

    def at_least(self, blocks: list[Block], least: Floats | float) -> None:
        """``sum of matrix @ x[variables] >= least``."""
        self._constrain(blocks, least, np.inf)

    def equal(self, blocks: list[Block], value: Floats | float) -> None:
        """``sum of matrix @ x[variables] = value``."""
        self._constrain(blocks, value, value)

    def _constrain(self, blocks: list[Block], low: Floats | float, high: Floats | float) -> None:
        found = [(where, self._sparse.csr_matrix(matrix)) for where, matrix in blocks]
        rows = found[0][1].shape[0]
        self._rows.append((found, np.broadcast_to(low, rows), np.broadcast_to(high, rows)))

    def solve(self, otherwise: str) -> Floats:
        """The best x: a corner of the set of them, if there are many.

        Raises:
            ValueError: If no x keeps the constraints, with the message ``otherwise``.
        """
        return self._solved(np.concatenate(self._weights), otherwise)

    def middle(self, best: Floats, variables: slice, corners: int, seed: int = 0) -> Floats:
        """The mean of so many corners of the set of the best x, of which ``best`` is one. It is as good.

        Args:
            best: What `solve` gave.
            variables: Bounded ones, in whose directions, drawn at random, corners are sought.
            corners: How many, ``best`` among them.
            seed: Of the directions.
        """
        weights, rng, found = np.concatenate(self._weights), np.random.default_rng(seed), [best]
        value = float(weights @ best)
        everything = slice(0, self._size)
        self.at_least([(everything, weights[None])], value - 1e-9 * max(1.0, abs(value)))
        for _ in range(corners - 1):
            direction = np.zeros(self._size)
            direction[variables] = rng.normal(size=variables.stop - variables.start)
            found.append(self._solved(direction, "the best of all can't be had twice"))
        self._rows.pop()
        return np.asarray(np.mean(found, axis=0))

    def _solved(self, weights: Floats, otherwise: str) -> Floats:
        constraints = self._optimize.LinearConstraint(
            self._sparse.vstack([self._wide(blocks) for blocks, _, _ in self._rows]).tocsc(),
            np.concatenate([low for _, low, _ in self._rows]),
            np.concatenate([high for _, _, high in self._rows]),
        )
        low, high = (np.concatenate(side) for side in zip(*self._bounds, strict=True))
        found = self._optimize.milp(  # without whole numbers it is HiGHS's linear solver
            -weights, constraints=constraints, bounds=self._optimize.Bounds(low, high)
        )
        if found.x is None:
            raise ValueError(f"{otherwise} (HiGHS: {found.message})")
        return np.asarray(found.x, np.float64)

    def _wide(self, blocks: list[Block]) -> Any:
        """The blocks as one sparse matrix with a column for each variable."""
        parts = [(matrix.tocoo(), where.start) for where, matrix in blocks]
        data, row = (np.concatenate([getattr(part, name) for part, _ in parts]) for name in ("data", "row"))
        column = np.concatenate([part.col + start for part, start in parts])
        return self._sparse.csr_matrix((data, (row, column)), (parts[0][0].shape[0], self._size))


def _scipy() -> tuple[Any, Any]:
    try:
        from scipy import optimize, sparse  # noqa: PLC0415 - SciPy is an extra
    except ImportError as error:
        raise ImportError('reward design needs SciPy: pip install "potentia[designed]"') from error
    return optimize, sparse
