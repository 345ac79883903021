"""The laws of shapers that promise to change no optimal policy. Each raises ``AssertionError`` if broken."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from potentia.envs.exact import TransitionModel, optimum
from potentia.returns import gae
from potentia.shaping.shaper import Shaper
from potentia.testing.case import Case, learn
from potentia.testing.compare import segments, sum_of_terms
from potentia.testing.experience import ACTION, NUM_ACTIONS, NUM_STATES, STATE, Experience

GAMMA = 0.9
_CLOSE: dict[str, Any] = {"rtol": 0.0, "atol": 1e-9}
_CHANGED = "the set of optimal actions of a random world changes"


def telescoping(case: Case) -> None:
    """The discounted sum of the terms along an episode depends only on where it starts and ends.

    With p_t the product of the discounts before t: sum p_t F_t = p_T potential(end) - potential(start), for any
    discounts, 0 and exactly 1 among them, and at any kind of end. The potential is what a step that terminates at once
    reveals: F = -potential(start). A guarantee on the basis of the history is held to it over episodes that end for
    the learner (discount 0), and to `settling` over the others.
    """
    shaper, rng = case.trained(), case.rng()
    table = _potential(shaper, case.experience)
    for gaps, gamma in ((False, None), (True, None), (True, 1.0)):
        rollout = case.rollout(rng, gaps=gaps, gamma=gamma)
        term = sum_of_terms(shaper, rollout)
        states, next_states = rollout.info[STATE], rollout.info[f"next_{STATE}"]
        for b in range(rollout.num_envs):
            for start, stop in segments(rollout, b):
                discounts = rollout.discount[start:stop, b]
                products = np.concatenate([[1.0], np.cumprod(discounts)])
                if shaper.contract.basis == "history" and products[-1] != 0:
                    continue
                got = float(products[:-1] @ term[start:stop, b])
                first = table[states[start, b], rollout.info[ACTION][start, b]]
                last_action = rollout.info[f"next_{ACTION}"][stop - 1, b]
                last = table[next_states[stop - 1, b], last_action]
                np.testing.assert_allclose(
                    got,
                    products[-1] * last - first,
                    err_msg=f"the terms of steps {start}..{stop - 1} do not telescope (discounts {discounts.round(3)})",
                    **_CLOSE,
                )


def settling(case: Case) -> None:
    """What an episode owes where it is cut and bootstrapped depends on its last eight steps only.

    Two episodes with the same start and the same last steps, each cut while the learner goes on to use the next value,
    have the same discounted sum of terms. Else a bonus would be kept for good that is taken back at a discount of 0
    alone, and a world whose episodes are only ever cut would pay it.
    """
    shaper, rng = case.trained(), case.rng()
    if shaper.contract.basis != "history":
        return
    steps, envs = 48 if case.late else 24, 3
    states, others = (rng.integers(0, NUM_STATES, (steps + 1, envs)) for _ in range(2))
    actions, other_actions = (rng.integers(0, NUM_ACTIONS, (steps, envs)) for _ in range(2))
    late = np.arange(steps + 1)[:, None] >= steps - 8
    others = np.where(late | (np.arange(steps + 1)[:, None] == 0), states, others)
    other_actions = np.where(late[:-1], actions, other_actions)
    no, end = np.zeros((steps, envs), bool), np.repeat(np.arange(steps)[:, None] == steps - 1, envs, axis=1)
    for gamma in (0.9, 1.0):
        sums = []
        for state, action in ((states, actions), (others, other_actions)):
            columns = (state[:-1], action, state[1:], np.zeros(no.shape), np.full(no.shape, gamma))
            term = sum_of_terms(shaper, case.experience.transitions(*columns, terminated=no, truncated=end))
            sums.append(gamma ** np.arange(steps) @ term)
        np.testing.assert_allclose(
            sums[1],
            sums[0],
            err_msg="where an episode is cut and bootstrapped, what it keeps depends on more than its last 8 steps: "
            "take back at every end what is owed, not only where the discount is 0",
            **_CLOSE,
        )


def telescoping_while_learning(case: Case) -> None:
    """Episodes that end still sum to -potential(start) if the shaper learns in the middle of them.

    The potential of a state is then the one it had when the state was entered (Devlin and Kudenko 2012, equation 5).
    """
    shaper, rng = case.trained(), case.rng()
    rollout = case.rollout(rng)
    carry, tables = shaper.init(rollout.num_envs), []
    term = np.zeros(rollout.discount.shape)
    for t in range(rollout.num_steps):
        tables.append(_potential(shaper, case.experience))
        step, carry = shaper.shape(rollout[t : t + 1], carry)
        term[t] = sum(step.terms[name][0] for name in shaper.term_names)
        learn(shaper, rollout[t : t + 1])
    states = rollout.info[STATE]
    for b in range(rollout.num_envs):
        for start, stop in segments(rollout, b):
            products = np.concatenate([[1.0], np.cumprod(rollout.discount[start:stop, b])])
            if products[-1] == 0:
                np.testing.assert_allclose(
                    float(products[:-1] @ term[start:stop, b]),
                    -tables[start][states[start, b], rollout.info[ACTION][start, b]],
                    err_msg=f"learning within the episode of steps {start}..{stop - 1} breaks its telescoping; "
                    "keep the potential of the state entered in the carry",
                    **_CLOSE,
                )


def advantages(case: Case) -> None:
    """GAE with values V - potential on the shaped rewards equals GAE with values V on the raw ones, for any lambda."""
    shaper, rng = case.trained(), case.rng()
    if shaper.contract.basis != "state":
        return
    table = _potential(shaper, case.experience)[:, 0]
    rollout = case.rollout(rng)
    shaped, _ = shaper.shape(rollout, shaper.init(rollout.num_envs))
    values = rng.normal(size=NUM_STATES)
    states, next_states = rollout.info[STATE], rollout.info[f"next_{STATE}"]
    for lambda_ in (0.0, 0.7, 1.0):
        raw = gae(rollout, values[states], values[next_states], lambda_)
        other = gae(shaped, (values - table)[states], (values - table)[next_states], lambda_)
        np.testing.assert_allclose(
            other, raw, err_msg=f"the advantages at lambda = {lambda_} change by more than the values' offset", **_CLOSE
        )


def optimal_policy(case: Case) -> None:
    """In random worlds, with and without ends, exactly the same actions are optimal with the terms as without them."""
    shaper, rng = case.trained(), case.rng()
    if shaper.contract.basis == "history":
        return  # its reward is not a function of the transition. Its sum over every episode is what telescoping checks.
    for ends in (False, True):
        world = _random_world(rng, ends)
        true = optimum(world, GAMMA)
        added = _reward_of_transitions(shaper, case.experience, world, true.policy)
        table = _potential(shaper, case.experience)
        shaped = optimum(_with_reward(world, added), GAMMA)
        if shaper.contract.basis == "state_action":
            # The learner acts on Q' + potential: one Bellman backup under that rule must return Q' = Q* - potential.
            target = _backup(world, added, true.action_values - table, true.policy)
            live = ~world.terminal
            np.testing.assert_allclose(target[live], (true.action_values - table)[live], err_msg=_CHANGED, **_CLOSE)
            continue
        assert (shaped.optimal == true.optimal)[~world.terminal].all(), _CHANGED


def _potential(shaper: Shaper, experience: Experience) -> np.ndarray[Any, Any]:
    """What F = -potential(start) of steps that terminate at once reveals, for each state and action, ``(S, A)``."""
    states, actions = np.indices((NUM_STATES, NUM_ACTIONS)).reshape(2, 1, -1)
    ones = np.ones_like(states, dtype=bool)
    rollout = experience.transitions(states, actions, states, np.zeros(states.shape), np.zeros(states.shape), ones)
    return -sum_of_terms(shaper, rollout).reshape(NUM_STATES, NUM_ACTIONS)


def _random_world(rng: np.random.Generator, ends: bool) -> TransitionModel:
    terminal = (np.arange(NUM_STATES) == NUM_STATES - 1) & ends
    return TransitionModel(
        transition=rng.dirichlet(np.full(NUM_STATES, 0.5), (NUM_STATES, NUM_ACTIONS)),
        reward=rng.normal(size=(NUM_STATES, NUM_ACTIONS, NUM_STATES)),
        terminal=terminal,
        start=np.full(NUM_STATES, 1 / NUM_STATES),
        success=terminal,
        names=tuple(map(str, range(NUM_STATES))),
    )


def _with_reward(world: TransitionModel, added: np.ndarray[Any, Any]) -> TransitionModel:
    return replace(world, reward=world.reward_after() + added)


def _reward_of_transitions(
    shaper: Shaper, experience: Experience, world: TransitionModel, policy: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """The terms of each transition as a reward ``(S, A, S)``. After it the policy's action is taken."""
    shape = (NUM_STATES, NUM_ACTIONS, NUM_STATES)
    state, action, next_state = np.indices(shape).reshape(3, 1, -1)
    ends = world.terminal[next_state]
    rollout = experience.transitions(
        state, action, next_state, np.zeros(state.shape), GAMMA * ~ends, ends, last_action=policy[next_state]
    )
    return sum_of_terms(shaper, rollout).reshape(shape)


def _backup(
    world: TransitionModel, added: np.ndarray[Any, Any], values: np.ndarray[Any, Any], policy: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """One Bellman backup of Q' on the shaped reward, following the policy."""
    onward = np.where(world.terminal, 0.0, values[np.arange(NUM_STATES), policy])
    backed_up: np.ndarray[Any, Any] = np.einsum(
        "sat,sat->sa", world.transition, world.reward_after() + added + GAMMA * onward
    )
    return backed_up
