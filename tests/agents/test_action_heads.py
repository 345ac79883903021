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


def test_other_action_spaces_are_refused_by_name() -> None:
    with pytest.raises(TypeError, match=r"got MultiBinary\(3\)"):
        action_head(spaces.MultiBinary(3), 4)
