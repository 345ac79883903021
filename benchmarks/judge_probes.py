"""The table of probes in docs/judges.md: the truth, words, sentence vectors, and a language model of random weights.

python benchmarks/judge_probes.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from potentia.study.judging import probe_table
from tests.judges.tiny_model import make_model


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        model = make_model(Path(folder) / "random GPT-2")
        words = '{type: Rules, name: word overlap, rule: {type: function, name: "potentia.judges.probes:word_overlap"}}'
        print(probe_table(["Rules", words, "Embeddings", f"{{type: LocalModel, path: {model}}}"], episodes=2))


if __name__ == "__main__":
    main()
