"""Random network distillation: novelty as the error of predicting a fixed random function."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import gymnasium as gym
import numpy as np
import torch
from torch import Tensor, nn

from potentia.arrays import array_namespace
from potentia.encoders import Encoder, observation_tensors
from potentia.rollout import Array, Rollout
from potentia.shaping.running import ForwardFilter, RunningMoments
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream, check_keys
from potentia.trees import Tree, leaves, map_tree


class RND(Shaper):
    """``scale * |predictor(x) - target(x)|^2 / sigma``: x are features of ``next_obs``, the target is fixed and random.

    Burda, Edwards, Storkey and Klimov 2018, "Exploration by random network distillation", arXiv 1810.12894. As there:
    x is normalised by running moments and clipped to [-5, 5]; sigma is the running standard deviation of the
    discounted intrinsic return, filtered forward in time across episodes; no mean is subtracted; the stream has its
    own value head, discount and is not episodic (see `streams`; a learner without streams just adds the term). The
    features of an observation are those of a frozen random `potentia.encoders.Encoder`: the numbers themselves for
    vectors, random convolutions for images and grids of symbols.

    A rollout is scored by the model as it was before the rollout was learned from. Before the first `update` the
    scales are unknown and the term is 0, so no steps of the environment are spent on warming up. Masked steps are
    never seen.

    Args:
        observation_space: The space of ``obs``.
        scale: The weight of the term.
        discount: The discount of the intrinsic stream, also that of the filter of sigma.
        hidden: Width of the hidden layers (one in the target, two in the predictor).
        output_dim: Outputs of target and predictor.
        learning_rate: Adam's step size.
        batch_size: Transitions in a minibatch.
        proportion: The share of a rollout's transitions that `update` trains on (Burda et al. keep 0.25 with many
            environments).
        device: Where the networks live.
        seed: Seeds the networks and the order of the minibatches.
        name: The term's name.

    Raises:
        ValueError: If ``proportion`` is not in (0, 1].
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        *,
        scale: float = 1.0,
        discount: float = 0.99,
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
        if not 0 < proportion <= 1:
            raise ValueError(f"proportion must lie in (0, 1], got {proportion}")
        self.scale, self.discount, self.batch_size, self.proportion = (
            float(scale),
            float(discount),
            batch_size,
            proportion,
        )
        self.update_size = batch_size
        self.device = torch.device(device)
        self.contract: Contract = Contract(reads=frozenset({"next_obs"}), scope="lifelong")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.encoder = Encoder(observation_space, widths=(), seed=seed).to(self.device).requires_grad_(False)
            width = self.encoder.output_dim
            self.target = _mlp(width, hidden, output_dim, depth=1).to(self.device).requires_grad_(False)
            self.predictor = _mlp(width, hidden, output_dim, depth=2).to(self.device)
        self.optimizer = torch.optim.Adam(self.predictor.parameters(), lr=learning_rate)
        self.features = RunningMoments((width,), self.device)
        self.returns = RunningMoments((), self.device)
        self._filter = ForwardFilter()
        self._generator = torch.Generator(self.device).manual_seed(seed)

    @property
    def streams(self) -> dict[str, Stream]:
        """The intrinsic stream: its own discount, across episodes (Burda et al. 2018, section 2.3)."""
        return {self.name: Stream(discount=self.discount, episodic=False)}

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Adds the term."""
        example = rollout.discount
        if not self.returns.count:
            return rollout.add(self.name, array_namespace(example).zeros_like(example)), carry
        with torch.no_grad():
            error = self._errors(self._normalise(self._encode(rollout.next_obs)))
            term = self.scale * error / self._sigma
        return rollout.add(self.name, _as(term.reshape(tuple(example.shape)), example)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Updates the moments, then sigma with the errors of the old predictor, then trains the predictor."""
        del policy
        mask = torch.as_tensor(rollout.mask, device=self.device)
        encoded = self._encode(rollout.next_obs)
        self.features.update(encoded[mask.ravel()])
        x = self._normalise(encoded)
        with torch.no_grad():
            before = self._errors(x).reshape(tuple(mask.shape)).to(torch.float64)
            seen = self._filter.run(before, torch.full_like(before, self.discount), mask)
            self.returns.update(seen)
        loss = self._train(x[mask.ravel()])
        return {
            "loss": loss,
            "error": float(before[mask].mean()) if bool(mask.any()) else 0.0,
            "sigma": float(self._sigma),
        }

    def _train(self, x: Tensor) -> float:
        order = torch.randperm(len(x), generator=self._generator, device=self.device)
        order = order[: max(1, round(self.proportion * len(x)))] if len(x) else order
        total = 0.0
        for rows in torch.split(order, self.batch_size):
            loss = self._errors(x[rows]).mean()
            self.optimizer.zero_grad()
            loss.backward()
            self.optimizer.step()
            total += float(loss.detach()) * len(rows)
        return total / max(1, len(order))

    def _encode(self, obs: Tree) -> Tensor:
        lead = next(leaf for _, leaf in leaves(obs)).shape[:2]
        flat = map_tree(lambda leaf: leaf.reshape((lead[0] * lead[1], *leaf.shape[2:])), obs)
        with torch.no_grad():
            encoded: Tensor = self.encoder(observation_tensors(flat, self.device))
        return encoded

    def _normalise(self, encoded: Tensor) -> Tensor:
        mean, std = self.features.mean.float(), (self.features.var + 1e-8).sqrt().float()
        return ((encoded - mean) / std).clamp(-5, 5)

    def _errors(self, x: Tensor) -> Tensor:
        difference: Tensor = self.predictor(x) - self.target(x)
        return difference.square().mean(-1)

    @property
    def _sigma(self) -> Tensor:
        return (self.returns.var + 1e-8).sqrt()

    def state_dict(self) -> dict[str, Any]:
        """Networks, optimiser, moments, filter and generator."""
        return {
            "encoder": self.encoder.state_dict(),
            "target": self.target.state_dict(),
            "predictor": self.predictor.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "features": self.features.state_dict(),
            "returns": self.returns.state_dict(),
            "filter": self._filter.values,
            "generator": self._generator.get_state(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        check_keys(self, state, tuple(self.state_dict()))
        for part in ("encoder", "target", "predictor", "features", "returns"):
            getattr(self, part).load_state_dict(state[part])
        self.optimizer.load_state_dict(copy.deepcopy(state["optimizer"]))  # torch would share its tensors
        self._filter.values = state["filter"]
        self._generator.set_state(state["generator"].cpu())


def _mlp(inputs: int, hidden: int, outputs: int, depth: int) -> nn.Sequential:
    layers: list[nn.Module] = [nn.Linear(inputs, hidden), nn.ReLU()]
    for _ in range(depth - 1):
        layers += [nn.Linear(hidden, hidden), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(hidden, outputs))


def _as(term: Tensor, example: Array) -> Array:
    return term.cpu().numpy() if isinstance(example, np.ndarray) else term.to(example.device)
