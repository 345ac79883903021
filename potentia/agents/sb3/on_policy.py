"""Shaping for PPO and A2C: whole rollouts, before the advantages."""

from __future__ import annotations

from typing import Any

import numpy as np
from stable_baselines3.common.buffers import RolloutBuffer
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm

from potentia.agents.sb3.recorder import TransitionRecorder, innermost, true_next_obs
from potentia.agents.sb3.stack import check_stack, raise_severe
from potentia.agents.sb3.watching import Watches
from potentia.metrics import reward_metrics
from potentia.rollout import ENV, Rollout, concatenate
from potentia.shaping.fit import Home, require_fit
from potentia.shaping.shaper import Shaper
from potentia.trees import Tree, map_tree

ROLLOUT = Home("a rollout of Stable-Baselines3", policy=True, discounts=False)
"""What an on-policy model offers a shaper."""

NORMALIZED = "VecNormalize"
"""The name of the term by which `VecNormalize` changes the reward."""


class ShapingCallback(BaseCallback):
    """Adds a shaper's terms to the rewards of an on-policy model before its advantages count.

    The rollout is shaped whole, with the true last observations. Advantages are linear in the reward, so those of the
    added reward, which need no values, are added to the model's. Then the shaper learns from the rollout. It is the
    same for PPO and A2C, and for sb3-contrib's RecurrentPPO, MaskablePPO and TRPO. Stable-Baselines3 adds gamma times
    the value of the last observation to the reward of a cut step. That part is kept and is never seen by the shaper.
    With `VecNormalize` the order is: normalised reward, then the terms. There are no value heads of one's own
    (streams) here: all terms are added to the one reward.

    Args:
        shaper: The shaper.
        verbose: As in Stable-Baselines3.
        watch: A `potentia.audit.Watch`, which is shown each shaped rollout and logged. None if nobody watches.

    Raises:
        ValueError: From ``learn``, if the shaper sets the discount (the model has one gamma for all steps), reads
            the next action, needs whole episodes or takes a cut for an end. Also if the stack has a mistake that
            `check_stack` finds, or if the callback is new and the model goes on within episodes that it has not seen.
    """

    def __init__(self, shaper: Shaper, verbose: int = 0, *, watch: Watches | None = None) -> None:
        super().__init__(verbose)
        self.shaper, self.watch = shaper, watch
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
        require_fit(self.shaper, ROLLOUT)
        raise_severe(check_stack(self.model, self.shaper))
        env = self.model.get_env()
        assert env is not None
        normalizer = self.model.get_vec_normalize_env()
        self._last = map_tree(np.array, self.model._last_obs if normalizer is None else normalizer.get_original_obs())
        starts = self.model._last_episode_starts
        if starts is not None and bool(starts.all()):
            self._recorder = TransitionRecorder(self.model, self.shaper.contract)
            self._recorder.begin()
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
        done, infos = self.locals["dones"], self.locals["infos"]
        action = self.locals.get("clipped_actions", self.locals["actions"])  # MaskablePPO has nothing to clip
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
        _add(self.model.rollout_buffer, shaped.check_finite().reward - rollout.reward, self.locals["dones"])
        seen = reward_metrics(shaped)
        for name, mean in seen["terms"].items():
            self.logger.record(f"shaping/terms/{name}", mean)
            self.logger.record(f"shaping/shares/{name}", seen["shares"][name])
        metrics = self.shaper.update(shaped, policy=self.model.policy)
        for name, value in metrics.items():
            self.logger.record(f"shaping/{self.shaper.name}/{name}", value)
        if self.watch is not None:
            for name, value in self.watch.observe(shaped, metrics).items():
                if isinstance(value, float):
                    self.logger.record(f"audit/{name}", value)


def _add(buffer: RolloutBuffer, reward: np.ndarray, dones: np.ndarray) -> None:
    """Adds a reward ``(T, N)`` to a full buffer: ``A(r + f, V) = A(r, V) + A(f, 0)``, GAE being linear.

    Args:
        buffer: Its advantages and returns have been computed.
        reward: f.
        dones: Whether the last step of each environment ended its episode, ``(N,)``.
    """
    trace = np.zeros(reward.shape[1])
    added = np.empty_like(reward)
    for t in reversed(range(len(reward))):
        ends = dones if t == len(reward) - 1 else buffer.episode_starts[t + 1]
        trace = reward[t] + buffer.gamma * buffer.gae_lambda * (1.0 - ends.astype(np.float64)) * trace
        added[t] = trace
    buffer.rewards += reward.astype(buffer.rewards.dtype)
    buffer.advantages += added.astype(buffer.advantages.dtype)
    buffer.returns += added.astype(buffer.returns.dtype)
