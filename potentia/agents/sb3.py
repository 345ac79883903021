"""Stable-Baselines3 under shaping: before advantages are computed, or when a replay is sampled; and stack checks.

On-policy (PPO, A2C): ``model.learn(steps, callback=ShapingCallback(shaper))``. Off-policy (DQN, SAC, TD3):
``shape_replay(model, shaper)`` before ``model.learn(steps)``. The environment stays unshaped, so that whatever
monitors it reports the true return. Shapers see observations and actions as the environment does: not normalised,
not rescaled.

``model.save`` knows nothing of the shaper: keep it with ``potentia.checkpoint.save(path, shaper=shaper.state_dict())``
and restore it with ``shaper.load_state_dict(potentia.checkpoint.load(path)["shaper"])``; give a loaded off-policy model
its shaped replay anew.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import gymnasium as gym
import numpy as np

from potentia.rollout import ENV, Rollout, concatenate
from potentia.shaping.shaper import Shaper
from potentia.trees import Tree, leaves, map_tree
from potentia.wrappers import ShapeReward

try:
    from stable_baselines3.common.buffers import ReplayBuffer
    from stable_baselines3.common.callbacks import BaseCallback
    from stable_baselines3.common.monitor import Monitor
    from stable_baselines3.common.off_policy_algorithm import OffPolicyAlgorithm
    from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
    from stable_baselines3.common.type_aliases import ReplayBufferSamples
    from stable_baselines3.common.vec_env import (
        DummyVecEnv,
        VecCheckNan,
        VecEnv,
        VecEnvWrapper,
        VecFrameStack,
        VecMonitor,
        VecNormalize,
        VecTransposeImage,
    )
except ImportError as error:
    raise ImportError("this needs the extra 'sb3': pip install 'potentia[sb3]'") from error

__all__ = ["Finding", "ShapedReplayBuffer", "ShapingCallback", "check_stack", "shape_replay"]

NORMALIZED = "VecNormalize"
"""The name of the term by which `VecNormalize` changes the reward."""

_PASSES_REWARDS_ON = (VecMonitor, VecCheckNan, VecFrameStack, VecTransposeImage)


class TransitionRecorder:
    """Turns what a Stable-Baselines3 ``VecEnv`` returns into ``(1, N)`` rollouts.

    ``infos[i]["TimeLimit.truncated"]`` tells a cut from an end. Stable-Baselines3 uses the next value at a cut.

    Args:
        env: The vector environment.
        discount: The model's gamma.
        columns: The info columns wanted.
    """

    def __init__(self, env: VecEnv, discount: float, columns: frozenset[str]) -> None:
        self.env, self.discount = innermost(env), discount  # wrappers have reset_infos too, which stay empty
        self.columns = sorted(columns)
        self.keys = sorted({name.removeprefix("next_") for name in columns})
        self._before: list[Mapping[str, Any]] = []

    def record(
        self,
        obs: Tree,
        action: np.ndarray,
        next_obs: Tree,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> Rollout:
        """One step of all environments; ``next_obs`` are the true successors, see `true_next_obs`."""
        before = self._before or list(self.env.reset_infos)
        cut = np.array([info.get("TimeLimit.truncated", False) for info in infos], bool)
        truncated = done.astype(bool) & cut
        terminated = done.astype(bool) & ~truncated
        values = {key: (self._column(before, key), self._column(infos, key)) for key in self.keys}
        info = {name: values[name.removeprefix("next_")][name.startswith("next_")] for name in self.columns}
        # After an end the next step starts from the new episode's first observation, which its reset described.
        self._before = [self.env.reset_infos[i] if over else infos[i] for i, over in enumerate(done)]
        reward = reward.astype(np.float64)
        return Rollout(
            obs=map_tree(lambda leaf: np.array(leaf)[None], obs),
            action=np.array(action)[None],
            next_obs=map_tree(lambda leaf: np.array(leaf)[None], next_obs),
            terms={ENV: reward[None]},
            discount=np.where(terminated, 0.0, self.discount)[None],
            terminated=terminated[None],
            truncated=truncated[None],
            info={name: column[None] for name, column in info.items()},
        )

    @staticmethod
    def _column(infos: Sequence[Mapping[str, Any]], key: str) -> np.ndarray:
        try:
            return np.array([info[key] for info in infos])
        except KeyError:
            raise KeyError(
                f"a shaper reads info[{key!r}], but the environment's info has {sorted(infos[0])}; use "
                "an environment that gives it or a shaper that does without"
            ) from None


def innermost(env: VecEnv) -> VecEnv:
    """The vector environment inside all wrappers."""
    while isinstance(env, VecEnvWrapper):
        env = env.venv
    return env


def true_next_obs(
    new_obs: Tree, done: np.ndarray, infos: list[dict[str, Any]], normalizer: VecNormalize | None = None
) -> Tree:
    """The true successors: finished environments start anew in the same step and keep their last observation in info.

    Args:
        new_obs: What the step returned, not normalised.
        done: Which environments finished.
        infos: Theirs.
        normalizer: Set if observations in ``infos`` are normalised by it.
    """
    next_obs = map_tree(np.array, new_obs)
    for index in np.flatnonzero(done):
        last = infos[index]["terminal_observation"]
        last = last if normalizer is None else normalizer.unnormalize_obs(last)
        map_tree(lambda batch, one, row=index: batch.__setitem__(row, one), next_obs, last)
    return next_obs


class ShapingCallback(BaseCallback):
    """Adds a shaper's terms to the rewards of an on-policy model before its advantages count.

    The rollout is shaped whole, with the true last observations, and the advantages are computed from the shaped
    rewards; then the shaper learns from it. Stable-Baselines3 adds gamma times the value of the last observation to
    the reward of a cut step; that part is kept and is never seen by the shaper. With `VecNormalize` the order is:
    normalised reward, then the terms. Value heads of one's own (streams) are not to be had here: all terms are added
    to the one reward.

    Args:
        shaper: The shaper.
        verbose: As in Stable-Baselines3.

    Raises:
        ValueError: From ``learn``, if the shaper sets the discount (the model has one gamma for all steps), reads
            the next action, needs whole episodes or takes a cut for an end; if the stack has a mistake that
            `check_stack` finds; or if the callback is new and the model goes on within episodes that it has not seen.
    """

    def __init__(self, shaper: Shaper, verbose: int = 0) -> None:
        super().__init__(verbose)
        self.shaper = shaper
        self.carry: Any = ()
        self._recorder: TransitionRecorder | None = None
        self._last: Tree = None
        self._steps: list[Rollout] = []
        self._scaled: list[np.ndarray] = []

    def _init_callback(self) -> None:
        if not isinstance(self.model, OnPolicyAlgorithm):
            raise TypeError(
                f"ShapingCallback is for PPO and A2C, got {type(self.model).__name__}; use shape_replay(model, shaper)"
            )
        _refuse(self.shaper)
        _raise(check_stack(self.model, self.shaper))
        env = self.model.get_env()
        assert env is not None
        normalizer = self.model.get_vec_normalize_env()
        self._last = map_tree(np.array, self.model._last_obs if normalizer is None else normalizer.get_original_obs())
        starts = self.model._last_episode_starts
        if starts is not None and bool(starts.all()):
            self._recorder = TransitionRecorder(env, self.model.gamma, self.shaper.contract.info_columns)
            self.carry = self.shaper.init(env.num_envs)
        elif self._recorder is None or self._recorder.env is not innermost(env):
            raise ValueError(
                f"the model goes on within episodes whose beginning {self.shaper.name} has not seen; give learn() the "
                "callback of the last call, or reset_num_timesteps=True, which starts new episodes"
            )

    def _on_rollout_start(self) -> None:
        self._steps, self._scaled = [], []

    def _on_step(self) -> bool:
        assert self._recorder is not None
        seen, normalizer = self.locals["rewards"], self.model.get_vec_normalize_env()
        true = seen if normalizer is None else normalizer.get_original_reward()
        done, infos, action = (self.locals[name] for name in ("dones", "infos", "clipped_actions"))
        scaled = normalizer if normalizer is not None and normalizer.norm_obs else None
        new_obs = self.locals["new_obs"] if normalizer is None else normalizer.get_original_obs()
        next_obs = true_next_obs(new_obs, done, infos, scaled)
        self._steps.append(self._recorder.record(self._last, action, next_obs, true, done, infos))
        self._last = map_tree(np.array, new_obs)
        self._scaled.append(np.array(seen, np.float64))
        return True

    def _on_rollout_end(self) -> None:
        rollout = concatenate(self._steps)
        if self.model.get_vec_normalize_env() is not None:
            rollout = rollout.add(NORMALIZED, np.stack(self._scaled) - rollout.terms[ENV])
        shaped, self.carry = self.shaper.shape(rollout, self.carry)
        assert isinstance(self.model, OnPolicyAlgorithm)
        buffer = self.model.rollout_buffer
        buffer.rewards += (shaped.check_finite().reward - rollout.reward).astype(np.float32)
        buffer.compute_returns_and_advantage(last_values=self.locals["values"], dones=self.locals["dones"])
        metrics = self.shaper.update(shaped, policy=self.model.policy)
        for name, value in metrics.items():
            self.logger.record(f"shaping/{self.shaper.name}/{name}", value)


class ShapedReplayBuffer(ReplayBuffer):
    """A replay buffer that stores the true reward and shapes it anew whenever it is sampled.

    So the terms are always those of the present shaper: bonuses of old transitions fade as their states become known.
    Each transition is learned from once, when it arrives, after ``shaper.update_size`` of them have been gathered.

    Args:
        *args: As for ``ReplayBuffer``.
        shaper: The shaper; it must not remember within an episode, for samples have no order.
        discount: The model's gamma.
        env: The model's environment.
        **kwargs: As for ``ReplayBuffer``.

    Raises:
        ValueError: If the shaper needs an episode's order, or memory is to be saved by not storing next observations.
    """

    def __init__(self, *args: Any, shaper: Shaper, discount: float, env: VecEnv, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        _refuse(shaper)
        if any(True for _ in leaves(shaper.init(1))) or shaper.contract.needs_episodes:
            raise ValueError(
                f"{shaper.name} remembers within an episode, but samples of a replay have no order; wrap the "
                "environment with potentia.wrappers.ShapeReward instead"
            )
        if shaper.contract.needs_policy:
            raise ValueError(f"{shaper.name} needs the learner's policy to learn, which a replay buffer does not have")
        if self.optimize_memory_usage:
            raise ValueError("optimize_memory_usage overwrites next observations, which shaping needs; leave it False")
        if not self.handle_timeout_termination:
            raise ValueError("without handle_timeout_termination a cut is taken for an end; leave it True")
        self.shaper, self.discount = shaper, discount
        self.recorder = TransitionRecorder(env, discount, shaper.contract.info_columns)
        self.columns: dict[str, np.ndarray] = {}
        self._pending: list[Rollout] = []

    def add(
        self,
        obs: Any,
        next_obs: Any,
        action: np.ndarray,
        reward: np.ndarray,
        done: np.ndarray,
        infos: list[dict[str, Any]],
    ) -> None:
        """Stores a step of all environments; the shaper learns from it once."""
        action_taken = _unscaled(self.action_space, action)
        step = self.recorder.record(obs, action_taken, next_obs, reward, done, infos)
        for name, column in step.info.items():
            self._column_for(name, column)[self.pos] = column[0]
        super().add(obs, next_obs, action, reward, done, infos)
        self._pending.append(step)
        if sum(int(part.mask.sum()) for part in self._pending) >= self.shaper.update_size:
            self.shaper.update(concatenate(self._pending))
            self._pending = []

    def _column_for(self, name: str, column: np.ndarray) -> np.ndarray:
        shape = (self.buffer_size, self.n_envs, *column.shape[2:])
        stored = self.columns.get(name, np.zeros(shape, column.dtype))
        # A caption longer than all before it needs wider strings.
        self.columns[name] = stored.astype(np.promote_types(stored.dtype, column.dtype), copy=False)
        return self.columns[name]

    def _get_samples(self, batch_inds: np.ndarray, env: VecNormalize | None = None) -> ReplayBufferSamples:
        chosen = batch_inds, np.random.randint(0, high=self.n_envs, size=(len(batch_inds),))  # noqa: NPY002 - SB3's own stream
        timeouts = self.timeouts[chosen].astype(bool)
        terminated = self.dones[chosen].astype(bool) & ~timeouts
        reward = self.rewards[chosen].astype(np.float64)
        rollout = Rollout(
            obs=_shaped_as(self.observation_space, self.observations[chosen]),
            action=_unscaled(self.action_space, _shaped_as(self.action_space, self.actions[chosen])),
            next_obs=_shaped_as(self.observation_space, self.next_observations[chosen]),
            terms={ENV: reward[None]},
            discount=np.where(terminated, 0.0, self.discount)[None],
            terminated=terminated[None],
            truncated=timeouts[None],
            info={name: column[chosen][None] for name, column in self.columns.items()},
        )
        shaped, _ = self.shaper.shape(rollout, self.shaper.init(len(batch_inds)))
        terms = (shaped.check_finite().reward[0] - reward).astype(np.float32)
        scaled = self._normalize_reward(self.rewards[chosen].reshape(-1, 1), env)
        data = (
            self._normalize_obs(self.observations[chosen], env),
            self.actions[chosen],
            self._normalize_obs(self.next_observations[chosen], env),
            terminated.astype(np.float32).reshape(-1, 1),
            np.asarray(scaled, np.float32) + terms.reshape(-1, 1),
        )
        return ReplayBufferSamples(*(self.to_torch(np.asarray(part)) for part in data))


def shape_replay(model: OffPolicyAlgorithm, shaper: Shaper) -> ShapedReplayBuffer:
    """Gives an off-policy model a replay buffer that shapes what it samples; call it before ``model.learn``.

    Raises:
        TypeError: If the model is on-policy, its observations are a dictionary, or its replay buffer is a special one
            (n-step returns, hindsight), which this would replace.
        ValueError: If the shaper or the stack does not allow it; see `ShapedReplayBuffer` and `check_stack`.
    """
    if not isinstance(model, OffPolicyAlgorithm):
        raise TypeError(
            f"shape_replay is for DQN, SAC and TD3, got {type(model).__name__}; use ShapingCallback(shaper)"
        )
    if isinstance(model.observation_space, gym.spaces.Dict):
        raise TypeError(
            "shape_replay stores observations that are one array; flatten the dictionary, or wrap the environment"
        )
    _raise(check_stack(model, shaper))
    _check_replaceable(model)
    env = model.get_env()
    assert env is not None
    buffer = ShapedReplayBuffer(
        model.buffer_size,
        model.observation_space,
        model.action_space,
        device=model.device,
        n_envs=model.n_envs,
        shaper=shaper,
        discount=model.gamma,
        env=env,
        **model.replay_buffer_kwargs,
    )
    model.replay_buffer = buffer
    return buffer


def _check_replaceable(model: OffPolicyAlgorithm) -> None:
    buffer = model.replay_buffer
    assert buffer is not None
    if type(buffer) not in (ReplayBuffer, ShapedReplayBuffer):
        raise TypeError(
            f"shape_replay would replace this model's {type(buffer).__name__}, and with it n-step returns "
            "or hindsight; use n_steps=1 and the plain ReplayBuffer, or wrap the environment with ShapeReward"
        )
    if buffer.size():
        raise ValueError(
            f"the replay holds {buffer.size()} transitions already, which would be lost; call "
            "shape_replay before model.learn"
        )


@dataclass(frozen=True)
class Finding:
    """A mistake in a stack.

    Attributes:
        name: ``gamma``, ``truncation``, ``rescaled``, ``dropped``, ``twice``, ``monitor`` or ``unseen``.
        told: What is wrong and what to do.
        severe: Whether training with it would be wrong; else only what is reported would be.
    """

    name: str
    told: str
    severe: bool = True


def check_stack(model: Any, shaper: Shaper | None = None) -> list[Finding]:
    """Looks for shaping that is silently dropped, rescaled, or made for another learner, in a model's environments.

    - ``dropped``: off-policy models store ``VecNormalize.get_original_reward()``, so a reward changed outside of
      `VecNormalize` never reaches them.
    - ``rescaled``: a policy-invariant term no longer telescopes inside of something that scales, clips or otherwise
      changes rewards: a `VecNormalize`, or a Gymnasium reward wrapper.
    - ``gamma``: the wrapper's, `VecNormalize`'s and the model's discount must be one number.
    - ``truncation``: Stable-Baselines3 uses the next value at a cut, so a wrapper must say ``"bootstrap"``.
    - ``twice``: ``shaper``, if it is given, has a term that a wrapper adds already.
    - ``monitor``: a Monitor outside of the shaping reports shaped returns as if they were true.
    - ``unseen``: environments in other processes can't be looked at.
    """
    found: list[Finding] = []
    env: Any = model.get_env()
    normalizer = model.get_vec_normalize_env()
    outside, monitored = True, False
    while isinstance(env, VecEnvWrapper):
        outside = outside and env is not normalizer
        monitored = monitored or isinstance(env, VecMonitor)
        changes = not isinstance(env, (*_PASSES_REWARDS_ON, VecNormalize))
        if normalizer is not None and outside and changes and isinstance(model, OffPolicyAlgorithm):
            told = f"{type(env).__name__} stands outside of VecNormalize, whose original reward is what"
            found.append(Finding("dropped", f"{told} {type(model).__name__} stores: put it inside"))
        env = env.venv
    if normalizer is not None and normalizer.norm_reward and normalizer.gamma != model.gamma:
        found.append(
            Finding("gamma", f"VecNormalize has gamma={normalizer.gamma}, the model {model.gamma}: use one number")
        )
    if not isinstance(env, DummyVecEnv):
        found.append(
            Finding("unseen", f"{type(env).__name__} hides its environments; check one in a DummyVecEnv", severe=False)
        )
        return found
    terms = frozenset() if shaper is None else frozenset(shaper.term_names)
    for one in env.envs:
        found += [finding for finding in _inside(one, model, normalizer, monitored, terms) if finding not in found]
    return found


def _inside(
    env: gym.Env[Any, Any], model: Any, normalizer: VecNormalize | None, monitored: bool, terms: frozenset[str]
) -> list[Finding]:
    found: list[Finding] = []
    scaler = "VecNormalize" if normalizer is not None and normalizer.norm_reward else ""
    while isinstance(env, gym.Wrapper):
        monitored = monitored or isinstance(env, Monitor)
        if isinstance(env, gym.RewardWrapper | gym.wrappers.NormalizeReward):
            scaler = type(env).__name__
        if isinstance(env, ShapeReward):
            driver, name = env._driver, env.shaper.name
            again = terms.intersection(env.shaper.term_names)
            if again:
                told = f"the terms {sorted(again)} are added by a wrapper already: shape in one place, or rename one"
                found.append(Finding("twice", told))
            if driver.discount != model.gamma:
                found.append(
                    Finding("gamma", f"{name} was wrapped with discount={driver.discount}, the model has {model.gamma}")
                )
            if driver.truncation != "bootstrap":
                told = f"{name} was wrapped with truncation={driver.truncation!r}, but SB3 bootstraps at a cut"
                found.append(Finding("truncation", f"{told}: wrap with truncation='bootstrap'"))
            invariant = env.shaper.contract.guarantee == "policy_invariant"
            if invariant and scaler:
                told = f"{scaler} stands outside of {name} and changes its terms, which then no longer telescope"
                found.append(Finding("rescaled", f"{told}: shape outside of it (ShapingCallback, shape_replay do)"))
            if monitored:
                told = f"a Monitor outside of {name} reports shaped returns"
                found.append(Finding("monitor", f"{told}: put it inside, or read info['true_reward']", severe=False))
        env = env.env
    return found


def _shaped_as(space: gym.Space[Any], rows: np.ndarray) -> np.ndarray:
    """``(1, N, *space.shape)``: the buffer keeps a number as an array of one."""
    shape = space.shape if space.shape is not None else rows.shape[1:]
    return rows.reshape(1, len(rows), *shape)


def _unscaled(space: gym.Space[Any], action: np.ndarray) -> np.ndarray:
    """Off-policy models store continuous actions scaled to [-1, 1]; this gives what the environment was given."""
    if not isinstance(space, gym.spaces.Box):
        return action
    unscaled: np.ndarray = space.low + 0.5 * (action + 1.0) * (space.high - space.low)
    return unscaled


def _refuse(shaper: Shaper) -> None:
    if shaper.contract.needs_episodes:
        raise ValueError(
            f"{shaper.name} needs whole episodes, which a Stable-Baselines3 rollout or replay cuts anywhere; collect "
            "episodes and call shaper.shape(rollout, carry) on them, with our PPO"
        )
    if shaper.contract.truncation == "terminal":
        raise ValueError(
            f"{shaper.name} is right only for learners that take a cut for an end, but Stable-Baselines3 bootstraps"
        )
    if shaper.contract.sets_discount:
        raise ValueError(
            f"{shaper.name} sets the discount, but Stable-Baselines3 has one gamma for all steps; use our PPO"
        )
    if "next_action" in shaper.contract.info_columns:
        raise ValueError(f"{shaper.name} reads the next action, which Stable-Baselines3 does not give; use look='back'")


def _raise(findings: list[Finding]) -> None:
    severe = [finding for finding in findings if finding.severe]
    if severe:
        raise ValueError("; ".join(f"{finding.name}: {finding.told}" for finding in severe))
