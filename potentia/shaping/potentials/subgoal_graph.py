"""Closeness in a graph of places, for both levels of a hierarchy of goals."""

from __future__ import annotations

from typing import Any, Literal

import gymnasium as gym
import torch

from potentia.arrays import host_array, like_column
from potentia.limits import check_among
from potentia.rollout import Array, Rollout
from potentia.shaping._models.state_graph import StateGraph
from potentia.shaping.potentials.goals import ACHIEVED, DESIRED, goal_pair, goal_size
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import Potential
from potentia.shaping.shaper import Carry, Contract, Shaper


class SubgoalGraph(Shaper):
    """``alpha E(x') . E(g)``, at the low level ``-|x' - g|^2 + alpha E(x') . E(g)``, or the difference of the former.

    G4RL ("Towards better dense rewards in reinforcement learning applications", arXiv 2512.04302, section 3): the
    places x that were visited become nodes of a graph, steps between them its edges, and an encoder E is fitted so that
    E(x) . E(y) is how often one follows the other. x is what was achieved and g what is desired, both read from the
    observation: for the high level the task's goal, for the low level the subgoal that it was given.

    With ``form="potential"``, the default, the closeness is a potential and no optimum changes. The paper pays it.

    Args:
        observation_space: A ``Dict`` with both goals.
        form: ``"potential"``, ``"high"`` or ``"low"``.
        achieved: The key of what was achieved.
        desired: The key of what is desired.
        alpha: The weight of the closeness.
        spacing: The least distance between nodes.
        capacity: The most nodes.
        beta: How many new steps a pair of nodes is worth before E is trained again.
        dimensions: The numbers of E(x).
        hidden: Width of E's hidden layer.
        learning_rate: Adam's step size.
        steps: Of Adam, at each training.
        device: Where the graph is.
        seed: Seeds E.
        name: The term's name.

    Raises:
        ValueError: If the form is unknown.
        TypeError: If the space has no such goals.

    >>> import numpy as np
    >>> from gymnasium.spaces import Box, Dict
    >>> from potentia import Rollout
    >>> space = Dict(achieved_goal=Box(0, 9, (1,)), desired_goal=Box(0, 9, (1,)))
    >>> place, no = np.arange(10.0)[:, None, None], np.zeros((9, 1), bool)
    >>> goal, zeros = np.full((9, 1, 1), 9.0), np.zeros((9, 1))
    >>> walk = Rollout(
    ...     obs={"achieved_goal": place[:-1], "desired_goal": goal}, action=zeros,
    ...     next_obs={"achieved_goal": place[1:], "desired_goal": goal}, terms={"env": zeros}, discount=zeros + 1.0,
    ...     terminated=no, truncated=no)
    >>> graph = SubgoalGraph(space, "high", spacing=0.5, beta=0.05, steps=300, learning_rate=0.01)
    >>> graph.update(walk)["nodes"]
    10.0
    >>> paid = graph.shape(walk)[0].terms["SubgoalGraph"][:, 0]
    >>> bool(paid[-2] > 0.5), bool(paid[:6].max() < 0.3)  # next to the goal, and far from it
    (True, True)
    """

    saved = ("graph",)

    def __init__(
        self,
        observation_space: gym.Space[Any],
        form: Literal["potential", "high", "low"] = "potential",
        *,
        achieved: str = ACHIEVED,
        desired: str = DESIRED,
        alpha: float = 1.0,
        spacing: float = 0.1,
        capacity: int = 1000,
        beta: float = 0.2,
        dimensions: int = 16,
        hidden: int = 64,
        learning_rate: float = 1e-3,
        steps: int = 100,
        device: torch.device | str = "cpu",
        seed: int = 0,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(("potential", "high", "low"), form=form)
        self.form, self.alpha, self.achieved, self.desired = form, float(alpha), achieved, desired
        self.graph = StateGraph(
            goal_size(observation_space, achieved, self.name), spacing=spacing, capacity=capacity, beta=beta,
            dimensions=dimensions, hidden=hidden, learning_rate=learning_rate, steps=steps, device=torch.device(device),
            seed=seed,
        )  # fmt: skip
        self._shaping = PotentialShaping(_Closeness(self.graph, self.alpha, achieved, desired), name=self.name)
        self.contract: Contract = (
            self._shaping.contract
            if form == "potential"
            else Contract(reads=frozenset({"obs", "next_obs"}), scope="lifelong")
        )

    def init(self, num_envs: int) -> Carry:
        return self._shaping.init(num_envs) if self.form == "potential" else ()

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        if self.form == "potential":
            return self._shaping.shape(rollout, carry)
        here, goal = goal_pair(rollout, "next_", self.achieved, self.desired, self.name)
        term = self.alpha * self.graph.closeness(here, goal)
        if self.form == "low":
            term = term - (here - goal).square().sum(-1)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Adds the unmasked steps to the graph, environment by environment, and trains E if it is time."""
        del policy
        mask = torch.as_tensor(host_array(rollout.mask).T.copy())
        before, after = (goal_pair(rollout, p, self.achieved, self.desired, self.name)[0] for p in ("", "next_"))
        return self.graph.add(before.transpose(0, 1)[mask], after.transpose(0, 1)[mask])


class _Closeness(Potential):
    changes = True

    def __init__(self, graph: StateGraph, alpha: float, achieved: str, desired: str) -> None:
        self.graph, self.alpha, self.achieved, self.desired = graph, alpha, achieved, desired

    def values(self, rollout: Rollout, prefix: str, reader: str) -> Array:
        pair = goal_pair(rollout, prefix, self.achieved, self.desired, reader)
        return like_column(self.alpha * self.graph.closeness(*pair), rollout.discount)
