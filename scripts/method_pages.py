"""Writes a page for each public shaper, from its docstring and its contract: ``python scripts/method_pages.py FOLDER``.

A page has the formula, the guarantee, the text and its sources, the arguments, what it raises, the example, the
contract, and the rows of the table of laws that hold the shaper to it. ``index.md`` lists the pages by wing.
"""

from __future__ import annotations

import inspect
import re
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from shaper_table import ROOT, SHAPERS, WINGS, guarantee, prose, public_shapers, sources

from potentia.shaping import Contract, Shaper

ABOUT = {
    "potentials": "Differences of a potential",
    "exploration": "Bonuses from the agent's own experience",
    "invariant": "Bonuses made safe",
    "judged": "Credit from whoever answers questions",
    "imitation": "Credit from shown behaviour",
    "designed": "Rewards that are computed or learned to teach",
    "credit": "One outcome spread over its steps",
    "transforms": "Functions of the reward so far",
    "discounts": "Who sets the discount",
    "compose": "Composition",
}


def wing_of(shaper: type[Shaper]) -> str:
    """The folder of its file, or ``compose``."""
    name = shaper.__module__.split(".")[2]
    return name if name in WINGS else "compose"


def section(shaper: type[Shaper], name: str) -> str:
    """A section of its docstring, such as "Args", without its heading. It is "" where there is none."""
    found = re.search(rf"^{name}:\n((?:[ ]{{4}}.*\n|\n)*)", (inspect.getdoc(shaper) or "") + "\n", re.M)
    return textwrap.dedent(found[1]).strip() if found else ""


def entries(text: str) -> Iterator[tuple[str, str]]:
    """The names of a section and what is said of each."""
    for entry in re.split(r"\n(?=\S)", text):
        name, _, about = entry.partition(":")
        if about:
            yield name.strip(), " ".join(about.split())


def example(shaper: type[Shaper]) -> str:
    """The example of its docstring."""
    lines = (inspect.getdoc(shaper) or "").splitlines()
    begin = next((number for number, line in enumerate(lines) if line.startswith(">>>")), len(lines))
    return "\n".join(lines[begin:]).strip()


def contract_rows(contract: Contract) -> Iterator[tuple[str, str]]:
    """What a contract says, in words."""
    yield "reads", ", ".join(f"`{name}`" for name in sorted(contract.reads)) or "nothing"
    yield "remembers", {"step": "nothing", "episode": "within an episode", "lifelong": "for ever"}[contract.scope]
    needs = {
        "whole episodes": contract.needs_episodes,
        "the policy, to learn": contract.needs_policy,
        "the learner's values": contract.needs_values,
    }
    yield "needs", ", ".join(what for what, needed in needs.items() if needed) or "nothing else"
    does = {"sets the discount": contract.sets_discount, "rescales the reward so far": contract.rescales}
    if any(does.values()):
        yield "also", ", ".join(what for what, done in does.items() if done)
    rule = {"data": "right by itself, whatever the learner does there"}
    yield "at a time limit", rule.get(contract.truncation, f"right for learners that {contract.truncation}")


def page(shaper: type[Shaper]) -> str:
    """The page of a shaper in Markdown."""
    rows = [name for name, make in SHAPERS.items() if type(make()) is shaper]
    formula, _, text = prose(shaper).strip().partition("\n\n")
    path = Path(inspect.getfile(shaper)).relative_to(ROOT)
    lines = [f"# {shaper.__name__}", "", " ".join(formula.split()), "", f"**Guarantee:** {guarantee(shaper)}."]
    if cited := sources(shaper, most=9):
        lines += ["", f"**Source:** {cited}."]
    lines += ["", text.strip(), ""]
    for heading, name in (("Arguments", "Args"), ("Errors", "Raises")):
        if found := list(entries(section(shaper, name))):
            lines += [f"## {heading}", "", *(f"- `{name}`: {about}" for name, about in found), ""]
    if code := example(shaper):
        lines += ["## Example", "", "```python", code, "```", ""]
    lines += ["## Contract", "", "| | |", "|---|---|"]
    lines += [f"| {name} | {value} |" for name, value in contract_rows(SHAPERS[rows[0]]().contract)]
    lines += ["", "## Laws", "", "Held to every law that its contract adds, in these forms:", ""]
    lines += [f"- {name}" for name in rows]
    return "\n".join([*lines, "", f"Its code is `{path}`.", ""])


def index(shapers: list[type[Shaper]]) -> str:
    """The list of the pages."""
    lines = ["# Methods", ""]
    for wing in dict.fromkeys(map(wing_of, shapers)):
        lines += [f"## {ABOUT[wing]}", ""]
        for shaper in shapers:
            if wing_of(shaper) == wing:
                formula = " ".join(prose(shaper).partition("\n\n")[0].split())
                lines.append(f"- [{shaper.__name__}]({shaper.__name__}.md): {formula}")
        lines.append("")
    return "\n".join(lines)


def main(folder: str) -> None:
    """Writes all pages into a folder. Pages that are there are replaced."""
    to, shapers = Path(folder), public_shapers()
    to.mkdir(parents=True, exist_ok=True)
    for shaper in shapers:
        (to / f"{shaper.__name__}.md").write_text(page(shaper), "utf-8")
    (to / "index.md").write_text(index(shapers), "utf-8")
    print(f"{len(shapers)} pages in {to}")


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    main(sys.argv[1])
