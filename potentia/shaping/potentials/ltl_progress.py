"""Temporal logic over finite episodes, compiled to an automaton whose distance to acceptance is the potential."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.shaping.potentials.automaton import Automaton, AutomatonShaping, check_atoms
from potentia.shaping.potentials.guards import GuardError, wrong

__all__ = ["LTLProgress"]

Formula = tuple[Any, ...]
"""``("true",)``, ``("false",)``, ``("atom", name)``, ``("not", f)``, ``("and", {f, ...})``, ``("or", {f, ...})``,
``("next", f)``, ``("until", f, g)``, ``("always", f)``, and ``("more",)``: the trace is not over."""

TRUE, FALSE, MORE = ("true",), ("false",), ("more",)
_MOST_STATES = 512
_WORD = re.compile(r"\s*([A-Za-z_]\w*|->|[&|!()])")
_UNARY = {"eventually": "F", "always": "G", "next": "X", "F": "F", "G": "G", "X": "X"}


class LTLProgress(AutomatonShaping):
    """``discount * potential(q') - potential(q)``: potential(q) = -d(q) / Q, d the fewest steps to fulfil the formula.

    The formula is of linear temporal logic over finite traces (De Giacomo and Vardi 2013, LTLf), and q is the state of
    the automaton that reads the episode (built by progression, Bacchus and Kabanza 1998). Q is the number of states. A
    state from which the formula can't be fulfilled any more has the potential -1, and a fulfilled one has 0.

    A formula is a name, ``true``, ``false``, or made of others: ``! & | ->``, brackets, ``eventually f`` (or ``F``),
    ``always f`` (``G``), ``next f`` (``X``, which wants a next step) and ``f until g`` (``U``). ``!`` and the words
    before one formula bind closest, then ``until``, ``&``, ``|``, ``->``. A name is an event, if it is among
    ``events``, or else a column of info that holds a truth value. The first letter that is read is what holds after
    the episode's first step.

    Args:
        formula: The formula.
        events: Which names are events of ``info["subgoals"]``.
        name: The term's name.

    Raises:
        ValueError: If the formula can't be read (the message shows the place), can't be fulfilled, or needs more than
            512 states.

    >>> task = LTLProgress("eventually (key & next eventually door) & always !lava")
    >>> task.automaton.names[2]  # after lava nothing helps
    'false'
    >>> task.potential.tolist()  # two steps to go, one, no way, and none
    [-0.5, -0.25, -1.0, 0.0]
    """

    def __init__(self, formula: str, *, events: Sequence[str] = (), name: str | None = None) -> None:
        automaton = compile_formula(formula)
        if automaton.dead[automaton.start]:
            raise ValueError(f"no episode can fulfil the formula {formula!r}")
        distance = automaton.distance
        potential = np.where(automaton.dead, -1.0, 0.0 - np.where(automaton.dead, 0.0, distance) / len(distance))
        super().__init__(automaton, potential, events, name=name)


def compile_formula(text: str) -> Automaton:
    """The automaton of a formula: its states are what is left of the formula, and it accepts where nothing need come.

    Raises:
        ValueError: As `LTLProgress`.
    """
    first = read_formula(text)
    atoms = tuple(sorted(_atoms(first)))
    check_atoms(atoms)
    letters = [
        frozenset(atom for bit, atom in enumerate(atoms) if letter >> bit & 1) for letter in range(2 ** len(atoms))
    ]
    states, rows = {first: 0}, list[list[int]]()
    waiting = [first]
    for state in waiting:
        row = []
        for letter in letters:
            after = _after(state, letter)
            if after not in states:
                if len(states) == _MOST_STATES:
                    raise ValueError(f"the formula {text!r} needs more than {_MOST_STATES} states; take it apart")
                states[after] = len(states)
                waiting.append(after)
            row.append(states[after])
        rows.append(row)
    names, accepting = [_in_words(state) for state in states], np.array([_ends_well(state) for state in states])
    first_of, following = _merged(np.array(rows), accepting)
    made = Automaton(
        tuple(names[k] for k in first_of), atoms, following, 0, accepting[first_of], np.zeros(len(first_of), np.bool_)
    )
    return replace(made, dead=np.isinf(made.distance))


def _merged(following: NDArray[np.int64], accepting: NDArray[np.bool_]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The least automaton (Moore 1956): the first state of each class of equals, and where each class leads."""
    group = accepting.astype(np.int64)
    while True:
        rows = np.column_stack([group, group[following]])
        _, first, again = np.unique(rows, axis=0, return_index=True, return_inverse=True)
        order = np.argsort(np.argsort(first))  # classes in the order of their first states
        refined = order[again.reshape(-1)]
        if refined.max() == group.max():
            break
        group = refined
    first = np.sort(first)
    return first, refined[following[first]]


def read_formula(text: str) -> Formula:
    """A formula as a tree. Raises ``ValueError`` with the place if it can't be read."""
    words, place = list[tuple[str, int]](), 0
    while text[place:].strip():
        match = _WORD.match(text, place)
        if match is None:
            raise wrong(
                text, len(text) - len(text[place:].lstrip()), "wanted a name, a word of logic or one of ! & | -> ( )"
            )
        words.append((match[1], match.start(1)))
        place = match.end()
    return _Reader(text, words).whole()


class _Reader:
    def __init__(self, text: str, words: list[tuple[str, int]]) -> None:
        self.text, self.words, self.next = text, words, 0

    def whole(self) -> Formula:
        formula = self._level(0)
        if self.next < len(self.words):
            raise self._wrong("the formula should end here")
        return formula

    def _peek(self) -> str:
        return self.words[self.next][0] if self.next < len(self.words) else ""

    def _wrong(self, message: str) -> GuardError:
        return wrong(self.text, self.words[self.next][1] if self.next < len(self.words) else len(self.text), message)

    def _level(self, level: int) -> Formula:
        signs = (("->",), ("|",), ("&",), ("until", "U"))
        if level == len(signs):
            return self._single()
        left = self._level(level + 1)
        while self._peek() in signs[level]:
            self.next += 1
            right = self._level(level if level in (0, 3) else level + 1)
            left = (_either(_negated(left), right), _either(left, right), _both(left, right), _until(left, right))[
                level
            ]
        return left

    def _single(self) -> Formula:
        word = self._peek()
        if word == "!" or word in _UNARY:
            self.next += 1
            inner = self._single()
            if word == "!":
                return _negated(inner)
            made = {"F": _until(TRUE, inner), "G": _always(inner), "X": ("next", inner)}
            return made[_UNARY[word]]
        if word == "(":
            self.next += 1
            inner = self._level(0)
            if self._peek() != ")":
                raise self._wrong("wanted ')'")
            self.next += 1
            return inner
        if not word or not (word[0].isalpha() or word[0] == "_") or word in ("until", "U"):
            raise self._wrong("wanted a name, '!', '(' or one of eventually, always, next")
        self.next += 1
        return (word,) if word in ("true", "false") else ("atom", word)


def _negated(f: Formula) -> Formula:
    """The negation, pushed inwards so that equal formulas have equal forms."""
    kind = f[0]
    if kind in ("true", "false"):
        return FALSE if kind == "true" else TRUE
    if kind in ("and", "or"):
        return _joined("or" if kind == "and" else "and", [_negated(one) for one in f[1]])
    return f[1] if kind == "not" else ("not", f)


def _joined(kind: str, parts: Sequence[Formula]) -> Formula:
    zero, one = (FALSE, TRUE) if kind == "and" else (TRUE, FALSE)
    flat: set[Formula] = set()
    for part in parts:
        flat |= part[1] if part[0] == kind else {part}
    flat.discard(one)
    if zero in flat or any(_negated(part) in flat for part in flat if part[0] in ("atom", "until", "always", "next")):
        return zero
    if not flat:
        return one
    return next(iter(flat)) if len(flat) == 1 else (kind, frozenset(flat))


def _both(f: Formula, g: Formula) -> Formula:
    return _joined("and", [f, g])


def _either(f: Formula, g: Formula) -> Formula:
    return _joined("or", [f, g])


def _until(f: Formula, g: Formula) -> Formula:
    return g if g in (TRUE, FALSE) else ("until", f, g)


def _always(f: Formula) -> Formula:
    return f if f in (TRUE, FALSE) else ("always", f)


@lru_cache(maxsize=1 << 16)
def _after(f: Formula, letter: frozenset[str]) -> Formula:
    """What must hold of the rest of the trace, one step having been read (progression)."""
    kind, rest = f[0], f
    if kind == "atom":
        rest = TRUE if f[1] in letter else FALSE
    elif kind == "not":
        rest = _negated(_after(f[1], letter))
    elif kind in ("and", "or"):
        rest = _joined(kind, [_after(one, letter) for one in f[1]])
    elif kind == "next":
        rest = _both(f[1], MORE)
    elif kind == "until":
        rest = _either(_after(f[2], letter), _both(_after(f[1], letter), f))
    elif kind == "always":
        rest = _both(_after(f[1], letter), f)
    elif f == MORE:
        rest = TRUE  # a step was read, so the trace was not over
    return rest


def _ends_well(f: Formula) -> bool:
    """Whether the formula holds of nothing more: of the trace that is over."""
    match f[0]:
        case "true" | "always":
            return True
        case "not":
            return not _ends_well(f[1])
        case "and":
            return all(map(_ends_well, f[1]))
        case "or":
            return any(map(_ends_well, f[1]))
    return False  # false, an atom, next, until, and that there is more


def _atoms(f: Formula) -> set[str]:
    if f[0] == "atom":
        return {f[1]}
    parts = f[1] if f[0] in ("and", "or") else f[1:]
    return set().union(*(_atoms(part) for part in parts)) if parts else set()


def _in_words(f: Formula) -> str:
    match f[0]:
        case "atom":
            return str(f[1])
        case "not":
            return f"!{_in_words(f[1])}"
        case "and" | "or":
            return "(" + (" & " if f[0] == "and" else " | ").join(sorted(map(_in_words, f[1]))) + ")"
        case "until":
            word = f"{_in_words(f[1])} until {_in_words(f[2])}"
            return f"eventually {_in_words(f[2])}" if f[1] == TRUE else f"({word})"
        case "next" | "always":
            return f"{f[0]} {_in_words(f[1])}"
    return str(f[0])
