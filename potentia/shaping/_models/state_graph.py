"""A graph of places: nodes that are far enough apart, edges that count how often one followed another."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from potentia.encoders import fresh_networks
from potentia.limits import check_at_least
from potentia.shaping._models.learned import own_modes
from potentia.state import Stateful


class StateGraph(Stateful):
    """Nodes x_i and symmetric counts A_ij, and an encoder E with ``E(x_i) . E(x_j)`` fitted to ``A_ij / max A``.

    The graph of G4RL (Zhang, "Towards better dense rewards in reinforcement learning applications", arXiv 2512.04302,
    section 3). A point becomes a node if it is further than ``spacing`` from all nodes, else it counts as the nearest.
    The encoder is trained when more steps were counted since the last time than ``beta (N^2 - N)``, N being the number
    of nodes. When there is room for no more nodes, the nearest ones stand for all.

    Args:
        size: The numbers of a point.
        spacing: The least distance between nodes.
        capacity: The most nodes: the counts take ``4 capacity^2`` bytes, 4 MB by default.
        beta: How many new steps a pair of nodes is worth.
        dimensions: The numbers of E(x).
        hidden: Width of E's hidden layer.
        learning_rate: Adam's step size.
        steps: Of Adam, at each training.
        device: Where it is.
        seed: Seeds E and the pairs that are drawn.
    """

    saved = ("_nodes", "_counts", "_number", "_new", "_trained", "_centre", "_width", "net", "optimizer")

    def __init__(
        self,
        size: int,
        *,
        spacing: float,
        capacity: int,
        beta: float,
        dimensions: int,
        hidden: int,
        learning_rate: float,
        steps: int,
        device: torch.device,
        seed: int,
    ) -> None:
        check_at_least(1, size=size, capacity=capacity, dimensions=dimensions, hidden=hidden, steps=steps)
        check_at_least(0, spacing=spacing, beta=beta)
        self.spacing, self.beta, self.steps, self.seed = spacing, beta, steps, seed
        # 64 bits, so that a place is as close whatever it is computed with.
        self._nodes = torch.zeros(capacity, size, dtype=torch.float64, device=device)
        self._counts = torch.zeros(capacity, capacity, dtype=torch.float32, device=device)
        self._number = self._new = self._trained = 0
        self._centre, self._width = self._nodes[0].clone(), self._nodes[0] + 1.0
        with fresh_networks(seed):
            self.net = nn.Sequential(nn.Linear(size, hidden), nn.ReLU(), nn.Linear(hidden, dimensions))
        self.net = self.net.to(device, torch.float64)
        self.optimizer = torch.optim.Adam(self.net.parameters(), learning_rate)

    def __len__(self) -> int:
        return self._number

    @property
    def trained(self) -> bool:
        """Whether E has learned anything yet."""
        return self._trained > 0

    def closeness(self, points: Tensor, goals: Tensor) -> Tensor:
        """``E(x) . E(g)`` of points ``(..., size)`` and goals likewise, clipped to [0, 1]. 0 before E was trained."""
        if not self.trained:
            return points.new_zeros(points.shape[:-1])
        with own_modes(gradients=False):
            found: Tensor = (self._encoded(points.double()) * self._encoded(goals.double())).sum(-1)
            return found.clamp(0.0, 1.0).to(points.dtype)

    def _encoded(self, points: Tensor) -> Tensor:
        encoded: Tensor = self.net((points - self._centre) / self._width)
        return encoded

    def add(self, before: Tensor, after: Tensor) -> dict[str, Any]:
        """Takes in steps from points ``(n, size)`` to points, in order, and trains E if it is time."""
        with own_modes(gradients=False):
            both = torch.stack([before, after], 1).double()
            self._grow(both.flatten(0, 1))
            if not len(self):
                return {"nodes": 0.0}
            first, second = self._nearest(both[:, 0]), self._nearest(both[:, 1])
            moved = first != second
            ones = torch.ones(int(moved.sum()), dtype=torch.float32, device=self._counts.device)
            for pair in ((first[moved], second[moved]), (second[moved], first[moved])):
                self._counts.index_put_(pair, ones, accumulate=True)
            self._new += len(first)
        metrics = {"nodes": float(len(self))}
        if len(self) > 1 and bool(self._counts.any()) and self._new > self.beta * (len(self) ** 2 - len(self)):
            metrics["loss"] = self._train()
            self._new = 0
        return metrics

    def _grow(self, points: Tensor) -> None:
        # Sorted, so that the order of the environments makes no difference.
        for point in points.unique(dim=0):
            if len(self) == len(self._nodes):
                return
            known = self._nodes[: len(self)]
            if not len(self) or float((known - point).norm(dim=1).min()) > self.spacing:
                self._nodes[len(self)] = point
                self._number += 1

    def _nearest(self, points: Tensor) -> Tensor:
        return torch.cdist(points, self._nodes[: len(self)]).argmin(1)

    def _train(self) -> float:
        number, device = len(self), self._nodes.device
        nodes, target = self._nodes[:number], (self._counts[:number, :number] / self._counts.max()).double()
        target = target.fill_diagonal_(1.0)  # a place is as close to itself as can be
        self._centre, self._width = nodes.mean(0), nodes.std(0) + 1e-6
        generator = torch.Generator(device).manual_seed(self.seed + 7919 * self._trained)
        total = 0.0
        with own_modes(gradients=True):
            for _ in range(self.steps):
                rows = torch.randint(number, (2, min(256, number * number)), generator=generator, device=device)
                close = (self._encoded(nodes[rows[0]]) * self._encoded(nodes[rows[1]])).sum(1)
                loss = (close - target[rows[0], rows[1]]).square().mean()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
                total += float(loss.detach())
        self._trained += 1
        return total / self.steps
