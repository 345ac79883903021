"""TextWorld's generated quests as a text world."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from gymnasium.error import ResetNeeded

from potentia.envs.text.game import TextGame, Turn, text_hash
from potentia.envs.text.textworld.caption import caption
from potentia.envs.text.textworld.kinds import DEEDS, KINDS, settings_of
from potentia.envs.text.textworld.library import Story, story
from potentia.envs.text.textworld.machine import Machine, safe_command
from potentia.envs.text.textworld.symbols import Deed
from potentia.envs.world import Wanted

__all__ = ["TextWorld"]


_READING = frozenset({"examine cookbook"})


class TextWorld(TextGame):
    """Generated quests (Côté et al. 2018, arXiv 1806.11532), compiled by Inform 7 and played in Jericho's Z-machine.

    The text is the running game's own. What is true is followed beside it in TextWorld's logic: the game reports each
    action that succeeds. So facts, commands, distances and plans cost no commands, and the whole can be saved and
    restored. The reward is what the score rises by. The distance is the fewest of `commands` to success, by an exact
    search of the states that matter.

    Args:
        kind: A key of `potentia.envs.text.textworld.kinds.KINDS`.
        games: How many games of this kind there are. Each episode draws one of them.
        first_game: The number of the first. Games of other numbers are others: train on some, test on others.
        cache: The folder where compiled games are kept. None is ``$XDG_CACHE_HOME/potentia/textworld``.
        max_episode_steps: After so many commands the episode is truncated. None is the kind's own limit.
        info_keys: See `potentia.envs.world.World`.
        render_mode: "ansi", or None.
        settings: Of the kind: ``level``; ``recipe``, ``take``, ``go``, ``open``, ``cook``, ``cut``, ``drop``,
            ``recipe_seed``; ``rewards``, ``goal``; or ``rooms``, ``objects``, ``quest_length``.

    Raises:
        ValueError: If there is no such kind, or a number is less than it can be.
        TypeError: If the kind has no such setting.
    """

    def __init__(
        self,
        kind: str,
        *,
        games: int = 4,
        first_game: int = 0,
        cache: str | Path | None = None,
        max_episode_steps: int | None = None,
        info_keys: Wanted = None,
        render_mode: str | None = None,
        **settings: Any,
    ) -> None:
        if games < 1 or first_game < 0:
            raise ValueError(f"games must be at least 1 and first_game at least 0, got {games} and {first_game}")
        self._made = kind, settings_of(kind, settings), cache
        self._numbers = range(first_game, first_game + games)
        self._machine = Machine()
        self._story: Story | None = None
        self._number, self._state, self._score = first_game, 0, 0
        self._visited: frozenset[int] = frozenset()
        self.event_names = KINDS[kind].events
        self.distance_scale = KINDS[kind].scale
        readers = {
            "caption": self._caption,
            "state_hash": self._hash,
            "distance": self._distance,
            "facts": self._facts,
            "plan": self._plan,
            "score": self._points,
        }
        limit = KINDS[kind].steps if max_episode_steps is None else max_episode_steps
        super().__init__(readers, max_episode_steps=limit, info_keys=info_keys, render_mode=render_mode)

    @property
    def story(self) -> Story:
        """The game that is played.

        Raises:
            gymnasium.error.ResetNeeded: Before the first episode.
        """
        if self._story is None:
            raise ResetNeeded("no episode has begun: call reset() first")
        return self._story

    def _open(self, number: int) -> None:
        kind, settings, cache = self._made
        self._number, self._story = number, story(kind, settings, number, cache)

    @property
    def commands(self) -> Sequence[str]:
        """The commands that TextWorld's logic allows here, sorted: what changes something, or reads a recipe."""
        if not self._begun or self._turn.success or self._turn.lost:
            return ()
        symbols = self.story.symbols
        possible = symbols.possible(self._state)
        return sorted({deed.command for deed in possible if deed.adds or deed.removes or deed.command in _READING})

    @property
    def optimal_return(self) -> float | None:
        """The score of all quests, if all games of this world pay the same: None before the first episode."""
        return float(self.story.symbols.max_score) if self._begun and len(self._numbers) == 1 else None

    def goal_text(self) -> str:
        """The objective as the game says it."""
        return self.story.symbols.objective if self._begun else ""

    def _begin(self) -> str:
        self._open(self._numbers[int(self.np_random.integers(len(self._numbers)))])
        self._state, self._score = self.story.symbols.start, 0
        self._visited = frozenset({self._room()})
        return self._machine.start(self.story.path).text

    def _act(self, command: str) -> Turn:
        said = self._machine.send(safe_command(command))
        deeds = self._follow(said.events)
        score = self._score if said.score is None else said.score
        reward, self._score = score - self._score, score
        events = {DEEDS[word] for deed in deeds if (word := deed.kind.split("/")[0]) in DEEDS}
        if reward > 0:
            events.add("scored")
        if (room := self._room()) not in self._visited:
            self._visited |= {room}
            events.add("discovered")
        return Turn(said.text, float(reward), said.won, said.lost, frozenset(events).intersection(self.event_names))

    def _follow(self, events: Sequence[str]) -> list[Deed]:
        """Brings the state to where the game stands. Returns what was done."""
        symbols, done = self.story.symbols, []
        for event in events:
            if deed := symbols.reported(self._state, event):
                self._state = (self._state & ~deed.removes) | deed.adds
                done.append(deed)
        self._state = symbols.settle(self._state)
        return done

    def _room(self) -> int:
        return self._state & self.story.symbols.here

    def _points(self) -> float:
        return float(self._score)

    def _caption(self) -> str:
        return caption(self.story.symbols, self._state)

    def _facts(self) -> str:
        return "\n".join(self.story.symbols.in_words(self._state))

    def _hash(self) -> int:
        return text_hash(self.story.key, str(self._state))

    def _distance(self) -> int:
        if self._turn.success or self._turn.lost:
            return 0 if self._turn.success else -1
        return self.story.planner.distance(self._state)

    def _plan(self) -> str:
        ended = self._turn.success or self._turn.lost
        return "" if ended else "\n".join(self.story.planner.plan(self._state))

    _KEPT = ("_steps", "_running", "_begun", "_text", "_turn", "_number", "_state", "_score", "_visited")

    def save(self) -> dict[str, Any]:
        """A copy of the state, random numbers and interpreter included, for `restore`."""
        state = {name: getattr(self, name) for name in self._KEPT}
        state["bit_generator"] = copy.deepcopy(self.np_random.bit_generator.state)
        return {**state, "machine": self._machine.save()}

    def restore(self, saved: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Goes back to a saved state, here or in a world made alike. Returns what is seen there and its info."""
        for name in self._KEPT:
            setattr(self, name, saved[name])
        self.np_random.bit_generator.state = copy.deepcopy(saved["bit_generator"])
        if self._begun:
            self._open(self._number)
        self._machine.restore(saved["machine"])
        return self._text, self.info_now()

    def close(self) -> None:
        """Ends the interpreter."""
        self._machine.close()
