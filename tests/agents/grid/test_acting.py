"""Acting by matrices says what the network says, and tanh by its own gradient is tanh."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from gymnasium import spaces

from potentia.agents.grid import GridPPO, GridPPOConfig
from potentia.agents.grid.acting import Acting
from potentia.agents.grid.towers import Towers
from potentia.envs.grid.vector import IMAGE_SPACE


def network_of(**config: Any) -> Towers:
    return GridPPO(IMAGE_SPACE, spaces.Discrete(7), GridPPOConfig(**config), seed=3).network


@pytest.mark.parametrize("rows", [3, 700])  # 700 * 64 numbers are more than tanh takes at once
@pytest.mark.parametrize("encoding", ["codes", "numbers"])
@pytest.mark.parametrize("activation", ["tanh", "relu"])
def test_it_says_what_the_network_says(encoding: Any, activation: Any, rows: int) -> None:
    image = torch.randint(0, 10, (rows, 7, 7, 3), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    for shared in (False, True):
        network = network_of(encoding=encoding, activation=activation, shared=shared)
        seen = network.read(image)
        with torch.no_grad():
            (logits, values), _ = network.features(seen)
            acting = Acting(network)
            outputs = acting(seen)
            torch.testing.assert_close(network.critic(seen), values)
        assert outputs.shape == (rows, acting.outputs) == (rows, 8 if shared else 7)
        torch.testing.assert_close(outputs[:, :7], logits)
        if shared:
            torch.testing.assert_close(outputs[:, 7:], values)


def test_it_keeps_the_weights_that_it_was_made_of_in_half_precision_too() -> None:
    network = network_of(bfloat16=True, encoding="numbers")
    seen = network.read(torch.full((5, 7, 7, 3), 4, dtype=torch.uint8))
    acting = Acting(network)
    with torch.no_grad():
        before = network.features(seen)[0][0]
        torch.testing.assert_close(acting(seen).float(), before, rtol=0.05, atol=1e-3)


def test_the_gradient_of_much_tanh_is_that_of_tanh() -> None:
    x = torch.randn(300, 64, generator=torch.Generator().manual_seed(1), requires_grad=True)
    tower: Any = network_of().towers[0]
    weights = torch.randn(300, 64, generator=torch.Generator().manual_seed(2))
    (ours,) = torch.autograd.grad((tower[1](x) * weights).sum(), x)
    torch.testing.assert_close(ours, weights * (1 - x.detach().tanh() ** 2), rtol=1e-5, atol=1e-6)
