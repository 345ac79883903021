"""TextWorldExpress: TextWorld's common games, rebuilt for speed in a Java process."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from potentia.envs.text.adapters.packages import package
from potentia.envs.text.game import TextGame, Turn, text_hash
from potentia.limits import check_among

__all__ = ["from_textworld_express"]


def from_textworld_express(task: str, *, params: str = "", fold: str = "train", **kwargs: Any) -> TextGame:
    """A game of TextWorldExpress (Jansen and Côté 2023, arXiv 2208.01174). It needs ``textworld-express`` and Java.

    The reward is the rise of the score, which ends at 1. ``commands`` are its valid actions, and ``caption`` is what
    looking around and the inventory say, for which nothing is paid. There is no ``distance``: its gold paths are not
    the shortest.

    Args:
        task: "cookingworld", "twc", "coin", "mapreader", "arithmetic", "simonsays", "sorting" or "peckingorder".
        params: Such as "numLocations=5,includeDoors=1".
        fold: "train", "dev" or "test". Each episode draws one of its seeds.
        kwargs: ``max_episode_steps`` (50), ``info_keys`` and ``render_mode`` of `TextGame`.

    Raises:
        ImportError: If the package is missing.
        ValueError: If there is no such task, parameter or fold.
    """
    return _Express(task, params, fold, **kwargs)


class _Express(TextGame):
    def __init__(self, task: str, params: str, fold: str, *, max_episode_steps: int | None = 50, **kwargs: Any) -> None:
        seeds = {"train": "getValidSeedsTrain", "dev": "getValidSeedsDev", "test": "getValidSeedsTest"}
        check_among(tuple(seeds), fold=fold)
        engine = package("textworld_express", "textworld-express")
        self._engine = engine.TextWorldExpressEnv(envStepLimit=10**9)
        if task not in (names := list(self._engine.getGameNames())):
            self._engine.close()
            raise ValueError(f"task must be among {names}, got {task!r}")
        self._engine.load(task, params)
        self._seeds, self._fold = getattr(self._engine, seeds[fold])(), fold
        self._infos: dict[str, Any] = {}
        readers = {"caption": self._caption, "state_hash": self._hash, "score": self._score}
        super().__init__(readers, max_episode_steps=max_episode_steps, **kwargs)

    @property
    def commands(self) -> Sequence[str]:
        return sorted(self._infos.get("validActions", ()))

    def goal_text(self) -> str:
        return str(self._infos.get("taskDescription", ""))

    def _begin(self) -> str:
        seed = self._seeds[int(self.np_random.integers(len(self._seeds)))]
        text, self._infos = self._engine.reset(seed=seed, gameFold=self._fold)
        return str(text)

    def _act(self, command: str) -> Turn:
        text, reward, _, self._infos = self._engine.step(command)
        won = bool(self._infos["tasksuccess"]) or self._infos["score"] >= 1.0
        return Turn(str(text), float(reward), won, bool(self._infos["taskfailure"]) and not won)

    def _caption(self) -> str:
        return f"{self._infos['look']}\n{self._infos['inventory']}"

    def _hash(self) -> int:
        return text_hash(self._caption(), "\n".join(self.commands), str(self._infos["score"]))

    def _score(self) -> float:
        return float(self._infos["score"])

    def close(self) -> None:
        """Ends the Java process."""
        self._engine.close()
