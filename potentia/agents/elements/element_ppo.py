"""PPO for web pages as tables of elements: what it learns holds for any order of elements and for new words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gymnasium import spaces

from potentia.agents.batches import Batch, FlatBatch, float_rollout
from potentia.agents.elements.element_network import ElementNetwork
from potentia.agents.ppo_learner import PPOLearner, PPOUpdateConfig
from potentia.rollout import Rollout


@dataclass(frozen=True)
class ElementPPOConfig(PPOUpdateConfig):
    """`PPOUpdateConfig` and the network of `ElementPPO`.

    Attributes:
        learning_rate: Adam's step size at the start. It is higher than elsewhere, as most of what matters reaches the
            network as plain facts.
        widths: Widths of the layers that read a row. The last is also that of all other layers.
        activation: What follows the layers that read a row and a page.
        word_buckets: How many vectors all words share. A word's hash says which is its own.
        word_width: The width of a word's vector.
        shared: Whether policy and values share the layers that read a page: less work, but errors of one disturb the
            other.
    """

    learning_rate: float = 1e-3
    widths: tuple[int, ...] = (64, 64)
    activation: Literal["relu", "tanh"] = "relu"
    word_buckets: int = 4096
    word_width: int = 32
    shared: bool = False


class ElementPPO(PPOLearner[ElementPPOConfig]):
    """PPO with a network for element tables: observations and actions of the web family's discrete view.

    Observations are a ``Dict`` with ``role`` (E,), ``flags`` (E, F), ``box`` (E, 4), ``name_bytes`` and ``value_bytes``
    (E, L), ``goal_bytes`` (G,), ``field_bytes`` (K, L) and ``action_mask`` (A,). Other numbers among them are not read.
    Actions are ``Discrete(1 + E + E * K + E + 4)``: nothing, click a row, type a field into a row, answer with a row's
    text, and four that need no row. The network shares its layers among rows and sees how names, values and fields
    match the goal, so what is learned on some words holds for others. It knows no order of rows: what stands together
    must be on one line of the layout, or have a name that says so.

    Pages are read on the CPU, in compiled loops, once when acting and once for each rollout.

    Args:
        observation_space: The space of one observation.
        action_space: The space of one action.
        config: Hyper-parameters.
        streams: Reward terms with a value head of their own.
        device: Where the network lives.
        seed: Seeds weights, actions and minibatches. No global generator is used.

    Raises:
        ValueError: If a space is another.
    """

    Config = ElementPPOConfig

    def make_network(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], seed: int
    ) -> ElementNetwork:
        """Layers that rows share, as `potentia.agents.elements.element_network` describes."""
        return ElementNetwork(
            observation_space,
            action_space,
            1 + len(self.streams),
            widths=self.config.widths,
            activation=self.config.activation,
            word_buckets=self.config.word_buckets,
            word_width=self.config.word_width,
            shared=self.config.shared,
            seed=seed,
        )

    def make_batch(self, rollout: Rollout) -> Batch:
        """Single transitions."""
        return FlatBatch(self.network, float_rollout(rollout, self.device))
