"""State for free: what is declared is saved and loaded, as copies, and foreign states are refused."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from potentia.state import Stateful


class Inner(Stateful):
    saved = ("total",)

    def __init__(self) -> None:
        self.total = torch.zeros(2)


class Owner(Stateful):
    saved = ("inner", "network", "optimizer", "torch_rng", "numpy_rng", "_steps", "known", "maybe")

    def __init__(self, seed: int) -> None:
        self.inner, self.network = Inner(), torch.nn.Linear(1, 1)
        self.optimizer = torch.optim.Adam(self.network.parameters())
        self.torch_rng, self.numpy_rng = torch.Generator().manual_seed(seed), np.random.default_rng(seed)
        self._steps, self.known = 0, {"a": [1.0]}
        self.maybe: torch.Tensor | None = None


def test_all_kinds_of_parts_go_on_as_they_were() -> None:
    one, other = Owner(0), Owner(1)
    one.inner.total += 3
    one.network(torch.ones(1, 1)).sum().backward()
    one.optimizer.step()
    one._steps, one.maybe = 7, torch.ones(1)
    state = one.state_dict()
    other.load_state_dict(state)
    assert other._steps == state["steps"] == 7
    assert other.inner.total.tolist() == [3.0, 3.0]
    assert torch.equal(one.network.weight, other.network.weight)
    assert torch.rand(1, generator=one.torch_rng) == torch.rand(1, generator=other.torch_rng)
    assert one.numpy_rng.random() == other.numpy_rng.random()
    assert other.maybe is not None
    step = one.optimizer.state_dict()["state"][0]["step"]
    assert other.optimizer.state_dict()["state"][0]["step"] == step == 1


def test_neither_side_changes_with_the_other() -> None:
    one, other = Owner(0), Owner(1)
    state = one.state_dict()
    other.load_state_dict(state)
    one.inner.total += 1
    one.known["a"].append(2.0)
    other.inner.total += 2
    other.known["b"] = []
    assert state["inner"]["total"].tolist() == [0.0, 0.0]
    assert state["known"] == {"a": [1.0]}
    assert one.known == {"a": [1.0, 2.0]}
    with torch.no_grad():
        one.network.weight += 1
    assert not torch.equal(one.network.weight, state["network"]["weight"])


def test_another_objects_state_is_refused() -> None:
    with pytest.raises(ValueError, match=r"'Inner' \(Inner\) must have the keys \['total'\], got \['sum'\]"):
        Inner().load_state_dict({"sum": 1})
