"""Exact nearest neighbours beside SciPy's cKDTree and faiss's flat index, in one run.

``python benchmarks/nearest_neighbours.py`` prints a Markdown table of queries per second of one thread's own time,
building the tree or the index included, as a search needs it whose archive has grown: 256 queries, k = 15, points
drawn from a normal distribution, float32. Each cell is the best of rounds in which all contenders take turns; whoever
took more than two seconds takes no further turn. The distances must agree to 1e-3.
"""

from __future__ import annotations

import time
from collections.abc import Callable

import faiss
import numpy as np
import torch
from scipy.spatial import cKDTree

from potentia.neighbours import nearest

QUERIES, K, ROUNDS = 256, 15, 15


def by_ours(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    return nearest(torch.from_numpy(queries), torch.from_numpy(points), K).numpy()


def by_scipy(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    return cKDTree(points).query(queries, k=K)[0]


def by_faiss(queries: np.ndarray, points: np.ndarray) -> np.ndarray:
    index = faiss.IndexFlatL2(points.shape[1])
    index.add(points)
    return np.sqrt(index.search(queries, K)[0])


def rates(contenders: dict[str, Callable], queries: np.ndarray, points: np.ndarray) -> dict[str, float]:
    """Queries per second of each."""
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    answers = {}
    for _ in range(ROUNDS):
        for name, find in contenders.items():
            if not seconds[name] or seconds[name][-1] < 2:
                begin = time.thread_time()
                answers[name] = find(queries, points)
                seconds[name].append(time.thread_time() - begin)
    for name, answer in answers.items():
        np.testing.assert_allclose(answer, answers["cKDTree"], atol=1e-3, err_msg=name)
    return {name: len(queries) / min(taken) for name, taken in seconds.items()}


def main() -> None:
    torch.set_num_threads(1)
    faiss.omp_set_num_threads(1)
    rng = np.random.default_rng(0)
    contenders = {"ours": by_ours, "cKDTree": by_scipy, "faiss Flat": by_faiss}
    print("| points | d | ours | cKDTree | faiss Flat | ours / the better |\n|---|---|---|---|---|---|")
    for count in (10_000, 100_000):
        for size in (2, 10, 128):
            points = rng.normal(size=(count, size)).astype(np.float32)

            queries = rng.normal(size=(QUERIES, size)).astype(np.float32)
            found = rates(contenders, queries, points)
            ratio = found["ours"] / max(found["cKDTree"], found["faiss Flat"])
            cells = " | ".join(f"{found[name]:,.0f}" for name in contenders)
            print(f"| {count:,} | {size} | {cells} | {ratio:.2f} |", flush=True)


if __name__ == "__main__":
    main()
