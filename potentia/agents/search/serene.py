"""SERENE: novelty search finds rewards, and emitters climb them, in turn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from potentia.agents.search.emitter import EmitterConfig
from potentia.agents.search.exploitation import Exploitation
from potentia.agents.search.explorer import Explorer
from potentia.agents.search.search import NOBODY, Search, path_or_column
from potentia.agents.search.table import Rows, Table, take


@dataclass(frozen=True)
class SERENEConfig(EmitterConfig):
    """The settings of `SERENE`: those of `EmitterConfig` and `SearchConfig`, and these.

    Attributes:
        chunk: How many evaluations each phase lasts.
        descriptor: The info column that is a policy's behaviour, or ``"signature"``: the log-signature of its path.
    """

    chunk: int = 1000
    descriptor: str = "descriptor"


class SERENE(Search):
    """A chunk of novelty search, then a chunk of emitters that climb the rewards that it found, and again.

    Paolo, Coninx, Doncieux and Laflaquiere 2021, "Sparse Reward Exploration via Novelty Search and Emitters"
    (arXiv:2102.03140), as in its code. Where emitters leave room in a batch, novelty search goes on in it. So a chunk
    of exploitation without rewards explores.
    """

    Config: ClassVar[type[SERENEConfig]] = SERENEConfig
    saved = (*Search.saved, "explorer", "exploitation", "exploring", "left", "chunks")
    config: SERENEConfig

    def build(self) -> None:
        """An explorer and its emitters. It begins with exploring."""
        self.descriptor = path_or_column(self.config.descriptor)
        self._compose(surprise=False)

    def ask(self, room: int) -> Rows:
        """Children of the phase. The next phase begins when this one's evaluations are all asked."""
        if self.left < 1:
            self._turn()
        if self.exploring:
            count = min(room, self.left)
            self.left -= count
            return self.candidates(self.explorer.ask(count))
        asked = self.exploitation.ask()
        if asked is not None:
            genomes, number = asked
            self.left -= len(genomes)
            return self.candidates(genomes, number)
        count = min(room, self.left)
        self.left -= count
        self.exploitation.left -= count
        return self.candidates(self.explorer.ask(count))

    def tell(self, found: Rows) -> None:
        """To each what is its own."""
        explored = found["source"] == NOBODY
        emitted = take(found, ~explored) if not bool(explored.all()) else {}
        if bool(explored.any()):
            some = take(found, explored)
            self.explorer.tell(some)
            self.exploitation.meet(some)
        if emitted:
            self.exploitation.tell(emitted)

    @property
    def archives(self) -> tuple[Table, ...]:
        """The archives of novelty and of rewards."""
        return self.explorer.archive, self.exploitation.rewards

    def _compose(self, *, surprise: bool) -> None:
        self.explorer = Explorer(self.config, self.variation, surprise=surprise)
        self.exploitation = Exploitation(self.config, self.variation, self.explorer)
        self.exploring, self.left, self.chunks = True, self.config.chunk, 1

    def _turn(self) -> None:
        """From one phase to the other."""
        self.exploring, self.left = not self.exploring, self.config.chunk
        self.chunks += self.exploring
        if not self.exploring:
            self.exploitation.begin(self.config.chunk)
