"""The core of every PPO: the settings of its updates, its loss, and the loop over minibatches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, ClassVar, Generic, NamedTuple, Self, TypeVar

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.batches import Batch
from potentia.agents.frozen import FrozenActor, draw_actions
from potentia.agents.networks import PolicyNetwork
from potentia.agents.saving import learner_state, restore_learner
from potentia.arrays import on_cpu
from potentia.collect import Actor
from potentia.limits import check_at_least
from potentia.returns import gae
from potentia.rollout import Rollout
from potentia.shaping.shaper import Stream
from potentia.trees import Tree

RENAMED = {
    "epochs": "n_epochs",
    "update_epochs": "n_epochs",
    "minibatches": "n_minibatches",
    "num_minibatches": "n_minibatches",
    "batch_size": "n_minibatches (the transitions of a rollout divided by batch_size)",
    "lambda_": "gae_lambda",
    "clip": "clip_range",
    "clip_coef": "clip_range",
    "value_clip": "clip_range_vf",
    "entropy_weight": "ent_coef",
    "value_weight": "vf_coef",
    "max_kl": "target_kl",
}
"""What a setting of another name, an earlier one of ours or another library's, is called here."""


@dataclass(frozen=True)
class PPOUpdateConfig:
    """The settings of PPO's updates, by the names of Stable-Baselines3. There is no gamma: the rollout carries it.

    Attributes:
        learning_rate: Adam's step size at the start.
        anneal_steps: Transitions after which the step size has fallen to 0 in a straight line. None keeps it.
        n_epochs: Passes over each rollout.
        n_minibatches: Parts of a rollout, a gradient step each: of transitions, or of environments if recurrent.
        gae_lambda: The weight of longer returns in the advantage (GAE).
        clip_range: How far the ratio of new to old probability may leave 1 before its gradient stops.
        clip_range_vf: How far a value may move from the old one before its gradient stops. None means no limit.
        ent_coef: The weight of the policy's entropy, which is maximised.
        vf_coef: The weight of the values' squared error, halved and summed over streams.
        target_kl: How far the new policy may be from the old one, as the mean of ``rho - 1 - log rho`` over a minibatch
            (Schulman 2020, "Approximating KL divergence"), before no more steps are taken on a rollout. None means no
            limit. With few transitions a rollout, clipping alone does not keep a policy from leaping.
        max_grad_norm: The norm that the gradient is scaled down to.

    Raises:
        TypeError: If a setting is unknown. The message gives the name that the setting has here, if it has another.
        ValueError: If a setting is out of its range.
    """

    learning_rate: float = 5e-4
    anneal_steps: int | None = None
    n_epochs: int = 4
    n_minibatches: int = 4
    gae_lambda: float = 0.95
    clip_range: float = 0.2
    clip_range_vf: float | None = None
    ent_coef: float = 0.01
    vf_coef: float = 0.5
    target_kl: float | None = None
    max_grad_norm: float = 0.5

    renamed: ClassVar[Mapping[str, str]] = RENAMED

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        """Refuses a setting of another name before ``__init__`` does, and with more help."""
        for name in settings.keys() & RENAMED.keys():
            raise TypeError(f"{cls.__name__} has no setting {name!r}: write {RENAMED[name]}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        check_at_least(1, n_epochs=self.n_epochs, n_minibatches=self.n_minibatches, anneal_steps=self.anneal_steps)
        check_at_least(0, learning_rate=self.learning_rate, clip_range=self.clip_range, target_kl=self.target_kl)
        check_at_least(0, clip_range_vf=self.clip_range_vf, max_grad_norm=self.max_grad_norm)
        if not 0 <= self.gae_lambda <= 1:
            raise ValueError(f"gae_lambda must lie in [0, 1], got {self.gae_lambda}")
        for width in getattr(self, "widths", ()):  # of the networks that a learner's own configuration describes
            check_at_least(1, widths=width)
        check_at_least(0, recurrent=getattr(self, "recurrent", None))

    def rate(self, steps: int) -> float:
        """Adam's step size after so many transitions."""
        if self.anneal_steps is None:
            return self.learning_rate
        return self.learning_rate * max(0.0, 1.0 - steps / self.anneal_steps)


ConfigT = TypeVar("ConfigT", bound=PPOUpdateConfig)


class Targets(NamedTuple):
    """What a gradient step compares the network's answers with.

    Attributes:
        log_prob: Of the actions, under the policy that acted, ``(n,)``.
        advantage: ``(n,)``, of mean 0 and standard deviation 1.
        returns: What the values should be, ``(n, heads)``.
        values: What they were, ``(n, heads)``.
        share: How much each row counts, ``(n,)``. None means that all count alike.
    """

    log_prob: Tensor
    advantage: Tensor
    returns: Tensor
    values: Tensor
    share: Tensor | None

    def at(self, rows: Tensor, share: Tensor | None) -> Targets:
        """Those of some rows, which share in the loss as told."""
        log_prob, advantage, returns, values = (column.index_select(0, rows) for column in self[:4])
        return Targets(log_prob, advantage, returns, values, share)


class PPOLearner(Generic[ConfigT]):
    """``max E[min(rho A, clip(rho, 1 - c, 1 + c) A)]``, rho the ratio of new to old probability of the action.

    `potentia.agents.PPO` describes it. A learner of this family says what its network is, and how the network sees a
    rollout: `make_network` and `make_batch`.

    Args:
        observation_space: The space of one observation.
        action_space: The space of one action.
        config: Hyper-parameters.
        streams: Reward terms with a value head of their own.
        device: Where the network lives.
        seed: Seeds weights, actions and minibatches. No global generator is used.

    Attributes:
        network: The policy and its values.
        steps: How many transitions were learned from.

    Raises:
        TypeError: If the configuration is another learner's.
    """

    Config: ClassVar[type[Any]]

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: ConfigT | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        if config is not None and not isinstance(config, self.Config):
            raise TypeError(f"{type(self).__name__} needs a {self.Config.__name__}, got {config!r}")
        self.config: ConfigT = config or self.Config()
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
        """The network, on the CPU, with a value head more than there are streams."""
        raise NotImplementedError

    def make_batch(self, rollout: Rollout) -> Batch:
        """The rollout as the network sees it."""
        raise NotImplementedError

    @property
    def policy(self) -> PolicyNetwork:
        """The network: ``log_prob(obs, action)`` and ``parameters()``."""
        return self.network

    def init(self, num_envs: int) -> Tree:
        """The memory at the start of episodes, ``()`` if the policy has none."""
        return self.network.init(num_envs)

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Draws actions ``(N, ...)``, as `potentia.collect.Actor` describes."""
        return draw_actions(self.network, obs, carry, self.generator)

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with this policy and its own randomness, as `potentia.agents.Agent` describes."""
        return FrozenActor(self.network, None if greedy else torch.Generator(self.device).manual_seed(seed))

    def learn(self, rollout: Rollout) -> dict[str, Any]:
        """Takes ``n_epochs * n_minibatches`` gradient steps on a rollout, or fewer (``target_kl``).

        Returns:
            Metrics by name, numbers on a CPU and elsewhere tensors of one number, which nothing waits for. They are
            ``{}`` if there is nothing to learn from.

        Raises:
            ValueError: If the term of a stream is missing, or a recurrent policy's memory is.
        """
        missing = self.streams.keys() - rollout.terms.keys()
        if missing:
            raise ValueError(
                f"the streams {sorted(missing)} have no term in the rollout, which has {sorted(rollout.terms)}; "
                "shape the rollout before it is learned from"
            )
        batch = self.make_batch(rollout)
        if not batch.size:
            return {}
        metrics = self._update(batch)
        if not on_cpu(self.device):
            return metrics
        return {name: float(value) for name, value in metrics.items()}

    def _update(self, batch: Batch) -> dict[str, Any]:
        with torch.no_grad():
            old_log_prob, old_values = batch.old()
            targets = Targets(old_log_prob, *self._advantages(batch, old_values), old_values, batch.weight)
        rate, limit = self.config.rate(self.steps), self.config.target_kl
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        sums: dict[str, Any] = {}
        updates = 0
        for part in self._minibatches(batch):
            self.optimizer.zero_grad(set_to_none=True)
            losses: dict[str, Any] = {}
            for inputs, rows, share in batch.pieces(part):
                found = self._losses(inputs, targets.at(rows, share))
                found.pop("total").backward()
                for name, loss in found.items():
                    losses[name] = losses.get(name, 0.0) + loss.detach()
            if limit is not None and updates and losses["kl"].item() > limit:
                break
            losses["grad_norm"] = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.max_grad_norm)
            self.optimizer.step()
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + loss
            updates += 1
        self.steps += batch.size
        means = {name: total / updates for name, total in sums.items()}
        return means | {"learning_rate": rate} | self._explained(targets)

    def _minibatches(self, batch: Batch) -> Iterator[Tensor]:
        """The minibatches of all passes over a rollout."""
        for _ in range(self.config.n_epochs):
            yield from batch.minibatches(self.config.n_minibatches, self.generator)

    def _advantages(self, batch: Batch, old_values: Tensor) -> tuple[Tensor, Tensor]:
        """The normalised advantage ``(n,)`` and what the values should be, ``(n, heads)``."""
        data, lambda_ = batch.rollout, self.config.gae_lambda
        values = batch.matrix(old_values)
        after = batch.next_values(values)
        main = reduce(add, (term for name, term in data.terms.items() if name not in self.streams)).float()
        discount = data.discount.float()
        heads = [gae(data, values[..., 0], after[..., 0], lambda_, reward=main, discount=discount)]
        total = heads[0]
        for index, (name, stream) in enumerate(self.streams.items(), start=1):
            advantage = gae(
                data, values[..., index], after[..., index], lambda_, reward=data.terms[name].float(),
                gamma=stream.gamma, episodic=stream.episodic,
            )  # fmt: skip
            heads.append(advantage)
            total = total + stream.weight * advantage
        returns = batch.rows(torch.stack(heads, -1)) + old_values
        rows = batch.rows(total)
        mean, deviation = _moments(rows, batch.weight)
        return (rows - mean) / (deviation + 1e-8), returns

    def _losses(self, inputs: tuple[Any, ...], targets: Targets) -> dict[str, Tensor]:
        config, share = self.config, targets.share
        log_prob, entropy, values = self.network.evaluate(*inputs)
        log_ratio = log_prob - targets.log_prob
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - config.clip_range, 1 + config.clip_range)
        policy_loss = -_mean(torch.minimum(ratio * targets.advantage, clipped * targets.advantage), share)
        error = (values - targets.returns) ** 2
        if config.clip_range_vf is not None:
            near = targets.values + (values - targets.values).clamp(-config.clip_range_vf, config.clip_range_vf)
            error = torch.maximum(error, (near - targets.returns) ** 2)
        value_loss = 0.5 * _mean(error, share).sum()
        mean_entropy = _mean(entropy, share)
        total = policy_loss + config.vf_coef * value_loss - config.ent_coef * mean_entropy
        with torch.no_grad():
            kl, moved = _mean(ratio - 1 - log_ratio, share), _mean((ratio != clipped).float(), share)
        return {
            "total": total,
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": mean_entropy,
            "kl": kl,
            "clipped": moved,
        }

    def _explained(self, targets: Targets) -> dict[str, Tensor]:
        """The share of the returns' variance that the old values explain, for each head."""
        _, left = _moments(targets.returns - targets.values, targets.share)
        _, whole = _moments(targets.returns, targets.share)
        explained = 1 - left**2 / (whole**2).clamp(min=1e-12)
        names = ["explained_variance", *(f"explained_variance_{name}" for name in self.streams)]
        return dict(zip(names, explained.unbind(), strict=True))

    def state_dict(self) -> dict[str, Any]:
        """All that the next action and the next update depend on, as `potentia.agents.saving` describes."""
        return learner_state(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned, into one made with the same spaces and configuration."""
        restore_learner(self, state)


def _mean(rows: Tensor, share: Tensor | None) -> Tensor:
    """The mean over rows ``(n, ...)``. With shares, it is the sum of what they leave of each."""
    if share is None:
        return rows.mean(0)
    return share @ rows


def _moments(rows: Tensor, weight: Tensor | None) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation over rows ``(n, ...)``."""
    if weight is None:
        return rows.mean(0), rows.std(0, correction=0)
    total = weight.sum().clamp(min=1.0)
    mean = _mean(rows, weight) / total
    return mean, (_mean((rows - mean) ** 2, weight) / total).sqrt()
