"""What a judge that lies half of the time does to what is optimal: nothing as a potential, much as a bonus."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from potentia.envs.exact import TransitionModel, key_rooms, optimum, policy_values, shortest_distance
from potentia.judges import Judge, Mistaken, Question, Rules
from potentia.rollout import Rollout
from potentia.shaping import CALM, JudgedPotential, RubricReward, Shaper

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


def transitions(state: np.ndarray, action: np.ndarray) -> tuple[Rollout, np.ndarray]:
    """A step of each state by each action, side by side, and where it leads."""
    after, names = WORLD.transition[state, action].argmax(1), np.array(WORLD.names)
    ends = WORLD.terminal[after][None]
    info = {"caption": names[state][None], "next_caption": names[after][None]}
    zeros = np.zeros(ends.shape)
    rollout = Rollout(
        obs=state[None], action=action[None], next_obs=after[None], terms={"env": zeros}, discount=GAMMA * ~ends,
        terminated=ends, truncated=zeros > 0, info=info,
    )  # fmt: skip
    return rollout, after


def shaped(shaper: Shaper) -> TransitionModel:
    """The world with the shaper's term, which depends on the step alone."""
    state, action = (index.ravel() for index in np.indices((WORLD.num_states, WORLD.num_actions)))
    rollout, after = transitions(state, action)
    term = shaper.shape(rollout)[0].terms[shaper.name][0]
    reward = WORLD.reward_after().copy()
    reward[state, action, after] += term
    return replace(WORLD, reward=reward)


def with_memory(shaper: CALM) -> tuple[TransitionModel, np.ndarray]:
    """The world whose states also say which subgoals were reached, with the term. And the state of each of those."""
    count, actions, subsets = WORLD.num_states, WORLD.num_actions, 2 ** len(EVENTS)
    memory, state, action = (index.ravel() for index in np.indices((subsets, count, actions)))
    reached = (memory[:, None] >> np.arange(len(EVENTS))) & 1 > 0
    rollout, after = transitions(state, action)
    done, carry = shaper.shape(rollout, {"reached": reached, "share": reached.mean(1)})
    following = np.where(WORLD.terminal[after], memory, carry["reached"] @ (1 << np.arange(len(EVENTS))))
    one, other = memory * count + state, following * count + after
    shape = (subsets * count, actions, subsets * count)
    transition, reward = np.zeros(shape), np.zeros(shape)
    transition[one, action, other] = 1.0
    reward[one, action, other] = WORLD.reward_after()[state, action, after] + done.terms[shaper.name][0]
    place = np.arange(subsets * count) % count
    model = TransitionModel(
        transition=transition,
        reward=reward,
        terminal=WORLD.terminal[place],
        start=np.concatenate([WORLD.start, np.zeros((subsets - 1) * count)]),
        success=WORLD.success[place],
        names=tuple(f"{WORLD.names[state]} {number}" for number, state in enumerate(place)),
    )
    return model, place


def lost(model: TransitionModel, place: np.ndarray) -> tuple[int, float]:
    """In how many states other actions are optimal than in truth, and what share of the true value that costs."""
    true, found = optimum(WORLD, GAMMA), optimum(model, GAMMA)
    live = ~model.terminal
    changed = int((found.optimal != true.optimal[place])[live].any(1).sum())
    # The worst of the policies that the shaped world calls optimal, by its value in the true world.
    reward = WORLD.reward_after()[place][:, :, place] * (model.transition > 0)
    honest = replace(model, reward=-reward)
    only = np.where(found.optimal, 0.0, -1e6)[:, :, None] + honest.reward_after()
    worst = optimum(replace(honest, reward=only), GAMMA).policy
    values = policy_values(replace(model, reward=reward), np.eye(model.num_actions)[worst], GAMMA)
    best = float(WORLD.start @ true.values)
    return changed, 1.0 - float(model.start @ values) / best


@pytest.mark.parametrize("seed", SEEDS)
def test_an_opinion_of_states_as_a_potential_keeps_every_optimal_action(seed: int) -> None:
    model = shaped(JudgedPotential(liar(seed), "Reach the goal."))
    assert lost(model, np.arange(WORLD.num_states)) == (0, 0.0)


def test_an_opinion_of_states_as_a_bonus_loses_the_optimum() -> None:
    found = [
        lost(shaped(RubricReward(liar(seed), ["It is near the goal."])), np.arange(WORLD.num_states)) for seed in SEEDS
    ]
    changed, cost = (np.array(column) for column in zip(*found, strict=True))
    assert changed.min() >= 14  # of 36 states
    assert (cost == 1.0).all()  # nobody goes to the goal any more: staying pays for ever


@pytest.mark.parametrize("seed", SEEDS)
def test_subgoals_as_a_potential_keep_every_optimal_action(seed: int) -> None:
    assert lost(*with_memory(CALM(liar(seed), list(EVENTS)))) == (0, 0.0)


def test_subgoals_as_a_bonus_lose_the_optimum() -> None:
    found = [lost(*with_memory(CALM(liar(seed), list(EVENTS), form="bonus"))) for seed in SEEDS]
    changed, cost = (np.array(column) for column in zip(*found, strict=True))
    assert changed.min() >= 45  # of 144 states
    assert (cost > 0).sum() == 5
    assert cost.max() == pytest.approx(1 - GAMMA**2)  # two steps of detour
    # The truth as a bonus changes what is optimal as well, but leads to the goal on the shortest way from the start.
    assert lost(*with_memory(CALM(Rules(knows), list(EVENTS), form="bonus"))) == (21, 0.0)
