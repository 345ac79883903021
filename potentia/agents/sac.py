"""Soft actor-critic with the discount as data: continuous actions, a replay of shaped rollouts, twin critics."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar, Literal, Self

import torch
from gymnasium import spaces
from torch import Tensor

from potentia.agents.batches import float_rollout
from potentia.agents.replay import DiscountedReplay, Sample
from potentia.agents.sac_networks import TanhGaussian, Temperature, TwinCritics
from potentia.arrays import on_cpu
from potentia.collect import Actor
from potentia.encoders import observation_tensors
from potentia.limits import check_among, check_at_least
from potentia.rollout import ENV, Rollout
from potentia.shaping.fit import Home, require_fit
from potentia.shaping.shaper import Shaper, Stream
from potentia.state import Stateful
from potentia.trees import Tree, leaves, map_tree

REPLAY = Home("a replay that shapes what is drawn", ordered=False, keys=frozenset())
"""What `SAC` offers a shaper with ``rewards="present"``."""

RENAMED = {
    "gradient_steps": "updates_per_step (gradient steps for each transition of a rollout)",
    "utd_ratio": "updates_per_step",
    "policy_frequency": "updates_per_step (policy and critics are updated together)",
    "train_freq": "rollout_steps, of a study or of potentia.collect.collect",
    "gamma": "gamma where the rollout is made: the learner owns none",
    "alpha": "ent_coef",
    "autotune": "ent_coef: auto",
    "q_lr": "learning_rate",
    "policy_lr": "learning_rate",
    "n_step": "n_steps",
    "net_arch": "widths",
}
"""What a setting of Stable-Baselines3's, CleanRL's or others' SAC is called here."""


@dataclass(frozen=True)
class SACConfig:
    """The settings of `SAC`, by the names of Stable-Baselines3. There is no gamma: the rollout carries it.

    Attributes:
        learning_rate: Adam's step size, for all.
        buffer_size: How many transitions are kept. Each takes the bytes of two observations and an action, with numbers
            of 32 bits, and 9 more: 100,000 of Pendulum's are 3.7 MB, of 39 numbers and 4 actions 33.7 MB. A
            checkpoint has them all.
        learning_starts: Transitions before the first gradient step. Until then actions are drawn uniformly.
        batch_size: Transitions in a gradient step.
        updates_per_step: Gradient steps for each transition of a rollout.
        n_steps: Rewards in a target. It is shorter where an episode or a rollout ends.
        tau: How far the target critics go to the critics in each gradient step.
        ent_coef: The weight of the policy's entropy. ``"auto"`` learns it.
        ent_coef_start: What it is at the start if it is learned.
        target_entropy: What a learned weight keeps the entropy at, per transition. None stands for minus the number of
            numbers in an action.
        discount: ``"newest"``: every stored transition that goes on is discounted by the gamma of the newest rollout,
            as it would be if it came now. This is exact where a shaper sets one gamma for all steps, and refused where
            a rollout has several. ``"stored"``: by what it came with.
        rewards: ``"stored"``: a transition is paid what it was paid when it came. ``"present"``: whenever it is drawn,
            it is shaped anew by the present shaper, from the world's own reward. That takes one step a target
            (``n_steps=1``), a shaper without memory within an episode that reads no info columns, and 2 bytes more.
        widths: Widths of the fully connected layers.
        activation: What follows each of them.

    Raises:
        TypeError: If a setting is unknown. The message gives the name that the setting has here, if it has another.
        ValueError: If a setting is out of its range.
    """

    learning_rate: float = 3e-4
    buffer_size: int = 1_000_000
    learning_starts: int = 1_000
    batch_size: int = 256
    updates_per_step: float = 1.0
    n_steps: int = 1
    tau: float = 0.005
    ent_coef: float | Literal["auto"] = "auto"
    ent_coef_start: float = 1.0
    target_entropy: float | None = None
    discount: Literal["newest", "stored"] = "newest"
    rewards: Literal["stored", "present"] = "stored"
    widths: tuple[int, ...] = (256, 256)
    activation: Literal["relu", "tanh"] = "relu"

    renamed: ClassVar[Mapping[str, str]] = RENAMED

    def __new__(cls, *args: Any, **settings: Any) -> Self:
        """Refuses a setting of another name before ``__init__`` does, and with more help."""
        for name in settings.keys() & RENAMED.keys():
            raise TypeError(f"{cls.__name__} has no setting {name!r}: write {RENAMED[name]}")
        return super().__new__(cls)

    def __post_init__(self) -> None:
        check_at_least(1, buffer_size=self.buffer_size, batch_size=self.batch_size, n_steps=self.n_steps)
        check_at_least(0, learning_rate=self.learning_rate, learning_starts=self.learning_starts)
        check_at_least(0, updates_per_step=self.updates_per_step)
        check_among(("newest", "stored"), discount=self.discount)
        check_among(("stored", "present"), rewards=self.rewards)
        if self.rewards == "present" and self.n_steps > 1:
            raise ValueError(f"rewards='present' shapes single steps anew: set n_steps=1, got {self.n_steps}")
        if not 0 < self.tau <= 1:
            raise ValueError(f"tau must lie in (0, 1], got {self.tau}")
        if isinstance(self.ent_coef, str):
            check_among(("auto",), ent_coef=self.ent_coef)
        else:
            check_at_least(0, ent_coef=self.ent_coef)
        if not self.ent_coef_start > 0:
            raise ValueError(f"ent_coef_start must be positive, got {self.ent_coef_start}")
        for width in self.widths:
            check_at_least(1, widths=width)


class SAC(Stateful):
    """``Q(s, a) -> reward + discount * V(s')`` and ``max V``, where ``V(s) = E[min Q(s, a) - alpha log pi(a | s)]``.

    Haarnoja, Zhou, Hartikainen, Tucker, Ha, Tan, Kumar, Zhu, Gupta, Abbeel and Levine 2018, "Soft actor-critic
    algorithms and applications", arXiv 1812.05905. The discount is the column of the rollout that a transition came
    with, or the newest one (``discount``). Targets of n steps are made of the columns: the product of the discounts and
    the sum of the discounted rewards, as far as the episode goes in its rollout.

    `learn` stores a shaped rollout and then takes gradient steps. Rewards are stored as they were shaped, or shaped
    anew whenever they are drawn (``rewards``), as `potentia.agents.sb3.shape_replay` does for Stable-Baselines3.

    Args:
        observation_space: The space of one observation.
        action_space: A ``Box`` of floating-point numbers with finite bounds.
        config: Hyper-parameters.
        streams: Must be empty: there is one value. With None their terms are part of the reward.
        device: Where the networks and the replay live.
        seed: Seeds weights, actions and minibatches. No global generator is used.

    Attributes:
        steps: How many transitions were learned from.

    Raises:
        TypeError: If the configuration is another learner's, or a space does not fit.
        ValueError: If there are streams.
    """

    Config: ClassVar[type[SACConfig]] = SACConfig
    saved = (
        "actor", "critics", "target", "temperature", "actor_optimizer", "critic_optimizer", "generator", "replay",
        "steps", "_owed",
    )  # fmt: skip

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: SACConfig | None = None,
        *,
        streams: Mapping[str, Stream] | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        if config is not None and not isinstance(config, SACConfig):
            raise TypeError(f"SAC needs a SACConfig, got {config!r}")
        if streams:
            raise ValueError(
                f"SAC has one value, so it can't value the streams {sorted(streams)} apart; with streams=None "
                "(in a study streams: false) their terms are part of the reward"
            )
        self.config = config = config or SACConfig()
        self.device = torch.device(device)
        layers: dict[str, Any] = {"widths": config.widths, "activation": config.activation}
        self.actor = TanhGaussian(observation_space, action_space, seed=seed, **layers).to(self.device)
        self.critics = TwinCritics(observation_space, self.actor.size, seed=seed + 2, **layers).to(self.device)
        self.target = copy.deepcopy(self.critics).requires_grad_(False)
        learned = config.ent_coef == "auto"
        start = config.ent_coef_start if isinstance(config.ent_coef, str) else config.ent_coef
        self.temperature = Temperature(start).to(self.device).requires_grad_(learned)
        self.target_entropy = -float(self.actor.size) if config.target_entropy is None else config.target_entropy
        self.actor_optimizer = self._adam(
            [*self.actor.parameters(), *(self.temperature.parameters() if learned else ())]
        )
        self.critic_optimizer = self._adam(list(self.critics.parameters()))
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.replay = DiscountedReplay(
            config.buffer_size,
            config.n_steps,
            newest=config.discount == "newest",
            device=self.device,
            flags=config.rewards == "present",
        )
        self._shaper: Shaper | None = None
        self.steps, self._owed = 0, 0.0

    def _adam(self, parameters: list[Any]) -> torch.optim.Adam:
        return torch.optim.Adam(parameters, lr=self.config.learning_rate, fused=self.device.type in ("cpu", "cuda"))

    @property
    def policy(self) -> TanhGaussian:
        """The actor: ``log_prob(obs, action)`` and ``parameters()``."""
        return self.actor

    def init(self, num_envs: int) -> Tree:
        """It has no memory within an episode."""
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Draws actions ``(N, ...)`` from the policy, or uniformly until learning starts."""
        if self.steps >= self.config.learning_starts:
            return _act(self.actor, obs, self.generator), carry
        (_, leaf), *_ = leaves(obs)
        uniform = torch.rand(leaf.shape[0], self.actor.size, generator=self.generator, device=self.device)
        return self.actor.unscaled(2 * uniform - 1), carry

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Actor:
        """An actor with this policy and its own randomness, as `potentia.agents.Agent` describes."""
        return _Frozen(self.actor, None if greedy else torch.Generator(self.device).manual_seed(seed))

    def attach(self, shaper: Shaper) -> None:
        """Says who shapes, for ``rewards="present"``. A `potentia.agents.Loop` calls it.

        Raises:
            potentia.shaping.fit.FitError: If the shaper can't shape single transitions in any order.
        """
        if self.config.rewards == "present":
            require_fit(shaper, REPLAY)
            self._shaper = shaper

    def learn(self, rollout: Rollout) -> dict[str, Any]:
        """Stores the rollout, then takes ``updates_per_step`` gradient steps for each of its transitions.

        Returns:
            Means by name, numbers on a CPU and elsewhere tensors of one number, which nothing waits for. They are
            ``{}`` if no gradient step was taken.

        Raises:
            ValueError: If the rollout has several gammas and ``discount="newest"``.
        """
        if self.config.rewards == "present":
            if self._shaper is None:
                raise ValueError("rewards='present' needs the shaper: call attach(shaper) first, as a Loop does")
            rollout = replace(rollout, terms={ENV: rollout.terms[ENV]})
        with torch.no_grad():
            added = self.replay.add(float_rollout(rollout, self.device))
        self.steps += added
        if self.steps < self.config.learning_starts or not self.replay.filled:
            return {}
        self._owed += self.config.updates_per_step * added
        updates, sums = int(self._owed), torch.zeros(len(_METRICS), device=self.device)
        self._owed -= updates
        if not updates:
            return {}
        for _ in range(updates):
            sums += self._update(self._paid(self.replay.sample(self.config.batch_size, self.generator)))
        means = dict(zip(_METRICS, (sums / updates).unbind(), strict=True))
        if not on_cpu(self.device):
            return means
        return {name: float(value) for name, value in means.items()}

    def _paid(self, batch: Sample) -> Sample:
        """The batch with its rewards shaped anew, if they are to be."""
        if self._shaper is None or batch.ends is None:
            return batch
        obs, action, reward, discount, next_obs, ends = (map_tree(lambda leaf: leaf[None], part) for part in batch)
        with torch.no_grad():
            rollout = Rollout(obs, action, next_obs, {ENV: reward}, discount, ends[..., 0], ends[..., 1])
            shaped, _ = self._shaper.shape(rollout, self._shaper.init(rollout.num_envs))
        return batch._replace(reward=shaped.reward[0])

    def _update(self, batch: Sample) -> Tensor:
        """One gradient step of critics, policy and temperature. Returns the `_METRICS`."""
        temperature = self.temperature().detach()
        with torch.no_grad():
            next_action, next_log_prob = self.actor.sample(batch.next_obs, self.generator)
            next_value = self.target(batch.next_obs, next_action).amin(0) - temperature * next_log_prob
            target = batch.reward + batch.discount * next_value
        values = self.critics(batch.obs, self.actor.scaled(batch.action))
        critic_loss = 0.5 * ((values - target) ** 2).mean(1).sum()
        self.critic_optimizer.zero_grad(set_to_none=True)
        critic_loss.backward()
        self.critic_optimizer.step()
        action, log_prob = self.actor.sample(batch.obs, self.generator)
        self.critics.requires_grad_(False)  # gradients of its weights would be computed and thrown away
        actor_loss = (temperature * log_prob - self.critics(batch.obs, action).amin(0)).mean()
        self.critics.requires_grad_(True)
        loss = actor_loss
        if self.config.ent_coef == "auto":
            loss = loss - self.temperature.log * (log_prob.detach().mean() + self.target_entropy)
        self.actor_optimizer.zero_grad(set_to_none=True)
        loss.backward()
        self.actor_optimizer.step()
        with torch.no_grad():
            torch._foreach_lerp_(list(self.target.parameters()), list(self.critics.parameters()), self.config.tau)
            found = (critic_loss, actor_loss, values.mean(), -log_prob.mean(), temperature, batch.discount.mean())
            return torch.stack(found)


_METRICS = ("critic_loss", "actor_loss", "value", "entropy", "ent_coef", "discount")


class _Frozen:
    """Acts with an agent's present policy and a generator of its own."""

    def __init__(self, actor: TanhGaussian, generator: torch.Generator | None) -> None:
        self._actor, self._generator = actor, generator

    def init(self, num_envs: int) -> Tree:
        del num_envs
        return ()

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        return _act(self._actor, obs, self._generator), carry


@torch.no_grad()
def _act(actor: TanhGaussian, obs: Tree, generator: torch.Generator | None) -> Tensor:
    seen = observation_tensors(obs, actor.center.device)
    if generator is None:
        mean, _ = actor(seen)
        return actor.unscaled(mean.tanh())
    return actor.unscaled(actor.sample(seen, generator)[0])
