"""Parts of a reward that count only where a condition holds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import as_column, info_column
from potentia.shaping.compose import Chain, Scale
from potentia.shaping.shaper import Carry, Contract, Shaper


class Gated(Shaper):
    """``gate * sum over parts of weight * part``: parts of a reward, and nothing where the gate fails.

    The composite of EtCon's reward (correctness, format, cleanliness, consistency; zero where the format is wrong), and
    of many rule-based rewards of language models: a format that is wrong must not be outweighed by points elsewhere.

    Args:
        gate: The name of an info column of truth values or of numbers in [0, 1], or a function from a rollout to such
            a column ``(T, B)``.
        parts: Shapers, each with its weight. Their terms are not added, only their weighted sum is.
        name: The term's name.

    Raises:
        ValueError: If there is no part, or one sets the discount.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.shaping import LengthPenalty, ReasoningPattern
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros, terminated=no, truncated=no,
    ...     info={"next_response": np.array([["thus two words", "thus"]]), "next_parsed": np.array([[True, False]])})
    >>> parts = {ReasoningPattern(enough=2): 0.75, LengthPenalty(free=1, rate=0.1): 0.25}
    >>> Gated("next_parsed", parts).shape(rollout)[0].terms["Gated"][0].round(3).tolist()  # 0.75 / 2 - 0.25 * 0.2
    [0.325, 0.0]
    """

    saved = ("chain",)

    def __init__(
        self, gate: str | Callable[[Rollout], Array], parts: Mapping[Shaper, float], *, name: str | None = None
    ) -> None:
        super().__init__(name)
        if not parts:
            raise ValueError("wanted parts with their weights, {shaper: weight, ...}, got none")
        self.gate = gate
        self.chain = Chain(*(Scale(part, float(weight)) for part, weight in parts.items()), name=self.name)
        inner = self.chain.contract
        reads = inner.reads | {"reward"} | ({f"info:{gate}"} if isinstance(gate, str) else _EVERYTHING)
        self.contract: Contract = Contract(
            reads=reads, measures=inner.measures, scope=inner.scope, truncation=inner.truncation,
            needs_episodes=inner.needs_episodes, needs_policy=inner.needs_policy, needs_values=inner.needs_values,
        )  # fmt: skip
        self.update_size = self.chain.update_size

    @property
    def learns(self) -> bool:
        return self.chain.learns

    def init(self, num_envs: int) -> Carry:
        return self.chain.init(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        if isinstance(self.gate, str):
            gate = np.asarray(host_array(info_column(rollout, self.gate, self.name)), np.float64)
        else:
            gate = np.asarray(host_array(as_column("gate", self.gate(rollout), rollout)), np.float64)
        shaped, carry = self.chain.shape(replace(rollout), carry)  # a copy, to which the parts add their terms
        total = np.asarray(host_array(shaped.reward - rollout.reward), np.float64)
        return rollout.add(self.name, like_column(gate * total, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        return self.chain.update(rollout, policy=policy)


_EVERYTHING = frozenset({"obs", "action", "next_obs", "terminated", "truncated"})
"""What a function of a rollout may look at, besides the columns that the parts read."""
