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
from potentia.testing.case import Case, learn
from potentia.testing.compare import check_equal, terms
from potentia.testing.driver_law import drivers
from potentia.testing.experience import NUM_ACTIONS, Experience, Info
from potentia.testing.guarantees import GUARANTEES
from potentia.testing.home_laws import backends, left_as_it_was, processes, surroundings
from potentia.testing.laws import chunks, columns, empty, episodes, mask, shape_never_learns
from potentia.testing.learning_laws import learning, metrics, references
from potentia.testing.saving_law import save_load
from potentia.testing.scope_laws import reads, scope

Law = Callable[[Case], None]

LAWS: tuple[Law, ...] = (
    metrics, scope, shape_never_learns, save_load, reads, chunks, columns, mask, episodes, empty, learning, backends,
    references, surroundings, drivers,
)  # fmt: skip
"""Those that bind every shaper, in the order in which they are tried. `processes` comes last and once."""

_SPACES: tuple[spaces.Space[Any], ...] = (
    spaces.Box(-1.0, 1.0, (4,), np.float64),
    spaces.Discrete(6),
    spaces.Discrete(2),
)


def check_shaper(
    make_shaper: Callable[[], Shaper],
    *,
    observation_space: spaces.Space[Any] | None = None,
    action_space: spaces.Space[Any] | None = None,
    info: Info | None = None,
    seeds: int = 3,
    second_process: bool = True,
) -> None:
    """Tries every law on random experience, and those that the shaper's contract adds.

    The laws of all: *metrics* (update returns numbers), *scope* (only terms and discount change),
    *shape_never_learns*, *save_load* (bit by bit), *reads* (only columns that the contract lists matter), *chunks*
    (parts = whole), *columns* (environments are independent), *mask* (masked steps earn 0 and change nothing),
    *episodes* (the carry is forgotten at an end), *empty* (nothing in, nothing changes), *learning* (no matter in which
    order), *backends* (numpy = torch = CUDA), *references* (no memory of others is kept), *surroundings* (seeds and
    modes of the process), *drivers* (Env = VectorEnv in all autoreset modes), *processes* (texts with other hashes).
    With ``policy_invariant``: *telescoping*, *settling*, *telescoping_while_learning*, *advantages*, *optimal_policy*.
    With ``return_preserving``: *returns*. With ``vanishing``: *vanishing*.

    The last of the seeds is *late*: its episodes are long, and the shaper has learned 48 times before.

    Args:
        make_shaper: Makes a fresh shaper, the same at each call.
        observation_space: What observations it takes. By default vectors of four numbers are tried, then integers.
        action_space: What actions it takes: three are drawn. By default they are the integers 0, 1 and 2.
        info: For info columns that it reads, functions from the indices of six states (integers, any shape) to values.
            Others are invented as what their names mean (`potentia.testing.invented.invented`).
        seeds: How many times each law is tried.
        second_process: Whether a second Python is started, once, for the law *processes*. It takes about two seconds.

    Raises:
        AssertionError: ``"<law>: <shaper>: <what is wrong>"``. The law is called ``experience`` if nothing was tried: a
            term is 0 in every trial.
        TypeError: If ``make_shaper`` does not make a `Shaper`.
        ValueError: If ``info`` has a column that the shaper does not read.

    >>> from potentia.shaping import PotentialShaping
    >>> check_shaper(lambda: PotentialShaping(lambda obs: obs.sum(-1)), second_process=False)
    """
    shaper = make_shaper()
    if not isinstance(shaper, Shaper):
        raise TypeError(f"check_shaper takes a function that makes a fresh Shaper, got one that makes {shaper!r}")
    with left_as_it_was(), _one_thread():
        experience = draw_experience(make_shaper, observation_space, info, action_space)
        for seed in range(seeds):
            for law, case in laws_of(make_shaper, experience, seed, late=seed == seeds - 1):
                _try(law, case)
        if second_process:
            _try(processes, Case(make_shaper, experience, seeds))


def laws_of(
    make: Callable[[], Shaper], experience: Experience, seed: int, *, late: bool = False
) -> Iterator[tuple[Law, Case]]:
    """Every law that binds a shaper, each with the case to try it on. A chain's members have laws of their own."""
    whole = Case(make, experience, seed, late)
    for law in LAWS:
        yield law, whole
    for member in _makers(make):
        case = whole if member is make else Case(member, experience, seed, late)
        for law in GUARANTEES[member().contract.guarantee]:
            yield law, case


@contextmanager
def _one_thread() -> Iterator[None]:
    """Networks this small are many times slower on several threads that others want too."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def _try(law: Law, case: Case) -> None:
    try:
        law(case)
    except Exception as error:
        problem = str(error) if isinstance(error, AssertionError) else f"raised {type(error).__name__}: {error}"
        raise AssertionError(f"{law.__name__}: {case.make().name}: {problem.strip()}") from error


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
    make: Callable[[], Shaper],
    space: spaces.Space[Any] | None = None,
    info: Info | None = None,
    action_space: spaces.Space[Any] | None = None,
) -> Experience:
    """Experience of a kind that the shaper takes, on which each of its terms is something.

    Raises:
        AssertionError: If it takes none of those tried, does the same at each trial, or isn't the same when made again.
        ValueError: If ``info`` has a column that the shaper does not read.
    """
    shaper, known, actions = make(), dict(info or {}), action_space or spaces.Discrete(NUM_ACTIONS)
    contract, read = shaper.contract, shaper.contract.info_keys
    if known.keys() - read:
        raise ValueError(
            f"info has {sorted(known.keys() - read)}, which {shaper.name} does not read; its contract lists "
            f"{sorted(read) or 'no info columns'} (a column describes both obs and, as next_<column>, next_obs)"
        )
    first: Exception | None = None
    for candidate in (space,) if space is not None else _SPACES:
        experience = Experience(candidate, actions, contract.info_columns, known, contract.truncation)
        try:
            _check_repeatable(make, experience)
        except (TypeError, ValueError, IndexError, KeyError, RuntimeError) as error:
            first = first or error
        else:
            _check_something_tried(make, experience)
            return experience
    tried = ", ".join(map(str, _SPACES)) if space is None else str(space)
    raise AssertionError(
        f"experience: {make().name}: it takes no observations of {tried} ({type(first).__name__}: {first}); "
        "pass the observation_space it is made for"
    ) from first


def _check_repeatable(make: Callable[[], Shaper], experience: Experience) -> None:
    one, other = (terms(make(), experience.rollout(np.random.default_rng(0))) for _ in range(2))
    check_equal(one, other, f"experience: {make().name}: make_shaper makes another shaper at each call: seed its draws")


def _check_something_tried(make: Callable[[], Shaper], experience: Experience) -> None:
    """A term that is 0, or a discount that is what it was, in every trial has been tried by nothing."""
    shaper, rng = make(), np.random.default_rng(1)
    idle = set(shaper.term_names) | ({"discount"} if shaper.contract.sets_discount else set())
    for _ in range(8):
        rollout = experience.rollout(rng)
        found = terms(shaper, rollout)
        before = dict.fromkeys(idle, 0.0 * rollout.discount) | {"discount": rollout.discount}
        idle = {name for name in idle if name in found and np.array_equal(found[name], before[name])}
        if not idle:
            return
        learn(shaper, rollout)
    invented = sorted(experience.columns - {f"{prefix}{key}" for key in experience.known for prefix in ("", "next_")})
    raise AssertionError(
        f"experience: {shaper.name}: {', '.join(map(repr, sorted(idle)))} is the same as without it in every trial, so "
        "nothing was tried; pass an observation_space"
        + (f", or info=... for the columns {invented}," if invented else "")
        + " with values for which it is something"
    )
