"""A MiniGrid task as one of this library's worlds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium as gym
from gymnasium import spaces

from potentia.envs.minigrid.captions import CaptionWriter
from potentia.envs.minigrid.distances import DistanceOracle
from potentia.envs.minigrid.events import Snapshot, front_cell, happened
from potentia.envs.minigrid.state_hash import StateHash
from potentia.envs.minigrid.tasks import Task, minigrid_id, task_of
from potentia.envs.minigrid.view import View, no_view

if TYPE_CHECKING:
    from minigrid.minigrid_env import MiniGridEnv

__all__ = ["INFO_KEYS", "MiniGridWorld"]

INFO_KEYS = ("caption", "state_hash", "distance", "potential", "subgoals", "success")


class MiniGridWorld(gym.Env[Any, Any]):
    """A sparse MiniGrid task with its own reward and limit, and with an info that describes the true state.

    MiniGrid: Chevalier-Boisvert et al. 2023, arXiv 2306.13831. Success, which alone ends an episode with a
    positive reward, pays 1 - 0.9 * steps / limit. The info after a reset and after every step describes the
    state reached: ``caption`` (what the agent sees and carries), ``state_hash`` (of all but the step count),
    ``distance`` (fewest actions to success in the true state; -1.0 if there is no way, or the episode
    failed), ``potential`` (-distance / D, not below -1, with D = 4 * (width + height)), ``subgoals`` (the
    events of the task), ``success``. Tasks whose `Task.oracle` is None have neither ``distance`` nor
    ``potential``; with moving obstacles these are ignored in the distance.

    Args:
        name: MiniGrid's id without "MiniGrid-" and without the version, such as "DoorKey-8x8"; the newest
            version is used.
        observation: "image" for the partial view, (7, 7, 3) uint8, or "dict" for MiniGrid's own dictionary of
            image, direction and mission.
        info_keys: The keys of ``info`` wanted; None for all that the task has.
        render_mode: As in MiniGrid.
        kwargs: Passed to the MiniGrid environment.

    Raises:
        ImportError: If the minigrid package is missing.
        ValueError: If the name, the observation or an info key is unknown.
    """

    metadata = {"render_modes": ["human", "rgb_array"], "render_fps": 10}  # noqa: RUF012 - Gymnasium's attribute

    def __init__(
        self,
        name: str,
        *,
        observation: str = "image",
        info_keys: tuple[str, ...] | None = None,
        render_mode: str | None = None,
        **kwargs: Any,
    ) -> None:
        if observation not in {"image", "dict"}:
            raise ValueError(f'observation must be "image" or "dict", got {observation!r}')
        self.task = task_of(name)
        self.game = _make_game(name, render_mode=render_mode, **kwargs)
        self.render_mode = render_mode
        self.action_space = self.game.action_space
        whole = self.game.observation_space
        assert isinstance(whole, spaces.Dict)
        self.observation_space = whole["image"] if observation == "image" else whole
        self._image_only = observation == "image"
        self._keys = _wanted(info_keys, self.task)
        self._farthest = 4.0 * (self.game.width + self.game.height)
        self._view = View(self.game)
        self.game.gen_obs = no_view  # type: ignore[method-assign]
        self._caption = CaptionWriter()
        self._hash: StateHash | None = None
        self._oracle: DistanceOracle | None = None

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Generate a new grid; without a seed MiniGrid's random stream goes on."""
        super().reset(seed=seed)
        self.game.reset(seed=seed)
        view = self._view()
        self.np_random = self.game.np_random
        if "state_hash" in self._keys:
            self._hash = StateHash(self.game)
        if "distance" in self._keys or "potential" in self._keys:
            self._oracle = DistanceOracle(self.game, str(self.task.oracle))
        return self._observe(view), self._info(view, dict.fromkeys(self.task.events, False), False, False)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Take one action; an episode that ends itself in its last step is terminated and not truncated."""
        game = self.game
        if not self._keys:
            _, reward, terminated, truncated, _ = game.step(action)
            return self._observe(self._view()), float(reward), terminated, truncated and not terminated, {}
        front = front_cell(game)
        before = Snapshot.of(game, front)
        _, reward, terminated, truncated, _ = game.step(action)
        view = self._view()
        success = terminated and float(reward) > 0
        if self._hash is not None:
            self._note_changes(front)
        events: dict[str, bool] = {}
        if "subgoals" in self._keys:
            every = happened(game, before, front, success, terminated and not success)
            events = {name: every[name] for name in self.task.events}
        info = self._info(view, events, success, terminated)
        return self._observe(view), float(reward), terminated, truncated and not terminated, info

    def render(self) -> Any:
        """MiniGrid's picture."""
        return self.game.render()

    def close(self) -> None:
        """Close MiniGrid's window."""
        self.game.close()

    def _observe(self, view: dict[str, Any]) -> Any:
        return view["image"] if self._image_only else view

    def _note_changes(self, front: int) -> None:
        assert self._hash is not None
        self._hash.refresh(front)
        if self.task.oracle == "goal_past_obstacles":
            # Obstacles walk wherever they like.
            for cell in range(self.game.width * self.game.height):
                self._hash.refresh(cell)

    def _info(self, view: dict[str, Any], events: dict[str, bool], success: bool, terminated: bool) -> dict[str, Any]:
        keys = self._keys
        info: dict[str, Any] = {}
        if "caption" in keys:
            info["caption"] = self._caption(view["image"])
        if self._hash is not None:
            info["state_hash"] = self._hash.value()
        if self._oracle is not None:
            steps = (0 if success else None) if terminated else self._oracle.distance()
            if "distance" in keys:
                info["distance"] = -1.0 if steps is None else float(steps)
            if "potential" in keys:
                info["potential"] = -1.0 if steps is None else max(0.0 - steps / self._farthest, -1.0)
        if "subgoals" in keys:
            info["subgoals"] = events
        if "success" in keys:
            info["success"] = success
        return info


def _wanted(info_keys: tuple[str, ...] | None, task: Task) -> tuple[str, ...]:
    offered = tuple(key for key in INFO_KEYS if task.oracle or key not in {"distance", "potential"})
    if info_keys is None:
        return offered
    if unknown := sorted(set(info_keys) - set(offered)):
        raise ValueError(f"info_keys must be among {offered} in this task, got {unknown}")
    return tuple(info_keys)


def _make_game(name: str, **kwargs: Any) -> MiniGridEnv:
    """The bare MiniGrid environment, without Gymnasium's wrappers."""
    try:
        import minigrid  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        raise ImportError("this needs the extra 'minigrid': pip install 'potentia[minigrid]'") from error
    identifier = minigrid_id(name)
    if identifier not in gym.registry:
        minigrid.register_minigrid_envs()
    game: MiniGridEnv = gym.make(identifier, disable_env_checker=True, **kwargs).unwrapped  # type: ignore[assignment]
    return game
