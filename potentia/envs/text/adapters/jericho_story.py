"""Jericho: stories for the Z-machine, the user's own or hand-written ones."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from potentia.envs.text.adapters.packages import package
from potentia.envs.text.game import TextGame, Turn
from potentia.envs.text.textworld.machine import safe_command

__all__ = ["from_jericho"]


def from_jericho(
    story: str | Path,
    *,
    won: str = "*** You have won ***",
    lost: str = "*** You have died ***",
    commands: Sequence[str] = (),
    **kwargs: Any,
) -> TextGame:
    """A story in Jericho (Hausknecht et al. 2020, arXiv 1909.05398). It needs ``jericho``, which ``text`` brings.

    Of the stories that Jericho knows, it reads the score, and whether it is won or lost. Of others the text tells: the
    end by what it says, and the score is 1 for having won. Commands that would steer the interpreter (save, quit) do
    nothing.

    Args:
        story: A file ``.z3`` to ``.z8``.
        won: What a story that Jericho does not know says when it is won.
        lost: What it says when it is lost.
        commands: All that is worth typing in it, for `IndexedCommands` and random play.
        kwargs: ``max_episode_steps`` (200), ``info_keys`` and ``render_mode`` of `TextGame`.

    Raises:
        ImportError: If the package is missing.
        FileNotFoundError: If there is no such file.
    """
    path = Path(story)
    if not path.is_file():
        raise FileNotFoundError(f"story must be a file for the Z-machine, got {str(path)!r}")
    return _JerichoStory(path, (won, lost), tuple(commands), **kwargs)


class _JerichoStory(TextGame):
    def __init__(
        self,
        path: Path,
        ends: tuple[str, str],
        commands: tuple[str, ...],
        *,
        max_episode_steps: int | None = 200,
        **kwargs: Any,
    ) -> None:
        engine = package("jericho", "jericho")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", engine.UnsupportedGameWarning)
            self._engine = engine.FrotzEnv(str(path), 1)
        self._ends, self._commands, self._points = ends, commands, 0.0
        self._supported = bool(self._engine.is_fully_supported)
        readers = {"score": self._score}
        super().__init__(readers, max_episode_steps=max_episode_steps, command_length=190, **kwargs)

    @property
    def commands(self) -> Sequence[str]:
        return self._commands

    def _begin(self) -> str:
        self._points = 0.0
        self._engine.seed(int(self.np_random.integers(1, 2**31 - 1)))
        return _clean(self._engine.reset()[0])

    def _act(self, command: str) -> Turn:
        raw, _, _, info = self._engine.step(safe_command(command))
        text = _clean(raw)
        if self._supported:
            won, lost = bool(self._engine.victory()), bool(self._engine.game_over())
            score = float(info["score"])
        else:
            won, lost = self._ends[0] in raw, self._ends[1] in raw
            score = float(won)
        reward, self._points = score - self._points, score
        return Turn(text, reward, won, lost and not won)

    def _score(self) -> float:
        return self._points

    _KEPT = ("_steps", "_running", "_begun", "_text", "_turn", "_points")

    def save(self) -> dict[str, Any]:
        """A copy of the state, random numbers and interpreter included, for `restore`."""
        state = {name: getattr(self, name) for name in self._KEPT}
        state["bit_generator"] = copy.deepcopy(self.np_random.bit_generator.state)
        return {**state, "machine": self._engine.get_state()}

    def restore(self, saved: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Goes back to a saved state, here or in a world made alike. Returns what is seen there and its info."""
        for name in self._KEPT:
            setattr(self, name, saved[name])
        self.np_random.bit_generator.state = copy.deepcopy(saved["bit_generator"])
        self._engine.set_state(saved["machine"])
        return self._text, self.info_now()

    def close(self) -> None:
        """Ends the interpreter."""
        self._engine.close()


def _clean(raw: str) -> str:
    """Without the prompt and the line of the status behind it."""
    return raw.rsplit("\n>", 1)[0].strip()
