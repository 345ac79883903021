"""Novelty search: no reward, only what was not seen before."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from potentia.agents.search.explorer import Explorer
from potentia.agents.search.search import Search, SearchConfig, path_or_column
from potentia.agents.search.table import Rows, Table


@dataclass(frozen=True)
class NoveltySearchConfig(SearchConfig):
    """The settings of `NoveltySearch`: those of `SearchConfig`, and one more.

    Attributes:
        descriptor: The info column that is a policy's behaviour, or ``"signature"``: the log-signature of its path.
    """

    descriptor: str = "descriptor"


class NoveltySearch(Search):
    """The next parents have the greatest ``novelty = mean distance to the k nearest of the others and the archive``.

    Lehman and Stanley 2011, "Abandoning Objectives: Evolution Through the Search for Novelty Alone", with the
    constants of SERENE's code (Paolo et al. 2021, arXiv:2102.03140). It reads no reward, but for its best policy.
    """

    Config: ClassVar[type[NoveltySearchConfig]] = NoveltySearchConfig
    saved = (*Search.saved, "explorer")

    def build(self) -> None:
        """An explorer."""
        self.descriptor = path_or_column(self.config.descriptor)
        self.explorer = Explorer(self.config, self.variation)

    def ask(self, room: int) -> Rows:
        """Children."""
        return self.candidates(self.explorer.ask(room))

    def tell(self, found: Rows) -> None:
        """The explorer decides."""
        self.explorer.tell(found)

    @property
    def archives(self) -> tuple[Table, ...]:
        """The explorer's archive."""
        return (self.explorer.archive,)
