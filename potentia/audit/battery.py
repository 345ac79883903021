"""Random worlds by the thousand, and heuristics good and bad: what a shaping does to the optimum of each, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from potentia.arrays import host_array
from potentia.audit.certificate import Certificate, certify
from potentia.envs.exact import TransitionModel, optimum
from potentia.gamma import check_gamma, needs_gamma
from potentia.limits import check_at_least
from potentia.shaping.shaper import Shaper
from potentia.testing.experience import NUM_ACTIONS, Experience
from potentia.trees import leaves

__all__ = ["Battery", "HeuristicRow", "heuristic_battery", "heuristics", "random_worlds"]

Floats = NDArray[np.float64]
_AT_ONCE = 1000
_SWEEPS = 10_000


@dataclass(frozen=True, eq=False)
class Battery:
    """What a shaper does to the optimum of W random worlds.

    Attributes:
        preserved: Whether whoever is optimal with it is optimal in truth, ``(W,)``.
        regret: What the worst policy that is optimal with it loses, as a share of the difference between the best and
            the worst policy, averaged over states, ``(W,)``.
    """

    preserved: NDArray[np.bool_]
    regret: Floats

    @property
    def share(self) -> float:
        """The share of the worlds whose optimum it preserves."""
        return float(self.preserved.mean())

    def __str__(self) -> str:
        return (
            f"optimum preserved in {int(self.preserved.sum())} of {len(self.preserved)} random worlds; "
            f"the worst policy loses {self.regret.mean():.3g} in the mean and {self.regret.max():.3g} at most"
        )


@needs_gamma
def random_worlds(
    shaper: Shaper,
    *,
    gamma: float,
    worlds: int = 1000,
    observation_space: spaces.Space[Any] | None = None,
    ends: bool = True,
    seed: int = 0,
    tolerance: float = 1e-9,
) -> Battery:
    """Solves random worlds of six states and three actions with and without a shaper, many at once.

    P(. | s, a) is drawn from Dirichlet(0.5), rewards r(s, a, s') from a standard normal distribution. In half of the
    worlds, if ``ends``, the last state ends episodes. Observations of the six states are drawn from the space, and info
    columns are invented, as `potentia.testing.check_shaper` does.

    Args:
        shaper: The shaper. It must not remember within an episode: certify such ones world by world.
        gamma: The learner's discount factor, below 1.
        worlds: How many worlds.
        observation_space: What it takes. By default integers from 0 to 5.
        ends: Whether episodes may end.
        seed: Which worlds.
        tolerance: As for `certify`.

    Raises:
        ValueError: If it remembers, or needs more than a transition shows.

    >>> from potentia.shaping import PotentialShaping
    >>> random_worlds(PotentialShaping([3.0, 1, 4, 1, 5, 9]), gamma=0.9, worlds=200).share
    1.0
    """
    check_at_least(1, worlds=worlds)
    if check_gamma(gamma) == 1.0:
        raise ValueError("gamma must be below 1, got 1.0")
    if any(True for _ in leaves(shaper.init(1))):
        raise ValueError(f"{shaper.name} remembers within an episode; use potentia.audit.certify, world by world")
    space = spaces.Discrete(6) if observation_space is None else observation_space
    experience = Experience(space, columns=shaper.contract.info_columns)
    rng = np.random.default_rng(seed)
    parts = []
    for count in np.diff([*range(0, worlds, _AT_ONCE), worlds]).tolist():
        parts.append(_solved(shaper, experience, rng, count, gamma, ends, tolerance))
    preserved, regret = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Battery(preserved, regret)


def _solved(
    shaper: Shaper,
    experience: Experience,
    rng: np.random.Generator,
    count: int,
    gamma: float,
    ends: bool,
    tolerance: float,
) -> tuple[NDArray[np.bool_], Floats]:
    size, actions = experience.num_states, NUM_ACTIONS
    shape = (count, size, actions, size)
    transition = rng.dirichlet(np.full(size, 0.5), shape[:3])
    reward = rng.normal(size=shape)
    over = np.zeros((count, size), bool)
    over[:, -1] = (np.arange(count) % 2 == 0) & ends
    state, action, after = (index.reshape(1, -1) for index in np.indices(shape)[1:])
    terminated = np.broadcast_to(over[:, None, None, :], shape).reshape(1, -1)
    rollout = experience.transitions(state, action, after, reward.reshape(1, -1), gamma * ~terminated, terminated)
    shaped, _ = shaper.shape(rollout, shaper.init(rollout.num_envs))
    added = sum((host_array(shaped.terms[name]) for name in shaper.term_names), np.zeros(terminated.shape))
    discount = np.asarray(host_array(shaped.discount), np.float64).reshape(shape)
    own = gamma * ~terminated.reshape(shape)
    q = _values(transition, reward, own, over)
    other = _values(transition, reward + np.asarray(added).reshape(shape), discount, over)
    best = _near(q, tolerance)
    chosen = _near(other, tolerance)
    live = ~over
    preserved = np.asarray(~((chosen & ~best).any(2) & live).any(1))
    worst = -_values(transition, -reward, own, over).max(2)
    lost = -_values(transition, -reward, own, over, allowed=chosen)
    lost = np.where(chosen, lost, np.inf).min(2)
    gap = np.where(live, q.max(2) - lost, 0.0).sum(1)
    scale = np.where(live, q.max(2) - worst, 0.0).sum(1)
    return preserved, np.where(preserved, 0.0, gap / np.maximum(scale, 1e-300))


def _near(q: Floats, tolerance: float) -> NDArray[np.bool_]:
    slack = tolerance * np.abs(q).max(axis=(1, 2), keepdims=True)
    return np.asarray(q >= q.max(axis=2, keepdims=True) - slack)


def _values(
    transition: Floats,
    reward: Floats,
    discount: Floats,
    over: NDArray[np.bool_],
    allowed: NDArray[np.bool_] | None = None,
) -> Floats:
    """Q* ``(W, S, A)`` of W worlds, by policy iteration: each evaluation is a linear system a world."""
    count, size = transition.shape[:2]
    live = ~over
    gain = (transition * reward).sum(3)
    onward = transition * discount
    closed = 0.0 if allowed is None else np.where(allowed, 0.0, -np.inf)
    policy = (gain + closed).argmax(2)
    world, state, identity = np.arange(count)[:, None], np.arange(size), np.eye(size)
    for _ in range(_SWEEPS):
        matrix = identity - onward[world, state, policy] * live[:, :, None]
        values = np.linalg.solve(matrix, (gain[world, state, policy] * live)[..., None])[..., 0]
        q = gain + (onward * values[:, None, None, :]).sum(3)
        slack = 1e-12 * np.abs(q).max(axis=(1, 2))[:, None]
        better = (q + closed).max(2) > np.take_along_axis(q, policy[..., None], 2)[..., 0] + slack
        if not (better & live).any():
            return np.asarray(q)
        policy = np.where(better & live, (q + closed).argmax(2), policy)
    raise ValueError("policy iteration does not settle")


def heuristics(model: TransitionModel, gamma: float, *, noise: float = 0.5, seed: int = 0) -> dict[str, Floats]:
    """Five opinions of the states of a world, ``(S,)`` each, of the size of its optimal values.

    - ``helpful``: the optimal value V*. ``noisy``: V* plus noise of that share of its deviation.
    - ``irrelevant``: the same numbers at random places. ``misleading``: -V*.
    - ``delayed``: V*, but for the best tenth of the states, which are called the worst: it leads near the goal, and
      then away from it.

    V* is 0 where an episode ends, for nothing comes after. Where success ends it, each opinion calls the end what it
    calls the states before it: the best of all, of middling worth, or the worst.

    Args:
        model: The world.
        gamma: The discount factor of V*.
        noise: The share.
        seed: Of what is random.
    """
    value, ends = optimum(model, gamma).values, model.terminal
    live = np.flatnonzero(~ends)
    rng = np.random.default_rng(seed)
    shuffled, delayed = value.copy(), value.copy()
    shuffled[live] = rng.permutation(value[live])
    top = live[np.argsort(value[live])[-max(1, len(live) // 10) :]]
    delayed[top] = value[live].min() - value[live].std()
    found = {
        "helpful": value,
        "noisy": value + noise * value[live].std() * rng.normal(size=len(value)) * ~ends,
        "irrelevant": shuffled,
        "misleading": -value,
        "delayed": delayed,
    }
    best = float(value[live].max())
    at_end = {
        "helpful": best, "noisy": best, "irrelevant": float(value[live].mean()), "misleading": -best,
        "delayed": float(delayed.min()),
    }  # fmt: skip
    return {name: np.where(ends & model.success, at_end[name], values) for name, values in found.items()}


@dataclass(frozen=True)
class HeuristicRow:
    """What one shaping made of all heuristics.

    Attributes:
        shaping: Its name.
        regret: The worst regret by heuristic, as a share of the optimal value of the start.
        certificates: The certificates by heuristic.
    """

    shaping: str
    regret: Mapping[str, float]
    certificates: Mapping[str, Certificate]

    @property
    def worst(self) -> float:
        """The largest of them."""
        return max(self.regret.values())


@needs_gamma
def heuristic_battery(
    model: TransitionModel,
    shapings: Mapping[str, Callable[[Any], Shaper]],
    *,
    gamma: float,
    names: Iterable[str] | None = None,
    seed: int = 0,
) -> list[HeuristicRow]:
    """Each shaping with each of the `heuristics`, certified, from the least harmful to the most.

    Args:
        model: The world.
        shapings: From a heuristic, a number a state, to a shaper: ``{"potential": PotentialShaping, ...}``.
        gamma: The learner's discount factor, below 1.
        names: Which heuristics. None is all.
        seed: Of what is random in them.

    Raises:
        ValueError: If a heuristic is unknown.

    >>> from potentia.envs.exact import chain
    >>> from potentia.shaping import PotentialShaping, Progress
    >>> rows = heuristic_battery(chain(8), {"progress": Progress, "potential": PotentialShaping}, gamma=0.9)
    >>> [(row.shaping, round(row.worst, 3)) for row in rows]
    [('potential', 0.0), ('progress', 0.983)]
    """
    known = heuristics(model, gamma, seed=seed)
    wanted = tuple(known if names is None else names)
    if unknown := sorted(set(wanted) - known.keys()):
        raise ValueError(f"heuristics must be among {tuple(known)}, got {unknown}")
    rows = []
    for name, make in shapings.items():
        found = {one: certify(model, make(known[one]), gamma=gamma) for one in wanted}
        regret = {
            one: certificate.worst_regret / max(abs(certificate.optimal_value), 1e-300)
            for one, certificate in found.items()
        }
        rows.append(HeuristicRow(name, regret, found))
    return sorted(rows, key=lambda row: row.worst)
