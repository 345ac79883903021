"""What worlds share in which somebody is asked: a hidden hypothesis, a belief, and what has been said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from potentia.envs.info_keys import number
from potentia.envs.text.game import PlainGame, Turn, text_hash
from potentia.envs.text.inquiry.belief import Question, Vector, entropy, posterior
from potentia.envs.world import Wanted

__all__ = ["AskedGame"]


class AskedGame(PlainGame):
    """A hypothesis is drawn, and each reply changes the belief in it. An observation is all that was said so far.

    ``entropy`` is that of the belief in nats, so that what is gained in an episode adds up to its fall from beginning
    to end. ``potential`` is ``-min(entropy / entropy at the beginning, 1)``, 0 at success and -1 where it is lost. It
    is the belief's and not the true state's: who knew the hypothesis would need one command from anywhere, and so a
    distance would say nothing. Therefore there is none.

    Args:
        prior: What the hypothesis is drawn from, ``(N,)``.
        believed: What the belief begins with, ``(N,)``.
        questions: What can be asked, by command.
        cost: What a command that does not end the episode costs.
        noise: Whether replies are left to chance.
        max_episode_steps: Of an episode.
        info_keys: See `TextGame`.
        render_mode: "ansi", or None.
    """

    kept: tuple[str, ...] = ("_hidden", "_belief", "_log")
    event_names = ("learned_something",)

    def __init__(
        self,
        prior: Vector,
        believed: Vector,
        questions: Mapping[str, Question],
        *,
        cost: float,
        noise: bool,
        max_episode_steps: int | None,
        info_keys: Wanted,
        render_mode: str | None,
    ) -> None:
        if not cost >= 0:
            raise ValueError(f"cost must be at least 0, got {cost!r}")
        self._prior, self._believed, self.asking, self._cost = prior, believed, dict(questions), cost
        self._first = entropy(believed)
        self._hidden, self._belief = 0, believed
        self._log: tuple[str, ...] = ()
        self.chance = noise
        readers: dict[str, Any] = {
            "caption": self._caption,
            "state_hash": self._hash,
            "potential": self._potential_of_belief,
            "entropy": self._entropy,
            "facts": self._facts,
        }
        super().__init__(
            readers,
            max_episode_steps=max_episode_steps,
            length=8192,
            command_length=400,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    @property
    def belief(self) -> Vector:
        """The probability of each hypothesis after all that was said, ``(N,)``."""
        return self._belief.copy()

    @property
    def optimal_return(self) -> float | None:
        """Not known: it is a matter of chance how soon one is certain."""
        return None

    def _begin(self) -> str:
        self._hidden = int(self.np_random.choice(len(self._prior), p=self._prior))
        self._belief, self._log = self._believed, ()
        return self.goal_text()

    def _ask(self, question: Question) -> Turn:
        """The reply to a question, as the hidden hypothesis has it."""
        chances = question.chances[:, self._hidden]
        sure = int(np.argmax(chances))
        reply = sure if chances[sure] == 1 else int(self.np_random.choice(len(chances), p=chances))
        return self._hear(question.text, question.replies[reply], question.chances[reply], -self._cost)

    def _hear(
        self, command: str, reply: str, chances: Vector | None, reward: float, success: bool = False, lost: bool = False
    ) -> Turn:
        """What was said becomes part of the log, and of the belief by its chances under each hypothesis."""
        before = entropy(self._belief)
        if chances is not None:
            self._belief = posterior(self._belief, chances)
        self._log = (*self._log, f"> {command}", reply)
        learned = entropy(self._belief) < before - 1e-12
        events = frozenset(self.event_names if learned else ())
        return Turn("\n".join([self.goal_text(), *self._log]), reward, success, lost, events)

    def _unheard(self, reply: str) -> Turn:
        """A command that means nothing is answered, and not remembered."""
        return Turn("\n".join([self.goal_text(), *self._log, reply]), -self._cost)

    def _entropy(self) -> np.float64:
        return number(entropy(self._belief))

    def _potential_of_belief(self) -> np.float64:
        if self._turn.success or self._turn.lost:
            return number(0.0 if self._turn.success else -1.0)
        return number(0.0 - min(entropy(self._belief) / self._first, 1.0) if self._first else 0.0)

    def _caption(self) -> str:
        count = len(self._log) // 2
        return f"{count} things were said. Last: {' '.join(self._log[-2:])}" if count else "Nothing was said yet."

    def _hash(self) -> int:
        return text_hash(str(self._hidden), *self._log)

    def _facts(self) -> str:
        raise NotImplementedError
