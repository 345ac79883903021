"""What another shaping would have made of a run's steps: where the sign of their advantage changes."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.arrays import host_array
from potentia.replay.advantages import Steps
from potentia.replay.episode import Episode, finite
from potentia.replay.other_shaping import other_shaping
from potentia.replay.page import save_page
from potentia.replay.playing import Player
from potentia.rollout import Rollout
from potentia.shaping._models.keys import state_keys
from potentia.shaping.shaper import Shaper
from potentia.study.plan import RunConfig
from potentia.study.trained import read_checkpoint, restored
from potentia.study.world import World

__all__ = ["Counterfactual", "Flip", "counterfactual"]

Floats = NDArray[np.float64]
_HASH = "state_hash"
_NOTHING = 1e-6
"""An advantage is 0 if it is smaller than this times the largest of its shaping's rewards and advantages."""
_LISTED, _ON_PAGE = 10, 10


@dataclass(frozen=True)
class Flip:
    """A step that one shaping praises and the other one blames.

    Attributes:
        episode: The number of its episode.
        step: The step of the episode, from 1, as the replay counts.
        state: The state before it, in words.
        action: The action, in words.
        own: Its advantage with the run's shaping.
        other: Its advantage with the other one.
        true: Its advantage by the world's own reward.
    """

    episode: int
    step: int
    state: str
    action: str
    own: float
    other: float
    true: float

    @property
    def size(self) -> float:
        """The smaller of the two: how sure both are."""
        return min(abs(self.own), abs(self.other))


@dataclass(frozen=True)
class Counterfactual:
    """Episodes of a run's policy under two shapings.

    Attributes:
        shaping: The run's.
        other: The other one.
        other_from: The id of the run whose learning it has, "" if it has learned nothing.
        episodes: How many episodes were played.
        steps: How many of their steps could be judged.
        revisited: How many of these begin in a state that others begin in, too. Only they can have an advantage.
        true_return: The mean true return of the episodes.
        flips: The steps whose advantage changes sign, largest first.
    """

    shaping: str
    other: str
    other_from: str
    episodes: int
    steps: int
    revisited: int
    true_return: float
    flips: tuple[Flip, ...]

    @property
    def agree(self) -> tuple[int, int]:
        """In how many flips the world's own reward has the sign of the run's shaping, and in how many of the other."""
        signs = [(flip.true * flip.own > 0, flip.true * flip.other > 0) for flip in self.flips]
        return sum(own for own, _ in signs), sum(other for _, other in signs)

    def to_json(self) -> str:
        """All of it as JSON."""
        return json.dumps({**asdict(self), "agree_with_true": list(self.agree)}, indent=1, allow_nan=False)

    def __str__(self) -> str:
        learned = f"as run {self.other_from} has learned it" if self.other_from else "fresh"
        lines = [
            f"{self.shaping} (the run's) against {self.other} ({learned})",
            f"{self.episodes} episodes of the run's policy, true return {self.true_return:.4g}; {self.steps} steps, "
            f"{self.revisited} of them from states that more than one begins in",
            f"The advantage changes sign in {len(self.flips)} steps. By the true reward {self.shaping} is right in "
            f"{self.agree[0]} of them, {self.other} in {self.agree[1]}.",
        ]
        if self.flips:
            lines.append(
                f"{'episode':>8}{'step':>6}{self._head(self.shaping)}{self._head(self.other)}{'true':>12}  action"
            )
        for flip in self.flips[:_LISTED]:
            numbers = "".join(f"{value:>+16.4g}" for value in (flip.own, flip.other))
            lines.append(f"{flip.episode:>8}{flip.step:>6}{numbers}{flip.true:>+12.4g}  {flip.action}")
        if len(self.flips) > _LISTED:
            lines.append(f"and {len(self.flips) - _LISTED} smaller ones")
        return "\n".join(lines)

    @staticmethod
    def _head(name: str) -> str:
        return f"{name if len(name) < 15 else name[:13] + '…':>16}"


def counterfactual(run: Path, shaping: str, *, episodes: int = 20, to: Path | None = None) -> Counterfactual:
    """Shapes episodes of a run's policy by its own shaping and by another, and compares the signs of the advantages.

    The episodes are those of `potentia.replay.playing.play_run`, in the unshaped world. The advantage of a step is
    ``r + discount V(s') - V(s)``, with V(s) the mean return-to-go over the visits of s in these episodes, by each
    shaping's own reward and discount. States are told apart by ``state_hash`` where the world offers it, else by
    their observations. For a policy-invariant potential of states against none no sign changes.

    Args:
        run: The folder of a run, which has a checkpoint.
        shaping: The name of a shaping of the same study, or a YAML file: ``shapers: [...]``, or one ``type: ...`` with
            its arguments. A study's is as the run with the same world, learner and seed has learned it, if there is one
            with a checkpoint. Else it is fresh.
        episodes: How many episodes to play.
        to: An HTML file: the replay of the ten episodes with the largest flips, in which each flip is an event. None
            writes no page.

    Raises:
        FileNotFoundError: If the run has no checkpoint yet.
        ValueError: If there is no such shaping, or the run's learner searches for policies.
    """
    if episodes < 1:
        raise ValueError(f"episodes must be at least 1, got {episodes}")
    config, parts = read_checkpoint(run)
    trained = restored(config, parts)
    if hasattr(trained.learner, "archive_map"):
        raise ValueError(f"{config.learner.label} searches for policies, which have no advantages step by step")
    world = World.probe(config)
    other, learned_by = other_shaping(run, shaping, trained, world)
    hashed = {_HASH, f"next_{_HASH}"} if _HASH in world.info_keys else set()
    player = Player(trained, other.contract.info_columns | hashed)
    played = list(player.played(range(episodes)))
    rollouts = [rollout for _, rollout in played]
    shaped = [[_shaped(shaper, rollout) for rollout in rollouts] for shaper in (trained.shaper, other)]
    last = np.concatenate([np.arange(r.num_steps) == r.num_steps - 1 for r in rollouts])
    terminated = np.concatenate([host_array(r.terminated)[:, 0] for r in rollouts])
    keys, next_keys = (np.concatenate(found) for found in zip(*map(_keys, rollouts), strict=True))
    steps = Steps.of(keys, next_keys, last, terminated)
    judged = [_advantages(steps, found) for found in (*shaped, rollouts)]
    found = _flips(played, steps, *judged)
    name = _label(other.name, config)
    if to is not None:
        labels = {"shaping": config.shaping.name, "against": name}
        save_page(_page(played, shaped, steps, judged, found, labels), to)
    return Counterfactual(
        shaping=config.shaping.name,
        other=name,
        other_from=learned_by,
        episodes=len(played),
        steps=len(steps.kept),
        revisited=int((np.bincount(steps.state)[steps.state] > 1).sum()),
        true_return=float(np.mean([episode.true_return for episode, _ in played])),
        flips=tuple(sorted(found, key=lambda flip: -flip.size)),
    )


def _label(name: str, config: RunConfig) -> str:
    return name if name != config.shaping.name else f"{name} (other)"


def _shaped(shaper: Shaper, rollout: Rollout) -> Rollout:
    return shaper.shape(rollout, shaper.init(1))[0]


def _keys(rollout: Rollout) -> tuple[Any, Any]:
    if _HASH in rollout.info:
        return tuple(host_array(rollout.info[name])[:, 0] for name in (_HASH, f"next_{_HASH}"))  # type: ignore[return-value]
    return host_array(state_keys(rollout.obs)), host_array(state_keys(rollout.next_obs))


def _advantages(steps: Steps, rollouts: Sequence[Rollout]) -> Floats:
    """Those of the kept steps. What is nothing but rounding is 0."""
    reward = np.concatenate([host_array(rollout.reward)[:, 0] for rollout in rollouts]).astype(np.float64)
    found = steps.advantages(reward, np.concatenate([host_array(rollout.discount)[:, 0] for rollout in rollouts]))
    scale = max(float(np.abs(reward).max(initial=0.0)), float(np.abs(found).max(initial=0.0)))
    return np.where(np.abs(found) > _NOTHING * scale, found, 0.0)


def _places(rollouts: Sequence[Rollout], steps: Steps) -> list[tuple[int, int]]:
    """The episode of each kept step, and which of its steps it is, from 0."""
    lengths = [rollout.num_steps for rollout in rollouts]
    number = np.repeat(np.arange(len(lengths)), lengths)
    inside = np.concatenate([np.arange(length) for length in lengths])
    return list(zip(number[steps.kept].tolist(), inside[steps.kept].tolist(), strict=True))


def _flips(
    played: Sequence[tuple[Episode, Rollout]], steps: Steps, own: Floats, other: Floats, true: Floats
) -> list[Flip]:
    places = _places([rollout for _, rollout in played], steps)
    found = []
    for n in np.flatnonzero(own * other < 0).tolist():
        number, t = places[n]
        episode = played[number][0]
        numbers = float(own[n]), float(other[n]), float(true[n])
        found.append(Flip(number, t + 1, episode.captions[t], episode.actions[t], *numbers))
    return found


def _page(
    played: Sequence[tuple[Episode, Rollout]],
    shaped: Sequence[Sequence[Rollout]],
    steps: Steps,
    judged: Sequence[Floats],
    flips: Sequence[Flip],
    labels: dict[str, str],
) -> list[tuple[int, Episode]]:
    """The episodes with the largest flips, in their order: the run's terms as terms, what else is known as info."""
    sizes: dict[int, float] = defaultdict(float)
    for flip in flips:
        sizes[flip.episode] = max(sizes[flip.episode], flip.size)
    shown = sorted(sorted(range(len(played)), key=lambda number: -sizes[number])[:_ON_PAGE])
    where = {place: n for n, place in enumerate(_places([rollout for _, rollout in played], steps))}
    names = (*labels.values(), "true reward")
    pages = []
    for number in shown:
        episode = played[number][0]
        own, other = (_terms(found[number]) for found in shaped)
        columns: dict[str, list[float | None]] = {}
        for name, values in zip(names, judged, strict=True):
            found = [where.get((number, t)) for t in range(episode.length)]
            columns[f"advantage, {name}"] = [None if n is None else float(values[n]) for n in found]
        columns |= {f"{names[1]}: {name}": list(map(finite, term)) for name, term in other.items() if name != "env"}
        events = [list(happened) for happened in episode.events]
        for flip in (flip for flip in flips if flip.episode == number):
            events[flip.step].append(f"flip: {_signed(flip.own)} {names[0]}, {_signed(flip.other)} {names[1]}")
        info = {**episode.info, **{name: [None, *column] for name, column in columns.items()}}
        told = replace(episode, labels={**episode.labels, **labels}, info=info, events=events)
        pages.append((number, told.relabelled(own)))
    return pages


def _terms(rollout: Rollout) -> dict[str, list[float]]:
    return {name: host_array(term)[:, 0].tolist() for name, term in rollout.terms.items()}


def _signed(value: float) -> str:
    return f"{value:+.3g}".replace("-", "−")
