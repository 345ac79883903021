"""The page of the laws counts the mutants as they are."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from potentia.testing.guarantees import GUARANTEES
from potentia.testing.shapers import LAWS
from tests.testing import test_guarantee_mutants as guarantees
from tests.testing import test_home_mutants as homes
from tests.testing import test_imitation_mutants as imitation
from tests.testing import test_learning_mutants as learning
from tests.testing import test_shaping_mutants as shaping

PAGE = Path(__file__).parents[2] / "docs" / "laws.md"


def test_every_law_is_on_the_page_with_the_number_of_its_mutants() -> None:
    caught = Counter(law for module in (shaping, learning, homes, guarantees, imitation) for _, law in module.BROKEN)
    caught += Counter(drivers=len(homes.BROKEN_DRIVERS) + 1, processes=len(homes.ELSEWHERE))
    cells = [[cell.strip() for cell in line.split("|")[1:-1]] for line in PAGE.read_text("utf-8").splitlines()]
    rows = {name: row for row in cells for name in row[:2] if re.fullmatch(r"`[a-z_]+`", name) and len(row) > 3}
    laws = [law.__name__ for law in LAWS] + [law.__name__ for some in GUARANTEES.values() for law in some]
    for law in [*laws, "processes"]:
        assert rows[f"`{law}`"][-2] == (str(caught[law]) if caught[law] else ""), law
