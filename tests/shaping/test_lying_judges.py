"""What a judge that lies half of the time does to what is optimal: nothing as a potential, much as a bonus."""

from __future__ import annotations

import numpy as np
import pytest

from potentia.audit import certify
from potentia.envs.exact import key_rooms, shortest_distance
from potentia.judges import Judge, Mistaken, Question, Rules
from potentia.shaping import CALM, JudgedPotential, RubricReward

GAMMA, SEEDS = 0.95, range(10)
WORLD = key_rooms(3)
PLACE = {name: state for state, name in enumerate(WORLD.names)}
DISTANCE = shortest_distance(WORLD)
EVENTS = ("picked_up_key", "passed_door")


def knows(question: Question) -> tuple[float, ...]:
    """The truth about the world: how near a state is to the goal, and which event a step is."""
    texts = question.texts
    if "state" in texts or "text" in texts:
        return (1.0 - DISTANCE[PLACE[texts.get("state", texts.get("text"))]] / DISTANCE.max(),)
    before, after = (PLACE[texts[name]] for name in ("before", "after"))
    return tuple(float(WORLD.events[one][after] and not WORLD.events[one][before]) for one in EVENTS)


def liar(seed: int) -> Judge:
    return Mistaken(Rules(knows), 0.5, seed=seed)


@pytest.mark.parametrize("seed", SEEDS)
def test_an_opinion_of_states_as_a_potential_keeps_every_optimal_action(seed: int) -> None:
    found = certify(WORLD, JudgedPotential(liar(seed), "Reach the goal."), gamma=GAMMA)
    assert found.same_optimum
    assert found.worst_regret_anywhere == 0.0


def test_an_opinion_of_states_as_a_bonus_loses_the_optimum() -> None:
    found = [certify(WORLD, RubricReward(liar(seed), ["It is near the goal."]), gamma=GAMMA) for seed in SEEDS]
    assert min(one.num_changed for one in found) >= 14  # of 36 states
    # Nobody goes to the goal any more: staying pays for ever.
    assert all(one.worst_regret == pytest.approx(one.optimal_value) for one in found)


@pytest.mark.parametrize("seed", SEEDS)
def test_subgoals_as_a_potential_keep_every_optimal_action(seed: int) -> None:
    found = certify(WORLD, CALM(liar(seed), list(EVENTS)), gamma=GAMMA)
    assert found.same_optimum
    assert found.worst_regret_anywhere == 0.0


def test_subgoals_as_a_bonus_lose_the_optimum() -> None:
    found = [certify(WORLD, CALM(liar(seed), list(EVENTS), form="bonus"), gamma=GAMMA) for seed in SEEDS]
    cost = np.array([one.worst_regret / one.optimal_value for one in found])
    assert (cost > 0).sum() == 5
    assert cost.max() == pytest.approx(1 - GAMMA**2)  # two steps of detour
    # The truth as a bonus leads to the goal on the shortest way.
    honest = certify(WORLD, CALM(Rules(knows), list(EVENTS), form="bonus"), gamma=GAMMA)
    assert honest.optimum_preserved
