"""What a task is: parameters drawn from a seed, a goal in words, edits that reach it, and a reference solution."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar, Literal

from potentia.envs.web.apps.application import App
from potentia.envs.web.apps.world import AppWorld

__all__ = ["Move", "Params", "Stage", "Template", "task_random"]

Difficulty = Literal["easy", "medium", "hard"]
Params = dict[str, Any]


@dataclass(frozen=True)
class Move:
    """What is done on one page: controls are set, then a link or button is pressed.

    Attributes:
        press: The name of the link or button.
        to: The address it leads to, such as ``"http://shop.test/cart"``. The last move of a
            stage has "".
        values: What controls must hold before, by their labels: a text for a text box or a choice, a bool for a
            check box.
    """

    press: str
    to: str = ""
    values: Mapping[str, str | bool] = field(default_factory=dict)


@dataclass(frozen=True)
class Stage:
    """One edit of the goal and the moves by which it is made.

    Attributes:
        moves: The first presses a link that stands on every page of the application. The last makes the edit.
        edit: Makes the same edit in the databases of a world.
    """

    moves: Sequence[Move]
    edit: Callable[[AppWorld], object]


class Template:
    """A parametrised task in AndroidWorld's manner (Rawles et al. 2024, arXiv 2405.14573).

    The goal is reached when every row of every table is as if the edits of all stages had been made to the initial
    state: rows wanted are there and all others are unchanged. A question is answered when the answer is right and
    no row was changed.

    Attributes:
        name: The id is ``potentia/Web-<name>-v0``.
        apps: The applications in play. An episode begins on the first one's front page.
        difficulty: "easy", "medium" or "hard".
        complexity: The step budget is ten times as much (AndroidWorld's rule). The reference solution takes at most
            half of it.
        phrasings: Ways to say the goal, at least three, with the parameters in braces. What must be typed or answered
            literally stands in double quotes.
        tags: Words for the registry: "edit", "create", "delete", "search", "question", "composite" ...
    """

    name: ClassVar[str]
    apps: ClassVar[tuple[type[App], ...]]
    difficulty: ClassVar[Difficulty]
    complexity: ClassVar[float]
    phrasings: ClassVar[tuple[str, ...]]
    tags: ClassVar[tuple[str, ...]]

    def draw(self, random: Random, world: AppWorld) -> Params:
        """Draws the parameters. It may insert the rows that the task is about into the world.

        Values that are to be found must be unique among the noise: draw again until they are.
        """
        raise NotImplementedError

    def stages(self, world: AppWorld, params: Params) -> list[Stage]:
        """The goal and its reference solution, given the initial state.

        A question has one stage, which ends before the answer. This stage has an edit that does nothing, and its last
        move leads (``to``) to where the answer stands.
        """
        raise NotImplementedError

    def mistake(self, world: AppWorld, params: Params) -> list[Stage]:
        """A solution that looks right and is wrong: another row, another value, one stage too many or too few."""
        raise NotImplementedError

    def answer(self, world: AppWorld, params: Params) -> str | None:
        """The right answer, if the task is a question."""
        del world, params
        return None

    def wrong_answer(self, world: AppWorld, params: Params) -> str | None:
        """A likely wrong answer, if the task is a question."""
        del world, params
        return None

    def fields(self, params: Params) -> tuple[str, ...]:
        """Candidate texts for those who can't write: by default, all parameters that are texts, in order."""
        return tuple(value for value in params.values() if isinstance(value, str))

    @property
    def budget(self) -> int:
        """The number of steps after which an episode is cut."""
        return round(10 * self.complexity)


def task_random(seed: int, name: str, index: int = 0) -> Random:
    """Random numbers for a task: ``Random(sha256("seed|name|index"))``, the same in every process and version."""
    digest = hashlib.sha256(f"{seed}|{name}|{index}".encode()).digest()
    return Random(int.from_bytes(digest[:8], "big"))
