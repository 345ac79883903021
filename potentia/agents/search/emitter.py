"""An emitter: a small evolution strategy that climbs the reward from where it was found."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, median
from typing import Any

from torch import Tensor

from potentia.agents.search.search import SearchConfig
from potentia.agents.search.table import Rows, Table, join, size, take
from potentia.agents.search.variation import Variation
from potentia.state import Stateful

_COMPARED = 20


@dataclass(frozen=True)
class EmitterConfig(SearchConfig):
    """The settings of emitters, beside those of `SearchConfig`. The constants are those of SERENE's code.

    Attributes:
        individuals: How many an emitter keeps.
        children: How many each of them has in a generation.
        bootstrap: How many generations tell whether an emitter improves, the first individuals aside.
        compared: How many generations its improvement compares.
        buffered: How many of an ended emitter's most novel individuals the archive of novelty gets.
    """

    individuals: int = 6
    children: int = 2
    bootstrap: int = 5
    compared: int = 3
    buffered: int = 5


class Emitter(Stateful):
    """Keeps the best by reward of its individuals and of their children.

    Paolo et al. 2021, SERENE (arXiv:2102.03140), as in its code. The first individuals are mutations of an ancestor, by
    a third of the distance from it to the nearest other genome.

    Args:
        number: Its own, by which its genomes are known.
        config: The settings.
        variation: Makes genomes.
        ancestor: The individual that was rewarded, one row.
        sigma: The standard deviation of mutations.
        novelty: How new the ancestor was.

    Attributes:
        individuals: Those that it keeps.
        told: Those of the present generation that were evaluated.
        awaited: How many of a generation are being evaluated: 0 if none is asked.
        means: The mean reward of those kept after each generation.
        tops: The greatest reward of each generation's individuals.
        greatest: The greatest reward of all.
        newest: The greatest novelty of all.
        buffer: Those that were newer than all before them.
    """

    saved = (
        "ancestor", "individuals", "told", "buffer", "number", "sigma", "awaited", "means", "tops", "greatest", "newest"
    )  # fmt: skip

    def __init__(
        self,
        number: int,
        config: EmitterConfig,
        variation: Variation,
        ancestor: Rows | None = None,
        sigma: float = 0.0,
        novelty: float = 0.0,
    ) -> None:
        self.number, self.config, self.variation, self.sigma = number, config, variation, sigma
        self.ancestor, self.individuals, self.told, self.buffer = (Table(variation.device) for _ in range(4))
        self.ancestor.replace(ancestor or {})
        self.awaited, self.newest = 0, novelty
        self.means: list[float] = []
        self.tops: list[float] = []
        self.greatest = float(ancestor["reward"][0]) if ancestor else 0.0

    @property
    def needed(self) -> int:
        """How many evaluations its next generation takes."""
        return self.config.individuals * (self.config.children if self.means else 1)

    def ask(self) -> Tensor:
        """The genomes of its next generation."""
        parents = self.individuals["genome"] if self.means else self.ancestor["genome"]
        born = self.variation.mutated(parents.repeat(self.needed // len(parents), 1), self.sigma)
        self.awaited = len(born)
        return born

    def tell(self, found: Rows, novelty: Tensor) -> Rows:
        """Takes in evaluated individuals. Gives those better than all before it, which are worth archiving."""
        better = []
        for index, (reward, new) in enumerate(zip(found["reward"].tolist(), novelty.tolist(), strict=True)):
            if reward > self.greatest:
                self.greatest = reward
                better.append(index)
            if new > self.newest:
                self.newest = new
                self.buffer.add(take(found, slice(index, index + 1)))
        self.told.add(found)
        if self.awaited and len(self.told) >= self.awaited:
            self._end_generation()
        return take(found, better) if better else {}

    @property
    def bootstrapped(self) -> bool:
        """Whether it is known if it improves."""
        return len(self.means) > self.config.bootstrap

    @property
    def improvement(self) -> float:
        """``max(mean of the last generations - mean of the first generations, 0)``."""
        compared = self.config.compared
        return max(fmean(self.means[-compared:]) - fmean(self.means[:compared]), 0.0) if self.means else 0.0

    @property
    def stagnates(self) -> bool:
        """Whether no generation of late was better than long ago."""
        return stagnates(self.tops, self.variation.size, self.config.individuals)

    def _end_generation(self) -> None:
        everyone = join(self.individuals.rows, self.told.pop(self.awaited))
        kept = everyone["reward"].topk(min(self.config.individuals, size(everyone))).indices
        self.individuals.replace(take(everyone, kept))
        rewards = self.individuals["reward"]
        self.means.append(float(rewards.mean()))
        self.tops.append(float(rewards.max()))
        self.awaited = 0


def stagnates(tops: list[float], genes: int, individuals: int = 6) -> bool:
    """Whether a series ended without progress: ``median(first 20) >= median(last 20)``, or so for the greatest.

    The series is the last ``W = 20 genes / individuals + 120`` generations. CMA-ES's rule (Hansen 2016,
    arXiv:1604.00772, appendix B.3) with SERENE's constants.

    >>> stagnates([1.0] * 140, genes=6), stagnates([1.0] * 139, genes=6)
    (True, False)
    >>> stagnates([float(t) for t in range(140)], genes=6)
    False
    """
    window = 20 * genes // individuals + 120
    if len(tops) < window:
        return False
    first, last = tops[-window:][:_COMPARED], tops[-_COMPARED:]
    return median(first) >= median(last) or max(first) >= max(last)


def emitter_from(state: dict[str, Any], config: EmitterConfig, variation: Variation) -> Emitter:
    """An emitter with a saved state."""
    emitter = Emitter(int(state["number"]), config, variation)
    emitter.load_state_dict(state)
    return emitter
