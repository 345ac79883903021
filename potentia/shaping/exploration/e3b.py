"""Elliptical episodic bonuses (E3B)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch

from potentia import arrays
from potentia.arrays import like_column
from potentia.encoders import Kind
from potentia.rollout import Rollout
from potentia.shaping._models.inverse_dynamics import InverseDynamics
from potentia.shaping._models.learned import own_modes
from potentia.shaping.shaper import Carry, Contract, Shaper


class E3B(Shaper):
    """``f' C^-1 f``: f = f(next_obs), C = ridge * I + the sum of f f' over the episode so far.

    Henaff, Raileanu, Jiang and Rocktaeschel 2022, "Exploration via elliptical episodic bonuses", arXiv 2210.05805,
    section 3. The bonus counts an episode's visits where states are vectors: with one-hot f it is 1 / (n + ridge).
    `update` trains f as the paper does: from the embeddings of two observations in a row, the action between them can
    be told (inverse dynamics). C^-1 is kept up to date by the formula of Sherman and Morrison. The bonus is new in each
    episode, so it never vanishes.

    Args:
        observation_space: The space of ``obs``.
        action_space: The space of ``action``.
        ridge: lambda, 0.1 in the paper.
        kinds: As for `RND`.
        hidden: Width of the hidden layers of f and of the network that tells the action.
        output_dim: d, the numbers of an embedding. The carry holds ``(B, d, d)`` numbers.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.
        name: The term's name.

    Raises:
        TypeError: If the action space is neither discrete nor a box.
        ValueError: If ``ridge`` is not positive.

    >>> import numpy as np
    >>> from gymnasium.spaces import Box, Discrete
    >>> from potentia import Rollout
    >>> same = np.ones((3, 1, 2), np.float32)  # three times the same state
    >>> rollout = Rollout(
    ...     obs=same, action=np.zeros((3, 1), int), next_obs=same, terms={"env": np.zeros((3, 1))},
    ...     discount=np.ones((3, 1)), terminated=np.zeros((3, 1), bool), truncated=np.zeros((3, 1), bool))
    >>> shaped, _ = E3B(Box(-1, 1, (2,)), Discrete(2)).shape(rollout)
    >>> bonus = shaped.terms["E3B"][:, 0]
    >>> (1 / bonus - 1 / bonus[0]).round(3).tolist()  # each visit adds 1 to the inverse, whatever the embedding
    [0.0, 1.0, 2.0]
    """

    saved = ("model",)

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        *,
        ridge: float = 0.1,
        kinds: Kind | Mapping[str, Kind] | None = None,
        hidden: int = 128,
        output_dim: int = 32,
        learning_rate: float = 1e-4,
        batch_size: int = 256,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if ridge <= 0:
            raise ValueError(f"ridge must be positive, got {ridge}")
        self.ridge, self.update_size = float(ridge), batch_size
        self.device = torch.device(device)
        reads = frozenset({"obs", "action", "next_obs", "terminated", "truncated"})
        self.contract: Contract = Contract(reads=reads, scope="lifelong")
        self.model = InverseDynamics(
            observation_space, action_space, kinds=kinds, hidden=hidden, output_dim=output_dim,
            learning_rate=learning_rate, batch_size=batch_size, device=device, seed=seed,
        )  # fmt: skip

    def init(self, num_envs: int) -> Carry:
        """C^-1 of each environment, ``(B, d, d)`` float64 (float32 sticks after 2,000 visits): I / ridge."""
        return np.tile(np.eye(self.model.output_dim) / self.ridge, (num_envs, 1, 1))

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        if isinstance(carry, tuple):
            carry = self.init(rollout.num_envs)
        inverse = torch.as_tensor(carry, device=self.device)
        mask, done = (torch.as_tensor(flags, device=self.device) for flags in (rollout.mask, rollout.done))
        features = self.model.embed(rollout.next_obs, mask).double()
        fresh = torch.eye(features.shape[-1], dtype=torch.float64, device=self.device) / self.ridge
        bonuses = torch.zeros(mask.shape, dtype=torch.float64, device=self.device)
        for t in range(len(bonuses)):
            f = features[t, :, None, :]
            u = f @ inverse  # C^-1 is symmetric, and a row times a matrix is several times as fast
            bonuses[t] = (f * u).sum((1, 2))
            share = (mask[t] / (1 + bonuses[t]))[:, None, None]
            inverse.addcmul_(u.mT * share, u, value=-1)
            ends = done[t] & mask[t]
            if arrays.on_cpu(self.device):
                inverse[ends] = fresh  # so many copies, not all
            else:
                inverse = torch.where(ends[:, None, None], fresh, inverse)
        return rollout.add(self.name, like_column(bonuses, rollout.discount)), inverse

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Trains the embedding."""
        del policy
        return {"loss": self.model.learn(rollout)}
