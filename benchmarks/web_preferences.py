"""How well judges of single steps tell right from wrong on the application tasks, where the truth is known.

Run: python benchmarks/web_preferences.py [--episodes 2] [--per-episode 4] [--seed 0] [--out FOLDER]

In WebPRMBench's form (Zhang et al. 2026, arXiv 2601.21872): a goal, a page, one right action and four rejected ones,
drawn without a browser by `potentia.envs.web.tasks.preferences.draw_preferences`, which says what right means. With
--out, writes page.jsonl, shuffled.jsonl (the same with each page's rows in another order) and sources.jsonl (of each
line: template, truth, remaining, detours, checklist). Prints pairwise and best-of-5 accuracy with 95 % bootstrap
intervals over templates, since instances of one template are alike. A tie is no win. The judges:

- random, twice: independent comparisons (by chance 1/2 and 1/16), and a random number for each action (1/2 and 1/5);
- words: the share of an action's words, of its element and of what it types, that the goal has, too;
- checklist: the mean state of the checklist after the action, as Web-Shepherd scores steps (Chae et al. 2025,
  arXiv 2505.15277). It knows the true checklist and the true outcome: what a perfect reader of it could get;
- learned: Bradley-Terry on overlaps of words (`benchmarks/step_features.py`), fitted to one half of the templates and
  asked about the other, then the reverse, always fitted to pages in order; "and place" also sees where a row stands.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from random import Random

import numpy as np
import torch
from step_features import overlap, step_features

from potentia.envs.web.tasks import TEMPLATES
from potentia.envs.web.tasks.preferences import WebPreference, draw_preferences, shuffle_rows
from potentia.judges import Rules
from potentia.preferences.steps import (
    Margins,
    StepPreference,
    best_of_n_accuracy,
    compared_margins,
    pairwise_accuracy,
    scored_margins,
    write_preferences,
)

RESAMPLES = 2000


def interval(
    accuracy: Callable[[Sequence[Margins]], float], margins: Sequence[Margins], groups: Sequence[str], seed: int
) -> tuple[float, float, float]:
    """An accuracy and its 95 % percentile interval; whole groups are drawn again."""
    each = np.array([accuracy([margin]) for margin in margins])
    names = sorted(set(groups))
    rows = [np.flatnonzero(np.array(groups) == name) for name in names]
    sums, sizes = np.array([each[row].sum() for row in rows]), np.array([len(row) for row in rows])
    drawn = np.random.default_rng(seed).integers(len(names), size=(RESAMPLES, len(names)))
    low, high = np.percentile(sums[drawn].sum(1) / sizes[drawn].sum(1), [2.5, 97.5])
    return float(each.mean()), float(low), float(high)


def fitted(instances: Sequence[StepPreference], seed: int, *, place: bool) -> Callable[[str, str, str], float]:
    """A score by which right actions beat wrong ones, ``P(a > b) = sigmoid(score(a) - score(b))``."""
    torch.manual_seed(seed)
    table = [
        torch.tensor(np.array([step_features(item.goal, item.page, said, place=place) for said in item.candidates]))
        for item in instances
    ]
    better = torch.cat([rows[[item.right[0]] * len(item.wrong)] for rows, item in zip(table, instances, strict=True)])
    worse = torch.cat([rows[list(item.wrong)] for rows, item in zip(table, instances, strict=True)])
    model = torch.nn.Sequential(torch.nn.Linear(better.shape[1], 32), torch.nn.Tanh(), torch.nn.Linear(32, 1))
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2, weight_decay=0.1)
    for _ in range(200):
        loss = torch.nn.functional.softplus(model(worse) - model(better)).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    @torch.no_grad()
    def score(goal: str, page: str, action: str) -> float:
        return float(model(torch.tensor(step_features(goal, page, action, place=place))))

    return score


def learned_margins(
    train: Sequence[StepPreference], test: Sequence[StepPreference], groups: Sequence[str], seed: int, *, place: bool
) -> list[Margins]:
    """The margins on each half of the templates of a judge fitted to the other."""
    names = sorted(set(groups))
    Random(seed).shuffle(names)
    first = set(names[: len(names) // 2])
    found: dict[int, Margins] = {}
    for half in (True, False):
        told = [item for item, group in zip(train, groups, strict=True) if (group in first) == half]
        asked = [number for number, group in enumerate(groups) if (group in first) != half]
        score = fitted(told, seed, place=place)
        found.update(zip(asked, scored_margins([test[number] for number in asked], score), strict=True))
    return [found[number] for number in range(len(test))]


def judged(
    drawn: Sequence[WebPreference], train: Sequence[StepPreference], test: Sequence[StepPreference], seed: int
) -> Mapping[str, list[Margins]]:
    """The margins of each judge on ``test``: the instances drawn, in some layout."""
    rng = np.random.default_rng(seed)
    groups = [item.template for item in drawn]
    checklist = []
    for item in drawn:
        states, given = np.array(item.checklist), item.preference
        checklist.append(states[list(given.right), None] - states[None, list(given.wrong)])
    return {
        "random comparisons": compared_margins(test, Rules(lambda _: (rng.choice([-1, 1]),)), rng),
        "random scores": scored_margins(test, lambda *_: float(rng.random())),
        "words": scored_margins(test, overlap),
        "checklist": checklist,
        "learned": learned_margins(train, test, groups, seed, place=False),
        "learned, and place": learned_margins(train, test, groups, seed, place=True),
    }


def print_table(margins: Mapping[str, list[Margins]], groups: Sequence[str], chosen: np.ndarray, seed: int) -> None:
    """A row for each judge, over the instances chosen."""
    print("| judge | pairwise | best of 5 | ties |\n|---|---|---|---|")
    kept = [group for group, keep in zip(groups, chosen, strict=True) if keep]
    for name, found in margins.items():
        used = [margin for margin, keep in zip(found, chosen, strict=True) if keep]
        cells = [
            "{:.3f} [{:.3f}, {:.3f}]".format(*interval(accuracy, used, kept, seed))
            for accuracy in (pairwise_accuracy, best_of_n_accuracy)
        ]
        ties = np.mean([(margin == 0).mean() for margin in used])
        print(f"| {name} | {cells[0]} | {cells[1]} | {ties:.1%} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--episodes", type=int, default=2, help="of each template")
    parser.add_argument("--per-episode", type=int, default=4, help="instances at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder for the instances")
    asked = parser.parse_args()
    torch.set_num_threads(1)
    drawn = [
        instance
        for name in TEMPLATES
        for index in range(asked.episodes)
        for instance in draw_preferences(name, asked.seed, index, count=asked.per_episode)
    ]
    random, groups = Random(asked.seed), [item.template for item in drawn]
    page = [item.preference for item in drawn]
    layouts = {"page": page, "shuffled": [shuffle_rows(instance, random) for instance in page]}
    if asked.out:
        asked.out.mkdir(parents=True, exist_ok=True)
        for layout, instances in layouts.items():
            write_preferences(asked.out / f"{layout}.jsonl", instances)
        sources = [{key: value for key, value in asdict(item).items() if key != "preference"} for item in drawn]
        (asked.out / "sources.jsonl").write_text("".join(json.dumps(source) + "\n" for source in sources))
    searched = np.array([item.truth == "search" for item in drawn])
    off = np.array([item.detours > 0 for item in drawn])
    print(f"{len(drawn)} instances of {len(set(groups))} templates")
    print(f"{searched.sum()} proven by search, {off.sum()} after at least one detour")
    for layout, instances in layouts.items():
        margins = judged(drawn, page, instances, asked.seed)
        print(f"\nRows in the order of {'the page' if layout == 'page' else 'a draw'}\n")
        print_table(margins, groups, np.ones(len(drawn), bool), asked.seed)
        if layout == "page":
            for told, chosen in (("proven by search", searched), ("by the reference solution", ~searched)):
                print(f"\nOnly those whose truth is {told}\n")
                print_table(margins, groups, chosen, asked.seed)


if __name__ == "__main__":
    main()
