"""Return decomposition: an episode's return paid where it was earned, as a model of returns sees it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import gymnasium as gym
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.arrays import like_column
from potentia.encoders import Encoder, Kind, fresh_networks
from potentia.limits import check_among, check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import Learned, own_modes, rows_of
from potentia.shaping.columns import reward_before
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree, map_tree

Form = Literal["uniform", "differences", "random"]


class Redistribution(Shaper):
    """``new - reward``: new is the episode's return, spread over its T steps so that its sum stays R.

    - ``"uniform"``: R / T.
    - ``"differences"``: g_t - g_{t-1} + (R - g_T) / T, g_t the return that an LSTM expects after step t and g_0 = 0.
      Arjona-Medina et al. 2019, "RUDDER: return decomposition for delayed rewards", arXiv 1806.07857, in the form of
      its authors' tutorial: their code for Atari sums to about R only. g is fitted to R at every step, and most to the
      last.
    - ``"random"``: r_t + (R - sum r) / T, r_t = r(s, a, s') such that the mean of K random steps is about R / T. Ren et
      al. 2022, "Learning long-term reward redistribution via randomized return decomposition", arXiv 2111.13485. The
      paper does not add the rest, so its sum is about R only.

    Episodes that have not ended keep their reward: their T is not known. A return that a time limit cut is
    redistributed as it is. With a discount below 1 a reward that moves forward in time is worth more, so the sum stays
    and the optimum may not.

    Args:
        observation_space: The space of observations. The learned forms need it.
        action_space: The space of actions, likewise.
        form: Which of them.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`.
        subset: K of ``"random"``.
        hidden: Width of the networks.
        learning_rate: Adam's step size.
        batch_size: Episodes in a minibatch.
        device: Where the networks live.
        seed: Seeds the networks and what is drawn.
        name: The term's name.

    Raises:
        ValueError: If the form is unknown, a learned one has no spaces, or a size is less than 1.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, ends = np.zeros((4, 1)), np.array([[False], [False], [False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": ends * 2.0}, discount=zeros + 1,
    ...     terminated=ends, truncated=zeros > 0)
    >>> Redistribution(form="uniform").shape(rollout)[0].reward[:, 0].tolist()
    [0.5, 0.5, 0.5, 0.5]
    """

    saved = ("model",)

    def __init__(
        self,
        observation_space: gym.Space[Any] | None = None,
        action_space: gym.Space[Any] | None = None,
        *,
        form: Form = "differences",
        kinds: Kind | Mapping[str, Kind] | None = None,
        subset: int = 64,
        hidden: int = 64,
        learning_rate: float = 3e-4,
        batch_size: int = 16,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(("uniform", "differences", "random"), form=form)
        check_at_least(1, subset=subset, hidden=hidden)
        self.form, self.device = form, torch.device(device)
        self.model: ReturnModel | None = None
        if form != "uniform":
            if observation_space is None or action_space is None:
                raise ValueError(f"the form {form!r} learns: it needs observation_space= and action_space=")
            space = spaces.Tuple((observation_space, action_space, observation_space))
            wanted = {f"[{k}]{path}": kind for k in (0, 2) for path, kind in _by_path(kinds).items()}
            self.model = ReturnModel(
                space,
                wanted or None,
                form == "differences",
                subset,
                hidden,
                learning_rate,
                batch_size,
                self.device,
                seed,
            )
        seen = {"obs", "action", "next_obs"} if self.model else set()
        self.contract: Contract = Contract(
            guarantee="return_preserving",
            reads=frozenset({"reward", "terminated", "truncated", *seen}),
            scope="lifelong" if self.model else "episode",
            needs_episodes=True,
        )

    @property
    def learns(self) -> bool:
        return self.model is not None

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        episodes = Episodes.of(rollout, self.device)
        if not len(episodes):
            return rollout.add(self.name, 0.0 * rollout.reward), carry
        reward = episodes.take(torch.as_tensor(rollout.reward, device=self.device).double()) * episodes.mask
        length = episodes.mask.sum(1, keepdim=True)
        own = torch.zeros_like(reward) if self.model is None else self.model.parts(rollout, episodes).double()
        own = torch.where(episodes.mask, own, 0.0)
        new = own + (reward.sum(1, keepdim=True) - own.sum(1, keepdim=True)) / length
        term = torch.where(episodes.mask & episodes.ended[:, None], new - reward, 0.0)
        return rollout.add(self.name, like_column(episodes.put(term), rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """One pass over the episodes of a rollout that have ended."""
        del policy
        if self.model is None:
            return {}
        return self.model.learn(rollout, reward_before(rollout, self.name, self.device))


def _by_path(kinds: Kind | Mapping[str, Kind] | None) -> Mapping[str, Kind]:
    return {"": kinds} if isinstance(kinds, str) else kinds or {}


class ReturnModel(Learned):
    """What each step of an episode contributes to its return: by an LSTM over the episode, or by a network of one step.

    Args:
        space: Of ``(obs, action, next_obs)``.
        kinds: As for `potentia.encoders.Encoder`, by path.
        recurrent: Whether it is the LSTM.
        subset: Of how many steps the network of one step is fitted at a time.
        hidden: Width of the networks.
        learning_rate: Adam's step size.
        batch_size: Episodes in a minibatch.
        device: Where the networks live.
        seed: Seeds the networks and what is drawn.
    """

    saved = ("net", *Learned.saved)

    def __init__(
        self, space: spaces.Tuple, kinds: Mapping[str, Kind] | None, recurrent: bool, subset: int, hidden: int,
        learning_rate: float, batch_size: int, device: torch.device, seed: int,
    ) -> None:  # fmt: skip
        self.recurrent, self.subset = recurrent, subset
        with fresh_networks(seed):
            self.net = nn.ModuleDict(
                {
                    "encoder": Encoder(space, widths=(hidden,), kinds=kinds, seed=seed),
                    "memory": nn.LSTM(hidden, hidden, batch_first=True) if recurrent else nn.Identity(),
                    "head": nn.Linear(hidden, 1),
                }
            ).to(device)
        super().__init__(self.net.parameters(), learning_rate, batch_size, device, seed)

    def parts(self, rollout: Rollout, episodes: Episodes) -> Tensor:
        """What each step contributes, ``(N, L)``."""
        with own_modes(gradients=False):
            found = self._values(self._inputs(rollout), episodes, torch.arange(len(episodes), device=self.device))
            if not self.recurrent:
                return found
            return torch.diff(found, dim=1, prepend=torch.zeros_like(found[:, :1]))

    def learn(self, rollout: Rollout, reward: Tensor) -> dict[str, Any]:
        """One pass over the episodes that have ended. Returns the mean loss."""
        episodes = Episodes.of(rollout, self.device)
        if not len(episodes):
            return {}
        inputs, mask = self._inputs(rollout), episodes.mask
        returns = (episodes.take(reward) * mask).sum(1).float()
        length = mask.sum(1).float()

        def losses(rows: Tensor) -> Tensor:
            values, there = self._values(inputs, episodes, rows), mask[rows]
            if self.recurrent:
                errors = (values - returns[rows, None]).square() * there
                last = length[rows].long()[:, None] - 1
                return errors.gather(1, last)[:, 0] + 0.1 * errors.sum(1) / length[rows]
            drawn = torch.rand(there.shape, generator=self._generator(), device=self.device, dtype=torch.float32)
            chosen = there & (torch.where(there, drawn, 2.0).argsort(1).argsort(1) < self.subset)
            mean = (values * chosen).sum(1) / chosen.sum(1)
            return (returns[rows] / length[rows] - mean).square()

        with own_modes(gradients=True):
            return {"loss": self._train(losses, episodes.ended)}

    def _generator(self) -> torch.Generator:
        return torch.Generator(self.device).manual_seed(self._seed + 7919 * int(self._passes))

    def _inputs(self, rollout: Rollout) -> Tree:
        mask = torch.as_tensor(rollout.mask, device=self.device).ravel()
        return tuple(rows_of(tree, self.device, mask) for tree in (rollout.obs, rollout.action, rollout.next_obs))

    def _values(self, inputs: Tree, episodes: Episodes, rows: Tensor) -> Tensor:
        """The network's number for each step of some episodes, ``(n, L)``."""
        places = (episodes.steps[rows] * episodes.shape[1] + episodes.envs[rows, None]).ravel()
        features = self.net["encoder"](map_tree(lambda leaf: leaf[places], inputs)).unflatten(0, (len(rows), -1))
        if self.recurrent:
            features, _ = self.net["memory"](features)
        values: Tensor = self.net["head"](features)[..., 0]
        return values
