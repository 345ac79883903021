"""Hindsight: how much likelier an action is, now that the outcome is known."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.arrays import host_array, like_column
from potentia.encoders import Encoder, Kind, fresh_networks
from potentia.rollout import Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import Learned, own_modes, rows_of
from potentia.shaping._models.running import RunningMoments
from potentia.shaping.columns import reward_before
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import map_tree


class Hindsight(Shaper):
    """``(1 - pi(a | s) / h(a | s, Z)) Z - reward``: Z is the return from here, h the chance of a for who knows Z.

    Harutyunyan et al. 2019, "Hindsight credit assignment", arXiv 1912.02503, theorem 2: with exact pi and h, the mean
    of ``(1 - pi / h) Z`` over Z is the advantage of a. An action that would have been taken anyway, whatever came of
    it, earns nothing. Both pi and h are learned here from what was done, by one network whose input Z is hidden for
    pi. So the policy is not asked for.

    The term puts an *advantage* in the place of the reward: put ``ScheduleDiscount(0.0)`` first, so that the learner
    adds nothing up. It needs whole episodes and discrete actions. The ratio is clipped to ``clip``.

    Args:
        observation_space: The space of observations.
        action_space: The space of actions, ``Discrete``.
        gamma: The discount factor of Z.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        hidden: Width of the network.
        clip: The largest pi / h.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        device: Where the network lives.
        seed: Seeds the network and the order of the minibatches.
        name: The term's name.

    Raises:
        TypeError: If the actions are not ``Discrete``.

    >>> import numpy as np
    >>> from gymnasium.spaces import Discrete
    >>> from potentia import Rollout
    >>> action = np.tile([0, 1], 32)[None]  # one step: action 1 earns 1, action 0 nothing
    >>> zeros, ends = np.zeros((1, 64)), np.ones((1, 64), bool)
    >>> rollout = Rollout(
    ...     obs=np.zeros((1, 64), int), action=action, next_obs=np.zeros((1, 64), int), terms={"env": action * 1.0},
    ...     discount=zeros, terminated=ends, truncated=~ends)
    >>> hindsight = Hindsight(Discrete(1), Discrete(2), learning_rate=0.05)
    >>> for _ in range(100):
    ...     metrics = hindsight.update(rollout)
    >>> hindsight.shape(rollout)[0].reward[0, :2].round(1).tolist()  # (1 - 0.5 / 1) * 1, and 0 * 0
    [0.0, 0.5]
    """

    saved = ("model",)

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        *,
        gamma: float = 1.0,
        kinds: Kind | Mapping[str, Kind] | None = None,
        hidden: int = 64,
        clip: float = 10.0,
        learning_rate: float = 1e-3,
        batch_size: int = 256,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if not isinstance(action_space, spaces.Discrete):
            raise TypeError(
                f"hindsight is about the chance of an action: the space must be Discrete, got {action_space}"
            )
        self.gamma, self.clip, self.device = float(gamma), float(clip), torch.device(device)
        self.model = HindsightModel(
            observation_space, action_space, kinds, hidden, learning_rate, batch_size, self.device, seed
        )
        self.contract: Contract = Contract(
            reads=frozenset({"obs", "action", "reward", "terminated", "truncated"}),
            scope="lifelong",
            needs_episodes=True,
            rescales=True,
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        reward = torch.as_tensor(rollout.reward, device=self.device).double()
        z = self._returns(reward, rollout)
        ratio = self.model.ratio(rollout, z).clamp(max=self.clip).double()
        return rollout.add(self.name, like_column((1.0 - ratio) * z - reward, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """One pass over the transitions of a rollout, once with Z and once without."""
        del policy
        reward = reward_before(rollout, self.name, self.device)
        return {"loss": self.model.learn(rollout, self._returns(reward, rollout))}

    def _returns(self, reward: Tensor, rollout: Rollout) -> Tensor:
        """Z ``(T, B)``: the discounted sum of what the episode earns from each step on."""
        episodes = Episodes.of(rollout, self.device)
        if not len(episodes):
            return torch.zeros_like(reward)
        earned = episodes.take(reward) * episodes.mask
        ahead, total = torch.zeros_like(earned), torch.zeros_like(earned[:, 0])
        for t in range(earned.shape[1] - 1, -1, -1):
            total = earned[:, t] + self.gamma * total
            ahead[:, t] = total
        return episodes.put(ahead)


class HindsightModel(Learned):
    """``logits(s, Z)`` and, with Z hidden, ``logits(s)``: one network, whose input says whether Z is shown."""

    saved = ("net", "moments", *Learned.saved)

    def __init__(
        self, observation_space: gym.Space[Any], action_space: spaces.Discrete, kinds: Kind | Mapping[str, Kind] | None,
        hidden: int, learning_rate: float, batch_size: int, device: torch.device, seed: int,
    ) -> None:  # fmt: skip
        self.start = int(action_space.start)
        with fresh_networks(seed):
            encoder = Encoder(observation_space, widths=(hidden,), kinds=kinds, seed=seed)
            head = nn.Sequential(nn.Linear(hidden + 2, hidden), nn.ReLU(), nn.Linear(hidden, int(action_space.n)))
            self.net = nn.ModuleDict({"encoder": encoder, "head": head}).to(device)
        self.moments = RunningMoments((), device)
        super().__init__(self.net.parameters(), learning_rate, batch_size, device, seed)

    def ratio(self, rollout: Rollout, z: Tensor) -> Tensor:
        """pi(a | s) / h(a | s, Z), ``(T, B)``. It is 1 before anything was learned."""
        mask = torch.as_tensor(rollout.mask, device=self.device)
        if not self.moments.count:
            return torch.ones_like(z)
        with own_modes(gradients=False):
            features, action = self._inputs(rollout, mask.ravel())
            blind, seeing = (self._chances(features, action, z.ravel(), seen=seen) for seen in (False, True))
            return (blind - seeing).exp().reshape(mask.shape)

    def learn(self, rollout: Rollout, z: Tensor) -> Tensor:
        """One pass over the unmasked transitions. Returns the mean loss."""
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        self.moments.update(z.ravel(), mask)
        obs, action = rows_of(rollout.obs, self.device, mask), self._action(rollout, mask)

        def losses(rows: Tensor) -> Tensor:
            features = self.net["encoder"](map_tree(lambda leaf: leaf[rows], obs))
            blind, seeing = (self._chances(features, action[rows], z.ravel()[rows], seen=s) for s in (False, True))
            return -(blind + seeing)

        with own_modes(gradients=True):
            return self._train(losses, mask)

    def _inputs(self, rollout: Rollout, mask: Tensor) -> tuple[Tensor, Tensor]:
        return self.net["encoder"](rows_of(rollout.obs, self.device, mask)), self._action(rollout, mask)

    def _action(self, rollout: Rollout, mask: Tensor) -> Tensor:
        taken = torch.as_tensor(np.asarray(host_array(rollout.action)), device=self.device).ravel() - self.start
        return torch.where(mask, taken, 0).long()

    def _chances(self, features: Tensor, action: Tensor, z: Tensor, *, seen: bool) -> Tensor:
        """The log-probability of each action, ``(n,)``."""
        scaled = ((z - self.moments.mean) / (self.moments.var + 1e-8).sqrt()).clamp(-5, 5).float()
        shown = torch.full_like(scaled, float(seen))
        logits = self.net["head"](torch.cat([features, (scaled * shown)[:, None], shown[:, None]], 1))
        chances: Tensor = logits.log_softmax(1).gather(1, action[:, None])[:, 0]
        return chances
