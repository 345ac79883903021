"""What learned bonuses must not depend on: modes, masked steps, the device, how often a state comes again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from torch import Tensor

from potentia import arrays
from potentia.rollout import Rollout
from potentia.shaping import E3B, RND, EpisodicNovelty, NovelD, Shaper
from potentia.shaping._models.learned import Learned
from potentia.testing import check_shaper
from tests.shaping.law_table import ACTIONS, VECTOR

SMALL: dict[str, Any] = {"hidden": 16, "output_dim": 4, "batch_size": 16, "learning_rate": 1e-2}
BONUSES: dict[str, Callable[[], Shaper]] = {
    "RND": lambda: RND(VECTOR, **SMALL),
    "NovelD": lambda: NovelD(VECTOR, **SMALL),
    "E3B": lambda: E3B(VECTOR, ACTIONS, **SMALL),
    "EpisodicNovelty": lambda: EpisodicNovelty(VECTOR, ACTIONS, neighbours=2, memory=4, **SMALL),
}


def experience(steps: int, envs: int, action: Any = None) -> Rollout:
    rng, no = np.random.default_rng(0), np.zeros((steps, envs), bool)
    return Rollout(
        obs=rng.uniform(-1, 1, (steps, envs, 4)),
        action=rng.integers(0, 3, (steps, envs)) if action is None else action,
        next_obs=rng.uniform(-1, 1, (steps, envs, 4)),
        terms={"env": np.zeros((steps, envs))},
        discount=np.full((steps, envs), 0.9),
        terminated=no,
        truncated=no,
    )


def term(shaper: Shaper, rollout: Rollout) -> np.ndarray:
    return shaper.shape(rollout, shaper.init(rollout.num_envs))[0].terms[shaper.name]


def test_e3b_counts_ten_thousand_visits(monkeypatch: pytest.MonkeyPatch) -> None:
    shaper = E3B(VECTOR, ACTIONS, ridge=0.1, **SMALL)
    one = torch.tensor([0.7, 0.1, 0.5, 0.5])  # of length 1
    monkeypatch.setattr(shaper.model, "embed", lambda obs, mask: one.expand(*mask.shape, 4))
    bonuses, rollout = [], experience(1000, 1)
    carry = shaper.init(1)
    for _ in range(10):
        shaped, carry = shaper.shape(rollout, carry)
        bonuses.append(shaped.terms["E3B"][:, 0])
    # The bonus of visit n is 1 / (n + ridge), 1.0e-4 in the end. A recursion in float32 never gets below 5e-4.
    np.testing.assert_allclose(np.concatenate(bonuses), 1 / (np.arange(10_000) + 0.1), rtol=1e-6)


def test_e3b_of_features_of_any_size_stays_exact() -> None:
    shaper = E3B(VECTOR, ACTIONS, ridge=0.1, **SMALL)
    rollout = experience(2000, 2)
    features = shaper.model.embed(rollout.next_obs, torch.ones(2000, 2, dtype=torch.bool)).double().numpy()
    shaped, _ = shaper.shape(rollout, shaper.init(2))
    for env in range(2):
        past, last = features[:-1, env], features[-1, env]
        want = last @ np.linalg.solve(0.1 * np.eye(4) + past.T @ past, last)
        assert shaped.terms["E3B"][-1, env] == pytest.approx(want, rel=1e-9)


@pytest.mark.parametrize(
    ("space", "draw"),
    [
        (spaces.Box(-1.0, 1.0, (), np.float32), lambda rng: rng.uniform(-1, 1, (8, 2)).astype(np.float32)),
        (spaces.Box(-1.0, 1.0, (2, 2), np.float32), lambda rng: rng.uniform(-1, 1, (8, 2, 2, 2)).astype(np.float32)),
        (spaces.Discrete(3, start=5), lambda rng: rng.integers(5, 8, (8, 2))),
        (spaces.MultiDiscrete([2, 3]), lambda rng: rng.integers(0, 2, (8, 2, 2))),
    ],
    ids=lambda value: str(value) if isinstance(value, spaces.Space) else "",
)
def test_actions_of_any_shape_are_learned_from(space: spaces.Space[Any], draw: Callable[[Any], np.ndarray]) -> None:
    shaper = E3B(VECTOR, space, **SMALL)
    rollout = experience(8, 2, draw(np.random.default_rng(1)))
    mask = np.ones((8, 2), bool)
    mask[3:5, 0] = False
    nothing = np.where(mask.reshape(8, 2, *(1,) * (rollout.action.ndim - 2)), rollout.action, 0)
    if nothing.dtype.kind == "f":
        nothing = np.where(nothing == 0, np.nan, nothing)
    losses = [float(shaper.update(replace(rollout, action=nothing, mask=mask))["loss"]) for _ in range(100)]
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("space", [spaces.Box(-1.0, 1.0, (), np.float32), spaces.Discrete(3, start=5)], ids=str)
def test_bonuses_of_such_actions_keep_the_laws(space: spaces.Space[Any]) -> None:
    check_shaper(lambda: E3B(VECTOR, space, **SMALL), action_space=space, seeds=1, second_process=False)


@pytest.mark.parametrize("name", BONUSES)
def test_a_bonus_that_is_made_under_any_mode_is_the_same(name: str) -> None:
    rollout = experience(8, 2)

    def learned() -> np.ndarray:
        shaper = BONUSES[name]()
        for _ in range(3):
            shaper.update(rollout)
        return term(shaper, rollout)

    want = learned()
    with torch.no_grad():
        np.testing.assert_array_equal(learned(), want)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        np.testing.assert_array_equal(learned(), want)
    with torch.inference_mode():
        shaper = BONUSES[name]()
    for _ in range(3):
        shaper.update(rollout)
    np.testing.assert_array_equal(term(shaper, rollout), want)
    torch.set_default_dtype(torch.float64)
    try:
        np.testing.assert_array_equal(learned(), want)
    finally:
        torch.set_default_dtype(torch.float32)


def test_the_memory_of_episodic_novelty_holds_real_steps_only() -> None:
    rollout = experience(6, 1)
    hidden = np.repeat(np.arange(6), [1, 3, 1, 4, 1, 1])
    mask = np.r_[True, np.diff(hidden) > 0][:, None]
    with_gaps = replace(rollout[hidden], mask=mask)
    shaper = BONUSES["EpisodicNovelty"]()
    want = term(shaper, rollout)[:, 0]
    assert np.count_nonzero(want) == 5  # the first has no neighbour
    np.testing.assert_array_equal(term(shaper, with_gaps)[mask], want)


class Counted(Learned):
    """A weight for each row, trained on half of the rows."""

    def __init__(self, rows: int, device_like_an_accelerator: bool, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(arrays, "on_cpu", lambda device: not device_like_an_accelerator)
        self.weights = torch.nn.Parameter(torch.zeros(rows))
        super().__init__([self.weights], 0.1, 4, torch.device("cpu"), seed=3)

    def learn(self, mask: Tensor, proportion: float = 1.0) -> Tensor:
        return self._train(lambda rows: (self.weights.index_select(0, rows) - 1).square(), mask, proportion)


@pytest.mark.parametrize("accelerator", [False, True])
def test_masked_rows_take_no_steps(accelerator: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    mask = torch.arange(32) % 4 == 0
    model = Counted(32, accelerator, monkeypatch)
    assert float(model.learn(mask)) == pytest.approx(1.0, abs=0.1)
    # Two minibatches of 4 real rows; the other six would move Adam on by its momentum.
    assert int(model.optimizer.state[model.weights]["step"]) == 2
    assert bool((model.weights[mask] != 0).all())
    assert not bool(model.weights[~mask].any())
    before = model.state_dict()
    assert float(model.learn(torch.zeros(32, dtype=torch.bool))) == 0.0
    after = model.state_dict()
    assert before["passes"] == after["passes"] == 1
    assert torch.equal(before["optimizer"]["state"][0]["exp_avg"], after["optimizer"]["state"][0]["exp_avg"])
    assert torch.equal(before["optimizer"]["state"][0]["step"], after["optimizer"]["state"][0]["step"])


def test_an_accelerator_learns_in_the_same_order(monkeypatch: pytest.MonkeyPatch) -> None:
    mask = torch.arange(37) % 3 != 1
    states = []
    for accelerator in (False, True):
        model = Counted(37, accelerator, monkeypatch)
        losses = [float(model.learn(mask, proportion)) for proportion in (1.0, 0.5, 0.25)]
        states.append(losses + model.weights.tolist())
    assert states[0] == pytest.approx(states[1])
    # A half of the 25 real rows is 13, a quarter 7.
    model = Counted(37, False, monkeypatch)
    model.learn(mask, 0.5)
    assert int((model.weights != 0).sum()) == 13


def test_each_pass_has_another_order(monkeypatch: pytest.MonkeyPatch) -> None:
    model, mask = Counted(64, False, monkeypatch), torch.ones(64, dtype=torch.bool)
    first = model._order(mask)
    model.learn(mask)
    assert sorted(first.tolist()) == list(range(64))
    assert not torch.equal(first, model._order(mask))


@pytest.mark.parametrize("name", BONUSES)
def test_nothing_is_computed_twice_on_a_rollout(name: str) -> None:
    """No layer sees a row twice that has the same parameters, but to learn from it, and that once a pass."""
    shaper, seen, trained = BONUSES[name](), Counter[Any](), Counter[Any]()

    def note(layer: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        state = (id(layer), layer.weight.detach().numpy().tobytes())
        for row in inputs[0].detach().numpy():
            if torch.is_grad_enabled():
                trained[row.tobytes()] += 1
            else:
                seen[state, row.tobytes()] += 1

    for layer in first_layers(shaper):
        layer.register_forward_hook(note)
    shaper.update(experience(20, 5))  # so that moments are known
    seen.clear()
    trained.clear()
    rollout = experience(20, 3)
    shaped, _ = shaper.shape(rollout, shaper.init(3))
    assert sum(seen.values()) > 0
    shaper.update(shaped)
    assert set(seen.values()) == {1}
    assert max(trained.values()) == 1
    assert sum(trained.values()) == (60 if name in ("RND", "NovelD") else 120)  # obs and next_obs


def first_layers(shaper: Any) -> list[Any]:
    """The layers that take observations of 4 numbers."""
    networks = [part for part in vars(shaper.model).values() if isinstance(part, torch.nn.Module)]
    layers = (layer for network in networks for layer in network.modules() if isinstance(layer, torch.nn.Linear))
    return [layer for layer in layers if layer.in_features == 4]
