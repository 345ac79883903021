"""PPO for MiniGrid's images: a small network that reads cells, made to learn from many worlds fast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from gymnasium import spaces

from potentia.agents.batches import Batch
from potentia.agents.grid.grid_batch import GridBatch
from potentia.agents.grid.towers import Encoding, Towers
from potentia.agents.ppo_learner import PPOLearner, PPOUpdateConfig
from potentia.rollout import Rollout
from potentia.shaping.shaper import Stream


@dataclass(frozen=True)
class GridPPOConfig(PPOUpdateConfig):
    """`PPOUpdateConfig`, the network of `GridPPO`, and how it computes.

    Attributes:
        widths: Widths of the fully connected layers.
        activation: What follows each fully connected layer.
        shared: Whether policy and values share their layers.
        encoding: How the network reads MiniGrid's image: ``"codes"``, one number for each cell, whose fixed random
            vectors of ``code_width`` numbers it sees, or ``"numbers"``, the 147 numbers themselves, divided by 10.
        code_width: How many numbers the fixed random vector of each cell has.
        compile: Whether the loss is compiled by ``torch.compile``, which costs a minute at the start.
        bfloat16: Whether matrix products are computed in bfloat16.
    """

    widths: tuple[int, ...] = (64, 64)
    activation: Literal["relu", "tanh"] = "tanh"
    shared: bool = False
    encoding: Encoding = "codes"
    code_width: int = 8
    compile: bool = False
    bfloat16: bool = False


class GridPPO(PPOLearner[GridPPOConfig]):
    """PPO on MiniGrid's images, with a small network, for many worlds at once.

    Schulman et al. 2017, arXiv 1707.06347. While it learns, nothing waits for the device, unless ``target_kl`` is set:
    then each minibatch does. What the network said when it acted is not computed again if the rollout's info has it
    (`potentia.agents.grid.grid_batch`).

    Args:
        observation_space: MiniGrid's image, ``(7, 7, 3)`` of bytes.
        action_space: ``Discrete``, from 0.
        config: Hyper-parameters.
        streams: Reward terms with a value head of their own.
        device: Where the network is.
        seed: Seeds weights, actions and minibatches.

    Attributes:
        network: The `Towers`.
        steps: How many transitions were learned from.

    Raises:
        ValueError: If a space is another.
    """

    Config = GridPPOConfig
    network: Towers

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: GridPPOConfig | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        fits = isinstance(action_space, spaces.Discrete) and action_space.start == 0
        if observation_space.shape != (7, 7, 3) or not fits:
            raise ValueError(
                "GridPPO sees MiniGrid's image (7, 7, 3) and takes Discrete actions from 0, got "
                f"{observation_space} and {action_space}; use potentia.agents.PPO"
            )
        super().__init__(observation_space, action_space, config, streams=streams, device=device, seed=seed)
        if self.config.compile:
            self._losses = torch.compile(self._losses)  # type: ignore[method-assign]

    def make_network(self, observation_space: spaces.Space[Any], action_space: Any, seed: int) -> Towers:
        """Fully connected layers on what a cell's code says."""
        return Towers(
            observation_space,
            action_space,
            1 + len(self.streams),
            widths=self.config.widths,
            activation=self.config.activation,
            shared=self.config.shared,
            encoding=self.config.encoding,
            code_width=self.config.code_width,
            bfloat16=self.config.bfloat16,
            seed=seed,
        )

    def make_batch(self, rollout: Rollout) -> Batch:
        """Every step is a row. Those that are masked weigh nothing."""
        return GridBatch(self.network, rollout)
