"""Imitation without a reward: the discriminator is made of two policies, and the better one is the result (ASAF)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.batches import FlatBatch, float_rollout
from potentia.agents.frozen import FrozenActor, draw_actions
from potentia.agents.networks import ActorCritic, PolicyNetwork
from potentia.agents.saving import learner_state, restore_learner
from potentia.collect import Actor
from potentia.demonstrations import Demonstrations, as_demonstrations
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping.shaper import Stream
from potentia.trees import Tree, map_tree


@dataclass(frozen=True)
class ASAFConfig:
    """The settings of `ASAF`.

    Attributes:
        demonstrations: Whole episodes, or the path of a file of them (`potentia.demonstrations`). They must be there
            when an `ASAF` is made. In a study they may be named beside each world.
        window: The steps that D judges at once: 1 is ASAF-1, a number w ASAF-w, None whole episodes.
        learning_rate: Adam's step size.
        n_epochs: Passes over each rollout.
        batch_size: Windows of the learner in a minibatch, and as many of the demonstrations.
        max_grad_norm: The norm that the gradient is scaled down to.
        widths: Widths of the fully connected layers.
        activation: What follows each fully connected layer.

    Raises:
        ValueError: If a setting is out of its range.
    """

    demonstrations: Demonstrations | None = None
    window: int | None = 1
    learning_rate: float = 1e-3
    n_epochs: int = 30
    batch_size: int = 100
    max_grad_norm: float = 1.0
    widths: tuple[int, ...] = (64, 64)
    activation: Literal["relu", "tanh"] = "tanh"

    def __post_init__(self) -> None:
        check_at_least(1, window=self.window, n_epochs=self.n_epochs, batch_size=self.batch_size)
        check_at_least(0, learning_rate=self.learning_rate, max_grad_norm=self.max_grad_norm)


class ASAF:
    """``D(w) = q(w) / (q(w) + q_G(w))``: q is the new policy's probability of the actions in a window w, q_G the old's.

    Barde, Roy, Jeon, Pineau, Pal and Nowrouzezahrai 2020, "Adversarial soft advantage fitting: imitation learning
    without policy optimization", arXiv 2006.13258. D is trained to tell demonstrations from windows of the old policy,
    which acted. Where it succeeds best, q is the expert's policy. So the new policy acts next, and there is neither a
    reward nor a step of reinforcement learning. The rewards of a rollout are not read.

    Windows follow one after another from the beginning of an episode, or of the rollout, and the last may be shorter.
    Whole episodes (``window=None``) are judged as far as they lie in the rollout. `potentia.agents.EpisodeCollector`
    collects whole ones.

    Args:
        observation_space: As for `potentia.agents.PPO`.
        action_space: As for `potentia.agents.PPO`.
        config: Hyper-parameters, with the demonstrations.
        streams: None, as it has no values.
        device: Where the network lives.
        seed: Seeds weights, actions and minibatches. No global generator is used.

    Attributes:
        network: The policy.
        steps: How many transitions were learned from.

    Raises:
        TypeError: If the configuration is another learner's, or a space has no encoder or head.
        ValueError: If there are no demonstrations, they don't fit the spaces, or there are streams.
    """

    Config: ClassVar[type[ASAFConfig]] = ASAFConfig

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: ASAFConfig | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        if config is not None and not isinstance(config, ASAFConfig):
            raise TypeError(f"ASAF needs an ASAFConfig, got {config!r}")
        if config is None or config.demonstrations is None:
            raise ValueError("ASAF learns from demonstrations and got none; set ASAFConfig(demonstrations=...)")
        if streams:
            raise ValueError(
                f"ASAF learns from no reward, so it can't value the streams {sorted(streams)} apart; use streams=None "
                "(in a study streams: false)"
            )
        self.config, self.device = config, torch.device(device)
        self.network = ActorCritic(
            observation_space, action_space, 1, widths=config.widths, activation=config.activation, recurrent=0,
            shared=True, seed=seed,
        ).to(self.device)  # fmt: skip
        # The head of values is no part of a policy.
        parameters = [p for name, p in self.network.named_parameters() if not name.startswith("value_head")]
        self.optimizer = torch.optim.Adam(parameters, lr=config.learning_rate)
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.steps = 0
        shown = as_demonstrations(config.demonstrations, observation_space, action_space)
        self._shown = Windows(self.network, float_rollout(shown, self.device), config.window)

    @property
    def policy(self) -> PolicyNetwork:
        """The network: ``log_prob(obs, action)`` and ``parameters()``."""
        return self.network

    def init(self, num_envs: int) -> Tree:
        """It has no memory."""
        return self.network.init(num_envs)

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Draws actions ``(N, ...)``, as `potentia.collect.Actor` describes."""
        return draw_actions(self.network, obs, carry, self.generator)

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with this policy and its own randomness, as `potentia.agents.Agent` describes."""
        return FrozenActor(self.network, None if greedy else torch.Generator(self.device).manual_seed(seed))

    def learn(self, rollout: Rollout) -> dict[str, Any]:
        """Trains D, and with it the policy, for ``n_epochs`` passes over a rollout.

        Returns:
            Means by name over the gradient steps: the ``loss``, which is 2 log 2 where the policies are one, and D on
            the learner's windows and on the demonstrations. They are ``{}`` if there is nothing to learn from.
        """
        mine, shown = Windows(self.network, float_rollout(rollout, self.device), self.config.window), self._shown
        if not mine.count:
            return {}
        old_mine, old_shown = mine.all_log_probs(), shown.all_log_probs()
        sums: dict[str, Any] = {}
        updates = 0
        for _ in range(self.config.n_epochs):
            order = torch.randperm(mine.count, generator=self.generator, device=self.device)
            for part in order.split(self.config.batch_size):
                drawn = torch.randint(shown.count, part.shape, generator=self.generator, device=self.device)
                loss, found = structured_loss(
                    shown.log_probs(drawn), old_shown[drawn], mine.log_probs(part), old_mine[part]
                )
                self.optimizer.zero_grad(set_to_none=True)
                loss.backward()
                found["grad_norm"] = nn.utils.clip_grad_norm_(self.network.parameters(), self.config.max_grad_norm)
                self.optimizer.step()
                for name, value in found.items():
                    sums[name] = sums.get(name, 0.0) + value
                updates += 1
        self.steps += mine.batch.size
        return {name: total / updates for name, total in sums.items()}

    def state_dict(self) -> dict[str, Any]:
        """All that the next action and the next update depend on, as `potentia.agents.saving` describes."""
        return learner_state(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned, into one made with the same spaces and configuration."""
        restore_learner(self, state)


class Windows:
    """The windows of a rollout: steps of one episode that follow each other.

    Args:
        network: The policy that is asked for probabilities.
        rollout: As tensors on the network's device.
        length: The most steps of a window. None takes all of an episode.

    Attributes:
        batch: The unmasked steps, a row each.
        count: The number of windows.
    """

    def __init__(self, network: PolicyNetwork, rollout: Rollout, length: int | None) -> None:
        self.network, self.batch = network, FlatBatch(network, rollout)
        mask, ended = rollout.mask, torch.zeros_like(rollout.mask)
        ended[1:] = (rollout.done & mask)[:-1]
        before = mask.cumsum(0) - mask.long()  # unmasked steps of the environment
        place = before - torch.where(ended, before, 0).cummax(0).values  # in the episode
        env = torch.arange(mask.shape[1], device=mask.device).expand_as(mask)
        names = torch.stack([env, ended.cumsum(0), place // (length or len(mask))], -1)[mask]
        found, window = names.unique(dim=0, return_inverse=True)
        self.count = len(found) if self.batch.size else 0
        self.order, self.sizes = window.argsort(stable=True), window.bincount(minlength=self.count)
        self.begins = self.sizes.cumsum(0) - self.sizes

    def log_probs(self, windows: Tensor) -> Tensor:
        """``sum log pi(action | obs)`` of each of some windows ``(n,)``, with gradients."""
        sizes = self.sizes[windows]
        into = torch.arange(len(windows), device=windows.device).repeat_interleave(sizes)
        place = torch.arange(len(into), device=windows.device) - (sizes.cumsum(0) - sizes)[into]
        rows = self.order[self.begins[windows][into] + place]
        batch = self.batch
        seen, action = (map_tree(lambda leaf: leaf.index_select(0, rows), tree) for tree in (batch.seen, batch.action))
        features, _ = self.network.features(seen)
        parameters = self.network.distribution(features, self.network.mask(seen))
        log_prob, _ = self.network.head.log_prob_and_entropy(parameters, action)
        return torch.zeros(len(windows), device=log_prob.device).index_add(0, into, log_prob)

    def all_log_probs(self) -> Tensor:
        """Those of all windows, ``(count,)``, without gradients."""
        with torch.no_grad():
            return self.log_probs(torch.arange(self.count, device=self.order.device))


def structured_loss(
    shown: Tensor, old_shown: Tensor, mine: Tensor, old_mine: Tensor
) -> tuple[Tensor, dict[str, Tensor]]:
    """``-mean log D(shown) - mean log(1 - D(mine))`` with ``D = q / (q + q_G)``, all by their logarithms.

    Args:
        shown: ``log q`` of demonstrations, ``(n,)``.
        old_shown: ``log q_G`` of them.
        mine: ``log q`` of what the old policy did, ``(m,)``.
        old_mine: ``log q_G`` of it.

    Returns:
        The loss, and metrics: the ``loss``, and the means of D as ``d_shown`` and ``d_learner``.

    >>> loss, metrics = structured_loss(*torch.full((4, 3), -50.0))  # the policies are one: 2 log 2
    >>> round(loss.item(), 4), metrics["d_shown"].item()
    (1.3863, 0.5)
    """
    # log D = -softplus(log q_G - log q), and log(1 - D) = -softplus(log q - log q_G).
    loss = nn.functional.softplus(old_shown - shown).mean() + nn.functional.softplus(mine - old_mine).mean()
    with torch.no_grad():
        d_shown, d_mine = (shown - old_shown).sigmoid().mean(), (mine - old_mine).sigmoid().mean()
    return loss, {"loss": loss.detach(), "d_shown": d_shown, "d_learner": d_mine}
