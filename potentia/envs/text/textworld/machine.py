"""A running game: TextWorld's compiled story in Jericho's interpreter, commands in and texts out."""

from __future__ import annotations

import re
import unicodedata
import warnings
from dataclasses import dataclass
from typing import Any

__all__ = ["Machine", "Said", "safe_command"]

_TAG = re.compile(r"\[[^\]\n]*\]\n?")
_EVENT = re.compile(r"\[([^\]\n()]*) - succeeded\]")
_SCORE = re.compile(r"<score>\s*(-?\d+)\s*</score>")
_NUMBERS = re.compile(r"<(score|moves)>.*?</\1>", re.DOTALL)
_QUESTION = re.compile(r"\s*(You scored -?\d+ out of[^\n]*\n\s*)?Would you like to RESTART.*", re.DOTALL)
_STATUS = re.compile(r"\n>[^\n]*$")
_LOGO = re.compile(r"(?m)^[ ]*[\\|_$ /<>&-]*[|_$\\][\\|_$ /<>&-]*\n")
_BLANK = re.compile(r"\n{3,}")
_WORDS = re.compile(r"[^a-z0-9'# -]+")
_SEED = 1

_FORBIDDEN = frozenset(
    """
    save restore restart quit q undo script transcript recording replay unscript notify verify test purloin abstract
    gonear goto tree scope showme showverb trace random actions changes timers relations rules
    """.split()  # noqa: SIM905 - a list of thirty words is not read more easily
)
"""Words that steer the interpreter or the story's own tools and play no part in the game: some read or write files."""


@dataclass(frozen=True)
class Said:
    """What the game answered.

    Attributes:
        text: In words.
        events: The actions that succeeded in it.
        score: The points so far. None if they were not said.
        won: Whether it has ended well.
        lost: Whether it has ended otherwise.
    """

    text: str
    events: tuple[str, ...]
    score: int | None
    won: bool
    lost: bool


def safe_command(command: str) -> str:
    r"""A command as the interpreter may get it: one, in plain letters, and none that steers the interpreter itself.

    It takes ``\x`` for a hot key, and what stands behind a full stop or "then" for another command.

    >>> safe_command("Take the café key. \\x save")
    'take the cafe key'
    >>> safe_command("save")
    ''
    """
    letters = unicodedata.normalize("NFKD", command).encode("ascii", "ignore").decode().lower()
    first = re.split(r"[.;!?,\n]|\bthen\b", letters, maxsplit=1)[0]
    words = _WORDS.sub(" ", first).split()
    if not words or words[0] in _FORBIDDEN or words[0].startswith(("tw-", "#", "'")):
        return ""
    return " ".join(words)


class Machine:
    """Jericho's interpreter with one story at a time. It can be copied and pickled wherever it stands."""

    def __init__(self) -> None:
        self._path = ""
        self._interpreter: Any = None
        self._starts: dict[str, tuple[Any, Said]] = {}

    def start(self, path: str) -> Said:
        """Begins a story. A story that was begun before is put back to its start, which is faster.

        Args:
            path: Of the compiled story.

        Raises:
            ImportError: If Jericho, which comes with TextWorld, is missing.
        """
        if path != self._path:
            self._load(path)
        if path not in self._starts:
            first, _ = self._interpreter.reset()
            self._interpreter.step("tw-trace-actions")
            self._interpreter.step("tw-extra-infos score")
            if len(self._starts) >= 64:
                self._starts.clear()
            self._starts[path] = self._interpreter.get_state(), _read(first)
        state, said = self._starts[path]
        self._interpreter.set_state(state)
        return said

    def send(self, command: str) -> Said:
        """Types a command that `safe_command` made."""
        return _read(self._interpreter.step(command)[0])

    def save(self) -> tuple[str, Any]:
        """The story and where it stands."""
        return self._path, self._interpreter.get_state() if self._path else None

    def restore(self, saved: tuple[str, Any]) -> None:
        """Goes on with a saved story."""
        path, state = saved
        if path and path != self._path:
            self._load(path)
        if path:
            self._interpreter.set_state(state)

    def close(self) -> None:
        """Ends the story. `start` begins one again."""
        if self._interpreter is not None:
            self._interpreter.close()
        self._interpreter, self._path = None, ""
        self._starts.clear()

    def _load(self, path: str) -> None:
        try:
            import jericho  # noqa: PLC0415 - the extra "text"
        except ImportError as error:
            raise ImportError('TextWorld\'s games need the extra "text": pip install "potentia[text]"') from error
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", jericho.UnsupportedGameWarning)
            if self._interpreter is None:
                self._interpreter = jericho.FrotzEnv(path, _SEED)
            else:
                self._interpreter.close()
                self._interpreter.load(path, _SEED)
        self._path = path

    def __getstate__(self) -> tuple[str, Any]:
        return self.save()

    def __setstate__(self, saved: tuple[str, Any]) -> None:
        Machine.__init__(self)
        self.restore(saved)


def _read(raw: str) -> Said:
    score = _SCORE.search(raw)
    won, lost = "*** The End ***" in raw, "*** You lost! ***" in raw
    events = tuple(_EVENT.findall(raw))
    text = _NUMBERS.sub("", _TAG.sub("", _STATUS.sub("", raw)))
    text = _LOGO.sub("", _QUESTION.sub("", text))
    text = _BLANK.sub("\n\n", "\n".join(line.strip() for line in text.splitlines())).strip()
    return Said(text, events, int(score[1]) if score else None, won, lost)
