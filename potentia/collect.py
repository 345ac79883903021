"""Steps vector environments with an actor into rollouts: the one place of the library's own path where gamma is set."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Protocol

import numpy as np
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, VectorEnv

from potentia.arrays import array_namespace, host_array
from potentia.encoders import observation_tensors
from potentia.rollout import Array, Rollout, Truncation, concatenate
from potentia.transitions import TransitionReader, autoreset_mode
from potentia.trees import Tree, leaves, map_tree

ACTOR_CARRY = "actor_carry"
"""The info column that holds the memory with which a recurrent actor chose each action."""

_NEXT_ACTION = "next_action"


class Actor(Protocol):
    """Whatever chooses actions for N environments at once."""

    def init(self, num_envs: int) -> Tree:
        """Its memory at the start of episodes: a tree of arrays ``(N, ...)``, or ``()`` if it has none."""
        ...

    def act(self, obs: Tree, carry: Tree) -> tuple[Tree, Tree]:
        """Actions ``(N, ...)`` and the memory after them.

        Args:
            obs: Observations ``(N, ...)``, numpy arrays or tensors, as the environment gave them.
            carry: What `init` or the last call returned; whoever calls puts `init`'s where an episode begins.
        """
        ...


@dataclass(frozen=True)
class CollectState:
    """What `collect` must remember to go on where it stopped; environments themselves are not in it.

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


def collect(
    envs: VectorEnv[Any, Any, Any],
    actor: Actor,
    num_steps: int,
    *,
    discount: float,
    state: CollectState | None = None,
    truncation: Truncation = "bootstrap",
    columns: Iterable[str] = (),
    seed: int | None = None,
    device: torch.device | str | None = None,
) -> tuple[Rollout, CollectState]:
    """Steps ``envs`` ``num_steps`` times and returns a rollout ``(num_steps, N)`` and the state to go on from.

    All three autoreset modes of Gymnasium give the same transitions. The rollout's arrays are of the kind the
    environment returns, numpy or torch. A ``Box`` action is clipped to its bounds on its way into the environment; the
    rollout keeps it as the actor chose it. What a recurrent actor remembered when it acted is ``info["actor_carry"]``.

    Args:
        envs: A vector environment that gives the true reward.
        actor: Chooses the actions.
        num_steps: T, at least 1.
        discount: The learner's discount factor gamma, in [0, 1].
        state: The state returned by the call before; None resets the environments.
        truncation: What the learner does where an episode is cut: ``"bootstrap"`` or ``"terminal"``.
        columns: The info columns wanted, for example ``shaper.contract.info_columns``. ``next_action`` is the action
            taken next; where none is, at the end of an episode or of the rollout, the actor draws one at ``next_obs``
            that is not executed.
        seed: Given to the reset if ``state`` is None.
        device: Moves the rollout there, as tensors; info columns that are not numbers stay. None: as it came.

    Raises:
        ValueError: If a reward is not finite, or num_steps is less than 1.
    """
    if num_steps < 1:
        raise ValueError(f"num_steps must be at least 1, got {num_steps}")
    wanted = frozenset(columns)
    if state is None:
        state = _begin(envs, actor, discount, truncation, wanted - {_NEXT_ACTION}, seed)
    fresh = actor.init(envs.num_envs)
    steps: list[Rollout] = []
    carries: list[Tree] = []
    drawn: list[tuple[np.ndarray[Any, Any], Any]] = []
    for index in range(num_steps):
        carries.append(state.carry)
        transition, carry, state = _step(envs, actor, state, fresh)
        steps.append(transition)
        if _NEXT_ACTION in wanted:
            last = host_array(transition.done[0]) | (index == num_steps - 1)
            drawn.append((last, _draw(actor, transition, carry) if last.any() else None))
    rollout = concatenate(steps).check_finite()
    info = dict(rollout.info)
    if not _nothing(carries[0]):
        info[ACTOR_CARRY] = map_tree(lambda *leaf: _like(_stack(leaf), rollout.discount), *carries)
    if _NEXT_ACTION in wanted:
        info[_NEXT_ACTION] = _next_actions(rollout.action, drawn)
    rollout = replace(rollout, info=info) if info.keys() != rollout.info.keys() else rollout
    return (rollout if device is None else rollout_tensors(rollout, device)), state


def rollout_tensors(rollout: Rollout, device: torch.device | str | None = None) -> Rollout:
    """The rollout with tensors for arrays; info columns that torch can't hold (text) stay as they are."""

    def move(array: Array) -> Array:
        textual = isinstance(array, np.ndarray) and array.dtype.kind not in "biufc"
        return array if textual else observation_tensors(array, device)

    return rollout.map(move)


def _begin(
    envs: VectorEnv[Any, Any, Any],
    actor: Actor,
    discount: float,
    truncation: Truncation,
    columns: frozenset[str],
    seed: int | None,
) -> CollectState:
    reader = TransitionReader(envs.num_envs, autoreset_mode(envs), discount, truncation, columns)
    obs, info = envs.reset(seed=seed)
    reader.reset(obs, info)
    return CollectState(reader, obs, actor.init(envs.num_envs))


def _step(
    envs: VectorEnv[Any, Any, Any], actor: Actor, state: CollectState, fresh: Tree
) -> tuple[Rollout, Tree, CollectState]:
    """One transition, what the actor remembers after it, and the state in which finished episodes are forgotten."""
    reader = state.reader
    tensors = any(isinstance(leaf, torch.Tensor) for _, leaf in leaves(state.obs))
    action, carry = actor.act(state.obs, state.carry)
    action = map_tree(_tensor if tensors else host_array, action)
    obs, reward, terminated, truncated, info = envs.step(within_bounds(action, envs.single_action_space))
    transition = reader.step(action, obs, reward, terminated, truncated, info)
    over = host_array(transition.done[0]) | ~host_array(transition.mask[0])
    if reader.mode is AutoresetMode.DISABLED and over.any():
        obs, info = envs.reset(options={"reset_mask": over})
        reader.reset(obs, info, mask=over)
    return transition, carry, CollectState(reader, obs, forget(carry, fresh, over))


def forget(carry: Tree, fresh: Tree, over: np.ndarray[Any, Any]) -> Tree:
    """``carry`` with the memory of the environments in ``over``, ``(N,)`` bool, as it is at the start of an episode."""
    if _nothing(carry) or not over.any():
        return carry

    def choose(old: Array, new: Array) -> Array:
        xp = array_namespace(old)
        mask = _like(over, old)
        return xp.where(mask.reshape((-1,) + (1,) * (old.ndim - 1)), new, old)

    return map_tree(choose, carry, fresh)


def within_bounds(action: Tree, space: spaces.Space[Any]) -> Tree:
    """The action as the environment may see it: clipped if the space is a ``Box``, else as it is."""
    if not isinstance(space, spaces.Box) or not (np.isfinite(space.low).any() or np.isfinite(space.high).any()):
        return action
    if isinstance(action, torch.Tensor):
        low, high = (torch.as_tensor(bound, device=action.device) for bound in (space.low, space.high))
        return torch.clamp(action, low, high)
    return np.clip(action, space.low, space.high)


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
            chosen = _like(host_array(actions), action)
            following[index][_like(last, action)] = chosen[_like(last, action)]
    return following


def _tensor(value: Any) -> torch.Tensor:
    return value if isinstance(value, torch.Tensor) else torch.as_tensor(np.asarray(value))


def _stack(arrays: tuple[Array, ...]) -> Array:
    return array_namespace(arrays[0]).stack(arrays)


def _like(value: Array, example: Array) -> Array:
    """``value`` as a tensor or as a numpy array, where ``example`` is."""
    return _tensor(value).to(example.device) if isinstance(example, torch.Tensor) else host_array(value)
