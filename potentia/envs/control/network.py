"""A policy as a row of numbers: a small network whose weights are a genome."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.compiling import part
from potentia.envs.control.rules import Part, Rules

__all__ = ["Network"]


@dataclass(frozen=True)
class Network:
    """``x -> tanh(x W + b)``, layer by layer; a genome has W (inputs by units, row by row) and b of each in turn.

    Attributes:
        sizes: The numbers of inputs, of the units of each hidden layer, and of outputs.
        shared_bias: Whether a layer's units share one bias, as in the code of SERENE and STAX (Paolo et al. 2021).

    >>> Network((5, 5, 5, 2)).genome_size, Network((5, 5, 5, 2), shared_bias=True).genome_size
    (72, 63)
    """

    sizes: tuple[int, ...]
    shared_bias: bool = False

    def __post_init__(self) -> None:
        """Refuses what is no network."""
        if len(self.sizes) < 2 or min(self.sizes) < 1:
            raise ValueError(f"sizes must be at least two numbers from 1, got {self.sizes}")

    @property
    def genome_size(self) -> int:
        """P."""
        return sum(
            inputs * units + (1 if self.shared_bias else units)
            for inputs, units in zip(self.sizes, self.sizes[1:], strict=False)
        )

    @property
    def scratch(self) -> int:
        """How many numbers `act` needs room for."""
        return 2 * max(self.sizes)

    @property
    def act(self) -> Part:
        """A part ``act(genome, observation, units)``. The outputs are then the first numbers of ``units``."""
        return _act_of(self.sizes, self.shared_bias)

    def outputs(self, genomes: Any, inputs: Any) -> NDArray[np.float64]:
        """What policies ``(N, P)`` answer to inputs ``(N, I)``, each to its own: ``(N, O)`` in [-1, 1]."""
        units, at = np.asarray(inputs, np.float64), 0
        genomes = np.asarray(genomes, np.float64)
        for before, after in zip(self.sizes, self.sizes[1:], strict=False):
            bias = at + before * after
            weights = genomes[:, at:bias].reshape(-1, before, after)
            at = bias + (1 if self.shared_bias else after)
            units = np.tanh(np.matmul(units[:, None], weights)[:, 0] + genomes[:, bias:at])
        return units

    @classmethod
    def of(cls, rules: Rules, hidden: tuple[int, ...], shared_bias: bool) -> Network:
        """The network that acts in a world: an output for each number of an action, or for each choice."""
        return cls((len(rules.observed), *hidden, len(rules.actions)), shared_bias)


@functools.lru_cache
def _act_of(sizes: tuple[int, ...], shared_bias: bool) -> Part:
    """Layers run from the one half of the scratch to the other and back, and the last one ends in the first half."""
    shape, layers, half = np.array(sizes), len(sizes) - 1, max(sizes)
    begin = half * (layers % 2)

    @part
    def act(genome, observation, units):  # type: ignore[no-untyped-def]
        for i in range(len(observation)):
            units[begin + i] = observation[i]
        source, weight = begin, 0
        for layer in range(layers):
            inputs, outputs, target = shape[layer], shape[layer + 1], half - source
            bias = weight + inputs * outputs
            for j in range(outputs):
                units[target + j] = genome[bias + (0 if shared_bias else j)]
            for i in range(inputs):
                unit, row = units[source + i], weight + i * outputs
                for j in range(outputs):
                    units[target + j] += unit * genome[row + j]
            for j in range(outputs):
                units[target + j] = 1.0 - 2.0 / (math.exp(2.0 * units[target + j]) + 1.0)  # tanh, in half its time
            source, weight = target, bias + (1 if shared_bias else outputs)

    return act
