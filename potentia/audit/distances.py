"""How far apart two rewards are in what they make optimal: STARC, EPIC and DARD distances, exact."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from potentia.gamma import check_gamma, needs_gamma
from potentia.limits import check_among

__all__ = ["canonical", "dard_distance", "epic_distance", "starc_distance"]

Floats = NDArray[np.float64]
Canon = Literal["val", "val_potential", "minimal", "epic", "dard", "none"]
Norm = Literal["l1", "l2", "linf", "none"]

CANONS: tuple[Canon, ...] = ("val", "val_potential", "minimal", "epic", "dard", "none")
NORMS: tuple[Norm, ...] = ("l1", "l2", "linf", "none")


@needs_gamma
def starc_distance(
    reward: ArrayLike,
    other: ArrayLike,
    *,
    transition: ArrayLike,
    gamma: float,
    canon: Canon = "val",
    norm: Norm = "l2",
    policy: ArrayLike | None = None,
) -> float:
    """``||s(R1) - s(R2)||``, where ``s(R) = c(R) / ||c(R)||``: 0 if and only if both order all policies alike.

    Skalse et al. 2024, "STARC: a general framework for quantifying differences between reward functions" (ICLR, arXiv
    2309.15257). The canonicalisation c takes away what changes no order: potential shaping, and the redistribution of
    what an expectation over successors does not see. The norm takes away the scale. The distance lies in [0, 2].

    Args:
        reward: R1 ``(S, A, S)``.
        other: R2 ``(S, A, S)``.
        transition: P(s' | s, a) ``(S, A, S)``. A state that ends episodes leads to itself, with reward 0.
        gamma: The discount factor, below 1.
        canon: See `canonical`. ``"val"`` and ``"minimal"`` are STARC canonicalisations. The others are there to
            compare: they do not see the redistribution.
        norm: Both the scale that is taken away and the measure of the difference. ``"none"`` takes no scale away and
            measures by l2.
        policy: pi(a | s) ``(S, A)`` of ``"val"`` and ``"val_potential"``, by default uniform. It changes the distance
            but not where it is 0.

    Raises:
        ValueError: If shapes disagree, rows of ``transition`` are no distributions, or a choice is unknown.

    >>> import numpy as np
    >>> rng = np.random.default_rng(0)
    >>> transition, reward, phi = rng.dirichlet(np.ones(4), (4, 2)), rng.normal(size=(4, 2, 4)), rng.normal(size=4)
    >>> shaped = 3 * reward + 0.9 * phi - phi[:, None, None]
    >>> round(starc_distance(reward, shaped, transition=transition, gamma=0.9), 9)
    0.0
    >>> round(starc_distance(reward, -reward, transition=transition, gamma=0.9), 9)
    2.0
    """
    check_among(NORMS, norm=norm)
    first, second = (
        _scaled(canonical(one, transition=transition, gamma=gamma, canon=canon, policy=policy), norm)
        for one in (reward, other)
    )
    return _size(first - second, norm)


@needs_gamma
def epic_distance(reward: ArrayLike, other: ArrayLike, *, gamma: float) -> float:
    """``sqrt((1 - rho) / 2)``, rho the Pearson correlation of the EPIC-canonical rewards, in [0, 1].

    Gleave et al. 2021, "Quantifying differences in reward functions" (ICLR, arXiv 2006.13900), with uniform coverage
    of states and actions. It sees neither what is possible nor the redistribution, so it is 0 for fewer pairs of
    rewards than order policies alike.

    Args:
        reward: R1 ``(S, A, S)``.
        other: R2 ``(S, A, S)``.
        gamma: The discount factor, below 1.

    Raises:
        ValueError: If shapes disagree, or a canonical reward is constant.
    """
    shape = np.shape(reward)
    anywhere = np.full(shape, 1.0 / shape[-1])
    return _pearson(*(canonical(one, transition=anywhere, gamma=gamma, canon="epic") for one in (reward, other)))


@needs_gamma
def dard_distance(reward: ArrayLike, other: ArrayLike, *, transition: ArrayLike, gamma: float) -> float:
    """``sqrt((1 - rho) / 2)``, rho the Pearson correlation of the DARD-canonical rewards, in [0, 1].

    Wulfe et al. 2022, "Dynamics-aware comparison of learned reward functions" (ICLR, arXiv 2201.10081), with uniform
    coverage of states and actions. The shaping is estimated on transitions that can happen.

    Args:
        reward: R1 ``(S, A, S)``.
        other: R2 ``(S, A, S)``.
        transition: P(s' | s, a) ``(S, A, S)``.
        gamma: The discount factor, below 1.

    Raises:
        ValueError: If shapes disagree, or a canonical reward is constant.
    """
    return _pearson(*(canonical(one, transition=transition, gamma=gamma, canon="dard") for one in (reward, other)))


@needs_gamma
def canonical(
    reward: ArrayLike,
    *,
    transition: ArrayLike,
    gamma: float,
    canon: Canon = "val",
    policy: ArrayLike | None = None,
) -> Floats:
    """``c(R)``: one reward for all that differ from R by what changes no order of policies, ``(S, A, S)``.

    - ``"val"``: E over s' of R(s, a, s') + gamma V(s') - V(s), V the value of R under the policy: its advantage.
    - ``"val_potential"``: R(s, a, s') + gamma V(s') - V(s). The redistribution stays.
    - ``"minimal"``: the reward of least l2 norm among all that order policies alike, by least squares.
    - ``"epic"``: R + gamma m(s') - m(s) - gamma m, m(s) the mean of R(s, A, S') and m that of all, A and S' uniform.
    - ``"dard"``: R + gamma m(s') - m(s) - gamma E R(S', A, S''), with successors as they can happen.
    - ``"none"``: R itself.

    Args:
        reward: R ``(S, A, S)``.
        transition: P(s' | s, a) ``(S, A, S)``.
        gamma: The discount factor, below 1.
        canon: Which of them.
        policy: pi(a | s) ``(S, A)`` of the first two, by default uniform.

    Raises:
        ValueError: As `starc_distance`.
    """
    check_among(CANONS, canon=canon)
    if check_gamma(gamma) == 1.0:
        raise ValueError("gamma must be below 1, got 1.0")
    r, p = _checked(reward, transition)
    pi = np.full(r.shape[:2], 1.0 / r.shape[1]) if policy is None else np.asarray(policy, np.float64)
    if pi.shape != r.shape[:2]:
        raise ValueError(f"policy must have shape (S, A) = {r.shape[:2]}, got {pi.shape}")
    makers: dict[Canon, Callable[[Floats, Floats, float], Floats]] = {
        "val": lambda r, p, g: np.broadcast_to((p * _val(r, p, g, pi)).sum(2, keepdims=True), r.shape).copy(),
        "val_potential": partial(_val, pi=pi),
        "minimal": _minimal,
        "epic": _epic,
        "dard": _dard,
        "none": lambda r, p, g: r.copy(),
    }
    return makers[canon](r, p, gamma)


def _checked(reward: ArrayLike, transition: ArrayLike) -> tuple[Floats, Floats]:
    r, p = np.asarray(reward, np.float64), np.asarray(transition, np.float64)
    if r.ndim != 3 or r.shape[0] != r.shape[2] or p.shape != r.shape:
        raise ValueError(f"reward and transition must both have shape (S, A, S), got {r.shape} and {p.shape}")
    if (p < 0).any() or not np.allclose(p.sum(axis=2), 1.0, rtol=0, atol=1e-9):
        raise ValueError("transition must hold distributions over its last axis: non-negative, summing to 1")
    return r, p


def _val(r: Floats, p: Floats, gamma: float, pi: Floats) -> Floats:
    onward, gain = np.einsum("sa,sat->st", pi, p), np.einsum("sa,sat,sat->s", pi, p, r)
    v = np.linalg.solve(np.eye(len(r)) - gamma * onward, gain)
    return r + gamma * v - v[:, None, None]


def _minimal(r: Floats, p: Floats, gamma: float) -> Floats:
    """The part of R that is orthogonal to all shapings and redistributions.

    A redistribution is any D(s, a, .) that is orthogonal to P(. | s, a). So what is left at (s, a) is a multiple of
    P(. | s, a), by an expected reward. Shaping moves the expected rewards, each weighted by |P(. | s, a)|.
    """
    length = np.sqrt((p**2).sum(axis=2))
    expected = (p * r).sum(axis=2)
    moves = gamma * p - np.eye(len(r))[:, None, :]
    weighted, target = (moves / length[..., None]).reshape(-1, len(r)), (expected / length).reshape(-1)
    phi = np.linalg.lstsq(weighted, -target, rcond=None)[0]
    left = expected + moves @ phi
    return np.asarray((left / length**2)[..., None] * p)


def _epic(r: Floats, p: Floats, gamma: float) -> Floats:
    del p
    mean = r.mean(axis=(1, 2))
    return np.asarray(r + gamma * mean - mean[:, None, None] - gamma * r.mean())


def _dard(r: Floats, p: Floats, gamma: float) -> Floats:
    expected, step = (p * r).sum(axis=2).mean(axis=1), p.mean(axis=1)
    # For each s and s': A uniform, S' after s, S'' after s', and the reward of S', A, S''.
    beyond = np.einsum("xu,uav,yv->xy", step, r, step) / r.shape[1]
    return np.asarray(r + gamma * expected - expected[:, None, None] - gamma * beyond[:, None, :])


def _size(r: Floats, norm: Norm) -> float:
    order: Any = {"l1": 1, "l2": 2, "linf": np.inf, "none": 2}[norm]
    return float(np.linalg.norm(r.ravel(), order))


def _scaled(r: Floats, norm: Norm) -> Floats:
    size = 1.0 if norm == "none" else _size(r, norm)
    return r / size if size > 1e-12 else np.zeros_like(r)


def _pearson(first: Floats, second: Floats) -> float:
    if min(float(first.std()), float(second.std())) < 1e-12:
        raise ValueError("a canonical reward is constant, so it has no correlation: the reward orders no policies")
    rho = float(np.corrcoef(first.ravel(), second.ravel())[0, 1])
    return float(np.sqrt(max(0.0, (1.0 - rho) / 2.0)))
