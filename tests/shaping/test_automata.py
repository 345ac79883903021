"""Reward machines and temporal logic: what they read, where they lead, and what their potentials pay."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest

from potentia.audit import certify
from potentia.envs.exact import key_rooms
from potentia.rollout import Rollout
from potentia.shaping import LTLProgress, RewardMachine
from potentia.shaping.potentials.ltl_progress import compile_formula, read_formula

GAMMA = 0.9
CHAIN = "u0 -> u1: key\nu1 -> end: success"
Trace = Sequence[frozenset[str]]


def episode(*, gamma: float = GAMMA, truncated: bool = False, **columns: Sequence[float]) -> Rollout:
    steps = len(next(iter(columns.values())))
    zeros, ends = np.zeros((steps, 1)), (np.arange(steps) == steps - 1)[:, None]
    flags = {f"next_{name}": np.array(values)[:, None] for name, values in columns.items()}
    info = {name: values > 0 if values.dtype == int else values for name, values in flags.items()}
    return Rollout(
        obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=gamma * (~ends | truncated),
        terminated=ends & (not truncated), truncated=ends & truncated, info=info,
    )  # fmt: skip


def term(shaper: RewardMachine | LTLProgress, rollout: Rollout) -> list[float]:
    return shaper.shape(rollout)[0].terms[shaper.name][:, 0].round(9).tolist()


def test_the_value_of_a_machine_and_what_its_two_signs_pay() -> None:
    # V = 0.9 and 1. Stay, go on, stay, and end: with V -0.09, 0, -0.1, -1, with -V the opposite.
    rollout = episode(key=[0, 1, 0, 0], success=[0, 0, 0, 1])
    assert term(RewardMachine(CHAIN, gamma=GAMMA), rollout) == [-0.09, 0.0, -0.1, -1.0]
    assert term(RewardMachine(CHAIN, gamma=GAMMA, sign="-"), rollout) == [0.09, 0.0, 0.1, 1.0]


def test_what_is_owed_is_taken_back_where_an_episode_is_cut() -> None:
    rollout = episode(key=[1, 0], success=[0, 0], truncated=True)
    assert term(RewardMachine(CHAIN, gamma=GAMMA), rollout) == [0.0, -1.0]


@pytest.mark.parametrize("sign", ["+", "-"])
def test_every_trace_that_ends_sums_to_the_start(sign: str) -> None:
    machine = RewardMachine(CHAIN + "\nu1 -> u0: lost", gamma=GAMMA, sign=sign)
    rng = np.random.default_rng(0)
    for _ in range(50):
        steps = int(rng.integers(1, 12))
        rollout = episode(**{name: rng.integers(0, 2, steps) for name in ("key", "success", "lost")})
        shaped = machine.shape(rollout)[0].terms[machine.name][:, 0]
        assert GAMMA ** np.arange(steps) @ shaped == pytest.approx(-machine.potential[0])


def test_edges_are_tried_in_order_pay_and_stay() -> None:
    machine = RewardMachine(
        """
        start: b
        accept: c        # it may go on from there
        a -> c: near & !key => 3
        a -> b: near     # not reached where the line above holds
        b -> a: distance <= 2.5 => -1
        c -> a: key
        """,
        gamma=0.5,
    )
    automaton = machine.automaton
    assert (automaton.names, automaton.start) == (("a", "c", "b"), 2)
    # V(a) = 3, V(b) = max(-1 + 1.5, stay), c is a goal.
    assert machine.potential.tolist() == [3.0, 0.0, 0.5]
    letter = {name: 1 << bit for bit, name in enumerate(automaton.atoms)}
    assert set(letter) == {"near", "key", "distance<=2.5"}
    assert automaton.following[0, letter["near"]] == 1
    assert automaton.following[0, letter["near"] | letter["key"]] == 2
    rollout = episode(gamma=0.5, near=[0, 1], key=[0, 0], distance=[2.5, 9.0])
    assert term(machine, rollout) == [0.5 * 3 - 0.5, -3.0]


def test_events_are_read_from_the_worlds_subgoals() -> None:
    machine = RewardMachine("a -> b: picked_up_key\nb -> c: success", gamma=0.95, events=["picked_up_key"])
    assert machine.contract.info_columns == {"next_subgoals", "next_success"}
    assert certify(key_rooms(3), machine, gamma=0.95).same_optimum
    task = LTLProgress("!success until picked_up_key & eventually success", events=["picked_up_key"])
    assert certify(key_rooms(3), task, gamma=0.95).same_optimum


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a -> b: key &", r"line 1 of the reward machine: wanted a name, '!' or '\('\n    key &\n         \^"),
        ("a -> b: key\nb => c", r"line 2 of the reward machine: wanted 'from -> to: condition'"),
        ("a -> b: key\n\nb -> c: dist <= x", r"line 3 .*such as 'distance <= 3'"),
        ("a -> b: key\nb -> a: !key", "no state accepts"),
        ("start: z\na -> b: key", r"'start:' names \['z'\]"),
        ("start: a, b\na -> b: key", "one start state"),
        ("# nothing", "needs an edge"),
        ("a -> b: " + " | ".join(f"x{k}" for k in range(13)), "at most 12"),
    ],
)
def test_what_is_wrong_with_a_machine_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RewardMachine(text, gamma=GAMMA)


def test_a_machine_whose_values_are_infinite_is_refused() -> None:
    with pytest.raises(ValueError, match="use a gamma below 1"):
        RewardMachine("a -> a: key => 1\na -> b: success", gamma=1.0)


def test_columns_that_are_no_truth_values_are_told() -> None:
    machine = RewardMachine("a -> b: near", gamma=GAMMA)
    with pytest.raises(ValueError, match="compare it with a number, as in 'near <= 0'"):
        machine.shape(episode(near=[0.5, 1.0]))
    with pytest.raises(ValueError, match="asks for the event 'key', but the world's events are"):
        RewardMachine("a -> b: key", gamma=GAMMA, events=["key"]).shape(episode(subgoals=[0, 1]))


def holds(formula: tuple, trace: Trace) -> bool:
    """Whether a formula holds of a trace that may be empty, by the definition of LTLf."""
    kind, places = formula[0], range(len(trace))
    if kind in ("and", "or"):
        return (all if kind == "and" else any)(holds(part, trace) for part in formula[1])
    if kind == "until":
        ahead = (k for k in places if holds(formula[2], trace[k:]))
        return any(all(holds(formula[1], trace[j:]) for j in range(k)) for k in ahead)
    simple = {
        "true": lambda: True,
        "false": lambda: False,
        "atom": lambda: bool(trace) and formula[1] in trace[0],
        "not": lambda: not holds(formula[1], trace),
        "next": lambda: len(trace) > 1 and holds(formula[1], trace[1:]),
        "always": lambda: all(holds(formula[1], trace[k:]) for k in places),
    }
    return simple[kind]()


@pytest.mark.parametrize(
    "text",
    [
        "eventually (a & next eventually b) & always !c",
        "!c until b",
        "always (a -> eventually b)",
        "always (a -> next b)",
        "F a & F b & (!b U a)",
        "!(a until (b | X c))",
        "G (a | !b) -> F c",
        "X X a",
        "!X a",
    ],
)
def test_automata_accept_what_the_logic_says(text: str) -> None:
    automaton, formula = compile_formula(text), read_formula(text)
    letters = [frozenset(one) for size in range(4) for one in itertools.combinations("abc", size)]
    rng = np.random.default_rng(0)
    for _ in range(400):
        trace = [letters[k] for k in rng.integers(0, len(letters), rng.integers(1, 7))]
        state = automaton.start
        for step in trace:
            state = automaton.following[state, sum((atom in step) << bit for bit, atom in enumerate(automaton.atoms))]
        assert automaton.accepting[state] == holds(formula, trace), (text, trace)


def test_the_potential_is_the_distance_to_fulfilment() -> None:
    # Two steps to go, one after the key, none after the door, and after lava no way: of four states.
    task = LTLProgress("eventually (key & next eventually door) & always !lava")
    rollout = episode(gamma=1.0, key=[0, 1, 0, 0], door=[0, 0, 1, 0], lava=[0, 0, 0, 0])
    assert term(task, rollout) == [0.0, 0.25, 0.25, 0.0]
    assert term(task, episode(gamma=1.0, key=[0, 0], door=[0, 0], lava=[1, 0])) == [-0.5, 1.0]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("key &", r"wanted a name.*\n    key &\n         \^"),
        ("key lava", r"the formula should end here\n    key lava\n        \^"),
        ("(key", r"wanted '\)'"),
        ("key $ lava", r"one of ! & \| -> \( \)\n    key \$ lava\n        \^"),
        ("key & !key", "no episode can fulfil"),
        (" & ".join(f"F x{k}" for k in range(11)), "more than 512 states"),
    ],
)
def test_what_is_wrong_with_a_formula_is_told(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        LTLProgress(text)
