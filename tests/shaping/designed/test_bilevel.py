"""Bilevel rewards: their gradients against finite differences of the whole inner problem, and what they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from potentia.rollout import Rollout
from potentia.shaping import BARFI, LIRPG, BARFIDiscount, Chain, PotentialShaping, ScheduleDiscount
from potentia.shaping.designed.policy_field import neumann


class Softmax:
    """A table of logits: ``log_prob(obs, action)`` and ``parameters()`` are all that a shaper asks for."""

    def __init__(self, logits: Any) -> None:
        self.logits = torch.tensor(np.array(logits), dtype=torch.float64, requires_grad=True)

    def parameters(self) -> list[Tensor]:
        return [self.logits]

    def log_prob(self, obs: Tensor, action: Tensor) -> Tensor:
        return self.logits[obs.long()].log_softmax(-1).gather(1, action.long()[:, None])[:, 0]


class Given(PotentialShaping):
    """Pays its table of (state, action): a designer's reward of any kind."""

    def __init__(self, table: Any) -> None:
        super().__init__([0.0], name="given")
        self.paid = np.array(table, np.float64)

    def shape(self, rollout: Rollout, carry: Any = ()) -> tuple[Rollout, Any]:
        return rollout.add(self.name, self.paid[rollout.obs, rollout.action]), carry


def episodes(actions: Any, reward: Any, gamma: float = 1.0) -> Rollout:
    """Episodes ``(B, T)`` of one action or two: the first, in state 0, leads to state 1 or 2."""
    action = np.array(actions).T
    state = np.concatenate([np.zeros_like(action[:1]), 1 + action[:-1]])
    ends = np.broadcast_to(np.arange(len(action))[:, None] == len(action) - 1, action.shape).copy()
    return Rollout(
        obs=state, action=action, next_obs=state, terms={"env": np.array(reward, np.float64)[state, action]},
        discount=np.where(ends, 0.0, gamma), terminated=ends, truncated=ends & False,
    )  # fmt: skip


def softmax(theta: Any) -> Any:
    return np.exp(theta - theta.max(-1, keepdims=True)) / np.exp(theta - theta.max(-1, keepdims=True)).sum(
        -1, keepdims=True
    )


# A bandit of four arms: the policy takes them 1, 2, 3 and 4 times of 10, so ten pulls are the expectation.
P = np.array([0.1, 0.2, 0.3, 0.4])
LAMBDA = 0.5
THETA = np.log(P) - np.log(P).mean()
PHI = LAMBDA * THETA / P  # makes THETA the solution of the inner problem: p (phi - p.phi) = lambda theta
PULLS = np.repeat(np.arange(4), [1, 2, 3, 4])[:, None]
TRUE = np.array([1.0, -0.5, 2.0, 0.3])


def solved(phi: Any) -> Any:
    theta = THETA.copy()
    for _ in range(600):
        p = softmax(theta)
        theta = theta + 0.5 * (p * (phi - p @ phi) - LAMBDA * theta)
    return theta


def differences(value: Any, at: Any, h: float = 1e-5) -> Any:
    flat = np.array(at, np.float64)
    found = np.zeros(flat.shape)
    for place in np.ndindex(flat.shape):
        step = np.zeros(flat.shape)
        step[place] = h
        found[place] = (value(flat + step) - value(flat - step)) / (2 * h)
    return found


def bandit(terms: int) -> tuple[BARFI, dict[str, Any]]:
    """BARFI whose blend is PHI, after one update."""
    world = spaces.Discrete(1), spaces.Discrete(4)
    barfi = BARFI(
        Given([PHI - TRUE]), *world, decay=LAMBDA, terms=terms, step=0.5, cost=0.0, learning_rate=0.0, phi1_rate=0.0
    )
    barfi._blend.double()
    metrics = barfi.update(episodes(PULLS, [TRUE]), policy=Softmax([THETA]))
    return barfi, metrics


def test_the_implicit_gradient_is_that_of_the_solved_inner_problem() -> None:
    truth = differences(lambda phi: softmax(solved(phi)) @ TRUE, PHI)
    barfi, metrics = bandit(200)
    assert [float(metrics[name]) for name in ("phi1", "phi2", "phi3")] == [0, 1, 1]
    np.testing.assert_allclose(barfi._blend["action"].table.grad[:, 0], truth, atol=1e-8)
    # phi2 and phi3 multiply what each arm pays.
    np.testing.assert_allclose(barfi._blend["state"].table.grad[0], [truth @ TRUE, truth @ (PHI - TRUE)], atol=1e-8)


def test_a_few_terms_point_nearly_the_same_way() -> None:
    truth = differences(lambda phi: softmax(solved(phi)) @ TRUE, PHI)
    cosines = []
    for terms in (1, 3, 5, 20):
        found = bandit(terms)[0]._blend["action"].table.grad[:, 0].numpy()
        cosines.append(found @ truth / np.linalg.norm(found) / np.linalg.norm(truth))
    assert cosines == sorted(cosines)


def test_the_neumann_series_of_the_published_bandit() -> None:
    """Four arms, lambda 0.5, numpy's generator 1: cosines with finite differences after 1, 3, 5 and 20 terms."""
    rng = np.random.default_rng(1)
    true, phi = rng.normal(size=4), rng.normal(size=4)
    truth = differences(lambda blend: softmax(solved(blend)) @ true, phi)
    theta = torch.tensor(solved(phi))
    own = torch.tensor(phi)

    def delta(at: Tensor) -> Tensor:
        p = at.softmax(0)
        return p * (own - p @ own) - LAMBDA * at

    def product(x: Any) -> list[Tensor]:
        return [torch.autograd.functional.vjp(delta, theta, x[0])[1]]

    p = softmax(theta.numpy())
    up = torch.tensor(p * (true - p @ true))
    onto = np.diag(p) - np.outer(p, p)  # d delta / d phi
    cosines = []
    for terms in (1, 3, 5, 20, 400):
        found = neumann([up], product, terms, 0.5)[0].numpy() @ onto
        cosines.append(found @ truth / np.linalg.norm(found) / np.linalg.norm(truth))
    assert cosines[:4] == pytest.approx([0.9956, 0.9975, 0.9986, 0.99999], abs=6e-5)
    np.testing.assert_allclose(found, truth, atol=1e-8)


# Two steps: the action in state 0 leads to state 1 or 2. Sixteen episodes are the expectation.
TREE = np.log([[0.25, 0.75], [0.5, 0.5], [0.25, 0.75]])
WAYS = [(a, b) for a in (0, 1, 1, 1) for b in ((0, 1, 1, 1) if a else (0, 0, 1, 1))]
PAYS = np.array([[0.0, 0.4], [1.0, -0.6], [0.3, 0.5]])
THREE = spaces.Discrete(3), spaces.Discrete(2)


def tree_field(theta: Any, blend: Any, gamma: float, decay: float) -> Any:
    """Delta: mean over the two steps of grad log pi G, in closed form."""
    p = softmax(theta)
    q = blend.copy()
    q[0] += gamma * (p * blend).sum(1)[1:]
    reached = np.array([1.0, *p[0]])[:, None]
    return reached * p * (q - (p * q).sum(1, keepdims=True)) / 2 - decay * theta


def tree_solved(blend: Any, gamma: float, decay: float) -> Any:
    theta = TREE - TREE.mean(1, keepdims=True)
    for _ in range(400):
        theta = theta + tree_field(theta, blend, gamma, decay)
    return theta


def test_along_an_episode_phi_and_gamma_have_the_gradient_of_the_solved_inner_problem() -> None:
    """The blend is such that the policy solves the inner problem."""
    gamma, decay, p = 0.6, 0.3, softmax(TREE)
    theta = TREE - TREE.mean(1, keepdims=True)
    blend = 2 * decay * theta / p / np.array([1.0, *p[0]])[:, None]
    blend += np.array([[0.0], [0.7], [-0.2]])  # what both actions earn moves nothing there
    blend[0] -= gamma * (p * blend).sum(1)[1:]
    np.testing.assert_allclose(tree_field(theta, blend, gamma, decay), 0, atol=1e-12)

    def value(blend: Any, gamma: float) -> float:
        found = softmax(tree_solved(blend, gamma, decay))
        earned = (found * PAYS).sum(1)
        return float(earned[0] + found[0] @ earned[1:]) / 2

    discount = BARFIDiscount(gamma, outer=1.0, cost=0.01, learning_rate=0.0)
    barfi = BARFI(
        Given(blend - PAYS),
        *THREE,
        decay=decay,
        terms=200,
        step=0.9,
        cost=0.0,
        learning_rate=0.0,
        phi1_rate=0.0,
        discount=discount,
    )
    barfi._blend.double()
    barfi.update(episodes(WAYS, PAYS), policy=Softmax(theta))
    truth = differences(lambda blend: value(blend, gamma), blend)
    np.testing.assert_allclose(barfi._blend["action"].table.grad.reshape(3, 2), truth, atol=1e-8)
    slope = (value(blend, gamma + 1e-5) - value(blend, gamma - 1e-5)) / 2e-5
    assert abs(slope) > 1e-3
    np.testing.assert_allclose(discount._phi["gamma"].grad, (slope - 0.01) * gamma * (1 - gamma), atol=1e-8)


def test_a_harmful_reward_loses_trust_and_a_helpful_one_keeps_it() -> None:
    """The learner follows the blend. Arm 0 pays in truth, and the designer's reward points at arm 3, or at arm 0."""
    trust, earned = {}, {}
    for name, given in {"harmful": [-1.0, 0, 0, 1], "helpful": [1.0, 0, 0, -1]}.items():
        barfi = BARFI(Given([given]), spaces.Discrete(1), spaces.Discrete(4), trust=2.0, cost=0.0)
        policy = Softmax(np.zeros((1, 4)))
        optimizer = torch.optim.Adam(policy.parameters(), lr=0.05)
        rng = np.random.default_rng(0)
        for _ in range(200):
            pulls = rng.choice(4, p=softmax(policy.logits.detach().numpy())[0], size=(64, 1))
            shaped, _ = barfi.shape(episodes(pulls, [[1.0, 0, 0, 0]]))
            reward = torch.as_tensor(shaped.reward[0])
            log_prob = policy.log_prob(torch.zeros(64), torch.as_tensor(pulls[:, 0]))
            optimizer.zero_grad()
            (-(log_prob * (reward - reward.mean())).mean() + 0.005 * (policy.logits**2).sum()).backward()
            optimizer.step()
            metrics = barfi.update(shaped, policy=policy)
        trust[name], earned[name] = float(metrics["phi3"]), softmax(policy.logits.detach().numpy())[0, 0]
    assert trust["harmful"] < 0
    assert trust["helpful"] > 2
    assert min(earned.values()) > 0.9


def test_the_dearer_the_horizon_the_shorter() -> None:
    gammas = []
    for cost in (0.0, 0.1):
        discount = BARFIDiscount(0.9, cost=cost)
        barfi = BARFI(Given([[0.0, 0.0]] * 3), *THREE, discount=discount)
        chain = Chain(discount, barfi)
        policy = Softmax(TREE)
        for _ in range(20):
            shaped, _ = chain.shape(episodes(WAYS, PAYS, 0.9))
            chain.update(shaped, policy=policy)
        gammas.append(discount.gamma)
        assert shaped.discount[0].tolist() == pytest.approx([discount.gamma] * 16, abs=0.01)
    assert gammas[0] > 0.9 > gammas[1] + 0.1


def test_what_barfi_refuses() -> None:
    with pytest.raises(ValueError, match="sets the discount, and BARFI blends rewards"):
        BARFI(ScheduleDiscount(0.9), *THREE)
    with pytest.raises(ValueError, match="start must lie between 0 and 1, got 1"):
        BARFIDiscount(1.0)
    for shaper in (BARFI(Given(PAYS), *THREE), LIRPG(*THREE)):
        with pytest.raises(ValueError, match="needs the learner's policy to learn"):
            shaper.update(episodes(WAYS, PAYS))


def test_networks_start_as_the_plain_sum_and_learn() -> None:
    """Vectors as observations and actions: phi is made of networks."""
    box = spaces.Box(-1.0, 1.0, (3,))
    rng = np.random.default_rng(0)
    zeros, never = np.zeros((5, 2)), np.zeros((5, 2), bool)
    rollout = Rollout(
        obs=rng.normal(size=(5, 2, 3)), action=rng.normal(size=(5, 2, 3)), next_obs=rng.normal(size=(5, 2, 3)),
        terms={"env": rng.normal(size=(5, 2))}, discount=zeros + 0.9, terminated=never, truncated=never,
    )  # fmt: skip

    class Gaussian(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.mean = torch.nn.Linear(3, 3).double()

        def log_prob(self, obs: Tensor, action: Tensor) -> Tensor:
            return -((action - self.mean(obs)) ** 2).sum(1) / 2

    auxiliary = PotentialShaping(lambda obs: obs[..., 0])
    barfi = BARFI(auxiliary, box, box, hidden=8)
    before = barfi.shape(rollout)[0].terms["BARFI"]
    np.testing.assert_allclose(before, auxiliary.shape(rollout)[0].terms["PotentialShaping"], atol=1e-6)
    policy = Gaussian()
    for _ in range(3):
        metrics = barfi.update(rollout, policy=policy)
    assert {"phi1", "phi2", "phi3"} <= metrics.keys()
    assert np.abs(barfi.shape(rollout)[0].terms["BARFI"] - before).min() > 0


# LIRPG: one step of size 1 on a bandit of two arms, from p = 0.5. The first arm pays 1.
ARMS = np.array([[0], [1]])


class Sigmoid(Softmax):
    """One logit: of arm 0."""

    def log_prob(self, obs: Tensor, action: Tensor) -> Tensor:
        del obs
        return torch.nn.functional.logsigmoid(torch.where(action == 0, self.logits, -self.logits))


@pytest.mark.parametrize(("policy", "slope"), [(Sigmoid(0.0), 0.0625), (Softmax([[0.0, 0.0]]), 0.125)])
def test_one_step_of_a_bandit_has_the_gradient_of_the_return_after_it(policy: Softmax, slope: float) -> None:
    lirpg = LIRPG(spaces.Discrete(1), spaces.Discrete(2), intrinsic=1.0, extrinsic=0.0, alpha=1.0, learning_rate=0.0)
    rollout = episodes(ARMS, [[1.0, 0.0]])
    assert lirpg.update(rollout, policy=policy) == {}  # who acted in it is not known
    assert lirpg.update(rollout, policy=policy) == {}
    lirpg.update(rollout, policy=policy)
    assert lirpg._eta.table is not None
    np.testing.assert_allclose(lirpg._eta.table.grad[:, 0], [slope, -slope], atol=1e-7)
    assert not policy.logits.any()  # it was only borrowed


def test_lirpg_after_a_reward_that_moves_the_policy() -> None:
    """Now eta is not 0, and the mixed reward has both parts: theta' is elsewhere, and the ratio is not 1."""
    eta, logits, alpha, weight = np.array([0.3, -0.4]), np.log([0.25, 0.75]), 0.8, 0.7
    pulls = np.array([[0], [1], [1], [1]])
    true = np.array([1.0, 0.2])

    def value(eta: Any) -> float:
        p = softmax(logits)
        mixed = true + weight * np.tanh(eta)
        return float(softmax(logits + alpha * p * (mixed - p @ mixed)) @ true)

    lirpg = LIRPG(
        spaces.Discrete(1), spaces.Discrete(2), intrinsic=weight, alpha=alpha, learning_rate=0.0, clip_range=9.0
    )
    lirpg._eta.double()
    with torch.no_grad():
        lirpg._eta.table.copy_(torch.tensor(eta)[:, None])
    policy = Softmax([logits])
    for _ in range(3):
        metrics = lirpg.update(episodes(pulls, [true]), policy=policy)
    np.testing.assert_allclose(lirpg._eta.table.grad[:, 0], differences(value, eta), atol=1e-9)
    assert float(metrics["gain"]) == pytest.approx(value(eta) - softmax(logits) @ true)


def test_lirpg_goes_on_after_it_was_saved() -> None:
    one, other = LIRPG(*THREE), LIRPG(*THREE)
    policy = Softmax(TREE)
    for _ in range(3):
        one.update(episodes(WAYS, PAYS), policy=policy)
    other.load_state_dict(one.state_dict())
    found = [shaper.update(episodes(WAYS[::-1], PAYS), policy=policy) for shaper in (one, other)]
    assert found[0] == found[1]
    assert torch.equal(one._eta.table, other._eta.table)
    assert one._eta.table.abs().min() > 0


def in_one_column(rollout: Rollout) -> Rollout:
    """Its episodes one after another, each with a masked step of nonsense in its midst."""

    def column(array: Any, nonsense: Any) -> Any:
        middle = np.full_like(array[:1], nonsense)
        return np.concatenate([array[:1], middle, array[1:]]).T.reshape(-1, 1)

    return Rollout(
        obs=column(rollout.obs, 2), action=column(rollout.action, 1), next_obs=column(rollout.next_obs, 0),
        terms={"env": column(rollout.terms["env"], np.nan)}, discount=column(rollout.discount, 0.3),
        terminated=column(rollout.terminated, False), truncated=column(rollout.truncated, False),
        mask=column(rollout.mask, False),
    )  # fmt: skip


@pytest.mark.parametrize("kind", [BARFI, LIRPG])
def test_masked_steps_do_not_exist_and_episodes_are_apart(kind: Any) -> None:
    found = []
    for form in (lambda rollout: rollout, in_one_column):
        shaper = kind(*([Given(-PAYS)] if kind is BARFI else []), *THREE)
        policy = Softmax(TREE)
        for _ in range(3):
            shaper.update(form(episodes(WAYS, PAYS, 0.7)), policy=policy)
        learned = shaper._blend if kind is BARFI else shaper._eta
        found.append(torch.cat([weight.grad.ravel() for weight in learned.parameters()]).numpy())
    np.testing.assert_allclose(found[0], found[1], rtol=1e-4, atol=1e-9)
    assert np.abs(found[0]).min() > 1e-7
