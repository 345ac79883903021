"""Reward machines: a task as an automaton whose edges pay, and the potential that its values give."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from potentia.gamma import check_gamma, needs_gamma
from potentia.limits import check_among
from potentia.shaping.potentials.automaton import Automaton, AutomatonShaping, assignments, check_atoms
from potentia.shaping.potentials.guards import Guard, GuardError, Parser

__all__ = ["RewardMachine"]

_EDGE = re.compile(r"(\w+)\s*->\s*(\w+)\s*:(.*)")
_PAYS = re.compile(r"(.*?)\s*=>\s*(-?\d+(?:\.\d+)?)\s*")


class RewardMachine(AutomatonShaping):
    """``discount * potential(u') - potential(u)``: potential = V(u), the best discounted pay from machine state u on.

    Toro Icarte et al. 2022, "Reward machines: exploiting reward function structure in reinforcement learning",
    JAIR 73, arXiv 2010.03950. V(u) = max over u's edges, staying among them, of pay + gamma V(u'), and V is 0 in
    accepting states. The paper's code takes -V for a potential. Both signs leave every optimal policy as it was. But
    -V pays for loitering: a step that changes nothing earns (1 - gamma) V(u) > 0, and with V it costs as much.

    The text has a line for each edge, ``from -> to: condition``. With ``=> number`` behind the condition it says what
    the edge pays. An edge into an accepting state pays 1 if nothing is said. ``start: u`` names the first state, by
    default that of the first edge. ``accept: u, v`` names the accepting states, by default those that no edge leaves.
    A condition joins names by ``! & | ->`` and brackets. A name is an event, if it is among ``events``, or else a
    column of info: a truth value, or a number that is compared, as in ``distance <= 3``. The first edge in the text
    whose condition holds is taken, and where none holds the machine stays. Text after ``#`` is a comment.

    Args:
        machine: The text.
        gamma: What V is discounted with. With the learner's own gamma a step along the best way in the machine earns 0.
        events: Which names are events of ``info["subgoals"]``.
        sign: ``"+"`` for V, ``"-"`` for -V.
        name: The term's name.

    Raises:
        ValueError: If the text can't be read. The message shows the line and the place.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> machine = RewardMachine('''
    ...     outside -> inside: has_key
    ...     inside -> done: success
    ... ''', gamma=0.9)
    >>> machine.potential.tolist()  # V = 0.9 and 1, and 0 where all is done
    [0.9, 1.0, 0.0]
    >>> flags = lambda *rows: np.array([rows]).T > 0
    >>> zeros, ends = np.zeros((3, 1)), flags(0, 0, 1)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=0.9 * ~ends, terminated=ends,
    ...     truncated=zeros > 0, info={"next_has_key": flags(0, 1, 0), "next_success": flags(0, 0, 1)})
    >>> shaped, _ = machine.shape(rollout)  # waiting costs, the key is progress, and the end takes 1 back
    >>> shaped.terms["RewardMachine"][:, 0].round(9).tolist()
    [-0.09, 0.0, -1.0]
    """

    @needs_gamma
    def __init__(
        self,
        machine: str,
        *,
        gamma: float,
        events: Sequence[str] = (),
        sign: Literal["+", "-"] = "+",
        name: str | None = None,
    ) -> None:
        check_among(("+", "-"), sign=sign)
        read = _read(machine)
        values = _values(read, check_gamma(gamma))
        super().__init__(read.automaton, values if sign == "+" else -values, events, name=name)


@dataclass(frozen=True)
class _Edge:
    origin: str
    target: str
    guard: Guard
    pays: float | None


@dataclass(frozen=True, eq=False)
class _Machine:
    """An automaton and what each of its steps pays, ``(Q, 2 ** k)``."""

    automaton: Automaton
    pays: NDArray[np.float64]


def _read(text: str) -> _Machine:
    edges: list[_Edge] = []
    atoms: dict[str, None] = {}
    said: dict[str, list[str]] = {}
    for number, line in enumerate(text.splitlines(), 1):
        content = line.split("#")[0].strip()
        if not content:
            continue
        try:
            if content.startswith(("start:", "accept:")):
                key, _, names = content.partition(":")
                said[key] = [one.strip() for one in names.split(",") if one.strip()]
            else:
                edges.append(_edge(content, atoms))
        except ValueError as error:
            raise ValueError(f"line {number} of the reward machine: {error}") from None
    if not edges:
        raise ValueError("a reward machine needs an edge, such as 'u0 -> u1: has_key', got none")
    return _machine(edges, tuple(atoms), said)


def _edge(content: str, atoms: dict[str, None]) -> _Edge:
    match = _EDGE.fullmatch(content)
    if match is None:
        raise GuardError(f"wanted 'from -> to: condition', 'start: state' or 'accept: states', got {content!r}")
    condition, pays = match[3].strip(), None
    if (paid := _PAYS.fullmatch(condition)) is not None:
        condition, pays = paid[1], float(paid[2])
    parser = Parser(condition)
    guard = parser.whole()
    atoms.update(parser.atoms)
    return _Edge(match[1], match[2], guard, pays)


def _machine(edges: list[_Edge], atoms: tuple[str, ...], said: dict[str, list[str]]) -> _Machine:
    names = tuple(dict.fromkeys(state for edge in edges for state in (edge.origin, edge.target)))
    for key, states in said.items():
        if unknown := [state for state in states if state not in names]:
            raise ValueError(f"'{key}:' names {unknown}, which no edge of the reward machine has; it has {list(names)}")
    if len(said.get("start", [""])) != 1:
        raise ValueError(f"a reward machine has one start state, got {said['start']}")
    check_atoms(atoms)
    left = {edge.origin for edge in edges}
    accepting = np.array([name in said["accept"] if "accept" in said else name not in left for name in names])
    if not accepting.any():
        raise ValueError("no state accepts: each is left by an edge; say which do with 'accept: state'")
    now, size = assignments(atoms), 2 ** len(atoms)
    following = np.repeat(np.arange(len(names))[:, None], size, axis=1)
    pays, taken = np.zeros(following.shape), np.zeros(following.shape, np.bool_)
    for edge in edges:
        origin, target = names.index(edge.origin), names.index(edge.target)
        holds = np.broadcast_to(edge.guard(now), (size,)) & ~taken[origin]
        following[origin, holds] = target
        pays[origin, holds] = edge.pays if edge.pays is not None else float(accepting[target] and not accepting[origin])
        taken[origin] |= holds
    start = names.index(said["start"][0]) if "start" in said else 0
    automaton = Automaton(names, atoms, following, start, accepting, np.zeros(len(names), np.bool_))
    return _Machine(replace(automaton, dead=np.isinf(automaton.distance)), pays)


def _values(machine: _Machine, gamma: float) -> NDArray[np.float64]:
    """V by value iteration. Staying pays nothing unless an edge says so, so that V >= 0 where nothing costs."""
    if gamma == 1.0 and (machine.pays[machine.automaton.following == np.arange(len(machine.pays))[:, None]] > 0).any():
        raise ValueError(
            "an edge that stays pays, so with gamma = 1 the machine's values are infinite; use a gamma below 1"
        )
    values = np.zeros(len(machine.pays))
    for _ in range(100_000):
        best = (machine.pays + gamma * values[machine.automaton.following]).max(axis=1)
        best = np.where(machine.automaton.accepting, 0.0, np.maximum(best, gamma * values))
        if np.abs(best - values).max() <= 1e-14 * max(1.0, float(np.abs(best).max())):
            return best
        values = best
    raise ValueError("the machine's values do not settle: a cycle pays; use a gamma below 1")
