"""STAX: SERENE in a space that an autoencoder learns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from potentia.agents.search.autoencoder import Autoencoder, LearnedDescriptor
from potentia.agents.search.serene import SERENE, SERENEConfig


@dataclass(frozen=True)
class STAXConfig(SERENEConfig):
    """The settings of `STAX`: those of `SERENEConfig`, but for the descriptor, which is learned, and these.

    Attributes:
        features: How many numbers the learned behaviour has.
        image_size: To how many pixels a side pictures are reduced. The paper's have 64.
        epochs: How often a training goes through the pictures, at most.
        validation: The share of pictures that are kept aside to stop it.
        patience: It stops when their error rose more often than this, one time after the other.
        batch_size: Pictures in a step of the optimiser.
        learning_rate: Adam's.
        most_images: A training takes at most so many pictures, drawn at random. None takes all, as the paper does.
    """

    features: int = 10
    image_size: int = 64
    epochs: int = 100
    validation: float = 0.2
    patience: int = 3
    batch_size: int = 128
    learning_rate: float = 1e-3
    most_images: int | None = None


class STAX(SERENE):
    """SERENE whose behaviours are features ``E(image)`` of the last picture, and which seeks surprise, too.

    Paolo, Coninx, Laflaquiere and Doncieux 2021, "Discovering and Exploiting Sparse Rewards in a Learned Behavior
    Space" (arXiv:2111.01919), as in its code. The autoencoder learns after 1 chunk of exploration, then after 2 more,
    then 3. Its pictures are those of parents, children and both archives. Then all stored behaviours are computed anew.
    It never reads the world's descriptor, but to report.
    """

    Config: ClassVar[type[STAXConfig]] = STAXConfig
    saved = (*SERENE.saved, "interval", "due")
    config: STAXConfig

    def build(self) -> None:
        """SERENE's parts with an autoencoder. It is untrained until the first chunk is over."""
        config = self.config
        self.descriptor: LearnedDescriptor = LearnedDescriptor(
            Autoencoder.small(config.image_size, config.features),
            self.variation.generator, self.device, config.learning_rate, config.batch_size,
        )  # fmt: skip
        self._compose(surprise=True)
        self.interval, self.due = 1, 1

    def _turn(self) -> None:
        if self.exploring:
            self.due -= 1
            if not self.due:
                self.interval += 1
                self.due = self.interval
                self._train()
        super()._turn()

    def _train(self) -> None:
        explorer, rewards = self.explorer, self.exploitation.rewards
        tables = (explorer.archive, explorer.parents, explorer.children, rewards)
        pictures = [table["image"] for table in tables if len(table)]
        if not pictures:  # all of the chunk is still being evaluated
            return
        images = torch.cat(pictures)
        config, most = self.config, self.config.most_images or len(images)
        self.descriptor.train(
            images[self.variation.choice(len(images), most)],
            epochs=config.epochs, validation=config.validation, patience=config.patience,
        )  # fmt: skip
        explorer.redescribe(self.descriptor)
        self.exploitation.redescribe(self.descriptor)
