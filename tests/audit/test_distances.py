"""Distances between rewards, on the fixture of Skalse et al.: what changes no order of policies has distance 0."""

from __future__ import annotations

import numpy as np
import pytest

from potentia.audit import canonical, dard_distance, epic_distance, starc_distance
from potentia.audit.distances import CANONS

S, A, GAMMA = 6, 3, 0.9
RNG = np.random.default_rng(1)
TRANSITION = RNG.dirichlet(np.full(S, 0.5), (S, A))
REWARD, OTHER = RNG.normal(size=(2, S, A, S))
PHI = RNG.normal(size=S)
NOISE = RNG.normal(size=(S, A, S))
REDISTRIBUTION = NOISE - (TRANSITION * NOISE).sum(axis=2, keepdims=True)  # of expectation 0 over successors
SHAPED = REWARD + GAMMA * PHI - PHI[:, None, None]


@pytest.mark.parametrize("canon", ["val", "minimal"])
@pytest.mark.parametrize("norm", ["l1", "l2", "linf"])
def test_starc_does_not_see_what_changes_no_order(canon: str, norm: str) -> None:
    same = [SHAPED, REWARD + REDISTRIBUTION, 3 * REWARD, REWARD + 2, 5 * (SHAPED + REDISTRIBUTION) - 7]
    options = {"transition": TRANSITION, "gamma": GAMMA, "canon": canon, "norm": norm}
    for other in same:
        assert starc_distance(REWARD, other, **options) == pytest.approx(0, abs=1e-9)
    assert starc_distance(REWARD, -REWARD, **options) == pytest.approx(2)
    assert 0.1 < starc_distance(REWARD, OTHER, **options) < 2


@pytest.mark.parametrize("canon", ["val_potential", "epic", "dard"])
def test_the_others_see_the_redistribution(canon: str) -> None:
    options = {"transition": TRANSITION, "gamma": GAMMA, "canon": canon}
    assert starc_distance(REWARD, SHAPED, **options) == pytest.approx(0, abs=1e-9)
    assert 0.7 < starc_distance(REWARD, REWARD + REDISTRIBUTION, **options) < 0.85


def test_a_transition_that_is_read_the_wrong_way_round_is_noticed() -> None:
    wrong = TRANSITION.transpose(2, 1, 0)
    wrong = wrong / wrong.sum(axis=2, keepdims=True)
    assert starc_distance(REWARD, REWARD + REDISTRIBUTION, transition=wrong, gamma=GAMMA) > 0.1


@pytest.mark.parametrize("canon", CANONS)
def test_a_canonical_reward_is_linear_and_its_own_canonical_reward(canon: str) -> None:
    def c(reward: np.ndarray) -> np.ndarray:
        return canonical(reward, transition=TRANSITION, gamma=GAMMA, canon=canon)

    np.testing.assert_allclose(c(2 * REWARD - 3 * OTHER), 2 * c(REWARD) - 3 * c(OTHER), atol=1e-9)
    if canon not in {"epic", "dard"}:  # these differ from R by shaping alone only where all can happen alike
        np.testing.assert_allclose(c(c(REWARD)), c(REWARD), atol=1e-9)


def test_the_minimal_reward_is_the_smallest_of_its_kind() -> None:
    least = np.linalg.norm(canonical(REWARD, transition=TRANSITION, gamma=GAMMA, canon="minimal"))
    for _ in range(20):
        phi, noise = RNG.normal(size=S), RNG.normal(size=(S, A, S))
        noise -= (TRANSITION * noise).sum(axis=2, keepdims=True)
        assert np.linalg.norm(REWARD + GAMMA * phi - phi[:, None, None] + noise) > least


def test_val_is_the_advantage_of_the_policy() -> None:
    # Two states, one action, gamma 0.5: V = (1 + 0.5 V) gives 2 where it stays and pays 1. The advantage is 0.
    transition = np.array([[[1.0, 0.0]], [[1.0, 0.0]]])
    reward = np.array([[[1.0, 9.0]], [[3.0, 9.0]]])
    found = canonical(reward, transition=transition, gamma=0.5)
    np.testing.assert_allclose(found, 0.0, atol=1e-12)


def test_pearson_distances() -> None:
    assert epic_distance(REWARD, SHAPED, gamma=GAMMA) == pytest.approx(0, abs=1e-7)
    assert epic_distance(REWARD, -REWARD, gamma=GAMMA) == pytest.approx(1)
    assert dard_distance(REWARD, 2 * SHAPED, transition=TRANSITION, gamma=GAMMA) == pytest.approx(0, abs=1e-7)
    assert dard_distance(REWARD, -REWARD, transition=TRANSITION, gamma=GAMMA) == pytest.approx(1)
    with pytest.raises(ValueError, match="constant"):
        epic_distance(np.ones((S, A, S)), REWARD, gamma=GAMMA)


def test_regret_goes_with_the_distance() -> None:
    """On random worlds, the further a mixture of two rewards, the more its optimum loses."""
    distance, regret = [], []
    rng = np.random.default_rng(0)
    for _ in range(40):
        transition, pair = rng.dirichlet(np.full(S, 0.5), (S, A)), rng.normal(size=(2, S, A, S))
        for part in np.linspace(0, 1, 5):
            other = (1 - part) * pair[0] + part * pair[1] + GAMMA * PHI - PHI[:, None, None]
            distance.append(starc_distance(pair[0], other, transition=transition, gamma=GAMMA))
            best, worst = (_optimum(sign * pair[0], transition)[1] for sign in (1, -1))
            acts = _optimum(other, transition)[0]
            own = _values(pair[0], transition, acts).mean()
            regret.append((best.mean() - own) / (best.mean() + worst.mean()))
    assert np.corrcoef(distance, regret)[0, 1] > 0.8


def _optimum(reward: np.ndarray, transition: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    values = np.zeros(S)
    for _ in range(400):
        q = (transition * (reward + GAMMA * values)).sum(axis=2)
        values = q.max(axis=1)
    return q.argmax(axis=1), values


def _values(reward: np.ndarray, transition: np.ndarray, acts: np.ndarray) -> np.ndarray:
    onward = transition[np.arange(S), acts]
    gain = (onward * reward[np.arange(S), acts]).sum(axis=1)
    return np.linalg.solve(np.eye(S) - GAMMA * onward, gain)


def test_what_is_wrong_is_told() -> None:
    options = {"transition": TRANSITION, "gamma": GAMMA}
    with pytest.raises(ValueError, match=r"both have shape \(S, A, S\), got \(6, 3\) and \(6, 3, 6\)"):
        starc_distance(REWARD[..., 0], REWARD, **options)
    with pytest.raises(ValueError, match="summing to 1"):
        starc_distance(REWARD, REWARD, transition=2 * TRANSITION, gamma=GAMMA)
    with pytest.raises(ValueError, match="canon must be among"):
        starc_distance(REWARD, REWARD, **options, canon="best")
    with pytest.raises(ValueError, match="gamma must be below 1"):
        starc_distance(REWARD, REWARD, transition=TRANSITION, gamma=1.0)
    with pytest.raises(ValueError, match=r"policy must have shape \(S, A\)"):
        canonical(REWARD, **options, policy=np.ones(3))
