"""TextArena: games for one player, or against players of one's own."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from potentia.envs.text.adapters.packages import package
from potentia.envs.text.game import TextGame, Turn

__all__ = ["from_textarena"]


def from_textarena(
    task: str, *, players: int = 1, others: Callable[[str], str] | None = None, **kwargs: Any
) -> TextGame:
    """A game of TextArena (Guertler et al. 2025, arXiv 2504.11442). It needs ``textarena``.

    The agent is player 0, and is paid at the end, what the game pays player 0. A success is 1 for who plays alone, and
    else more than all others get. Random numbers are drawn from a generator of this game alone, where TextArena draws
    them from Python's, so that games in one process do not disturb each other.

    Args:
        task: An id, such as "GuessTheNumber-v0".
        players: How many play.
        others: From what another player sees to what it does. It is needed with more than one player.
        kwargs: ``max_episode_steps`` (100), ``info_keys`` and ``render_mode`` of `TextGame`.

    Raises:
        ImportError: If the package, or one that the game needs, is missing.
        ValueError: If there is no such game, or nobody plays the others.
    """
    if players > 1 and others is None:
        raise ValueError(f"others must say what the {players - 1} other players do, got None")
    return _Arena(task, players, others, **kwargs)


class _Arena(TextGame):
    def __init__(
        self,
        task: str,
        players: int,
        others: Callable[[str], str] | None,
        *,
        max_episode_steps: int | None = 100,
        **kwargs: Any,
    ) -> None:
        self._make = package("textarena", "textarena").make
        try:
            self._engine = self._make(task)
        except ValueError as error:
            raise ValueError(f"task must be an id of TextArena such as 'GuessTheNumber-v0': {error}") from error
        self._task, self._players, self._others = task, players, others
        self._random = random.Random(0).getstate()
        super().__init__({}, max_episode_steps=max_episode_steps, **kwargs)

    @contextmanager
    def _own_random(self) -> Iterator[None]:
        """Python's random numbers are this game's as long as this lasts."""
        before = random.getstate()
        random.setstate(self._random)
        try:
            yield
        finally:
            self._random = random.getstate()
            random.setstate(before)

    def _begin(self) -> str:
        seed = int(self.np_random.integers(2**31))
        self._random = random.Random(seed).getstate()
        with self._own_random():
            self._engine = self._make(self._task)  # what its wrappers show begins with the episodes before
            self._engine.reset(num_players=self._players, seed=seed)
            return self._until_my_turn()[0]

    def _act(self, command: str) -> Turn:
        with self._own_random():
            done, _ = self._engine.step(action=command)
            text = ""
            if not done:
                text, done = self._until_my_turn()
            if not done:
                return Turn(text)
            rewards, info = self._engine.close()
        paid = {player: float(reward) for player, reward in (rewards or {}).items()}
        mine = paid.pop(0, 0.0)
        won = mine > max(paid.values()) if paid else mine >= 1.0
        return Turn(f"{text}\n{info.get(0, {}).get('reason', '')}".strip(), mine, won, not won)

    def _until_my_turn(self) -> tuple[str, bool]:
        """Lets the others play until player 0 is to move or the game has ended."""
        while True:
            player, seen = self._engine.get_observation()
            if player == 0 or self._others is None:
                return str(seen), False
            done, _ = self._engine.step(action=self._others(str(seen)))
            if done:
                return str(seen), True
