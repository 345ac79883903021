"""How much of a behaviour space a search has found, how evenly, and how good the best in each part is."""

from __future__ import annotations

from typing import Any

import numpy as np

from potentia.state import Stateful

CELLS = 2500
"""How many cells a grid over the descriptor's bounds has: 50 x 50 in two dimensions."""

Array = np.ndarray[Any, Any]
Bounds = tuple[tuple[float, float], ...]


class Coverage(Stateful):
    """``coverage = filled / cells``, ``uniformity = 1 - JSD(counts, uniform)``, ``qd_score = sum of best returns``.

    The grid has 2500 cells or nearly so, equally many along each dimension: 50 x 50 for two. What lies outside the
    bounds counts in the nearest cell. The Jensen-Shannon divergence is in bits, so uniformity lies in [0, 1]. It is 0
    where nothing is found. QD score (Pugh, Soros and Stanley 2016) adds the best return of each filled cell. It
    supposes that returns are not negative. Coverage and uniformity are those of SERENE and STAX (Paolo et al. 2021,
    arXiv:2102.03140 and arXiv:2111.01919).

    >>> found = Coverage(((0.0, 1.0), (0.0, 1.0)))
    >>> found.add(np.array([[0.01, 0.01], [0.015, 0.01], [0.99, 0.5]]), np.array([1.0, 3.0, 2.0]))
    >>> measured = found.metrics()
    >>> measured["coverage"], measured["qd_score"]
    (0.0008, 5.0)

    Args:
        bounds: The lowest and the highest value of each of the descriptor's d numbers.

    Attributes:
        counts: ``(cells,)``: how many descriptors fell into each cell.
        best: ``(cells,)``: the best return of each, minus infinity where there is none.

    Raises:
        ValueError: If a highest value is not above the lowest.
    """

    saved = ("counts", "best")

    def __init__(self, bounds: Bounds) -> None:
        self.low, self.high = np.array(bounds, dtype=np.float64).T
        if not (self.high > self.low).all():
            raise ValueError(f"bounds must be a lowest and a greater highest value per dimension, got {bounds}")
        self.width = max(2, round(CELLS ** (1 / len(bounds))))
        cells = self.width ** len(bounds)
        self.counts, self.best = np.zeros(cells, dtype=np.int64), np.full(cells, -np.inf)

    def cells(self, descriptor: Array) -> Array:
        """The cell ``(n,)`` of each descriptor ``(n, d)``.

        Raises:
            ValueError: If they have another number of dimensions than the bounds.
        """
        if descriptor.shape[1:] != self.low.shape:
            raise ValueError(
                f"the bounds are of descriptors (n, {len(self.low)}), got {descriptor.shape}: give the setting "
                "'bounds' a pair for each of the descriptor's numbers"
            )
        part = (descriptor - self.low) / (self.high - self.low)
        index = np.clip((part * self.width).astype(np.int64), 0, self.width - 1)
        found: Array = np.ravel_multi_index(tuple(index.T), (self.width,) * len(self.low))
        return found

    def add(self, descriptor: Array, returns: Array) -> None:
        """Takes in descriptors ``(n, d)`` and their true returns ``(n,)``."""
        index = self.cells(descriptor)
        self.counts += np.bincount(index, minlength=self.counts.size)
        np.maximum.at(self.best, index, returns)

    def metrics(self) -> dict[str, float]:
        """``coverage``, ``uniformity`` and ``qd_score``."""
        filled = self.counts > 0
        return {
            "coverage": float(filled.mean()),
            "uniformity": uniformity(self.counts),
            "qd_score": float(self.best[filled].sum()),
        }


def uniformity(counts: Array) -> float:
    """``1 - JSD(counts / total, uniform)`` in bits.

    >>> uniformity(np.array([3, 3, 3, 3]))
    1.0
    >>> round(uniformity(np.array([2, 0])), 4)  # 1 - (H(3/4, 1/4) - (0 + 1) / 2) = 1 - (0.8113 - 0.5)
    0.6887
    """
    total = counts.sum()
    if not total:
        return 0.0
    share, even = counts / total, np.full(counts.shape, 1 / counts.size)
    return float(1 - (_entropy((share + even) / 2) - (_entropy(share) + _entropy(even)) / 2))


def _entropy(share: Array) -> float:
    positive = share[share > 0]
    return float(-(positive * np.log2(positive)).sum())


class Measures(Stateful):
    """What a search has found so far, by the true return and the true descriptor. Searches never read it.

    `metrics` gives, of all evaluations: ``evaluations``; ``best_return``; with bounds ``coverage``, ``uniformity`` and
    ``qd_score`` (`Coverage`); and for each reward area i ``area_<i>/best``, the best return there, and
    ``area_<i>/count``, how many policies reached it. An area appears when it is first reached, and so do all below it.

    Args:
        bounds: The lowest and the highest value of each of the descriptor's d numbers. None leaves coverage out.
    """

    saved = ("evaluations", "best_return", "area_best", "area_count", "coverage")

    def __init__(self, bounds: Bounds | None = None) -> None:
        self.evaluations, self.best_return = 0, -np.inf
        self.area_best, self.area_count = np.zeros(0), np.zeros(0, dtype=np.int64)
        self.coverage = Coverage(bounds) if bounds else None

    def add(self, descriptor: Array | None, returns: Array, area: Array | None) -> None:
        """Takes in n evaluations.

        Args:
            descriptor: ``(n, d)`` true descriptors. None leaves coverage as it is.
            returns: ``(n,)`` true returns.
            area: ``(n,)`` the number of the reward area reached, -1 for none. None if the world has none.
        """
        if not len(returns):
            return
        self.evaluations += len(returns)
        self.best_return = max(self.best_return, float(returns.max()))
        if self.coverage is not None and descriptor is not None:
            self.coverage.add(descriptor, returns)
        if area is not None and (reached := area >= 0).any():
            missing = max(0, int(area.max()) + 1 - len(self.area_best))
            self.area_best = np.append(self.area_best, np.full(missing, -np.inf))
            self.area_count = np.append(self.area_count, np.zeros(missing, dtype=np.int64))
            np.maximum.at(self.area_best, area[reached], returns[reached])
            np.add.at(self.area_count, area[reached], 1)

    def metrics(self) -> dict[str, float]:
        """The measures by name. An area that no policy reached has the best return 0."""
        found: dict[str, float] = {"evaluations": self.evaluations}
        if self.evaluations:
            found["best_return"] = self.best_return
        if self.coverage is not None:
            found |= self.coverage.metrics()
        for index, (best, count) in enumerate(zip(self.area_best, self.area_count, strict=True)):
            found |= {f"area_{index}/best": float(best) if count else 0.0, f"area_{index}/count": int(count)}
        return found


def archive_metrics(descriptor: Array, returns: Array, bounds: Bounds | None) -> dict[str, float]:
    """What an archive keeps: ``archive/size``, and with bounds the measures of `Coverage` under ``archive/``."""
    found: dict[str, float] = {"archive/size": len(returns)}
    if bounds:
        kept = Coverage(bounds)
        kept.add(descriptor, returns)
        found |= {f"archive/{name}": value for name, value in kept.metrics().items()}
    return found
