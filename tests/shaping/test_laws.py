"""One table of shapers, all laws."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import potentia.shaping
from potentia.shaping import PotentialShaping, Shaper
from potentia.testing import check_shaper
from potentia.testing.shapers import draw_experience, laws_of
from tests.shaping.law_table import INFO, SHAPERS

_NAMES = {
    name: [law.__name__ for law, _ in laws_of(make, draw_experience(make, info=INFO), 0)]
    for name, make in SHAPERS.items()
}


@pytest.mark.parametrize(
    ("shaper", "law"), [(shaper, law) for shaper, laws in _NAMES.items() for law in dict.fromkeys(laws)]
)
@settings(max_examples=4, deadline=None, derandomize=True)
@given(seed=st.integers(0, 2**31))
def test_law(shaper: str, law: str, seed: int) -> None:
    make = SHAPERS[shaper]
    for bound, case in laws_of(make, draw_experience(make, info=INFO), seed):
        if bound.__name__ == law:
            bound(case)


def test_every_exported_shaper_has_a_row() -> None:
    exported = {
        name
        for name in potentia.shaping.__all__
        if isinstance(cls := getattr(potentia.shaping, name), type) and issubclass(cls, Shaper) and cls is not Shaper
    }

    def used(shaper: Shaper) -> set[str]:
        inner = [*getattr(shaper, "shapers", ()), *([shaper.shaper] if hasattr(shaper, "shaper") else [])]
        return {type(shaper).__name__}.union(*map(used, inner))

    assert exported == set().union(*(used(make()) for make in SHAPERS.values()))


@pytest.mark.parametrize("make", [SHAPERS["PotentialShaping of a table"], SHAPERS["Chain of one of each kind"]])
def test_check_shaper_tries_all_of_them_at_once(make: Callable[[], Shaper]) -> None:
    check_shaper(make, seeds=1)


def test_check_shaper_says_what_it_wants() -> None:
    with pytest.raises(TypeError, match="makes a fresh Shaper"):
        check_shaper(lambda: 3)  # type: ignore[arg-type, return-value]
    with pytest.raises(AssertionError, match=r"experience: .*pass the observation_space"):
        check_shaper(lambda: PotentialShaping(lambda obs: obs["position"]))
