"""Transitions that an off-policy learner keeps, with their discounts, and the n-step targets made of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from potentia.rollout import Rollout
from potentia.state import check_keys
from potentia.trees import Tree, map_tree


class Sample(NamedTuple):
    """``target = reward + discount * V(next_obs)``, where up to n steps lie between.

    Attributes:
        obs: ``(N, ...)``, a tree.
        action: ``(N, ...)``.
        reward: ``(N,)``: the discounted sum of up to n rewards.
        discount: ``(N,)``: the product of their discounts.
        next_obs: ``(N, ...)``: what comes after the last of them.
        ends: ``(N, 2)`` bool: whether the episode terminated, and whether it was cut. None if that is not kept.
    """

    obs: Tree
    action: Tensor
    reward: Tensor
    discount: Tensor
    next_obs: Tree
    ends: Tensor | None = None


class DiscountedReplay:
    """The last ``size`` transitions of shaped rollouts, each with the discount that it came with.

    The rows of one column of a rollout stand beside each other without its masked steps, so that the next row is the
    next step, unless the episode or the rollout ended.

    Args:
        size: The most transitions. Each takes the bytes of two observations and an action, with numbers of 32 bits
            where they had 64, and 9 more.
        n_steps: n, the most rewards in a target, at least 1. A target is shorter where its episode or the rollout ends,
            as in `potentia.returns.n_step_returns`.
        newest: Whether every discount other than 0 becomes the newest rollout's. It must have one such number.
        device: Where they are kept.
        flags: Whether the ends of episodes are kept, in two bytes more.
    """

    def __init__(self, size: int, n_steps: int, *, newest: bool, device: torch.device, flags: bool = False) -> None:
        self.capacity, self.n_steps, self.newest, self.device = size, n_steps, newest, device
        self.flags = flags
        self.gamma: float | None = None
        self.filled = self.head = 0
        self._rows: dict[str, Tree] = {}

    def add(self, rollout: Rollout) -> int:
        """Stores a shaped rollout of tensors. Returns how many transitions it had.

        Raises:
            ValueError: If only the newest gamma is to count, and there are several.
        """
        rows = _rows(rollout, self.flags)
        count = len(rows["reward"])
        if not count:
            return 0
        if self.newest:
            self._renew(rows["discount"])
        rows = {name: map_tree(lambda leaf: leaf[-self.capacity :], tree) for name, tree in rows.items()}
        if not self._rows:
            self._rows = {name: map_tree(self._empty, tree) for name, tree in rows.items()}
        stored = len(rows["reward"])
        where = torch.arange(self.head, self.head + stored, device=self.device) % self.capacity
        for name, tree in rows.items():
            map_tree(lambda leaf, new: leaf.index_copy_(0, where, new.to(leaf.dtype)), self._rows[name], tree)
        self.head = (self.head + stored) % self.capacity
        self.filled = min(self.filled + stored, self.capacity)
        return count

    def _empty(self, leaf: Tensor) -> Tensor:
        dtype = torch.float32 if leaf.dtype == torch.float64 else leaf.dtype
        return torch.empty(self.capacity, *leaf.shape[1:], dtype=dtype, device=self.device)

    def _renew(self, discount: Tensor) -> None:
        going = discount[discount > 0]
        if not len(going):
            return
        low, high = float(going.min()), float(going.max())
        if low != high:
            raise ValueError(
                "discount='newest' gives every stored transition the newest rollout's gamma, but this rollout has "
                f"several, from {low:.6g} to {high:.6g}; write discount='stored' for a discount that differs by step"
            )
        self.gamma = high

    def sample(self, count: int, generator: torch.Generator) -> Sample:
        """Transitions drawn uniformly, with replacement."""
        index = torch.randint(self.filled, (count,), generator=generator, device=self.device)
        reward, discount = self._rewarded(index)
        last = index
        if self.n_steps > 1:
            going = ~self._rows["ends"].index_select(0, index)
            for _ in range(self.n_steps - 1):
                following = torch.where(going, (last + 1) % self.capacity, last)
                more, further = self._rewarded(following)
                reward = torch.where(going, reward + discount * more, reward)
                discount = torch.where(going, discount * further, discount)
                last = following
                going = going & ~self._rows["ends"].index_select(0, last)
        obs, action, next_obs = (
            map_tree(lambda leaf, at=at: leaf.index_select(0, at), self._rows[name])
            for name, at in (("obs", index), ("action", index), ("next_obs", last))
        )
        flags = self._rows["flags"].index_select(0, index) if self.flags else None
        return Sample(obs, action, reward, discount, next_obs, flags)

    def _rewarded(self, index: Tensor) -> tuple[Tensor, Tensor]:
        reward, discount = (self._rows[name].index_select(0, index) for name in ("reward", "discount"))
        if self.newest and self.gamma is not None:
            discount = torch.where(discount > 0, self.gamma, discount)
        return reward, discount

    def state_dict(self) -> dict[str, Any]:
        """All transitions, oldest places first as they lie, and where the next one goes."""
        rows = {name: map_tree(lambda leaf: leaf[: self.filled], tree) for name, tree in self._rows.items()}
        return {"rows": rows, "filled": self.filled, "head": self.head, "gamma": self.gamma}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned.

        Raises:
            ValueError: If there are more transitions than this replay keeps.
        """
        check_keys(self, state, ("rows", "filled", "head", "gamma"))
        filled = int(state["filled"])
        if filled > self.capacity:
            raise ValueError(f"the saved replay has {filled:,} transitions, this one keeps {self.capacity:,}")

        def place(leaf: Tensor) -> Tensor:
            empty = self._empty(leaf)
            empty[:filled] = leaf.to(self.device)
            return empty

        self._rows = {name: map_tree(place, tree) for name, tree in state["rows"].items()}
        self.filled, self.head, self.gamma = filled, int(state["head"]) % self.capacity, state["gamma"]


def _rows(rollout: Rollout, flags: bool) -> dict[str, Tree]:
    """The unmasked transitions of ``(T, B)``, column by column: ``ends`` where the next row is not the next step."""
    columns = rollout.mask.transpose(0, 1)
    after = columns.flip(1).cumsum(1).flip(1)  # unmasked steps from here to the column's end
    ends = (rollout.done | (after.transpose(0, 1) == 1)).transpose(0, 1)[columns]

    def pick(leaf: Tensor) -> Tensor:
        return leaf.transpose(0, 1)[columns]

    obs, action, next_obs = (map_tree(pick, tree) for tree in (rollout.obs, rollout.action, rollout.next_obs))
    rows = {
        "obs": obs, "action": action, "next_obs": next_obs, "reward": pick(rollout.reward),
        "discount": pick(rollout.discount), "ends": ends,
    }  # fmt: skip
    if flags:
        rows["flags"] = torch.stack([pick(rollout.terminated), pick(rollout.truncated)], -1)
    return rows
