"""Evaluation: the true return of a frozen policy, in environments of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.agents.agent import Agent
from potentia.arrays import host_array
from potentia.collect import forget, within_bounds
from potentia.transitions import autoreset_mode
from potentia.trees import map_tree
from potentia.wrappers.stack import untrue_reward

_TRUE_REWARD = "true_reward"


@dataclass(frozen=True)
class Evaluation:
    """Finished episodes, ordered by environment and then by time.

    Attributes:
        returns: True undiscounted returns.
        lengths: Numbers of steps.
        successes: Whether the episode's last ``info["success"]`` was True. None means that the environment does not
            say.
    """

    returns: list[float]
    lengths: list[int]
    successes: list[bool] | None

    @property
    def metrics(self) -> dict[str, Any]:
        """``episodes``, ``returns``, ``return_mean``, ``length_mean`` and ``success_rate`` (None if unknown)."""
        return {
            "episodes": len(self.returns),
            "returns": self.returns,
            "return_mean": float(np.mean(self.returns)),
            "length_mean": float(np.mean(self.lengths)),
            "success_rate": None if self.successes is None else float(np.mean(self.successes)),
        }


def evaluate(
    make_envs: Callable[[], VectorEnv[Any, Any, Any]],
    agent: Agent,
    episodes: int,
    *,
    seed: int,
    greedy: bool = False,
) -> Evaluation:
    """Plays exactly ``episodes`` episodes with ``agent.frozen(...)``. The agent itself is left unchanged.

    Each of N environments plays a number of episodes fixed in advance. Stopping at the first ``episodes`` to end would
    favour short ones, which in many worlds are the failures, or the successes.

    Args:
        make_envs: Makes the vector environment, which is closed at the end. Its ``info["true_reward"]`` is what counts,
            where it has one, as if it is shaped.
        agent: Any agent.
        episodes: At least 1.
        seed: Seeds the environments and the actions.
        greedy: Whether to take the most probable actions instead of drawing them.

    Raises:
        ValueError: If ``episodes`` is less than 1, a reward is not finite, or a wrapper in this process changes the
            reward.
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, got {episodes}")
    envs = make_envs()
    try:
        return _play(envs, agent.frozen(greedy=greedy, seed=seed), episodes, seed)
    finally:
        envs.close()


def _play(envs: VectorEnv[Any, Any, Any], actor: Any, episodes: int, seed: int) -> Evaluation:
    count = envs.num_envs
    quota = np.full(count, episodes // count) + (np.arange(count) < episodes % count)
    played: list[list[tuple[float, int, bool | None]]] = [[] for _ in range(count)]
    mode = autoreset_mode(envs)
    obs, _ = envs.reset(seed=seed)
    fresh = actor.init(count)
    carry, live = fresh, np.ones(count, dtype=bool)
    returns, lengths, first = np.zeros(count), np.zeros(count, dtype=np.int64), True
    tensors = hasattr(next(iter(_leaves(obs))), "detach")
    while any(len(done) < wanted for done, wanted in zip(played, quota, strict=True)):
        action, carry = actor.act(obs, carry)
        action = action if tensors else map_tree(host_array, action)
        obs, reward, terminated, truncated, info = envs.step(within_bounds(action, envs.single_action_space))
        if first and (message := untrue_reward(envs, "evaluate", info)):
            raise ValueError(message)
        first = False
        done = (host_array(terminated) | host_array(truncated)) & live
        last = info.get("final_info", {}) if mode is AutoresetMode.SAME_STEP and done.any() else {}
        true = np.asarray(host_array(info.get(_TRUE_REWARD, reward)), dtype=np.float64)
        if _TRUE_REWARD in last:
            true = np.where(done, np.asarray(host_array(last[_TRUE_REWARD]), dtype=np.float64), true)
        if not np.isfinite(true[live]).all():
            bad = int(np.flatnonzero(live & ~np.isfinite(true))[0])
            raise ValueError(
                f"the true reward must be finite, got {true[bad]} in environment {bad}, step {lengths[bad] + 1} "
                "of its episode; mend the environment"
            )
        returns, lengths = returns + np.where(live, true, 0.0), lengths + live
        for index in np.flatnonzero(done):
            if len(played[index]) < quota[index]:
                success = _success(last if last else info, int(index))
                played[index].append((float(returns[index]), int(lengths[index]), success))
        returns[done], lengths[done] = 0.0, 0
        finished = done | ~live
        carry = forget(carry, fresh, finished)
        live = ~done if mode is AutoresetMode.NEXT_STEP else np.ones(count, dtype=bool)
        if mode is AutoresetMode.DISABLED and done.any():
            obs, _ = envs.reset(options={"reset_mask": done})
    return _collected([episode for column in played for episode in column])


def _collected(played: list[tuple[float, int, bool | None]]) -> Evaluation:
    returns, lengths, successes = zip(*played, strict=True)
    known = None if any(success is None for success in successes) else [bool(success) for success in successes]
    return Evaluation(list(returns), list(lengths), known)


def _success(info: Mapping[str, Any], index: int) -> bool | None:
    return bool(info["success"][index]) if "success" in info else None


def _leaves(tree: Any) -> Any:
    if isinstance(tree, dict):
        return (leaf for part in tree.values() for leaf in _leaves(part))
    return (leaf for part in tree for leaf in _leaves(part)) if isinstance(tree, tuple) else iter([tree])
