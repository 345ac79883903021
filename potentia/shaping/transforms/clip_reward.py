"""The reward clipped: an edit that is a term too, so that the true reward stays in sight."""

from __future__ import annotations

from potentia.arrays import array_namespace
from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Contract, Shaper


class ClipReward(Shaper):
    """``clip(reward, low, high) - reward``: the learner sees the clipped reward, the log keeps both.

    Mnih et al. 2015 clip to [-1, 1]. It can change what is optimal. Put it before a potential: clipping a potential's
    term would break its telescoping, and `Chain` refuses it.

    Args:
        low: The least reward.
        high: The greatest reward.
        name: The term's name.

    Raises:
        ValueError: If ``low`` is not below ``high``.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> rollout = Rollout(
    ...     obs=np.zeros((2, 1)), action=np.zeros((2, 1)), next_obs=np.zeros((2, 1)),
    ...     terms={"env": np.array([[5.0], [-0.5]])}, discount=np.ones((2, 1)),
    ...     terminated=np.zeros((2, 1), bool), truncated=np.zeros((2, 1), bool))
    >>> shaped, _ = ClipReward().shape(rollout)
    >>> shaped.terms["ClipReward"][:, 0].tolist()  # 1 - 5, and nothing to clip
    [-4.0, 0.0]
    >>> shaped.reward[:, 0].tolist()
    [1.0, -0.5]
    """

    contract = Contract(reads=frozenset({"reward"}), rescales=True)

    def __init__(self, low: float = -1.0, high: float = 1.0, name: str | None = None) -> None:
        super().__init__(name)
        if not low < high:
            raise ValueError(f"low must be less than high, got low={low}, high={high}")
        self.low, self.high = float(low), float(high)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        reward = rollout.reward
        return rollout.add(self.name, array_namespace(reward).clip(reward, self.low, self.high) - reward), carry
