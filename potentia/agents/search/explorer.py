"""The population of novelty search: who bears children, who lives on, and who is archived."""

from __future__ import annotations

import torch
from torch import Tensor

from potentia.agents.search.descriptors import Descriptor
from potentia.agents.search.novelty import novelty
from potentia.agents.search.search import SearchConfig
from potentia.agents.search.table import Rows, Table, join, size, take
from potentia.agents.search.variation import Variation
from potentia.state import Stateful

CHILDREN = 2
"""How many each parent has in a generation."""


class Explorer(Stateful):
    """Each parent has two children; of both generations the most novel live on, and random children are archived.

    Novelty search as in SERENE's code (Paolo et al. 2021, arXiv:2102.03140): novelty is the mean distance to the k
    nearest of parents, children and archive. With ``surprise`` each generation draws twice, whether the next parents
    and whether the archived children are the most novel or the worst reconstructed (STAX, arXiv:2111.01919). Then the
    archived are the best by what was drawn.

    Args:
        config: Its ``population``, ``sigma``, ``k`` and ``archived``.
        variation: Makes genomes.
        surprise: Whether the column ``surprise`` counts, too.

    Attributes:
        parents: The population.
        children: Those of the generation that were evaluated.
        archive: All that were archived.
        generations: How many there were.
    """

    saved = ("parents", "children", "archive", "generations", "turn")

    def __init__(self, config: SearchConfig, variation: Variation, *, surprise: bool = False) -> None:
        self.config, self.variation, self.surprise = config, variation, surprise
        self.parents, self.children, self.archive = (Table(variation.device) for _ in range(3))
        self.generations = self.turn = 0

    @property
    def brood(self) -> int:
        """How many children make a generation."""
        return CHILDREN * self.config.population

    @property
    def reference(self) -> Tensor:
        """The behaviours ``(m, f)`` that novelty compares with: parents and archive."""
        return behaviours(self.parents.rows, self.archive.rows)

    def ask(self, room: int) -> Tensor:
        """The next ``(room, P)`` children of the parents in turn, or founders where there are no parents yet."""
        if not len(self.parents):
            return self.variation.founders(room)
        turn = (self.turn + torch.arange(room)) % len(self.parents)
        self.turn = (self.turn + room) % len(self.parents)
        return self._born(self.parents["genome"][turn.to(self.variation.device)])

    def tell(self, found: Rows) -> None:
        """Takes in evaluated children. A generation ends when there are enough."""
        self.children.add(found)
        if not len(self.parents) and len(self.children) >= self.config.population:
            self.parents.replace(self.children.pop(self.config.population))
        while len(self.parents) and len(self.children) >= self.brood:
            self.end_generation(self.children.pop(self.brood))

    def end_generation(self, children: Rows) -> None:
        """Chooses the next parents, and whom to archive."""
        config = self.config
        everyone = join(self.parents.rows, children)
        new = own_novelty(everyone, self.archive.rows, config.k)
        living = self._drawn(everyone, new).topk(config.population).indices
        if self.surprise:
            born = slice(len(self.parents), None)
            archived = self._drawn(children, new[born]).topk(min(config.archived, size(children))).indices
        else:
            archived = self.variation.choice(size(children), config.archived)
        self.archive.add(take(children, archived))
        self.parents.replace(take(everyone, living))
        self.generations += 1

    def novelty(self, behaviour: Tensor) -> Tensor:
        """How new behaviours ``(n, f)`` are beside parents and archive, which they are not in."""
        return novelty(behaviour, self.reference, self.config.k)

    def redescribe(self, descriptor: Descriptor) -> None:
        """Gives all individuals the behaviours of a descriptor that has learned."""
        for table in (self.parents, self.children, self.archive):
            redescribe(table, descriptor)

    def _born(self, parents: Tensor) -> Tensor:
        return self.variation.mutated(parents, self.config.sigma)

    def _drawn(self, rows: Rows, new: Tensor) -> Tensor:
        """The criterion of this draw: novelty, or with equal probability surprise."""
        return rows["surprise"] if self.surprise and self.variation.one_of(2) else new


def own_novelty(individuals: Rows, others: Rows, k: int) -> Tensor:
    """The novelty ``(n,)`` of individuals among themselves and others."""
    return novelty(individuals["behaviour"], behaviours(individuals, others), k, beside_itself=True)


def behaviours(*parts: Rows) -> Tensor:
    """The behaviours ``(m, f)`` of all parts, in order."""
    found = [part["behaviour"] for part in parts if part]
    return torch.cat(found) if found else torch.zeros(0, 1)


def redescribe(table: Table, descriptor: Descriptor) -> None:
    """Gives a table's individuals the behaviours of a descriptor that has learned."""
    if len(table):
        table.update(descriptor.describe(table.rows))
