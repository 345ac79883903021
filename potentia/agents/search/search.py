"""What all searches share: a queue of genomes to evaluate, what an evaluation showed, the best, and the measures."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from gymnasium import spaces
from torch import Tensor

from potentia.agents.search.descriptors import ColumnDescriptor, Descriptor, SignatureDescriptor, info_column
from potentia.agents.search.elite import Elite
from potentia.agents.search.measures import Measures, archive_metrics
from potentia.agents.search.novelty import novelty
from potentia.agents.search.table import Rows, Table, join, take
from potentia.agents.search.variation import Variation
from potentia.arrays import host_array
from potentia.rollout import ENV, Rollout
from potentia.shaping.shaper import Stream
from potentia.state import Stateful
from potentia.trees import Tree, leaves

NOBODY = -1
"""The source of a genome that belongs to no emitter."""


@dataclass(frozen=True)
class SearchConfig:
    """The settings that all searches have. The constants are those of SERENE's code.

    Attributes:
        population: How many individuals a generation has.
        sigma: The standard deviation of a mutation of each gene.
        k: How many neighbours novelty looks at.
        archived: How many individuals of each generation the archive keeps.
        limit: Genes stay within ``[-limit, limit]``, and within the action space.
        bounds: The lowest and the highest value of each number of the world's descriptor, for the measures of coverage.
            None leaves them out. No search learns from it, but for those that keep a grid.
    """

    population: int = 100
    sigma: float = 0.05
    k: int = 15
    archived: int = 5
    limit: float = 5.0
    bounds: tuple[tuple[float, float], ...] | None = None


class Search(Stateful):
    """A learner whose actions are policies' genomes: `act` asks for evaluations, and `learn` is told what they showed.

    An episode of its world is one step: the action is a genome ``(P,)``, the reward is the policy's return, and the
    info says how the policy behaved. So each step of a run is an evaluation, and none goes uncounted. A batch may have
    any size. The genomes of a generation are asked in order, and where a batch has more room than a generation, the
    next ones descend from the same parents.

    A subclass makes its parts in `build`, and has the two verbs `ask` and `tell`.

    Args:
        observation_space: Not used: genomes answer to no observation.
        action_space: ``Box`` ``(P,)``.
        config: The settings.
        streams: Must be empty: an evaluation is one number.
        device: Where populations and archives are.
        seed: Seeds all draws.

    Attributes:
        reads: The info columns that it learns from, or only reports.
        measures: What all evaluations found.

    Raises:
        TypeError: If the actions are no genomes.
        ValueError: If there are streams.
    """

    Config: ClassVar[type[Any]] = SearchConfig
    saved: tuple[str, ...] = ("variation", "queue", "asked", "measures", "best", "descriptor")
    rollout_steps: ClassVar[int] = 1
    policy = None

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: Any = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        del observation_space
        if streams:
            raise ValueError(
                f"a search values policies by one number, so it can't value the streams {sorted(streams)} apart; with "
                "streams=None (in a study streams: false) their terms are part of the reward"
            )
        self.config = config or self.Config()
        self.device = torch.device(device)
        self.variation = Variation(action_space, self.config.limit, device, seed)
        self.queue, self.asked, self.best = Table(device), Table(device), Table(device)
        self.measures = Measures(self.config.bounds)
        self.descriptor: Descriptor = ColumnDescriptor()
        self.build()
        self.reads = frozenset(f"info:next_{name}" for name in ("descriptor", "area", self.descriptor.column))

    def build(self) -> None:
        """Makes the parts of which this search is composed."""
        raise NotImplementedError

    def ask(self, room: int) -> Rows:
        """Genomes to evaluate next: ``genome (n, P)`` and ``source (n,)``, n at least 1.

        Args:
            room: How many the batch still has room for. What is beyond it waits.
        """
        raise NotImplementedError

    def tell(self, found: Rows) -> None:
        """Learns from evaluated individuals, in the order in which they were asked."""
        raise NotImplementedError

    @property
    def archives(self) -> tuple[Table, ...]:
        """All individuals that this search keeps as its result."""
        raise NotImplementedError

    def archived(self, column: str) -> Tensor:
        """A column of all that are archived. Before anything is, it is empty."""
        found = [table[column] for table in self.archives if len(table)]
        return torch.cat(found) if found else self.best[column][:0]

    def init(self, num_envs: int) -> Tree:
        """It has no memory within an episode."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """The next genomes ``(N, P)`` to evaluate."""
        (_, leaf), *_ = leaves(obs)
        count = leaf.shape[0]
        while len(self.queue) < count:
            self.queue.add(self.ask(count - len(self.queue)))
        batch = self.queue.pop(count)
        self.asked.add(batch)
        return batch["genome"].clone(), carry

    def learn(self, rollout: Rollout) -> dict[str, Any]:
        """Takes in the evaluations of a rollout and gives the measures of all so far, and of the archive.

        Raises:
            ValueError: If its actions are not the last ones that `act` chose, or a column is missing.
        """
        found = self._found(rollout)
        if found:
            self.measures.add(*(host_array(found[name]) for name in ("descriptor", "return", "area")))
            self._keep_best(found)
            self.tell(found | self.descriptor.describe(found))
        return self.measures.metrics() | self.archive_metrics()

    def archive_metrics(self) -> dict[str, float]:
        """The measures of what the archive keeps, under ``archive/``."""
        kept = self.archive_map()
        return archive_metrics(kept["descriptor"], kept["return"], self.config.bounds)

    def archive_map(self) -> dict[str, Any]:
        """The archive for a picture: arrays ``descriptor (n, d)``, ``return (n,)`` and ``area (n,)``.

        Raises:
            ValueError: If nothing was evaluated yet.
        """
        if not len(self.best):
            raise ValueError("the archive is empty until a rollout was learned from; learn first")
        return {name: host_array(self.archived(name)).copy() for name in ("descriptor", "return", "area")}

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Elite:
        """Acts with the policy of the best true return, and the most novel of equally good ones.

        If it is not greedy, it draws policies from the archive. Before anything is known it draws founders.
        """
        if not len(self.best):
            fresh = copy.copy(self.variation)
            fresh.generator = torch.Generator().manual_seed(seed)
            return Elite(fresh.founders(1 if greedy else self.config.population), seed)
        if greedy:
            return Elite(self._most_novel_best(), seed)
        return Elite(torch.cat([self.best["genome"], self.archived("genome")]), seed)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned. What was asked and never told is asked again, first.

        Raises:
            ValueError: If the state is another object's.
        """
        super().load_state_dict(state)
        self._ask_again(self.asked.rows)
        self.asked.replace({})

    def candidates(self, genomes: Tensor, source: int = NOBODY) -> Rows:
        """Genomes as rows of the queue."""
        return {"genome": genomes, "source": torch.full((len(genomes),), source, device=self.device)}

    def _found(self, rollout: Rollout) -> Rows:
        """The evaluated individuals of a rollout. Those behind the mask were not evaluated, and are asked again."""
        genomes = torch.as_tensor(rollout.action).to(self.device, torch.float32).flatten(0, 1)
        earlier = self.asked.pop(max(0, len(self.asked) - len(genomes)))
        batch = self.asked.pop(len(self.asked))
        if not batch or not torch.equal(batch["genome"], genomes):
            raise ValueError(
                f"the rollout's {len(genomes)} actions must be the last genomes that act gave, in its order; learn "
                "from each rollout once, and collect it with the search itself"
            )
        mask = torch.as_tensor(rollout.mask).to(self.device).flatten()
        if earlier or not bool(mask.all()):
            self._ask_again(join(earlier, take(batch, ~mask)))
        if not bool(mask.any()):
            return {}
        shown = {name: info_column(rollout.info, name, self.device) for name in ("descriptor", "area")}
        columns = {
            **batch,
            "reward": _flat(rollout.reward, self.device),
            "return": _flat(rollout.terms[ENV], self.device),
            "descriptor": shown["descriptor"].float().reshape(len(genomes), -1),
            "area": shown["area"].long(),
            **self.descriptor.keep(info_column(rollout.info, self.descriptor.column, self.device)),
        }
        return columns if bool(mask.all()) else take(columns, mask)

    def _ask_again(self, rows: Rows) -> None:
        if rows:
            self.queue.replace(join(rows, self.queue.rows))

    def _keep_best(self, found: Rows) -> None:
        index = int(found["return"].argmax())
        if not len(self.best) or found["return"][index] > self.best["return"][0]:
            shown = {name: found[name] for name in ("genome", "return", "descriptor", "area")}
            self.best.replace(take(shown, slice(index, index + 1)))

    def _most_novel_best(self) -> Tensor:
        equal = self.archived("return") == self.best["return"][0]
        if not bool(equal.any()):
            return self.best["genome"].clone()
        behaviour = self.archived("behaviour")
        new = novelty(behaviour[equal], behaviour, self.config.k, beside_itself=True)
        return self.archived("genome")[equal][new.argmax()][None].clone()


def path_or_column(descriptor: str) -> Descriptor:
    """The descriptor of a setting: ``"signature"`` of the path, or else an info column's name."""
    return SignatureDescriptor() if descriptor == "signature" else ColumnDescriptor(descriptor)


def _flat(column: Any, device: torch.device) -> Tensor:
    return torch.as_tensor(column).to(device, torch.float64).flatten()
