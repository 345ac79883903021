"""Masks of possible actions: the probabilities of brute force, exactly 0 elsewhere, in every way that PPO uses them."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.agents import PPO, PPOConfig, RandomAgent, evaluate
from potentia.agents.action_heads import CategoricalHead, action_head
from potentia.agents.action_masks import ACTION_MASK, rule_out
from potentia.agents.batches import FlatBatch, SequenceBatch, float_rollout
from potentia.collect import collect
from tests.staying import StaysOnDevice

NUMBERS = spaces.Box(-1.0, 1.0, (3,), np.float32)
SPACES: list[Any] = [spaces.Discrete(6, start=2), spaces.MultiDiscrete([4, 2, 3])]


def masked_space(actions: int) -> spaces.Dict:
    return spaces.Dict({"x": NUMBERS, ACTION_MASK: spaces.Box(0, 1, (actions,), np.int8)})


def head_of(space: Any) -> CategoricalHead:
    head = action_head(space, 3)
    assert isinstance(head, CategoricalHead)
    return head


def some_masks(counts: list[int], rows: int, rng: np.random.Generator) -> np.ndarray:
    """Masks that leave each choice something."""
    parts = []
    for count in counts:
        part = rng.integers(0, 2, (rows, count))
        part[np.arange(rows), rng.integers(0, count, rows)] = 1
        parts.append(part)
    return np.concatenate(parts, -1).astype(np.int8)


@pytest.mark.parametrize("space", SPACES)
def test_probabilities_are_those_of_the_possible_actions_alone(space: Any) -> None:
    head, rng = head_of(space), np.random.default_rng(0)
    logits = torch.as_tensor(rng.normal(0, 3, (40, sum(head.counts))))
    mask = some_masks(head.counts, 40, rng)
    masked = rule_out(logits, torch.as_tensor(mask), head.counts)
    starts = head.starts.numpy()
    for row in range(40):
        want_entropy, tables = 0.0, []
        ends = np.cumsum(head.counts)
        for end, count in zip(ends, head.counts, strict=True):
            weights = np.exp(logits[row, end - count : end].numpy()) * mask[row, end - count : end]
            shares = weights / weights.sum()
            tables.append(shares)
            want_entropy -= sum(share * np.log(share) for share in shares if share > 0)
        for action in np.ndindex(*head.counts):
            want = np.prod([table[index] for table, index in zip(tables, action, strict=True)])
            log_prob, entropy = head.log_prob_and_entropy(masked[row : row + 1], torch.as_tensor(starts + action)[None])
            assert float(log_prob.exp()) == pytest.approx(want, rel=1e-9, abs=0)  # exactly 0 where it is impossible
            assert float(entropy) == pytest.approx(want_entropy, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("space", SPACES)
def test_no_impossible_action_is_ever_drawn(space: Any) -> None:
    """10^5 draws, with logits that favour what is impossible; and the greedy action."""
    head, rng = head_of(space), np.random.default_rng(1)
    mask = torch.as_tensor(some_masks(head.counts, 100, rng)).repeat(1000, 1)
    logits = torch.where(mask != 0, 0.0, 50.0)
    for generator in (torch.Generator().manual_seed(0), None):
        action = head.sample(rule_out(logits, mask, head.counts), generator)
        index = action.reshape(-1, len(head.counts)) - head.starts
        offsets = torch.as_tensor(np.cumsum([0, *head.counts[:-1]]))
        assert bool((mask.gather(1, index + offsets) == 1).all())
        if generator is not None:
            drawn = torch.zeros_like(mask[:100]).long()
            for column in range(index.shape[1]):
                where = (index + offsets)[:, column].reshape(1000, 100).T
                drawn.scatter_add_(1, where, torch.ones_like(where))
            assert bool(((drawn > 0) == (mask[:100] != 0)).all())  # and every possible one is


@pytest.mark.parametrize("space", SPACES)
def test_impossible_actions_have_no_gradient(space: Any) -> None:
    head, rng = head_of(space), np.random.default_rng(2)
    mask = torch.as_tensor(some_masks(head.counts, 50, rng))
    logits = torch.randn(50, sum(head.counts), generator=torch.Generator().manual_seed(0)).requires_grad_()
    masked = rule_out(logits, mask, head.counts)
    log_prob, entropy = head.log_prob_and_entropy(masked, head.sample(masked.detach(), None))
    (log_prob.sum() + 0.01 * entropy.sum()).backward()
    assert logits.grad is not None
    assert bool(torch.isfinite(logits.grad).all())
    assert bool((logits.grad[mask == 0] == 0).all())
    assert bool((logits.grad[mask != 0] != 0).any())


def test_a_mask_that_leaves_nothing_is_ignored_choice_by_choice() -> None:
    logits = torch.arange(5.0)[None]
    mask = torch.tensor([[0, 0, 0, 0, 1]])
    least = torch.finfo(torch.float32).min
    assert rule_out(logits, mask, [3, 2]).tolist() == [[0.0, 1.0, 2.0, least, 4.0]]
    assert torch.equal(rule_out(logits, torch.zeros(1, 5), [5]), logits)


def test_masking_never_waits_for_the_device() -> None:
    head = head_of(SPACES[1])
    mask = torch.as_tensor(some_masks(head.counts, 8, np.random.default_rng(0)))
    logits, generator = torch.randn(8, 9), torch.Generator().manual_seed(0)
    with StaysOnDevice("cpu") as guard:
        masked = rule_out(logits, mask, head.counts)
        head.log_prob_and_entropy(masked, head.sample(masked, generator))
    assert guard.count > 10


class Doors(gym.Env[Any, Any]):
    """Five doors of which two open; the one that pays is the first of them. A locked one is an error. Three steps."""

    observation_space, action_space = masked_space(5), spaces.Discrete(5)

    def _obs(self) -> dict[str, Any]:
        self.open = np.sort(self.np_random.choice(5, 2, replace=False))
        mask = np.zeros(5, np.int8)
        mask[self.open] = 1
        return {"x": np.eye(3, dtype=np.float32)[self.t % 3], ACTION_MASK: mask}

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.t = 0
        return self._obs(), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        assert action in self.open, f"door {action} is locked"
        self.t += 1
        reward = float(action == self.open[0])
        return self._obs(), reward, self.t == 3, False, {}


def doors(mode: AutoresetMode = AutoresetMode.NEXT_STEP) -> SyncVectorEnv:
    return SyncVectorEnv([Doors] * 8, autoreset_mode=mode)


@pytest.mark.parametrize("recurrent", [0, 8])
def test_an_agent_learns_which_of_the_possible_actions_pays(recurrent: int) -> None:
    """The network does not see the mask, yet a preference for lower doors is perfect with it: 3 of 3."""
    agent = PPO(Doors.observation_space, Doors.action_space, PPOConfig(learning_rate=1e-2, recurrent=recurrent), seed=1)
    envs, state = doors(), None
    for _ in range(25):
        rollout, state = collect(envs, agent, 24, gamma=0.5, state=state, seed=0 if state is None else None)
        assert not rollout.mask.all()
        metrics = agent.learn(rollout)
        assert all(np.isfinite(value) for value in metrics.values())
        assert metrics["entropy"] <= np.log(2) + 1e-6
    assert evaluate(doors, agent, 32, seed=5, greedy=True).metrics["return_mean"] == 3.0
    chance = evaluate(doors, RandomAgent(Doors.observation_space, Doors.action_space), 64, seed=5)
    assert chance.metrics["return_mean"] == pytest.approx(1.5, abs=0.3)


@pytest.mark.parametrize("recurrent", [0, 8])
def test_each_row_of_a_batch_has_its_own_mask(recurrent: int) -> None:
    agent = PPO(Doors.observation_space, Doors.action_space, PPOConfig(recurrent=recurrent), seed=1)
    rollout, _ = collect(doors(), agent, 12, gamma=0.9, seed=0)
    data = float_rollout(rollout, torch.device("cpu"))
    batch = (SequenceBatch if recurrent else FlatBatch)(agent.network, data)
    least = torch.finfo(torch.float32).min
    for part in batch.minibatches(3, agent.generator):
        ((seen, _), rows, _), *_ = batch.pieces(part)
        parameters = agent.network.distribution(agent.network.features(seen)[0], agent.network.mask(seen))
        assert torch.equal(parameters > least, batch.rows(data.obs[ACTION_MASK])[rows] != 0)


def test_the_mask_is_no_feature() -> None:
    agent = PPO(masked_space(4), spaces.Discrete(4), seed=3)
    plain = PPO(spaces.Dict({"x": NUMBERS}), spaces.Discrete(4), seed=3)
    for one, two in zip(agent.policy.state_dict().values(), plain.policy.state_dict().values(), strict=True):
        assert torch.equal(one, two)
    x, mask = np.ones((1, 3), np.float32), np.array([[1, 0, 1, 0]], np.int8)
    action = np.array([0])
    want = sum(plain.policy.log_prob({"x": x}, np.array([a])).exp() for a in (0, 2))
    share = agent.policy.log_prob({"x": x, ACTION_MASK: mask}, action).exp()
    torch.testing.assert_close(share, plain.policy.log_prob({"x": x}, action).exp() / want)


def test_what_is_saved_goes_on_the_same() -> None:
    def play(agent: PPO, rollouts: int, seed: int) -> list[dict[str, float]]:
        envs, state, seen = doors(), None, []
        for _ in range(rollouts):
            rollout, state = collect(envs, agent, 24, gamma=0.5, state=state, seed=seed if state is None else None)
            seen.append(agent.learn(rollout))
        return seen

    agent, again = (PPO(Doors.observation_space, Doors.action_space, seed=seed) for seed in (1, 2))
    play(agent, 2, 0)
    again.load_state_dict(agent.state_dict())
    assert play(agent, 2, 7) == play(again, 2, 7)


@pytest.mark.parametrize("space", SPACES)
def test_a_random_agent_draws_the_possible_actions_alike(space: Any) -> None:
    counts, rng = head_of(space).counts, np.random.default_rng(4)
    mask = some_masks(counts, 1, rng).repeat(20_000, 0)
    action, _ = RandomAgent(NUMBERS, space, seed=0).act({"x": np.zeros((20_000, 3)), ACTION_MASK: mask}, ())
    index = np.asarray(action).reshape(20_000, -1) - np.asarray(space.start)
    for column, (end, count) in enumerate(zip(np.cumsum(counts), counts, strict=True)):
        part = mask[0, end - count : end]
        shares = np.bincount(index[:, column], minlength=count) / 20_000
        assert (shares[part == 0] == 0).all()
        np.testing.assert_allclose(shares[part == 1], 1 / part.sum(), atol=0.02)
    with pytest.raises(ValueError, match="the mask must have"):
        RandomAgent(NUMBERS, space).act({ACTION_MASK: mask[:, 1:]}, ())


@pytest.mark.parametrize(
    ("observations", "actions"),
    [
        (masked_space(5), spaces.Discrete(4)),
        (masked_space(5), spaces.MultiDiscrete([2, 2])),
        (masked_space(3), NUMBERS),
        (spaces.Dict({"x": NUMBERS, ACTION_MASK: spaces.Box(0, 1, (4,), np.float32)}), spaces.Discrete(4)),
    ],
)
def test_a_mask_that_does_not_fit_is_refused(observations: Any, actions: Any) -> None:
    with pytest.raises(ValueError, match="must be a Box of integers, one for each action"):
        PPO(observations, actions)


def test_a_mask_alone_is_no_observation() -> None:
    with pytest.raises(ValueError, match="must have more than its 'action_mask'"):
        PPO(spaces.Dict({ACTION_MASK: spaces.Box(0, 1, (4,), np.int8)}), spaces.Discrete(4))
