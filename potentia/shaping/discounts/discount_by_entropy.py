"""A horizon that grows as the policy makes up its mind."""

from __future__ import annotations

from typing import Any

from potentia.gamma import check_gamma
from potentia.rollout import Rollout
from potentia.shaping._models.learned import own_modes
from potentia.shaping._models.policy_rows import log_probs
from potentia.shaping._models.with_gamma import with_gamma
from potentia.shaping.shaper import Carry, Contract, Shaper


class DiscountByEntropy(Shaper):
    """``discount = high - (high - low) * share``, where share is how much of its uncertainty a policy has left.

    ``share = (H - H_end) / (H_start - H_end)`` within [0, 1], with H the mean of ``-log pi(a | s)`` of the actions
    taken, H_start that of the first update. So a policy that acts at random looks ahead little, and a certain one far.
    That a discount should follow the policy's entropy is the idea of Cho and Kim 2025, "Entropy-guided distributional
    reinforcement learning with controlling uncertainty in robotic tasks", Applied Sciences 15 (5) 2773. This linear
    rule is ours.

    Args:
        low: Gamma at the entropy of the first update, or a greater one.
        high: Gamma at ``end``, or a smaller one.
        end: H_end. 0 is a certain policy of discrete actions. A density of continuous actions may go below.
        name: Its name. It adds no term.

    Raises:
        ValueError: If a gamma leaves [0, 1], or low is above high.

    >>> import numpy as np
    >>> from potentia.rollout import Rollout
    >>> zeros, ends = np.zeros((2, 1)), np.array([[False], [True]])
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=np.array([[0.99], [0.0]]),
    ...     terminated=ends, truncated=zeros > 0)
    >>> DiscountByEntropy(0.9, 0.99).shape(rollout)[0].discount[:, 0].tolist()  # low, until an entropy is known
    [0.9, 0.0]
    """

    saved = ("_start", "gamma")
    contract = Contract(
        reads=frozenset({"obs", "action", "discount", "terminated", "truncated"}), scope="lifelong", needs_policy=True,
        sets_discount=True,
    )  # fmt: skip

    def __init__(self, low: float = 0.9, high: float = 0.99, end: float = 0.0, name: str | None = None) -> None:
        super().__init__(name)
        if check_gamma(low) > check_gamma(high):
            raise ValueError(f"low must be at most high, got {low} and {high}")
        self.low, self.high, self.end = low, high, end
        self.gamma = float(low)
        self._start: float | None = None

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        return with_gamma(rollout, self.gamma), carry

    @own_modes(gradients=False)
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        """Measures the policy's entropy by the actions of the rollout.

        Raises:
            ValueError: If there is no policy.
        """
        rows = log_probs(self, rollout, policy)
        if not len(rows):
            return {}
        entropy = -float(rows.mean())
        self._start = entropy if self._start is None else self._start
        whole = self._start - self.end
        share = min(max((entropy - self.end) / whole, 0.0), 1.0) if whole > 0 else 0.0
        self.gamma = self.high - (self.high - self.low) * share
        return {"gamma": self.gamma, "entropy": entropy}
