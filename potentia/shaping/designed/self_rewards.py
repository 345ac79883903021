"""Rewards of states and actions that a learner's own returns teach, in a table or in a network."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.arrays import host_array
from potentia.encoders import Encoder, fresh_networks
from potentia.rollout import Rollout
from potentia.shaping._models.learned import Learned, own_modes, rows_of
from potentia.shaping.columns import look_up
from potentia.state import Stateful
from potentia.trees import Tree, map_tree

__all__ = ["NetworkRewards", "SelfRewards", "TableRewards"]


class SelfRewards(Protocol):
    """R(s, a), and V(s): what the world's rewards come to from s on."""

    def rewards(self, rollout: Rollout) -> Any:
        """R(obs, action), ``(T, B)``."""
        ...

    def values(self, obs: Tree, mask: Tensor) -> Tensor:
        """V, ``(T, B)`` float64. Where the mask is False it means nothing."""
        ...

    def learn(self, rollout: Rollout, advantage: Tensor, chances: Tensor) -> None:
        """A step of R up the slope of ``pi(a | s) A (R(s, a) - sum_b pi(b | s) R(s, b))``, and V towards the returns.

        Args:
            rollout: The experience.
            advantage: A, the return less V(obs), ``(T, B)``.
            chances: pi(. | obs), ``(N, A)``, of the unmasked steps in order.
        """
        ...


class TableRewards(Stateful):
    """R in a table: ``R(s, .) += rate g (onehot(a) - pi(. | s))``, where ``g = pi(a | s) A``. All steps are added up.

    Args:
        states: S.
        actions: A.
        first_state: The number of the first.
        first_action: The number of the first.
        rate: The step of R.
        critic_rate: By which part V moves to a return, at each visit.
        clip: R stays within so much of 0. None: it is free.
    """

    saved = ("table", "value")

    def __init__(
        self, states: int, actions: int, first_state: int, first_action: int, rate: float, critic_rate: float,
        clip: float | None,
    ) -> None:  # fmt: skip
        self.table, self.value = np.zeros((states, actions)), np.zeros(states)
        self.first_state, self.first_action = first_state, first_action
        self.rate, self.critic_rate, self.clip = rate, critic_rate, clip

    def rewards(self, rollout: Rollout) -> Any:
        """See `SelfRewards`."""
        state, action = rollout.obs - self.first_state, rollout.action - self.first_action
        return look_up(self.table, "states and actions", state, action)

    def values(self, obs: Tree, mask: Tensor) -> Tensor:
        """See `SelfRewards`."""
        return torch.from_numpy(self.value[np.where(mask.cpu().numpy(), host_array(obs) - self.first_state, 0)])

    def learn(self, rollout: Rollout, advantage: Tensor, chances: Tensor) -> None:
        """See `SelfRewards`."""
        mask, pi = host_array(rollout.mask), chances.cpu().numpy()
        state, action = host_array(rollout.obs)[mask] - self.first_state, host_array(rollout.action)[mask]
        rows, gain = (np.arange(len(state)), action - self.first_action), advantage.cpu().numpy()[mask]
        away = -pi
        away[rows] += 1.0
        np.add.at(self.table, state, self.rate * (pi[rows] * gain)[:, None] * away)
        if self.clip is not None:
            self.table = self.table.clip(-self.clip, self.clip)
        visits, total = (np.bincount(state, weights, len(self.value)) for weights in (None, gain))
        self.value += (1.0 - (1.0 - self.critic_rate) ** visits) * total / np.maximum(visits, 1)


class NetworkRewards(Stateful):
    """R is ``reach * tanh`` of a network with a number for each action, V another network. Adam trains both.

    Args:
        observation_space: The space of observations.
        actions: A.
        first_action: The number of the first.
        rate: Adam's step size for R.
        critic_rate: The same for V.
        reach: The largest |R|.
        hidden: Width of the layer.
        batch_size: Steps in a minibatch.
        device: Where the networks are.
        seed: Seeds them.
    """

    saved = ("_paying", "_valuing")

    def __init__(
        self, observation_space: spaces.Space[Any], actions: int, first_action: int, *, rate: float, critic_rate: float,
        reach: float, hidden: int, batch_size: int, device: torch.device, seed: int,
    ) -> None:  # fmt: skip
        self.first_action, self.reach, self.device = first_action, reach, device
        self._paying = _Network(observation_space, actions, hidden, rate, batch_size, device, seed)
        self._valuing = _Network(observation_space, 1, hidden, critic_rate, batch_size, device, seed + 1)

    def rewards(self, rollout: Rollout) -> Any:
        """See `SelfRewards`."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        with own_modes(gradients=False):
            paid = self._all(rows_of(rollout.obs, self.device, mask)).gather(1, self._action(rollout, mask)[:, None])
        return paid.reshape(rollout.discount.shape).to(torch.float64)

    def values(self, obs: Tree, mask: Tensor) -> Tensor:
        """See `SelfRewards`."""
        with own_modes(gradients=False):
            found = self._valuing.net(rows_of(obs, self.device, mask.to(self.device).ravel()))
        values: Tensor = found.reshape(mask.shape).double()
        return values

    def learn(self, rollout: Rollout, advantage: Tensor, chances: Tensor) -> None:
        """See `SelfRewards`."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        obs, action = rows_of(rollout.obs, self.device, mask), self._action(rollout, mask)
        gain, pi = advantage.to(self.device).ravel().float(), chances.new_zeros((len(mask), chances.shape[1]))
        pi[mask.to(pi.device)] = chances
        pi = pi.float().to(self.device)
        with own_modes(gradients=False):
            target = self._valuing.net(obs)[:, 0] + gain  # the return

        def slopes(rows: Tensor) -> Tensor:
            paid = self._all(map_tree(lambda leaf: leaf[rows], obs))
            away = nn.functional.one_hot(action[rows], paid.shape[1]) - pi[rows]
            taken = pi[rows].gather(1, action[rows, None])[:, 0]
            return -taken * gain[rows] * (away * paid).sum(1)

        def errors(rows: Tensor) -> Tensor:
            found = self._valuing.net(map_tree(lambda leaf: leaf[rows], obs))[:, 0]
            wrong: Tensor = (found - target[rows]).square()
            return wrong

        with own_modes(gradients=True):
            self._paying.train(slopes, mask)
            self._valuing.train(errors, mask)

    def _all(self, obs: Tree) -> Tensor:
        paid: Tensor = self.reach * torch.tanh(self._paying.net(obs))
        return paid

    def _action(self, rollout: Rollout, mask: Tensor) -> Tensor:
        taken = torch.as_tensor(host_array(rollout.action), device=self.device).ravel() - self.first_action
        return torch.where(mask, taken, 0).long()


class _Network(Learned):
    """A layer on an encoder's features."""

    saved = (*Learned.saved, "net")

    def __init__(
        self, space: spaces.Space[Any], outputs: int, hidden: int, rate: float, batch_size: int, device: torch.device,
        seed: int,
    ) -> None:  # fmt: skip
        with fresh_networks(seed):
            self.net = nn.Sequential(Encoder(space, widths=(hidden,), seed=seed), nn.Linear(hidden, outputs)).to(device)
        super().__init__(self.net.parameters(), rate, batch_size, device, seed)

    def train(self, losses: Any, mask: Tensor) -> Tensor:
        """One pass over the unmasked rows."""
        return self._train(losses, mask)
