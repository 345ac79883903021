"""One table of shapers, all laws."""

from __future__ import annotations

import pytest

import potentia.shaping
from potentia.shaping import PotentialShaping, Shaper
from potentia.testing import check_shaper
from tests.shaping.law_table import SHAPERS, SPACES, info_of


@pytest.mark.parametrize("shaper", SHAPERS)
def test_a_shaper_keeps_every_law(shaper: str) -> None:
    check_shaper(SHAPERS[shaper], observation_space=SPACES.get(shaper), info=info_of(SHAPERS[shaper]))


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


def test_check_shaper_says_what_it_wants() -> None:
    with pytest.raises(TypeError, match="makes a fresh Shaper"):
        check_shaper(lambda: 3)  # type: ignore[arg-type, return-value]
    with pytest.raises(AssertionError, match=r"experience: .*pass the observation_space"):
        check_shaper(lambda: PotentialShaping(lambda obs: obs["position"]))
