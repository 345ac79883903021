"""Action heads against torch.distributions, and the draws against the probabilities."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia.agents.action_heads import action_head


def test_a_discrete_head_is_a_categorical_distribution() -> None:
    head = action_head(spaces.Discrete(3, start=5), 2)
    logits = torch.tensor([[0.0, 1.0, -1.0]]).repeat(6000, 1)
    reference = torch.distributions.Categorical(logits=logits)
    action = head.sample(logits, torch.Generator().manual_seed(0))
    assert action.shape == (6000,)
    shares = torch.bincount(action - 5, minlength=3) / 6000
    torch.testing.assert_close(shares, reference.probs[0], rtol=0, atol=0.03)
    log_prob, entropy = head.log_prob_and_entropy(logits, action)
    torch.testing.assert_close(log_prob, reference.log_prob(action - 5))
    torch.testing.assert_close(entropy, reference.entropy())
    assert head.sample(logits[:2], None).tolist() == [6, 6]


def test_several_choices_are_independent() -> None:
    head = action_head(spaces.MultiDiscrete([[2, 3]]), 2)
    logits = torch.randn(5, 5, generator=torch.Generator().manual_seed(0))
    action = head.sample(logits, torch.Generator().manual_seed(1))
    assert action.shape == (5, 1, 2)
    parts = [torch.distributions.Categorical(logits=part) for part in logits.split([2, 3], -1)]
    log_prob, entropy = head.log_prob_and_entropy(logits, action)
    torch.testing.assert_close(log_prob, sum(part.log_prob(action[:, 0, i]) for i, part in enumerate(parts)))
    torch.testing.assert_close(entropy, parts[0].entropy() + parts[1].entropy())


def test_a_box_head_is_a_normal_distribution_in_the_units_of_the_box() -> None:
    # Bounds -2 and 6 have center 2 and reach 4; the second entry is unbounded: 0 and 1.
    head = action_head(spaces.Box(np.array([-2.0, -np.inf]), np.array([6.0, np.inf]), dtype=np.float64), 3)
    mean = torch.tensor([[0.5, 0.5]])
    assert head.sample(mean, None).tolist() == [[4.0, 0.5]]
    with torch.no_grad():
        head.log_std.copy_(torch.tensor([-1.0, 0.5]))
    reference = torch.distributions.Normal(torch.tensor([4.0, 0.5]), torch.tensor([4.0, 1.0]) * head.log_std.exp())
    action = torch.tensor([[3.0, 1.5]])
    log_prob, entropy = head.log_prob_and_entropy(mean, action)
    torch.testing.assert_close(log_prob, reference.log_prob(action).sum(-1))
    torch.testing.assert_close(entropy[0], reference.entropy().sum())
    drawn = head.sample(mean.repeat(20_000, 1), torch.Generator().manual_seed(0))
    torch.testing.assert_close(drawn.std(0), reference.stddev, rtol=0.03, atol=0)


def test_a_binary_head_is_independent_bits() -> None:
    head = action_head(spaces.MultiBinary((1, 3)), 2)
    logits = torch.tensor([[0.0, 2.0, -1.0]])
    assert head.sample(logits, None).tolist() == [[[0, 1, 0]]]
    drawn = head.sample(logits.repeat(20_000, 1), torch.Generator().manual_seed(0))
    reference = torch.distributions.Bernoulli(logits=logits[0])
    torch.testing.assert_close(drawn[:, 0].float().mean(0), reference.probs, rtol=0, atol=0.015)
    log_prob, entropy = head.log_prob_and_entropy(logits.repeat(20_000, 1), drawn)
    torch.testing.assert_close(log_prob, reference.log_prob(drawn[:, 0].float()).sum(-1))
    torch.testing.assert_close(entropy[0], reference.entropy().sum())


def test_a_number_that_cannot_vary_has_no_density() -> None:
    """The second entry is 3 whatever happens; the first and third behave as if it weren't there."""
    fixed = action_head(spaces.Box(np.array([-1.0, 3.0, 0.0]), np.array([1.0, 3.0, 4.0]), dtype=np.float64), 2)
    free = action_head(spaces.Box(np.array([-1.0, 0.0]), np.array([1.0, 4.0]), dtype=np.float64), 2)
    means = torch.tensor([[0.1, 7.0, -0.3]], requires_grad=True)
    action = fixed.sample(means, torch.Generator().manual_seed(0))
    assert action[0, 1] == 3.0
    log_prob, entropy = fixed.log_prob_and_entropy(means, action.detach())
    want = free.log_prob_and_entropy(means[:, [0, 2]], action[:, [0, 2]])
    torch.testing.assert_close((log_prob, entropy), want)
    (log_prob + entropy).sum().backward()
    assert torch.isfinite(means.grad).all()
    assert means.grad[0, 1] == 0 == fixed.log_std.grad[1]


def test_bounds_that_say_that_there_are_none_are_none() -> None:
    most = np.finfo(np.float32).max
    head = action_head(spaces.Box(-most, most, (2,)), 3)
    assert head.sample(torch.tensor([[0.5, -2.0]]), None).tolist() == [[0.5, -2.0]]


def test_a_box_of_integers_is_one_choice_for_each() -> None:
    head = action_head(spaces.Box(np.array([-1, 250]), np.array([1, 255]), dtype=np.int64), 2)
    choices = action_head(spaces.MultiDiscrete([3, 6], start=[-1, 250]), 2)
    logits = torch.randn(9, 9, generator=torch.Generator().manual_seed(0))
    action = head.sample(logits, torch.Generator().manual_seed(1))
    assert torch.equal(action, choices.sample(logits, torch.Generator().manual_seed(1)))
    torch.testing.assert_close(head.log_prob_and_entropy(logits, action), choices.log_prob_and_entropy(logits, action))


def test_a_tree_of_actions_is_drawn_part_by_part() -> None:
    space = spaces.Dict(
        {"move": spaces.Tuple([spaces.Discrete(3), spaces.Box(-1, 1, ())]), "bits": spaces.MultiBinary(2)}
    )
    head = action_head(space, 4)
    features = torch.randn(5, 4, generator=torch.Generator().manual_seed(0))
    parameters = head(features)
    assert parameters.shape == (5, 3 + 1 + 2)
    action = head.sample(parameters, torch.Generator().manual_seed(1))
    move, size = action["move"]
    assert move.shape == size.shape == (5,)
    # The keys of a Dict are sorted: bits, move.
    bits, tree = head.heads
    parts = [
        one.log_prob_and_entropy(one(features), value)
        for one, value in ((bits, action["bits"]), (tree.heads[0], move), (tree.heads[1], size))
    ]
    log_prob, entropy = head.log_prob_and_entropy(parameters, action)
    torch.testing.assert_close(log_prob, sum(part[0] for part in parts))
    torch.testing.assert_close(entropy, sum(part[1] for part in parts))


@pytest.mark.parametrize(
    "space", [spaces.Text(3), spaces.Box(0, 2**40, (2,), np.int64), spaces.Dict({"a": spaces.Text(3)})]
)
def test_other_action_spaces_are_refused_by_name(space: spaces.Space) -> None:
    with pytest.raises(TypeError, match=r"the action space must be Discrete, .* change it with an action wrapper"):
        action_head(space, 4)
