"""Learned bonuses beside the bare matrix products of their formulas, in one run and on one thread.

``python benchmarks/shaping_products.py`` prints a Markdown table: microseconds a transition to score a rollout
(`shape`) and to learn from it (`update`), and, in brackets, how many times its products take. The ratios are taken
within a round, and the table has the medians of ``--rounds``.

What is multiplied is read from the networks: each linear layer forwards, and in learning also backwards, for its
weights and, but for the first layer, for its input, in batches of 256 rows and into memory that lies ready. E3B adds
``f C^-1`` and ``u u'`` of each step, in float64 as it keeps them, and EpisodicNovelty the products of each embedding
with the 64 before it. Nothing is drawn, compared, summed or written anywhere else. Networks and observations are those
of ``shaping_peers.py``.
"""

from __future__ import annotations

import argparse
import math
import statistics
import time
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import torch
from torch import nn

import potentia.shaping
from potentia import Rollout
from potentia.compiling import patience

BATCH, INPUTS, ACTIONS = 256, 147, 7
SIZES = {16: 128, 1024: 32}  # environments; steps of a rollout
EPISODE, MEMORY = 64, 64
MAKERS: dict[str, dict[str, Any]] = {
    "RND": {"layers": 1, "output_dim": 128},
    "NovelD": {"output_dim": 128},
    "E3B": {"output_dim": 128},
    "EpisodicNovelty": {"output_dim": 32, "memory": MEMORY},
}


def made(name: str) -> Any:
    """The shaper."""
    space, actions = gym.spaces.Box(-math.inf, math.inf, (INPUTS,)), gym.spaces.Discrete(ACTIONS)
    spaces = (space, actions) if name in ("E3B", "EpisodicNovelty") else (space,)
    return getattr(potentia.shaping, name)(*spaces, hidden=256, batch_size=BATCH, **MAKERS[name])


def drawn(worlds: int) -> Rollout:
    """A rollout of random observations."""
    steps = SIZES[worlds]
    seen = torch.randint(0, 11, (steps + 1, worlds, INPUTS)).float()
    ended = (torch.arange(steps)[:, None] + torch.arange(worlds)) % EPISODE == EPISODE - 1
    return Rollout(
        obs=seen[:-1], action=torch.randint(0, ACTIONS, ended.shape), next_obs=seen[1:],
        terms={"env": torch.zeros(ended.shape)}, discount=torch.where(ended, 0.0, 0.99), terminated=ended,
        truncated=torch.zeros_like(ended),
    )  # fmt: skip


Product = tuple[torch.Tensor, torch.Tensor, torch.Tensor]


def _product(*shapes: int) -> Product:
    rows, inner, columns = shapes
    return torch.randn(rows, inner), torch.randn(inner, columns), torch.empty(rows, columns)


def products_of(network: nn.Module, *, backwards: bool) -> list[Product]:
    """A network's products for one batch."""
    found = []
    for index, layer in enumerate(layer for layer in network.modules() if isinstance(layer, nn.Linear)):
        out, into = layer.weight.shape
        found.append(_product(BATCH, into, out))
        if backwards:
            found.append(_product(out, BATCH, into))
            if index:
                found.append(_product(BATCH, out, into))
    return found


def bare(name: str, shaper: Any, worlds: int) -> tuple[Callable[[], None], Callable[[], None]]:
    """The products of scoring and of learning from a whole rollout."""
    model, steps = shaper.model, SIZES[worlds]
    further: Callable[[], None] | None = None
    before: list[Product] = []
    if name in ("RND", "NovelD"):
        score = products_of(model.target, backwards=False) + products_of(model.predictor, backwards=False)
        learn = products_of(model.target, backwards=False) + products_of(model.predictor, backwards=True)
        # The errors before training scale the bonus: NovelD's of all transitions, RND's of at most 64 environments.
        before = products_of(model.predictor, backwards=False)
    else:
        score = products_of(model.embedding, backwards=False)
        learn = 2 * products_of(model.embedding, backwards=True) + products_of(model.head, backwards=True)
        learn.append(_product(BATCH, model.head[0].out_features, model.head[0].in_features))  # to the embeddings
        further = _ellipses(worlds, model.output_dim) if name == "E3B" else _neighbours(worlds, model.output_dim)

    def run(products: list[Product], times: int) -> None:
        for _ in range(times):
            for left, right, out in products:
                torch.mm(left, right, out=out)

    batches = steps * worlds // BATCH

    def run_score() -> None:
        run(score, batches)
        if further is not None:
            further()

    def run_learn() -> None:
        run(before, batches * min(worlds, 64) // worlds if name == "RND" else batches)
        run(learn, batches)

    return run_score, run_learn


def _ellipses(worlds: int, width: int) -> Callable[[], None]:
    f, u = (torch.randn(worlds, 1, width, dtype=torch.float64) for _ in range(2))
    inverse = torch.eye(width, dtype=torch.float64).repeat(worlds, 1, 1)
    out = torch.empty_like(f)

    def run() -> None:
        for _ in range(SIZES[worlds]):
            torch.bmm(f, inverse, out=out)
            inverse.addcmul_(u.mT, u, value=-1e-9)

    return run


def _neighbours(worlds: int, width: int) -> Callable[[], None]:
    new, old = torch.randn(worlds, SIZES[worlds], width), torch.randn(worlds, width, MEMORY)
    out = torch.empty(worlds, SIZES[worlds], MEMORY)

    def run() -> None:
        torch.bmm(new, old, out=out)

    return run


def seconds(run: Callable[[], Any]) -> float:
    """How long something takes."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def measured(name: str, worlds: int, rounds: int) -> str:
    """A line of the table."""
    shaper = made(name)
    carry = shaper.init(worlds)
    score, learn = bare(name, shaper, worlds)
    found = []
    for index in range(rounds + 1):
        rollout, times = drawn(worlds), {}

        def shape(rollout: Rollout = rollout) -> None:
            nonlocal carry
            _, carry = shaper.shape(rollout, carry)

        tasks = [("shape", shape), ("score", score), ("update", lambda r=rollout: shaper.update(r)), ("learn", learn)]
        for task, run in tasks:
            times[task] = seconds(run)
        if index:  # the first compiles
            found.append(times)
    line = f"| {name} | {worlds} x {SIZES[worlds]} "
    for task, products in (("shape", "score"), ("update", "learn")):
        each = statistics.median(times[task] for times in found) / (worlds * SIZES[worlds]) * 1e6
        ratio = statistics.median(times[task] / times[products] for times in found)
        line += f"| {each:,.2f} ({ratio:.2f}x) "
    ratio = statistics.median((t["shape"] + t["update"]) / (t["score"] + t["learn"]) for t in found)
    return f"{line}| {ratio:.2f}x |"


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=MAKERS, default=list(MAKERS))
    parser.add_argument("--worlds", type=int, nargs="+", choices=SIZES, default=list(SIZES))
    parser.add_argument("--rounds", type=int, default=15)
    options = parser.parse_args()
    patience.to_compile = 0  # nothing is interpreted
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print("| bonus | environments x steps | score | learn | both |\n|---|---|---|---|---|")
    for worlds in options.worlds:
        for name in options.only:
            print(measured(name, worlds, options.rounds), flush=True)


if __name__ == "__main__":
    main()
