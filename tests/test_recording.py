"""Recording: only successes are kept, the count of the others is told, and a seed decides it all."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium.vector import SyncVectorEnv

from potentia.demonstrations import check_episodes
from potentia.recording import record_demonstrations


class Coin(gym.Env[Any, Any]):
    """A coin of three tries: the episode succeeds if the action is what the observation says, and ends at once."""

    observation_space, action_space = gym.spaces.Discrete(3), gym.spaces.Discrete(3)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.side, self.t = int(self.np_random.integers(3)), 0
        return self.side, {"success": False}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.t += 1
        right = int(action) == self.side
        return self.side, float(right), right, self.t == 2, {"success": right}


class Zero:
    """Always takes action 0: right at once where the side is 0, and wrong elsewhere."""

    def init(self, num_envs: int) -> Any:
        return ()

    def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
        return np.zeros(len(obs), int), carry


def coins() -> SyncVectorEnv:
    return SyncVectorEnv([Coin, Coin])


def test_only_successes_are_kept() -> None:
    shown, thrown = record_demonstrations(coins(), 5, Zero(), gamma=0.9, seed=1)
    check_episodes(shown)
    assert shown.obs.tolist() == [[0] * 5]
    assert shown.reward.tolist() == [[1.0] * 5]
    assert thrown > 0
    again, thrown_again = record_demonstrations(coins(), 5, Zero(), gamma=0.9, seed=1)
    assert thrown_again == thrown
    assert again.obs.tolist() == shown.obs.tolist()


def test_all_are_kept_on_request() -> None:
    shown, thrown = record_demonstrations(coins(), 8, Zero(), gamma=0.9, seed=1, successful_only=False)
    assert thrown == 0
    assert shown.num_envs == 8
    assert set(shown.obs[0].tolist()) == {0, 1, 2}
    assert shown.mask.sum(0).tolist() == [1 if side == 0 else 2 for side in shown.obs[0].tolist()]


def test_too_few_successes_are_an_error() -> None:
    class Never(Zero):
        def act(self, obs: Any, carry: Any) -> tuple[Any, Any]:
            return (obs + 1) % 3, carry

    with pytest.raises(ValueError, match="2 demonstrations were wanted, got 0 successes in 7 episodes"):
        record_demonstrations(coins(), 2, Never(), gamma=0.9, max_played=7)
    with pytest.raises(TypeError, match="record_demonstrations needs gamma"):
        record_demonstrations(coins(), 2, Zero())  # type: ignore[call-arg]
