"""All transitions of a small world, side by side: from its tensors, from a table, or by walking it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.envs.registration import load_env_creator, registry
from numpy.typing import NDArray

from potentia.envs.exact import TabularWorld, TransitionModel
from potentia.envs.exact.dynamics import info_tables
from potentia.envs.exact.observations import encode_states
from potentia.envs.world import Restorable, World, ask_offered
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.transitions import NEXT_ACTION, info_keys
from potentia.trees import Tree, map_tree

__all__ = ["Transitions", "transitions_of"]

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Transitions:
    """Every transition that a world can make, one a column. They are ordered by state, then by action.

    Attributes:
        rollout: The N transitions as experience ``(1, N)``. The discount is 1 where the episode goes on.
        state: Where each begins, ``(N,)``.
        action: The number of its action, ``(N,)``.
        next_state: Where it leads, ``(N,)``. Where it terminates, nothing comes of that state.
        probability: P(next_state | state, action), ``(N,)``.
        start: The distribution of the first state, ``(S,)``.
        num_actions: A. Each state has all of them, or none if every episode has ended there.
        names: What each state is called, S of them.
        actions: What each action is called, A of them.
        world: What the world is called.
        assumptions: What the transitions leave out, in sentences.
    """

    rollout: Rollout
    state: Ints
    action: Ints
    next_state: Ints
    probability: Floats
    start: Floats
    num_actions: int
    names: tuple[str, ...]
    actions: tuple[str, ...]
    world: str
    assumptions: tuple[str, ...] = ()

    @property
    def num_states(self) -> int:
        """S."""
        return len(self.names)

    @property
    def terminated(self) -> NDArray[np.bool_]:
        """Whether each ends the episode, ``(N,)``."""
        return np.asarray(self.rollout.terminated[0])

    @property
    def reward(self) -> Floats:
        """What the world pays for each, ``(N,)``."""
        return np.asarray(self.rollout.terms["env"][0], np.float64)

    @property
    def digest(self) -> str:
        """16 digits that change with any number of the problem."""
        found = hashlib.sha256()
        columns = (self.state, self.action, self.next_state, self.probability, self.reward, self.terminated, self.start)
        for column in columns:
            found.update(np.ascontiguousarray(column).tobytes())
        return found.hexdigest()[:16]


def transitions_of(
    world: TransitionModel | str | Any,
    columns: Iterable[str] = (),
    *,
    seed: int = 0,
    max_states: int = 20_000,
    **kwargs: Any,
) -> Transitions:
    """Enumerates a world.

    Args:
        world: A `potentia.envs.exact.TransitionModel`. Or an environment or its id: one of `potentia.envs.exact`, one
            whose unwrapped form has Gymnasium's table ``P`` (FrozenLake, Taxi, CliffWalking), or a world of this
            library without chance that can be saved and restored and tells states apart by ``state_hash`` (grids). Of
            the last kind one map is walked, that of ``reset(seed=seed)``. Wrappers are taken off.
        columns: The info columns that the rollout is to have.
        seed: Which map.
        max_states: How many states there may be.
        kwargs: For the constructor, if ``world`` is an id.

    Raises:
        TypeError: If it is no such world.
        ValueError: If it has too many states, or its actions are not numbered, or it lacks a column.
    """
    check_at_least(1, max_states=max_states)
    if isinstance(world, str):
        world = _made(world, kwargs)
    elif kwargs:
        raise TypeError(f"arguments of a constructor go with an id, got {sorted(kwargs)} and {type(world).__name__}")
    keys = info_keys(columns)
    if isinstance(world, TransitionModel):
        return _of_model(TabularWorld(world), keys, "TransitionModel")
    inside: Any = getattr(world, "unwrapped", world)
    name = str(spec.id) if (spec := getattr(inside, "spec", None)) else type(inside).__name__
    if isinstance(inside, TabularWorld):
        found = _of_model(inside, keys, name)
    elif isinstance(getattr(inside, "P", None), Mapping):
        found = _of_table(inside, keys, name)
    elif isinstance(inside, World) and isinstance(inside, Restorable) and _numbered(inside):
        found = _by_walking(inside, keys, name, seed, max_states)
    else:
        raise TypeError(
            "wanted a world that can be enumerated (a TransitionModel, a world of potentia.envs.exact, one with "
            f"Gymnasium's table P, or one of this library that saves and restores), got {name}"
        )
    if found.num_states > max_states:
        raise ValueError(f"{name} has {found.num_states} states, more than max_states={max_states}")
    return found


def is_tabular(world: Any) -> bool:
    """Whether an environment is given as tables, by this library or as Gymnasium's ``P``: nothing need be walked."""
    inside = getattr(world, "unwrapped", world)
    return isinstance(inside, TransitionModel | TabularWorld) or isinstance(getattr(inside, "P", None), Mapping)


def _numbered(world: Any) -> bool:
    return isinstance(world.action_space, spaces.Discrete) and "state_hash" in world.offered_keys


def _made(name: str, kwargs: dict[str, Any]) -> Any:
    """A bare environment: wrappers are of no use here, and a vector entry point is not wanted."""
    import potentia  # noqa: F401, PLC0415 - registers the ids

    if name not in registry:
        raise ValueError(f"wanted the id of a registered environment, got {name!r}; gymnasium.make knows the same ids")
    spec = registry[name]
    if spec.entry_point is None:
        raise ValueError(f"{name} has no single form to enumerate")
    creator = load_env_creator(spec.entry_point) if isinstance(spec.entry_point, str) else spec.entry_point
    env: Any = creator(**{**spec.kwargs, **kwargs})
    env.unwrapped.spec = spec
    return env


def _of_model(world: TabularWorld, keys: list[str], name: str) -> Transitions:
    model = world.model
    live = ~model.terminal
    state, action, after = np.nonzero((model.transition > 0) & live[:, None, None])
    tables = info_tables(model, tuple(keys))
    info: dict[str, Any] = {key: table[state][None] for key, table in tables.items()}
    info |= {f"next_{key}": table[after][None] for key, table in tables.items()}
    if "subgoals" in keys:
        happened = {event: (inside[after] & ~inside[state])[None] for event, inside in model.events.items()}
        info |= {"subgoals": {event: np.zeros_like(flags) for event, flags in happened.items()}}
        info |= {"next_subgoals": happened}
    _require(keys, {key.removeprefix("next_") for key in info}, name)
    encoded = encode_states(np.arange(model.num_states), model.num_states, world._observation)
    return _together(
        obs=encoded[state], next_obs=encoded[after], state=state, action=action, after=after,
        probability=model.transition[state, action, after], reward=model.reward_after()[state, action, after],
        terminated=model.terminal[after], info=info, start=model.start, num_actions=model.num_actions,
        names=model.names, actions=tuple(map(str, range(model.num_actions))), world=name,
        assumptions=() if model.time_limit is None else (_LIMIT.format(model.time_limit),),
    )  # fmt: skip


def _of_table(world: Any, keys: list[str], name: str) -> Transitions:
    """Gymnasium's toy text: ``P[s][a]`` is a list of (probability, next state, reward, terminated)."""
    _require(keys, set(), name)
    rows = [
        (state, action, after, chance, reward, done)
        for state, actions in world.P.items()
        for action, outcomes in actions.items()
        for chance, after, reward, done in outcomes
        if chance > 0
    ]
    state, action, after = (np.array([row[k] for row in rows], np.int64) for k in range(3))
    chance, reward = (np.array([row[k] for row in rows], np.float64) for k in (3, 4))
    size = len(world.P)
    start = getattr(world, "initial_state_distrib", None)
    if start is None:
        start = np.eye(size)[int(getattr(world, "start_state_index", 0))]
    return _together(
        obs=state, next_obs=after, state=state, action=action, after=after, probability=chance, reward=reward,
        terminated=np.array([bool(row[5]) for row in rows]), info={}, start=np.asarray(start, np.float64),
        num_actions=int(action.max()) + 1, names=tuple(f"state {s}" for s in range(size)),
        actions=tuple(map(str, range(int(action.max()) + 1))), world=name,
        assumptions=("Time limits are left out: the problem goes on until it terminates.",),
    )  # fmt: skip


_LIMIT = "The time limit of {} steps is left out: the problem goes on until it terminates."
_WALKED = (
    "One map is covered, that of seed {}.",
    "What a reward owes to the time is taken as of the first visit: the world's state_hash leaves the time out.",
)


def _by_walking(world: Any, keys: list[str], name: str, seed: int, max_states: int) -> Transitions:
    """Every action from every state that can be reached, each from a saved copy of the state."""
    if world.chance is not False:
        raise TypeError(f"{name} has chance in it (or does not say): one outcome of an action does not tell the others")
    _require(keys, set(world.offered_keys), name)
    ask_offered(world, {"caption", "state_hash", *keys})
    obs, info = world.reset(seed=seed)
    number = {int(info["state_hash"]): 0}
    seen: list[tuple[Any, Tree, Mapping[str, Any]]] = [(world.save(), obs, info)]
    steps: list[tuple[int, int, int, Tree, float, bool, Mapping[str, Any]]] = []
    ended: set[int] = set()
    count, first = int(world.action_space.n), int(world.action_space.start)
    here = -1
    while (here := here + 1) < len(seen):
        for choice in range(count) if here not in ended else ():
            world.restore(seen[here][0])
            obs, reward, terminated, _, info = world.step(first + choice)
            reached = int(info["state_hash"])
            if reached not in number:
                if len(seen) == max_states:
                    raise ValueError(f"{name} has more than max_states={max_states} states; choose a smaller map")
                number[reached] = len(seen)
                seen.append((world.save(), obs, info))
                if terminated:
                    ended.add(number[reached])
            steps.append((here, choice, number[reached], obs, float(reward), bool(terminated), info))
    state, action, after = (np.array([step[k] for step in steps], np.int64) for k in range(3))
    columns: dict[str, Any] = {}
    for key in keys:
        columns[key] = _stacked([seen[s][2][key] for s in state.tolist()])
        columns[f"next_{key}"] = _stacked([step[6][key] for step in steps])
    limit = world.time_limit
    return _together(
        obs=_stacked([seen[s][1] for s in state.tolist()]), next_obs=_stacked([step[3] for step in steps]), state=state,
        action=action, after=after, probability=np.ones(len(steps)), reward=np.array([step[4] for step in steps]),
        terminated=np.array([step[5] for step in steps]), info=map_tree(lambda leaf: leaf[None], columns),
        start=np.eye(len(seen))[0], num_actions=count,
        names=tuple(str(one[2].get("caption", f"state {n}")) for n, one in enumerate(seen)),
        actions=tuple(world.action_names) or tuple(map(str, range(count))), world=name, first=first,
        assumptions=(*(line.format(seed) for line in _WALKED), *(() if limit is None else (_LIMIT.format(limit),))),
    )  # fmt: skip


def _together(
    *, obs: Tree, next_obs: Tree, state: Any, action: Any, after: Any, probability: Any, reward: Any, terminated: Any,
    info: dict[str, Any], first: int = 0, **others: Any,
) -> Transitions:  # fmt: skip
    rollout = Rollout(
        obs=map_tree(lambda leaf: leaf[None], obs),
        action=(first + action)[None],
        next_obs=map_tree(lambda leaf: leaf[None], next_obs),
        terms={"env": np.asarray(reward, np.float64)[None]},
        discount=(~terminated).astype(np.float64)[None],
        terminated=terminated[None],
        truncated=np.zeros_like(terminated)[None],
        info=info,
    )
    made = Transitions(rollout, state, action, after, np.asarray(probability, np.float64), **others)
    order = np.lexsort((made.action, made.state))
    if (order[1:] > order[:-1]).all():
        return made
    return replace(
        made, rollout=rollout[:, order], state=state[order], action=action[order], next_state=after[order],
        probability=made.probability[order],
    )  # fmt: skip


def _stacked(values: list[Any]) -> Tree:
    """Rows ``(N, ...)`` of one tree from N trees."""
    return map_tree(lambda *rows: np.stack([np.asarray(row) for row in rows]), *values)


def _require(keys: Iterable[str], offered: set[str], name: str) -> None:
    if NEXT_ACTION in keys or (lacking := sorted(set(keys) - offered)):
        raise ValueError(
            f"the shaper reads {lacking if NEXT_ACTION not in keys else [NEXT_ACTION]} of info, which {name} does not "
            f"give for a single transition; it gives {sorted(offered)}"
        )
