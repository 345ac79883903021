"""The policy and its values: an encoder, perhaps a memory, an action head and one value head for each stream."""

from __future__ import annotations

from typing import Any, Literal

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.action_heads import action_head
from potentia.encoders import Encoder, initialize, observation_tensors
from potentia.trees import Tree, leaves, map_tree


class ActorCritic(nn.Module):
    """Features of observations, or of their history (GRU), and linear heads upon them.

    Args:
        observation_space: The space of one observation.
        action_space: The space of one action.
        num_values: The number of value heads.
        widths: Widths of the encoder's fully connected layers.
        activation: ``"relu"`` or ``"tanh"``.
        recurrent: Width of the GRU between encoder and heads; 0 for none.
        shared: Whether policy and values share the encoder.
        seed: Seed of the initial weights.

    Raises:
        ValueError: If it is recurrent and not shared.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        num_values: int,
        *,
        widths: tuple[int, ...],
        activation: Literal["relu", "tanh"],
        recurrent: int,
        shared: bool,
        seed: int,
    ) -> None:
        super().__init__()
        if recurrent and not shared:
            raise ValueError("a recurrent network has one memory for policy and values: set shared=True or recurrent=0")
        self.encoder = Encoder(observation_space, widths=widths, activation=activation, seed=seed)
        self.critic = None
        if not shared:
            self.critic = Encoder(observation_space, widths=widths, activation=activation, seed=seed + 1)
        self.recurrent = recurrent
        width = recurrent or self.encoder.output_dim
        generator = torch.Generator().manual_seed(seed + 2)
        with torch.random.fork_rng(devices=[]):
            self.cell = nn.GRUCell(self.encoder.output_dim, recurrent) if recurrent else None
            self.head = action_head(action_space, width)
            self.value_head = nn.Linear(width, num_values)
        if self.cell is not None:
            for weight in (self.cell.weight_ih, self.cell.weight_hh):
                nn.init.orthogonal_(weight, generator=generator)
            for bias in (self.cell.bias_ih, self.cell.bias_hh):
                nn.init.zeros_(bias)
        initialize(self.head, generator, gain=0.01)
        initialize(self.value_head, generator, gain=1.0)

    def init(self, num_envs: int) -> Tree:
        """The memory at the start of episodes: zeros ``(N, recurrent)``, or ``()``."""
        return torch.zeros(num_envs, self.recurrent, device=self.value_head.weight.device) if self.recurrent else ()

    def features(self, obs: Tree, carry: Tree = ()) -> tuple[Tensor, Tree]:
        """The features ``(N, F)`` that the policy acts on, and the memory after them."""
        encoded = self.encoder(obs)
        if self.cell is None:
            return encoded, carry
        memory = self.cell(encoded, carry)
        return memory, memory

    def sequence(self, obs: Tree, carry: Tensor, start: Tensor) -> Tensor:
        """The features ``(T, B, F)`` of observations ``(T, B, ...)``, from the memory ``(B, F)`` on.

        Args:
            obs: A tree of tensors ``(T, B, ...)``.
            carry: The memory with which the first step was acted on.
            start: ``(T, B)`` bool: the memory is empty before this step.
        """
        if self.cell is None:
            raise RuntimeError("this network has no memory, so it has no sequences: use features(obs)")
        (_, leaf), *_ = leaves(obs)
        steps, columns = leaf.shape[:2]
        encoded = self.encoder(map_tree(lambda part: part.flatten(0, 1), obs)).unflatten(0, (steps, columns))
        live = (~start).unsqueeze(-1).to(encoded.dtype)
        after = []
        for t in range(steps):
            carry = self.cell(encoded[t], carry * live[t])
            after.append(carry)
        return torch.stack(after)

    def values(self, features: Tensor, obs: Tree) -> Tensor:
        """``(N, num_values)``."""
        values: Tensor = self.value_head(features if self.critic is None else self.critic(obs))
        return values

    def log_prob(self, obs: Tree, action: Any, carry: Tree = ()) -> Tensor:
        """``log pi(action | obs)``, ``(N,)``, with gradients; a recurrent policy also needs the memory."""
        device = self.value_head.weight.device
        features, _ = self.features(observation_tensors(obs, device), carry)
        log_prob, _ = self.head.log_prob_and_entropy(self.head(features), observation_tensors(action, device))
        return log_prob
