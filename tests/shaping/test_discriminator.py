"""Adversarial imitation: the penalty and the reward by hand, kappa, the bound on values, and what is learned from."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia import demonstrations
from potentia.rollout import Rollout
from potentia.shaping import Chain, Discriminator, HideReward
from potentia.shaping.imitation.adversary import Adversary
from potentia.shaping.imitation.discriminator import FORMS, Form, reward_of
from potentia.shaping.imitation.lipschitz import gradient_norms, gradient_penalty, jacobian_norms, value_gradient_bound
from potentia.shaping.imitation.preconditioning import Preconditioner
from tests.shaping.law_table import ACTIONS, SHOWN, VECTOR
from tests.shaping.test_learned import experience

SMALL: dict[str, Any] = {"hidden": 16, "batch_size": 16, "learning_rate": 1e-2}
CPU = torch.device("cpu")


def term(shaper: Discriminator, rollout: Rollout) -> np.ndarray:
    return shaper.shape(rollout)[0].terms[shaper.name]


def make(**settings: Any) -> Discriminator:
    return Discriminator(VECTOR, ACTIONS, SHOWN, **(SMALL | settings))


def linear(shaper: Discriminator, weights: torch.Tensor) -> None:
    """Makes its logit ``weights @ x``."""
    layer = torch.nn.Linear(len(weights), 1, bias=False)
    layer.weight.data[0] = weights
    shaper.adversary.network = torch.nn.Sequential(layer)


@pytest.mark.parametrize(("norm", "penalty"), [(0.0, 0.0), (0.5, 0.0), (1.0, 0.0), (1.5, 0.25), (3.0, 4.0)])
def test_the_penalty_of_a_linear_logit_is_exact_and_0_up_to_1(norm: float, penalty: float) -> None:
    weights = norm * torch.tensor([0.6, 0.0, -0.8])
    found = gradient_penalty(lambda x: x @ weights, torch.randn(5, 3), 1.0)
    torch.testing.assert_close(found, torch.full((5,), penalty), atol=2e-6, rtol=1e-6)


def test_the_penalty_flattens_the_logit() -> None:
    """Weight 10 against weight 0 on data that can be told apart at once: gradients near 1 against any."""
    rows, norms = torch.linspace(-1, 1, 64)[:, None], {}
    for penalty in ("wgan-gp", "bare", None):
        adversary = Adversary(
            1, penalty=penalty, penalty_weight=10.0, lipschitz=1.0, noise=10.0, spectral_norm=False,
            smoothing=(1.0, 1.0), ent_coef=0.0, device=CPU, seed=0, **SMALL,
        )  # fmt: skip
        for _ in range(100):
            adversary.learn(rows - 1.5, rows + 1.5, torch.ones(64, dtype=torch.bool))
        between = torch.linspace(-1, 1, 50)[:, None] if penalty == "wgan-gp" else rows - 1.5
        norms[penalty] = float(gradient_norms(adversary.logit, between).max().detach())
    assert norms["wgan-gp"] < 1.5
    assert norms["bare"] < 1.5
    assert norms[None] > 3


def test_spectral_norm_bounds_the_gradient() -> None:
    adversary = Adversary(
        3, penalty=None, penalty_weight=0.0, lipschitz=1.0, noise=0.0, spectral_norm=True,
        smoothing=(1.0, 1.0), ent_coef=0.0, device=CPU, seed=0, **SMALL,
    )  # fmt: skip
    rows = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    for _ in range(100):
        adversary.learn(rows - 1, rows + 1, torch.ones(64, dtype=torch.bool))
    # Each layer's singular values are at most 1, and a leaky ReLU's slope is.
    assert float(gradient_norms(adversary.logit, rows).max().detach()) <= 1.01


@pytest.mark.parametrize("form", FORMS)
def test_the_reward_rises_with_d(form: Form) -> None:
    logit = torch.linspace(-30, 30, 101, dtype=torch.float64)
    reward, d = reward_of(logit, form), logit.sigmoid()
    wanted = {"-log(1-D)": -(1 - d).log(), "log D": d.log(), "AIRL": d.log() - (1 - d).log()}[form]
    torch.testing.assert_close(reward, wanted, rtol=1e-3, atol=1e-10)
    assert bool((reward.diff() > 0).all())
    assert {"-log(1-D)": bool((reward >= 0).all()), "log D": bool((reward <= 0).all()), "AIRL": True}[form]


def test_the_reward_of_a_linear_logit_by_hand() -> None:
    rollout = experience(3, 2)
    shaper = make()
    linear(shaper, torch.tensor([1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 2.0]))  # of the first number, and of action 2
    mean, deviation = (float(m[0]) for m in (shaper.features.moments.mean, shaper.features.moments.std))
    np.testing.assert_allclose(mean, SHOWN.obs[SHOWN.mask][:, 0].mean(), rtol=1e-6)
    logit = (rollout.obs[..., 0] - mean) / deviation + 2.0 * (rollout.action == 2)
    np.testing.assert_allclose(term(shaper, rollout), np.logaddexp(0, logit), rtol=1e-4)


def test_a_termination_stands_alone_or_is_followed_by_an_absorbing_state() -> None:
    rollout = experience(3, 2)
    ends = rollout.terminated.copy()
    ends[1, 0] = True
    ended = replace(rollout, terminated=ends)
    shaper = make(form="AIRL")
    np.testing.assert_array_equal(term(shaper, ended), term(shaper, rollout))
    shaper = make(form="AIRL", absorbing=0.75)
    linear(shaper, torch.tensor([0.0] * 7 + [5.0]))  # an absorbed state has the logit 5, all others 0
    # 0.75 / (1 - 0.75) = 3 times the reward of staying there.
    assert term(shaper, ended).tolist() == [[0.0, 0.0], [15.0, 0.0], [0.0, 0.0]]
    assert term(shaper, rollout).tolist() == [[0.0, 0.0]] * 3


@pytest.mark.parametrize(("dies", "better"), [(True, False), (False, True)])
def test_d_learns_whether_ending_is_what_the_demonstrations_do(dies: bool, better: bool) -> None:
    """Demonstrations are cut or terminate, the learner does the other, and neither differs in its steps."""
    shown, rollout = experience(8, 4), experience(8, 4)
    ends = np.zeros((8, 4), bool)
    ends[-1] = True
    cut = {"terminated": ends & False, "truncated": ends}
    terminated = {"terminated": ends, "truncated": ends & False}
    shown = replace(shown, **(cut if dies else terminated))
    shaper = Discriminator(VECTOR, ACTIONS, shown, absorbing=0.9, penalty="bare", form="AIRL", **SMALL)
    learner = replace(rollout, **(terminated if dies else cut))
    for _ in range(60):
        shaper.update(learner)
    alive, dead = (term(shaper, replace(rollout, **kind))[-1].mean() for kind in (cut, terminated))
    assert (dead > alive + 1) if better else (dead < alive - 1)


def test_kappa_is_1_up_to_the_limit_and_never_below_0_7() -> None:
    device: dict[str, Any] = {"device": CPU, "seed": 0, **SMALL}
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0))
    mask = torch.ones(64, dtype=torch.bool)
    for limit, steep in ((9.0, False), (1.0, True)):
        model = Preconditioner(2, 3, limit=limit, least=0.7, **device)
        assert model.kappa(x).tolist() == [1.0] * 64  # before anything was learned
        for _ in range(20):
            model.learn(x, x[:, :2].sin() + x[:, 2:], mask)
        kappa = model.kappa(x)
        assert float(jacobian_norms(model.predict, x).max().detach()) < 9
        if not steep:
            assert kappa.tolist() == [1.0] * 64
        else:
            assert 0.7 - 1e-6 <= float(kappa.min()) < float(kappa.max()) <= 1.0


def test_kappa_multiplies_the_reward() -> None:
    plain, preconditioned = make(), make(purple=True, purple_limit=0.5)
    rollout = experience(8, 2)
    for _ in range(3):
        plain.update(rollout)
        metrics = preconditioned.update(rollout)
    ratio = term(preconditioned, rollout) / term(plain, rollout)
    assert ratio.min() >= 0.7 - 1e-6
    assert ratio.max() <= 1 + 1e-6
    assert ratio.mean() == pytest.approx(float(metrics["kappa"]), rel=1e-5)
    assert float(metrics["kappa"]) < 1


def test_the_jacobian_of_dynamics_is_exact_where_they_are_linear() -> None:
    matrix = torch.tensor([[1.0, 2.0, 0.0], [0.0, -2.0, 4.0]])
    torch.testing.assert_close(jacobian_norms(lambda x: x @ matrix.T, torch.zeros(4, 3)), torch.full((4,), 5.0))


def linear_q(dynamics: np.ndarray, policy: np.ndarray, reward: np.ndarray, gamma: float) -> np.ndarray:
    """The gradient of Q by (s, a) where s' = dynamics (s, a), a = policy s and r = reward (s, a)."""
    turn = np.vstack([np.eye(len(dynamics)), policy]) @ dynamics  # the Jacobian of (s', a')
    return np.linalg.solve(np.eye(len(reward)) - gamma * turn.T, reward)


def test_each_third_step_of_the_demonstrations() -> None:
    shaper = make(every=3)
    steps = SHOWN.obs[::3][SHOWN.mask[::3]]  # of episodes of 9, 6, 9 and 9 steps: 3 + 2 + 3 + 3
    assert len(steps) == 11
    np.testing.assert_allclose(shaper._shown["obs"].double().numpy(), steps, rtol=1e-6)
    np.testing.assert_allclose(shaper.features.moments.mean.numpy(), steps.mean(0), rtol=1e-5)


@pytest.mark.parametrize("kappa", [1.0, 0.7])
def test_no_gradient_of_a_linear_q_is_longer_than_the_bound(kappa: float) -> None:
    rng, gamma, closest = np.random.default_rng(0), 0.9, 0.0
    for _ in range(300):
        dynamics, policy, reward = rng.normal(size=(2, 3)), rng.normal(size=(1, 2)), rng.normal(size=3)
        dynamics *= 0.9 * rng.uniform() / np.linalg.norm(dynamics)
        policy *= 1.2 * rng.uniform() / np.linalg.norm(policy)
        norms = (float(np.linalg.norm(part)) for part in (reward, dynamics, policy))
        bound = value_gradient_bound(*norms, gamma=gamma, kappa=kappa)
        found = np.linalg.norm(linear_q(dynamics, policy, kappa * reward, gamma))
        assert found <= bound * (1 + 1e-9)
        closest = max(closest, found / bound) if math.isfinite(bound) else closest
    assert closest > 0.9  # the bound is nearly reached


def test_the_bound_is_reached_where_the_papers_would_be_broken() -> None:
    gradient = linear_q(np.array([[0.9, 0.0]]), np.zeros((1, 1)), np.array([1.0, 0.0]), 0.9)
    assert np.linalg.norm(gradient) == pytest.approx(1 / 0.19)
    assert value_gradient_bound(1.0, 0.9, 0.0, 0.9) == pytest.approx(1 / 0.19)
    assert 1 / math.sqrt(1 - 0.9**2 * 0.9**2) == pytest.approx(1.7053, abs=1e-4)  # the paper's


@pytest.mark.parametrize("sees", ["state_action", "transition", "state"])
def test_it_tells_what_the_demonstrations_do(sees: Any) -> None:
    shown = replace(SHOWN, obs=0.9 + 0.1 * SHOWN.obs, next_obs=0.9 + 0.1 * SHOWN.next_obs)
    shaper = Discriminator(VECTOR, ACTIONS, shown, sees=sees, **SMALL)
    rollout = experience(32, 4)
    first = shaper.update(rollout)
    for _ in range(30):
        last = shaper.update(rollout)
    assert float(last["loss"]) < 0.6 * float(first["loss"])
    assert float(last["d_learner"]) < 0.3
    assert float(last["d_shown"]) > 0.6
    assert term(shaper, shown)[shown.mask].mean() > 3 * term(shaper, rollout).mean()


def test_steps_behind_the_mask_may_fit_no_space() -> None:
    space = spaces.Discrete(3, start=5)
    shown = replace(SHOWN, action=SHOWN.action + 5)
    rollout = experience(8, 2)
    mask = np.ones((8, 2), bool)
    mask[3:5, 0] = False
    nonsense = replace(rollout, action=np.where(mask, rollout.action + 5, -77), mask=mask)
    shaper = Discriminator(VECTOR, space, shown, **SMALL)
    assert np.isfinite(float(shaper.update(nonsense)["loss"]))
    assert (term(shaper, nonsense)[~mask] == 0).all()


def test_imitation_alone_hides_the_worlds_reward() -> None:
    rollout = experience(4, 2)
    rollout = replace(rollout, terms={"env": rollout.terms["env"] + 3})
    gail = make()
    shaped, _ = Chain(HideReward(), gail).shape(rollout)
    np.testing.assert_allclose(shaped.reward, term(gail, rollout), rtol=1e-6)
    assert (shaped.terms["env"] == 3).all()


def test_a_replay_is_paid_by_the_present_d() -> None:
    sb3 = pytest.importorskip("stable_baselines3")
    from potentia.agents.sb3 import shape_replay

    env = gym.make("Pendulum-v1")
    steps = experience(20, 1)
    last = np.arange(20)[:, None] == 19
    shown = replace(
        steps, obs=steps.obs[..., :3].astype(np.float32), next_obs=steps.next_obs[..., :3].astype(np.float32),
        action=np.ones((20, 1, 1), np.float32), truncated=last,
    )  # fmt: skip
    gail = Discriminator(env.observation_space, env.action_space, shown, **(SMALL | {"batch_size": 8}))
    settings: dict[str, Any] = {"learning_starts": 32, "batch_size": 16, "policy_kwargs": {"net_arch": [16]}}
    model = sb3.SAC("MlpPolicy", env, seed=0, device="cpu", **settings)
    replay = shape_replay(model, Chain(HideReward(), gail))
    model.learn(64)
    before = replay._get_samples(np.arange(64)).rewards
    assert float(before.min()) > 0  # the world's, which is hidden, is negative
    replay._attached()[0].update(experience_of(replay))
    after = replay._get_samples(np.arange(64)).rewards
    assert float((after - before).abs().min()) > 0


def experience_of(replay: Any) -> Rollout:
    """What a replay holds, unshaped."""
    no = np.zeros((replay.pos, 1), bool)
    return Rollout(
        obs=replay.observations[: replay.pos], action=2 * replay.actions[: replay.pos],
        next_obs=replay.next_observations[: replay.pos], terms={"env": replay.rewards[: replay.pos]},
        discount=np.full((replay.pos, 1), 0.99), terminated=no, truncated=no,
    )  # fmt: skip


def test_demonstrations_may_be_a_file_and_must_fit(tmp_path: Path) -> None:
    path = tmp_path / "shown.npz"
    demonstrations.save(path, SHOWN)
    from_file = Discriminator(VECTOR, ACTIONS, path, **SMALL)
    rollout = experience(4, 2)
    np.testing.assert_array_equal(term(from_file, rollout), term(make(), rollout))
    with pytest.raises(ValueError, match=r"obs must have shape \(T, B, 7\)"):
        Discriminator(spaces.Box(-1, 1, (7,)), ACTIONS, path)
    with pytest.raises(TypeError, match="must be a Rollout of whole episodes or the path"):
        Discriminator(VECTOR, ACTIONS, 3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"form": "D"}, "form must be among"),
        ({"sees": "action"}, "sees must be among"),
        ({"penalty": "gp"}, "penalty must be among"),
        ({"penalty_weight": -1.0}, "penalty_weight must be at least 0"),
        ({"absorbing": 1.0}, r"absorbing is the learner's gamma and must lie in \[0, 1\), got 1.0"),
        ({"n_epochs": 0}, "n_epochs must be at least 1"),
        ({"every": 0}, "every must be at least 1"),
        ({"smoothing": (1.2, 0.7)}, "smoothing must be two numbers in order"),
    ],
)
def test_what_it_refuses(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(**settings)
