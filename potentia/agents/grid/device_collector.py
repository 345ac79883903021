"""Rollouts of worlds on a device by `GridPPO`: nothing leaves the device, and nothing waits for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import torch
from gymnasium.vector import AutoresetMode, VectorEnv
from torch import Tensor

from potentia.agents.agent import Agent
from potentia.agents.grid.acting import Acting
from potentia.agents.grid.grid_batch import ACTOR_LOG_PROB, ACTOR_NEXT_VALUES, ACTOR_SEEN, ACTOR_VALUES
from potentia.agents.grid.grid_ppo import GridPPO, GridPPOConfig
from potentia.agents.grid.towers import Towers, gumbel
from potentia.agents.loop import Loop
from potentia.agents.profile import Profile
from potentia.envs.world import ask_offered
from potentia.gamma import check_gamma
from potentia.rollout import ENV, Rollout
from potentia.shaping.fit import Home
from potentia.shaping.shaper import Shaper
from potentia.transitions import autoreset_mode, info_keys


class DeviceCollector:
    """Buffers on the device that each step of the worlds fills. What the network says while it acts is kept with it.

    The worlds must begin anew in the step after an episode's end (``NEXT_STEP``): then the observation after the last
    step of an episode is in the rollout, where its value is needed if the episode was cut, at the price of one step per
    episode, which is masked. A rollout is valid until the next one is collected.

    Args:
        envs: Worlds that give tensors on ``device``: MiniGrid's image ``(N, 7, 7, 3)`` uint8 and discrete actions.
        num_steps: T.
        gamma: The learner's discount factor.
        columns: The info columns wanted. The prefix ``next_`` before a name means the step after.
        device: Where the worlds' tensors are.

    Attributes:
        home: What it offers shapers.
        profile: Seconds spent to act and to step the worlds.
        episodes: ``(3,)`` float64 on the device: episodes that ended, successes, and their true return summed, since
            the last `read_episodes`.

    Raises:
        ValueError: If the worlds begin anew in another step.
    """

    home = Home("a loop on a device", policy=True)

    def __init__(
        self,
        envs: VectorEnv[Any, Any, Any],
        num_steps: int,
        *,
        gamma: float,
        columns: Iterable[str] = (),
        device: torch.device | str = "cpu",
    ) -> None:
        if autoreset_mode(envs) is not AutoresetMode.NEXT_STEP:
            raise ValueError("the worlds must begin anew in the next step: autoreset_mode=AutoresetMode.NEXT_STEP")
        self.envs, self.num_envs, self.num_steps = envs, envs.num_envs, num_steps
        self.gamma, self.columns, self.device = check_gamma(gamma), sorted(columns), torch.device(device)
        ask_offered(envs, info_keys(self.columns))
        self.profile = Profile(("act", "step"), self.device)
        self.episodes = torch.zeros(3, dtype=torch.float64, device=self.device)
        shape = (num_steps + 1, self.num_envs)
        self._image = torch.zeros(*shape, 7, 7, 3, dtype=torch.uint8, device=self.device)
        self._ended = torch.zeros(shape, dtype=torch.bool, device=self.device)  # row t: before step t
        self._info: dict[str, Tensor] = {}
        self._seen = torch.zeros(0, device=self.device)
        self.begin(None)

    def begin(self, seed: int | None) -> None:
        """Resets the worlds before the next rollout."""
        self._seed, self._started = seed, False
        self._returns = torch.zeros(self.num_envs, dtype=torch.float64, device=self.device)

    def read_episodes(self) -> dict[str, float]:
        """Episodes since it was last called: how many, the share that succeeded, their mean true return."""
        count, successes, returns = self.episodes.tolist()
        self.episodes.zero_()
        some = max(count, 1.0)
        return {"episodes": count, "success": successes / some, "return": returns / some}

    @torch.no_grad()
    def collect(self, agent: Agent) -> Rollout:
        """``num_steps`` steps of each world.

        Raises:
            TypeError: If the agent is not a `GridPPO`.
        """
        if not isinstance(agent, GridPPO):
            raise TypeError(f"a DeviceCollector collects for a GridPPO, got {type(agent).__name__}; use EnvCollector")
        self._begin_rollout(agent)
        network, acting, shape = agent.network, Acting(agent.network), self._ended[:-1].shape
        actions = torch.zeros(shape, dtype=torch.int64, device=self.device)
        rewards = torch.zeros(shape, device=self.device)
        noise = gumbel(*shape, network.num_actions, generator=agent.generator, device=self.device)
        outputs = torch.empty(*shape, acting.outputs, device=self.device)
        logits = outputs[..., : network.num_actions]
        terminated, truncated = (torch.zeros(shape, dtype=torch.bool, device=self.device) for _ in range(2))
        for t, seen in enumerate(self._seen[:-1].unbind()):
            with self.profile.phase("act"):
                outputs[t] = acting(seen)
                torch.argmax(logits[t] + noise[t], -1, out=actions[t])
            with self.profile.phase("step"):
                image, rewards[t], terminated[t], truncated[t], info = self.envs.step(actions[t])
                torch.logical_or(terminated[t], truncated[t], out=self._ended[t + 1])
                self._note(agent, t + 1, image, info)
        with self.profile.phase("act"):
            values = self._values(network, outputs[..., network.num_actions :])
            log_probs, _ = network.head.log_prob_and_entropy(logits.flatten(0, 1), actions.flatten())
        with self.profile.phase("step"):
            self._count(rewards)
        # An episode that is cut goes on in value. One that is both is an end.
        discount = torch.where(terminated, 0.0, self.gamma)
        info = {name: (column[1:] if name.startswith("next_") else column[:-1]) for name, column in self._rows()}
        info |= {
            ACTOR_SEEN: self._seen[:-1], ACTOR_LOG_PROB: log_probs.unflatten(0, shape),
            ACTOR_VALUES: values[:-1], ACTOR_NEXT_VALUES: values[1:],
        }  # fmt: skip
        return Rollout(
            obs=self._image[:-1], action=actions, next_obs=self._image[1:], terms={ENV: rewards}, discount=discount,
            terminated=terminated, truncated=truncated, mask=~self._ended[:-1], info=info,
        )  # fmt: skip

    def _values(self, network: Towers, acted: Tensor) -> Tensor:
        """V of all rows ``(T + 1, N, heads)``. Where the layers are shared, acting has found all but the last."""
        if acted.shape[-1]:
            return torch.cat([acted, network.critic(self._seen[-1])[None]])
        rows = self._seen.flatten(0, 1).split(network.rows_at_once)
        values: Tensor = torch.cat([network.critic(part) for part in rows]).unflatten(0, self._ended.shape)
        return values

    def _begin_rollout(self, agent: GridPPO) -> None:
        """The first row: the state after a reset, or after the last rollout."""
        if self._started:
            for buffer in (self._image, self._seen, self._ended, *self._info.values()):
                buffer[0] = buffer[-1]
            return
        self._seen = torch.zeros_like(agent.network.read(self._image))
        self._ended[0] = False
        image, info = self.envs.reset(seed=self._seed)
        self._note(agent, 0, image, info)
        self._started = True

    def _rows(self) -> list[tuple[str, Tensor]]:
        return [(name, self._info[name.removeprefix("next_")]) for name in self.columns]

    def _note(self, agent: GridPPO, row: int, image: Tensor, info: Mapping[str, Any]) -> None:
        self._image[row] = image
        self._seen[row] = agent.network.read(image)
        for name in {name.removeprefix("next_") for name in self.columns}:
            if name not in self._info:
                shape = (self.num_steps + 1, *info[name].shape)
                self._info[name] = torch.zeros(shape, dtype=info[name].dtype, device=self.device)
            self._info[name][row] = info[name]

    def _count(self, rewards: Tensor) -> None:
        """Adds up true returns. A world that waited has just begun anew."""
        waited, ended = self._ended[:-1], self._ended[1:]
        sums = self._returns + torch.where(waited, 0.0, rewards).double().cumsum(0)
        # The row in which the running episode began, counted from 1. It is 0 if that was before this rollout.
        begun = (torch.arange(1, len(rewards) + 1, device=self.device)[:, None] * waited).cummax(0).values
        returns = sums - torch.where(begun > 0, sums.gather(0, (begun - 1).clamp(min=0)), 0.0)
        self._returns = returns[-1]
        self.episodes += torch.stack([ended.sum(), (ended & (rewards > 0)).sum(), (returns * ended).sum()])


def stays_on_device(envs: VectorEnv[Any, Any, Any]) -> bool:
    """Whether a `DeviceCollector` can collect from worlds: they give tensors, and begin anew in the next step."""
    return getattr(envs, "device", None) is not None and autoreset_mode(envs) is AutoresetMode.NEXT_STEP


def device_loop(
    envs: VectorEnv[Any, Any, Any],
    config: GridPPOConfig | None = None,
    *,
    num_steps: int,
    gamma: float,
    shaper: Shaper | None = None,
    device: torch.device | str = "cpu",
    seed: int = 0,
) -> Loop:
    """A `Loop` of `GridPPO` on worlds of a device: collecting, shaping and learning stay there.

    Args:
        envs: See `DeviceCollector`.
        config: Hyper-parameters.
        num_steps: T.
        gamma: The learner's discount factor.
        shaper: Adds rewards to each rollout, or None.
        device: Where worlds, network and rollout are.
        seed: Seeds weights, actions, minibatches and the worlds.

    Raises:
        ValueError: If the worlds are of another kind.
    """
    columns = () if shaper is None else shaper.contract.info_columns
    collector = DeviceCollector(envs, num_steps, gamma=gamma, columns=columns, device=device)
    spaces = envs.single_observation_space, envs.single_action_space
    streams = None if shaper is None else shaper.streams
    loop = Loop(collector, GridPPO(*spaces, config, streams=streams, device=device, seed=seed), shaper)
    loop.begin(seed)
    return loop
