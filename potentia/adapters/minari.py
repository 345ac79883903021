"""Demonstrations from and to Minari's data sets (Younis et al. 2024), with the extra `minari`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import EnvSpec
from gymnasium.vector import VectorEnv

from potentia.arrays import host_array
from potentia.demonstrations import beside, check_episodes, check_spaces
from potentia.gamma import check_gamma, needs_gamma
from potentia.limits import check_at_least
from potentia.rollout import ENV, Rollout, Truncation, check_truncation, discount_column
from potentia.trees import Tree, map_tree

__all__ = ["from_minari", "to_minari"]


def to_minari(
    rollout: Rollout,
    dataset_id: str,
    envs: str | gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
    **options: Any,
) -> Any:
    """Writes demonstrations to a new local data set of Minari, and returns it.

    An episode of T steps has T + 1 observations there, the last of which is the last ``next_obs``. Of the reward terms
    only the environment's own is written: a data set has one reward. Of the info columns those are written that are
    there for both ends of a step, ``x`` and ``next_x``, and hold numbers. Pictures are written without loss.

    Args:
        rollout: Whole episodes, one a column.
        dataset_id: Such as ``"doorkey/expert-v0"``.
        envs: Where they come from, an id or an environment: its specification and its spaces are written.
        options: As of ``minari.create_dataset_from_buffers``: ``algorithm_name``, ``author``, ``description``, ...

    Raises:
        ImportError: If the extra "minari" is not installed.
        ValueError: If a column is not one whole episode, the spaces don't fit, or the data set exists.
        TypeError: If Minari can't hold a space.
    """
    minari = _minari()
    check_episodes(rollout)
    spec, observation_space, action_space = _described(envs)
    check_spaces(rollout, observation_space, action_space)
    for name, space in (("observation", observation_space), ("action", action_space)):
        _check_storable(space, name)
    arrays = rollout.map(host_array)
    buffers = [_buffer(minari, arrays, column, observation_space, action_space) for column in range(rollout.num_envs)]
    return minari.create_dataset_from_buffers(
        dataset_id, buffers, env=spec, observation_space=observation_space, action_space=action_space,
        **{"jpeg_encoding": False, "data_format": "hdf5"} | options,
    )  # fmt: skip


@needs_gamma
def from_minari(
    dataset: Any, *, gamma: float, episodes: int | None = None, truncation: Truncation = "bootstrap"
) -> Rollout:
    """The episodes of a data set of Minari as demonstrations, one a column.

    An episode that ends without either flag, as data sets have them that were cut from one stream, is truncated at its
    last step. Info columns that hold a number or a row for each observation become ``x`` and ``next_x``.

    Args:
        dataset: A data set, or the id of one on this machine. Nothing is downloaded.
        gamma: The learner's discount factor, in [0, 1].
        episodes: How many to take, the first ones. None takes all.
        truncation: What the learner does where an episode is cut: ``"bootstrap"`` or ``"terminal"``.

    Raises:
        ImportError: If the extra "minari" is not installed.
        FileNotFoundError: If there is no such data set on this machine.
        TypeError: If gamma is missing.
        ValueError: If there are fewer episodes, or one is empty.
    """
    check_gamma(gamma)
    check_truncation(truncation)
    check_at_least(1, episodes=episodes)
    if isinstance(dataset, str):
        try:
            dataset = _minari().load_dataset(dataset)
        except FileNotFoundError as error:
            raise FileNotFoundError(
                f"there is no data set {dataset!r} on this machine; fetch it with: minari download {dataset}"
            ) from error
    available = len(dataset)
    if episodes is not None and episodes > available:
        raise ValueError(f"{episodes} episodes were wanted, the data set has {available}; take episodes=None")
    taken = dataset.iterate_episodes(dataset.episode_indices[:episodes])
    return beside([_episode(one, dataset, gamma, truncation) for one in taken])


def _buffer(minari: Any, rollout: Rollout, column: int, obs: spaces.Space[Any], action: spaces.Space[Any]) -> Any:
    steps = int(rollout.mask[:, column].sum())

    def seen(space: spaces.Space[Any], here: Tree, last: Tree) -> Any:
        """T + 1 entries a leaf, lists of texts where these are texts."""
        joined = map_tree(lambda a, b: np.concatenate([a[:steps, column], b[steps - 1 : steps, column]]), here, last)
        return _stored(space, joined)

    return minari.data_collector.EpisodeBuffer(
        observations=seen(obs, rollout.obs, rollout.next_obs),
        actions=_stored(action, map_tree(lambda a: a[:steps, column], rollout.action)),
        rewards=rollout.terms[ENV][:steps, column],
        terminations=rollout.terminated[:steps, column],
        truncations=rollout.truncated[:steps, column],
        infos={
            name: np.concatenate([values[:steps, column], rollout.info[f"next_{name}"][steps - 1 : steps, column]])
            for name, values in rollout.info.items()
            if f"next_{name}" in rollout.info and _numeric(values)
        }
        or None,
    )


def _stored(space: spaces.Space[Any], tree: Tree) -> Any:
    if isinstance(space, spaces.Dict):
        return {key: _stored(part, tree[key]) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_stored(part, one) for part, one in zip(space.spaces, tree, strict=True))
    return tree.tolist() if isinstance(space, spaces.Text) else tree


def _episode(one: Any, dataset: Any, gamma: float, truncation: Truncation) -> Rollout:
    reward = np.asarray(one.rewards, np.float64)[:, None]
    if not len(reward):
        raise ValueError(f"episode {one.id} of the data set has no steps; leave it out with dataset.filter_episodes")
    terminated = np.asarray(one.terminations, bool)[:, None]
    truncated = np.asarray(one.truncations, bool)[:, None]
    truncated[-1] |= not terminated[-1]
    seen = _column(dataset.observation_space, one.observations)
    infos = {name: _lined_up(values, len(reward)) for name, values in dict(one.infos or {}).items()}
    columns = {name: values[:, None] for name, values in infos.items() if values is not None}
    return Rollout(
        obs=map_tree(lambda leaf: leaf[:-1], seen),
        action=_column(dataset.action_space, one.actions),
        next_obs=map_tree(lambda leaf: leaf[1:], seen),
        terms={ENV: reward},
        discount=discount_column(gamma, terminated, truncated, reward, truncation),
        terminated=terminated,
        truncated=truncated,
        info={name: values[:-1] for name, values in columns.items()}
        | {f"next_{name}": values[1:] for name, values in columns.items()},
    )


def _column(space: spaces.Space[Any], tree: Any) -> Tree:
    """What an episode holds as a tree of arrays ``(T, 1, ...)``."""
    if isinstance(space, spaces.Dict):
        return {key: _column(part, tree[key]) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(_column(part, one) for part, one in zip(space.spaces, tree, strict=True))
    if isinstance(space, spaces.Text):
        texts = np.empty((len(tree), 1), object)
        texts[:, 0] = list(tree)
        return texts
    return np.asarray(tree)[:, None]


def _lined_up(values: Any, steps: int) -> np.ndarray[Any, Any] | None:
    """An info column with a number or a row for each of T + 1 observations, else None."""
    if isinstance(values, Mapping):
        return None
    array = np.asarray(values)
    return array if _numeric(array) and array.shape[:1] == (steps + 1,) else None


def _numeric(values: Any) -> bool:
    return isinstance(values, np.ndarray) and values.dtype.kind in "biuf"


def _described(
    envs: str | gym.Env[Any, Any] | VectorEnv[Any, Any, Any],
) -> tuple[Any, spaces.Space[Any], spaces.Space[Any]]:
    """The specification of an environment, if it has one, and the spaces of a single one."""
    if isinstance(envs, str):
        env = gym.make(envs)
        try:
            return env.spec, env.observation_space, env.action_space
        finally:
            env.close()
    if isinstance(envs, VectorEnv):
        return _single(envs.spec), envs.single_observation_space, envs.single_action_space
    return envs.spec, envs.observation_space, envs.action_space


def _single(spec: EnvSpec | None) -> EnvSpec | None:
    """The specification of one environment of a vector."""
    if spec is None:
        return None
    of_vectors = ("num_envs", "vectorization_mode", "vector_kwargs", "autoreset_mode")
    return replace(spec, kwargs={name: value for name, value in spec.kwargs.items() if name not in of_vectors})


def _check_storable(space: spaces.Space[Any], name: str) -> None:
    parts: Iterable[spaces.Space[Any]] = ()
    if isinstance(space, spaces.Dict | spaces.Tuple):
        parts = space.spaces.values() if isinstance(space, spaces.Dict) else space.spaces
    elif not isinstance(space, spaces.Box | spaces.Discrete | spaces.MultiDiscrete | spaces.MultiBinary | spaces.Text):
        raise TypeError(
            f"Minari can't hold the {name} space {space}: it holds Box, Discrete, MultiDiscrete, MultiBinary, Text, "
            "Dict and Tuple; save the demonstrations with potentia.demonstrations.save"
        )
    for part in parts:
        _check_storable(part, name)


def _minari() -> Any:
    try:
        import minari  # noqa: PLC0415 - an extra
        import minari.data_collector  # noqa: PLC0415
    except ImportError as error:
        raise ImportError('data sets of Minari need the extra "minari": pip install "potentia[minari]"') from error
    return minari
