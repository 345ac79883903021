"""Proximal policy optimisation with the discount as data, value streams and exact masks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from gymnasium import spaces

from potentia.agents.batches import Batch, FlatBatch, SequenceBatch, float_rollout
from potentia.agents.networks import ActorCritic
from potentia.agents.ppo_learner import PPOLearner, PPOUpdateConfig
from potentia.rollout import Rollout


@dataclass(frozen=True)
class PPOConfig(PPOUpdateConfig):
    """`PPOUpdateConfig` and the network of `PPO`.

    Attributes:
        widths: Widths of the fully connected layers.
        activation: What follows each fully connected layer.
        recurrent: Width of a GRU between layers and heads. 0 means a policy without memory.
        shared: Whether policy and values share their layers: half the cost, but errors of one disturb the other, and
            some seeds fail (see benchmarks/README.md).
    """

    widths: tuple[int, ...] = (64, 64)
    activation: Literal["relu", "tanh"] = "tanh"
    recurrent: int = 0
    shared: bool = False


class PPO(PPOLearner[PPOConfig]):
    """``max E[min(rho A, clip(rho, 1 - c, 1 + c) A)]``, rho the ratio of new to old probability of the action.

    Schulman, Wolski, Dhariwal, Radford and Klimov 2017, "Proximal policy optimization algorithms", arXiv 1707.06347.
    Adam's epsilon and the scales of the initial weights are as in its authors' code (Huang et al. 2022, "The 37
    implementation details of PPO"). Each stream has a value head, a discount and an advantage of its own. The advantage
    is their weighted sum (Burda et al. 2018, arXiv 1810.12894, 2.3), normalised over the rollout's unmasked steps.

    If observations are a ``Dict`` with a key ``"action_mask"``, integers ``(A,)`` for ``Discrete(A)`` or
    ``(sum(nvec),)`` for ``MultiDiscrete(nvec)``, an action whose entry is 0 has probability 0, wherever probabilities
    are used (Huang and Ontanon 2020, arXiv 2006.14171), and the network does not see the mask. A mask that leaves no
    action at all is ignored.

    Masked steps are removed before anything is computed. Old probabilities and values are computed when it learns, with
    the parameters that acted, so a rollout must have been collected since the last `learn`.

    Args:
        observation_space: The space of one observation, perhaps with a mask of possible actions.
        action_space: ``Discrete``, ``MultiDiscrete``, ``MultiBinary``, a ``Box`` of floating-point numbers or of few
            integers, or a ``Dict`` or ``Tuple`` of such. What a space has several of is drawn independently.
        config: Hyper-parameters.
        streams: Reward terms with a value head of their own, for example ``shaper.streams``. The main reward is the sum
            of all other terms.
        device: Where the network lives.
        seed: Seeds weights, actions and minibatches. No global generator is used.

    Raises:
        TypeError: If a space has no encoder or head.
        ValueError: If a mask does not fit the actions.
    """

    Config = PPOConfig

    def make_network(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], seed: int
    ) -> ActorCritic:
        """Encoders, perhaps a memory, and linear heads."""
        return ActorCritic(
            observation_space,
            action_space,
            1 + len(self.streams),
            widths=self.config.widths,
            activation=self.config.activation,
            recurrent=self.config.recurrent,
            shared=self.config.shared,
            seed=seed,
        )

    def make_batch(self, rollout: Rollout) -> Batch:
        """Single transitions, or whole columns if the policy has a memory."""
        kind = SequenceBatch if self.config.recurrent else FlatBatch
        return kind(self.network, float_rollout(rollout, self.device))
