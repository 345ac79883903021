"""A judge that counts the rules that a text keeps, be they given, extracted from preferences or fitted to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

import numpy as np

from potentia.judges.judge import Judge
from potentia.judges.opinions.rubrics import Rubrics
from potentia.judges.opinions.verifiers import Concise, Functions, Predicate
from potentia.judges.question import Ideas

__all__ = ["RuleSet"]

_STEPS = 2000


class RuleSet(Rubrics):
    """``(1 / K) sum_k V(text, rule_k)`` with V in [0, 1]: the share of rules that a text keeps.

    Wang and Xiong 2025 (AutoRule), arXiv 2506.15651. `Progress` is the share of the state, `Prefers` the difference of
    two shares, and `Holds` tells of each rule apart. The verifier V is a function for each rule, or a judge.

    The paper's verifier is also asked whether the text is concise, which its formula does not say. It makes every rule
    a rule about length. So it is an argument here, and off.

    Args:
        rules: The rules: texts, which the judge verifies, or functions from a text to a truth value, by name.
        judge: Who verifies rules that are texts.
        concise: A rule is kept only by texts of at most so many words. None is the formula as written.

    Raises:
        ValueError: If there is no rule, or rules are texts and there is no judge.

    >>> from potentia.judges import Progress
    >>> judge = RuleSet.fit(
    ...     [("take the key", "wait"), ("take the lamp", "take a nap"), ("open the door", "wait here")],
    ...     {"names a thing": lambda text: " the " in text, "takes": lambda text: "take" in text})
    >>> judge.rules, judge.answer([Progress("Leave.", "take the key")])[0].value
    (('names a thing',), 1.0)
    """

    def __init__(
        self,
        rules: Sequence[str] | Mapping[str, Predicate],
        judge: Judge | None = None,
        *,
        concise: int | None = None,
    ) -> None:
        verifier = Functions(rules) if isinstance(rules, Mapping) else judge
        if verifier is None:
            raise ValueError("rules that are texts need a judge to verify them; or give a function for each")
        super().__init__(verifier if concise is None else Concise(verifier, concise), tuple(rules))
        self.rules, self.concise = tuple(rules), concise
        self.name = f"{len(self.rules)} rules by {verifier.name}"

    @classmethod
    def fit(
        cls,
        preferences: Sequence[tuple[str, str]],
        predicates: Mapping[str, Predicate],
        *,
        strength: float = 0.05,
        concise: int | None = None,
    ) -> Self:
        r"""The predicates with a weight in ``min over w >= 0: mean log(1 + exp(-w (f(better) - f(worse)))) + s sum w``.

        This is sparse logistic regression on what tells the better from the worse text. It is solved by proximal
        gradient steps from zero (Beck and Teboulle 2009), so the same data give the same rules. The rules then count
        alike, as in the paper.

        Args:
            preferences: Pairs of texts (better, worse).
            predicates: What rules can be made of, by name.
            strength: The s above: how much a predicate must explain to be a rule.
            concise: See the class.

        Raises:
            ValueError: If there are no preferences, or no predicate tells the better text.
        """
        names = list(predicates)
        rows = [[float(predicates[name](a)) - float(predicates[name](b)) for name in names] for a, b in preferences]
        if not rows or not names:
            raise ValueError("rules are fitted to at least one preference and one predicate")
        difference = np.asarray(rows)
        step = 4.0 / max(float(np.linalg.norm(difference, 2)) ** 2 / len(difference), 1e-12)
        weights = np.zeros(len(names))
        for _ in range(_STEPS):
            wrong = 1.0 / (1.0 + np.exp(np.clip(difference @ weights, -500.0, 500.0)))
            weights = np.maximum(weights + step * (difference.T @ wrong / len(difference) - strength), 0.0)
        kept = {name: predicates[name] for name, weight in zip(names, weights, strict=True) if weight > 1e-6}
        if not kept:
            raise ValueError(f"none of the predicates {names} tells the better text; lower strength={strength:g}")
        return cls(kept, concise=concise)

    @classmethod
    def extract(
        cls,
        judge: Judge,
        goal: str,
        preferences: Sequence[tuple[str, str]],
        *,
        most: int = 25,
        concise: int | None = None,
    ) -> Self:
        """Rules that a judge writes from pairs of texts (`Ideas`), verified by the same judge. The paper has about 25.

        Args:
            judge: Who writes and verifies.
            goal: What the texts are for.
            preferences: Pairs of texts (better, worse).
            most: How many rules it may write.
            concise: See the class.

        Raises:
            ValueError: If the judge writes none. The message says why.
        """
        examples = tuple(f"Better: {better}\nWorse: {worse}" for better, worse in preferences)
        (answer,) = judge.answer(
            [Ideas("rules that the better texts keep and the worse ones break", goal, examples, most)]
        )
        if not answer.valid:
            raise ValueError(f"{judge.name} wrote no rules: {answer.reason}")
        return cls(answer.texts, judge, concise=concise)
