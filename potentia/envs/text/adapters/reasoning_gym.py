"""reasoning-gym: a question, one answer, and a score for it."""

from __future__ import annotations

from typing import Any

from potentia.envs.text.adapters.packages import package
from potentia.envs.text.game import PlainGame, Turn

__all__ = ["from_reasoning_gym"]


def from_reasoning_gym(task: str, *, size: int = 500, task_seed: int = 0, **kwargs: Any) -> PlainGame:
    """A generator of reasoning-gym (Stojanovski et al. 2025, arXiv 2505.24760). It needs ``reasoning-gym``.

    An episode is one question and one answer. The reward is the generator's own score of the answer, in [0, 1]. It is a
    success at 1, and lost below.

    Args:
        task: A generator, such as "basic_arithmetic".
        size: How many questions there are. Each episode draws one.
        task_seed: Decides the questions.
        kwargs: ``info_keys`` and ``render_mode`` of `TextGame`. All others go to the generator.

    Raises:
        ImportError: If the package is missing.
        ValueError: If there is no such generator.
    """
    own = {key: kwargs.pop(key) for key in ("info_keys", "render_mode", "length", "command_length") if key in kwargs}
    return _Question(task, size, task_seed, kwargs, **own)


class _Question(PlainGame):
    kept = ("_index",)

    def __init__(self, task: str, size: int, task_seed: int, settings: dict[str, Any], **kwargs: Any) -> None:
        engine = package("reasoning_gym", "reasoning-gym")
        self._questions = engine.create_dataset(task, size=size, seed=task_seed, **settings)
        self._size, self._index = size, 0
        readers = {"caption": self._question, "state_hash": self._hash}
        super().__init__(readers, max_episode_steps=1, **{"command_length": 2000, **kwargs})

    def goal_text(self) -> str:
        return self._question() if self._begun else ""

    def _begin(self) -> str:
        self._index = int(self.np_random.integers(self._size))
        return self._question()

    def _act(self, command: str) -> Turn:
        score = float(self._questions.score_answer(command, self._questions[self._index]))
        return Turn(f"Score: {score:g}", score, score >= 1.0, score < 1.0)

    def _question(self) -> str:
        return str(self._questions[self._index]["question"])

    def _hash(self) -> int:
        return self._index
