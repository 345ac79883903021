"""Counts the sentences of docstrings, and which of them chain clauses by a semicolon or send the reader elsewhere.

``python scripts/prose.py [PATH ...] [--show]``; without paths, the whole package, folder by folder.
"""

from __future__ import annotations

import argparse
import ast
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parent.parent
ELSEWHERE = re.compile(r"\b[Ss]ee (there|above|below)\b")


def docstrings(path: Path) -> Iterator[tuple[int, str]]:
    """The line and the text of each docstring of a file, those of attributes and constants too."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        for statement in getattr(node, "body", []) if not isinstance(node, ast.Lambda | ast.IfExp) else []:
            if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant):
                text = statement.value.value
                if isinstance(text, str):
                    yield statement.lineno, text


def sentences(text: str) -> list[str]:
    """The sentences of a docstring, without its doctests, with code and quotations as one word each."""
    kept, blocks, in_doctest = [], [], False
    for line in text.splitlines():
        in_doctest = bool(line.strip()) and (in_doctest or line.strip().startswith(">>>"))
        if not in_doctest:
            kept.append(line)
    prose = re.sub(r"``.+?``|`.+?`|\"[^\"\n]*\"", "CODE", "\n".join(kept), flags=re.S)
    for line in prose.splitlines():
        entry = re.match(r"\s*(\*{0,2}\w+|CODE): ", line)
        if not line.strip() or entry:
            blocks.append("")
        blocks[-1:] = [(blocks or [""])[-1] + " " + (line[entry.end() :] if entry else line)]
    return [
        " ".join(one.split()) for block in blocks for one in re.split(r"(?<=[.?!])\s+(?=[A-Z(*])", block) if one.strip()
    ]


def main() -> None:
    """Prints a line for each folder, or each sentence that is counted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("paths", nargs="*", type=Path, default=[ROOT / "potentia"])
    parser.add_argument("--show", action="store_true", help="show each sentence that is counted")
    options = parser.parse_args()
    total, chained, elsewhere = Counter[str](), Counter[str](), Counter[str]()
    for top in options.paths:
        for path in sorted(top.rglob("*.py")) if top.is_dir() else [top]:
            parts = path.resolve().relative_to(ROOT).parts
            folder = "/".join(parts[:-1][:3]) if len(parts) > 2 else "/".join(parts)
            for line, text in docstrings(path):
                for sentence in sentences(text):
                    total[folder] += 1
                    wrong = ";" in sentence, bool(ELSEWHERE.search(sentence))
                    chained[folder] += wrong[0]
                    elsewhere[folder] += wrong[1]
                    if options.show and any(wrong):
                        print(f"{path}:{line}: {sentence}")
    for folder in [*total, "all"]:
        count, semis, sent = (
            sum(counter.values()) if folder == "all" else counter[folder] for counter in (total, chained, elsewhere)
        )
        print(f"{folder:32} {count:5} sentences {semis:4} with ';' ({semis / max(count, 1):5.1%}) {sent:3} 'see there'")


if __name__ == "__main__":
    main()
