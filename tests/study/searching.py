"""A toy world of policies, and a search in it, for studies that need neither to be good."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import gymnasium as gym
import numpy as np
from gymnasium import spaces

from potentia.agents.search.measures import Measures
from potentia.state import Stateful

BOUNDS = ((-1.0, 1.0), (-1.0, 1.0))
GOAL, RADIUS = np.array([0.5, 0.5]), 0.3


class Throws(gym.Env[Any, Any]):
    """A policy is where it throws, a little off each time. An area around (0.5, 0.5) pays."""

    metadata: ClassVar[dict[str, Any]] = {"render_modes": []}
    observation_space = spaces.Box(0.0, 1.0, (1,))
    action_space = spaces.Box(-2.0, 2.0, (2,))
    random_return, optimal_return = 0.0, 1.0

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        return np.zeros(1, np.float32), self._info(np.zeros(2))

    def step(self, action: Any) -> Any:
        place = np.tanh(np.asarray(action, np.float64) + self.np_random.normal(0, 0.01, 2))
        info = self._info(place)
        reward = max(0.0, 1.0 - float(np.linalg.norm(place - GOAL)) / RADIUS)
        return np.zeros(1, np.float32), reward, True, False, info

    @staticmethod
    def _info(place: Any) -> dict[str, Any]:
        inside = np.linalg.norm(place - GOAL) < RADIUS
        return {"descriptor": place.astype(np.float32), "area": np.int64(0 if inside else -1)}


gym.register("tests/Throws-v0", entry_point=Throws)


@dataclass(frozen=True)
class WandersConfig:
    sigma: float = 0.2
    bounds: tuple[tuple[float, float], ...] = BOUNDS


class Wanders(Stateful):
    """Varies what it has kept, and keeps what comes."""

    Config: ClassVar[type[WandersConfig]] = WandersConfig
    rollout_steps: ClassVar[int] = 1
    reads: ClassVar[frozenset[str]] = frozenset({"info:next_descriptor", "info:next_area"})
    saved = ("rng", "kept", "returns", "descriptor", "measures")
    policy = None

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        config: WandersConfig | None = None,
        *,
        streams: Mapping[str, Any] | None = None,
        device: Any = "cpu",
        seed: int = 0,
    ) -> None:
        del observation_space, streams, device
        self.config = config or WandersConfig()
        self.size = int(np.prod(action_space.shape or ()))
        self.rng = np.random.default_rng(seed)
        self.kept, self.returns = np.zeros((1, self.size), np.float32), np.zeros(1)
        self.descriptor = np.zeros((1, 2), np.float32)
        self.measures = Measures(self.config.bounds)

    def init(self, num_envs: int) -> Any:
        return ()

    def act(self, obs: Any, carry: Any) -> Any:
        parents = self.kept[self.rng.integers(len(self.kept), size=len(obs))]
        return (parents + self.rng.normal(0, self.config.sigma, parents.shape)).astype(np.float32), carry

    def learn(self, rollout: Any) -> dict[str, Any]:
        descriptor = np.asarray(rollout.info["next_descriptor"])[0]
        returns = np.asarray(rollout.terms["env"])[0]
        self.measures.add(descriptor, returns, np.asarray(rollout.info["next_area"])[0])
        self.kept = np.concatenate([self.kept, np.asarray(rollout.action)[0]])
        self.returns = np.concatenate([self.returns, returns])
        self.descriptor = np.concatenate([self.descriptor, descriptor])
        return self.measures.metrics()

    def archive_map(self) -> dict[str, Any]:
        return {"descriptor": self.descriptor, "return": self.returns}

    def frozen(self, *, greedy: bool = False, seed: int = 0) -> Any:
        del seed
        return Best(self.kept[self.returns.argmax() if greedy else -1])


@dataclass(frozen=True)
class Best:
    """One policy: the best, or the newest."""

    genome: Any

    def init(self, num_envs: int) -> Any:
        return ()

    def act(self, obs: Any, carry: Any) -> Any:
        return np.tile(self.genome, (len(obs), 1)), carry
