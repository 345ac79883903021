"""What all text worlds share: a text in, a text out, one step a command."""

from __future__ import annotations

import copy
import hashlib
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

import gymnasium as gym
from gymnasium.error import ResetNeeded

from potentia.envs.info_keys import flag, number, whole
from potentia.envs.text_space import plain, text_space
from potentia.envs.world import Wanted, World

__all__ = ["PlainGame", "TextGame", "Turn", "text_hash"]


class Turn(NamedTuple):
    """What a command led to.

    Attributes:
        text: What the game says.
        reward: What it pays.
        success: Whether the task is done. It ends the episode.
        lost: Whether the episode is over without it.
        events: The names of the subgoals that this command reached, among `TextGame.event_names`.
    """

    text: str
    reward: float = 0.0
    success: bool = False
    lost: bool = False
    events: frozenset[str] = frozenset()


def text_hash(*parts: str) -> int:
    """A signed number of 64 bits, equal for equal texts in each process."""
    digest = hashlib.blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)


class TextGame(World, gym.Env[str, str]):
    """A world that is read and written: an observation is a text, and so is an action.

    A subclass says how an episode begins (`_begin`) and what a command leads to (`_act`). It hands over what else
    ``info`` can have as functions of no arguments, one a key, which are called only if the key was asked for. The rest
    is here: spaces, seeds, the time limit, and the keys ``success``, ``lost``, ``subgoals`` and ``potential``.

    A command that means nothing in this world does nothing, takes a step, and is answered in words. One that is too
    long is cut, and characters outside the space become "?".

    Args:
        readers: The value of each info key of the present state: methods of this game, since a copy of it must read
            itself. ``distance`` is the number of commands left to success, -1 for no way. ``commands`` is there by
            itself where a subclass has that property, and so are ``goal`` and, by ``distance``, ``potential``.
        free: The keys among them that cost nothing, besides ``success`` and ``lost``.
        max_episode_steps: After so many commands the episode is truncated. None means never.
        length: The longest observation, in characters. A longer one is cut.
        command_length: The longest command.
        info_keys: The keys of ``info`` wanted, "all", or None for those that cost nothing.
        render_mode: "ansi", or None.

    Raises:
        TypeError: If a reader is no method of this game.
        ValueError: If a limit or length is less than 1, or an argument is unknown.
    """

    metadata: ClassVar[dict[str, Any]] = {"render_modes": ["ansi"]}  # type: ignore[misc]

    event_names: tuple[str, ...] = ()
    """The names of all subgoals, of which some may not occur in this episode."""

    distance_scale: float = 1.0
    """D in ``potential = -min(distance, D) / D``: no less than the distance from any usual start."""

    def __init__(
        self,
        readers: Mapping[str, Callable[[], Any]],
        *,
        free: Sequence[str] = (),
        max_episode_steps: int | None,
        length: int = 4096,
        command_length: int = 200,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        for name, value in (("max_episode_steps", max_episode_steps), ("length", length)):
            if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
                raise ValueError(f"{name} must be a whole number from 1, got {value!r}")
        if render_mode not in (None, "ansi"):
            raise ValueError(f'render_mode must be None or "ansi", got {render_mode!r}')
        if foreign := sorted(key for key, read in readers.items() if getattr(read, "__self__", None) is not self):
            raise TypeError(f"the readers of {foreign} must be methods of the game: a copy would read the original")
        self.render_mode = render_mode
        self.observation_space = text_space(length)
        self.action_space = text_space(command_length)
        self._length, self._command_length, self._limit = length, command_length, max_episode_steps
        self._readers = {"goal": self.goal_text, **readers}
        if type(self).commands is not TextGame.commands:
            self._readers["commands"] = self._command_lines
        self._steps, self._running, self._begun = 0, False, False
        self._text, self._turn = "", Turn("")
        keys = ["success", "lost", *self._readers]
        if self.event_names:
            keys.append("subgoals")
        if "distance" in self._readers and "potential" not in self._readers:
            keys.append("potential")
        self.offer(keys, ("success", "lost", *free), info_keys)

    @abstractmethod
    def _begin(self) -> str:
        """Draws an episode from ``self.np_random``. Returns its first text."""

    @abstractmethod
    def _act(self, command: str) -> Turn:
        """Does what a command says."""

    @property
    def commands(self) -> Sequence[str]:
        """The commands that do something here, in an order that depends on the state alone. "" where not known."""
        return ()

    def _command_lines(self) -> str:
        return "\n".join(self.commands)

    @property
    def time_limit(self) -> int | None:
        """``max_episode_steps``."""
        return self._limit

    def action_text(self, action: Any) -> str:
        """The command itself."""
        return str(action)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[str, dict[str, Any]]:
        """Begins an episode. Without a seed the random numbers go on.

        Args:
            seed: Decides all that follows.
            options: Not used.
        """
        super().reset(seed=seed, options=options)
        self._steps, self._running, self._begun = 0, True, True
        self._text = plain(self._begin(), self._length)
        self._turn = Turn(self._text)
        return self._text, self.info_now()

    def step(self, action: str) -> tuple[str, float, bool, bool, dict[str, Any]]:
        """Does what a command says.

        Raises:
            TypeError: If it is no text.
            gymnasium.error.ResetNeeded: If no episode is running.
        """
        if not self._running:
            raise ResetNeeded("no episode is running: call reset() first")
        if not isinstance(action, str):
            raise TypeError(f"an action must be a text, a command such as 'look', got {type(action).__name__}")
        self._turn = turn = self._act(plain(action, self._command_length).strip())
        self._steps += 1
        terminated = turn.success or turn.lost
        truncated = not terminated and self._limit is not None and self._steps >= self._limit
        self._running = not (terminated or truncated)
        self._text = plain(turn.text, self._length)
        return self._text, float(turn.reward), terminated, truncated, self._info(turn.events)

    def render(self) -> Any:
        """The last text, in render mode "ansi"."""
        return self._text if self.render_mode == "ansi" else None

    def info_now(self) -> dict[str, Any]:
        """See `World.info_now`."""
        return self._info(frozenset()) if self._begun else {}

    def _info(self, events: frozenset[str]) -> dict[str, Any]:
        distance: int | None = None
        info: dict[str, Any] = {}
        for key in self.info_keys:
            if key == "success":
                info[key] = flag(self._turn.success)
            elif key == "lost":
                info[key] = flag(self._turn.lost)
            elif key == "subgoals":
                info[key] = {name: flag(name in events) for name in self.event_names}
            elif key in self._readers and key not in ("distance", "state_hash"):
                info[key] = self._readers[key]()
            elif key == "state_hash":
                info[key] = whole(self._readers[key]())
            else:
                if distance is None:
                    distance = int(self._readers["distance"]())
                info[key] = number(distance) if key == "distance" else self._potential(distance)
        return info

    def _potential(self, distance: int) -> Any:
        far = distance < 0 or distance > self.distance_scale
        return number(-1.0 if far else 0.0 - distance / self.distance_scale)


class PlainGame(TextGame):
    """A text world whose state is its attributes alone, so that it can be kept and put back.

    A subclass names those that change in `kept`.
    """

    kept: tuple[str, ...] = ()
    _always = ("_steps", "_running", "_begun", "_text", "_turn")

    def save(self) -> dict[str, Any]:
        """A copy of the state, random numbers included, for `restore`."""
        state = {name: getattr(self, name) for name in (*self._always, *self.kept)}
        state["bit_generator"] = self.np_random.bit_generator.state
        return copy.deepcopy(state)

    def restore(self, saved: dict[str, Any]) -> tuple[str, dict[str, Any]]:
        """Goes back to a saved state, here or in a world made alike. Returns what is seen there and its info."""
        state = copy.deepcopy(saved)
        self.np_random.bit_generator.state = state.pop("bit_generator")
        for name, value in state.items():
            setattr(self, name, value)
        return self._text, self.info_now()
