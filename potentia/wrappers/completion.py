"""What an episode would come to if it were finished from here by a fixed way to act."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils import RecordConstructorArgs

from potentia.collect import Actor
from potentia.envs.world import Restorable
from potentia.trees import map_tree

__all__ = ["Completion"]


class Completion(gym.Wrapper[Any, Any, Any, Any], RecordConstructorArgs):
    """Puts ``completion`` into the info: the return of the episode so far, plus that of finishing it with an actor.

    After each reset and step the world is saved, played to its end by the actor, and restored. So it costs a playout a
    step. `potentia.shaping.TurningPoint` reads it.

    Args:
        env: A world of this library that can be saved and restored, and that ends its episodes itself.
        actor: Who finishes. It should be deterministic, as for all of an episode's steps the same way is meant.
        max_steps: The most steps that finishing may take.

    Raises:
        TypeError: If the world can't be saved and restored.

    >>> import potentia
    >>> from potentia.envs.experts import expert
    >>> world = gym.make("potentia/Chain-v0", length=5)
    >>> env = Completion(world, expert(world))
    >>> env.reset(seed=0)[1]["completion"]
    np.float64(1.0)
    """

    def __init__(self, env: gym.Env[Any, Any], actor: Actor, *, max_steps: int = 10_000) -> None:
        RecordConstructorArgs.__init__(self, actor=actor, max_steps=max_steps)
        gym.Wrapper.__init__(self, env)
        world: Any = env.unwrapped
        if not isinstance(world, Restorable):
            raise TypeError(f"the world must have save and restore to be finished and gone back to, {world} has not")
        self.world: Any = world
        self.actor, self.max_steps = actor, max_steps
        self._so_far = 0.0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Starts an episode."""
        obs, info = self.env.reset(seed=seed, options=options)
        self._so_far = 0.0
        return obs, {**info, "completion": self._finished(obs)}

    def step(self, action: Any) -> tuple[Any, Any, bool, bool, dict[str, Any]]:
        """Takes one step."""
        obs, reward, terminated, truncated, info = self.env.step(action)
        self._so_far += float(reward)
        total = np.float64(self._so_far) if terminated or truncated else self._finished(obs)
        return obs, reward, terminated, truncated, {**info, "completion": total}

    def _finished(self, obs: Any) -> np.float64:
        saved, carry, total = self.world.save(), self.actor.init(1), self._so_far
        for _ in range(self.max_steps):
            action, carry = self.actor.act(map_tree(lambda leaf: np.asarray(leaf)[None], obs), carry)
            obs, reward, terminated, truncated, _ = self.world.step(map_tree(lambda leaf: np.asarray(leaf)[0], action))
            total += float(reward)
            if terminated or truncated:
                self.world.restore(saved)
                return np.float64(total)
        raise ValueError(
            f"finishing an episode took more than max_steps={self.max_steps} steps; give the world a limit"
        )
