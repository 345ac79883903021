"""Potentials of learned geometry: how far states are by how long the agent takes between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import gymnasium as gym
import torch
from torch import Tensor, nn

from potentia.arrays import like_column
from potentia.encoders import Encoder, Kind, fresh_networks
from potentia.gamma import check_gamma
from potentia.limits import check_among
from potentia.rollout import Array, Rollout
from potentia.shaping._models.learned import Learned, own_modes, rows_of
from potentia.shaping._models.running import RunningMoments
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential
from potentia.trees import Tree


class Successor(PotentialShaping):
    """``discount * potential(next_obs) - potential(obs)``: the potential of a state, by what follows it.

    - ``"laplacian"``: -|f(s) - f(goal)|, f the smoothest features of the agent's own walks: those of the least
      eigenvalues of the graph Laplacian (Wu, Tucker and Nachum 2019, "The Laplacian in RL", arXiv 1810.04586). They
      minimise ``E |f(s) - f(s')|^2 + beta E[(f(u) . f(v))^2 - (|f(u)|^2 + |f(v)|^2) / d + 1 / d]`` over steps s to s'
      and states u, v drawn alike. The sign of a feature does not matter.
    - ``"features"``: psi(s) . w, psi the discounted sum of features phi that follow s under the agent's own policy
      (Barreto et al. 2017, arXiv 1606.05312), learned by temporal differences, and w those weights with which phi(s')
      is the reward. phi are features of a frozen random encoder.

    The goal of ``"laplacian"`` is the mean f of the states in which a positive reward was paid. Until there was one the
    potential is 0. What changes as it learns counts with the value that a state had when it was entered.

    Args:
        observation_space: The space of observations.
        form: Which of them.
        gamma: Of ``"features"``.
        dimensions: d, the numbers of f, or of phi.
        beta: The weight of what keeps features apart.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        hidden: Width of the hidden layer.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        device: Where the networks live.
        seed: Seeds the networks and what is drawn.
        name: The term's name.

    Raises:
        ValueError: If the form is unknown, or gamma lies outside [0, 1].

    >>> import numpy as np
    >>> from gymnasium.spaces import Discrete
    >>> from potentia import Rollout
    >>> place = np.array([*range(10), *range(8, -1, -1)])[:, None]  # a corridor of ten cells, there and back
    >>> zeros, no = np.zeros((18, 1)), np.zeros((18, 1), bool)
    >>> walk = Rollout(
    ...     obs=place[:-1], action=zeros, next_obs=place[1:], terms={"env": (place[1:] == 9) * 1.0},
    ...     discount=zeros + 0.9, terminated=no, truncated=no)
    >>> shaper = Successor(Discrete(10), learning_rate=0.01, seed=1)
    >>> for _ in range(150):
    ...     metrics = shaper.update(walk)
    >>> rise = shaper.potential.values(walk, "", "it")[:10, 0]
    >>> bool(rise[9] > rise[6] > rise[3] > rise[0])  # the nearer to where the reward is, the higher
    True
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        form: Literal["laplacian", "features"] = "laplacian",
        *,
        gamma: float = 0.99,
        dimensions: int = 8,
        beta: float = 1.0,
        kinds: Kind | Mapping[str, Kind] | None = None,
        hidden: int = 64,
        learning_rate: float = 1e-3,
        batch_size: int = 256,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        check_among(("laplacian", "features"), form=form)
        check_gamma(gamma)
        with fresh_networks(seed):
            encoder = Encoder(observation_space, widths=(), kinds=kinds, seed=seed)
        kind = LaplacianPotential if form == "laplacian" else FeaturePotential
        super().__init__(
            kind(encoder, hidden, dimensions, beta, gamma, learning_rate, batch_size, torch.device(device), seed),
            name=name,
        )
        self.contract = replace(self.contract, reads=self.contract.reads | {"reward"})  # in update: where it was paid


class _LearnedPotential(Learned, Potential):
    """A potential that is a network of observations, which are read by a frozen encoder.

    The network computes with 64 bits, so that a state has one potential whatever it is computed with.
    """

    changes = True
    reads = frozenset({"obs"})

    def __init__(
        self, encoder: Encoder, hidden: int, dimensions: int, beta: float, gamma: float, learning_rate: float,
        batch_size: int, device: torch.device, seed: int,
    ) -> None:  # fmt: skip
        self.encoder = encoder.to(device).requires_grad_(False)
        with fresh_networks(seed):
            self.net, self.frozen = (
                nn.Sequential(nn.Linear(encoder.output_dim, hidden), nn.ReLU(), nn.Linear(hidden, dimensions))
                for _ in range(2)
            )
        self.net, self.frozen = self.net.to(device, torch.float64), self.frozen.to(device, torch.float64)
        self.frozen.requires_grad_(False)
        self.dimensions, self.beta, self.gamma = dimensions, beta, gamma
        Learned.__init__(self, self.net.parameters(), learning_rate, batch_size, device, seed)

    @property
    def learns(self) -> bool:
        return True

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        del reader
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        with own_modes(gradients=False):
            features = self.net(self._read(getattr(rollout, f"{prefix}obs"), mask))
            return like_column(self._potential(features), rollout.discount)

    def _read(self, obs: Tree, mask: Tensor) -> Tensor:
        """Observations ``(T, B, ...)`` as numbers ``(T * B, n)``."""
        with own_modes(gradients=False):
            numbers: Tensor = self.encoder(rows_of(obs, self.device, mask)).double()
            return numbers

    def _potential(self, features: Tensor) -> Tensor:
        raise NotImplementedError


class LaplacianPotential(_LearnedPotential):
    """-|f(s) - f(goal)|: the goal is where rewards were."""

    saved = ("encoder", "net", "goal", *Learned.saved)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        self.goal = GoalStates(self.device)

    def _potential(self, features: Tensor) -> Tensor:
        if self.goal.states is None:
            return torch.zeros(len(features), dtype=torch.float64, device=self.device)
        goal = self.net(self.goal.states).mean(0)
        distance: Tensor = (features - goal).norm(dim=1)
        return -distance

    def update(self, rollout: Rollout) -> dict[str, Any]:
        """Takes in the states that paid, and trains f on steps and on pairs that are drawn."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        before, after = (self._read(obs, mask) for obs in (rollout.obs, rollout.next_obs))
        self.goal.add(after, mask & (torch.as_tensor(rollout.terms["env"], device=self.device).ravel() > 0))

        def losses(rows: Tensor) -> Tensor:
            here, there = self.net(before[rows]), self.net(after[rows])
            squares, d = here.square().sum(1), self.dimensions  # each with all of the minibatch, which are drawn alike
            apart = (here @ here.T).square() - (squares[:, None] + squares) / d + 1 / d
            loss: Tensor = (here - there).square().sum(1) + self.beta * apart.mean(1)
            return loss

        with own_modes(gradients=True):
            return {"loss": self._train(losses, mask)}


class FeaturePotential(_LearnedPotential):
    """psi(s) . w: the features that follow, in the weights that are the reward."""

    saved = ("encoder", "net", "frozen", "scale", "_gram", "_moment", *Learned.saved)

    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        size = self.dimensions
        self.scale = RunningMoments((size,), self.device)
        self._gram = torch.eye(size, dtype=torch.float64, device=self.device)
        self._moment = torch.zeros(size, dtype=torch.float64, device=self.device)

    def _potential(self, features: Tensor) -> Tensor:
        values: Tensor = features @ torch.linalg.solve(self._gram, self._moment)
        return values

    def update(self, rollout: Rollout) -> dict[str, Any]:
        """Fits w to the rewards, and takes a temporal difference of psi."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        before, after = (self._read(obs, mask) for obs in (rollout.obs, rollout.next_obs))
        reward = torch.as_tensor(rollout.terms["env"], device=self.device).ravel().double()
        reward = torch.where(mask, reward, 0.0)
        with own_modes(gradients=False):
            phi = self.frozen(after)
            self.scale.update(phi, mask)
            phi = phi / (self.scale.var.sqrt() + 1e-6) * mask[:, None]
            self._gram = self._gram + phi.T @ phi
            self._moment = self._moment + phi.T @ reward
            ends = torch.as_tensor(rollout.terminated, device=self.device).ravel()
            target = phi + self.gamma * self.net(after) * ~ends[:, None]

        def losses(rows: Tensor) -> Tensor:
            errors = self.net(before[rows]) - target[rows]
            loss: Tensor = errors.square().sum(1)
            return loss

        with own_modes(gradients=True):
            return {"loss": self._train(losses, mask)}


class GoalStates:
    """The states in which a reward was paid, as numbers: 64 of them at most."""

    def __init__(self, device: torch.device, most: int = 64) -> None:
        self.device, self.most = device, most
        self.states: Tensor | None = None

    def add(self, states: Tensor, where: Tensor) -> None:
        """Takes in those of the rows ``where`` that are new, until there is room for no more."""
        if not bool(where.any()):
            return
        new = states[where] if self.states is None else torch.cat([self.states, states[where]])
        # Sorted, so that the order of the environments makes no difference.
        self.states = new.unique(dim=0)[: self.most].clone()

    def state_dict(self) -> dict[str, Any]:
        """The states."""
        return {"states": self.states}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        found = state["states"]
        self.states = None if found is None else found.to(self.device)
