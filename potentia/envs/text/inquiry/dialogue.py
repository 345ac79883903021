"""`Dialogue`: a user has a wish, is asked about it, and is offered an item of a catalogue."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from potentia.envs.text.game import Turn
from potentia.envs.text.inquiry.asked import AskedGame
from potentia.envs.text.inquiry.belief import Question
from potentia.envs.text.inquiry.catalogue import ATTRIBUTES, CATALOGUE
from potentia.envs.world import Wanted

__all__ = ["Dialogue"]

Wish = tuple[str, ...]
"""A value for each attribute, "" where it does not matter."""

_SAYINGS = (
    "I would like it {value}.",
    "{value}, please.",
    "It should be {value}.",
    "I was thinking of something {value}.",
)
_ANY = ("The {name} does not matter to me.", "Any {name} will do.", "I have no wish about the {name}.")


class Dialogue(AskedGame):
    """A user wishes for something out of a catalogue of 24 items. Ask what matters, and offer an item that satisfies.

    `Inquiry`'s long form. A wish names values of some attributes of an item that there is. The others do not matter, so
    that several items may satisfy it. Commands: ``ask ATTRIBUTE``, answered in a sentence, and ``offer ITEM``. A wrong
    offer is refused with the first attribute that is wrong. After ``patience`` wrong offers the user leaves. The reward
    is 1 for an item that satisfies.

    Args:
        wishes: How many attributes matter, 1 to 5.
        noise: The probability that a reply to a question is wrong. What is said of offers is true.
        patience: How many wrong offers end the episode.
        cost: Of each question and wrong offer.
        max_episode_steps: Of an episode.
        info_keys: See `TextGame`.
        render_mode: "ansi", or None.

    Raises:
        ValueError: If a setting is out of range.
    """

    kept = (*AskedGame.kept, "_refused")

    def __init__(
        self,
        wishes: int = 3,
        *,
        noise: float = 0.0,
        patience: int = 2,
        cost: float = 0.0,
        max_episode_steps: int | None = 15,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        if wishes not in range(1, len(ATTRIBUTES) + 1) or isinstance(wishes, bool):
            raise ValueError(f"wishes must be a whole number in 1..{len(ATTRIBUTES)}, got {wishes!r}")
        if not 0 <= noise < 1 or patience < 1:
            raise ValueError(f"noise must be in [0, 1) and patience at least 1, got {noise!r} and {patience!r}")
        self._wishes, prior = _all_wishes(wishes)
        self._patience, self._refused = patience, 0
        questions = [self._question(d, name, noise) for d, name in enumerate(ATTRIBUTES)]
        self.offers = {item: self._offer(item) for item in CATALOGUE}
        super().__init__(
            prior,
            prior,
            {question.text: question for question in questions},
            cost=cost,
            noise=noise > 0,
            max_episode_steps=max_episode_steps,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    def _question(self, d: int, name: str, noise: float) -> Question:
        values = sorted({item[d] for item in CATALOGUE.values()})
        meant = np.array([[wish[d] == value for wish in self._wishes] for value in (*values, "")])
        chances = np.where(meant, 1 - noise, noise / len(values))
        said = [_SAYINGS[(d + k) % len(_SAYINGS)].format(value=value) for k, value in enumerate(values)]
        replies = [text[0].upper() + text[1:] for text in said]
        return Question(f"ask {name}", (*replies, _ANY[d % len(_ANY)].format(name=name)), chances)

    def _offer(self, item: str) -> Question:
        """The replies to an offer: that it is right, or the first attribute that is wrong."""
        wrong = np.array([_first_wrong(wish, CATALOGUE[item]) for wish in self._wishes])
        chances = (wrong == np.arange(-1, len(ATTRIBUTES))[:, None]).astype(np.float64)
        refusals = [f"No, the {name} is not what I want." for name in ATTRIBUTES]
        return Question(f"offer {item}", ("Yes, that is what I was looking for.", *refusals), chances)

    @property
    def wish(self) -> Wish:
        """What the user wishes for."""
        return self._wishes[self._hidden]

    @property
    def commands(self) -> Sequence[str]:
        """All questions and all offers."""
        return [*self.asking, *(question.text for question in self.offers.values())] if self._running else ()

    def goal_text(self) -> str:
        """What is to be done, and the catalogue."""
        items = "; ".join(f"{name}: {' '.join(item)}" for name, item in CATALOGUE.items())
        return f"Offer the user something that satisfies the wish. Ask about {', '.join(ATTRIBUTES)}. {items}."

    def _begin(self) -> str:
        self._refused = 0
        return super()._begin()

    def _act(self, command: str) -> Turn:
        question = self.asking.get(" ".join(command.split()))
        if question is not None:
            return self._ask(question)
        verb, _, item = command.partition(" ")
        offer = self.offers.get(item.strip()) if verb == "offer" else None
        if offer is None:
            return self._unheard("Ask about an attribute, or offer an item by its name.")
        reply = int(np.argmax(offer.chances[:, self._hidden]))
        satisfied = reply == 0
        self._refused += not satisfied
        lost = self._refused >= self._patience
        reward = 1.0 if satisfied else -self._cost
        return self._hear(offer.text, offer.replies[reply], offer.chances[reply], reward, satisfied, lost)

    def _facts(self) -> str:
        wished = [f"{name}: {value}" for name, value in zip(ATTRIBUTES, self.wish, strict=True) if value]
        fit = [item for item, offer in self.offers.items() if offer.chances[0, self._hidden]]
        return "\n".join([*wished, f"satisfied by: {', '.join(fit)}", f"wrong offers: {self._refused}"])


def _all_wishes(count: int) -> tuple[list[Wish], np.ndarray[tuple[int], np.dtype[np.float64]]]:
    """Each wish that some item satisfies, and its probability: an item and the attributes that matter are drawn."""
    times: dict[Wish, int] = {}
    for item in CATALOGUE.values():
        for chosen in combinations(range(len(ATTRIBUTES)), count):
            wish = tuple(value if d in chosen else "" for d, value in enumerate(item))
            times[wish] = times.get(wish, 0) + 1
    counts = np.array(list(times.values()), np.float64)
    return list(times), counts / counts.sum()


def _first_wrong(wish: Wish, item: Sequence[str]) -> int:
    """The number of the first attribute that is not as wished, -1 if there is none."""
    return next((d for d, value in enumerate(wish) if value and value != item[d]), -1)
