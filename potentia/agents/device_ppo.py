"""PPO whose worlds, rollout, shaping, advantages and updates stay on one device, for thousands of worlds at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Literal

import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor, nn

from potentia.agents.ppo import PPOConfig
from potentia.encoders import initialize
from potentia.returns import gae
from potentia.rollout import ENV, Rollout
from potentia.shaping.shaper import Shaper
from potentia.transitions import autoreset_mode

Encoding = Literal["codes", "numbers"]
_CODES = 256
_PHASES = ("act", "step", "shape", "learn")


@dataclass(frozen=True)
class DevicePPOConfig(PPOConfig):
    """`PPOConfig` and what the loop itself needs.

    Attributes:
        num_steps: T, the steps of a rollout.
        discount: The discount factor gamma.
        encoding: How the network reads MiniGrid's image: ``"codes"``, one number for each cell, whose fixed random
            vectors of ``code_width`` numbers it sees; or ``"numbers"``, the 147 numbers themselves, divided by 10.
        code_width: See above.
        compile: Whether the loss is compiled by ``torch.compile``, which costs a minute at the start.
        bfloat16: Whether matrix products are computed in bfloat16.
    """

    num_steps: int = 32
    discount: float = 0.99
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


class Towers(nn.Module):
    """A policy and a value for each image, by fully connected layers, shared or apart.

    Args:
        encoding: See `DevicePPOConfig`.
        num_actions: The number of actions.
        config: Widths, activation, and whether layers are shared.
        seed: Seeds the weights.
    """

    codes: Tensor

    def __init__(self, num_actions: int, config: DevicePPOConfig, seed: int) -> None:
        super().__init__()
        generator = torch.Generator().manual_seed(seed)
        self.encoding, self.num_actions = config.encoding, num_actions
        scale = (49 * config.code_width) ** -0.5 * 7
        codes = torch.randn(_CODES, config.code_width, generator=generator) * scale
        self.register_buffer("codes", codes if config.encoding == "codes" else torch.zeros(0))
        inputs = 49 * config.code_width if config.encoding == "codes" else 147
        outputs = [num_actions + 1] if config.shared else [num_actions, 1]
        activation = nn.ReLU if config.activation == "relu" else nn.Tanh
        with torch.random.fork_rng(devices=[]):
            towers = []
            for output in outputs:
                widths, layers = (inputs, *config.widths), []
                for before, after in pairwise(widths):
                    layers += [nn.Linear(before, after), activation()]
                towers.append(nn.Sequential(*layers, nn.Linear(widths[-1], output)))
            self.towers = nn.ModuleList(towers)
        initialize(self.towers, generator)
        for tower, output in zip(towers, outputs, strict=True):
            last: Any = tower[-1]
            with torch.no_grad():  # near 0, so that the first policy is near uniform
                last.weight[: min(output, num_actions)] *= 0.01 if output > 1 else 1.0

    def forward(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        """Logits ``(n, actions)`` and values ``(n,)`` of ``seen``: codes ``(n, 49)`` or numbers ``(n, 147)``, uint8."""
        x = self.codes[seen.int()].flatten(1) if self.encoding == "codes" else seen.float() * 0.1
        out = [tower(x) for tower in self.towers]
        if len(out) == 1:
            return out[0][:, : self.num_actions].float(), out[0][:, -1].float()
        return out[0].float(), out[1][:, 0].float()


class DevicePPO:
    """Collects, shapes and learns in turn; nothing leaves the device, and nothing waits for it, until it is asked for.

    The loss is `potentia.agents.ppo.PPO`'s (Schulman et al. 2017, arXiv 1707.06347), computed as the rollout is
    collected: old probabilities and values are those of the acting network. The worlds must begin anew in the step
    after an episode's end (``NEXT_STEP``): then the observation after the last step of an episode is in the rollout,
    where its value is needed if the episode was cut, at the price of one step per episode, which is masked.

    Args:
        envs: Worlds that give tensors on ``device``: MiniGrid's image ``(N, 7, 7, 3)`` uint8 and discrete actions.
        config: Hyper-parameters; ``recurrent`` must be 0.
        shaper: Adds rewards to each rollout, or None.
        device: Where network and rollout are.
        seed: Seeds weights, actions, minibatches and, at the first rollout, the worlds.

    Attributes:
        profile: Seconds spent to act, step, shape and learn. On an accelerator, where calls return before the work is
            done, they are of the calls; `synchronized` makes them of the work.
        episodes: ``(3,)`` float64 on the device: episodes that ended, successes, and their true return summed, since
            the last `read_episodes`.

    Raises:
        ValueError: If the worlds are of another kind, or the policy is recurrent.
    """

    def __init__(
        self,
        envs: VectorEnv[Any, Any, Any],
        config: DevicePPOConfig | None = None,
        *,
        shaper: Shaper | None = None,
        device: torch.device | str = "cpu",
        seed: int = 0,
    ) -> None:
        self.envs, self.config, self.shaper = envs, config or DevicePPOConfig(), shaper
        self.device, self.seed = torch.device(device), seed
        self._check()
        n, steps = envs.num_envs, self.config.num_steps
        actions: Any = envs.single_action_space
        self.network = Towers(int(actions.n), self.config, seed).to(self.device)
        fused = self.device.type in ("cpu", "cuda")
        self.optimizer = torch.optim.Adam(
            self.network.parameters(), lr=self.config.learning_rate, eps=1e-5, fused=fused
        )
        self.generator = torch.Generator(self.device).manual_seed(seed)
        self.columns = sorted({name.removeprefix("next_") for name in self._reads()})
        self.steps = 0
        self.synchronized = False
        self.profile = dict.fromkeys(_PHASES, 0.0)
        self.episodes = torch.zeros(3, dtype=torch.float64, device=self.device)
        self._returns = torch.zeros(n, dtype=torch.float64, device=self.device)
        self._carry: Any = self.shaper.init(n) if self.shaper is not None else ()
        shape = (steps + 1, n)
        self._image = torch.zeros(*shape, 7, 7, 3, dtype=torch.uint8, device=self.device)
        self._seen = torch.zeros(*shape, self._width(), dtype=torch.uint8, device=self.device)
        self._values = torch.zeros(shape, device=self.device)
        self._ended = torch.zeros(shape, dtype=torch.bool, device=self.device)  # row t: before step t
        self._info: dict[str, Tensor] = {}
        self._started = False
        self._loss = torch.compile(self._losses) if self.config.compile else self._losses

    def _width(self) -> int:
        return 49 if self.config.encoding == "codes" else 147

    def _reads(self) -> frozenset[str]:
        return frozenset() if self.shaper is None else frozenset(self.shaper.contract.info_columns)

    def _check(self) -> None:
        space, actions = self.envs.single_observation_space, self.envs.single_action_space
        if space.shape != (7, 7, 3) or not isinstance(actions, spaces.Discrete):
            raise ValueError(f"the worlds must show MiniGrid's image and take discrete actions, got {space}, {actions}")
        if autoreset_mode(self.envs) is not AutoresetMode.NEXT_STEP:
            raise ValueError("the worlds must begin anew in the next step: autoreset_mode=AutoresetMode.NEXT_STEP")
        if self.config.recurrent or self.config.value_clip is not None:
            raise ValueError("recurrent must be 0 and value_clip None here; use potentia.agents.ppo.PPO")

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        if self.synchronized and self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.profile[name] += time.perf_counter() - begin

    def iterate(self) -> dict[str, Tensor]:
        """One rollout and the updates on it; losses, entropy and the like as tensors on the device."""
        rollout, old_log_prob = self._collect()
        with self._phase("shape"):
            shaped = self._shape(rollout)
        with self._phase("learn"):
            return self._learn(shaped, old_log_prob)

    def read_episodes(self) -> dict[str, float]:
        """Episodes since it was last called: how many, the share that succeeded, their mean true return."""
        count, successes, returns = self.episodes.tolist()
        self.episodes.zero_()
        some = max(count, 1.0)
        return {"episodes": count, "success": successes / some, "return": returns / some}

    def _encode(self, image: Tensor) -> Tensor:
        return cell_codes(image) if self.config.encoding == "codes" else image.flatten(1)

    def _precision(self) -> Any:
        return torch.autocast(self.device.type, torch.bfloat16) if self.config.bfloat16 else nullcontext()

    @torch.no_grad()
    def _collect(self) -> tuple[Rollout, Tensor]:
        if not self._started:
            image, info = self.envs.reset(seed=self.seed)
            self._note(0, image, info)
            self._started = True
        else:
            for buffer in (self._image, self._seen, self._ended, *self._info.values()):
                buffer[0] = buffer[-1]
        steps, shape = self.config.num_steps, self._values[:-1].shape
        actions = torch.zeros(shape, dtype=torch.int64, device=self.device)
        log_probs, rewards = torch.zeros(shape, device=self.device), torch.zeros(shape, device=self.device)
        terminated, truncated = (torch.zeros(shape, dtype=torch.bool, device=self.device) for _ in range(2))
        for t in range(steps):
            with self._phase("act"):
                actions[t], log_probs[t], self._values[t] = self._act(self._seen[t])
            with self._phase("step"):
                image, rewards[t], terminated[t], truncated[t], info = self.envs.step(actions[t])
                torch.logical_or(terminated[t], truncated[t], out=self._ended[t + 1])
                self._note(t + 1, image, info)
                self._count(rewards[t], self._ended[t + 1], self._ended[t])
        with self._phase("act"), self._precision():
            self._values[-1] = self.network(self._seen[-1])[1]
        # An end that is cut goes on in value; one that is both is an end.
        discount = torch.where(terminated, 0.0, self.config.discount)
        info = {name: (column[1:] if name.startswith("next_") else column[:-1]) for name, column in self._rows()}
        rollout = Rollout(
            obs=self._image[:-1], action=actions, next_obs=self._image[1:], terms={ENV: rewards}, discount=discount,
            terminated=terminated, truncated=truncated, mask=~self._ended[:-1], info=info,
        )  # fmt: skip
        self.steps += steps * shape[1]
        return rollout, log_probs

    def _rows(self) -> list[tuple[str, Tensor]]:
        return [(name, self._info[name.removeprefix("next_")]) for name in sorted(self._reads())]

    def _act(self, seen: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        with self._precision():
            logits, values = self.network(seen)
        log_probs = logits.log_softmax(-1)
        noise = torch.empty_like(logits).exponential_(generator=self.generator)
        action = (log_probs - noise.log_()).argmax(-1)  # Gumbel's trick
        return action, log_probs.gather(-1, action[:, None])[:, 0], values

    def _note(self, row: int, image: Tensor, info: Mapping[str, Any]) -> None:
        self._image[row] = image
        self._seen[row] = self._encode(image)
        for name in self.columns:
            if name not in self._info:
                first = info[name]
                self._info[name] = torch.zeros(
                    (self.config.num_steps + 1, *first.shape), dtype=first.dtype, device=self.device
                )
            self._info[name][row] = info[name]

    def _count(self, reward: Tensor, ended: Tensor, waited: Tensor) -> None:
        """Adds up true returns; a world that waited has just begun anew."""
        self._returns = torch.where(waited, 0.0, self._returns + reward)
        over = torch.stack([ended, ended & (reward > 0), ended]).double()
        over[2] *= self._returns
        self.episodes += over.sum(1)

    def _shape(self, rollout: Rollout) -> Rollout:
        if self.shaper is None:
            return rollout
        shaped, self._carry = self.shaper.shape(rollout, self._carry)
        self.shaper.update(shaped, policy=None)
        return shaped

    def _learn(self, rollout: Rollout, old_log_prob: Tensor) -> dict[str, Tensor]:
        config = self.config
        values, weight = self._values, rollout.mask.float()
        reward = rollout.reward.float()
        advantage = gae(rollout, values[:-1], values[1:], config.lambda_, reward=reward, discount=rollout.discount)
        targets = advantage + values[:-1]
        total = weight.sum()
        mean = (advantage * weight).sum() / total
        spread = (((advantage - mean) ** 2 * weight).sum() / total).sqrt()
        advantage = (advantage - mean) / (spread + 1e-8)
        rows = [
            self._seen[:-1].flatten(0, 1), rollout.action.flatten(), old_log_prob.flatten(), advantage.flatten(),
            targets.flatten(), weight.flatten(),
        ]  # fmt: skip
        if config.anneal_steps is not None:
            rate = config.learning_rate * max(0.0, 1.0 - self.steps / config.anneal_steps)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
        sums: dict[str, Tensor] = {}
        count = rows[0].shape[0]
        for _ in range(config.epochs):
            order = torch.randperm(count, generator=self.generator, device=self.device)
            for part in order.chunk(config.minibatches):
                losses = self._loss(*(column.index_select(0, part) for column in rows))
                self.optimizer.zero_grad(set_to_none=True)
                losses["total"].backward()
                losses["grad_norm"] = nn.utils.clip_grad_norm_(
                    self.network.parameters(), config.max_grad_norm, foreach=True
                )
                self.optimizer.step()
                for name, loss in losses.items():
                    sums[name] = sums.get(name, torch.zeros((), device=self.device)) + loss.detach()
        updates = config.epochs * config.minibatches
        return {name: loss / updates for name, loss in sums.items()}

    def _losses(
        self, seen: Tensor, action: Tensor, old_log_prob: Tensor, advantage: Tensor, target: Tensor, weight: Tensor
    ) -> dict[str, Tensor]:
        config = self.config
        with self._precision():
            logits, values = self.network(seen)
        log_probs = logits.log_softmax(-1)
        log_ratio = log_probs.gather(-1, action[:, None])[:, 0] - old_log_prob
        ratio = log_ratio.exp()
        clipped = ratio.clamp(1 - config.clip, 1 + config.clip)
        share = weight / weight.sum().clamp(min=1.0)
        policy_loss = -(torch.minimum(ratio * advantage, clipped * advantage) * share).sum()
        value_loss = 0.5 * ((values - target) ** 2 * share).sum()
        entropy = (-(log_probs.exp() * log_probs).sum(-1) * share).sum()
        return {
            "total": policy_loss + config.value_weight * value_loss - config.entropy_weight * entropy,
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": ((ratio - 1 - log_ratio) * share).sum(),
        }
