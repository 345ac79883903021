"""An episode while it is played."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from potentia.replay.episode import End, Episode, Scalar, finite
from potentia.replay.images import Encoder, Frame
from potentia.replay.reading import event_names, happened, scalars

_ENV = "env"

Take = Callable[[], Frame]
"""Takes a picture. It returns None where there is nothing left to be taken, as of a browser that crashed."""


class _State(NamedTuple):
    """What was seen, and the step that led there.

    It is written down at once, so that an interrupt leaves no half of it.
    """

    action: str
    true_reward: float | None
    terms: Mapping[str, float | None]
    caption: str
    text: str
    events: list[str]
    info: Mapping[str, Scalar]


class Tape:
    """An episode while it is played.

    Args:
        world: The environment's id.
        goal: What is to be done.
        labels: What is known of its making.
        max_frames: How many pictures to keep, 0 for none.
    """

    def __init__(self, world: str, goal: str, labels: Mapping[str, str], max_frames: int) -> None:
        self._world, self._goal, self._labels = world, goal, labels
        self._end: End = "unfinished"
        self._failure = ""
        self._terminated = self._truncated = False
        self._states: list[_State] = []
        self._event_names: dict[str, None] = {}
        self._film = _Film(max_frames)

    def add(self, action: str, reward: float, text: str, info: Mapping[str, Any], take: Take | None) -> None:
        """Notes a state and the step that led there. At a reset, action and reward mean nothing."""
        terms: Mapping[str, float] = info.get("terms", {_ENV: reward})
        state = _State(
            action,
            finite(float(info.get("true_reward", reward))),
            {name: finite(float(term)) for name, term in terms.items()},
            str(info.get("caption", "")),
            text,
            happened(info),
            scalars(info),
        )
        self._event_names |= dict.fromkeys(event_names(info))
        self._film.pass_state(take)
        self._states.append(state)

    def finish(self, terminated: bool, truncated: bool, info: Mapping[str, Any], take: Take | None) -> None:
        """Notes how the episode ended."""
        self._terminated, self._truncated = terminated, truncated
        self._end, self._failure = _end(terminated, info), str(info.get("failure") or "")
        self._film.take_last(take)

    def episode(self) -> Episode | None:
        """What was recorded, None if no step was finished."""
        states, steps = self._states, self._states[1:]
        if not steps:
            return None
        frames, images = self._film.developed(len(states))
        term_names = dict.fromkeys(name for step in steps for name in step.terms)
        info_names = dict.fromkeys(name for state in states for name in state.info)
        return Episode(
            world=self._world,
            goal=self._goal,
            end=self._end,
            failure=self._failure,
            terminated=self._terminated,
            truncated=self._truncated,
            labels=self._labels,
            actions=[step.action for step in steps],
            true_rewards=[step.true_reward for step in steps],
            terms={name: [step.terms.get(name, 0.0) for step in steps] for name in term_names},
            captions=[state.caption for state in states],
            texts=[state.text for state in states],
            events=[state.events for state in states],
            event_names=list(self._event_names),
            info={name: [state.info.get(name) for state in states] for name in info_names},
            frames=frames,
            stride=self._film.stride,
            images=images,
        )


class _Film:
    """Pictures of an episode's states. Beyond a number of them, every second one is dropped, again and again."""

    def __init__(self, limit: int) -> None:
        self.stride, self._limit, self._states = 1, limit, 0
        self._taken: dict[int, bytes] = {}
        self._encode = Encoder()

    def pass_state(self, take: Take | None) -> None:
        state, self._states = self._states, self._states + 1
        if take is None or not self._limit or state % self.stride:
            return
        if len(self._taken) >= self._limit - 1:  # one is left for the last
            self.stride *= 2
            self._taken = {at: image for at, image in self._taken.items() if at % self.stride == 0}
            if state % self.stride:
                return
        self._taken[state] = self._encode(take())

    def take_last(self, take: Take | None) -> None:
        if take is not None and self._limit and self._states - 1 not in self._taken:
            self._taken[self._states - 1] = self._encode(take())

    def developed(self, states: int) -> tuple[list[int], list[bytes]]:
        """Which image each state has, and the different images."""
        places: dict[bytes, int] = {}
        frames, last = [], -1
        for state in range(states):
            if (image := self._taken.get(state)) is not None:
                last = places.setdefault(image, len(places))
            frames.append(last)
        return frames, list(places)


def _end(terminated: bool, info: Mapping[str, Any]) -> End:
    if info.get("failure"):
        return "failure"
    if info.get("success"):
        return "success"
    return "terminated" if terminated else "truncated"
