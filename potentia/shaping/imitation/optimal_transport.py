"""Optimal transport: an episode is paid by how cheaply it is moved onto a demonstration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from potentia.arrays import like_column
from potentia.demonstrations import Demonstrations, as_demonstrations
from potentia.encoders import Encoder
from potentia.limits import check_at_least
from potentia.rollout import Array, Rollout
from potentia.shaping._models.costs import DemonstrationCosts, Metric, ShownCosts
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.sinkhorn import sinkhorn
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree

_AT_ONCE = 1 << 23
"""Numbers in the plans that are made at a time."""


class OptimalTransport(Shaper):
    """``-scale * sum_j P_tj C_tj``: what it costs to move step t of an episode onto a demonstration's steps.

    Papagiannis and Li 2020, "Imitation learning with Sinkhorn distances", arXiv 2008.09167. Haldar et al. 2022, "Watch
    and match: supercharging imitation with regularized optimal transport", arXiv 2206.15469. C_tj is the cost between
    what step t arrived at, ``next_obs``, and what step j of the demonstration arrived at. P is the plan of
    `potentia.shaping.imitation.sinkhorn` between the two, on which each step weighs the same. Of several demonstrations
    the one counts to which the episode is nearest. No action is read, neither the agent's nor the demonstrator's.

    A whole episode is paid at once, as the plan depends on all of it. As in these papers the terms are scaled so that
    an episode like the first ones earns -10: the first `update` that is given a whole episode sets the scale, and none
    later. The term can change what is optimal: it is the task.

    Args:
        demonstrations: Whole episodes, or the path of a file of them.
        observation_space: What the observations of the demonstrations must fit. None asks nothing.
        metric: What a cost is: ``"cosine"``, 1 - cos(x, y), or ``"euclidean"``, |x - y|.
        encoder: From observations ``(N, ...)`` to features ``(N, ...)``, a function or a frozen network. None takes the
            observations' own numbers, which are no features where they are integers of a ``Discrete`` space: see
            `potentia.shaping.imitation.RandomFeatures`.
        standardize: Whether features are taken less their mean over the demonstrations, by their standard deviation.
        epsilon: The weight of the plan's entropy, in units of the cost.
        iterations: Of Sinkhorn's.
        size: What an episode like the first ones costs after scaling. None leaves the costs as they are.
        device: Where all is computed.
        name: The term's name.

    Raises:
        ValueError: If the demonstrations are not whole episodes or don't fit the space.

    >>> import numpy as np
    >>> def walk(*places):
    ...     obs = np.array(places, float)[:, None]
    ...     zeros, last = np.zeros((len(places), 1)), np.arange(len(places))[:, None] == len(places) - 1
    ...     return Rollout(obs=obs, action=zeros, next_obs=obs, terms={"env": zeros},
    ...                    discount=zeros, terminated=last, truncated=last & False)
    >>> transport = OptimalTransport(walk((0, 0), (0, 4)), metric="euclidean")
    >>> rewards = lambda rollout: transport.shape(rollout)[0].terms["OptimalTransport"][:, 0].round(3).tolist()
    >>> rewards(walk((0, 0), (3, 4)))  # the second is 3 from what was shown, and weighs 1/2
    [-0.0, -1.5]
    >>> round(transport.update(walk((0, 0), (3, 4)))["scale"], 3)  # 10 / 1.5
    6.667
    >>> rewards(walk((0, 0), (3, 4))), rewards(walk((0, 4), (0, 0)))  # when something is done does not matter
    ([-0.0, -10.0], [-0.0, -0.0])
    """

    saved = ("_scale",)

    def __init__(
        self,
        demonstrations: Demonstrations,
        observation_space: gym.Space[Any] | None = None,
        *,
        metric: Metric = "cosine",
        encoder: Encoder | Callable[[Tree], Array] | None = None,
        standardize: bool = False,
        epsilon: float = 0.01,
        iterations: int = 100,
        size: float | None = 10.0,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(0, size=size)
        self.epsilon, self.iterations, self.size = epsilon, iterations, size
        shown = as_demonstrations(demonstrations, observation_space)
        self.costs = DemonstrationCosts(shown, metric, encoder, standardize=standardize, device=device)
        self.contract: Contract = Contract(
            reads=frozenset({"next_obs", "terminated", "truncated"}), scope="lifelong", needs_episodes=True
        )
        self._scale: float | None = None

    @property
    def scale(self) -> float:
        """What the costs are multiplied by: 1 until it is known."""
        return 1.0 if self._scale is None else self._scale

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        episodes = Episodes.of(rollout, self.costs.device)
        term = -self.scale * moved(self.costs, rollout, episodes, self.epsilon, self.iterations)
        return rollout.add(self.name, like_column(episodes.put(term), rollout.discount)), carry

    @own_modes(gradients=False)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Sets the scale by the mean cost of the whole episodes, the first time that there are any. Returns it."""
        del policy
        if self.size is not None and self._scale is None:
            episodes = Episodes.of(rollout, self.costs.device)
            sums = moved(self.costs, rollout, episodes, self.epsilon, self.iterations).sum(1)[episodes.ended]
            mean = float(sums.double().mean()) if len(sums) else 0.0
            self._scale = self.size / mean if mean > 0 else None
        return {"scale": self.scale}


def moved(costs: ShownCosts, rollout: Rollout, episodes: Episodes, epsilon: float, iterations: int) -> Tensor:
    """What it costs to move each step of N episodes onto the shown one that is nearest: ``(N, L)``, 0 behind ends.

    An episode's costs sum to that of its plan: the mean cost of a step.
    """
    shown, length = costs.mask.shape
    found = costs.features.new_zeros(episodes.mask.shape)
    if not (len(episodes) and shown):
        return found
    for rows in torch.arange(len(episodes), device=costs.device).split(
        max(1, _AT_ONCE // max(1, shown * length * episodes.mask.shape[1]))
    ):
        part = episodes.rows(rows)
        cost = costs.costs(rollout, part)
        plans = sinkhorn(cost, epsilon, iterations, row_mask=part.mask[:, None], column_mask=costs.mask)
        each = (plans * cost).sum(3)
        nearest = each.sum(2).argmin(1)
        found[rows] = each[torch.arange(len(rows), device=costs.device), nearest].to(found.dtype)
    return found
