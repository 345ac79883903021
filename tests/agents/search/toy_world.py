"""A deceptive world of two genes, and the loop between a search and any function of genomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from gymnasium import spaces

from potentia.agents.search.search import Search
from potentia.rollout import Rollout

BOUNDS = ((-1.0, 1.0), (-1.0, 1.0))
World = Callable[[np.ndarray], dict[str, np.ndarray]]


def trap(genomes: np.ndarray) -> dict[str, np.ndarray]:
    """The descriptor is ``genome / 5``. A broad hill lures to the middle, and the prize lies in a corner.

    The reward rises from all sides to 0.5 at (-0.2, -0.2). Within 0.1 of (0.85, 0.85) it is 1. Founders are within 0.8
    of the middle, but for one in thirty thousand.
    """
    place = genomes[:, :2] / 5
    hill = 0.5 - 0.2 * np.linalg.norm(place - [-0.2, -0.2], axis=1)
    prize = np.linalg.norm(place - [0.85, 0.85], axis=1) < 0.1
    return shown(place, np.where(prize, 1.0, hill), np.where(prize, 0, -1))


def areas(genomes: np.ndarray) -> dict[str, np.ndarray]:
    """Two small areas, with a reward that rises to 1 at their middle. Elsewhere there is none."""
    place = genomes[:, :2] / 5
    reward, area = np.zeros(len(place)), np.full(len(place), -1)
    for index, (middle, radius) in enumerate((([0.5, 0.5], 0.2), ([-0.8, 0.7], 0.2))):
        distance = np.linalg.norm(place - middle, axis=1)
        reward = np.where(distance < radius, 1 - distance / radius, reward)
        area = np.where(distance < radius, index, area)
    return shown(place, reward, area)


def shown(place: np.ndarray, reward: np.ndarray, area: np.ndarray) -> dict[str, np.ndarray]:
    return {"reward": reward, "descriptor": place, "area": area, "image": pictures(place), "path": paths(place)}


def pictures(place: np.ndarray) -> np.ndarray:
    """A white square of 3 x 3 in a black picture of 16 x 16, where the policy ended."""
    images = np.zeros((len(place), 16, 16, 3), np.uint8)
    for image, (x, y) in zip(images, ((place + 1) * 6.49 + 0.5).astype(int), strict=True):
        image[y : y + 3, x : x + 3] = 255
    return images


def paths(place: np.ndarray) -> np.ndarray:
    """Straight from the middle."""
    return place[:, None] * np.linspace(0, 1, 5)[:, None]


def make(kind: type[Search], genes: int = 2, seed: int = 0, **settings: Any) -> Search:
    space = spaces.Box(-5.0, 5.0, (genes,), np.float32)
    return kind(spaces.Box(0.0, 0.0, (1,)), space, kind.Config(**settings), seed=seed)


def rollout(search: Search, batch: int, world: World, mask: np.ndarray | None = None) -> Rollout:
    """A batch that the search asked for, evaluated."""
    zeros = np.zeros((1, batch, 1))
    genomes, _ = search.act(zeros[0], ())
    info = world(genomes.numpy())
    reward = info.pop("reward")[None]
    return Rollout(
        obs=zeros,
        action=genomes.numpy()[None],
        next_obs=zeros,
        terms={"env": reward},
        discount=np.zeros((1, batch)),
        terminated=np.ones((1, batch), bool),
        truncated=np.zeros((1, batch), bool),
        mask=mask,
        info={f"next_{name}": column[None] for name, column in info.items()},
    )


def drive(search: Search, evaluations: int, batch: int = 50, world: World = trap) -> dict[str, Any]:
    """So many evaluations. Gives the last metrics."""
    metrics: dict[str, Any] = {}
    for _ in range(evaluations // batch):
        metrics = search.learn(rollout(search, batch, world))
    return metrics
