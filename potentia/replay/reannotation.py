"""Another judge's opinion of what a run's policy did: shaping recomputed on its recorded episodes, and compared."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from potentia.judges import Answer, Judge, Question
from potentia.judges.wrapper import Wrapper
from potentia.objects import read
from potentia.replay.episode import Episode, episode_files, load_episode
from potentia.replay.playing import play_run
from potentia.rollout import Rollout, discount_column
from potentia.shaping.judged.answers import Answers
from potentia.shaping.shaper import Shaper
from potentia.study.documents import read_yaml
from potentia.study.shapings import make_shaper
from potentia.study.spec import ShapingSpec
from potentia.study.trained import read_checkpoint
from potentia.study.world import World

_EVENTS, _PASSES = "subgoals", 1000


@dataclass(frozen=True)
class Comparison:
    """What two judges make of one shaper's questions.

    Attributes:
        shaper: The name of the shaper.
        questions: How many different questions both answered.
        agreement: The share of their numbers that lie on the same side of the middle. NaN without questions.
        correlation: That of the terms at each step. NaN if one of them never changes.
        sizes: The mean of the term's size by each judge.
        quality: `potentia.shaping.judged.quality.Quality.metrics` of each judge.
        invalid: How many answers of each were not valid.
    """

    shaper: str
    questions: int
    agreement: float
    correlation: float
    sizes: tuple[float, float]
    quality: tuple[dict[str, float], dict[str, float]]
    invalid: tuple[int, int]


@dataclass(frozen=True)
class Reannotation:
    """The comparisons of all judged shapers of a run.

    Attributes:
        episodes: How many episodes were read.
        true_return: Their mean true return, which no judge changes.
        comparisons: One for each shaper that has a judge.
    """

    episodes: int
    true_return: float
    comparisons: tuple[Comparison, ...]

    def __str__(self) -> str:
        lines = [
            f"{self.episodes} episodes, true return {self.true_return:.4g} under both judges.",
            f"{'':24}{'questions':>10}{'agree':>8}{'corr.':>8}{'|term|':>16}{'f1':>16}{'accuracy':>16}{'error':>16}"
            f"{'invalid':>12}",
        ]
        for one in self.comparisons:
            pairs = [tuple(found.get(name, math.nan) for found in one.quality) for name in ("f1", "accuracy", "error")]
            cells = "".join(f"{_number(old):>8}{_number(new):>8}" for old, new in [one.sizes, *pairs])
            lines.append(
                f"{one.shaper:24}{one.questions:>10}{_number(one.agreement):>8}{_number(one.correlation):>8}{cells}"
                f"{one.invalid[0]:>6}{one.invalid[1]:>6}"
            )
        return "\n".join([*lines, "Of two numbers the first is the run's judge's, the second the other one's."])


def reannotate(run: Path, judge: Path, *, episodes: int = 20) -> Reannotation:
    """Recomputes the judged shaping of a run on episodes of its policy, by its own judge and by another one.

    The episodes are those that `potentia.replay.playing.play_run` keeps in the run's folder. Missing ones are played
    first. Both judges start with nothing known and are asked until nothing is left to ask.

    Args:
        run: The folder of a run, which has a checkpoint.
        judge: A YAML file of the other judge: ``type: Embeddings``, and its arguments.
        episodes: How many episodes to read.

    Raises:
        FileNotFoundError: If the run has no checkpoint yet, or there is no such file.
        ValueError: If no shaper of the run has a judge, or the file holds none.
    """
    config, _ = read_checkpoint(run)
    other = read_yaml(judge.read_text("utf-8"), str(judge))
    problems: list[str] = []
    read(other, Judge, "judge", problems)
    if problems:
        raise ValueError(f"{judge}: " + "; ".join(problems))
    mine = [_replaced(shaper, None) for shaper in config.shaping.shapers]
    theirs = [_replaced(shaper, other) for shaper in config.shaping.shapers]
    judged = [place for place, (one, two) in enumerate(zip(mine, theirs, strict=True)) if one != two]
    if not judged:
        raise ValueError(f"no shaper of {run} has a judge that is another than that of {judge}: {config.shaping.name}")
    folder = play_run(run, episodes)
    found = [load_episode(path) for path in episode_files(folder)[:episodes]]
    rollouts = list(_rollouts(found, config.gamma))
    world = World.probe(config)
    chains = [
        make_shaper(
            ShapingSpec(name="judged", shapers=[shapers[place] for place in judged]),
            world.observation_space, world.action_space, device="cpu", seed=0,
        ).shapers
        for shapers in (mine, theirs)
    ]  # fmt: skip
    comparisons = tuple(_compared(one, two, rollouts) for one, two in zip(*chains, strict=True))
    return Reannotation(len(found), float(np.mean([episode.true_return for episode in found])), comparisons)


class _Heard(Wrapper):
    """Remembers what was asked and answered. It is asked in update alone, so that everything is heard."""

    def __init__(self, judge: Judge) -> None:
        super().__init__(judge)
        self.quick = False
        self.heard: dict[Question, Answer] = {}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        answers = self.judge.answer(questions)
        self.heard.update(zip(questions, answers, strict=True))
        return answers


def _replaced(data: Any, judge: Mapping[str, Any] | None) -> Any:
    """A shaper as data with another judge, None for its own, which is asked on the spot."""
    if isinstance(data, list):
        return [_replaced(entry, judge) for entry in data]
    if not isinstance(data, Mapping):
        return data
    kept = {key: _replaced(entry, judge) for key, entry in data.items() if key not in ("background", "judge")}
    return kept | ({"judge": data["judge"] if judge is None else dict(judge)} if "judge" in data else {})


def _rollouts(episodes: Sequence[Episode], gamma: float) -> Iterator[Rollout]:
    """The episodes as experience, ``(T, 1)``: captions, goals, actions in words, events and the scalars of info."""
    names = sorted({name for episode in episodes for name in episode.event_names})
    for episode in episodes:
        columns: dict[str, Any] = {"caption": episode.captions, "goal": [episode.goal] * (episode.length + 1)}
        columns |= {name: column for name, column in episode.info.items() if None not in column}
        arrays: dict[str, Any] = {name: np.array(column)[:, None] for name, column in columns.items()}
        if names:
            happened = {name: [name in events for events in episode.events] for name in names}
            arrays[_EVENTS] = {name: np.array(column)[:, None] for name, column in happened.items()}
        yield _rollout(episode, arrays, gamma)


def _rollout(episode: Episode, columns: Mapping[str, Any], gamma: float) -> Rollout:
    places, last = np.arange(episode.length + 1)[:, None], np.arange(episode.length)[:, None] == episode.length - 1
    reward = np.array([math.nan if one is None else one for one in episode.true_rewards], float)[:, None]
    terminated, truncated = last & episode.terminated, last & episode.truncated
    info: dict[str, Any] = {}
    for name, column in columns.items():
        tree = isinstance(column, dict)
        info[name] = {key: part[:-1] for key, part in column.items()} if tree else column[:-1]
        info[f"next_{name}"] = {key: part[1:] for key, part in column.items()} if tree else column[1:]
    return Rollout(
        obs=places[:-1],
        action=np.array(episode.actions)[:, None],
        next_obs=places[1:],
        terms={"env": reward},
        discount=discount_column(gamma, terminated, truncated, reward),
        terminated=terminated,
        truncated=truncated,
        info=info,
    )


def _compared(one: Shaper, other: Shaper, rollouts: Sequence[Rollout]) -> Comparison:
    tables = [list(_tables(shaper)) for shaper in (one, other)]
    for table in (*tables[0], *tables[1]):
        table.judge = _Heard(table.judge)
    terms, invalid = [], []
    for shaper in (one, other):
        invalid.append(_settle(shaper, rollouts))
        parts = [
            shaper.shape(rollout, shaper.init(1))[0].terms[name] for rollout in rollouts for name in shaper.term_names
        ]
        terms.append(np.concatenate(parts).ravel())
    heard = [{question: said for table in found for question, said in _said(table)} for found in tables]
    shared = [question for question in heard[0] if question in heard[1] and question.size]
    sides = [np.concatenate([_sides(found, question) for question in shared] or [np.zeros(0)]) for found in heard]
    varied = all(term.std() > 0 for term in terms)
    return Comparison(
        shaper=one.name,
        questions=len(shared),
        agreement=float((sides[0] == sides[1]).mean()) if shared else math.nan,
        correlation=float(np.corrcoef(terms[0], terms[1])[0, 1]) if varied else math.nan,
        sizes=(float(np.abs(terms[0]).mean()), float(np.abs(terms[1]).mean())),
        quality=(_quality(tables[0]), _quality(tables[1])),
        invalid=(invalid[0], invalid[1]),
    )


def _settle(shaper: Shaper, rollouts: Sequence[Rollout]) -> int:
    """Asks until nothing is left to ask. Returns how many answers were not valid."""
    invalid = 0.0
    for _ in range(_PASSES):
        found = [shaper.update(rollout) for rollout in rollouts]
        invalid += sum(metrics.get("invalid", 0.0) for metrics in found)
        if not any(metrics.get("asked") or metrics.get("ideas_asked") for metrics in found):
            break
    return int(invalid)


def _tables(holder: Any) -> Iterator[Answers]:
    """The tables of answers of a shaper, and of the shapers and potentials inside it."""
    for value in vars(holder).values():
        if isinstance(value, Answers):
            yield value
        for part in value if isinstance(value, tuple) else (value,):
            if type(part).__module__.startswith("potentia.shaping") and not isinstance(part, Answers):
                yield from _tables(part)


def _said(table: Answers) -> Iterator[tuple[Question, Answer]]:
    judge = table.judge
    assert isinstance(judge, _Heard)
    return ((question, answer) for question, answer in judge.heard.items() if answer.valid)


def _sides(heard: Mapping[Question, Answer], question: Question) -> np.ndarray[Any, Any]:
    return np.array(heard[question].values) >= (question.low + 1) / 2


def _quality(tables: Sequence[Answers]) -> dict[str, float]:
    return next((table.quality.metrics for table in tables if table.quality.metrics), {})


def _number(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
