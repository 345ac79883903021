"""The policy and its values: an encoder, perhaps a memory, an action head and one value head for each stream."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.action_heads import ActionHead, CategoricalHead, action_head
from potentia.agents.action_masks import ACTION_MASK, has_mask, rule_out, without_mask
from potentia.encoders import Encoder, initialize, observation_tensors
from potentia.trees import Tree, leaves, map_tree


class Sequences(NamedTuple):
    """What a network with memory has seen: whole columns of a rollout.

    Attributes:
        obs: A tree of tensors ``(T, B, ...)``.
        carry: The memory with which the first step was acted on, ``(B, F)``.
        start: ``(T, B)`` bool: the memory is empty before this step.
        live: ``(T, B)`` bool: the steps that are asked about. They are the rows of the answers.
    """

    obs: Tree
    carry: Tensor
    start: Tensor
    live: Tensor


class PolicyNetwork(nn.Module):
    """What PPO asks of a network: a distribution over actions, and values.

    It answers in steps, so that each is computed once: ``seen = read(obs)``, ``features(seen)``, and of these
    ``distribution`` and ``values``. A network makes its ``head`` itself.

    Attributes:
        head: From features to the parameters of a distribution.

    Args:
        observation_space: The space of one observation. If it has a mask of possible actions
            (`potentia.agents.action_masks`), impossible ones have probability 0.
        action_space: The space of one action.

    Raises:
        ValueError: If there is a mask that does not fit the actions.
    """

    head: ActionHead

    def __init__(self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> None:
        super().__init__()
        self.masked = has_mask(observation_space, action_space)

    def init(self, num_envs: int) -> Tree:
        """The memory at the start of episodes, ``()`` for none."""
        del num_envs
        return ()

    def read(self, obs: Tree) -> Tree:
        """What the network takes in of a tree of tensors ``(N, ...)``: all that does not depend on its weights."""
        return obs

    def features(self, seen: Tree, carry: Tree = ()) -> tuple[Any, Tree]:
        """What the heads act on, of what `read` returned, and the memory after it."""
        raise NotImplementedError

    def mask(self, seen: Tree) -> Tensor | None:
        """The mask of possible actions in what `read` returned, None if observations have none."""
        return seen[ACTION_MASK] if self.masked else None

    def distribution(self, features: Any, mask: Tensor | None) -> Tensor:
        """The parameters ``(N, P)`` of the distribution over actions, for ``head``'s methods."""
        parameters: Tensor = self.head(features)
        if mask is None or not isinstance(self.head, CategoricalHead):
            return parameters
        return rule_out(parameters, mask, self.head.counts)

    def values(self, features: Any, seen: Tree) -> Tensor:
        """``(N, num_values)``."""
        raise NotImplementedError

    def evaluate(self, seen: Tree, action: Tree) -> tuple[Tensor, Tensor, Tensor]:
        """``log pi(action)`` ``(n,)``, the policy's entropy ``(n,)`` and values ``(n, num_values)``, with gradients."""
        features, _ = self.features(seen)
        return self.evaluate_at(features, seen, action)

    def evaluate_at(self, features: Any, seen: Tree, action: Tree) -> tuple[Tensor, Tensor, Tensor]:
        """`evaluate` where the features are known."""
        parameters = self.distribution(features, self.mask(seen))
        return *self.head.log_prob_and_entropy(parameters, action), self.values(features, seen)

    def log_prob(self, obs: Tree, action: Any, carry: Tree = ()) -> Tensor:
        """``log pi(action | obs)``, ``(N,)``, with gradients. A recurrent policy also needs the memory."""
        seen = self.read(observation_tensors(obs, self.device))
        features, _ = self.features(seen, carry)
        parameters = self.distribution(features, self.mask(seen))
        log_prob, _ = self.head.log_prob_and_entropy(parameters, observation_tensors(action, self.device))
        return log_prob

    @property
    def device(self) -> torch.device:
        """Where its weights are."""
        return next(self.parameters()).device


class ActorCritic(PolicyNetwork):
    """Features of observations, or of their history (GRU), and linear heads upon them.

    Args:
        observation_space: As for `PolicyNetwork`. A mask is not encoded.
        action_space: The space of one action.
        num_values: The number of value heads.
        widths: Widths of the encoder's fully connected layers.
        activation: ``"relu"`` or ``"tanh"``.
        recurrent: Width of the GRU between encoder and heads, 0 for none.
        shared: Whether policy and values share the encoder, and the memory.
        seed: Seed of the initial weights.
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
        super().__init__(observation_space, action_space)
        if self.masked:
            observation_space = without_mask(observation_space)
        self.encoder = Encoder(observation_space, widths=widths, activation=activation, seed=seed)
        self.critic = None
        if not shared:
            self.critic = Encoder(observation_space, widths=widths, activation=activation, seed=seed + 1)
        self.recurrent = recurrent
        width = recurrent or self.encoder.output_dim
        generator = torch.Generator().manual_seed(seed + 2)
        with torch.random.fork_rng(devices=[]):
            cells = (1 if shared else 2) if recurrent else 0
            self.cells = nn.ModuleList(nn.GRUCell(self.encoder.output_dim, recurrent) for _ in range(cells))
            self.head = action_head(action_space, width)
            self.value_head = nn.Linear(width, num_values)
        cell: Any
        for cell in self.cells:
            for weight in (cell.weight_ih, cell.weight_hh):
                nn.init.orthogonal_(weight, generator=generator)
            for bias in (cell.bias_ih, cell.bias_hh):
                nn.init.zeros_(bias)
        initialize(self.head, generator, gain=0.01)
        initialize(self.value_head, generator, gain=1.0)

    def init(self, num_envs: int) -> Tree:
        """The memory at the start of episodes: zeros ``(N, M)``, M wide for each encoder, or ``()``."""
        return torch.zeros(num_envs, self.recurrent * len(self.cells), device=self.device) if self.recurrent else ()

    def features(self, seen: Tree, carry: Tree = ()) -> tuple[Tensor, Tree]:
        """The features ``(N, F)`` that the heads act on, and the memory after them: they are the same, if there is one.

        With memories apart, the policy's half comes first.
        """
        if isinstance(seen, Sequences):
            memory = self.memories(seen)
            return memory[seen.live], memory
        if not self.recurrent:
            return self.encoder(seen), carry
        memory = self._remember(self._encode(seen), carry)
        return memory, memory

    def memories(self, seen: Sequences) -> Tensor:
        """The memory ``(T, B, M)`` after each step."""
        (_, leaf), *_ = leaves(seen.obs)
        steps, columns = leaf.shape[:2]
        flat = map_tree(lambda part: part.flatten(0, 1), seen.obs)
        encoded = [part.unflatten(0, (steps, columns)) for part in self._encode(flat)]
        live = (~seen.start).unsqueeze(-1).to(encoded[0].dtype)
        after, carry = [], seen.carry
        for t in range(steps):
            carry = self._remember([part[t] for part in encoded], carry * live[t])
            after.append(carry)
        return torch.stack(after)

    def _encode(self, seen: Tree) -> list[Tensor]:
        """What each memory is given."""
        return [self.encoder(seen), *([] if self.critic is None else [self.critic(seen)])]

    def _remember(self, encoded: list[Tensor], carry: Tensor) -> Tensor:
        halves = carry.split(self.recurrent, -1)
        after = [cell(part, half) for cell, part, half in zip(self.cells, encoded, halves, strict=True)]
        return after[0] if len(after) == 1 else torch.cat(after, -1)

    def distribution(self, features: Any, mask: Tensor | None) -> Tensor:
        """The parameters ``(N, P)`` of the distribution over actions, for ``head``'s methods."""
        return super().distribution(features[..., : self.recurrent] if len(self.cells) == 2 else features, mask)

    def mask(self, seen: Tree) -> Tensor | None:
        """The mask of possible actions in what `read` returned, None if observations have none."""
        if isinstance(seen, Sequences):
            mask = super().mask(seen.obs)
            return None if mask is None else mask[seen.live]
        return super().mask(seen)

    def values(self, features: Tensor, seen: Tree) -> Tensor:
        """``(N, num_values)``."""
        if self.recurrent:
            features = features[..., -self.recurrent :]
        elif self.critic is not None:
            features = self.critic(seen)
        values: Tensor = self.value_head(features)
        return values
