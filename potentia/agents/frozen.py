"""How a policy network acts: with gradients off, with a generator of its own or greedily."""

from __future__ import annotations

import torch

from potentia.agents.networks import PolicyNetwork
from potentia.encoders import observation_tensors
from potentia.trees import Tree


class FrozenActor:
    """Acts with an agent's present network and a generator of its own.

    Args:
        network: The policy.
        generator: Draws the actions. None takes the most probable ones.
    """

    def __init__(self, network: PolicyNetwork, generator: torch.Generator | None) -> None:
        self._network, self._generator = network, generator

    def init(self, num_envs: int) -> Tree:
        """The network's memory at the start of episodes."""
        return self._network.init(num_envs)

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Actions ``(N, ...)``, as `potentia.collect.Actor` describes."""
        return draw_actions(self._network, obs, carry, self._generator)


@torch.no_grad()
def draw_actions(
    network: PolicyNetwork, obs: Tree, carry: Tree, generator: torch.Generator | None
) -> tuple[Tree, Tree]:
    """Actions ``(N, ...)`` for observations ``(N, ...)``, and the memory after them."""
    device = network.device
    memory = observation_tensors(carry, device) if carry != () else carry
    seen = network.read(observation_tensors(obs, device))
    features, memory = network.features(seen, memory)
    return network.head.sample(network.distribution(features, network.mask(seen)), generator), memory
