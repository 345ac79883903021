"""Potentials of goal-conditioned worlds: minus the distance to the goal, or how far it is by what was learned."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
import torch
from torch import Tensor, nn

from potentia.arrays import like_column
from potentia.encoders import fresh_networks
from potentia.limits import check_among, check_at_least
from potentia.rollout import Array, Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import Learned, own_modes
from potentia.shaping.potentials.goals import ACHIEVED, DESIRED, goal_pair, goal_size
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential


class GoalDistance(PotentialShaping):
    """``discount * potential(next_obs) - potential(obs)``: the nearer to the desired goal, the higher the potential.

    - ``"l2"``: -|achieved - desired| / scale.
    - ``"discounted"``: gamma ** (|achieved - desired| / scale), which is the optimal value itself where a step covers
      ``scale`` and the goal pays 1. Then steps of the best way earn 0.
    - ``"reachable"``: P(the goal can be reached within ``steps`` steps), learned from own episodes: two points of one
      episode at most ``steps`` apart are a pair that can be, points further than ``3 steps`` apart are none (Savinov et
      al. 2019, arXiv 1810.02274). It changes as it learns, and a state that is left counts with the value that it had
      when it was entered.

    Both goals are read from the observation. So where hindsight writes another desired goal into ``obs`` and
    ``next_obs`` (Andrychowicz et al. 2017, arXiv 1707.01495), the term is that of the new goal. Shape after
    relabelling.

    Args:
        form: Which of them.
        observation_space: A ``Dict`` with the two goals. ``"reachable"`` needs it.
        achieved: The key of what was achieved.
        desired: The key of what is desired.
        scale: The length that counts as 1.
        gamma: Of ``"discounted"``: the learner's.
        steps: k of ``"reachable"``.
        hidden: Width of its network's two hidden layers.
        learning_rate: Adam's step size.
        batch_size: Pairs in a minibatch.
        device: Where the network lives.
        seed: Seeds the network and the pairs.
        name: The term's name.

    Raises:
        ValueError: If the form is unknown, or lacks what it needs.
        TypeError: If the space is not of this kind.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> goal, zeros, no = np.array([[[3.0, 4.0]]]), np.zeros((1, 1)), np.zeros((1, 1), bool)
    >>> rollout = Rollout(
    ...     obs={"achieved_goal": 0 * goal, "desired_goal": goal}, action=zeros,
    ...     next_obs={"achieved_goal": goal / 5, "desired_goal": goal}, terms={"env": zeros}, discount=zeros + 0.5,
    ...     terminated=no, truncated=no)
    >>> GoalDistance().shape(rollout)[0].terms["GoalDistance"].item()  # 0.5 * -4 - -5
    3.0
    >>> GoalDistance("discounted", gamma=0.5).shape(rollout)[0].terms["GoalDistance"].item()  # 0.5 / 16 - 1 / 32
    0.0
    """

    def __init__(
        self,
        form: Literal["l2", "discounted", "reachable"] = "l2",
        observation_space: gym.Space[Any] | None = None,
        *,
        achieved: str = ACHIEVED,
        desired: str = DESIRED,
        scale: float = 1.0,
        gamma: float | None = None,
        steps: int = 10,
        hidden: int = 64,
        learning_rate: float = 1e-3,
        batch_size: int = 256,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        check_among(("l2", "discounted", "reachable"), form=form)
        if not scale > 0 or (form == "discounted" and (gamma is None or not 0 < gamma < 1)):
            raise ValueError(f"scale must be positive, and gamma= in (0, 1) for 'discounted', got {scale} and {gamma}")
        reader, potential = name or type(self).__name__, None
        if form == "reachable":
            if observation_space is None:
                raise ValueError("the form 'reachable' learns: it needs observation_space=")
            model = Reachability(
                goal_size(observation_space, achieved, reader), steps, hidden, learning_rate, batch_size,
                torch.device(device), seed,
            )  # fmt: skip
            potential = ReachablePotential(model, achieved, desired)
        super().__init__(potential or DistancePotential(achieved, desired, scale, gamma), name=name)


class DistancePotential(Potential):
    """-|achieved - desired| / scale, or gamma to the power of the distance over the scale."""

    def __init__(self, achieved: str, desired: str, scale: float, gamma: float | None) -> None:
        self.achieved, self.desired, self.scale, self.gamma = achieved, desired, scale, gamma

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        one, other = goal_pair(rollout, prefix, self.achieved, self.desired, reader)
        distance = (one - other).norm(dim=-1) / self.scale
        return like_column(-distance if self.gamma is None else self.gamma**distance, rollout.discount)


class ReachablePotential(Potential):
    """P(the goal can be reached within some steps)."""

    saved = ("model",)
    changes = True
    reads = frozenset({"obs"})

    def __init__(self, model: Reachability, achieved: str, desired: str) -> None:
        self.model, self.achieved, self.desired = model, achieved, desired

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        pair = goal_pair(rollout, prefix, self.achieved, self.desired, reader)
        return like_column(self.model.chance(*pair), rollout.discount)

    @property
    def learns(self) -> bool:
        return True

    def update(self, rollout: Rollout) -> dict[str, Any]:
        """Trains on pairs of points of one episode."""
        points, _ = goal_pair(rollout, "next_", self.achieved, self.desired, type(self).__name__)
        return self.model.learn(points, Episodes.of(rollout, self.model.device))


class Reachability(Learned):
    """A network of two points: whether the second can be reached from the first within k steps.

    It computes with 64 bits, so that a point has one potential whatever it is computed with.
    """

    saved = ("net", *Learned.saved)

    def __init__(
        self, size: int, steps: int, hidden: int, learning_rate: float, batch_size: int, device: torch.device, seed: int
    ) -> None:
        check_at_least(1, steps=steps, hidden=hidden)
        self.steps = steps
        with fresh_networks(seed):
            self.net = nn.Sequential(
                nn.Linear(2 * size, hidden), nn.ReLU(), nn.Linear(hidden, hidden), nn.ReLU(), nn.Linear(hidden, 1)
            ).to(device, torch.float64)  # fmt: skip
        super().__init__(self.net.parameters(), learning_rate, batch_size, device, seed)

    def chance(self, points: Tensor, goals: Tensor) -> Tensor:
        """P(reachable), of the shape ``(T, B)``."""
        with own_modes(gradients=False):
            found: Tensor = torch.sigmoid(self._logits(points, goals))
            return found

    def _logits(self, points: Tensor, goals: Tensor) -> Tensor:
        logits: Tensor = self.net(torch.cat([points, goals], -1).to(self.device))[..., 0]
        return logits

    def learn(self, points: Tensor, episodes: Episodes) -> dict[str, Any]:
        """One pass over as many pairs as there are steps, half of them near and half far where an episode is long."""
        if not len(episodes):
            return {}
        rows, mask = episodes.take(points.to(self.device)), episodes.mask
        length = mask.sum(1)
        generator = torch.Generator(self.device).manual_seed(self._seed + 7919 * int(self._passes))
        episode, first = mask.nonzero(as_tuple=True)
        near = torch.rand(len(first), generator=generator, device=self.device, dtype=torch.float32) < 0.5
        reach = torch.randint(1, self.steps + 1, first.shape, generator=generator, device=self.device)
        beyond = torch.rand(len(first), generator=generator, device=self.device, dtype=torch.float32)
        far_from = first + 3 * self.steps
        room = length[episode] - 1 - far_from
        second = torch.where(near, first + reach, far_from + (beyond * (room + 1).clamp(min=0)).long())
        known = second < length[episode]
        pairs = rows[episode, first], rows[episode, second.clamp(max=rows.shape[1] - 1)]

        def losses(at: Tensor) -> Tensor:
            return nn.functional.binary_cross_entropy_with_logits(
                self._logits(pairs[0][at], pairs[1][at]), near[at].double(), reduction="none"
            )

        with own_modes(gradients=True):
            return {"loss": self._train(losses, known)}
