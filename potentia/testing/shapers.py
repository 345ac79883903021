"""Holds a shaper to the laws and to its own contract."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from gymnasium import spaces

from potentia.shaping.compose import Chain
from potentia.shaping.shaper import Shaper
from potentia.testing.experience import Experience, Info
from potentia.testing.guarantees import GUARANTEES
from potentia.testing.laws import LAWS, Case

_SPACES: tuple[spaces.Space[Any], ...] = (
    spaces.Box(-1.0, 1.0, (4,), np.float64),
    spaces.Discrete(6),
    spaces.Discrete(2),
)


def check_shaper(
    make_shaper: Callable[[], Shaper],
    *,
    observation_space: spaces.Space[Any] | None = None,
    info: Info | None = None,
    seeds: int = 3,
) -> None:
    """Tries every law on random experience, and those that the shaper's contract adds.

    The laws of all: *scope* (only terms and discount change), *reads* (only columns that the contract lists matter),
    *chunks* (parts = whole), *columns* (environments are independent), *mask* (masked steps earn 0 and leak nothing),
    *episodes* (the carry is forgotten at an end), *backends* (numpy = torch = CUDA), *shape_never_learns*,
    *save_load* (bit by bit), *drivers* (Env = VectorEnv in all autoreset modes). With ``policy_invariant``:
    *telescoping*, *telescoping_while_learning*, *advantages*, *optimal_policy*. With ``return_preserving``:
    *returns*. With ``vanishing``: *vanishing*.

    Args:
        make_shaper: Makes a fresh shaper, the same at each call.
        observation_space: What observations it takes; by default vectors of four numbers are tried, then integers.
        info: For info columns that it reads, functions from state indices (integers, any shape) to values; others are
            invented: numbers in [-1, 0], integers where the name has "hash", sentences for "caption", "text" and
                "message".
        seeds: How many times each law is tried.

    Raises:
        AssertionError: ``"<law>: <shaper>: <what is wrong>"``.
        TypeError: If ``make_shaper`` does not make a `Shaper`.

    >>> from potentia.shaping import PotentialShaping
    >>> check_shaper(lambda: PotentialShaping(lambda obs: obs.sum(-1)))
    """
    shaper = make_shaper()
    if not isinstance(shaper, Shaper):
        raise TypeError(f"check_shaper takes a function that makes a fresh Shaper, got one that makes {shaper!r}")
    experience = draw_experience(make_shaper, observation_space, info)
    with _one_thread():
        for seed in range(seeds):
            for law, case in laws_of(make_shaper, experience, seed):
                _try(law, case)


def laws_of(
    make: Callable[[], Shaper], experience: Experience, seed: int
) -> Iterator[tuple[Callable[[Case], None], Case]]:
    """Every law that binds a shaper, each with the case to try it on; a chain's members have laws of their own."""
    for law in LAWS:
        yield law, Case(make, experience, seed)
    for member in _makers(make):
        for law in GUARANTEES[member().contract.guarantee]:
            yield law, Case(member, experience, seed)


@contextmanager
def _one_thread() -> Iterator[None]:
    """Networks this small are many times slower on several threads that others want too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _try(law: Callable[[Case], None], case: Case) -> None:
    try:
        law(case)
    except Exception as error:
        told = str(error) if isinstance(error, AssertionError) else f"raised {type(error).__name__}: {error}"
        raise AssertionError(f"{law.__name__}: {case.make().name}: {told.strip()}") from error


def _makers(make: Callable[[], Shaper]) -> list[Callable[[], Shaper]]:
    """The shaper itself, or the members of a chain whose guarantee is not of the chain as a whole."""
    shaper = make()
    if not isinstance(shaper, Chain) or shaper.contract.guarantee == "policy_invariant":
        return [make]
    nested: list[Callable[[], Shaper]] = []
    for index in range(len(shaper.shapers)):

        def member(index: int = index) -> Shaper:
            chain = make()
            assert isinstance(chain, Chain)
            return chain.shapers[index]

        nested += _makers(member)
    return nested


def draw_experience(
    make: Callable[[], Shaper], space: spaces.Space[Any] | None = None, info: Info | None = None
) -> Experience:
    """Experience of a kind that the shaper takes.

    Raises:
        AssertionError: If it takes none of those tried.
    """
    first: Exception | None = None
    for candidate in (space,) if space is not None else _SPACES:
        shaper = make()
        experience = Experience.draw(candidate, shaper.contract.info_columns, info or {})
        try:
            rollout = experience.rollout(np.random.default_rng(0))
            shaper.shape(rollout, shaper.init(rollout.num_envs))
        except (TypeError, ValueError, IndexError, KeyError, RuntimeError) as error:
            first = first or error
        else:
            return experience
    tried = ", ".join(map(str, _SPACES)) if space is None else str(space)
    raise AssertionError(
        f"experience: {make().name}: it takes no observations of {tried} ({type(first).__name__}: {first}); "
        "pass the observation_space it is made for"
    ) from first
