"""Meta-World's manipulation tasks with a sparse reward, exact seeds and a state that can be kept."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from potentia.envs.info_keys import number
from potentia.envs.mujoco.catalogue import METAWORLD_TASKS
from potentia.envs.mujoco.simulation import Obs, SimulatedWorld, share
from potentia.limits import check_among

__all__ = ["MetaWorld", "metaworld_module"]

_FAR = 2.0
"""Metres from the origin beyond which an object is shown no farther: three times the hand's reach."""


class MetaWorld(SimulatedWorld):
    """A task of Meta-World (Yu et al. 2019, arXiv 1910.10897; McLean et al. 2025, arXiv 2505.11289), by its state.

    The reward is 1 on the step of the first success, and 0 elsewhere, so that the return says what the literature
    counts: whether the task was done at any step. Success ends the episode unless ``terminate_on_success`` is False.
    Then the episode has its full length, as imitation by a sum of costs wants it.

    Each reset draws positions of the object and of the goal from this world's own random numbers, and
    ``reset(seed=...)`` decides them all. What is seen are Meta-World's 39 numbers with the goal: hand, gripper and
    objects now and one step before, and the goal's position. The package shows at a reset where objects stood before it
    moved them. Here they are shown where they are.

    ``info`` has ``success``, and on request ``progress`` (the package's own ``in_place_reward``, how far the object is
    where it should be, and 1 at success; it need not begin at 0) and ``dense`` (the package's shaped reward, in
    [0, 10]). No potential is offered: how far it is to success is not known.

    Args:
        task: A name in `METAWORLD_TASKS`, such as "drawer-open".
        max_steps: The time limit, 500 in Meta-World.
        terminate_on_success: Whether success ends the episode.
        info_keys: Keys of the info, "all", or None for ``success``.
        render_mode: "rgb_array" or None.
        camera: The name of the camera of ``render``, such as "corner2".
        size: The side of its pictures in pixels.

    Raises:
        ImportError: If the extra "metaworld" is not installed.
        ValueError: On an unknown task, info key or render_mode.
    """

    kept = (*SimulatedWorld.kept, "_dense", "_told")

    def __init__(
        self,
        task: str,
        *,
        max_steps: int = 500,
        terminate_on_success: bool = True,
        info_keys: Any = None,
        render_mode: str | None = None,
        camera: str = "corner2",
        size: int = 480,
    ) -> None:
        check_among(METAWORLD_TASKS, task=task)
        super().__init__(max_steps=max_steps, terminate_on_success=terminate_on_success, render_mode=render_mode)
        self.task = task
        kind = metaworld_module("env_dict").ALL_V3_ENVIRONMENTS[f"{task}-v3"]
        inner = self._inner = kind(render_mode=render_mode, camera_name=camera, width=size, height=size)
        inner.seeded_rand_vec, inner._set_task_called, inner._partially_observable = True, True, False
        inner.__dict__.pop("sawyer_observation_space", None)  # it was computed for a goal that is hidden
        inner.max_path_length = max_steps + 1  # the limit is this world's
        self.observation_space = _finite(inner.sawyer_observation_space)
        self.action_space = spaces.Box(-1.0, 1.0, (4,), np.float32)
        self.simulate(inner.model, inner.data, [inner])
        self._dense, self._told = 0.0, dict[str, Any]()
        self.offer(("success", "progress", "dense"), ("success",), info_keys)

    def goal_text(self) -> str:
        """The task's name in words."""
        return self.task.replace("-", " ")

    def render(self) -> Any:
        """A picture ``(size, size, 3)`` of the camera."""
        return self._inner.render()

    def close(self) -> None:
        """Gives back what draws pictures."""
        self._inner.close()

    def _begin(self) -> Obs:
        import mujoco  # noqa: PLC0415 - it comes with the extra

        inner = self._inner
        # As the package plays a task: positions are drawn once, and set twice. The second time the hand comes to its
        # place among objects that stand where they will. Nothing of the episode before is left.
        mujoco.mj_resetData(inner.model, inner.data)
        inner._freeze_rand_vec = False
        inner.reset_model()
        inner._freeze_rand_vec, inner._last_rand_vec = True, np.array(inner._last_rand_vec)
        inner.reset()
        mujoco.mj_forward(inner.model, inner.data)
        inner._prev_obs = inner._get_curr_obs_combined_no_goal()
        obs: Obs = inner._get_obs()
        self._dense, self._told = inner.evaluate_state(self._bounded(obs), np.zeros(4, np.float32))
        return obs

    def _advance(self, action: NDArray[np.float32]) -> Obs:
        obs: Obs
        obs, self._dense, _, _, self._told = self._inner.step(action)
        return obs

    def _success(self) -> bool:
        return bool(self._told["success"])

    def _tell(self, key: str) -> Any:
        if key == "dense":
            return number(self._dense)
        return share(1.0 if self._success() else float(self._told["in_place_reward"]))


def _finite(space: Any) -> spaces.Box:
    """The package's space with bounds for the objects: places in metres, and quaternions. None has a single value."""
    objects = np.array(([_FAR] * 3 + [1.0] * 4) * 2)
    one = np.concatenate([np.full(4, np.inf), objects])
    bounds = np.concatenate([one, one, np.full(3, np.inf)])
    low, high = np.maximum(space.low, -bounds), np.minimum(space.high, bounds)
    single = low >= high  # a coordinate that all goals of a task share
    return spaces.Box(np.where(single, -_FAR, low), np.where(single, _FAR, high), dtype=np.float64)


def metaworld_module(name: str) -> Any:
    """A module of the package, such as "policies".

    Raises:
        ImportError: If the extra "metaworld" is not installed.
    """
    try:
        return importlib.import_module(f"metaworld.{name}")
    except ImportError as error:
        raise ImportError(
            'Meta-World\'s tasks need the extra "metaworld": pip install "potentia[metaworld]"'
        ) from error
