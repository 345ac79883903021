"""Random scripts of three parts in Curling: the best for each area, which the expert plays. Two minutes of one core.

``python benchmarks/curling_throws.py``
"""

from __future__ import annotations

import numpy as np

from potentia.envs.control import ControlVectorEnv

BATCH, BATCHES, PARTS = 4096, 6, 3


def main() -> None:
    """Prints, for each area, how many of 24,576 scripts end in it, the best reward and its script."""
    envs = ControlVectorEnv("Curling", BATCH, info_keys=("area",), autoreset_mode="Disabled")
    rng = np.random.default_rng(0)
    hits: dict[int, int] = {}
    best: dict[int, tuple[float, list[list[float]], list[int]]] = {}
    for _ in range(BATCHES):
        actions = rng.choice([-1.0, -0.5, 0.0, 0.5, 1.0], (BATCH, PARTS, 2))
        steps = 5 * rng.integers(2, 16, (BATCH, PARTS))
        until = steps.cumsum(axis=1)
        padded = np.concatenate([actions, np.zeros((BATCH, 1, 2))], axis=1)
        envs.reset(seed=0)
        for time in range(500):
            part = (time >= until).sum(axis=1)
            _, reward, _, _, info = envs.step(padded[np.arange(BATCH), part])
        for area in range(len(envs.rules.areas)):
            inside = info["area"] == area
            first = int(np.where(inside, reward, -1.0).argmax())
            hits[area] = hits.get(area, 0) + int(inside.sum())
            if inside[first] and reward[first] > best.get(area, (0.0,))[0]:
                best[area] = (float(reward[first]), actions[first].tolist(), steps[first].tolist())
    for area, (reward, script, lengths) in sorted(best.items()):
        print(f"{envs.rules.areas[area].name}: {hits[area]} scripts, best {reward:.4f}: {script} for {lengths} steps")


if __name__ == "__main__":
    main()
