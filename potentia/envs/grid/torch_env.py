"""Grid worlds in PyTorch, on any device that it knows: nothing leaves the device once the levels are there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from torch import Tensor

from potentia.envs.grid.levels import find_level
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.torch_rules import TorchRules, TorchState
from potentia.envs.grid.vector import ACTION_NAMES, FREE_KEYS, IMAGE_SPACE
from potentia.envs.grid.worlds import DISABLED, GridWorlds
from potentia.envs.vector_reset import reset_mask, seeds_of
from potentia.envs.world import World


class TorchGridVectorEnv(World, VectorEnv[Any, Any, Any]):
    """N worlds of a level by `potentia.envs.grid.torch_rules.TorchRules`, beginning anew in the step after an end.

    The levels come from a pool that is drawn beforehand: a world that begins anew takes one of them, at random. So
    there are as many different levels as the pool has, and not MiniGrid's own reset after reset. Nor do the balls of
    Dynamic-Obstacles move by MiniGrid's random numbers. Observations are images, ``info`` can have ``success`` and
    nothing else. Actions are not checked, since that would wait for the device.

    Args:
        level: A name in `potentia.envs.grid.LEVELS`, or a level.
        num_envs: N.
        device: Where the worlds are.
        pool: How many levels there are.
        info_keys: The keys of ``info`` wanted, "all", or None for ``success``.
        max_steps: Another time limit than the level's.

    Raises:
        ValueError: If there is no such level or key, or a number is less than 1.
    """

    def __init__(
        self,
        level: str | Level,
        num_envs: int = 1,
        *,
        device: torch.device | str = "cpu",
        pool: int = 4096,
        info_keys: Sequence[str] | None = None,
        max_steps: int | None = None,
    ) -> None:
        if num_envs < 1 or pool < 1:
            raise ValueError(f"num_envs and pool must be at least 1, got {num_envs} and {pool}")
        self.level = find_level(level) if isinstance(level, str) else level
        self.num_envs, self.device, self.pool = num_envs, torch.device(device), pool
        self.autoreset_mode = AutoresetMode.NEXT_STEP
        self.metadata = {"autoreset_mode": self.autoreset_mode, "render_modes": []}
        self.single_observation_space = IMAGE_SPACE
        self.single_action_space = spaces.Discrete(self.level.actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self.generator = torch.Generator(self.device)
        self.rules = TorchRules(self.level, max_steps=max_steps, device=self.device, generator=self.generator)
        self._levels: TorchState | None = None
        self._state: TorchState | None = None
        self._everywhere = torch.ones(num_envs, dtype=torch.bool, device=self.device)
        self._waiting = ~self._everywhere
        self.offer(FREE_KEYS, FREE_KEYS, info_keys)

    @property
    def time_limit(self) -> int | None:
        """The level's, or ``max_steps``."""
        return int(self.rules.max_steps)

    @property
    def action_names(self) -> Sequence[str]:
        """MiniGrid's."""
        return ACTION_NAMES

    def reset(
        self, *, seed: int | Sequence[int | None] | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Tensor, dict[str, Any]]:
        """Draws the pool, if there is a seed or none was drawn before, and puts each world at one of its levels.

        Args:
            seed: None or one number, which is the pool's.
            options: ``{"reset_mask": mask}`` with a bool array ``(N,)``, perhaps on the device, leaves the other worlds
                where they are. It goes with no seed.

        Raises:
            TypeError: If the seed is none, or there are several.
            ValueError: If the mask has the wrong shape, or comes with a seed.
        """
        mask = self._mask_of(options)
        [first, *_] = seeds_of(seed, self.num_envs)
        if seed is not None and not isinstance(seed, int | np.integer):
            raise TypeError(f"the worlds share one pool of levels, so seed must be one number, got {seed!r}")
        if seed is not None and mask is not self._everywhere and self._levels is not None:
            raise ValueError("a seed draws the pool that all worlds share: leave out reset_mask, or the seed")
        if seed is not None or self._levels is None:
            self._draw(first)
        fresh = self._some_levels()
        kept = fresh if self._state is None or seed is not None else self._state
        self._state = _chosen(mask, fresh, kept)
        self._waiting = self._waiting & ~mask
        return self.rules.observe(self._state), self._tell(torch.zeros_like(mask))

    def _mask_of(self, options: dict[str, Any] | None) -> Tensor:
        mask = (options or {}).get("reset_mask")
        if not isinstance(mask, Tensor):
            mask = reset_mask(options, self.num_envs)
        return self._everywhere if mask is None else torch.as_tensor(mask, dtype=torch.bool, device=self.device)

    def _draw(self, seed: int | None) -> None:
        """The pool."""
        first = int(np.random.SeedSequence(seed).generate_state(1)[0])
        drawn = GridWorlds(self.level, self.pool, DISABLED)
        for n in range(self.pool):
            drawn.seed(n, first + n)
        drawn.reset()
        self._levels = TorchState.from_worlds(drawn, self.device)
        self.generator.manual_seed(first)

    def step(self, actions: Any) -> tuple[Tensor, Tensor, Tensor, Tensor, dict[str, Any]]:
        """One action ``(N,)`` in each world, or a new level where the last one ended.

        Raises:
            RuntimeError: If it comes before the first reset.
        """
        if self._state is None:
            raise RuntimeError("step() came before reset(): call reset() first")
        anew = self._waiting
        actions = torch.as_tensor(actions, device=self.device)
        after, reward, terminated, truncated, success = self.rules.step(self._state, actions)
        self._state = _chosen(anew, self._some_levels(), after)
        terminated, truncated, success = (flag & ~anew for flag in (terminated, truncated, success))
        self._waiting = terminated | truncated
        reward = torch.where(anew, torch.zeros_like(reward), reward)
        return self.rules.observe(self._state), reward, terminated, truncated, self._tell(success)

    def _tell(self, success: Tensor) -> dict[str, Any]:
        return {"success": success, "_success": self._everywhere.clone()} if "success" in self.info_keys else {}

    def _some_levels(self) -> TorchState:
        assert self._levels is not None
        rows = torch.randint(self.pool, (self.num_envs,), generator=self.generator, device=self.device)
        return TorchState(*(part.index_select(0, rows) for part in self._levels))


def _chosen(mask: Tensor, these: TorchState, those: TorchState) -> TorchState:
    """These where the mask says so, else those."""
    return TorchState(*(torch.where(mask[:, None], new, old) for new, old in zip(these, those, strict=True)))
