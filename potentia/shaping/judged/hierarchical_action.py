"""Format, certainty, and an action judged from its type down to its words: Shop-R1's process reward."""

from __future__ import annotations

import json
import math
import re
from typing import Any

import numpy as np

from potentia.arrays import host_array, like_column
from potentia.envs.action_text import ActionCall, parse_action
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import each_step, info_column, text_column
from potentia.shaping.judged.process_reward import ProcessReward
from potentia.shaping.judged.reference import parse_reference
from potentia.shaping.shaper import Contract

_WORD = re.compile(r"\w+")
_PARTS = ("format", "type", "arguments", "name", "value")
_NOTHING = (0.0,) * len(_PARTS)


class HierarchicalAction(ProcessReward):
    r"""``0.5 format + alpha * certainty + 0.3 type + 0.2 arguments + 0.1 name + DARS * value``, for each step's answer.

    Zhang et al. 2025 (Shop-R1), arXiv 2507.17842. An answer is a JSON object ``{"rationale": text, "action": call}``,
    its call in the grammar of `potentia.envs.action_text`. That call is compared with the call of a reference.

    *format*: it can be read so, both being text. All that follows is 0 if it can't.
    *certainty*: how far the model's next-token distributions were from uniform, over the rationale (`self_certainty`).
    *type*: the names of the two calls are equal. What follows is 0 if they are not, or if the answer has more
    arguments than the reference.
    *arguments*: for each argument of the reference, an equal share if the answer has one that isn't empty: 0.2 for
    ``click("Buy")``, 0.1 and 0.1 for ``type_and_submit("search", "red shoes")``.
    *name*, if the reference has two or more arguments: the mean similarity of all but the last.
    *value*: the similarity of the last, times ``dars``, the difficulty-aware scale: a text is far harder to
    hit than a type, and without it a model learns to answer ``terminate()``, which has nothing to miss.

    The similarity is ROUGE-L: the F1 of the longest common subsequence of words. Less than ``threshold`` counts as 0.
    Numbers, such as the element in ``click(3)``, are words, too.

    It reads the info columns ``next_response`` and ``reference`` as `BlinkLink` does, but boxes don't matter. A step
    whose reference is "" earns 0. Unless ``alpha`` is 0, it also reads ``next_certainty``, floats ``(T, B)``. Certainty
    rewards confidence whether or not it is deserved: nothing here measures calibration. The term can change the
    optimum.

    Args:
        alpha: The weight of the certainty. Give 0 if the certainty isn't known.
        dars: The weight of the value.
        threshold: The similarity from which on it counts, in [0, 1].
        name: The term's name.

    Raises:
        ValueError: If ``threshold`` lies outside [0, 1].

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> answers = ['{"rationale": "Shoes.", "action": "type_and_submit(1, \\"red running shoes\\")"}', "I am lost."]
    >>> zeros = np.zeros((2, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 0.99,
    ...     terminated=zeros > 0, truncated=zeros > 0, info={
    ...         "reference": np.array([['type_and_submit(1, "red shoes")']] * 2),
    ...         "next_response": np.array([answers]).T})
    >>> shaper = HierarchicalAction(alpha=0.0, dars=10.0)
    >>> {name: part[:, 0].tolist() for name, part in shaper.parts(rollout).items()}  # 10 * 0.8, the F1 of the words
    {'format': [0.5, 0.0], 'type': [0.3, 0.0], 'arguments': [0.2, 0.0], 'name': [0.1, 0.0], 'value': [8.0, 0.0]}
    >>> shaper.shape(rollout)[0].terms["HierarchicalAction"][:, 0].round(1).tolist()
    [9.1, 0.0]
    """

    def __init__(
        self, *, alpha: float = 0.005, dars: float = 1000.0, threshold: float = 0.75, name: str | None = None
    ) -> None:
        super().__init__(name)
        if not 0 <= threshold <= 1:
            raise ValueError(f"threshold must lie in [0, 1], got {threshold}")
        self.alpha, self.dars, self.threshold = float(alpha), float(dars), threshold
        self.maxima = dict(zip(_PARTS, (0.5, 0.3, 0.2, 0.1, self.dars), strict=True))
        reads = {"info:next_response", "info:reference"}
        if self.alpha:
            self.maxima["certainty"] = math.inf
            reads.add("info:next_certainty")
        self.contract: Contract = Contract(reads=frozenset(reads))

    def parts(self, rollout: Rollout) -> dict[str, Array]:
        """The weighted parts: format, type, arguments, name, value, and certainty unless alpha is 0.

        Raises:
            ValueError: If a column is missing or has another shape, or a reference is not one.
            TypeError: If a column does not hold text.
        """
        responses = text_column(rollout, "next_response", self.name)
        references = text_column(rollout, "reference", self.name)

        def judge(t: int, b: int) -> tuple[float, ...]:
            reference = parse_reference(str(references[t, b]))
            return _NOTHING if reference is None else self.judge(str(responses[t, b]), reference.call)

        shares = each_step(rollout, judge, len(_PARTS))
        parts = {name: self.maxima[name] * shares[..., index] for index, name in enumerate(_PARTS)}
        if self.alpha:
            certainty = host_array(info_column(rollout, "next_certainty", self.name))
            if certainty.shape != shares.shape[:2]:
                raise ValueError(
                    f"the info column 'next_certainty' must have shape (T, B) = {shares.shape[:2]}, got "
                    f"{certainty.shape}: one mean over the rationale's tokens for each answer"
                )
            # Without a format there is no rationale to be certain of, and behind the mask there may be NaN.
            parts["certainty"] = np.where(shares[..., 0] > 0, self.alpha * certainty, 0.0)
        return {name: like_column(part, rollout.discount) for name, part in parts.items()}

    def judge(self, response: str, wanted: ActionCall) -> tuple[float, ...]:
        """The shares, in [0, 1], of format, type, arguments, name and value."""
        call = action_of(response)
        if call is None:
            return _NOTHING
        if call.name != wanted.name or len(call.arguments) > len(wanted.arguments):
            return 1.0, float(call.name == wanted.name), 0.0, 0.0, 0.0
        if not wanted.arguments:
            return 1.0, 1.0, 0.0, 0.0, 0.0
        arguments = [str(argument) for argument in call.arguments]
        arguments += [""] * (len(wanted.arguments) - len(arguments))
        alike = [self._similarity(one, str(other)) for one, other in zip(arguments, wanted.arguments, strict=True)]
        names = alike[:-1]
        filled = sum(bool(argument.strip()) for argument in arguments) / len(arguments)
        return 1.0, 1.0, filled, sum(names) / len(names) if names else 0.0, alike[-1]

    def _similarity(self, one: str, other: str) -> float:
        value = rouge_l(one, other)
        return value if value >= self.threshold else 0.0


def action_of(response: str) -> ActionCall | None:
    """The call of an answer ``{"rationale": text, "action": call}``, or None if the answer is anything else."""
    try:
        answer = json.loads(response)
        if not isinstance(answer, dict) or set(answer) != {"rationale", "action"}:
            return None
        return parse_action(answer["action"]) if all(isinstance(text, str) for text in answer.values()) else None
    except (ValueError, RecursionError):
        return None


def rouge_l(one: str, other: str) -> float:
    """``2 lcs / (n + m)``: the F1 of the longest common subsequence of n and m words. 1 if neither has any.

    Lin 2004, "ROUGE: a package for automatic evaluation of summaries". Words are runs of letters, digits and ``_``,
    without regard to capitals.

    >>> rouge_l("red running shoes", "red shoes")
    0.8
    """
    first, second = _WORD.findall(one.casefold()), _WORD.findall(other.casefold())
    if not first and not second:
        return 1.0
    row = [0] * (len(second) + 1)
    for word in first:
        before = 0
        for index, its in enumerate(second, 1):
            before, row[index] = row[index], before + 1 if word == its else max(row[index], row[index - 1])
    return 2 * row[-1] / (len(first) + len(second))


def self_certainty(log_probabilities: Any) -> float:
    """``mean over tokens of KL(p || uniform) = log V + sum_v p log p``: 0 if uniform, log V if sure.

    Args:
        log_probabilities: Natural logarithms of the next-token distributions of a text, ``(tokens, V)``.

    Raises:
        ValueError: If the shape is another, there is no token, or a row is no distribution.
    """
    logs = np.asarray(host_array(log_probabilities), dtype=np.float64)
    if logs.ndim != 2 or 0 in logs.shape:
        raise ValueError(f"log_probabilities must have shape (tokens, V), neither 0, got {logs.shape}")
    probabilities = np.exp(logs)
    if not np.allclose(probabilities.sum(1), 1.0, atol=1e-3):
        raise ValueError("each row of log_probabilities must be normalised: its exponentials must sum to 1")
    information = np.where(probabilities > 0, probabilities * np.where(probabilities > 0, logs, 0.0), 0.0).sum(1)
    return float(np.log(logs.shape[1]) + information.mean())
