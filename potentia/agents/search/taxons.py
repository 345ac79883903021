"""TAXONS: novelty search in a space that an autoencoder learns from the last picture of each episode."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from potentia.agents.search.autoencoder import Autoencoder, LearnedDescriptor
from potentia.agents.search.explorer import Explorer, own_novelty
from potentia.agents.search.search import Search, SearchConfig
from potentia.agents.search.table import Rows, Table, take


@dataclass(frozen=True)
class TAXONSConfig(SearchConfig):
    """The settings of `TAXONS`: those of `SearchConfig`, and these.

    Attributes:
        novelty_generations: How many generations look at novelty only.
        mutation: The probability that a child is mutated.
        train_every: How many generations lie between the autoencoder's trainings.
        epochs: How often a training goes through the pictures.
        features: How many numbers the learned behaviour has.
        image_size: To how many pixels a side pictures are reduced. The paper's have 64.
        batch_size: Pictures in a step of the optimiser.
        learning_rate: Adam's.
        most_images: A training takes at most so many pictures, drawn at random. None takes all, as the paper does.
    """

    novelty_generations: int = 30
    mutation: float = 0.9
    train_every: int = 30
    epochs: int = 5
    features: int = 10
    image_size: int = 64
    batch_size: int = 128
    learning_rate: float = 1e-3
    most_images: int | None = None


class CopyingExplorer(Explorer):
    """The best of a generation are archived and take the places of the worst, and then each is mutated.

    Children take their parents' places. The best are the most novel in the first generations. In each later one they
    are, with equal probability, the most novel or the worst reconstructed.
    """

    config: TAXONSConfig

    @property
    def brood(self) -> int:
        """As many as there are places."""
        return self.config.population

    def end_generation(self, children: Rows) -> None:
        """Archives the best, and puts copies of them in the places of the worst."""
        config = self.config
        self.surprise = self.generations >= config.novelty_generations
        order = self._drawn(children, own_novelty(children, self.archive.rows, config.k)).argsort(descending=True)
        best, worst = order[: config.archived], order[len(order) - config.archived :]
        self.archive.add(take(children, best[~self._is_archived(children["genome"][best])]))
        places = torch.arange(len(order), device=order.device)
        places[worst] = best
        self.parents.replace(take(children, places))
        self.generations += 1

    def tell(self, found: Rows) -> None:
        """Takes in evaluated children. Founders are a generation, too."""
        self.children.add(found)
        while len(self.children) >= self.brood:
            self.end_generation(self.children.pop(self.brood))

    def _born(self, parents: Tensor) -> Tensor:
        return self.variation.mutated(parents, self.config.sigma, self.config.mutation)

    def _is_archived(self, genomes: Tensor) -> Tensor:
        if not len(self.archive):
            return torch.zeros(len(genomes), dtype=torch.bool, device=genomes.device)
        return (genomes[:, None] == self.archive["genome"]).all(-1).any(1)


class TAXONS(Search):
    """Novelty, or surprise ``|image - D(E(image))|^2``, in the features ``E(image)`` of the last picture.

    Paolo, Laflaquiere, Coninx and Doncieux 2020, "Unsupervised Learning and Exploration of Reachable Outcome Space"
    (arXiv:1909.05508), as in its code. It reads neither the reward nor the world's descriptor, but to report. The
    pictures of a training are those since the last one, and the archive's. After it all stored behaviours are computed
    anew.
    """

    Config: ClassVar[type[TAXONSConfig]] = TAXONSConfig
    saved = (*Search.saved, "explorer", "recent", "trained")
    config: TAXONSConfig

    def build(self) -> None:
        """A copying explorer, an autoencoder, and the pictures since its last training."""
        config = self.config
        self.autoencoder = Autoencoder.original(config.image_size, config.features)
        self.descriptor: LearnedDescriptor = LearnedDescriptor(
            self.autoencoder, self.variation.generator, self.device, config.learning_rate, config.batch_size
        )
        self.explorer = CopyingExplorer(config, self.variation)
        self.recent = Table(self.device)
        self.trained = 0

    def ask(self, room: int) -> Rows:
        """Children."""
        return self.candidates(self.explorer.ask(room))

    def tell(self, found: Rows) -> None:
        """The explorer decides, and now and then the autoencoder learns."""
        self.recent.add({"image": found["image"]})
        self.explorer.tell(found)
        if self.explorer.generations >= self.trained + self.config.train_every:
            self.trained = self.explorer.generations
            self._train()

    @property
    def archives(self) -> tuple[Table, ...]:
        """The explorer's archive."""
        return (self.explorer.archive,)

    def _train(self) -> None:
        images = torch.cat([table["image"] for table in (self.recent, self.explorer.archive) if len(table)])
        most = self.config.most_images or len(images)
        self.descriptor.train(images[self.variation.choice(len(images), most)], epochs=self.config.epochs)
        self.recent.replace({})
        self.explorer.redescribe(self.descriptor)
