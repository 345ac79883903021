"""NovelD: the rise of novelty from one state to the next, paid at the first visit of an episode."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from potentia.arrays import host_array, like_column, on_cpu
from potentia.encoders import Kind
from potentia.rollout import Rollout
from potentia.shaping._models.distillation import Distillation
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.running import RunningMoments
from potentia.shaping._models.visits import no_visits
from potentia.shaping.exploration.count import Key, States
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import leaves, map_tree


class NovelD(Shaper):
    """``max(n(next_obs) - alpha * n(obs), 0) / sigma`` at the first visit to a state in an episode, else 0.

    Zhang, Xu, Wang, Wu, Keutzer, Gonzalez and Tian 2021, "NovelD: A simple yet effective exploration criterion",
    arXiv 2012.08621 (BeBold is alpha = 1). n is the square root of the error of random network distillation, as in
    `RND`. sigma is the running standard deviation of n, so that one scale serves many worlds. The paper does not divide
    by it. A rollout is scored by the model as it was before the rollout was learned from. Before the first `update` the
    term is 0.

    Args:
        observation_space: The space of ``obs``.
        key: What tells states apart within an episode, as for `Count`.
        alpha: How much of the novelty of the state before is taken off.
        hash_bits: As for `Count`.
        kinds: As for `RND`.
        hidden: Width of the hidden layers.
        output_dim: Outputs of target and predictor.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        proportion: As for `RND`.
        device: Where the networks live.
        seed: Seeds networks, minibatches and the projections of ``hash_bits``.
        name: The term's name.

    Raises:
        ValueError: If ``proportion`` is not in (0, 1] or ``hash_bits`` not in 1..62.

    >>> import numpy as np
    >>> from gymnasium.spaces import Box
    >>> from potentia import Rollout
    >>> states = np.array([[[0, 0]], [[1, 1]], [[0, 0]], [[1, 1]]], np.float32)  # A, B, A, B
    >>> rollout = Rollout(
    ...     obs=states[:-1], action=np.zeros((3, 1)), next_obs=states[1:], terms={"env": np.zeros((3, 1))},
    ...     discount=np.ones((3, 1)), terminated=np.zeros((3, 1), bool), truncated=np.zeros((3, 1), bool))
    >>> noveld = NovelD(Box(-1, 1, (2,)), alpha=0.0)
    >>> metrics = noveld.update(rollout)
    >>> term = noveld.shape(rollout)[0].terms["NovelD"][:, 0]
    >>> term[:2].round(1).tolist(), term[2].item()  # arriving in B and in A, and in B for the second time
    ([3.4, 5.5], 0.0)
    """

    saved = ("model", "novelties")

    def __init__(
        self,
        observation_space: gym.Space[Any],
        key: Key = None,
        *,
        alpha: float = 0.5,
        hash_bits: int | None = None,
        kinds: Kind | Mapping[str, Kind] | None = None,
        hidden: int = 128,
        output_dim: int = 64,
        learning_rate: float = 1e-4,
        batch_size: int = 256,
        proportion: float = 1.0,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.alpha, self.update_size = float(alpha), batch_size
        self.states, self.device = States(key, hash_bits, seed, self.name), torch.device(device)
        reads = self.states.reads | {"obs", "next_obs", "terminated", "truncated"}
        self.contract: Contract = Contract(reads=reads, scope="lifelong")
        self.model = Distillation(
            observation_space, kinds=kinds, hidden=hidden, layers=2, output_dim=output_dim,
            learning_rate=learning_rate, batch_size=batch_size, proportion=proportion, device=device, seed=seed,
        )  # fmt: skip
        self.novelties = RunningMoments((), self.device)

    def init(self, num_envs: int) -> Carry:
        """No visits yet."""
        return no_visits(num_envs)

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        seen, carry = self.states.visit(rollout, carry)
        after = self.model.novelty(rollout.next_obs).sqrt()
        before = self._before(rollout, after)
        rise = (after - self.alpha * before).clamp(min=0) / (self.novelties.var + 1e-8).sqrt()
        first = torch.as_tensor(seen == 0, device=self.device).ravel()
        term = torch.where(first & (self.novelties.count > 0), rise, 0)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    @own_modes(gradients=False)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Updates the moments, then trains the predictor on ``next_obs``."""
        del policy
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        encoded = self.model.encode(rollout.next_obs, mask)
        self.model.features.update(encoded, mask)
        x = self.model.normalised(encoded)
        targets = self.model.targets(x)
        self.novelties.update(self.model.errors(x, targets).sqrt(), mask)
        return {"loss": self.model.learn(x, targets, mask), "novelty": self.novelties.mean}

    def _before(self, rollout: Rollout, after: Tensor) -> Tensor:
        """The novelty of ``obs``, ``(T * B,)``: mostly that of ``next_obs`` a step earlier, so of the same state."""
        if not on_cpu(self.device):  # which are others would have to be asked of the device
            return self.model.novelty(rollout.obs).sqrt()
        others = _others(rollout)
        before = torch.cat([after.new_zeros(rollout.num_envs), after])[: len(after)]
        at = others.nonzero(as_tuple=True)
        some = map_tree(
            lambda leaf: leaf[at if isinstance(leaf, Tensor) else tuple(map(host_array, at))][None], rollout.obs
        )
        before[others.ravel()] = self.model.novelty(some).sqrt()
        return before


def _others(rollout: Rollout) -> Tensor:
    """``(T, B)`` bool: where ``obs`` is not ``next_obs`` of the step before."""
    others = torch.ones(tuple(rollout.mask.shape), dtype=torch.bool)
    if rollout.num_steps > 1:
        others[1:] = False
        for (_, now), (_, earlier) in zip(leaves(rollout.obs), leaves(rollout.next_obs), strict=True):
            changed = torch.as_tensor(now[1:] != earlier[:-1])
            others[1:] |= changed.reshape(*changed.shape[:2], -1).any(-1)
    return others
