"""MAP-Elites, CMA-ME and CMA-MAE of pyribs as searches, in one adapter."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch

from potentia.agents.search.ribs_state import restore, state_of
from potentia.agents.search.search import NOBODY, Search, SearchConfig
from potentia.agents.search.table import Rows, Table, size, take
from potentia.arrays import host_array


@dataclass(frozen=True)
class RibsConfig(SearchConfig):
    """The settings of `MAPElites`, `CMAME` and `CMAMAE`: those of `SearchConfig`, and these.

    ``bounds`` must be set: the grid lies over them. ``archived`` and ``k`` are not used, but that ``k`` decides between
    equally good policies.

    Attributes:
        cells: The grid's cells along each dimension.
        emitters: How many emitters ask in turn. Each asks for ``population / emitters`` genomes.
        sigma0: The first step size of CMA-ES, as in pyribs' tutorials.
        learning_rate: How far a cell's threshold goes to a better objective in CMA-MAE (Fontaine and Nikolaidis 2023).
        threshold_min: A cell's first threshold in CMA-MAE. All returns must be greater.
    """

    cells: int = 50
    emitters: int = 5
    sigma0: float = 0.5
    learning_rate: float = 0.01
    threshold_min: float = -1.0


class RibsSearch(Search):
    """What the three share: a grid of the best policy in each cell, and pyribs' scheduler that asks and is told.

    Where a batch has more room than the scheduler asks for, mutations of elites are added to the grid only.

    Raises:
        ImportError: If pyribs is not installed.
        ValueError: If the bounds are not set.
    """

    Config: ClassVar[type[RibsConfig]] = RibsConfig
    saved = (*Search.saved, "told", "waiting", "ribs")
    config: RibsConfig

    def build(self) -> None:
        """An archive, emitters and their scheduler."""
        if importlib.util.find_spec("ribs") is None:
            raise ImportError(f"{type(self).__name__} is pyribs': pip install 'potentia[qd]'")
        if not self.config.bounds:
            raise ValueError(
                f"{type(self).__name__} keeps a grid: set 'bounds' to the lowest and the highest value of each of the "
                "descriptor's numbers"
            )
        from ribs.schedulers import Scheduler  # noqa: PLC0415 - an extra

        archive, result = self.make_archives()
        self.told, self.waiting = Table(self.device), 0
        self.ribs = _Saved(Scheduler(archive, self.make_emitters(archive), result))
        self._elites: Table | None = None

    def make_archives(self) -> tuple[Any, Any]:
        """The archive that emitters compare with, and another for the result, or None."""
        return self.make_archive(), None

    def make_emitters(self, archive: Any) -> list[Any]:
        """Those whom the scheduler asks."""
        raise NotImplementedError

    def make_archive(self, **options: Any) -> Any:
        """A grid over the bounds."""
        from ribs.archives import GridArchive  # noqa: PLC0415 - an extra

        bounds = self.config.bounds or ()
        return GridArchive(
            solution_dim=self.variation.size,
            dims=[self.config.cells] * len(bounds),
            ranges=list(bounds),
            seed=self.seed(),
            extra_fields={"true": ((), np.float64), "area": ((), np.int64)},
            **options,
        )

    def seed(self) -> int:
        """A seed for a part of pyribs."""
        return self.variation.one_of(2**31 - 1)

    def ask(self, room: int) -> Rows:
        """The scheduler's genomes, or others while it waits for what these showed."""
        if self.waiting:
            return self.candidates(self._more(room))
        genomes = self.variation.bounded(torch.as_tensor(self.ribs.scheduler.ask(), dtype=torch.float32))
        self.waiting = len(genomes)
        return {"genome": genomes, "source": torch.arange(len(genomes), device=self.device)}

    def tell(self, found: Rows) -> None:
        """Adds to the grid, and tells the scheduler when all that it asked for is evaluated."""
        own = found["source"] != NOBODY
        if not bool(own.all()):
            data = _fields(take(found, ~own))
            self.ribs.result.add(solution=host_array(found["genome"][~own]), **data)
        self.told.add(take(found, own) if bool(own.any()) else {})
        if self.waiting and len(self.told) == self.waiting:
            data = _fields(take(self.told.rows, self.told["source"].argsort()))
            self.ribs.scheduler.tell(**data)
            self.told.replace({})
            self.waiting = 0
        self._elites = None

    @property
    def archives(self) -> tuple[Table, ...]:
        """The grid's elites."""
        if self._elites is None:
            data = self.ribs.result.data()
            self._elites = Table(self.device)
            measures = torch.as_tensor(data["measures"], dtype=torch.float32)
            columns = {
                "genome": self.variation.bounded(torch.as_tensor(data["solution"], dtype=torch.float32)),
                "return": torch.as_tensor(data["true"]),
                "area": torch.as_tensor(data["area"]),
                "descriptor": measures,
                "behaviour": measures,
            }
            self._elites.replace(columns if size(columns) else {})
        return (self._elites,)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        super().load_state_dict(state)
        self._elites = None

    def _more(self, room: int) -> torch.Tensor:
        if self.ribs.result.empty:
            return self.variation.founders(room)
        elites = self.archived("genome")
        parents = [self.variation.one_of(len(elites)) for _ in range(room)]
        return self.variation.mutated(elites[parents], self.config.sigma)


class MAPElites(RibsSearch):
    """Mutations ``N(0, sigma)`` of elites drawn at random, and in each cell of a grid the best stays.

    Mouret and Clune 2015, "Illuminating search spaces by mapping elites" (arXiv:1504.04909). The founders are as for
    the other searches.
    """

    def make_emitters(self, archive: Any) -> list[Any]:
        """One that mutates elites."""
        from ribs.emitters import GaussianEmitter  # noqa: PLC0415 - an extra

        founders = host_array(self.variation.founders(self.config.population)).astype(np.float64)
        return [
            GaussianEmitter(
                archive,
                sigma=self.config.sigma,
                initial_solutions=founders,
                batch_size=self.config.population,
                seed=self.seed(),
            )
        ]


class CMAME(RibsSearch):
    """CMA-ES that climbs the improvement of a grid: new cells first, then how much better the others became.

    Fontaine, Togelius, Nikolaidis and Hoover 2020 (arXiv:1912.02400), with pyribs' improvement emitters.
    """

    ranker: ClassVar[dict[str, str]] = {"ranker": "2imp"}

    def make_emitters(self, archive: Any) -> list[Any]:
        """Evolution strategies that begin at the middle."""
        from ribs.emitters import EvolutionStrategyEmitter  # noqa: PLC0415 - an extra

        config = self.config
        options: dict[str, Any] = dict(self.ranker)
        return [
            EvolutionStrategyEmitter(
                archive,
                x0=np.zeros(self.variation.size),
                sigma0=config.sigma0,
                batch_size=max(2, config.population // config.emitters),
                seed=self.seed(),
                **options,
            )
            for _ in range(config.emitters)
        ]


class CMAMAE(CMAME):
    """CMA-ME on cells whose thresholds rise slowly, so that it goes on improving where it has been.

    Fontaine and Nikolaidis 2023, "Covariance Matrix Adaptation MAP-Annealing" (arXiv:2205.10752).
    """

    ranker: ClassVar[dict[str, str]] = {"ranker": "imp", "selection_rule": "mu", "restart_rule": "basic"}

    def make_archives(self) -> tuple[Any, Any]:
        """One with thresholds, and one of the best."""
        config = self.config
        annealed = self.make_archive(learning_rate=config.learning_rate, threshold_min=config.threshold_min)
        return annealed, self.make_archive()


class _Saved:
    """A scheduler that is saved as plain data.

    Args:
        scheduler: pyribs'.
    """

    def __init__(self, scheduler: Any) -> None:
        self.scheduler = scheduler

    @property
    def result(self) -> Any:
        """The archive of the best."""
        return self.scheduler.result_archive

    def state_dict(self) -> dict[str, Any]:
        """All arrays, numbers and generators in it."""
        return state_of(self.scheduler)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        restore(self.scheduler, state)


def _fields(rows: Rows) -> dict[str, Any]:
    return {
        "objective": host_array(rows["reward"]),
        "measures": host_array(rows["descriptor"]).astype(np.float64),
        "true": host_array(rows["return"]),
        "area": host_array(rows["area"]),
    }
