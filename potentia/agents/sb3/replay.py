"""Shaping for DQN, SAC and TD3: transitions are shaped anew whenever they are sampled."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
from stable_baselines3.common.buffers import ReplayBuffer
from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
from stable_baselines3.common.type_aliases import ReplayBufferSamples
from stable_baselines3.common.vec_env import VecNormalize

from potentia.agents.sb3.recorder import TransitionRecorder
from potentia.agents.sb3.stack import check_stack, raise_severe
from potentia.rollout import ENV, Rollout, concatenate
from potentia.shaping.fit import Home, require_fit
from potentia.shaping.shaper import Shaper
from potentia.trees import Tree, map_tree

REPLAY = Home("a replay of Stable-Baselines3", ordered=False)
"""What a replay buffer offers a shaper, if its model reads discounts (`replay_home`)."""


def replay_home(model: OffPolicyAlgorithm) -> Home:
    """What the replay of a model offers a shaper.

    A shaper may set the discount if the model's targets read the samples' ``discounts``. DQN, SAC and TD3 do from
    Stable-Baselines3 2.7 on, for n-step returns, as do QRDQN, TQC and CrossQ of sb3-contrib.
    """
    trains: list[Any] = [vars(kind).get("train") for kind in type(model).__mro__]
    reads = any("discounts" in train.__code__.co_names for train in trains if hasattr(train, "__code__"))
    return replace(REPLAY, discounts=reads and "discounts" in ReplayBufferSamples._fields)


class ShapedReplayBuffer(ReplayBuffer):
    """A replay buffer that stores the true reward and shapes it anew whenever it is sampled.

    So the terms are always those of the present shaper: bonuses of old transitions fade as their states become known.
    If the shaper sets the discount, so is the discount: old transitions have the present one.
    Each transition is learned from once, when it arrives, after ``shaper.update_size`` of them have been gathered.

    Args:
        *args: As for ``ReplayBuffer``.
        shaper: The shaper. It must not remember within an episode, for samples have no order.
        model: The model whose transitions it stores.
        **kwargs: As for ``ReplayBuffer``.

    Raises:
        ValueError: If the shaper needs an episode's order, or memory is to be saved by not storing next observations.
    """

    def __init__(self, *args: Any, shaper: Shaper, model: OffPolicyAlgorithm, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.optimize_memory_usage:
            raise ValueError("optimize_memory_usage overwrites next observations, which shaping needs; leave it False")
        if not self.handle_timeout_termination:
            raise ValueError("without handle_timeout_termination a cut is taken for an end; leave it True")
        self.columns: dict[str, Tree] = {}
        self.attach(model, shaper)

    def attach(self, model: OffPolicyAlgorithm, shaper: Shaper) -> None:
        """Gives the buffer a shaper and a model, anew after it was loaded: neither is saved with it.

        Raises:
            ValueError: If it holds transitions without the info columns that the shaper reads.
        """
        require_fit(shaper, replay_home(model))
        lacking = shaper.contract.info_columns - self.columns.keys()
        if lacking and self.size():
            raise ValueError(
                f"the replay holds {self.size()} transitions without the info columns {sorted(lacking)}, which "
                f"{shaper.name} reads; call shape_replay before model.learn, or start with an empty replay"
            )
        self.shaper: Shaper | None = shaper
        self.recorder: TransitionRecorder | None = TransitionRecorder(model, shaper.contract)
        self._pending: list[Rollout] = []

    def __getstate__(self) -> dict[str, Any]:
        """What is saved: the transitions and their columns, not the shaper, the model or its environments."""
        return {**self.__dict__, "shaper": None, "recorder": None, "_pending": []}

    def _attached(self) -> tuple[Shaper, TransitionRecorder]:
        if self.shaper is None or self.recorder is None:
            raise RuntimeError("a replay that was loaded has no shaper; call shape_replay(model, shaper) again")
        return self.shaper, self.recorder

    def add(
        self,
        obs: Any,
        next_obs: Any,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """Stores a step of all environments. The shaper learns from it once."""
        shaper, recorder = self._attached()
        action_taken = _unscaled(self.action_space, action)
        step = recorder.record(obs, action_taken, next_obs, reward, done, infos)
        for name in shaper.contract.info_columns:  # a sample is shaped, not measured
            self._store(name, step.info[name])
        super().add(obs, next_obs, action, reward, done, infos)
        self._pending.append(step)
        if sum(int(part.mask.sum()) for part in self._pending) >= shaper.update_size:
            shaper.update(concatenate(self._pending))
            self._pending = []

    def _store(self, name: str, column: Tree) -> None:
        def empty(leaf: np.ndarray) -> np.ndarray:
            return np.zeros((self.buffer_size, self.n_envs, *leaf.shape[2:]), leaf.dtype)

        def filled(stored: np.ndarray, leaf: np.ndarray) -> np.ndarray:
            # A caption longer than all before it needs wider strings.
            stored = stored.astype(np.promote_types(stored.dtype, leaf.dtype), copy=False)
            stored[self.pos] = leaf[0]
            return stored

        stored = self.columns[name] if name in self.columns else map_tree(empty, column)
        self.columns[name] = map_tree(filled, stored, column)

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> ReplayBufferSamples:
        shaper, recorder = self._attached()
        rows = batch_inds, np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))  # noqa: NPY002 - SB3's own stream
        timeouts = self.timeouts[rows].astype(bool)
        terminated = self.dones[rows].astype(bool) & ~timeouts
        reward = self.rewards[rows].astype(np.float64)
        rollout = Rollout(
            obs=_shaped_as(self.observation_space, self.observations[rows]),
            action=_unscaled(self.action_space, _shaped_as(self.action_space, self.actions[rows])),
            next_obs=_shaped_as(self.observation_space, self.next_observations[rows]),
            terms={ENV: reward[None]},
            discount=np.where(terminated, 0.0, recorder.gamma)[None],
            terminated=terminated[None],
            truncated=timeouts[None],
            info={name: map_tree(lambda leaf: leaf[rows][None], column) for name, column in self.columns.items()},
        )
        shaped, _ = shaper.shape(rollout, shaper.init(len(batch_inds)))
        terms = (shaped.check_finite().reward[0] - reward).astype(np.float32)
        scaled = self._normalize_reward(self.rewards[rows].reshape(-1, 1), env)
        data: list[Any] = [
            self._normalize_obs(self.observations[rows], env),
            self.actions[rows],
            self._normalize_obs(self.next_observations[rows], env),
            terminated.astype(np.float32).reshape(-1, 1),
            np.asarray(scaled, np.float32) + terms.reshape(-1, 1),
        ]
        if shaper.contract.sets_discount:
            data.append(np.asarray(shaped.discount[0], np.float32).reshape(-1, 1))
        return ReplayBufferSamples(*(self.to_torch(np.asarray(part)) for part in data))


def shape_replay(model: OffPolicyAlgorithm, shaper: Shaper) -> ShapedReplayBuffer:
    """Gives an off-policy model a replay buffer that shapes what it samples.

    Call it before ``model.learn``, and again after ``model.load_replay_buffer``. A replay that was filled before it is
    taken over, if the shaper reads nothing that it lacks.

    Raises:
        TypeError: If the model is on-policy, its observations are a dictionary, or its replay buffer is a special one
            (n-step returns, hindsight), which this would replace.
        ValueError: If the shaper or the stack does not allow it (`ShapedReplayBuffer`, `check_stack`), or transitions
            in the replay lack what the shaper reads.
    """
    if not isinstance(model, OffPolicyAlgorithm):
        raise TypeError(
            f"shape_replay is for DQN, SAC and TD3, got {type(model).__name__}; use ShapingCallback(shaper)"
        )
    if isinstance(model.observation_space, gym.spaces.Dict):
        raise TypeError(
            "shape_replay stores observations that are one array; flatten the dictionary, or wrap the environment"
        )
    raise_severe(check_stack(model, shaper))
    before = model.replay_buffer
    if isinstance(before, ShapedReplayBuffer):
        before.attach(model, shaper)
        return before
    if type(before) is not ReplayBuffer:
        raise TypeError(
            f"shape_replay would replace this model's {type(before).__name__}, and with it n-step returns "
            "or hindsight; use n_steps=1 and the plain ReplayBuffer, or wrap the environment with ShapeReward"
        )
    buffer = ShapedReplayBuffer(
        model.buffer_size,
        model.observation_space,
        model.action_space,
        device=model.device,
        n_envs=model.n_envs,
        shaper=shaper,
        model=model,
        **model.replay_buffer_kwargs,
    )
    if before.size():
        buffer.__dict__.update({name: value for name, value in before.__dict__.items() if name != "device"})
        buffer.attach(model, shaper)
    model.replay_buffer = buffer
    return buffer


def _shaped_as(space: gym.Space[Any], rows: np.ndarray) -> np.ndarray:
    """``(1, N, *space.shape)``: the buffer keeps a number as an array of one."""
    shape = space.shape if space.shape is not None else rows.shape[1:]
    return rows.reshape(1, len(rows), *shape)


def _unscaled(space: gym.Space[Any], action: np.ndarray) -> np.ndarray:
    """Off-policy models store continuous actions scaled to [-1, 1]. This gives what the environment was given."""
    if not isinstance(space, gym.spaces.Box):
        return action
    unscaled: np.ndarray = space.low + 0.5 * (action + 1.0) * (space.high - space.low)
    return unscaled
