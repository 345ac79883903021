"""Random network distillation: novelty as the error of predicting a fixed random function."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import torch
from torch import Tensor

from potentia.arrays import like_column
from potentia.encoders import Kind
from potentia.gamma import check_gamma
from potentia.rollout import Rollout
from potentia.shaping._models.distillation import Distillation
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.running import ForwardFilter, RunningMoments
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream

_ENVS = 64


class RND(Shaper):
    """``|predictor(x) - target(x)|^2 / sigma``: x are features of ``next_obs``, the target is fixed and random.

    Burda, Edwards, Storkey and Klimov 2018, "Exploration by random network distillation", arXiv 1810.12894. As in the
    paper, x is normalised by running moments and clipped to [-5, 5]. sigma is the running standard deviation of the
    discounted intrinsic return, filtered forward in time across episodes. No mean is subtracted. The term asks for a
    value head with a discount of its own, whose return goes on across episodes (see `streams`). A learner without
    streams just adds the term.

    A rollout is scored by the model as it was before the rollout was learned from. Before the first `update` the
    scales are unknown and the term is 0, so no steps of the environment are spent on warming up. Masked steps are
    never seen. Sigma and the metric "error" are of the first 64 environments, which are enough.

    Args:
        observation_space: The space of ``obs``.
        gamma: The discount factor of the intrinsic stream, also that of the filter of sigma.
        kinds: How parts of the observation are read, as for `potentia.encoders.Encoder`: ``"vector"`` takes MiniGrid's
            image as 147 numbers, at a quarter of the cost of convolutions.
        hidden: Width of the hidden layers.
        layers: How many hidden layers the predictor has. The target has one.
        output_dim: Outputs of target and predictor.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        proportion: The share of a rollout's transitions that `update` trains on (Burda et al. keep 0.25 with many
            environments).
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.
        name: The term's name.

    Raises:
        ValueError: If ``proportion`` is not in (0, 1] or ``gamma`` not in [0, 1].

    >>> import numpy as np
    >>> from gymnasium.spaces import Box
    >>> from potentia import Rollout
    >>> def arriving_in(*states):
    ...     zeros, never = np.zeros((len(states), 1)), np.zeros((len(states), 1), bool)
    ...     obs = np.array(states, np.float32)[:, None]
    ...     return Rollout(obs=obs, action=zeros, next_obs=obs, terms={"env": zeros}, discount=zeros + 0.99,
    ...                    terminated=never, truncated=never)
    >>> rnd = RND(Box(-1, 1, (2,)), learning_rate=0.01)
    >>> rnd.shape(arriving_in([0.5, 0]))[0].terms["RND"].item()  # nothing is known yet
    0.0
    >>> for _ in range(50):
    ...     metrics = rnd.update(arriving_in([0.5, 0], [0.4, 0.1]))
    >>> rnd.shape(arriving_in([0.5, 0], [0.4, 0.1], [-1, 0]))[0].terms["RND"][:, 0].round().tolist()
    [0.0, 0.0, 10.0]
    """

    saved = ("model", "returns", "filter")

    def __init__(
        self,
        observation_space: gym.Space[Any],
        *,
        gamma: float = 0.99,
        kinds: Kind | Mapping[str, Kind] | None = None,
        hidden: int = 128,
        layers: int = 2,
        output_dim: int = 64,
        learning_rate: float = 1e-4,
        batch_size: int = 256,
        proportion: float = 1.0,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        self.gamma = check_gamma(gamma)
        self.update_size = batch_size
        self.device = torch.device(device)
        self.contract: Contract = Contract(reads=frozenset({"next_obs"}), scope="lifelong")
        self.model = Distillation(
            observation_space, kinds=kinds, hidden=hidden, layers=layers, output_dim=output_dim,
            learning_rate=learning_rate, batch_size=batch_size, proportion=proportion, device=device, seed=seed,
        )  # fmt: skip
        self.returns = RunningMoments((), self.device)
        self.filter = ForwardFilter()

    @property
    def streams(self) -> dict[str, Stream]:
        """The intrinsic stream: its own discount, across episodes (Burda et al. 2018, section 2.3)."""
        return {self.name: Stream(gamma=self.gamma, episodic=False)}

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        error = self.model.novelty(rollout.next_obs)
        term = torch.where(self.returns.count > 0, error / self._sigma, 0)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    @own_modes(gradients=False)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Updates the moments, then sigma with the errors of the old predictor, then trains the predictor."""
        del policy
        mask = torch.as_tensor(rollout.mask, device=self.device)
        encoded = self.model.encode(rollout.next_obs, mask.ravel())
        self.model.features.update(encoded, mask.ravel())
        x = self.model.normalised(encoded)
        targets = self.model.targets(x)
        some = mask[:, :_ENVS]
        few = (rows.unflatten(0, mask.shape)[:, :_ENVS].flatten(0, 1) for rows in (x, targets))
        before = self.model.errors(*few).reshape(some.shape) * some
        seen = self.filter.run(before.double(), torch.full_like(before, self.gamma), some)
        self.returns.update(seen.ravel(), some.ravel())
        return {
            "loss": self.model.learn(x, targets, mask.ravel()),
            "error": before.sum() / some.sum().clamp(min=1),
            "sigma": self._sigma,
        }

    @property
    def _sigma(self) -> Tensor:
        return (self.returns.var + 1e-8).sqrt()
