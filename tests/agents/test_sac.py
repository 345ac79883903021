"""SAC: targets by hand, the discount as data, exact densities and resume, and worlds that it solves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia import checkpoint
from potentia.agents import SAC, EnvCollector, EpisodeCollector, Loop, SACConfig, evaluate
from potentia.agents.replay import DiscountedReplay
from potentia.agents.sac_networks import TanhGaussian, TwinCritics
from potentia.collect import rollout_tensors
from potentia.rollout import Rollout
from potentia.shaping import Chain, Contract, EpisodicCount, PotentialShaping, ScheduleDiscount, Shaper, Stream
from potentia.shaping.fit import FitError
from potentia.shaping.schedules import Linear

BOX = spaces.Box(-np.inf, np.inf, (3,), np.float64)
ACTIONS = spaces.Box(np.array([-2.0, 0.0]), np.array([2.0, 1.0]), dtype=np.float64)


def steps(
    reward: list[list[float]], discount: list[list[float]], done: Any = None, mask: Any = None, first: float = 0.0
) -> Rollout:
    """Columns whose observations count the steps from ``first`` on, 100 more in each column."""
    rewards = np.array(reward, float).T
    length, columns = rewards.shape
    obs = first + np.arange(length)[:, None, None] + 100.0 * np.arange(columns)[None, :, None]
    none = np.zeros(rewards.shape, bool)
    return rollout_tensors(
        Rollout(
            obs=obs, action=np.zeros((length, columns, 1)), next_obs=obs + 1, terms={"env": rewards},
            discount=np.array(discount, float).T, terminated=none if done is None else np.array(done, bool).T,
            truncated=none, mask=~none if mask is None else np.array(mask, bool).T,
        )
    )  # fmt: skip


def replay_of(*rollouts: Rollout, size: int = 100, n_steps: int = 1, newest: bool = False) -> DiscountedReplay:
    replay = DiscountedReplay(size, n_steps, newest=newest, device=torch.device("cpu"))
    for rollout in rollouts:
        replay.add(rollout)
    return replay


def targets(replay: DiscountedReplay) -> dict[float, tuple[float, float, float]]:
    """``(reward, discount, next_obs)`` by observation, of many draws."""
    batch = replay.sample(500, torch.Generator().manual_seed(0))
    columns = (batch.obs[:, 0], batch.reward, batch.discount, batch.next_obs[:, 0])
    return {obs: tuple(rest) for obs, *rest in torch.stack(columns, 1).round(decimals=5).tolist()}


def test_one_step_targets_are_the_columns() -> None:
    found = targets(replay_of(steps([[1, 2], [3, 4]], [[0.5, 0.0], [0.9, 0.8]])))
    assert found == {
        0.0: (1.0, 0.5, 1.0), 1.0: (2.0, 0.0, 2.0), 100.0: (3.0, pytest.approx(0.9), 101.0),
        101.0: (4.0, pytest.approx(0.8), 102.0),
    }  # fmt: skip


def test_targets_of_three_steps_by_hand() -> None:
    # 0: 1 + .5 * 2 + .5 * .4 * 4 = 2.8, discount .5 * .4 * .5 = .1, then 3. The episode ends at 3, the rollout at 4.
    rollout = steps([[1, 2, 4, 8, 16]], [[0.5, 0.4, 0.5, 0.0, 0.9]], done=[[0, 0, 0, 1, 0]])
    found = targets(replay_of(rollout, n_steps=3))
    assert found == {
        0.0: pytest.approx((2.8, 0.1, 3.0)),
        1.0: pytest.approx((2 + 0.4 * 4 + 0.2 * 8, 0.0, 4.0)),
        2.0: pytest.approx((4 + 0.5 * 8, 0.0, 4.0)),
        3.0: pytest.approx((8, 0.0, 4.0)),
        4.0: pytest.approx((16, 0.9, 5.0)),
    }


def test_masked_steps_do_not_exist_and_columns_do_not_run_into_each_other() -> None:
    rollout = steps(
        [[1, np.nan, 2], [4, 8, np.nan]], [[0.5, np.nan, 0.5], [0.5, 0.5, np.nan]], mask=[[1, 0, 1], [1, 1, 0]]
    )
    found = targets(replay_of(rollout, n_steps=2))
    assert found == {
        0.0: (2.0, 0.25, 3.0),  # 1 + .5 * 2: the next step is the third row
        2.0: (2.0, 0.5, 3.0),
        100.0: (8.0, 0.25, 102.0),
        101.0: (8.0, 0.5, 102.0),
    }


@pytest.mark.parametrize("newest", [False, True])
def test_old_transitions_are_discounted_as_they_were_or_as_now(newest: bool) -> None:
    old = steps([[1, 2]], [[0.5, 0.0]], done=[[0, 1]])
    new = steps([[4, 8]], [[0.75, 0.75]], first=10)
    found = targets(replay_of(old, new, newest=newest, n_steps=2))
    gamma = 0.75 if newest else 0.5
    assert found[0.0] == (1 + gamma * 2, 0.0, 2.0)
    assert found[1.0] == (2.0, 0.0, 2.0)
    assert found[10.0] == (4 + 0.75 * 8, 0.75**2, 12.0)


def test_several_gammas_have_no_newest_one() -> None:
    with pytest.raises(ValueError, match=r"from 0\.5 to 0\.75; write discount='stored'"):
        replay_of(steps([[1, 2]], [[0.5, 0.75]]), newest=True)


def test_the_replay_forgets_the_oldest_and_never_mixes_old_with_new() -> None:
    replay = replay_of(*(steps([[1.0] * 4], [[0.5] * 4], first=10 * part) for part in range(5)), size=6, n_steps=4)
    found = targets(replay)
    assert set(found) == {32.0, 33.0, 40.0, 41.0, 42.0, 43.0}
    assert found[33.0] == (1.0, 0.5, 34.0)  # its rollout ended there
    assert found[40.0] == (1.875, 0.0625, 44.0)
    assert set(targets(replay_of(steps([[1.0] * 9], [[0.5] * 9]), size=4))) == {5.0, 6.0, 7.0, 8.0}


def test_the_density_is_that_of_the_actions_drawn() -> None:
    actor = TanhGaussian(BOX, ACTIONS, widths=(8,), activation="relu", seed=0)
    obs = torch.randn(200, 3, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    scaled, log_prob = actor.sample(obs, torch.Generator().manual_seed(2))
    action = actor.unscaled(scaled)
    assert all(ACTIONS.contains(one) for one in action.detach().double().numpy())
    # The environment's actions are 2 and 1/2 times as wide: log(2 * 1/2) = 0.
    torch.testing.assert_close(actor.log_prob(obs, action), log_prob, atol=2e-3, rtol=1e-3)


def test_the_density_integrates_to_one() -> None:
    space = spaces.Box(-2.0, 2.0, (1,))
    actor = TanhGaussian(BOX, space, widths=(8,), activation="tanh", seed=3)
    grid = torch.linspace(-2, 2, 40_001)[1:-1, None]
    density = actor.log_prob(torch.ones(len(grid), 3), grid).detach().exp()
    assert float(density.sum() * 4 / 40_000) == pytest.approx(1.0, abs=1e-3)


def test_the_twins_are_two_networks() -> None:
    critics = TwinCritics(BOX, 2, widths=(5, 4), activation="relu", seed=0)
    obs, action = torch.randn(7, 3), torch.randn(7, 2)
    both = critics(obs, action)
    for twin in range(2):
        hidden = torch.cat([obs, action], 1)
        for layer in range(3):
            hidden = hidden @ critics.weights[layer][twin] + critics.biases[layer][twin]
            hidden = hidden.relu() if layer < 2 else hidden
        torch.testing.assert_close(both[twin], hidden[:, 0])
    assert not torch.allclose(both[0], both[1])


def test_a_policy_step_leaves_the_critics_alone() -> None:
    """With a critics' step size of 0, what is left is the policy's step."""
    agent = SAC(BOX, ACTIONS, SACConfig(learning_starts=0, widths=(8,), batch_size=4, buffer_size=10))
    agent.critic_optimizer.param_groups[0]["lr"] = 0.0
    before = [weight.clone() for weight in agent.critics.parameters()]
    actor = [weight.clone() for weight in agent.actor.parameters()]
    agent.learn(pendulum_like(4))
    assert all(torch.equal(old, new) for old, new in zip(before, agent.critics.parameters(), strict=True))
    assert not all(torch.equal(old, new) for old, new in zip(actor, agent.actor.parameters(), strict=True))


def pendulum_like(length: int) -> Rollout:
    rng = np.random.default_rng(0)
    return Rollout(
        obs=rng.normal(size=(length, 1, 3)), action=rng.uniform(0, 1, (length, 1, 2)),
        terms={"env": np.ones((length, 1))}, next_obs=rng.normal(size=(length, 1, 3)),
        discount=np.full((length, 1), 0.9),
        terminated=np.zeros((length, 1), bool), truncated=np.zeros((length, 1), bool),
    )  # fmt: skip


def test_updates_follow_the_transitions_and_begin_late() -> None:
    agent = SAC(BOX, ACTIONS, SACConfig(learning_starts=6, updates_per_step=0.4, widths=(8,), batch_size=4))
    assert agent.learn(pendulum_like(3)) == {}  # 3 < 6
    assert agent.learn(pendulum_like(3))["discount"] == pytest.approx(0.9)  # 1.2 owed
    assert agent.learn(pendulum_like(1)) == {}  # .2 + .4
    assert agent.learn(pendulum_like(1)) != {}  # 1.0
    assert int(agent.critic_optimizer.state_dict()["state"][0]["step"]) == 2


class Match(gym.Env[Any, Any]):
    """One step: the action should be the number shown."""

    observation_space = spaces.Box(-1.0, 1.0, (1,))
    action_space = spaces.Box(-2.0, 2.0, (1,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.shown = self.np_random.uniform(-1, 1, 1).astype(np.float32)
        return self.shown, {}

    def step(self, action: Any) -> Any:
        return self.shown, -float(abs(action - self.shown)[0]), True, False, {}


def test_it_does_what_is_shown() -> None:
    def envs() -> SyncVectorEnv:
        return SyncVectorEnv([Match] * 4, autoreset_mode=AutoresetMode.SAME_STEP)

    config = SACConfig(learning_rate=3e-3, learning_starts=100, batch_size=64, widths=(32,), target_entropy=-3.0)
    agent = SAC(Match.observation_space, Match.action_space, config, seed=1)
    loop = Loop(EnvCollector(envs(), 4, gamma=0.9), agent)
    loop.begin(0)
    while loop.steps < 900:
        loop.iterate()
    # An action drawn uniformly is 1.08 off, one of 0 is 0.5 off.
    assert np.mean(evaluate(envs, agent, 100, seed=5, greedy=True).returns) > -0.1


class Walk(gym.Env[Any, Any]):
    """Right at x > 0 pays 1 at once and ends. Left, twice, pays 1.5: worth it if gamma is above 2/3."""

    observation_space = spaces.Box(0.0, 1.0, (1,))
    action_space = spaces.Box(-1.0, 1.0, (1,))

    def reset(self, *, seed: int | None = None, options: Any = None) -> Any:
        super().reset(seed=seed)
        self.left = 0
        return np.zeros(1, np.float32), {}

    def step(self, action: Any) -> Any:
        if self.left == 1:
            return np.ones(1, np.float32), 1.5, True, False, {}
        self.left = int(action[0] < 0)
        return np.full(1, self.left, np.float32), float(not self.left), not self.left, False, {}


@pytest.mark.parametrize(("gamma", "best"), [(0.3, 1.0), (0.9, 1.5)])
def test_the_discount_of_the_data_decides_what_is_best(gamma: float, best: float) -> None:
    def envs() -> SyncVectorEnv:
        return SyncVectorEnv([Walk] * 4, autoreset_mode=AutoresetMode.SAME_STEP)

    config = SACConfig(learning_rate=3e-3, learning_starts=100, batch_size=32, widths=(32,), ent_coef=0.02)
    agent = SAC(Walk.observation_space, Walk.action_space, config, seed=1)
    loop = Loop(EnvCollector(envs(), 4, gamma=0.6), agent, ScheduleDiscount(gamma))
    loop.begin(0)
    while loop.steps < 600:
        loop.iterate()
    assert evaluate(envs, agent, 4, seed=5, greedy=True).returns == [best] * 4


def pendulum(count: int = 2) -> SyncVectorEnv:
    return SyncVectorEnv([lambda: gym.make("Pendulum-v1", max_episode_steps=20)] * count)


def test_it_goes_on_exactly_where_it_was_saved(tmp_path: Path) -> None:
    config = SACConfig(
        learning_starts=40, batch_size=16, widths=(16,), buffer_size=150, updates_per_step=0.3, n_steps=3
    )

    def loop(seed: int) -> Loop:
        envs = pendulum()
        agent = SAC(envs.single_observation_space, envs.single_action_space, config, seed=seed)
        shaper = Chain(ScheduleDiscount(Linear(0.5, 0.9, 400)), PotentialShaping(lambda obs: obs[..., 0]))
        return Loop(EpisodeCollector(envs, 2, gamma=0.9), agent, shaper)

    def train(one: Loop, part: int) -> None:
        one.begin(part)
        for _ in range(3):
            one.iterate()

    whole, first, second = loop(0), loop(0), loop(7)
    train(whole, 0)
    train(first, 0)
    checkpoint.save(tmp_path / "a.pt", agent=first.agent.state_dict(), shaper=first.shaper.state_dict())
    saved = checkpoint.load(tmp_path / "a.pt")
    second.agent.load_state_dict(saved["agent"])
    second.shaper.load_state_dict(saved["shaper"])
    train(whole, 1)
    train(second, 1)
    assert checkpoint.dumps(whole.agent.state_dict()) == checkpoint.dumps(second.agent.state_dict())
    assert whole.agent.replay.filled == 150  # type: ignore[attr-defined]


def test_a_frozen_policy_leaves_the_agent_alone() -> None:
    agent = SAC(BOX, ACTIONS, SACConfig(learning_starts=0, widths=(8,)))
    before = checkpoint.dumps(agent.state_dict())
    obs = np.ones((5, 3))
    drawn, greedy = (agent.frozen(greedy=greedy, seed=3).act(obs, ())[0] for greedy in (False, True))
    assert len(np.unique(drawn)) == 10
    assert len(np.unique(greedy)) == 2
    assert checkpoint.dumps(agent.state_dict()) == before


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: SACConfig(gradient_steps=2), TypeError, "write updates_per_step"),  # type: ignore[call-arg]
        (lambda: SACConfig(gamma=0.9), TypeError, "where the rollout is made"),  # type: ignore[call-arg]
        (lambda: SACConfig(tau=0.0), ValueError, r"tau must lie in \(0, 1\], got 0"),
        (lambda: SACConfig(ent_coef=-1.0), ValueError, "ent_coef must be at least 0"),
        (lambda: SACConfig(ent_coef="learned"), ValueError, "must be among"),  # type: ignore[arg-type]
        (lambda: SACConfig(discount="old"), ValueError, "must be among"),  # type: ignore[arg-type]
        (lambda: SAC(BOX, spaces.Discrete(2)), TypeError, "finite bounds"),
        (lambda: SAC(BOX, spaces.Box(-np.inf, 1.0, (1,))), TypeError, "RescaleAction"),
        (lambda: SAC(BOX, ACTIONS, streams={"rnd": Stream()}), ValueError, "streams: false"),
        (lambda: SAC(BOX, ACTIONS, {"tau": 0.1}), TypeError, "needs a SACConfig"),  # type: ignore[arg-type]
    ],
)
def test_what_does_not_fit_is_refused(make: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_without_entropy_it_is_not_paid() -> None:
    agent = SAC(BOX, ACTIONS, SACConfig(learning_starts=0, widths=(8,), ent_coef=0.0, batch_size=4))
    assert agent.learn(pendulum_like(4))["ent_coef"] == 0.0


class Growing(Shaper):
    """Pays what it was told to last, and ends as much more."""

    contract = Contract(reads=frozenset({"terminated"}), scope="lifelong")
    pay = 1.0

    def shape(self, rollout: Rollout, carry: Any = ()) -> tuple[Rollout, Any]:
        return rollout.add(self.name, self.pay * (1.0 + rollout.terminated.double())), carry


def test_stored_transitions_are_paid_by_the_present_shaper() -> None:
    settings: dict[str, Any] = {"learning_starts": 100, "widths": (8,), "batch_size": 64}
    space, actions = spaces.Box(-np.inf, np.inf, (1,)), spaces.Box(-1.0, 1.0, (1,))
    found = {}
    for rewards in ("stored", "present"):
        agent, shaper = SAC(space, actions, SACConfig(rewards=rewards, **settings)), Growing()
        agent.attach(shaper)
        rollout = steps([[10.0, 20.0]], [[0.9, 0.0]], done=[[False, True]])
        agent.learn(shaper.shape(rollout)[0])
        shaper.pay = 3.0
        batch = agent._paid(agent.replay.sample(64, torch.Generator().manual_seed(0)))
        found[rewards] = {
            obs: reward for obs, reward in zip(batch.obs[:, 0].tolist(), batch.reward.tolist(), strict=True)
        }
    assert found == {"stored": {0.0: 11.0, 1.0: 22.0}, "present": {0.0: 13.0, 1.0: 26.0}}


def test_what_can_not_be_shaped_anew_is_refused() -> None:
    agent = SAC(BOX, ACTIONS, SACConfig(rewards="present"))
    with pytest.raises(ValueError, match=r"call attach\(shaper\) first"):
        agent.learn(pendulum_like(4))
    with pytest.raises(FitError, match="remembers within an episode"):
        agent.attach(EpisodicCount())
    with pytest.raises(FitError, match="it reads 'potential'"):
        agent.attach(PotentialShaping("potential"))
    with pytest.raises(ValueError, match="set n_steps=1, got 3"):
        SACConfig(rewards="present", n_steps=3)
