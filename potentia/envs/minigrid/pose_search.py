"""Shortest paths over poses (cell, direction), a whole layer of the search in a few integer operations.

A set of cells is one Python integer with a bit for each cell, ``1 << (y * width + x)``; a set of poses is
four of them, one a direction in MiniGrid's order: right, down, left, up.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

__all__ = ["Board", "LazyExit", "PoseTable", "Poses"]

Poses = tuple[int, int, int, int]

NOWHERE: Poses = (0, 0, 0, 0)


@dataclass(frozen=True)
class LazyExit:
    """A way out of the map whose cost is only computed when it may matter.

    Attributes:
        direction: Direction of the pose that has this way out.
        cell: Its cell, one bit.
        bound: No more than the true cost.
        cost: Computes the true cost; None if it leads nowhere.
    """

    direction: int
    cell: int
    bound: int
    cost: Callable[[], int | None]


@dataclass
class PoseTable:
    """Fewest actions from every pose, as the layers of a backward search.

    Attributes:
        layers: ``layers[n]`` are the poses from which it takes n + 1 actions.
    """

    layers: list[Poses]
    _known: dict[tuple[int, int], int | None] = field(default_factory=dict)

    def distance(self, cell: int, direction: int) -> int | None:
        """Fewest actions from a pose, ``cell`` being one bit; None if there is no way."""
        pose = (cell, direction)
        if pose not in self._known:
            steps = (n for n, layer in enumerate(self.layers, 1) if layer[direction] & cell)
            self._known[pose] = next(steps, None)
        return self._known[pose]


class Board:
    """The geometry of a grid: neighbours as shifts.

    Args:
        width: Columns of the grid, whose border must not be walkable.
    """

    def __init__(self, width: int) -> None:
        self.width = width
        self.offsets = (1, width, -1, -width)

    def ahead(self, cells: int, direction: int) -> int:
        """The cells in front of agents on ``cells``."""
        offset = self.offsets[direction]
        return cells << offset if offset > 0 else cells >> -offset

    def behind(self, cells: int, direction: int) -> int:
        """The cells from which an agent that looks in ``direction`` faces ``cells``."""
        return self.ahead(cells, (direction + 2) % 4)

    def facing(self, cells: int, stand: int) -> Poses:
        """The poses on ``stand`` that face one of ``cells``."""
        right, down, left, up = (self.behind(cells, direction) & stand for direction in range(4))
        return right, down, left, up

    def connected(self, cell: int, stand: int) -> int:
        """The cells of ``stand`` that can be walked to from ``cell``, itself among them."""
        reached, frontier = 0, cell
        while frontier:
            reached |= frontier
            around = frontier
            for direction in range(4):
                around |= self.ahead(frontier, direction)
            frontier = around & stand & ~reached
        return reached

    def search(
        self, stand: int, closed: int, exits: dict[int, list[Poses]], lazy: list[LazyExit] | None = None
    ) -> PoseTable:
        """Fewest actions from every pose to the end, by turning and walking and the given ways out.

        Args:
            stand: Cells on which one can stand, open doors among them.
            closed: Of these, the doors that are still closed: entering one takes a toggle more.
            exits: For each cost, the poses from which that many actions lead to the end.
            lazy: Ways out whose cost is not known yet.

        Returns:
            The table. It is exact if nothing but ``closed`` doors changes on the way: a shortest path goes
            through a door at most once.
        """
        pending: dict[int, list[LazyExit]] = {}
        for way in lazy or ():
            pending.setdefault(way.bound, []).append(way)
        exits = {cost: list(poses) for cost, poses in exits.items()}
        done, frontier, delayed = [0, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]
        layers: list[Poses] = []
        while any(frontier) or any(delayed) or exits or pending:
            cost = len(layers) + 1
            layer = [
                delayed[d] | frontier[d - 1] | frontier[d - 3] | self.behind(frontier[d] & ~closed, d) for d in range(4)
            ]
            delayed = [self.behind(frontier[d] & closed, d) if closed else 0 for d in range(4)]
            for poses in exits.pop(cost, ()):
                layer = [a | b for a, b in zip(layer, poses, strict=True)]
            layer = [layer[d] & stand & ~done[d] for d in range(4)]
            for way in pending.pop(cost, ()):
                if not way.cell & (done[way.direction] | layer[way.direction]):
                    self._take(way, cost, layer, exits)
            done = [a | b for a, b in zip(done, layer, strict=True)]
            frontier = layer
            layers.append((layer[0], layer[1], layer[2], layer[3]))
        return PoseTable(layers)

    @staticmethod
    def _take(way: LazyExit, cost: int, layer: list[int], exits: dict[int, list[Poses]]) -> None:
        """Compute the cost of a way out that nothing shorter has made useless."""
        true_cost = way.cost()
        if true_cost == cost:
            layer[way.direction] |= way.cell
        elif true_cost is not None:
            only = [0, 0, 0, 0]
            only[way.direction] = way.cell
            exits.setdefault(true_cost, []).append((only[0], only[1], only[2], only[3]))
