"""Proximal policy optimisation with the discount as data, value streams and exact masks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.batches import FlatBatch, SequenceBatch, float_rollout
from potentia.agents.networks import ActorCritic, PolicyNetwork
from potentia.agents.saving import learner_state, restore_learner
from potentia.collect import Actor
from potentia.encoders import observation_tensors
from potentia.returns import gae
from potentia.rollout import Rollout
from potentia.shaping.shaper import Stream
from potentia.trees import Tree


@dataclass(frozen=True)
class PPOConfig:
    """PPO's hyper-parameters. There is no discount: the rollout carries it.

    Attributes:
        learning_rate: Adam's step size at the start.
        anneal_steps: Transitions after which the step size has fallen to 0 in a straight line; None keeps it.
        epochs: Passes over each rollout.
        minibatches: Parts of a rollout, a gradient step each: of transitions, or of environments if recurrent.
        lambda_: The weight of longer returns in the advantage (GAE).
        clip: How far the ratio of new to old probability may leave 1 before its gradient stops.
        max_kl: How far the new policy may be from the old one, as the mean of ``rho - 1 - log rho`` over a minibatch
            (Schulman 2020, "Approximating KL divergence"), before no more steps are taken on a rollout; None for no
            limit. With few transitions a rollout, clipping alone does not keep a policy from leaping.
        value_clip: How far a value may move from the old one before its gradient stops; None for no limit.
        value_weight: The weight of the values' squared error, halved and summed over streams.
        entropy_weight: The weight of the policy's entropy, which is maximised.
        max_grad_norm: The norm that the gradient is scaled down to.
        widths: Widths of the fully connected layers.
        activation: What follows each fully connected layer.
        recurrent: Width of a GRU between layers and heads; 0 for a policy without memory.
        shared: Whether policy and values share their layers: half the cost, but errors of one disturb the other (see
            benchmarks/README.md on DoorKey).
    """

    learning_rate: float = 5e-4
    anneal_steps: int | None = None
    epochs: int = 4
    minibatches: int = 4
    lambda_: float = 0.95
    clip: float = 0.2
    max_kl: float | None = None
    value_clip: float | None = None
    value_weight: float = 0.5
    entropy_weight: float = 0.01
    max_grad_norm: float = 0.5
    widths: tuple[int, ...] = (64, 64)
    activation: Literal["relu", "tanh"] = "tanh"
    recurrent: int = 0
    shared: bool = True

    def rate(self, steps: int) -> float:
        """Adam's step size after so many transitions."""
        if self.anneal_steps is None:
            return self.learning_rate
        return self.learning_rate * max(0.0, 1.0 - steps / self.anneal_steps)


class PPO:
    """``max E[min(rho A, clip(rho, 1 - c, 1 + c) A)]``, rho the ratio of new to old probability of the action.

    Schulman, Wolski, Dhariwal, Radford and Klimov 2017, "Proximal policy optimization algorithms", arXiv 1707.06347;
    Adam's epsilon and the scales of the initial weights as in its authors' code (Huang et al. 2022, "The 37
    implementation details of PPO"). Each stream has a value head, a discount and an advantage of its own; the advantage
    is their weighted sum (Burda et al. 2018, arXiv 1810.12894, 2.3), normalised over the rollout's unmasked steps.

    If observations are a ``Dict`` with a key ``"action_mask"``, integers ``(A,)`` for ``Discrete(A)`` or
    ``(sum(nvec),)`` for ``MultiDiscrete(nvec)``, an action whose entry is 0 has probability 0, wherever probabilities
    are used (Huang and Ontanon 2020, arXiv 2006.14171), and the network does not see the mask; one that leaves no
    action at all is ignored.

    Masked steps are removed before anything is computed. Old probabilities and values are computed when it learns, with
    the parameters that acted, so a rollout must have been collected since the last `learn`.

    Args:
        observation_space: The space of one observation, perhaps with a mask of possible actions.
        action_space: ``Discrete``, ``MultiDiscrete`` or a ``Box`` of floating-point numbers.
        config: Hyper-parameters.
        streams: Reward terms with a value head of their own, for example ``shaper.streams``; the main reward is the sum
            of all other terms.
        device: Where the network lives.
        seed: Seeds weights, actions and minibatches; no global generator is used.

    Raises:
        TypeError: If a space has no encoder or head.
        ValueError: If a mask does not fit the actions.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: PPOConfig | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.config = config or PPOConfig()
        self.streams = dict(streams or {})
        self.device = torch.device(device)
        self.network = self.make_network(observation_space, action_space, seed).to(self.device)
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.config.learning_rate, eps=1e-5, fused=self.device.type in ("cpu", "cuda")
        )
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.steps = 0

    def make_network(
        self, observation_space: spaces.Space[Any], action_space: spaces.Space[Any], seed: int
    ) -> PolicyNetwork:
        """The network, on the CPU: what a learner with another one overrides."""
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

    @property
    def policy(self) -> PolicyNetwork:
        """The network: ``log_prob(obs, action)`` and ``parameters()``."""
        return self.network

    def init(self, num_envs: int) -> Tree:
        """The memory at the start of episodes; ``()`` if the policy has none."""
        return self.network.init(num_envs)

    @torch.no_grad()
    def act(self, obs: Tree, carry: Tree) -> tuple[Tensor, Tree]:
        """Draws actions ``(N, ...)``; see `potentia.collect.Actor`."""
        return _act(self.network, obs, carry, self.generator)

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with this policy and its own randomness; see `potentia.agents.Agent`."""
        return _Frozen(self.network, None if greedy else torch.Generator(self.device).manual_seed(seed))

    def learn(self, rollout: Rollout) -> dict[str, float]:
        """Takes ``epochs * minibatches`` gradient steps on a rollout, or fewer (``max_kl``); ``{}`` if all is masked.

        Raises:
            ValueError: If the term of a stream is missing, or a recurrent policy's memory is.
        """
        missing = self.streams.keys() - rollout.terms.keys()
        if missing:
            raise ValueError(
                f"the streams {sorted(missing)} have no term in the rollout, which has {sorted(rollout.terms)}; "
                "shape the rollout before it is learned from"
            )
        data = float_rollout(rollout, self.device)
        if not bool(data.mask.any()):
            return {}
        batch = (SequenceBatch if self.config.recurrent else FlatBatch)(self.network, data)
        action = batch.rows(data.action)
        with torch.no_grad():
            parameters, old_values = batch.forward()
            old_log_prob, _ = self.network.head.log_prob_and_entropy(parameters, action)
            advantage, targets = self._advantages(batch, old_values)
        rate, limit = self.config.rate(self.steps), self.config.max_kl
        sums: dict[str, Tensor] = {}
        updates = 0
        for part, rows in self._parts(batch):
            parameters, values = batch.forward(part)
            log_prob, entropy = self.network.head.log_prob_and_entropy(parameters, action[rows])
            losses = self._losses(
                log_prob - old_log_prob[rows], advantage[rows], values, old_values[rows], targets[rows], entropy
            )
            if limit is not None and updates and losses["kl"].item() > limit:
                break
            losses["grad_norm"] = self._step(losses.pop("total"), rate)
            for name, loss in losses.items():
                sums[name] = sums.get(name, torch.zeros((), device=self.device)) + loss.detach()
            updates += 1
        self.steps += batch.size
        metrics = {name: float(total) / updates for name, total in sums.items()}
        explained = 1 - (targets - old_values).var(0, correction=0) / targets.var(0, correction=0).clamp(min=1e-12)
        names = ["explained_variance", *(f"explained_variance_{name}" for name in self.streams)]
        return metrics | {"learning_rate": rate} | dict(zip(names, explained.tolist(), strict=True))

    def _parts(self, batch: FlatBatch) -> Iterator[tuple[Tensor, Tensor]]:
        """The minibatches of all passes over a rollout."""
        for _ in range(self.config.epochs):
            yield from batch.minibatches(self.config.minibatches, self.generator)

    def _advantages(self, batch: FlatBatch, old_values: Tensor) -> tuple[Tensor, Tensor]:
        """The normalised advantage ``(n,)`` and the targets of the values ``(n, heads)``."""
        data = batch.rollout
        values = batch.matrix(old_values)
        next_values = batch.next_values(values)
        main = sum(term for name, term in data.terms.items() if name not in self.streams)
        heads = [gae(data, values[..., 0], next_values[..., 0], self.config.lambda_, reward=main)]
        total = heads[0]
        for index, (name, stream) in enumerate(self.streams.items(), start=1):
            advantage = gae(
                data,
                values[..., index],
                next_values[..., index],
                self.config.lambda_,
                reward=data.terms[name],
                discount=stream.discount,
                episodic=stream.episodic,
            )
            heads.append(advantage)
            total = total + stream.weight * advantage
        targets = batch.rows(torch.stack(heads, -1)) + old_values
        total = batch.rows(total)
        return (total - total.mean()) / (total.std(correction=0) + 1e-8), targets

    def _losses(
        self, log_ratio: Tensor, advantage: Tensor, values: Tensor, old_values: Tensor, targets: Tensor, entropy: Tensor
    ) -> dict[str, Tensor]:
        config = self.config
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        policy_loss = -torch.minimum(ratio * advantage, clipped * advantage).mean()
        error = (values - targets) ** 2
        if config.value_clip is not None:
            near = old_values + (values - old_values).clamp(-config.value_clip, config.value_clip)
            error = torch.maximum(error, (near - targets) ** 2)
        value_loss = 0.5 * error.mean(0).sum()
        mean_entropy = entropy.mean()
        return {
            "total": policy_loss + config.value_weight * value_loss - config.entropy_weight * mean_entropy,
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": mean_entropy,
            "kl": (ratio - 1 - log_ratio).mean(),
            "clipped": (ratio != clipped).float().mean(),
        }

    def _step(self, loss: Tensor, rate: float) -> Tensor:
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm: Tensor = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.max_grad_norm)
        self.optimizer.step()
        return norm

    def state_dict(self) -> dict[str, Any]:
        """All that the next action and the next update depend on; see `potentia.agents.saving`."""
        return learner_state(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned, into one made with the same spaces and configuration."""
        restore_learner(self, state)


class _Frozen:
    def __init__(self, network: PolicyNetwork, generator: torch.Generator | None) -> None:
        self._network, self._generator = network, generator

    def init(self, num_envs: int) -> Tree:
        return self._network.init(num_envs)

    @torch.no_grad()
    def act(self, obs: Tree, carry: Tree) -> tuple[Tensor, Tree]:
        return _act(self._network, obs, carry, self._generator)


def _act(network: PolicyNetwork, obs: Tree, carry: Tree, generator: torch.Generator | None) -> tuple[Tensor, Tree]:
    device = network.value_head.weight.device
    memory = observation_tensors(carry, device) if carry != () else carry
    seen = network.read(observation_tensors(obs, device))
    features, memory = network.features(seen, memory)
    return network.head.sample(network.distribution(features, network.mask(seen)), generator), memory
