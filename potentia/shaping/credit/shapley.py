"""Shapley values: each step's fair share of a score, by what it adds to random sets of others."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.limits import check_at_least
from potentia.rollout import Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.keys import state_keys
from potentia.shaping.shaper import Carry, Contract, Shaper

Score = Callable[[Rollout, np.ndarray[Any, Any]], np.ndarray[Any, Any]]
"""From an episode ``(L, 1)`` and sets of its steps ``(n, L)`` bool to the score of each set, ``(n,)``."""


class Shapley(Shaper):
    """``phi_t + (R - sum phi) / T - reward``: phi_t is step t's Shapley value in the game of a score.

    Cao et al. 2025, "SCAR: Shapley credit assignment for more efficient RLHF", arXiv 2505.20417. The players are the
    steps of an episode, and the score says what a set of them alone would earn: such as a reward model's score of the
    text with only these turns. phi_t is the mean, over random orders of the steps, of what t adds to those before it.
    In each order these sum to score(all) - score(none), so their sum is exact however few orders are drawn. The rest
    up to the return R is spread evenly. With the paper's ``alpha`` below 1 a part of the reward stays at its place.

    Orders come in pairs, one the reverse of the other, which lowers the error. `values` gives the standard errors over
    the pairs, too. Orders are drawn from the seed and the episode's own columns, so the same episode has the same
    values.

    Args:
        score: The game.
        orders: How many orders are drawn. An episode costs so many times T + 1 scores. A pair is drawn at least.
        alpha: The share of the return that is redistributed.
        seed: Seeds the orders.
        name: The term's name.

    Raises:
        ValueError: If ``orders`` is less than 2 or odd, or ``alpha`` lies outside [0, 1].

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, ends = np.zeros((3, 1)), np.arange(3)[:, None] == 2
    >>> rollout = Rollout(
    ...     obs=np.arange(3)[:, None], action=zeros, next_obs=zeros, terms={"env": ends * 3.0}, discount=zeros + 1,
    ...     terminated=ends, truncated=zeros > 0)
    >>> def glove(episode, sets):  # steps 0 and 1 are left gloves, 2 a right one: a pair is worth 3
    ...     return 3.0 * (sets[:, 2] & (sets[:, 0] | sets[:, 1]))
    >>> Shapley(glove, orders=2000).shape(rollout)[0].reward[:, 0].round(1).tolist()  # 1/6, 1/6 and 2/3 of 3
    [0.5, 0.5, 2.0]
    """

    def __init__(
        self, score: Score, *, orders: int = 16, alpha: float = 1.0, seed: int = 0, name: str | None = None
    ) -> None:
        super().__init__(name)
        check_at_least(2, orders=orders)
        if orders % 2 or not 0 <= alpha <= 1:
            raise ValueError(f"orders must be even and alpha in [0, 1], got {orders} and {alpha}")
        self.score, self.orders, self.alpha, self.seed = score, orders, float(alpha), seed
        self.contract: Contract = Contract(
            guarantee="return_preserving",
            reads=frozenset({"obs", "action", "next_obs", "reward", "terminated", "truncated"}),
            scope="episode",
            needs_episodes=True,
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term = np.zeros(tuple(rollout.discount.shape))
        reward = np.asarray(host_array(rollout.reward), np.float64)
        for steps, b in _ended(rollout):
            values, _ = self.values(rollout[steps][:, [b]])
            own = reward[steps, b]
            new = values + (own.sum() - values.sum()) / len(values)
            term[steps, b] = self.alpha * (new - own)
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def values(self, episode: Rollout) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """The Shapley values of one episode ``(L, 1)`` and their standard errors, ``(L,)`` each."""
        size = episode.num_steps
        keys = host_array(state_keys((episode.obs, episode.action, episode.next_obs)))
        rng = np.random.default_rng([self.seed, *(keys.view(np.uint64) >> np.uint64(1)).tolist()])
        first = rng.permuted(np.tile(np.arange(size), (self.orders // 2, 1)), axis=1)
        orders = np.stack([first, first[:, ::-1]], 1).reshape(self.orders, size)
        place = np.argsort(orders, axis=1)
        sets = place[:, None, :] < np.arange(size + 1)[:, None]  # (orders, size + 1, size): the first k of each order
        scores = np.asarray(self.score(episode, sets.reshape(-1, size)), np.float64)
        if scores.shape != (self.orders * (size + 1),):
            raise ValueError(
                f"score must return a number for each of the {self.orders * (size + 1)} sets, got shape {scores.shape}"
            )
        gains = np.take_along_axis(np.diff(scores.reshape(self.orders, size + 1), axis=1), place, axis=1)
        pairs = gains.reshape(-1, 2, size).mean(1)
        error = pairs.std(0, ddof=1) / np.sqrt(len(pairs)) if len(pairs) > 1 else np.full(size, np.inf)
        return pairs.mean(0), error


def _ended(rollout: Rollout) -> list[tuple[np.ndarray[Any, Any], int]]:
    """The steps and the column of each episode that ended."""
    episodes = Episodes.of(rollout)
    return [
        (steps[mask].numpy(), int(b))
        for steps, mask, b, ended in zip(episodes.steps, episodes.mask, episodes.envs, episodes.ended, strict=True)
        if bool(ended)
    ]
