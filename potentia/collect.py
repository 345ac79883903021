"""Steps vector environments with an actor into rollouts, so many steps or whole episodes, and sets their discount."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.arrays import array_namespace, host_array
from potentia.encoders import observation_tensors
from potentia.envs.world import ask_offered, offered_keys
from potentia.gamma import needs_gamma
from potentia.reward_wrappers import changed_reward
from potentia.rollout import Array, Rollout, Truncation, concatenate
from potentia.shaping.shaper import Contract
from potentia.transitions import NEXT_ACTION, TransitionReader, autoreset_mode
from potentia.trees import Tree, leaves, map_tree

ACTOR_CARRY = "actor_carry"
"""The info column that holds the memory with which a recurrent actor chose each action."""


class Actor(Protocol):
    """Whatever chooses actions for N environments at once."""

    def init(self, num_envs: int) -> Tree:
        """Its memory at the start of episodes: a tree of arrays ``(N, ...)``, or ``()`` if it has none."""
        ...

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Actions ``(N, ...)`` and the memory after them.

        Args:
            obs: Observations ``(N, ...)``, numpy arrays or tensors, as the environment gave them.
            carry: What `init` or the last call returned. Whoever calls puts `init`'s where an episode begins.
        """
        ...


@dataclass(frozen=True)
class CollectState:
    """What `collect` must remember to go on where it stopped. The environments themselves are not in it.

    Attributes:
        reader: Remembers the last observation and info.
        obs: The observations to act on next, ``(N, ...)``.
        carry: The actor's memory.
    """

    reader: TransitionReader
    obs: Tree
    carry: Tree


def reset_seed(seed: int, interval: int) -> int:
    """The seed, in [0, 2^31), with which a run resets its environments at the start of a checkpoint interval.

    Environments in general can't be saved. So that a resumed run equals the uninterrupted one, both begin each interval
    between checkpoints with ``state=None`` and this seed.

    Args:
        seed: The run's seed.
        interval: The number of the interval, from 0.
    """
    return int(np.random.SeedSequence([seed, interval]).generate_state(1, np.uint32)[0] >> 1)


@needs_gamma
def collect(
    envs: VectorEnv[Any, Any, Any],
    actor: Actor,
    num_steps: int,
    *,
    gamma: float,
    state: CollectState | None = None,
    truncation: Truncation = "bootstrap",
    columns: Iterable[str] | Contract = (),
    seed: int | None = None,
    device: torch.device | str | None = None,
) -> tuple[Rollout, CollectState]:
    """Steps ``envs`` ``num_steps`` times and returns a rollout ``(num_steps, N)`` and the state to go on from.

    All three autoreset modes of Gymnasium give the same transitions. The rollout's arrays are of the kind the
    environment returns, numpy or torch. A ``Box`` action is clipped to its bounds on its way into the environment, and
    the rollout keeps it as the actor chose it. What a recurrent actor remembered when it acted is
    ``info["actor_carry"]``.

    Args:
        envs: A vector environment that gives the true reward. A warning tells of a wrapper that changes it.
        actor: Chooses the actions.
        num_steps: T, at least 1.
        gamma: The learner's discount factor, in [0, 1].
        state: The state returned by the call before. None resets the environments.
        truncation: What the learner does where an episode is cut: ``"bootstrap"`` or ``"terminal"``.
        columns: The info columns wanted: names, or a shaper's contract. Of a contract they are those that it reads, and
            those that it measures with where the worlds offer them. Worlds of this library are asked for them.
            ``next_action`` is the action taken next. Where none is, at the end of an episode or of the rollout, the
            actor draws one at ``next_obs`` that is not executed.
        seed: Seeds the reset if ``state`` is None.
        device: Moves the rollout there, as tensors. Info columns that are not numbers stay. None leaves it as it came.

    Raises:
        TypeError: If gamma is missing.
        ValueError: If a reward is not finite, num_steps is less than 1, or the environments are shaped already.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    wanted = _wanted(envs, columns)
    if state is None:
        state = _begin(envs, actor, gamma, truncation, wanted - {NEXT_ACTION}, seed)
    fresh, record = actor.init(envs.num_envs), _Record(actor, wanted)
    for index in range(num_steps):
        state = _step(envs, actor, state, fresh, record, last=index == num_steps - 1)
    rollout = record.rollout()
    return (rollout if device is None else rollout_tensors(rollout, device)), state


@needs_gamma
def collect_episodes(
    envs: VectorEnv[Any, Any, Any],
    actor: Actor,
    num_episodes: int,
    *,
    gamma: float,
    truncation: Truncation = "bootstrap",
    columns: Iterable[str] | Contract = (),
    seed: int | None = None,
    device: torch.device | str | None = None,
    max_steps: int = 100_000,
) -> Rollout:
    """Plays ``num_episodes`` whole episodes. Returns one column for each, ``(longest, num_episodes)``.

    How many episodes each environment plays is fixed in advance. Taking the first ones to end would favour short
    episodes. The columns are the first episodes of environment 0, then those of environment 1, and so on. Shorter
    columns are filled up with steps whose mask is False, whose terms and discount are 0, and which end nothing.

    Args:
        envs: A vector environment that gives the true reward. All its environments are reset first.
        actor: Chooses the actions.
        num_episodes: At least 1.
        gamma: As for `collect`.
        truncation: As for `collect`.
        columns: As for `collect`.
        seed: Seeds the reset.
        device: As for `collect`.
        max_steps: The most steps that an episode may last.

    Raises:
        TypeError: If gamma is missing.
        ValueError: As for `collect`. Also if num_episodes is less than 1, or an episode does not end in max_steps.
    """
    if num_episodes < 1:
        raise ValueError(f"num_episodes must be at least 1, got {num_episodes}")
    wanted, count = _wanted(envs, columns), envs.num_envs
    state = _begin(envs, actor, gamma, truncation, wanted - {NEXT_ACTION}, seed)
    fresh, record = actor.init(count), _Record(actor, wanted)
    quota = num_episodes // count + (np.arange(count) < num_episodes % count)
    spans: list[list[np.ndarray[Any, Any]]] = [[] for _ in range(count)]
    running: list[list[int]] = [[] for _ in range(count)]
    step = 0
    while any(len(played) < wanted_here for played, wanted_here in zip(spans, quota, strict=True)):
        state = _step(envs, actor, state, fresh, record, last=False)
        mask, done = (host_array(flags[0]) for flags in (record.steps[-1].mask, record.steps[-1].done))
        for b in np.flatnonzero(mask & (np.array([len(played) for played in spans]) < quota)).tolist():
            running[b].append(step)
            if done[b]:
                spans[b].append(np.array(running[b]))
                running[b] = []
            elif len(running[b]) == max_steps:
                raise ValueError(
                    f"an episode of environment {b} did not end within max_steps={max_steps} steps; give the "
                    "environment a time limit, or this function a greater max_steps"
                )
        step += 1
    rollout = _columns(record.rollout(), spans)
    return rollout if device is None else rollout_tensors(rollout, device)


def _columns(rollout: Rollout, spans: list[list[np.ndarray[Any, Any]]]) -> Rollout:
    """The episodes of a rollout ``(T, N)``, each the steps in a span, side by side."""
    episodes = [(b, span) for b, played in enumerate(spans) for span in played]
    longest = max(len(span) for _, span in episodes)
    steps = np.stack([np.pad(span, (0, longest - len(span)), mode="edge") for _, span in episodes], 1)
    envs = np.array([b for b, _ in episodes])[None, :]
    valid = np.arange(longest)[:, None] < np.array([len(span) for _, span in episodes])

    def take(array: Array) -> Array:
        return array[_like(steps, array), _like(np.broadcast_to(envs, steps.shape), array)]

    taken = rollout.map(take)
    xp, mask = array_namespace(taken.discount), _like(valid, taken.discount)
    zero = xp.zeros_like(taken.discount)
    return replace(
        taken,
        terms={name: xp.where(mask, term, xp.zeros_like(term)) for name, term in taken.terms.items()},
        discount=xp.where(mask, taken.discount, zero),
        terminated=taken.terminated & mask,
        truncated=taken.truncated & mask,
        mask=mask,
    )


def rollout_tensors(rollout: Rollout, device: torch.device | str | None = None) -> Rollout:
    """The rollout with tensors for arrays. Info columns that torch can't hold (text) stay as they are."""

    def move(array: Array) -> Array:
        textual = isinstance(array, np.ndarray) and array.dtype.kind not in "biufc"
        return array if textual else observation_tensors(array, device)

    return rollout.map(move)


def _begin(
    envs: VectorEnv[Any, Any, Any],
    actor: Actor,
    gamma: float,
    truncation: Truncation,
    columns: frozenset[str],
    seed: int | None,
) -> CollectState:
    reader = TransitionReader(
        envs.num_envs,
        autoreset_mode(envs),
        gamma=gamma,
        truncation=truncation,
        columns=columns,
        space=envs.single_observation_space,
        action_space=envs.single_action_space,
    )
    ask_offered(envs, reader.keys)
    obs, info = envs.reset(seed=seed)
    reader.reset(obs, info)
    if "true_reward" not in info and (message := changed_reward(envs, "collect")):
        warnings.warn(message, stacklevel=4)
    return CollectState(reader, obs, actor.init(envs.num_envs))


def _wanted(envs: VectorEnv[Any, Any, Any], columns: Iterable[str] | Contract) -> frozenset[str]:
    return columns.columns_in(offered_keys(envs)) if isinstance(columns, Contract) else frozenset(columns)


class _Record:
    """What was seen and remembered step by step, until it is one rollout.

    Args:
        actor: Draws the next actions where none is taken.
        columns: The info columns wanted.
    """

    def __init__(self, actor: Actor, columns: frozenset[str]) -> None:
        self.steps: list[Rollout] = []
        self._actor, self._next_action = actor, NEXT_ACTION in columns
        self._carries: list[Tree] = []
        self._drawn: list[tuple[np.ndarray[Any, Any], Any]] = []

    def add(self, transition: Rollout, carry: Tree, after: Tree, *, last: bool) -> None:
        """Takes in a step, the memory with which the actor acted and that after it, and whether no step follows."""
        self.steps.append(transition)
        self._carries.append(carry)
        if self._next_action:
            ends = host_array(transition.done[0]) | last
            self._drawn.append((ends, _draw(self._actor, transition, after) if ends.any() else None))

    def rollout(self) -> Rollout:
        """All steps. Raises ``ValueError`` if a reward is not finite."""
        rollout = concatenate(self.steps).check_finite()
        info = dict(rollout.info)
        if not _nothing(self._carries[0]):
            info[ACTOR_CARRY] = map_tree(lambda *leaf: _like(_stack(leaf), rollout.discount), *self._carries)
        if self._next_action:
            info[NEXT_ACTION] = _next_actions(rollout.action, self._drawn)
        return replace(rollout, info=info) if info.keys() != rollout.info.keys() else rollout


def _step(
    envs: VectorEnv[Any, Any, Any], actor: Actor, state: CollectState, fresh: Tree, record: _Record, *, last: bool
) -> CollectState:
    """Records one transition. Returns the state in which finished episodes are forgotten."""
    reader = state.reader
    tensors = any(isinstance(leaf, torch.Tensor) for _, leaf in leaves(state.obs))
    action, carry = actor.act(state.obs, state.carry)
    action = map_tree(_tensor if tensors else host_array, action)
    obs, reward, terminated, truncated, info = envs.step(within_bounds(action, envs.single_action_space))
    transition = reader.step(action, obs, reward, terminated, truncated, info)
    record.add(transition, state.carry, carry, last=last)
    begins = host_array(transition.done[0]) | ~host_array(transition.mask[0])
    if reader.mode is AutoresetMode.DISABLED and begins.any():
        obs, info = envs.reset(options={"reset_mask": begins})
        reader.reset(obs, info, mask=begins)
    return CollectState(reader, obs, forget(carry, fresh, begins))


def forget(carry: Tree, fresh: Tree, begins: np.ndarray[Any, Any]) -> Tree:
    """``carry`` with the memory of the environments in ``begins``, ``(N,)`` bool, as at the start of an episode."""
    if _nothing(carry) or not begins.any():
        return carry

    def choose(old: Array, new: Array) -> Array:
        xp = array_namespace(old)
        mask = _like(begins, old)
        return xp.where(mask.reshape((-1,) + (1,) * (old.ndim - 1)), new, old)

    return map_tree(choose, carry, fresh)


def within_bounds(action: Tree, space: spaces.Space[Any]) -> Tree:
    """The action as the environment may see it: in a ``Box``, alone or in a tree, clipped and of its dtype."""
    if isinstance(space, spaces.Dict):
        return {key: within_bounds(action[key], part) for key, part in space.spaces.items()}
    if isinstance(space, spaces.Tuple):
        return tuple(within_bounds(one, part) for one, part in zip(action, space.spaces, strict=True))
    if not isinstance(space, spaces.Box):
        return action
    bounded = np.isfinite(space.low).any() or np.isfinite(space.high).any()
    if isinstance(action, torch.Tensor):
        low, high = (torch.as_tensor(bound, device=action.device) for bound in (space.low, space.high))
        return torch.clamp(action, low, high) if bounded else action
    clipped = np.clip(action, space.low, space.high) if bounded else np.asarray(action)
    return clipped.astype(space.dtype, copy=False)


def _draw(actor: Actor, transition: Rollout, carry: Tree) -> Any:
    """Actions at ``next_obs`` that are never executed."""
    action, _ = actor.act(map_tree(lambda leaf: leaf[0], transition.next_obs), carry)
    return action


def _nothing(carry: Tree) -> bool:
    return isinstance(carry, tuple) and not carry


def _next_actions(action: Tree, drawn: list[tuple[np.ndarray[Any, Any], Any]]) -> Array:
    """``action`` one step later, and what was drawn where none follows."""
    if isinstance(action, dict | tuple):
        raise TypeError(f"the column 'next_action' needs actions that are one array each, got {type(action).__name__}")
    following = array_namespace(action).concat([action[1:], action[-1:]])
    for index, (last, actions) in enumerate(drawn):
        if last.any():
            drawn_here = _like(host_array(actions), action)
            following[index][_like(last, action)] = drawn_here[_like(last, action)]
    return following


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value))


def _stack(arrays: tuple[Array, ...]) -> Array:
    return array_namespace(arrays[0]).stack(arrays)


def _like(value: Array, example: Array) -> Array:
    """``value`` as a tensor or as a numpy array, where ``example`` is."""
    return _tensor(value).to(example.device) if isinstance(example, torch.Tensor) else host_array(value)
