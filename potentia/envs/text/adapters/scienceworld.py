"""ScienceWorld: experiments of elementary school, in a Java process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from potentia.envs.text.adapters.packages import package
from potentia.envs.text.game import TextGame, Turn
from potentia.limits import check_among

__all__ = ["from_scienceworld"]


def from_scienceworld(task: str, *, simplifications: str = "", fold: str = "train", **kwargs: Any) -> TextGame:
    """A task of ScienceWorld (Wang et al. 2022, arXiv 2203.07540). It needs ``scienceworld`` and Java.

    The reward is the rise of the score, which ends at 1; the task is lost where it falls below 0. Steps call the engine
    itself: the package's own `step` also lists all valid actions, which takes ten times as long. They are listed for
    ``commands`` only. There is no ``distance``: its gold paths are not the shortest.

    Args:
        task: Such as "boil" or "find-living-thing".
        simplifications: Such as "easy".
        fold: "train", "dev" or "test". Each episode draws one of its variations.
        kwargs: ``max_episode_steps`` (100), ``info_keys`` and ``render_mode`` of `TextGame`.

    Raises:
        ImportError: If the package is missing.
        ValueError: If there is no such task, simplification or fold.
    """
    return _Science(task, simplifications, fold, **kwargs)


class _Science(TextGame):
    def __init__(
        self, task: str, simplifications: str, fold: str, *, max_episode_steps: int | None = 100, **kwargs: Any
    ) -> None:
        variations = {"train": "get_variations_train", "dev": "get_variations_dev", "test": "get_variations_test"}
        check_among(tuple(variations), fold=fold)
        self._engine = package("scienceworld", "scienceworld").ScienceWorldEnv(envStepLimit=10**9)
        self._task, self._simplifications = task, simplifications
        self._engine.load(task, 0, simplifications)
        self._variations = getattr(self._engine, variations[fold])()
        self._score = 0.0
        readers = {"caption": self._caption, "score": self._points}
        super().__init__(readers, max_episode_steps=max_episode_steps, **kwargs)

    @property
    def commands(self) -> Sequence[str]:
        return sorted(self._engine.get_valid_action_object_combinations()) if self._begun else ()

    def goal_text(self) -> str:
        return str(self._engine.taskdescription()) if self._begun else ""

    def _begin(self) -> str:
        variation = self._variations[int(self.np_random.integers(len(self._variations)))]
        self._engine.load(self._task, int(variation), self._simplifications)
        self._score = 0.0
        self._engine.server.reset()
        return str(self._engine.server.step("look around"))

    def _act(self, command: str) -> Turn:
        text = str(self._engine.server.step(command))
        score = float(self._engine.server.getScore())
        reward, self._score = score - self._score, score
        won = score >= 1.0
        lost = not won and (score < 0.0 or bool(self._engine.server.getCompleted()))
        return Turn(text, reward, won, lost)

    def _caption(self) -> str:
        return f"{self._engine.look()}\n{self._engine.inventory()}"

    def _points(self) -> float:
        return self._score

    def close(self) -> None:
        """Ends the Java process."""
        self._engine.close()
