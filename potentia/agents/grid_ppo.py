"""PPO for MiniGrid's images: a small network that reads cells, made to learn from many worlds fast."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any, Literal

import gymnasium as gym
import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.ppo import PPOConfig
from potentia.agents.saving import learner_state, restore_learner
from potentia.arrays import on_cpu
from potentia.collect import Actor
from potentia.encoders import initialize, observation_tensors
from potentia.returns import gae
from potentia.rollout import Rollout
from potentia.trees import Tree

Encoding = Literal["codes", "numbers"]
_CODES = 256
_AT_ONCE = 1 << 20  # numbers in the widest layer that a CPU computes at a time: about what its caches hold
_MUCH = 1 << 14


@dataclass(frozen=True)
class GridPPOConfig(PPOConfig):
    """`PPOConfig`, without ``recurrent``, ``max_kl`` and ``value_clip``, and how the network reads and computes.

    Attributes:
        encoding: How the network reads MiniGrid's image: ``"codes"``, one number for each cell, whose fixed random
            vectors of ``code_width`` numbers it sees; or ``"numbers"``, the 147 numbers themselves, divided by 10.
        code_width: See above.
        compile: Whether the loss is compiled by ``torch.compile``, which costs a minute at the start.
        bfloat16: Whether matrix products are computed in bfloat16.
    """

    encoding: Encoding = "codes"
    code_width: int = 8
    compile: bool = False
    bfloat16: bool = False


def cell_codes(image: Tensor) -> Tensor:
    """One number for each cell of MiniGrid's images ``(..., 7, 7, 3)`` uint8: ``(..., 49)`` uint8.

    18 * object + 3 * colour + state, which is less than 256 for every object, colour and state.
    """
    object_, color, state = image.unbind(-1)
    return (object_ * 18 + color * 3 + state).flatten(-2)


class _Numbers(nn.Linear):
    """A first layer that reads numbers divided by 10: it is the weights that are divided, which are fewer."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, self.weight * 0.1, self.bias)


class _Tanh(nn.Module):
    """``tanh x = 2 sigmoid(2 x) - 1``, which PyTorch computes faster on a CPU where there is much of it."""

    def forward(self, x: Tensor) -> Tensor:
        if not on_cpu(x) or x.numel() < _MUCH:
            return x.tanh()
        share = (x + x).sigmoid_()
        return (share + share).sub_(1)


class Towers(nn.Module):
    """A policy and a value for each image, by fully connected layers, shared or apart.

    Args:
        num_actions: The number of actions.
        config: Widths, activation, and whether layers are shared.
        seed: Seeds the weights.
    """

    codes: Tensor

    def __init__(self, num_actions: int, config: GridPPOConfig, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.encoding, self.num_actions = config.encoding, num_actions
        scale = (49 * config.code_width) ** -0.5 * 7
        codes = torch.randn(_CODES, config.code_width, generator=generator) * scale
        self.register_buffer("codes", codes if config.encoding == "codes" else torch.zeros(0))
        inputs = 49 * config.code_width if config.encoding == "codes" else 147
        self.widest = max(inputs, *config.widths)
        outputs = [num_actions + 1] if config.shared else [num_actions, 1]
        activation = nn.ReLU if config.activation == "relu" else _Tanh
        first = _Numbers if config.encoding == "numbers" else nn.Linear
        with torch.random.fork_rng(devices=[]):
            towers = []
            for output in outputs:
                widths, layers = (inputs, *config.widths), list[nn.Module]()
                for before, after in pairwise(widths):
                    layers += [(nn.Linear if layers else first)(before, after), activation()]
                towers.append(nn.Sequential(*layers, nn.Linear(widths[-1], output)))
            self.towers = nn.ModuleList(towers)
        initialize(self.towers, generator)
        for tower, output in zip(towers, outputs, strict=True):
            last: Any = tower[-1]
            with torch.no_grad():  # near 0, so that the first policy is near uniform
                last.weight[: min(output, num_actions)] *= 0.01 if output > 1 else 1.0

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``(n, actions)`` and values ``(n,)`` of ``seen``: codes ``(n, 49)`` or numbers ``(n, 147)``, uint8."""
        x = self.codes[seen.int()].flatten(1) if self.encoding == "codes" else seen.float()
        out = [tower(x) for tower in self.towers]
        if len(out) == 1:
            return out[0][:, : self.num_actions].float(), out[0][:, -1].float()
        return out[0].float(), out[1][:, 0].float()

    def read(self, image: Tensor) -> Tensor:
        """What the network takes in of images ``(..., 7, 7, 3)`` uint8."""
        return cell_codes(image) if self.encoding == "codes" else image.flatten(-3)

    def log_prob(self, obs: Tensor, action: Tensor) -> Tensor:
        """Log-probabilities ``(n,)`` of actions at images ``(n, 7, 7, 3)``."""
        return chosen(log_softmax(self(self.read(obs))[0]), action)


def chosen(log_probs: Tensor, action: Tensor) -> Tensor:
    """The log-probability of each action ``(n,)`` among ``(actions, n)``."""
    return log_probs.gather(0, action[None].long())[0]


def log_softmax(logits: Tensor) -> Tensor:
    """Of ``(n, actions)`` as ``(actions, n)``: a CPU's vector instructions do not work along rows so short."""
    return logits.T.contiguous().log_softmax(0)


def gumbel(*shape: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Noise g for which ``(logits + g).argmax(-1)`` is drawn by the logits' probabilities."""
    return torch.rand(shape, generator=generator, device=device).log_().neg_().log_().neg_()


class GridPPO:
    """PPO on MiniGrid's images: an agent (`potentia.agents.agent.Agent`) with a small network.

    Schulman et al. 2017, arXiv 1707.06347; the loss is `potentia.agents.ppo.PPO`'s. Terms that ask for a value head
    of their own are added to the reward like all others. In `learn` nothing waits for the device.

    Args:
        observation_space: MiniGrid's image, ``(7, 7, 3)`` of bytes.
        action_space: ``Discrete``.
        config: Hyper-parameters; ``recurrent`` must be 0, ``max_kl`` and ``value_clip`` None.
        device: Where the network is.
        seed: Seeds weights, actions and minibatches.

    Attributes:
        network: The `Towers`.
        steps: How many transitions were learned from.

    Raises:
        ValueError: If a space or a hyper-parameter is another.
    """

    def __init__(
        self,
        observation_space: gym.Space[Any],
        action_space: gym.Space[Any],
        config: GridPPOConfig | None = None,
        *,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.config, self.device = config or GridPPOConfig(), torch.device(device)
        if observation_space.shape != (7, 7, 3) or not isinstance(action_space, spaces.Discrete):
            raise ValueError(
                "GridPPO sees MiniGrid's image (7, 7, 3) and takes Discrete actions, got "
                f"{observation_space} and {action_space}; use potentia.agents.PPO"
            )
        if self.config.recurrent or self.config.max_kl is not None or self.config.value_clip is not None:
            raise ValueError("recurrent must be 0, max_kl and value_clip None here; use potentia.agents.PPO")
        self.network = Towers(int(action_space.n), self.config, seed).to(self.device)
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.config.learning_rate, eps=1e-5, fused=fused
        )
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.steps = 0
        self._loss = torch.compile(self._losses) if self.config.compile else self._losses

    @property
    def policy(self) -> Towers:
        """The network: ``log_prob(obs, action)`` and ``parameters()``."""
        return self.network

    def init(self, num_envs: int) -> Tree:
        """It has no memory."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tensor, Tree]:
        """Draws actions ``(N,)`` at images ``(N, 7, 7, 3)``."""
        return self.draw(obs, self.generator), carry

    def draw(self, obs: Tree, generator: torch.Generator | None) -> Tensor:
        """Actions ``(N,)`` at images ``(N, 7, 7, 3)``; the most probable ones without a generator."""
        logits, _ = self.say(self.network.read(observation_tensors(obs, self.device)))
        noise = 0.0 if generator is None else gumbel(*logits.shape, generator=generator, device=self.device)
        return (logits + noise).argmax(-1)

    @torch.no_grad()
    def say(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """What the network says of what was seen ``(N, ...)``: logits ``(N, actions)`` and values ``(N,)``."""
        with self._precision():
            said: tuple[Tensor, Tensor] = self.network(seen)
        return said

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with this policy and its own randomness; see `potentia.agents.Agent`."""
        return _Frozen(self, None if greedy else torch.Generator(self.device).manual_seed(seed))

    def _precision(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16) if self.config.bfloat16 else nullcontext()

    def learn(self, rollout: Rollout) -> dict[str, Any]:
        """Takes ``epochs * minibatches`` gradient steps on a rollout; metrics are tensors of one number."""
        rollout = replace(rollout, info={}).map(lambda array: observation_tensors(array, self.device))
        seen, after = (self.network.read(obs).flatten(0, 1) for obs in (rollout.obs, rollout.next_obs))
        logits, values = self.say(seen)
        old = chosen(log_softmax(logits), rollout.action.flatten())
        shape = tuple(rollout.mask.shape)
        return self.learn_from(rollout, seen, old, values.reshape(shape), self.say(after)[1].reshape(shape))

    def learn_from(
        self, rollout: Rollout, seen: Tensor, old_log_prob: Tensor, values: Tensor, next_values: Tensor
    ) -> dict[str, Any]:
        """`learn` with what the acting network has said: values of ``obs`` and ``next_obs`` ``(T, B)``.

        Args:
            rollout: Tensors on the device.
            seen: What the network took in at ``obs``: ``(T * B, ...)``.
            old_log_prob: Of the actions, ``(T * B,)``.
            values: See above.
            next_values: See above; the discount says where they are used.
        """
        config, weight = self.config, rollout.mask.float()
        reward, discount = rollout.reward.float(), rollout.discount.float()
        advantage = gae(rollout, values, next_values, config.lambda_, reward=reward, discount=discount)
        targets = advantage + values
        total = weight.sum()
        mean = (advantage * weight).sum() / total
        spread = (((advantage - mean) ** 2 * weight).sum() / total).sqrt()
        advantage = (advantage - mean) / (spread + 1e-8)
        rows = [
            seen, rollout.action.flatten(), old_log_prob, advantage.flatten(), targets.flatten(), weight.flatten()
        ]  # fmt: skip
        for group in self.optimizer.param_groups:
            group["lr"] = config.rate(self.steps)
        sums: dict[str, Any] = {}
        count = rows[0].shape[0]
        for _ in range(config.epochs):
            order = torch.randperm(count, generator=self.generator, device=self.device)
            for part in order.chunk(config.minibatches):
                self.optimizer.zero_grad(set_to_none=True)
                whole = rows[-1].index_select(0, part).sum().clamp(min=1.0)
                for some in part.split(self._rows_at_once(len(part))):
                    losses = self._loss(whole, *(column.index_select(0, some) for column in rows))
                    losses["total"].backward()
                    for name, loss in losses.items():
                        sums[name] = sums.get(name, 0.0) + loss.detach()
                norm = nn.utils.clip_grad_norm_(self.network.parameters(), config.max_grad_norm, foreach=True)
                sums["grad_norm"] = sums.get("grad_norm", 0.0) + norm
                self.optimizer.step()
        self.steps += count
        updates = config.epochs * config.minibatches
        return {name: loss / updates for name, loss in sums.items()}

    def _rows_at_once(self, rows: int) -> int:
        """How many rows of a minibatch the gradient is added up of at a time."""
        return max(1, _AT_ONCE // self.network.widest) if on_cpu(self.device) else rows

    def _losses(
        self, whole: Tensor, seen: Tensor, action: Tensor, old_log_prob: Tensor, advantage: Tensor, target: Tensor,
        weight: Tensor,
    ) -> dict[str, Tensor]:  # fmt: skip
        """The losses of some rows of a minibatch; ``whole`` is the weight of all of it."""
        config = self.config
        with self._precision():
            logits, values = self.network(seen)
        log_probs = log_softmax(logits)
        log_ratio = chosen(log_probs, action) - old_log_prob
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        share = weight / whole
        policy_loss = -(torch.minimum(ratio * advantage, clipped * advantage) * share).sum()
        value_loss = 0.5 * ((values - target) ** 2 * share).sum()
        entropy = (-(log_probs.exp() * log_probs).sum(0) * share).sum()
        return {
            "total": policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy,
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": ((ratio - 1 - log_ratio) * share).sum(),
        }

    def state_dict(self) -> dict[str, Any]:
        """All that the next action and the next update depend on; see `potentia.agents.saving`."""
        return learner_state(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned, into one made with the same spaces and configuration."""
        restore_learner(self, state)


class _Frozen:
    def __init__(self, agent: GridPPO, generator: torch.Generator | None) -> None:
        self._agent, self._generator = agent, generator

    def init(self, num_envs: int) -> Tree:
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tensor, Tree]:
        return self._agent.draw(obs, self._generator), carry
