"""Self-imitation: the best episodes of one's own are the demonstrations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor, nn

from potentia.arrays import like_column
from potentia.encoders import Encoder
from potentia.limits import check_at_least
from potentia.rollout import ENV, Array, Rollout
from potentia.shaping._models.costs import Metric, ShownCosts
from potentia.shaping._models.episodes import Episodes
from potentia.shaping._models.learned import own_modes
from potentia.shaping.imitation.optimal_transport import moved
from potentia.shaping.shaper import Carry, Contract, Shaper
from potentia.trees import Tree


class SelfImitation(Shaper):
    """``-sum_j P_tj C_tj``: what it costs to move step t onto the nearest of the K best episodes of one's own.

    Guo, Oh, Singh and Lee 2018, "Generative adversarial self-imitation learning", arXiv 1812.00950, keep the K episodes
    of the greatest return and reward the learner for being like them, so that a rare success is found again. Gangwani,
    Liu and Peng 2019, "Learning self-imitating diverse policies", arXiv 1805.10309, derive the same reward from the
    divergence of what two policies visit. Both measure the likeness by a discriminator. Here it is the transport of
    `potentia.shaping.OptimalTransport`, which needs no training (Oh et al. 2018, arXiv 1806.05635, imitate actions
    instead, which is a learner's loss and no reward).

    The return is the true one, of the term ``"env"``, not discounted. Before there is an episode to imitate the term is
    0. What is kept is bounded: K episodes of at most ``length`` steps each, the longer ones thinned out evenly. Of
    equally good ones the shorter are kept. The term can change what is optimal.

    Args:
        episodes: K.
        least: Only an episode whose return is greater than this is imitated, so that failures are not.
        length: How many steps of an episode are kept.
        metric: As for `potentia.shaping.OptimalTransport`.
        encoder: As there.
        epsilon: As there.
        iterations: As there.
        device: Where all is computed.
        name: The term's name.

    Raises:
        ValueError: If ``episodes`` or ``length`` is less than 1.

    >>> import numpy as np
    >>> def walk(pay, *places):
    ...     obs, last = np.array(places, float)[:, None], np.arange(len(places))[:, None] == len(places) - 1
    ...     return Rollout(obs=obs, action=last, next_obs=obs, terms={"env": pay * last}, discount=last * 0.0,
    ...                    terminated=last, truncated=last & False)
    >>> own = SelfImitation(metric="euclidean")
    >>> best = own.update(walk(1.0, (0, 0), (0, 4)))["best"]
    >>> best, own.shape(walk(0.0, (0, 0), (3, 4)))[0].terms["SelfImitation"][:, 0].round(3).tolist()
    (1.0, [-0.0, -1.5])
    """

    saved = ("costs", "_returns")

    def __init__(
        self,
        *,
        episodes: int = 10,
        least: float = 0.0,
        length: int = 500,
        metric: Metric = "cosine",
        encoder: Encoder | Callable[[Tree], Array] | None = None,
        epsilon: float = 0.01,
        iterations: int = 100,
        device: torch.device | str = "cpu",
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_at_least(1, episodes=episodes, length=length)
        self.episodes, self.least, self.length = episodes, float(least), length
        self.epsilon, self.iterations = epsilon, iterations
        self.costs = ShownCosts(metric, encoder, device)
        self._returns: list[float] = []
        self.contract: Contract = Contract(
            reads=frozenset({"next_obs", "terminated", "truncated", "reward"}), scope="lifelong", needs_episodes=True
        )

    @own_modes(gradients=False)
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        episodes = Episodes.of(rollout, self.costs.device)
        term = -moved(self.costs, rollout, episodes, self.epsilon, self.iterations)
        return rollout.add(self.name, like_column(episodes.put(term), rollout.discount)), carry

    @own_modes(gradients=False)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Keeps the best episodes. Returns how many are ``kept``, and the ``best`` return of them if there are any."""
        del policy
        device = self.costs.device
        episodes = Episodes.of(rollout, device)
        paid = episodes.take(torch.as_tensor(rollout.terms[ENV], device=device).double())
        returns = torch.where(episodes.mask, paid, 0).sum(1)
        good = (episodes.ended & (returns > self.least)).nonzero()[:, 0]
        if len(good):
            episodes = episodes.rows(good)
            own, lengths = self.costs.encode(rollout, episodes), episodes.mask.sum(1).tolist()
            shown = [(-value, row[live]) for value, row, live in self._shown()]
            new = [
                (-value, thinned(row[:steps], self.length))
                for value, row, steps in zip(returns[good].tolist(), own, lengths, strict=True)
            ]
            self._keep(sorted([*shown, *new], key=lambda one: (one[0], len(one[1])))[: self.episodes])
        return {"kept": float(len(self._returns))} | ({"best": self._returns[0]} if self._returns else {})

    def _shown(self) -> Iterator[tuple[float, Tensor, Tensor]]:
        return zip(self._returns, self.costs.features, self.costs.mask, strict=True)

    def _keep(self, found: list[tuple[float, Tensor]]) -> None:
        self._returns = [-value for value, _ in found]
        lengths = torch.tensor([len(row) for _, row in found], device=self.costs.device)
        self.costs.features = nn.utils.rnn.pad_sequence([row for _, row in found], batch_first=True)
        self.costs.mask = torch.arange(self.costs.features.shape[1], device=self.costs.device) < lengths[:, None]


def thinned(steps: Tensor, most: int) -> Tensor:
    """At most so many of the steps, evenly from the first to the last."""
    if len(steps) <= most:
        return steps
    index = torch.linspace(0, len(steps) - 1, most, dtype=torch.float64, device=steps.device)
    return steps[index.round().long()]
