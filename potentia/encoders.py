"""From an observation space to a network: trees of observations in, one vector of features each out."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Literal

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.trees import Tree, map_tree

Kind = Literal["vector", "image", "categories"]
"""How a ``Box`` is read: as numbers, as a picture, or as a grid of codes whose values have no order."""

_MIN_IMAGE = 36
_MAX_CODES = 8192
_UNSIGNED = {np.dtype(np.uint16): np.int32, np.dtype(np.uint32): np.int64, np.dtype(np.uint64): np.int64}


def observation_tensors(tree: Tree, device: torch.device | str | None = None) -> Tree:
    """A tree of numpy arrays or tensors as a tree of tensors on ``device`` (None: where they are)."""
    return map_tree(lambda leaf: _tensor(leaf, device), tree)


def _tensor(leaf: Any, device: torch.device | str | None) -> Tensor:
    if isinstance(leaf, Tensor):
        return leaf if device is None else leaf.to(device)
    array = np.asarray(leaf)
    if array.dtype in _UNSIGNED:
        array = array.astype(_UNSIGNED[array.dtype])
    if not (array.flags.writeable and array.flags.c_contiguous):
        array = array.copy(order="C")  # torch warns of read-only memory and refuses negative strides
    tensor = torch.from_numpy(array)
    return tensor if device is None else tensor.to(device)


class Encoder(nn.Module):
    """``features = mlp(concat(stem(leaf) for each leaf of the observation))``: ``(N, ...)`` to ``(N, output_dim)``.

    Each leaf of the space gets a stem, chosen in this order:

    - ``Discrete``, ``MultiDiscrete``: one-hot. ``MultiBinary``: 0 and 1.
    - ``Box`` of dtype uint8 with two sides >= 36, ``(H, W)``, ``(H, W, C)`` or ``(C, H, W)``: ``"image"``, scaled to
      [0, 1] and read by the convolutions of Mnih et al. (2015).
    - ``Box`` of integers with two or three axes and at most 8192 values (MiniGrid's ``(7, 7, 3)``, NetHack's glyphs
      ``(9, 9)``): ``"categories"``, the sum of a random code for each channel of a cell, then convolutions.
    - any other ``Box``: ``"vector"``. An entry with finite bounds is scaled to [-1, 1]. An unbounded one is left
      as it is or, if it is an integer, compressed to ``sign(x) log(1 + |x|)``.
    - ``Dict`` and ``Tuple``: their leaves.

    Args:
        space: The space of one observation, without the batch axis.
        widths: The widths of the fully connected layers. The last is ``output_dim``.
        kinds: How to read a ``Box`` instead of by the rules: one kind for all, or by path (``"['image']"``, or ``""``
            if the space itself is the ``Box``).
        activation: What follows each fully connected layer: ``"relu"`` or ``"tanh"``.
        seed: Seed of the initial weights. PyTorch's global generator is neither read nor changed.

    Raises:
        TypeError: If the space, or a part of it, has no encoder.
        ValueError: If a kind does not fit its ``Box``.
    """

    def __init__(
        self,
        space: spaces.Space[Any],
        *,
        widths: tuple[int, ...] = (64, 64),
        kinds: Kind | Mapping[str, Kind] | None = None,
        activation: Literal["relu", "tanh"] = "relu",
        seed: int = 0,
    ) -> None:
        super().__init__()
        found = list(_space_leaves(space))
        self._paths = [keys for keys, _, _ in found]
        generator = torch.Generator().manual_seed(seed)
        with fresh_networks():
            self.stems = nn.ModuleList(_stem(leaf, path, kinds) for _, path, leaf in found)
            layers: list[nn.Module] = []
            width = sum(int(stem.output_dim) for stem in self.stems)  # type: ignore[arg-type, misc]
            for following in widths:
                layers += [nn.Linear(width, following), nn.ReLU() if activation == "relu" else nn.Tanh()]
                width = following
        self.mlp = nn.Sequential(*layers)
        self.output_dim = width
        initialize(self, generator)
        # Grids and pictures come with their channels last. That is a fifth faster on a CPU.
        self.stems.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, tree: Tree) -> Tensor:
        """Features ``(N, output_dim)`` of a tree of tensors ``(N, ...)``."""
        parts = [stem(_at(tree, keys)) for stem, keys in zip(self.stems, self._paths, strict=True)]
        features: Tensor = self.mlp(parts[0] if len(parts) == 1 else torch.cat(parts, dim=1))
        return features


@contextmanager
def fresh_networks(seed: int | None = None) -> Iterator[None]:
    """Networks made inside have 32 bits and can be trained, whatever PyTorch's modes are.

    They are drawn from the seed. PyTorch's global generator goes on after them as if there had been none.
    """
    dtype = torch.get_default_dtype()
    with torch.inference_mode(False), torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(dtype)


def initialize(module: nn.Module, generator: torch.Generator, gain: float = math.sqrt(2)) -> None:
    """Draws weights afresh: orthogonal with ``gain``, biases 0, embeddings standard normal.

    All come from ``generator``.
    """
    for part in module.modules():
        if isinstance(part, nn.Linear | nn.Conv2d):
            nn.init.orthogonal_(part.weight, gain, generator=generator)
            if part.bias is not None:
                nn.init.zeros_(part.bias)
        elif isinstance(part, nn.Embedding):
            nn.init.normal_(part.weight, generator=generator)


class _OneHot(nn.Module):
    """One-hot codes of ``(N, *shape)`` integers, where entry i takes ``counts[i]`` values from ``starts[i]`` on."""

    offsets: Tensor

    def __init__(self, counts: np.ndarray[Any, Any], starts: np.ndarray[Any, Any]) -> None:
        super().__init__()
        counts = counts.reshape(-1).astype(np.int64)
        self.output_dim = int(counts.sum())
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]) - starts.reshape(-1)
        self.register_buffer("offsets", torch.as_tensor(offsets.astype(np.int64)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        index = x.reshape(x.shape[0], len(self.offsets)).long() + self.offsets
        codes = torch.zeros(x.shape[0], self.output_dim, dtype=torch.float32, device=x.device)
        return codes.scatter_(1, index, 1.0)


class _Vector(nn.Module):
    """Numbers, scaled by their bounds where these are finite."""

    center: Tensor
    scale: Tensor
    compressed: Tensor

    def __init__(self, low: np.ndarray[Any, Any], high: np.ndarray[Any, Any], integers: bool) -> None:
        super().__init__()
        low, high = low.reshape(-1).astype(np.float64), high.reshape(-1).astype(np.float64)
        with np.errstate(invalid="ignore", over="ignore"):
            bounded = np.isfinite(low) & np.isfinite(high) & (high > low) & (high - low < 2.0**31)
        low, high = np.where(bounded, low, -1.0), np.where(bounded, high, 1.0)
        half, center = (high - low) / 2, (high + low) / 2
        self.output_dim = low.size
        self.register_buffer("center", torch.as_tensor(center, dtype=torch.float32), persistent=False)
        self.register_buffer("scale", torch.as_tensor(1 / half, dtype=torch.float32), persistent=False)
        self.register_buffer("compressed", torch.as_tensor(~bounded & integers), persistent=False)
        self._any_compressed = bool((~bounded & integers).any())

    def forward(self, x: Tensor) -> Tensor:
        x = (x.reshape(x.shape[0], self.output_dim).float() - self.center) * self.scale
        if self._any_compressed:
            x = torch.where(self.compressed, x.sign() * x.abs().log1p(), x)
        return x


class _Image(nn.Module):
    """The convolutions of Mnih et al. (2015) over bytes."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        super().__init__()
        self._two_axes = len(shape) == 2
        shape = (*shape, 1) if self._two_axes else shape
        self._channels_first = shape[0] < shape[-1]
        channels, height, width = shape if self._channels_first else (shape[2], *shape[:2])
        self.layers = nn.Sequential(
            nn.Conv2d(channels, 32, 8, 4), nn.ReLU(), nn.Conv2d(32, 64, 4, 2), nn.ReLU(),
            nn.Conv2d(64, 64, 3, 1), nn.ReLU(), nn.Flatten(),
        )  # fmt: skip
        sides = [((((side - 8) // 4 + 1) - 4) // 2 + 1) - 2 for side in (height, width)]
        self.output_dim = 64 * sides[0] * sides[1]

    def forward(self, x: Tensor) -> Tensor:
        x = x[..., None] if self._two_axes else x
        x = x if self._channels_first else x.movedim(-1, 1)
        features: Tensor = self.layers(x.float() * (1 / 255))
        return features


class _Categories(nn.Module):
    """A grid of codes: the sum of a random vector for each channel of a cell, then two convolutions."""

    offsets: Tensor

    def __init__(self, box: spaces.Box, width: int = 16, channels: tuple[int, int] = (16, 32)) -> None:
        super().__init__()
        low = box.low if box.low.ndim == 3 else box.low[..., None]
        high = box.high if box.high.ndim == 3 else box.high[..., None]
        first = low.min(axis=(0, 1)).astype(np.int64)
        counts = high.max(axis=(0, 1)).astype(np.int64) - first + 1
        offsets = np.concatenate([[0], np.cumsum(counts)[:-1]]) - first
        self.register_buffer("offsets", torch.as_tensor(offsets), persistent=False)
        self._two_axes = box.low.ndim == 2
        # Fixed random codes: which of them a network needs, the first convolution learns, at half the cost of a step.
        self.embedding = nn.Embedding(int(counts.sum()), width).requires_grad_(False)
        sides = np.array(low.shape[:2])
        layers: list[nn.Module] = []
        for before, after in zip((width, channels[0]), channels, strict=True):
            stride = [2 if side > 16 else 1 for side in sides]
            padding = [1 if side < 5 else 0 for side in sides]
            layers += [nn.Conv2d(before, after, 3, stride, padding), nn.ReLU()]  # type: ignore[arg-type]
            sides = (sides + 2 * np.array(padding) - 3) // np.array(stride) + 1
        self.layers = nn.Sequential(*layers, nn.Flatten())
        self.output_dim = channels[-1] * int(sides.prod())

    def forward(self, x: Tensor) -> Tensor:
        x = x[..., None] if self._two_axes else x
        cells = self.embedding(x.long() + self.offsets).sum(-2) * x.shape[-1] ** -0.5
        features: Tensor = self.layers(cells.movedim(-1, 1))
        return features


def _at(tree: Tree, keys: tuple[Any, ...]) -> Any:
    for key in keys:
        tree = tree[key]
    return tree


def _space_leaves(
    space: spaces.Space[Any], keys: tuple[Any, ...] = ()
) -> Iterator[tuple[tuple[Any, ...], str, spaces.Space[Any]]]:
    if isinstance(space, spaces.Dict):
        for key, part in space.spaces.items():
            yield from _space_leaves(part, (*keys, key))
    elif isinstance(space, spaces.Tuple):
        for index, part in enumerate(space.spaces):
            yield from _space_leaves(part, (*keys, index))
    else:
        yield keys, "".join(f"[{key!r}]" for key in keys), space


def _stem(space: spaces.Space[Any], path: str, kinds: Kind | Mapping[str, Kind] | None) -> nn.Module:
    if isinstance(space, spaces.Discrete):
        return _OneHot(np.array([space.n]), np.array([space.start]))
    if isinstance(space, spaces.MultiDiscrete):
        return _OneHot(space.nvec, np.asarray(space.start))
    if isinstance(space, spaces.MultiBinary):
        shape = space.shape
        return _Vector(np.full(shape, -np.inf), np.full(shape, np.inf), integers=False)
    if not isinstance(space, spaces.Box):
        raise TypeError(
            f"the observation{path} has the space {space}, which no encoder reads (Box, Discrete, MultiDiscrete, "
            "MultiBinary, Dict and Tuple are read); drop it or turn it into numbers with an observation wrapper"
        )
    wanted = kinds if isinstance(kinds, str) else (kinds or {}).get(path)
    kind = wanted or box_kind(space)
    if kind == "vector":
        return _Vector(space.low, space.high, np.issubdtype(space.dtype, np.integer))
    if kind not in ("image", "categories"):
        raise ValueError(f"the kind of observation{path} must be 'vector', 'image' or 'categories', got {kind!r}")
    if not (_is_image(space) if kind == "image" else _is_categories(space)):
        need = "uint8 with two sides >= 36" if kind == "image" else f"integers, 2 or 3 axes, <= {_MAX_CODES} values"
        raise ValueError(f"observation{path} can't be read as {kind!r} ({need}), got {space}; leave it out of kinds")
    return _Image(space.shape) if kind == "image" else _Categories(space)


def box_kind(space: spaces.Box) -> Kind:
    """How `Encoder` reads a ``Box`` if it is not told."""
    if _is_image(space):
        return "image"
    return "categories" if _is_categories(space) else "vector"


def _is_image(space: spaces.Box) -> bool:
    if space.dtype != np.uint8 or len(space.shape) not in (2, 3):
        return False
    return sorted(space.shape)[-2] >= _MIN_IMAGE and (len(space.shape) == 2 or min(space.shape) <= 16)


def _is_categories(space: spaces.Box) -> bool:
    if not np.issubdtype(space.dtype, np.integer) or len(space.shape) not in (2, 3):
        return False
    return int(space.high.max()) - int(space.low.min()) < _MAX_CODES
