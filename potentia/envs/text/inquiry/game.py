"""`Inquiry`: an intent of several attributes is asked for, and then stated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from potentia.envs.text.game import Turn
from potentia.envs.text.inquiry.asked import AskedGame
from potentia.envs.text.inquiry.intents import Intents
from potentia.envs.world import Wanted
from potentia.limits import check_among

__all__ = ["DIAGRAM", "Inquiry"]

DIAGRAM: dict[str, tuple[str, ...]] = {
    "kind": ("flowchart", "tree", "timeline", "network"),
    "layout": ("vertical", "horizontal", "radial", "grid"),
    "colour": ("blue", "green", "grey"),
    "detail": ("sparse", "medium", "dense"),
}
"""The attributes by default: a diagram that somebody has in mind."""

_BELIEFS = ("exact", "independent")
_KINDS = ("both", "open", "closed")


class Inquiry(AskedGame):
    """A user has an intent in mind, a value for each attribute. Ask, and then answer what it is.

    Nous: Sun et al. 2025, arXiv 2510.27410, with noise, coupled attributes and weights as settings. Commands:
    ``ask ATTRIBUTE``, ``is ATTRIBUTE VALUE`` and ``answer ATTRIBUTE=VALUE ...``, which ends the episode. The reward is
    the weight of the attributes that are right, of a total of 1, and success is all of them. Information itself is not
    paid for: ``info["entropy"]`` says it, and its fall is potential-based.

    ``commands`` has all questions and one answer: the most probable intent by what was said.

    Args:
        attributes: Values by attribute, single words. None is `DIAGRAM`.
        priors: Probabilities of values, by attribute. Others are equal.
        weights: Of attributes in the reward. None is equal ones.
        coupling: How much an attribute follows the one before it, see `Intents`.
        noise: The probability of a wrong reply. Each is drawn anew, so that asking again helps.
        belief: ``"exact"``: by the true model. ``"independent"``: as if attributes were independent, with the right
            marginals. What is lost by that can so be measured.
        questions: ``"open"``, ``"closed"`` (``is ...``) or ``"both"``.
        cost: Of each question.
        max_episode_steps: Of an episode.
        info_keys: See `TextGame`.
        render_mode: "ansi", or None.

    Raises:
        ValueError: If a setting is out of range or unknown.
    """

    def __init__(
        self,
        attributes: Mapping[str, Sequence[str]] | None = None,
        *,
        priors: Mapping[str, Sequence[float]] | None = None,
        weights: Mapping[str, float] | None = None,
        coupling: float = 0.0,
        noise: float = 0.0,
        belief: str = "exact",
        questions: str = "both",
        cost: float = 0.0,
        max_episode_steps: int | None = 20,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        check_among(_BELIEFS, belief=belief)
        check_among(_KINDS, questions=questions)
        self.intents = Intents(attributes or DIAGRAM, priors, coupling=coupling, noise=noise)
        self._weights = self._checked_weights(weights)
        super().__init__(
            self.intents.prior,
            self.intents.prior if belief == "exact" else self.intents.independent,
            {question.text: question for question in self.intents.questions(questions)},
            cost=cost,
            noise=noise > 0,
            max_episode_steps=max_episode_steps,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    def _checked_weights(self, weights: Mapping[str, float] | None) -> dict[str, float]:
        names = list(self.intents.attributes)
        found = {name: 1.0 for name in names} if weights is None else dict(weights)
        if set(found) != set(names) or min(found.values()) < 0 or sum(found.values()) <= 0:
            raise ValueError(f"weights must be numbers from 0 for each of {names}, not all of them 0, got {weights!r}")
        total = sum(found.values())
        return {name: found[name] / total for name in names}

    @property
    def intent(self) -> str:
        """What the user has in mind."""
        return self.intents.text(self._hidden)

    @property
    def commands(self) -> Sequence[str]:
        """All questions, and the most probable answer."""
        return [*self.asking, f"answer {self.intents.text(int(np.argmax(self._belief)))}"] if self._running else ()

    def goal_text(self) -> str:
        """What is to be done, and the attributes with their values."""
        values = "; ".join(f"{name}: {', '.join(values)}" for name, values in self.intents.attributes.items())
        return f"Find out what the user has in mind, and answer it. {values}."

    def _act(self, command: str) -> Turn:
        verb, *words = command.split()[:100] or [""]
        question = self.asking.get(" ".join([verb, *words]))
        if question is not None:
            return self._ask(question)
        if verb != "answer" or not words:
            return self._unheard("Ask, or say: answer ATTRIBUTE=VALUE ...")
        right = self.intents.right(self._hidden, words)
        reward = sum(weight for weight, hit in zip(self._weights.values(), right, strict=True) if hit)
        if all(right):
            known = np.arange(len(self._belief)) == self._hidden
            return self._hear(command, "Yes, that is it.", known.astype(np.float64), 1.0, success=True)
        return self._hear(command, "No, that is not it.", None, reward, lost=True)

    def _facts(self) -> str:
        return self.intent.replace(" ", "\n")
