"""PPO whose worlds, rollout, shaping, advantages and updates stay on one device, for thousands of worlds at once."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from potentia.agents.grid.grid_batch import ACTOR_LOG_PROB, ACTOR_NEXT_VALUES, ACTOR_SEEN, ACTOR_VALUES
from potentia.agents.grid.grid_ppo import GridPPO, GridPPOConfig
from potentia.agents.grid.towers import gumbel
from potentia.envs.world import ask_offered
from potentia.rollout import ENV, Rollout
from potentia.shaping.shaper import Shaper
from potentia.transitions import autoreset_mode

_PHASES = ("act", "step", "shape", "learn")


@dataclass(frozen=True)
class DevicePPOConfig(GridPPOConfig):
    """`GridPPOConfig` and what the loop itself needs.

    Attributes:
        num_steps: T, the steps of a rollout.
        discount: The discount factor gamma.
    """

    num_steps: int = 32
    discount: float = 0.99


class DevicePPO:
    """Collects, shapes and learns in turn; nothing leaves the device, and nothing waits for it, until it is asked for.

    The learner is a `potentia.agents.grid.grid_ppo.GridPPO`. The worlds must begin anew in the step
    after an episode's end (``NEXT_STEP``): then the observation after the last step of an episode is in the rollout,
    where its value is needed if the episode was cut, at the price of one step per episode, which is masked.

    Args:
        envs: Worlds that give tensors on ``device``: MiniGrid's image ``(N, 7, 7, 3)`` uint8 and discrete actions.
        config: Hyper-parameters.
        shaper: Adds rewards to each rollout, or None.
        device: Where network and rollout are.
        seed: Seeds weights, actions, minibatches and, at the first rollout, the worlds.

    Attributes:
        profile: Seconds spent to act, step, shape and learn. On an accelerator, where calls return before the work is
            done, they are of the calls; `synchronized` makes them of the work.
        episodes: ``(3,)`` float64 on the device: episodes that ended, successes, and their true return summed, since
            the last `read_episodes`.

    Raises:
        ValueError: If the worlds are of another kind.
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
        if autoreset_mode(envs) is not AutoresetMode.NEXT_STEP:
            raise ValueError("the worlds must begin anew in the next step: autoreset_mode=AutoresetMode.NEXT_STEP")
        n, steps = envs.num_envs, self.config.num_steps
        self.learner = GridPPO(
            envs.single_observation_space,
            envs.single_action_space,
            self.config,
            streams=None if shaper is None else shaper.streams,
            device=self.device,
            seed=seed,
        )
        self.columns = sorted({name.removeprefix("next_") for name in self._reads()})
        ask_offered(envs, self.columns)
        self.synchronized = False
        self.profile = dict.fromkeys(_PHASES, 0.0)
        self.episodes = torch.zeros(3, dtype=torch.float64, device=self.device)
        self._returns = torch.zeros(n, dtype=torch.float64, device=self.device)
        self._carry: Any = self.shaper.init(n) if self.shaper is not None else ()
        shape = (steps + 1, n)
        self._image = torch.zeros(*shape, 7, 7, 3, dtype=torch.uint8, device=self.device)
        self._seen = torch.zeros_like(self.learner.network.read(self._image))
        self._values = torch.zeros(*shape, 1 + len(self.learner.streams), device=self.device)
        self._ended = torch.zeros(shape, dtype=torch.bool, device=self.device)  # row t: before step t
        self._info: dict[str, Tensor] = {}
        self._started = False

    def _reads(self) -> frozenset[str]:
        return frozenset() if self.shaper is None else frozenset(self.shaper.contract.info_columns)

    @property
    def steps(self) -> int:
        """How many transitions were collected."""
        return self.learner.steps

    @contextmanager
    def _phase(self, name: str) -> Iterator[None]:
        begin = time.perf_counter()
        yield
        if self.synchronized and self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        self.profile[name] += time.perf_counter() - begin

    def iterate(self) -> dict[str, Tensor]:
        """One rollout and the updates on it; losses, entropy and the like as tensors on the device."""
        rollout = self._collect()
        with self._phase("shape"):
            shaped = self._shape(rollout)
        with self._phase("learn"):
            return self.learner.learn(shaped)

    def read_episodes(self) -> dict[str, float]:
        """Episodes since it was last called: how many, the share that succeeded, their mean true return."""
        count, successes, returns = self.episodes.tolist()
        self.episodes.zero_()
        some = max(count, 1.0)
        return {"episodes": count, "success": successes / some, "return": returns / some}

    @torch.no_grad()
    def _collect(self) -> Rollout:
        if not self._started:
            image, info = self.envs.reset(seed=self.seed)
            self._note(0, image, info)
            self._started = True
        else:
            for buffer in (self._image, self._seen, self._ended, *self._info.values()):
                buffer[0] = buffer[-1]
        steps, shape = self.config.num_steps, self._ended[:-1].shape
        actions = torch.zeros(shape, dtype=torch.int64, device=self.device)
        rewards = torch.zeros(shape, device=self.device)
        noise = gumbel(*shape, self.learner.network.num_actions, generator=self.learner.generator, device=self.device)
        logits = torch.empty_like(noise)
        terminated, truncated = (torch.zeros(shape, dtype=torch.bool, device=self.device) for _ in range(2))
        for t in range(steps):
            with self._phase("act"):
                logits[t], self._values[t] = self._say(self._seen[t])
                torch.argmax(logits[t] + noise[t], -1, out=actions[t])
            with self._phase("step"):
                image, rewards[t], terminated[t], truncated[t], info = self.envs.step(actions[t])
                torch.logical_or(terminated[t], truncated[t], out=self._ended[t + 1])
                self._note(t + 1, image, info)
        with self._phase("act"):
            self._values[-1] = self._say(self._seen[-1])[1]
            log_probs, _ = self.learner.network.head.log_prob_and_entropy(logits.flatten(0, 1), actions.flatten())
        with self._phase("step"):
            self._count(rewards)
        # An end that is cut goes on in value; one that is both is an end.
        discount = torch.where(terminated, 0.0, self.config.discount)
        info = {name: (column[1:] if name.startswith("next_") else column[:-1]) for name, column in self._rows()}
        info |= {
            ACTOR_SEEN: self._seen[:-1], ACTOR_LOG_PROB: log_probs.unflatten(0, shape),
            ACTOR_VALUES: self._values[:-1], ACTOR_NEXT_VALUES: self._values[1:],
        }  # fmt: skip
        return Rollout(
            obs=self._image[:-1], action=actions, next_obs=self._image[1:], terms={ENV: rewards}, discount=discount,
            terminated=terminated, truncated=truncated, mask=~self._ended[:-1], info=info,
        )  # fmt: skip

    def _say(self, seen: Tensor) -> tuple[Tensor, Tensor]:
        said: tuple[Tensor, Tensor] = self.learner.network.features(seen)[0]
        return said

    def _rows(self) -> list[tuple[str, Tensor]]:
        return [(name, self._info[name.removeprefix("next_")]) for name in sorted(self._reads())]

    def _note(self, row: int, image: Tensor, info: Mapping[str, Any]) -> None:
        self._image[row] = image
        self._seen[row] = self.learner.network.read(image)
        for name in self.columns:
            if name not in self._info:
                first = info[name]
                self._info[name] = torch.zeros(
                    (self.config.num_steps + 1, *first.shape), dtype=first.dtype, device=self.device
                )
            self._info[name][row] = info[name]

    def _count(self, rewards: Tensor) -> None:
        """Adds up true returns; a world that waited has just begun anew."""
        waited, ended = self._ended[:-1], self._ended[1:]
        sums = self._returns + torch.where(waited, 0.0, rewards).double().cumsum(0)
        # The row in which the running episode began, counted from 1; 0 if that was before this rollout.
        begun = (torch.arange(1, len(rewards) + 1, device=self.device)[:, None] * waited).cummax(0).values
        returns = sums - torch.where(begun > 0, sums.gather(0, (begun - 1).clamp(min=0)), 0.0)
        self._returns = returns[-1]
        self.episodes += torch.stack([ended.sum(), (ended & (rewards > 0)).sum(), (returns * ended).sum()])

    def _shape(self, rollout: Rollout) -> Rollout:
        if self.shaper is None:
            return rollout
        shaped, self._carry = self.shaper.shape(rollout, self._carry)
        self.shaper.update(shaped, policy=None)
        return shaped
