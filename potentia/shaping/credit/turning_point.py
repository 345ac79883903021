"""Steps at which an episode turned: what finishing from here would have earned, before and after each step."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from potentia.arrays import host_array, like_column
from potentia.limits import check_among
from potentia.rollout import Rollout
from potentia.shaping._models.episodes import Episodes
from potentia.shaping.columns import info_column
from potentia.shaping.shaper import Carry, Contract, Shaper

COLUMN = "completion"


class TurningPoint(Shaper):
    """``new - reward``: new is ``d_t = v_t - v_{t-1}``, or ``v_T - v_{t-1}`` at turning points.

    TP-GRPO: v_t is the return that an episode comes to if its first t actions are those that were taken and the rest
    is played by a fixed way to finish it. `potentia.wrappers.Completion` finds it by saving and restoring the world.
    The d_t sum to v_T - v_0. A turning point is a step t > 1 where the trend flips to agree with the whole: d_{t-1}
    has the sign that v_T - v_0 has not, and d_t the sign that it has. The first step is one if d_1 has the sign of the
    whole.

    - ``"incremental"`` (the paper): new = d_t, and v_T - v_{t-1} at turning points. So a step that enables what comes
      later is paid for it.
    - ``"outcome_plus_bonus"`` (the released code): new = v_T - v_0 at every step, plus eta d_t at turning points.

    It says what the reward shall be, and keeps neither returns nor optima. Each v costs a playout: T of them an
    episode.

    Args:
        variant: Which of them.
        eta: The weight of the bonus.
        column: The info column of v, read before and after each step.
        name: The term's name.

    Raises:
        ValueError: If the variant is unknown.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> v = np.array([0.0, -1.0, -2.0, 1.0, 3.0])[:, None]
    >>> zeros, ends = np.zeros((4, 1)), np.arange(4)[:, None] == 3
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=ends,
    ...     truncated=zeros > 0, info={"completion": v[:-1], "next_completion": v[1:]})
    >>> TurningPoint().shape(rollout)[0].reward[:, 0].tolist()  # -1, -1, 3 - (-2) at the turning point, and 2
    [-1.0, -1.0, 5.0, 2.0]
    >>> TurningPoint("outcome_plus_bonus").shape(rollout)[0].reward[:, 0].tolist()  # 3, and 3 more at the third step
    [3.0, 3.0, 6.0, 3.0]
    """

    def __init__(
        self,
        variant: Literal["incremental", "outcome_plus_bonus"] = "incremental",
        *,
        eta: float = 1.0,
        column: str = COLUMN,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        check_among(("incremental", "outcome_plus_bonus"), variant=variant)
        self.variant, self.eta, self.column = variant, float(eta), column
        self.contract: Contract = Contract(
            reads=frozenset({"reward", "terminated", "truncated", f"info:{column}", f"info:next_{column}"}),
            scope="episode",
            needs_episodes=True,
            rescales=True,
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        episodes = Episodes.of(rollout)
        if not len(episodes):
            return rollout.add(self.name, 0.0 * rollout.reward), carry
        before, after = (self._values(rollout, episodes, prefix) for prefix in ("", "next_"))
        reward = episodes.take(torch.as_tensor(np.asarray(host_array(rollout.reward), np.float64)))
        new = self._new(before, after, episodes.mask)
        term = torch.where(episodes.mask, new - reward, 0.0)
        return rollout.add(self.name, like_column(episodes.put(term), rollout.discount)), carry

    def _new(self, before: Tensor, after: Tensor, mask: Tensor) -> Tensor:
        gain = torch.where(mask, after - before, 0.0)
        last = after.gather(1, (mask.sum(1, keepdim=True) - 1).clamp(min=0))
        whole = last - before[:, :1]
        trend = gain.sign() * whole.sign()
        turning = trend > 0
        turning[:, 1:] &= trend[:, :-1] < 0
        if self.variant == "outcome_plus_bonus":
            return whole + self.eta * gain * turning
        return torch.where(turning, last - before, gain)

    def _values(self, rollout: Rollout, episodes: Episodes, prefix: str) -> Tensor:
        column: Any = host_array(info_column(rollout, f"{prefix}{self.column}", self.name))
        return episodes.take(torch.as_tensor(np.asarray(column, np.float64)))
