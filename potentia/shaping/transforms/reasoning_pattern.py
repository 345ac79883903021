"""Phrases of somebody who reasons: as a reward of their own, and as a second opinion on a doubtful score."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.rollout import Rollout
from potentia.shaping.columns import text_column
from potentia.shaping.shaper import Carry, Contract, Shaper

PHRASES: tuple[str, ...] = (
    "first", "second", "third", "next", "then", "finally", "therefore", "thus", "hence", "so that", "because", "since",
    "we need to", "we know that", "we can", "let us", "let's", "suppose", "assume", "consider", "given that",
    "note that", "recall", "in other words", "on the other hand", "however", "but", "wait", "check", "verify", "let me",
    "alternatively", "in contrast", "for example", "which means", "this implies", "it follows", "if we", "in total",
    "as a result",
)  # fmt: skip
"""Forty phrases that join the steps of an argument."""


class ReasoningPattern(Shaper):
    """``min(phrases present / enough, 1) - repetition``, at least 0: how much a text looks like reasoning.

    Lv et al. 2025, "The climb carves wisdom deeper than the summit", arXiv 2505.22653, the reasoning pattern reward. It
    asks nothing of the answer. It teaches a form at first, and then to go on for ever, so it is a control. Its use is
    ``below``: with it the term is ``alpha * pattern`` on rewards below that threshold and 0 on others, which makes up
    for a reward model that does not see what is right in a text. Repetition is the share of runs of 20 words that
    occurred before in the same text.

    Args:
        column: The info column of texts that describe the step.
        phrases: What is looked for, in any case, each counted once.
        enough: How many of them earn 1.
        alpha: What the pattern is multiplied by.
        below: Pay only where the reward so far is less. None pays everywhere.
        part: A regular expression whose first group is the part of the text that counts, such as the thought. Where it
            does not match, nothing is paid. None is all of it.
        name: The term's name.

    Raises:
        ValueError: If there are no phrases, or ``enough`` is not positive.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> zeros, no = np.zeros((1, 2)), np.zeros((1, 2), bool)
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": np.array([[0.3, 0.8]])}, discount=zeros,
    ...     terminated=no, truncated=no, info={"next_response": np.array([["First this, then that.", "Thus 4."]])})
    >>> ReasoningPattern(enough=4).shape(rollout)[0].terms["ReasoningPattern"][0].tolist()
    [0.5, 0.25]
    >>> calibrated = ReasoningPattern(enough=4, alpha=0.1, below=0.5)
    >>> calibrated.shape(rollout)[0].terms["ReasoningPattern"][0].tolist()
    [0.05, 0.0]
    """

    def __init__(
        self,
        column: str = "next_response",
        phrases: Sequence[str] = PHRASES,
        *,
        enough: float = 20.0,
        alpha: float = 1.0,
        below: float | None = None,
        part: str | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if not phrases or not enough > 0:
            raise ValueError(f"wanted phrases and a positive number that is enough, got {len(phrases)} and {enough}")
        self.column, self.enough, self.alpha, self.below = column, enough, alpha, below
        self.phrases = [re.compile(rf"\b{re.escape(phrase)}\b", re.IGNORECASE) for phrase in phrases]
        self.part = None if part is None else re.compile(part, re.DOTALL)
        self.contract: Contract = Contract(
            reads=frozenset({f"info:{column}"} | ({"reward"} if below is not None else set()))
        )

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        texts, mask = text_column(rollout, self.column, self.name), host_array(rollout.mask)
        where = mask if self.below is None else mask & (host_array(rollout.reward) < self.below)
        term = np.zeros(mask.shape)
        term[where] = [self.alpha * self._pattern(str(text)) for text in texts[where].tolist()]
        return rollout.add(self.name, like_column(term, rollout.discount)), carry

    def _pattern(self, text: str) -> float:
        if self.part is not None:
            match = self.part.search(text)
            if match is None:
                return 0.0
            text = match[1]
        present = sum(phrase.search(text) is not None for phrase in self.phrases)
        return max(min(present / self.enough, 1.0) - _repetition(text), 0.0)


def _repetition(text: str, run: int = 20) -> float:
    words = text.split()
    runs: list[Any] = [tuple(words[k : k + run]) for k in range(len(words) - run + 1)]
    return 1.0 - len(set(runs)) / len(runs) if runs else 0.0
