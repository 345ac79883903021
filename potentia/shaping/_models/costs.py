"""How far observations are from those of demonstrations: cosine or Euclidean costs between their features."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from potentia.arrays import is_tensor
from potentia.encoders import Encoder, Kind, observation_tensors
from potentia.limits import check_among
from potentia.rollout import Array, Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import own_modes
from potentia.state import Stateful
from potentia.trees import Tree, leaves, map_tree

Metric = Literal["cosine", "euclidean"]
"""What a cost is: ``1 - cos(x, y)``, or ``|x - y|``."""

METRICS: tuple[Metric, ...] = ("cosine", "euclidean")


def cost_matrix(first: Array, second: Array, metric: Metric = "cosine") -> Array:
    """``c[..., i, j]``, the cost between ``first[..., i, :]`` and ``second[..., j, :]``: arrays or tensors.

    Euclidean distances come from differences and not from products. So equal features cost exactly 0. A vector of zeros
    has no direction, and its cosine with any other counts as 0.

    Args:
        first: Features ``(..., T, d)``.
        second: Features ``(..., T', d)``. The axes before the last two are broadcast.
        metric: ``"cosine"`` or ``"euclidean"``.

    Returns:
        ``(..., T, T')``, at least 0, of the kind of ``first`` and the more precise dtype of the two.

    Raises:
        ValueError: If the features differ in number, or the metric is another.

    >>> cost_matrix(np.array([[1.0, 0.0], [3.0, 4.0]]), np.array([[2.0, 0.0], [0.0, 1.0]])).round(6).tolist()
    [[0.0, 1.0], [0.4, 0.2]]
    >>> cost_matrix(np.array([[1.0, 0.0]]), np.array([[1.0, 0.0], [4.0, 4.0]]), "euclidean").tolist()
    [[0.0, 5.0]]
    """
    check_among(METRICS, metric=metric)
    if first.shape[-1] != second.shape[-1]:
        raise ValueError(
            f"features to compare must be as many, got {first.shape[-1]} and {second.shape[-1]}: the demonstrations "
            "are of another world, or were encoded otherwise"
        )
    if not is_tensor(first):
        one, other = (torch.from_numpy(np.ascontiguousarray(part)) for part in (first, second))
        return cost_matrix(one, other, metric).numpy()
    dtype = torch.promote_types(first.dtype, second.dtype)
    first, second = first.to(dtype), second.to(dtype)
    if metric == "euclidean":
        return torch.cdist(first, second, compute_mode="donot_use_mm_for_euclid_dist")
    one, other = (part / part.norm(dim=-1, keepdim=True).clamp(min=1e-12) for part in (first, second))
    return (1 - one @ other.mT).clamp(min=0)


class RandomFeatures(Encoder):
    """A frozen `potentia.encoders.Encoder` with random weights, of a seed: features that were never trained.

    For pictures they are the convolutions of Mnih et al. (2015), for integers codes of which no two are alike. Burda,
    Edwards, Pathak et al. 2018, "Large-scale study of curiosity-driven learning", arXiv 1808.04355, found random
    features good enough to tell states apart. Nothing in them knows what a picture shows.

    Args:
        observation_space: The space of one observation.
        widths: The widths of the fully connected layers. Without any, ``()``, the features are those of the stems:
            one-hot codes of integers, and vectors as they are.
        kinds: As for `potentia.encoders.Encoder`.
        seed: Seeds the weights.
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        *,
        widths: tuple[int, ...] = (64,),
        kinds: Kind | Mapping[str, Kind] | None = None,
        seed: int = 0,
    ) -> None:
        super().__init__(observation_space, widths=widths, kinds=kinds, seed=seed)
        self.requires_grad_(False).eval()


Features = Callable[[Tree], Array]
"""A function, or a frozen network, from observations ``(N, ...)``, a tree of tensors, to features ``(N, ...)``."""


def features_of(obs: Tree, mask: Tensor, encoder: Features | None = None) -> Tensor:
    """Features ``(T, B, d)`` of observations ``(T, B, ...)``, 0 where ``mask`` is False. No gradient flows.

    Args:
        obs: A tree of arrays or tensors.
        mask: ``(T, B)``. Observations where it is False may be anything, and the encoder is not shown them.
        encoder: None takes all numbers of an observation, one after the other, as they are.

    Raises:
        ValueError: If the encoder does not return as many features as it was given observations.
    """
    lead, live = tuple(mask.shape), mask.reshape(-1)
    everything = bool(live.all()) if mask.device.type == "cpu" else False

    def row(leaf: Tensor) -> Tensor:
        leaf = leaf.reshape(lead[0] * lead[1], *leaf.shape[2:])
        return leaf if everything else torch.where(live.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, 0)

    rows = map_tree(row, observation_tensors(obs, mask.device))
    with own_modes(gradients=False):
        if encoder is None:
            parts = [_flat(leaf) for _, leaf in leaves(rows)]
            found = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
        else:
            found = torch.as_tensor(encoder(rows), device=mask.device).detach()
            if found.ndim == 0 or len(found) != len(live):
                raise ValueError(
                    f"an encoder must return one row of features for each of the {len(live)} observations, got shape "
                    f"{tuple(found.shape)}; return an array (N, ...) for observations (N, ...)"
                )
            found = _flat(found)
        found = found if found.is_floating_point() else found.float()
        return torch.where(live[:, None], found, 0).reshape(*lead, found.shape[1])


def _flat(rows: Tensor) -> Tensor:
    return rows.flatten(1) if rows.ndim > 1 else rows[:, None]


class ShownCosts(Stateful):
    """The costs between what an agent arrived at, ``next_obs``, and the features of episodes that are shown.

    Args:
        metric: ``"cosine"`` or ``"euclidean"``.
        encoder: From observations ``(N, ...)`` to features ``(N, ...)``. A network is frozen: it is neither trained nor
            saved. None takes the observations' own numbers.
        device: Where all is computed.

    Attributes:
        features: Of what is shown, ``(D, L', d)``. At first there is nothing.
        mask: ``(D, L')``: False behind the end of a shorter episode.
    """

    saved = ("features", "mask")

    def __init__(
        self, metric: Metric = "cosine", encoder: Features | None = None, device: torch.device | str = "cpu"
    ) -> None:
        check_among(METRICS, metric=metric)
        self.metric, self.device = metric, torch.device(device)
        self.encoder = encoder.to(self.device) if isinstance(encoder, nn.Module) else encoder
        self.features = torch.zeros((0, 0, 0), dtype=torch.float32, device=self.device)
        self.mask = torch.zeros((0, 0), dtype=torch.bool, device=self.device)
        self._moments: tuple[Tensor, Tensor] | None = None

    def encode(self, rollout: Rollout, episodes: Episodes) -> Tensor:
        """The features ``(N, L, d)`` of the ``next_obs`` of a rollout's episodes, 0 where they are masked."""
        mask = torch.as_tensor(rollout.mask, device=self.device)
        found = features_of(rollout.next_obs, mask, self.encoder)
        if self._moments is not None:
            mean, scale = self._moments
            found = ((found.double() - mean) / scale).to(found.dtype)
        return torch.where(episodes.mask[..., None], episodes.take(found), 0)

    def costs(self, rollout: Rollout, episodes: Episodes) -> Tensor:
        """``(N, D, L, L')`` between the N episodes of a rollout and the D that are shown, 0 where either is masked."""
        found = cost_matrix(self.encode(rollout, episodes)[:, None], self.features[None], self.metric)
        return torch.where(episodes.mask[:, None, :, None] & self.mask[None, :, None, :], found, 0)

    def among(self) -> Tensor:
        """``(D, D, L', L')`` between those that are shown, 0 where either is masked."""
        found = cost_matrix(self.features[:, None], self.features[None], self.metric)
        return torch.where(self.mask[:, None, :, None] & self.mask[None, :, None, :], found, 0)


class DemonstrationCosts(ShownCosts):
    """The same of demonstrations.

    Args:
        demonstrations: Whole episodes ``(T, B)``.
        metric: As for `ShownCosts`, as the others.
        encoder: As there.
        standardize: Whether each feature is taken less its mean over the demonstrations and divided by its standard
            deviation there (by 1 where it never changes).
        device: As there.

    Raises:
        ValueError: If there is no demonstration.
    """

    def __init__(
        self,
        demonstrations: Rollout,
        metric: Metric = "cosine",
        encoder: Features | None = None,
        *,
        standardize: bool = False,
        device: torch.device | str = "cpu",
    ) -> None:
        super().__init__(metric, encoder, device)
        episodes = Episodes.of(demonstrations, self.device)
        if not episodes.mask.any():
            raise ValueError("there must be at least one demonstration of at least one step, got none")
        self.mask = episodes.mask
        self.features = self.encode(demonstrations, episodes)
        if standardize:
            live = self.features[self.mask].double()
            spread = live.std(0, unbiased=False)
            self._moments = live.mean(0), torch.where(spread > 0, spread, 1.0)
            self.features = self.encode(demonstrations, episodes)
