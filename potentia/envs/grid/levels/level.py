"""What a level is: a family of levels, which says how they are drawn and judged, and its own size."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from potentia.envs.grid.cells import LOOKS

COLORS = ("red", "green", "blue", "purple", "yellow", "grey")
_KINDS = {4: "door", 5: "key", 6: "ball", 7: "box"}

NO_AIM, AT_GOAL, TAKE_IT, OPEN_IT, STAND_THERE, FETCH_ONE, BESIDE_IT, RED_THEN_BLUE, SEARCHED = range(9)
"""How success is reached, for the distance to it.

With ``NO_AIM`` the distance is not known. With ``SEARCHED`` it is found by a search over the states, which knows
nothing of the level but its rules: see `potentia.envs.grid.state_search`.
"""


Mission = str | Callable[[Sequence[int]], str]
"""What MiniGrid tells the agent, or a function that tells it from a row of the state's ``task``."""


@dataclass(frozen=True)
class Family:
    """What levels of one family share, whatever their size.

    Its functions are parts of compiled loops (`potentia.compiling.part`), of one world n of many.

    Attributes:
        name: Its name.
        draw: ``draw(world, n, plan, parameters)`` draws a new level into world n.
        events: Which of `potentia.envs.grid.description.EVENTS` are told.
        aim: How success is reached.
        prepare: ``prepare(world, n, plan, action)`` is what happens before the agent acts, and returns the action that
            it then takes. None stands for nothing.
        judge: ``judge(world, n, plan, action, carried, outcome)`` returns what an action comes to, from the outcome by
            the rules that all levels share and from what was carried before. None stands for those rules alone.
        moves: Whether things move of themselves, so that the hash is of the cells alone, not of the task.
    """

    name: str
    draw: Callable[..., None]
    events: tuple[str, ...]
    aim: int = AT_GOAL
    prepare: Callable[..., int] | None = None
    judge: Callable[..., int] | None = None
    moves: bool = False


@dataclass(frozen=True)
class Level:
    """A level in one size.

    Attributes:
        family: How it is drawn and judged.
        width: Columns, with the walls around.
        height: Rows, with the walls around.
        max_steps: The time limit, which also scales the reward.
        mission: What the agent is told.
        parameters: What the family's drawing function takes as ``parameters``, a named tuple.
        see_through: Whether walls hide nothing.
        task_width: The width of the state's ``task``.
        scratch_width: The width of its ``scratch``.
        actions: How many of the seven actions there are.
    """

    family: Family
    width: int
    height: int
    max_steps: int
    mission: Mission
    parameters: tuple[Any, ...] = ()
    see_through: bool = False
    task_width: int = 4
    scratch_width: int = 8
    actions: int = 7

    def tell_mission(self, task: Any) -> str:
        """What the agent is told in a world with this row of ``task``."""
        return self.mission if isinstance(self.mission, str) else self.mission(task.tolist())


def color_of(code: int) -> str:
    """The colour of a cell's code, in a word."""
    return COLORS[LOOKS[int(code)][1]]


def thing_of(code: int) -> str:
    """The thing of a cell's code, in two words, such as "red key"."""
    return f"{color_of(code)} {_KINDS[LOOKS[int(code)][0]]}"


def at_least(least: int, **sizes: int) -> None:
    """Checks the sizes of a level.

    Raises:
        ValueError: If one is too small.
    """
    for name, size in sizes.items():
        if size < least:
            raise ValueError(f"{name} must be at least {least} in this level, got {size}")


def odd(**sizes: int) -> None:
    """Checks the sizes of a level.

    Raises:
        ValueError: If one is even.
    """
    for name, size in sizes.items():
        if size % 2 == 0:
            raise ValueError(f"{name} must be odd in this level, got {size}")


def pick_it_up(task: Sequence[int]) -> str:
    """The mission of taking the task's thing."""
    return f"pick up the {thing_of(task[0])}"
