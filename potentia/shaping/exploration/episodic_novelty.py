"""Episodic novelty: how far a state is from its nearest neighbours in the episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor

from potentia.arrays import like_column, on_cpu
from potentia.encoders import Kind
from potentia.rollout import Rollout
from potentia.shaping._models.inverse_dynamics import InverseDynamics
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.nearest import nearest
from potentia.shaping._models.running import episode_means
from potentia.shaping.shaper import Carry, Contract, Shaper

_EPSILON, _CLUSTER, _CONSTANT, _MOST = 1e-3, 8e-3, 1e-3, 8.0


class EpisodicNovelty(Shaper):
    """``1 / (sqrt(sum K(f, f_i)) + c)``: over the k embeddings f_i of this episode that are nearest to f(next_obs).

    Badia et al. 2020, "Never give up: learning directed exploration strategies", arXiv 2002.06038, section 2 and table
    6. The kernel is K(x, y) = e / (max(d^2 / m - 0.008, 0) + e), where d is the Euclidean distance, m the running mean
    of the k nearest d^2, and e = c = 0.001. The term is 0 where the root exceeds 8: such a state is much like others.
    `update` trains f so that the action between two observations can be told from their embeddings (inverse dynamics).

    Three things differ from the paper. m is a mean over the episode so far, so that episodes do not depend on each
    other. While fewer than k embeddings are known, their sum is scaled up to k. The first state of an episode, which
    has no neighbour, earns 0. The paper multiplies the term by a lifelong novelty, and this class does not.

    Args:
        observation_space: The space of ``obs``.
        action_space: The space of ``action``.
        neighbours: k.
        memory: How many of the last steps of an episode are remembered. The carry holds ``(B, memory, d)`` numbers.
        kinds: As for `RND`.
        hidden: Width of the hidden layers of f and of the network that tells the action.
        output_dim: d, the numbers of an embedding.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.
        name: The term's name.

    Raises:
        TypeError: If the action space is neither discrete nor a box.
        ValueError: If ``neighbours`` is not in 1..``memory``.

    >>> import numpy as np
    >>> from gymnasium.spaces import Box, Discrete
    >>> from potentia import Rollout
    >>> states = np.array([[[0, 0]], [[0, 0]], [[1, 1]]], np.float32)  # twice one state, then another
    >>> rollout = Rollout(
    ...     obs=states, action=np.zeros((3, 1), int), next_obs=states, terms={"env": np.zeros((3, 1))},
    ...     discount=np.ones((3, 1)), terminated=np.zeros((3, 1), bool), truncated=np.zeros((3, 1), bool))
    >>> shaped, _ = EpisodicNovelty(Box(-1, 1, (2,)), Discrete(2), neighbours=4).shape(rollout)
    >>> # First no neighbour. Then one at d = 0: K = 1, the sum is scaled to 4, so 1 / (sqrt(4) + 0.001). Then two with
    >>> # d^2 = 2 m: K = 0.001 / 1.993, the sum 2 K is scaled to 4 K, so 1 / (sqrt(0.004 / 1.993) + 0.001).
    >>> shaped.terms["EpisodicNovelty"][:, 0].round(2).tolist()
    [0.0, 0.5, 21.83]
    """

    saved = ("model",)

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        *,
        neighbours: int = 10,
        memory: int = 512,
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
        if not 1 <= neighbours <= memory:
            raise ValueError(f"neighbours must lie in 1..memory = {memory}, got {neighbours}")
        self.neighbours, self.memory = neighbours, memory
        self.device, self.update_size = torch.device(device), batch_size
        reads = frozenset({"obs", "action", "next_obs", "terminated", "truncated"})
        self.contract: Contract = Contract(reads=reads, scope="lifelong")
        self.model = InverseDynamics(
            observation_space, action_space, kinds=kinds, hidden=hidden, output_dim=output_dim,
            learning_rate=learning_rate, batch_size=batch_size, device=device, seed=seed,
        )  # fmt: skip

    def init(self, num_envs: int) -> Carry:
        """The embeddings of the last steps, which of them are of this episode, and the sum and number of its d^2."""
        return {
            "embeddings": np.zeros((num_envs, self.memory, self.model.output_dim), np.float32),
            "known": np.zeros((num_envs, self.memory), bool),
            "distances": np.zeros((num_envs, 2)),
        }

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        carry = carry or self.init(rollout.num_envs)
        before = {name: torch.as_tensor(part, device=self.device) for name, part in carry.items()}
        mask, done = (torch.as_tensor(flags, device=self.device).T for flags in (rollout.mask, rollout.done))
        new = self.model.embed(rollout.next_obs, mask.T).transpose(0, 1)
        # Masked steps go behind the others, so that they take no place in the memory.
        order = None if on_cpu(self.device) and bool(mask.all()) else (~mask).int().argsort(dim=1, stable=True)
        if order is not None:
            new = new.gather(1, order[..., None].expand_as(new))
            mask, done = mask.gather(1, order), done.gather(1, order)
        embeddings = torch.cat([before["embeddings"], new], 1)
        # Which episode each position belongs to: 0 is the one that runs at the beginning, -1 is none.
        ends = torch.nn.functional.pad((done & mask).long().cumsum(1), (1, 0))
        episodes = torch.cat([before["known"].long() - 1, torch.where(mask, ends[:, :-1], -1)], 1)
        squares = nearest(embeddings, episodes, ends[:, :-1], self.memory, self.neighbours)
        term, distances = self._bonus(squares, mask, done, before["distances"])
        known = episodes == ends[:, -1:]
        if order is None:
            embeddings, known = embeddings[:, -self.memory :], known[:, -self.memory :]
        else:
            term = torch.empty_like(term).scatter_(1, order, term)
            last = mask.sum(1)[:, None] + torch.arange(self.memory, device=self.device)
            known = known.gather(1, last)
            embeddings = embeddings.gather(1, last[..., None].expand(*last.shape, embeddings.shape[2]))
        after = {"embeddings": embeddings, "known": known, "distances": distances}
        return rollout.add(self.name, like_column(term.T, rollout.discount)), after

    def _bonus(self, squares: Tensor, mask: Tensor, done: Tensor, distances: Tensor) -> tuple[Tensor, Tensor]:
        """The term ``(B, T)``, and the sum and number of the mean d^2 after it."""
        known = squares < torch.inf
        squares, number = torch.where(known, squares, 0), known.sum(-1)
        mean = squares.sum(-1) / number.clamp(min=1)
        counted = (number > 0) & mask
        means, distances = episode_means(mean, counted, done & mask, distances)
        relative = squares / means.clamp(min=1e-12)[..., None]
        kernel = _EPSILON / ((relative - _CLUSTER).clamp(min=0) + _EPSILON)
        total = (kernel * known).sum(-1) * self.neighbours / number.clamp(min=1)
        root = total.sqrt() + _CONSTANT
        return torch.where(counted & (root <= _MOST), 1 / root, 0), distances

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Trains the embedding."""
        del policy
        return {"loss": self.model.learn(rollout)}
