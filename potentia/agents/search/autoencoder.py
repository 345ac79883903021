"""A learned descriptor: the features that an autoencoder makes of pictures, and how badly it reconstructs them."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from potentia.agents.search.table import Rows

_ENCODE = 512
"""How many pictures are encoded at once: their layers stay in a processor's cache."""


class Autoencoder(nn.Module):
    """``features = E(image)``, ``image' = D(features)``, for pictures in [0, 1].

    Convolutions of 4 x 4 with stride 2, each halving the picture, with SELU between them.

    Args:
        image_size: Pixels a side, a power of 2.
        channels: Those that each convolution makes.
        hidden: Widths between the convolutions and the features, and back.
        decoder: The channels that each transposed convolution is given.
        features: How many.
        normalise: Whether batches are normalised after each convolution.

    Raises:
        ValueError: If the picture is too small, or its size no power of 2.
    """

    def __init__(
        self,
        image_size: int,
        channels: tuple[int, ...],
        hidden: tuple[int, ...],
        decoder: tuple[int, ...],
        features: int,
        *,
        normalise: bool = False,
    ) -> None:
        super().__init__()
        smallest = 2 ** len(channels)
        if image_size < smallest or image_size & (image_size - 1):
            raise ValueError(f"image_size must be a power of 2 and at least {smallest}, got {image_size}")
        self.image_size, self.side = image_size, image_size >> len(channels)
        narrow, mirrored = self.side**2 * channels[-1], self.side**2 * decoder[0]
        self.encoder = nn.Sequential(
            *_convolutions(nn.Conv2d, (3, *channels), normalise),
            nn.Flatten(),
            *_dense((narrow, *hidden, features))[:-1],
        )
        self.decoder = nn.Sequential(
            *_dense((features, *reversed(hidden), mirrored)),
            nn.Unflatten(1, (decoder[0], self.side, self.side)),
            *_convolutions(nn.ConvTranspose2d, (*decoder, 3), normalise)[: -2 if normalise else -1],
            nn.ReLU(),
        )

    @classmethod
    def original(cls, image_size: int, features: int) -> Self:
        """TAXONS' own: 3-32-128-128-64 with batch normalisation, then dense; 64 pixels."""
        return cls(image_size, (32, 128, 128, 64), (256,), (32, 64, 32, 32), features, normalise=True)

    @classmethod
    def small(cls, image_size: int, features: int) -> Self:
        """STAX's: 3-32-64-32-16, and back."""
        return cls(image_size, (32, 64, 32, 16), (), (16, 32, 64, 32), features)

    def forward(self, images: Tensor) -> Tensor:
        """The reconstruction of ``(n, 3, s, s)``."""
        reconstructed: Tensor = self.decoder(self.encoder(images))
        return reconstructed


class LearnedDescriptor:
    """The behaviour is ``E(image)``. Its ``surprise`` is the mean squared error of the reconstruction.

    Args:
        autoencoder: Learns the features.
        generator: Draws the order of pictures, and the weights at the start.
        device: Where it computes.
        learning_rate: Adam's.
        batch_size: Pictures in a step of the optimiser.

    Attributes:
        column: The info column ``image``: ``(n, H, W, 3)`` uint8.
        epochs: Through how many epochs it learned.
    """

    column = "image"

    def __init__(
        self,
        autoencoder: Autoencoder,
        generator: torch.Generator,
        device: torch.device,
        learning_rate: float,
        batch_size: int,
    ) -> None:
        self.autoencoder, self.generator, self.batch_size = autoencoder.to(device), generator, batch_size
        _initialise(autoencoder, generator)
        self.optimizer = torch.optim.Adam(autoencoder.parameters(), learning_rate)
        self.device, self.epochs = device, 0

    def keep(self, shown: Tensor) -> Rows:
        """The pictures, reduced by averaging to the autoencoder's size: ``(n, 3, s, s)`` uint8.

        Raises:
            ValueError: If they are no pictures, or can't be reduced evenly.
        """
        side = self.autoencoder.image_size
        if shown.dtype != torch.uint8 or shown.ndim != 4 or shown.shape[3] != 3 or shown.shape[1] % side:
            raise ValueError(
                f"a learned descriptor needs info['image'] of shape (n, H, W, 3), uint8, with H a multiple of "
                f"{side}, got {tuple(shown.shape)} of {shown.dtype}"
            )
        pictures = shown.permute(0, 3, 1, 2)
        if shown.shape[1] == side:
            return {"image": pictures.contiguous()}
        return {"image": functional.adaptive_avg_pool2d(pictures.float(), side).round().to(torch.uint8)}

    def describe(self, rows: Rows) -> Rows:
        """``behaviour (n, features)`` and ``surprise (n,)``. A picture's do not depend on those beside it."""
        self.autoencoder.eval()
        behaviours, surprises = [], []
        with torch.no_grad():
            for part in rows["image"].split(_ENCODE):
                images = part / 255.0
                features = self.autoencoder.encoder(images)
                surprises.append((self.autoencoder.decoder(features) - images).square().mean((1, 2, 3)))
                behaviours.append(features)
        return {"behaviour": torch.cat(behaviours), "surprise": torch.cat(surprises)}

    def train(
        self, images: Tensor, *, epochs: int, validation: float = 0.0, patience: int | None = None
    ) -> dict[str, float]:
        """Learns to reconstruct pictures ``(n, 3, s, s)``.

        Args:
            images: All pictures.
            epochs: At most so many.
            validation: The share of them that is kept aside.
            patience: It stops when the error of those kept aside rose more often than this, each time one after the
                other. None never stops early.

        Returns:
            The mean squared ``error`` of the last epoch, and the ``epochs``.
        """
        order = torch.randperm(len(images), generator=self.generator).to(self.device)
        aside, used = images[order[: int(validation * len(images))]], images[order[int(validation * len(images)) :]]
        before, rises, error, begun = float("inf"), 0, 0.0, self.epochs
        for _ in range(epochs):
            error = self._epoch(used)
            self.epochs += 1
            if patience is not None and len(aside):
                now = float(self.describe({"image": aside})["surprise"].mean())
                rises, before = (rises + 1 if now > before else 0), now
                if rises > patience:
                    break
        return {"error": error, "epochs": self.epochs - begun}

    def state_dict(self) -> Mapping[str, Any]:
        """The network and its optimiser."""
        return {
            "network": dict(self.autoencoder.state_dict()),
            "optimizer": self.optimizer.state_dict(),
            "epochs": self.epochs,
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        self.autoencoder.load_state_dict(state["network"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.epochs = int(state["epochs"])

    def _epoch(self, images: Tensor) -> float:
        self.autoencoder.train()
        total = 0.0
        order = torch.randperm(len(images), generator=self.generator).to(self.device)
        parts = [part for part in order.split(self.batch_size) if len(part) > 1]  # one alone has no variance
        for part in parts:
            batch = images[part] / 255.0
            loss = functional.mse_loss(self.autoencoder(batch), batch)
            self.optimizer.zero_grad(set_to_none=True)
            loss.backward()
            self.optimizer.step()
            total += float(loss.detach()) * len(part)
        return total / sum(map(len, parts)) if parts else 0.0


def _convolutions(kind: type[nn.Module], channels: tuple[int, ...], normalise: bool) -> list[nn.Module]:
    layers: list[nn.Module] = []
    for before, after in pairwise(channels):
        layers += [kind(before, after, 4, stride=2, padding=1), nn.SELU()]
        layers += [nn.BatchNorm2d(after)] if normalise else []
    return layers


def _dense(widths: tuple[int, ...]) -> list[nn.Module]:
    return [layer for before, after in pairwise(widths) for layer in (nn.Linear(before, after), nn.SELU())]


def _initialise(network: nn.Module, generator: torch.Generator) -> None:
    """LeCun's normal weights, as SELU wants them, from a generator of one's own."""
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d | nn.Linear):
            weight, bias = layer.weight, layer.bias
            inputs = weight.numel() // (weight.shape[1] if isinstance(layer, nn.ConvTranspose2d) else weight.shape[0])
            with torch.no_grad():
                weight.copy_(torch.randn(weight.shape, generator=generator) / inputs**0.5)
                if bias is not None:
                    bias.zero_()
