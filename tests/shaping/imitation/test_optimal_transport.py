"""An episode is paid by how cheaply it is moved onto a demonstration: by hand, in pieces, and as a lesson."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gymnasium import spaces

from potentia import demonstrations
from potentia.shaping import OptimalTransport
from potentia.shaping.imitation import RandomFeatures
from potentia.shaping.objects import from_data
from tests.shaping.imitation.shown import shown

SHOWN = [(0.0, 0.0), (0.0, 4.0)]


def rewards(shaper: OptimalTransport, *episodes: object) -> np.ndarray:
    return shaper.shape(shown(episodes))[0].terms["OptimalTransport"]  # type: ignore[arg-type]


def test_a_reward_is_the_cost_of_moving_the_step() -> None:
    transport = OptimalTransport(shown([SHOWN]), metric="euclidean", epsilon=0.01)
    # Step 0 is where it should be. Step 1 is 3 beside (0, 4), 5 from (0, 0): the plan is the diagonal, 1/2 each.
    assert rewards(transport, [(0, 0), (3, 4)])[:, 0] == pytest.approx([0.0, -1.5])
    # A third step: each weighs 1/3 and each shown one 1/2. (0, 2) is 2 from both; half of it goes to either.
    assert rewards(transport, [(0, 0), (0, 2), (3, 4)])[:, 0] == pytest.approx([0.0, -2 / 3, -1.0], abs=1e-6)


def test_the_nearest_of_several_demonstrations_counts() -> None:
    transport = OptimalTransport(shown([SHOWN, [(3.0, 0.0), (3.0, 5.0)]]), metric="euclidean")
    # (0 + 3) / 2 to the first, (3 + 1) / 2 to the second; then 1/2 to the second, whose steps do not mix.
    assert rewards(transport, [(0, 0), (3, 4)])[:, 0] == pytest.approx([0.0, -1.5])
    assert rewards(transport, [(3, 0), (3, 4)])[:, 0] == pytest.approx([0.0, -0.5])


def test_the_agent_that_does_what_was_shown_earns_most() -> None:
    rng = np.random.default_rng(0)
    expert = rng.normal(size=(20, 6))
    transport = OptimalTransport(shown([list(expert)]))
    same, other = rewards(transport, list(expert), list(expert + 0.3 * rng.normal(size=expert.shape))).sum(0)
    assert -1e-3 < same <= 0
    assert other < 10 * same - 0.01


def test_the_scale_makes_ten_of_the_first_episodes_and_is_then_kept() -> None:
    transport = OptimalTransport(shown([SHOWN]), metric="euclidean")
    running = shown([[(0, 0), (0, 9)]])
    running = replace(running, terminated=running.terminated & False, discount=running.discount + 0.9)
    assert transport.update(running) == {"scale": 1.0}  # no whole episode yet
    # 3/2 and 1/2: 10 / 1.
    assert transport.update(shown([[(0, 0), (3, 4)], [(0, 0), (1, 4)]]))["scale"] == pytest.approx(10.0)
    assert transport.update(shown([[(0, 0), (0, 99)]]))["scale"] == pytest.approx(10.0)
    assert rewards(transport, [(0, 0), (3, 4)]).sum() == pytest.approx(-15)
    other = OptimalTransport(shown([SHOWN]), metric="euclidean")
    other.load_state_dict(transport.state_dict())
    assert other.scale == transport.scale
    fixed = OptimalTransport(shown([SHOWN]), metric="euclidean", size=None)
    assert fixed.update(shown([[(0, 0), (3, 4)]])) == {"scale": 1.0}


def test_an_episode_exactly_as_shown_sets_no_scale() -> None:
    transport = OptimalTransport(shown([[(0.0, 0.0)]]), metric="euclidean")
    assert transport.update(shown([[(0, 0)]])) == {"scale": 1.0}
    assert transport.update(shown([[(0, 5)]])) == {"scale": 2.0}


def test_a_file_of_demonstrations_of_another_shape_gets_a_clear_error(tmp_path: Path) -> None:
    path = tmp_path / "shown.npz"
    demonstrations.save(path, shown([SHOWN]))
    assert rewards(OptimalTransport(path, metric="euclidean"), [(0, 0), (3, 4)]).sum() == pytest.approx(-1.5)
    with pytest.raises(ValueError, match=r"demonstrations' obs must have shape \(T, B, 3\)"):
        OptimalTransport(path, spaces.Box(-1, 1, (3,), np.float64))
    with pytest.raises(ValueError, match="got 3 and 2: the demonstrations are of another world"):
        rewards(OptimalTransport(path), [(0, 0, 0)])
    made = from_data(
        {"type": "OptimalTransport", "demonstrations": str(path), "encoder": {"type": "RandomFeatures", "widths": []}},
        observation_space=spaces.Box(-9, 9, (2,), np.float64),
    )
    assert isinstance(made, OptimalTransport)
    assert isinstance(made.costs.encoder, RandomFeatures)
    assert rewards(made, [(0, 0), (3, 4)]).shape == (2, 1)
