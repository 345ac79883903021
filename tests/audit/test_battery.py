"""Random worlds by the thousand, and heuristics good and bad."""

from __future__ import annotations

import time

import numpy as np
import pytest
from gymnasium import spaces

from potentia.audit import certify, heuristic_battery, heuristics, random_worlds
from potentia.audit.battery import _values
from potentia.envs.exact import TransitionModel, chain, key_rooms, optimum
from potentia.shaping import (
    Chain,
    ClipReward,
    Count,
    EpisodicCount,
    PotentialShaping,
    Progress,
    Scale,
    ScheduleDiscount,
    Shaper,
)
from potentia.shaping.shaper import Contract

TABLE = [3.0, -1.0, 4.0, 1.0, -5.0, 9.0]


class Paid(Shaper):
    """Pays a table of the states that are arrived in."""

    contract = Contract(reads=frozenset({"next_obs"}))

    def __init__(self, table):
        super().__init__()
        self.table = np.asarray(table)

    def shape(self, rollout, carry=()):
        return rollout.add(self.name, self.table[rollout.next_obs]), carry


@pytest.mark.parametrize("gamma", [0.0, 0.5, 0.9, 0.99])
def test_potentials_keep_every_one_of_a_thousand_worlds(gamma: float) -> None:
    battery = random_worlds(Chain(PotentialShaping(TABLE), PotentialShaping("potential", name="b")), gamma=gamma)
    assert battery.share == 1.0
    assert battery.regret.max() == 0.0


def test_what_is_no_potential_is_found_out() -> None:
    for shaper in (Progress(TABLE), Paid(TABLE), ClipReward(-0.5, 0.5), ScheduleDiscount(0.2)):
        battery = random_worlds(shaper, gamma=0.9)
        assert battery.share < 0.9, shaper
        assert battery.regret[~battery.preserved].min() > 0
        assert 0.1 < battery.regret.max() <= 1
    assert random_worlds(Scale(Paid(TABLE), 1e-6), gamma=0.9, worlds=200).share == 1.0


def test_a_vector_of_numbers_is_as_good() -> None:
    potential = PotentialShaping(lambda obs: obs.sum(-1))
    assert random_worlds(potential, gamma=0.9, worlds=100, observation_space=spaces.Box(-1, 1, (3,))).share == 1.0


def test_a_learned_bonus_is_taken_as_it_is() -> None:
    shaper = Count()
    assert (
        random_worlds(shaper, gamma=0.9, worlds=300, ends=False).share == 1.0
    )  # 1 for each step: without ends the same
    assert random_worlds(shaper, gamma=0.9, worlds=300).share < 1.0  # with ends it pays for living on


def test_the_batch_is_solved_as_each_world_alone() -> None:
    rng = np.random.default_rng(0)
    transition, reward = rng.dirichlet(np.ones(5), (7, 5, 2)), rng.normal(size=(7, 5, 2, 5))
    over = np.zeros((7, 5), bool)
    over[::2, -1] = True
    q = _values(transition, reward, 0.9 * ~np.broadcast_to(over[:, None, None, :], reward.shape), over)
    for w in range(7):
        model = TransitionModel(
            transition[w], reward[w], over[w], np.full(5, 0.2), np.zeros(5, bool), tuple(map(str, range(5)))
        )
        live = ~over[w]
        np.testing.assert_allclose(q[w][live], optimum(model, 0.9).action_values[live], atol=1e-9)


def test_a_thousand_worlds_take_less_than_a_second() -> None:
    begin = time.process_time()
    random_worlds(PotentialShaping(TABLE), gamma=0.9, worlds=2000)
    assert time.process_time() - begin < 2.0


def test_five_heuristics_of_a_world() -> None:
    model = key_rooms(3)
    found, value = heuristics(model, 0.95), optimum(model, 0.95).values
    live = ~model.terminal
    assert (found["helpful"][model.terminal & model.success] == value.max()).all()
    assert list(found) == ["helpful", "noisy", "irrelevant", "misleading", "delayed"]
    assert (found["helpful"] == value)[live].all()
    assert (found["delayed"][model.terminal & model.success] == found["delayed"].min()).all()
    assert np.corrcoef(found["noisy"][live], value[live])[0, 1] > 0.7
    assert abs(np.corrcoef(found["irrelevant"][live], value[live])[0, 1]) < 0.5
    assert (found["misleading"] == -found["helpful"]).all()
    best = np.flatnonzero(live)[value[live].argmax()]
    assert found["delayed"][best] == found["delayed"][live].min()


def test_shapings_are_ranked_by_the_worst_that_they_do() -> None:
    shapings = {"bonus": Paid, "progress": Progress, "potential": PotentialShaping}
    rows = heuristic_battery(key_rooms(3), shapings, gamma=0.95)
    assert rows[0].shaping == "potential"
    assert rows[0].worst == 0.0
    assert [row.worst for row in rows[1:]] == pytest.approx([1.0, 1.0])  # nobody goes to the goal any more
    assert rows[0].certificates["misleading"].same_optimum
    table = heuristics(key_rooms(3), 0.95)["delayed"]
    assert certify(key_rooms(3), Progress(table), gamma=0.95) == rows[2].certificates["delayed"]
    only = heuristic_battery(chain(10), {"bonus": Paid}, gamma=0.95, names=["helpful"])
    assert list(only[0].regret) == ["helpful"]


def test_what_is_wrong_is_told() -> None:
    with pytest.raises(ValueError, match="remembers within an episode"):
        random_worlds(EpisodicCount(), gamma=0.9)
    with pytest.raises(ValueError, match="heuristics must be among"):
        heuristic_battery(chain(5), {"potential": PotentialShaping}, gamma=0.9, names=["best"])
    with pytest.raises(ValueError, match="gamma must be below 1"):
        random_worlds(PotentialShaping(TABLE), gamma=1.0)
