"""The search that every other must beat."""

from __future__ import annotations

from typing import ClassVar

from potentia.agents.search.search import Search, SearchConfig
from potentia.agents.search.table import Rows, Table, take


class RandomSearch(Search):
    """Founders only: each genome is drawn from N(0, 1), and none has children.

    It archives as novelty search does, ``archived`` of each 2 * ``population`` at random, so that archives compare.
    """

    Config: ClassVar[type[SearchConfig]] = SearchConfig
    saved = (*Search.saved, "waiting", "archive")

    def build(self) -> None:
        """An archive, and those who wait for a draw."""
        self.waiting, self.archive = Table(self.device), Table(self.device)

    def ask(self, room: int) -> Rows:
        """Founders."""
        return self.candidates(self.variation.founders(room))

    def tell(self, found: Rows) -> None:
        """Archives some at random."""
        self.waiting.add(found)
        while len(self.waiting) >= 2 * self.config.population:
            drawn = self.waiting.pop(2 * self.config.population)
            self.archive.add(take(drawn, self.variation.choice(len(drawn["genome"]), self.config.archived)))

    @property
    def archives(self) -> tuple[Table, ...]:
        """The archive."""
        return (self.archive,)
