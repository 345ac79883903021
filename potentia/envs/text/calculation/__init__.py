"""Random calculations with an exact answer: in one turn, and one reduction a turn."""

from __future__ import annotations

from potentia.envs.text.calculation.answers import closeness, read_number, written
from potentia.envs.text.calculation.expression import Expression, alternatives, draw, reduced, reductions, shown, value
from potentia.envs.text.calculation.game import Calculation
from potentia.envs.text.calculation.steps import CalculationSteps
from potentia.envs.text.forms import register_text_world

__all__ = [
    "Calculation",
    "CalculationSteps",
    "Expression",
    "alternatives",
    "closeness",
    "draw",
    "read_number",
    "reduced",
    "reductions",
    "register",
    "shown",
    "value",
    "written",
]


def register() -> None:
    """Registers ``potentia/Calculation-v0`` and ``potentia/CalculationSteps-v0``."""
    register_text_world("Calculation", "potentia.envs.text.calculation.game:Calculation")
    register_text_world("CalculationSteps", "potentia.envs.text.calculation.steps:CalculationSteps")
