"""What a control world is: a small description, and rules that are compiled functions of one row of real numbers."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import numpy as np

from potentia.compiling import part

__all__ = ["FAILURE", "PLAYING", "REACHED", "SUCCESS", "Area", "Rules", "area_of", "world"]

PLAYING, SUCCESS, FAILURE, REACHED = range(4)
"""What a step comes to: the episode goes on; it ends in success or in failure; or, told only in the last step before
the time limit, the task is done then, which the limit and not the step ends."""

Part = Callable[..., Any]
F = TypeVar("F", bound=Callable[..., "Rules"])


@dataclass(frozen=True)
class Area:
    """A disc that pays, in the space of descriptors.

    Attributes:
        name: Its name, which is that of the event of entering it, too.
        centre: ``(d,)``.
        radius: Points at most so far from the centre are inside.
    """

    name: str
    centre: tuple[float, ...]
    radius: float


@dataclass(frozen=True)
class Rules:
    """A world of real numbers.

    The functions are parts (see `potentia.compiling`). They are given one world's rows and write to no others:
    ``state`` ``(S,)`` float64, ``action`` ``(A,)`` float64 within the bounds, ``draws`` for
    `potentia.envs.control.draws`, ``out`` rows to be written.

    Attributes:
        name: As in the id.
        goal: What is to be done, in words.
        state: The names of the S numbers that are the state. A caption tells those that don't begin with "_".
        begin: ``begin(state, draws)`` writes the state in which an episode begins.
        step: ``step(state, action, left, draws)`` changes the state and returns the reward and what the step comes to,
            ``PLAYING``, ``SUCCESS``, ``FAILURE`` or ``REACHED``. ``left`` is the number of steps that the world's own
            limit leaves after this one: 0 in the last.
        observe: ``observe(state, out)`` writes the observation ``(O,)``, float32.
        observed: The names of its numbers.
        observation_low: The least value of each.
        observation_high: The largest.
        actions: The names of the A numbers of an action, or of the choices if it is one of several.
        action_low: The least value of each number. Larger and smaller ones are clipped.
        action_high: The largest.
        discrete: Whether an action is one of several choices. Then ``action`` is ``(1,)``, the number of the choice.
        limit: The number of steps after which an episode is truncated.
        descriptor: ``descriptor(state, out)`` writes what an episode that ends here is described by, ``(d,)`` float64.
        described: The names of its numbers.
        descriptor_low: Lower bounds of what archives and coverage look at.
        descriptor_high: Upper bounds.
        areas: The discs that pay. A state is in one if its descriptor is.
        potential: ``potential(state)`` is the oracle's, in [-1, 0] and 0 at success. None where none is known.
        progress: ``progress(state)`` is how much of the task is done, in [0, 1]. None where that is not known.
        paint: ``paint(state, image)`` draws the state into ``(height, width, 3)`` uint8, with
            `potentia.envs.control.drawing`. None where there is no picture.
        chance: Whether random numbers decide anything after an episode has begun.
        random_return: The expected return of random actions, where it is known.
        optimal_return: The largest expected return, where it is known.
        made: The name and the options by which `world` finds it again.
    """

    name: str
    goal: str
    state: tuple[str, ...]
    begin: Part
    step: Part
    observe: Part
    observed: tuple[str, ...]
    observation_low: tuple[float, ...]
    observation_high: tuple[float, ...]
    actions: tuple[str, ...]
    limit: int
    descriptor: Part
    described: tuple[str, ...]
    descriptor_low: tuple[float, ...]
    descriptor_high: tuple[float, ...]
    action_low: tuple[float, ...] = ()
    action_high: tuple[float, ...] = ()
    discrete: bool = False
    areas: tuple[Area, ...] = ()
    potential: Part | None = None
    progress: Part | None = None
    paint: Part | None = None
    chance: bool = False
    random_return: float | None = None
    optimal_return: float | None = None
    made: tuple[str, tuple[tuple[str, Any], ...]] | None = field(default=None, compare=False)

    def __post_init__(self) -> None:
        """Fills in the usual bounds of actions, and refuses what doesn't fit together."""
        if not self.discrete and not self.action_low:
            object.__setattr__(self, "action_low", (-1.0,) * len(self.actions))
            object.__setattr__(self, "action_high", (1.0,) * len(self.actions))
        for names, bounds in (
            ("observed", ("observation_low", "observation_high")),
            ("described", ("descriptor_low", "descriptor_high")),
            ("actions", () if self.discrete else ("action_low", "action_high")),
        ):
            wanted = len(getattr(self, names))
            for bound in bounds:
                if len(getattr(self, bound)) != wanted:
                    raise ValueError(
                        f"{bound} of {self.name} must have a number for each of {names} ({wanted}), "
                        f"got {getattr(self, bound)}"
                    )
        if wrong := [area for area in self.areas if len(area.centre) != len(self.described)]:
            raise ValueError(f"areas of {self.name} must have centres of {len(self.described)} numbers, got {wrong}")

    def __reduce_ex__(self, protocol: Any) -> Any:
        """Rules that `world` found are copied and pickled as what finds them: parts can't be."""
        return super().__reduce_ex__(protocol) if self.made is None else (_found, self.made)

    @property
    def title(self) -> str:
        """The name, and the options that are not the usual ones."""
        options = () if self.made is None else self.made[1]
        return " ".join((self.name, *(f"{key}={value}" for key, value in options)))

    @property
    def action_size(self) -> int:
        """A: how many numbers an action's row has."""
        return 1 if self.discrete else len(self.actions)


def world(name: str) -> Callable[[F], F]:
    """Makes a function from options to `Rules` one that remembers what it made, so that each is compiled once."""

    def remembering(make: F) -> F:
        @functools.lru_cache(maxsize=64)
        def made(*options: tuple[str, Any]) -> Rules:
            return replace(make(**dict(options)), made=(name, options))

        @functools.wraps(make)
        def find(**options: Any) -> Rules:
            return made(*sorted((key, _frozen(value)) for key, value in options.items()))

        return find  # type: ignore[return-value]

    return remembering


def _found(name: str, options: tuple[tuple[str, Any], ...]) -> Rules:
    from potentia.envs.control.catalogue import find_rules  # noqa: PLC0415 - it imports the worlds, which import this

    return find_rules(name, **dict(options))


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list | tuple) else value


@functools.lru_cache(maxsize=64)
def area_of(areas: tuple[Area, ...]) -> Part:
    """A part ``area(point)``: the number of the first area that a point ``(d,)`` is in, -1 if it is in none."""
    count = len(areas)
    centres = np.array([area.centre for area in areas], np.float64) if areas else np.zeros((1, 1))
    squares = np.array([area.radius**2 for area in areas], np.float64) if areas else np.zeros(1)
    size = centres.shape[1]

    @part
    def area(point):  # type: ignore[no-untyped-def]
        for k in range(count):
            square = 0.0
            for i in range(size):
                square += (point[i] - centres[k, i]) ** 2
            if square <= squares[k]:
                return k
        return -1

    return area
