"""`Calculation`: an expression is shown, and its value is the answer."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import ClassVar

from potentia.envs.text.calculation.answers import closeness, read_number, written
from potentia.envs.text.calculation.expression import Expression, alternatives, draw, shown, value
from potentia.envs.text.game import PlainGame, Turn, text_hash
from potentia.envs.world import Wanted

__all__ = ["Calculation", "check_steps", "lengths"]

MOST_STEPS = 500
"""An operation adds 8 digits at most: 7 of a cube and 1 of the sum. With more, a value can't be read back."""


def check_steps(steps: int) -> int:
    """The number of operations.

    Raises:
        ValueError: If it is not in 1..500.
    """
    if isinstance(steps, bool) or not isinstance(steps, int) or not 1 <= steps <= MOST_STEPS:
        raise ValueError(f"steps must be a whole number in 1..{MOST_STEPS}, got {steps!r}")
    return steps


def lengths(steps: int) -> tuple[int, int]:
    """The characters that suffice for any observation, and for any command."""
    return 512 + 40 * steps, 256 + 64 * steps


class Calculation(PlainGame):
    """An expression of ``steps`` operations is shown, and the next text is the answer: its value.

    RandomCalculation: Wu et al. 2025, arXiv 2507.10532. Numbers are 0 to 100, fractions of two of them, squares and
    cubes. Each episode draws a new expression, so that none can be known by heart. The truth is exact, and an answer
    may be a whole number, a fraction or a decimal.

    The reward is `closeness`, in [0, 1], and 1 if the answer is exact. ``commands`` are up to eight numbers in an order
    that tells nothing, one of them right.

    Args:
        steps: The number of operations, 1 to 500.
        tolerance: An answer a to the truth b is success if ``|a - b| <= tolerance * max(1, |b|)``.
        info_keys: See `TextGame`.
        render_mode: "ansi", or None.

    Raises:
        ValueError: If ``steps`` is not in 1..500 or ``tolerance`` is negative.
    """

    kept = ("_expression",)
    event_names = ("answered_with_a_number",)
    distance_scale = 1.0
    chance: ClassVar[bool | None] = False  # type: ignore[misc]

    def __init__(
        self, steps: int = 5, *, tolerance: float = 1e-6, info_keys: Wanted = None, render_mode: str | None = None
    ) -> None:
        self._size = check_steps(steps)
        if not tolerance >= 0:
            raise ValueError(f"tolerance must be at least 0, got {tolerance!r}")
        self._tolerance = Fraction(tolerance)
        self._expression: Expression = ("0",)
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
            max_episode_steps=1,
            length=length,
            command_length=command_length,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    @property
    def truth(self) -> Fraction:
        """The value of the expression."""
        return value(self._expression)

    @property
    def expression(self) -> Expression:
        """What is to be calculated."""
        return self._expression

    @property
    def optimal_return(self) -> float | None:
        """1, for the exact answer."""
        return 1.0

    @property
    def commands(self) -> Sequence[str]:
        """Numbers, one of them right. There are none after the answer."""
        return [written(number) for number in alternatives(self._expression, 3)] if self._running else ()

    def goal_text(self) -> str:
        """What is to be done."""
        return "Give the exact value of the expression: a whole number, a fraction or a decimal."

    def _begin(self) -> str:
        self._expression = draw(self.np_random, self._size)
        return f"Calculate: {shown(self._expression)}"

    def _act(self, command: str) -> Turn:
        answer, truth = read_number(command), self.truth
        if answer is None:
            return Turn("That is no number.", lost=True)
        success = abs(answer - truth) <= self._tolerance * max(Fraction(1), abs(truth))
        events = frozenset(self.event_names)
        return Turn(
            "Right." if success else "Wrong.", closeness(answer, truth), success, lost=not success, events=events
        )

    def _caption(self) -> str:
        return f"{shown(self._expression)} is to be calculated. {self._text if self._steps else ''}".strip()

    def _hash(self) -> int:
        return text_hash(*self._expression, self._turn.text if self._steps else "")

    def _distance(self) -> int:
        if self._turn.success:
            return 0
        return -1 if self._turn.lost else 1

    def _facts(self) -> str:
        return f"operations: {self._size}\nvalue: {written(self.truth)}"

    def _plan(self) -> str:
        return written(self.truth) if self._running else ""
