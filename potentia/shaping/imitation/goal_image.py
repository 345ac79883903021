"""The distance to a shown goal, in the features of a frozen encoder, as a potential."""

from __future__ import annotations

import os
from collections.abc import Callable

import torch
from torch import nn

from potentia.arrays import like_column
from potentia.demonstrations import Demonstrations, as_demonstrations
from potentia.encoders import Encoder
from potentia.limits import check_among
from potentia.rollout import Array, Rollout
from potentia.shaping._models.costs import METRICS, Features, Metric, cost_matrix, features_of
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import own_modes
from potentia.shaping.columns import as_column
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential
from potentia.trees import Tree, map_tree


class GoalImage(PotentialShaping):
    """``distance(f(obs), f(goal)) - discount * distance(f(next_obs), f(goal))``: f is frozen, the goal is shown.

    The potential is -|f(s) - f(goal)|, the form in which Ma et al. 2022, "VIP: towards universal visual reward and
    representation via value-implicit pre-training", arXiv 2210.00030, reward a robot by the picture of its goal. Their
    f, like that of Nair et al. 2022, "R3M", arXiv 2203.12601, was trained on videos of people. Whatever f is, even at
    random, the term is a difference of potentials (Ng, Harada and Russell 1999). So a bad f can slow learning, and
    leaves every optimal policy as it was. Any observation will do, not pictures alone.

    Args:
        goal: One observation at the goal, without the axes ``(T, B)``. Or demonstrations, or the path of a file of
            them: the goals are what their episodes end with, and the nearest counts.
        encoder: f, from observations ``(N, ...)``, tensors, to features ``(N, ...)``: a function, or a network, which
            is neither trained nor saved. None takes the observations' own numbers.
        metric: ``"euclidean"`` or ``"cosine"``.
        shift: As for `potentia.shaping.PotentialShaping`.
        device: Where features are computed.
        name: The term's name.

    Raises:
        ValueError: If demonstrations are not whole episodes.

    >>> import numpy as np
    >>> obs = np.array([[[0.0, 0.0]], [[3.0, 0.0]]])
    >>> rollout = Rollout(
    ...     obs=obs, action=np.zeros((2, 1)), next_obs=obs[::-1], terms={"env": np.zeros((2, 1))},
    ...     discount=np.array([[0.5], [0.0]]), terminated=np.array([[False], [True]]), truncated=np.zeros((2, 1), bool))
    >>> GoalImage(np.array([3.0, 4.0])).shape(rollout)[0].terms["GoalImage"].ravel().tolist()  # 5 - 0.5 * 4, and 4 - 0
    [3.0, 4.0]
    """

    def __init__(
        self,
        goal: Demonstrations | Tree,
        encoder: Encoder | Callable[[Tree], Array] | None = None,
        *,
        metric: Metric = "euclidean",
        shift: float = 0.0,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        super().__init__(GoalDistance(goal, encoder, metric, device), shift=shift, name=name)


class GoalDistance(Potential):
    """``-distance(f(s), f(goal))``, to the nearest of several goals."""

    def __init__(
        self, goal: Demonstrations | Tree, encoder: Features | None, metric: Metric, device: torch.device | str
    ) -> None:
        check_among(METRICS, metric=metric)
        self.metric, self.device = metric, torch.device(device)
        self.encoder = encoder.to(self.device) if isinstance(encoder, nn.Module) else encoder
        if isinstance(goal, Rollout | str | os.PathLike):
            shown = as_demonstrations(goal)
            last = features_of(shown.next_obs, torch.as_tensor(shown.mask, device=self.device), self.encoder)
            episodes = Episodes.of(shown, self.device)
            rows = torch.arange(len(episodes), device=self.device)
            self.goals = episodes.take(last)[rows, episodes.mask.sum(1) - 1]
        else:
            one = map_tree(lambda leaf: torch.as_tensor(leaf)[None, None], goal)
            self.goals = features_of(one, torch.ones(1, 1, dtype=torch.bool, device=self.device), self.encoder)[0]

    @own_modes(gradients=False)
    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        mask = torch.as_tensor(rollout.mask, device=self.device)
        found = features_of(getattr(rollout, f"{prefix}obs"), mask, self.encoder)
        distance = cost_matrix(found, self.goals, self.metric).amin(-1)
        return as_column("a distance", like_column(-distance, rollout.discount), rollout)
