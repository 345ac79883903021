"""`CalculationSteps`: an expression is worked out one operation a turn."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

from potentia.envs.text.calculation.answers import closeness, digits, read_number, written
from potentia.envs.text.calculation.expression import (
    SIGNS,
    Expression,
    alternatives,
    draw,
    reduced,
    reductions,
    shown,
    value,
)  # fmt: skip
from potentia.envs.text.calculation.game import check_steps, lengths
from potentia.envs.text.game import PlainGame, Turn, text_hash
from potentia.envs.world import Wanted
from potentia.limits import check_among

__all__ = ["CalculationSteps"]

_WRONG = ("kept", "refused")
_REWARDS = ("step", "final")
_LISTED = 8
"""Of so many operations `commands` has candidates."""


class CalculationSteps(PlainGame):
    """An expression is worked out: each command says what one operation gives, such as ``3 + (1/2) = 7/2``.

    RandomCalculation (Wu et al. 2025, arXiv 2507.10532) in several turns. An operation can be done when it stands
    between two numbers. Its result replaces it. Success is the right value when one number is left.

    The distance is the number of operations left, and -1 once a wrong result stands in the expression, unless the
    value came out the same. ``commands`` has up to four results for each of the first eight operations that can be
    done, one of them right, in an order that tells nothing.

    Args:
        steps: The number of operations, 1 to 500.
        wrong: What becomes of a wrong result: ``"kept"``, it is written down like a right one, and nobody says so;
            ``"refused"``, nothing changes.
        reward: ``"step"``: ``1 / steps`` for each right result. ``"final"``: `closeness` of the last number.
        max_episode_steps: None is ``4 * steps``.
        info_keys: See `TextGame`.
        render_mode: "ansi", or None.

    Raises:
        ValueError: If ``steps`` is not in 1..500, or ``wrong`` or ``reward`` is unknown.
    """

    kept = ("_expression", "_truth")
    event_names = ("right_result", "wrong_result")
    chance: ClassVar[bool | None] = False  # type: ignore[misc]

    def __init__(
        self,
        steps: int = 5,
        *,
        wrong: str = "kept",
        reward: str = "step",
        max_episode_steps: int | None = None,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        self._size = check_steps(steps)
        self.distance_scale = float(steps)
        check_among(_WRONG, wrong=wrong)
        check_among(_REWARDS, reward=reward)
        self._refuses, self._pays_steps = wrong == "refused", reward == "step"
        self._expression: Expression = ("0",)
        self._truth = Fraction(0)
        length, command_length = lengths(steps)
        readers = {
            "caption": self._caption,
            "state_hash": self._hash,
            "distance": self._distance,
            "facts": self._facts,
            "plan": self._plan,
        }
        super().__init__(
            readers,
            max_episode_steps=4 * steps if max_episode_steps is None else max_episode_steps,
            length=length,
            command_length=command_length,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    @property
    def expression(self) -> Expression:
        """What is left to calculate."""
        return self._expression

    @property
    def truth(self) -> Fraction:
        """The value of the expression that the episode began with."""
        return self._truth

    @property
    def optimal_return(self) -> float | None:
        """1, for all results right."""
        return 1.0

    @property
    def commands(self) -> Sequence[str]:
        """Results of the operations that can be done, right and wrong ones."""
        return [
            f"{text} = {written(result)}"
            for text, place in list(reductions(self._expression).items())[:_LISTED]
            for result in alternatives(self._expression[place - 2 : place + 1], 2)
        ]

    def goal_text(self) -> str:
        """What is to be done."""
        return "Work the expression out, one operation a turn: say an operation between two numbers and its result."

    def _begin(self) -> str:
        self._expression = draw(self.np_random, self._size)
        self._truth = value(self._expression)
        return shown(self._expression)

    def _act(self, command: str) -> Turn:
        text, sign, number = command.translate({0xD7: "*", 0xF7: "/"}).rpartition("=")
        place, result = reductions(self._expression).get(" ".join(text.split())), read_number(number)
        if not sign or place is None or result is None:
            return Turn(f"That is no operation of this expression and its result.\n{shown(self._expression)}")
        before = self._expression[place - 2 : place + 1]
        if digits(result) > 1 + sum(digits(value((number,))) for number in before[:2]):
            return Turn(f"No result has so many digits.\n{shown(self._expression)}")
        right_result = _is_right(before, result)
        events = frozenset({"right_result" if right_result else "wrong_result"})
        if not right_result and self._refuses:
            return Turn(f"That is wrong.\n{shown(self._expression)}", events=events)
        self._expression = reduced(self._expression, place, result)
        done = len(self._expression) == 1
        success = done and result == self._truth
        reward = right_result / self._size if self._pays_steps else 0.0
        if done and not self._pays_steps:
            reward = closeness(result, self._truth)
        return Turn(shown(self._expression), reward, success, lost=done and not success, events=events)

    def _left(self) -> int:
        return sum(token in SIGNS for token in self._expression)

    def _distance(self) -> int:
        try:
            return self._left() if value(self._expression) == self._truth else -1
        except ZeroDivisionError:
            return -1

    def _caption(self) -> str:
        return f"{shown(self._expression)} is left of a calculation."

    def _hash(self) -> int:
        return text_hash(written(self._truth), *self._expression)

    def _facts(self) -> str:
        return f"operations left: {self._left()}\nvalue at first: {written(self._truth)}"

    def _plan(self) -> str:
        expression, plan = self._expression, []
        if self._distance() < 0:
            return ""
        while len(expression) > 1:
            text, place = next(iter(reductions(expression).items()))
            result = value(expression[place - 2 : place + 1])
            plan.append(f"{text} = {written(result)}")
            expression = reduced(expression, place, result)
        return "\n".join(plan)


def _is_right(operation: Expression, result: Fraction) -> bool:
    try:
        return value(operation) == result
    except ZeroDivisionError:
        return False
