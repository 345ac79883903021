"""A text world of a few lines, with all that a text world can offer, to try what all of them share."""

from __future__ import annotations

from typing import Any

from potentia.envs.text import PlainGame, Turn, text_hash

SIZE = 4


class Cellar(PlainGame):
    """Rooms 0 to 3 in a row, a key in one of the first three, a pit in the west, a door in the last room."""

    event_names = ("took_key", "unlocked")
    distance_scale = 10.0
    kept = ("place", "key")

    def __init__(self, *, max_episode_steps: int | None = 20, info_keys: Any = None, render_mode: Any = None) -> None:
        self.place, self.key = 0, 0  # key: its room, -1 in hand
        readers = {
            "caption": self._caption,
            "state_hash": self._hash,
            "distance": self._distance,
            "plan": self._plan_text,
        }
        super().__init__(
            readers, max_episode_steps=max_episode_steps, length=60, info_keys=info_keys, render_mode=render_mode
        )

    def _caption(self) -> str:
        return f"Room {self.place}. " + ("You have a key." if self.key < 0 else "")

    def _hash(self) -> int:
        return text_hash(str(self.place), str(self.key))

    def _distance(self) -> int:
        return -1 if self.place < 0 else len(self.plan())

    def _plan_text(self) -> str:
        return "\n".join(self.plan())

    @property
    def commands(self) -> tuple[str, ...]:
        if self.place < 0:
            return ()
        here = ["east", "west"]
        if self.key == self.place:
            here.append("take key")
        elif self.key < 0:
            here.append("drop key")
        return tuple(here)

    def goal_text(self) -> str:
        return "Leave by the door in the east. It is locked."

    def plan(self) -> list[str]:
        walk: list[str] = []
        if self.place in (-1, SIZE):
            return []
        place = self.place
        if self.key >= 0:
            walk += ["east"] * (self.key - place) + ["west"] * (place - self.key) + ["take key"]
            place = self.key
        return [*walk, *["east"] * (SIZE - place)]

    def _begin(self) -> str:
        self.place, self.key = 1, int(self.np_random.integers(3))
        return "Welcome to the cellar."

    def _act(self, command: str) -> Turn:
        if command in ("east", "west"):
            to = self.place + (1 if command == "east" else -1)
            if to == SIZE and self.key >= 0:
                return Turn("The door is locked.")
            self.place = to
            return Turn(
                "You fall." if to < 0 else f"Room {to}.",
                reward=float(to == SIZE),
                success=to == SIZE,
                lost=to < 0,
                events=frozenset({"unlocked"} if to == SIZE else ()),
            )
        if command == "take key" and self.key == self.place:
            self.key = -1
            return Turn("Taken.", reward=0.25, events=frozenset({"took_key"}))
        if command == "drop key" and self.key < 0:
            self.key = self.place
            return Turn("Dropped.")
        return Turn(f"I don't know {command!r}.")


def make_cellar(**kwargs: Any) -> Cellar:
    return Cellar(**kwargs)
