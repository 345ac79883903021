"""What a discriminator sees of a transition: one vector of normalised numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium as gym
import torch
from torch import Tensor

from potentia.encoders import Encoder, Kind, fresh_networks, observation_tensors
from potentia.rollout import Rollout
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.running import RunningMoments
from potentia.state import Stateful
from potentia.trees import Tree, leaves, map_tree

Sees = Literal["state_action", "transition", "state"]
"""What is judged: ``(obs, action)``, ``(obs, next_obs)``, or ``next_obs`` alone."""

SEES: tuple[Sees, ...] = ("state_action", "transition", "state")
READS: Mapping[Sees, tuple[str, ...]] = {
    "state_action": ("obs", "action"),
    "transition": ("obs", "next_obs"),
    "state": ("next_obs",),
}
_LIMIT = 5.0


class TransitionFeatures(Stateful):
    """Normalised features of observations, and actions as they are encoded.

    Features of observations are those of a frozen `potentia.encoders.Encoder`, normalised by the moments of all that
    was seen, demonstrations first, and clipped to [-5, 5]. Actions are one-hot, or scaled by their bounds.

    Args:
        observation_space: The space of ``obs``.
        action_space: The space of ``action``.
        demonstrations: The first that is seen.
        kinds: As for `potentia.encoders.Encoder`.
        device: Where all is computed.
        seed: Seeds the encoder.
    """

    saved = ("encoder", "moments")

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        demonstrations: Rollout,
        *,
        kinds: Kind | Mapping[str, Kind] | None,
        device: torch.device,
        seed: int,
    ) -> None:
        self.device = device
        with fresh_networks(seed):
            self.encoder = Encoder(observation_space, widths=(), kinds=kinds, seed=seed).to(device)
            self.actions = Encoder(action_space, widths=(), kinds="vector", seed=seed).to(device)
        self.encoder.requires_grad_(False)
        self.moments = RunningMoments((self.encoder.output_dim,), device)
        first = torch.as_tensor(demonstrations.mask, device=device).ravel().nonzero()[0]
        # What masked steps hold may fit no space, so a step that does stands in for it.
        self._stand_in = {
            name: map_tree(lambda leaf: leaf[first], self._flat(getattr(demonstrations, name)))
            for name in ("obs", "action", "next_obs")
        }

    def width(self, columns: tuple[str, ...]) -> int:
        """How many numbers the columns have together."""
        return sum(self.actions.output_dim if name == "action" else self.encoder.output_dim for name in columns)

    @own_modes(gradients=False)
    def encode(self, rollout: Rollout, columns: tuple[str, ...]) -> dict[str, Tensor]:
        """Features ``(T * B, width)`` of each column by name, not normalised yet. Those of masked steps are finite."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        found = {}
        for name in columns:
            rows = map_tree(
                lambda leaf, instead: torch.where(mask.reshape(-1, *(1,) * (leaf.ndim - 1)), leaf, instead),
                self._flat(getattr(rollout, name)),
                self._stand_in[name],
            )
            found[name] = (self.actions if name == "action" else self.encoder)(rows)
        return found

    def observe(self, encoded: Mapping[str, Tensor], mask: Tensor) -> None:
        """Takes in one column of observations where ``mask`` ``(T * B,)`` is True."""
        name = "obs" if "obs" in encoded else "next_obs"
        self.moments.update(encoded[name], mask)

    def joined(self, encoded: Mapping[str, Tensor], columns: tuple[str, ...]) -> Tensor:
        """One row for each transition, ``(T * B, width)``: the columns side by side, observations normalised."""
        scale = (self.moments.var + 1e-8).rsqrt()
        shift = -self.moments.mean * scale

        def normalised(rows: Tensor) -> Tensor:
            return torch.addcmul(shift.float(), rows, scale.float()).clamp(-_LIMIT, _LIMIT)

        parts = [encoded[name] if name == "action" else normalised(encoded[name]) for name in columns]
        return torch.cat(parts, 1)

    def _flat(self, tree: Tree) -> Tree:
        lead = next(leaf for _, leaf in leaves(tree)).shape[:2]
        flat = map_tree(lambda leaf: leaf.reshape((lead[0] * lead[1], *leaf.shape[2:])), tree)
        return observation_tensors(flat, self.device)
