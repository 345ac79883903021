"""Writes the README's table of shapers from their docstrings and contracts; ``--check`` only says whether it is so.

A row is a public shaper: its name, the formula in the first line of its docstring, the guarantee in the contract of
its rows in the table of laws (``tests/shaping/law_table.py``), and the first two papers that its docstring cites.
"""

from __future__ import annotations

import argparse
import inspect
import re
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

import potentia.shaping  # noqa: E402 - the checkout goes first
from potentia.shaping import Chain, Scale, Shaper  # noqa: E402
from tests.shaping.law_table import SHAPERS  # noqa: E402

README = ROOT / "README.md"
BEGIN, END = "<!-- shapers: made by scripts/shaper_table.py -->\n", "<!-- /shapers -->\n"
CITATION = re.compile(
    r"(?P<names>[A-Z][\w\-]+(?:(?:,|\s+and|\s+&)\s+[A-Z][\w\-]+)*)(?P<more>\s+et\s+al\.)?\s+(?P<year>(?:19|20)\d\d)"
    r"(?:[^.;]*?arXiv\s+(?P<arxiv>\d{4}\.\d{4,5}))?"
)
WINGS = (
    "potentials",
    "exploration",
    "invariant",
    "judged",
    "imitation",
    "designed",
    "credit",
    "transforms",
    "discounts",
)
WORDS = {
    "policy_invariant": "policy-invariant",
    "return_preserving": "return-preserving",
    "vanishing": "vanishing",
    "unconstrained": "none",
}


def public_shapers() -> list[type[Shaper]]:
    """The concrete shapers that `potentia.shaping` exports: wing by wing, the oldest paper first."""
    found = [getattr(potentia.shaping, name) for name in potentia.shaping.__all__]
    shapers = [one for one in found if isinstance(one, type) and issubclass(one, Shaper) and one is not Shaper]

    def place(shaper: type[Shaper]) -> tuple[int, int, str]:
        wing, cited = shaper.__module__.split(".")[2], CITATION.search(prose(shaper))
        return [*WINGS, wing].index(wing), int(cited["year"]) if cited else 9999, shaper.__name__

    return sorted(shapers, key=place)


def guarantee(shaper: type[Shaper]) -> str:
    """What the contracts of a shaper's rows in the table of laws promise."""
    promised = {made.contract.guarantee for make in SHAPERS.values() if type(made := make()) is shaper}
    if not promised:
        raise SystemExit(f"{shaper.__name__} has no row in tests/shaping/law_table.py; add one")
    if issubclass(shaper, Chain | Scale):
        return "the weakest member's"
    return " or ".join(words for kind, words in WORDS.items() if kind in promised)


def prose(shaper: type[Shaper]) -> str:
    """The docstring of a shaper before its arguments."""
    return (inspect.getdoc(shaper) or "").partition("Args:")[0]


def sources(shaper: type[Shaper], most: int = 2) -> str:
    """The papers that a shaper's docstring cites, short, with links to arXiv."""
    found = []
    for cited in CITATION.finditer(prose(shaper)):
        names = re.split(r",\s+|\s+and\s+|\s+&\s+", cited["names"])
        several = cited["more"] or len(names) > 2
        short = f"{names[0]} et al." if several else " & ".join(names)
        text = f"{short} {cited['year']}"
        found.append(f"[{text}](https://arxiv.org/abs/{cited['arxiv']})" if cited["arxiv"] else text)
    return ", ".join(found[:most])


def table() -> str:
    """The table in Markdown."""
    lines = ["| shaper | what it adds | guarantee | source |", "|---|---|---|---|"]
    for shaper in public_shapers():
        summary = " ".join(prose(shaper).partition("\n\n")[0].split()).replace("``", "`").replace("|", "\\|")
        lines.append(f"| `{shaper.__name__}` | {summary} | {guarantee(shaper)} | {sources(shaper)} |")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Puts the table between its two marks in the README, or checks that it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing, and fail if the table is another")
    check = parser.parse_args().check
    text = README.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, closed, after = rest.partition(END)
    if not closed:
        raise SystemExit(f"{README.name} must hold the lines {BEGIN.strip()!r} and {END.strip()!r}")
    made = f"{before}{BEGIN}{table()}{END}{after}"
    if check and made != text:
        raise SystemExit(f"the table of shapers in {README.name} is not what their contracts say: run {sys.argv[0]}")
    if not check:
        README.write_text(made, "utf-8")


if __name__ == "__main__":
    main()
