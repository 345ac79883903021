"""Judged shapers worked by hand: what is asked when, what is paid, and that nobody waits."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from potentia.judges import Achieved, Answer, Forward, Judge, Mistaken, Progress, Question, Rules, RuleSet
from potentia.rollout import Rollout
from potentia.shaping import (
    CALM,
    ELLM,
    ONI,
    Chain,
    InformationGain,
    JudgedPotential,
    Motif,
    RubricReward,
    RuleReward,
    Shaper,
    TurnCredit,
)
from potentia.shaping._models.captions import CaptionModel
from potentia.shaping.judged.answers import Answers
from tests.episodes import rollout
from tests.shaping.law_table import SlowRules


def steps(discount: float = 0.5, *, terminated: bool = False, **columns: Sequence[Any]) -> Rollout:
    """An episode that is cut, or ends, after as many steps as the columns have rows."""
    length = len(next(iter(columns.values())))
    info = {name: np.array(column)[:, None] for name, column in columns.items()}
    ends = {"terminated": terminated, "truncated": not terminated}
    return replace(rollout(list(range(length + 1)), discount=discount, **ends), info=info)


def term(shaper: Shaper, experience: Rollout) -> list[float]:
    return [float(value) for value in shaper.shape(experience)[0].terms[shaper.name][:, 0]]


class Counts(Judge):
    """Says what it is told to, each question once more expensive, and remembers what it was asked."""

    def __init__(self, *answers: Answer) -> None:
        self.answers, self.asked = list(answers), list[Question]()

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        self.asked += questions
        return [self.answers.pop(0) for _ in questions]


def test_an_answer_that_is_not_valid_is_no_knowledge_and_is_asked_for_again_a_few_times() -> None:
    silent, late = Answer((0.5,), valid=False), Answer((0.5,), valid=False, again=True)
    question = Progress("Go.", "here")
    judge = Counts(silent, late, silent, late, silent, Answer((0.9,)))
    answers = Answers(judge, tries=3)
    found = [answers.ask([question]) for _ in range(7)]
    # Three answers that were not valid, and two that might have been later: those cost no try.
    assert [metrics["asked"] for metrics in found] == [1, 1, 1, 1, 1, 0, 0]
    assert [metrics["invalid"] for metrics in found] == [1, 1, 1, 1, 1, 0, 0]
    assert answers.get(question) is None
    assert found[-1]["known"] == 0.0


def test_the_newest_are_asked_first_and_tokens_are_counted() -> None:
    judge = Counts(*[Answer((0.5,), tokens_in=10, tokens_out=2)] * 3, Answer((0.5,), tokens_in=9, cached=True))
    answers = Answers(judge, questions=3)
    asked = [Progress("Go.", state) for state in "abcd"]
    first = answers.ask([*asked, asked[0]])
    assert [question.state for question in judge.asked] == ["b", "c", "d"]
    assert (first["known"], first["asked"], first["calls"]) == (0.0, 3.0, 3.0)
    assert (first["tokens_in"], first["tokens_out"]) == (30.0, 6.0)
    second = answers.ask(asked)
    assert (second["known"], second["asked"], second["calls"], second["tokens_in"]) == (0.75, 1.0, 0.0, 0.0)
    assert (first["answered"], first["cached"], second["answered"], second["cached"]) == (3.0, 0.0, 1.0, 1.0)


def test_a_judge_is_measured_by_the_truth_and_not_told_it() -> None:
    lies = Mistaken(Rules(), 1.0)
    answers = Answers(lies)
    yes, no = (Forward("Leave.", "room", action, truth=(float(right),)) for action, right in (("go", 1), ("wait", 0)))
    metrics = answers.ask([yes, yes, no])
    assert (metrics["accuracy"], metrics["error"], metrics["f1"], metrics["calibration"]) == (0.0, 1.0, 0.0, 1.0)
    again = Answers(lies)
    again.load_state_dict(answers.state_dict())
    assert again.quality.metrics == answers.quality.metrics


class Sleeps(Rules):
    """Takes a fifth of a second an answer."""

    quick = False

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        time.sleep(0.2 * len(questions))
        return super().answer(questions)


def test_a_slow_judge_in_the_background_holds_nobody_up() -> None:
    shaper = JudgedPotential(Sleeps(lambda _: (0.5,)), "Go.", background=True)
    way = steps(caption=list("abcdefgh"), next_caption=list("bcdefghi"))
    begun = time.perf_counter()
    for _ in range(20):
        shaper.shape(way)
        shaper.update(way)
    assert time.perf_counter() - begun < 0.2 * 9 / 2  # one round of questions takes 1.8 s
    deadline = time.perf_counter() + 30
    while (known := shaper.update(way)["known"]) < 1.0 and time.perf_counter() < deadline:
        time.sleep(0.05)
    assert known == 1.0
    assert term(shaper, way) == [0.5 * 0.5 - 0.5] * 8


def test_an_opinion_that_comes_late_leaves_the_terms_telescoping() -> None:
    shaper = JudgedPotential(SlowRules(lambda asked: (len(asked.state) / 10,)), "Go.", unknown=0.5)
    way = steps(terminated=True, caption=["a", "aa", "aaa"], next_caption=["aa", "aaa", "aaaa"])
    carry, found = shaper.init(1), []
    for t in range(3):
        shaped, carry = shaper.shape(way[t : t + 1], carry)
        found.append(float(shaped.terms["JudgedPotential"][0, 0]))
        shaper.update(way)
    # unknown: 0.5 * 0.5 - 0.5; then "aaa" is known, "aa" was entered as unknown: 0.5 * 0.3 - 0.5; then 0 - 0.3.
    assert found == pytest.approx([-0.25, -0.35, -0.3])
    assert found[0] + 0.5 * found[1] + 0.25 * found[2] == pytest.approx(-0.5)


def test_calm_latches_what_was_reached_and_takes_it_back_at_a_cut() -> None:
    words = {"caption": ["start", "key", "key", "door"], "next_caption": ["key", "key", "door", "door"]}
    reached = Rules(lambda asked: [float(one in asked.after and one not in asked.before) for one in asked.subgoals])
    cut = steps(**words)
    shaper = CALM(reached, ["key", "door"])
    # share: 0, 1/2, 1/2, 1, 1: 0.5 * 0.5 - 0, 0.5 * 0.5 - 0.5, 0.5 * 1 - 0.5, 0 - 1.
    assert term(shaper, cut) == [0.25, -0.25, 0.0, -1.0]
    assert sum(0.5**t * value for t, value in enumerate(term(shaper, cut))) == 0.0
    assert term(CALM(reached, ["key", "door"], form="bonus"), cut) == [1.0, 0.0, 1.0, 0.0]
    assert shaper.contract.guarantee == "policy_invariant"
    assert CALM(reached, ["key"], form="bonus").contract.guarantee == "unconstrained"


def test_what_calm_shows_of_a_step() -> None:
    way = replace(steps(caption=["a wall"], next_caption=["a key"], next_message=["You see."]), action=np.array([[1]]))
    names = ["wait", "go"]

    def shown(**options: Any) -> Achieved:
        [question] = CALM(Rules(lambda _: None), ["see key"], **options).questions(way)
        return question

    assert shown(action_names=names) == Achieved(("see key",), "a wall", "go", "a key")
    assert shown(message="message", use_action=False) == Achieved(("see key",), "a wall", "", "a key", "You see.")
    assert shown(window=1) == Achieved(("see key",), "", "", "a key")
    assert shown(use_observation=False, action_names=names) == Achieved(("see key",), "", "go", "")
    texts = replace(way, action=np.array([["take key"]]))
    [question] = CALM(Rules(lambda _: None), ["see key"]).questions(texts)
    assert question.action == "take key"


def test_calm_asks_for_subgoals_once_for_each_goal_and_is_measured_by_the_worlds_events() -> None:
    class Adviser(SlowRules):
        def answer(self, questions: Sequence[Question]) -> list[Answer]:
            if isinstance(questions[0], Achieved):
                return super().answer(questions)
            ideas.extend(questions)
            return [Answer(texts=("take key", "open door")) for _ in questions]

    ideas: list[Question] = []
    way = steps(goal=["Leave."] * 3, caption=["wall", "key", "key"], next_caption=["key", "key", "out"])
    asks = CALM(Adviser(lambda asked: (1.0, 0.0)), goal=None)
    assert term(asks, way) == [0.0, 0.0, 0.0]
    metrics = asks.update(way)
    assert len(ideas) == 1
    assert (metrics["ideas_asked"], metrics["asked"]) == (1.0, 3.0)
    assert asks.update(way)["ideas_known"] == 1.0
    assert term(asks, way)[0] == 0.5 * 0.5
    events = {"key": np.array([[True], [False], [False]]), "opened": np.array([[False], [False], [True]])}
    way = replace(way, info=way.info | {"next_subgoals": events})
    truth = CALM(Rules(), {"take the key": "key", "open the door": "opened"})
    assert truth.contract.info_columns >= {"next_subgoals"}
    assert term(truth, way) == [0.25, -0.25, -0.5]
    guesses = CALM(SlowRules(lambda asked: (1.0, 0.0)), {"take the key": "key", "open the door": "opened"})
    # Of six decisions one yes is right, two are wrong, one is missed, and two are rightly no.
    found = guesses.update(way)
    assert [found[name] for name in ("accuracy", "precision", "recall")] == pytest.approx([0.5, 1 / 3, 0.5])
    assert found["f1"] == pytest.approx(2 / (2 + 2 + 1))


def test_ellm_pays_each_goal_once_an_episode() -> None:
    vectors = {"eat": [1, 0, 0], "drink": [0, 1, 0], "You eat.": [0.8, 0.6, 0], "You drink.": [0, 1, 0], "": [0, 0, 0]}
    shaper = ELLM(["eat", "drink"], lambda texts: np.array([vectors[text] for text in texts], float), threshold=0.5)
    way = steps(next_caption=["You eat.", "You eat.", "You eat.", "", "You drink."])
    assert term(shaper, way) == [0.0] * 5  # nothing was compared yet
    shaper.update(way)
    # "eat" at 0.8, then "drink" at 0.6, and then both are paid.
    assert term(shaper, way) == pytest.approx([0.8, 0.6, 0.0, 0.0, 0.0])
    _, carry = shaper.shape(way[:1], shaper.init(1))
    assert carry == [("eat",)]
    assert shaper.shape(way, carry)[1] == [()]


def test_the_gain_of_information_telescopes() -> None:
    entropy = np.log([12.0, 6.0, 3.0, 1.0])
    cut = steps(1.0, entropy=entropy[:-1], next_entropy=entropy[1:])
    assert sum(term(InformationGain(), cut)) == pytest.approx(np.log(12))  # H0 - HT, and HT is 0
    assert term(InformationGain(), cut) == pytest.approx([np.log(2), np.log(2), np.log(3)])
    early = steps(1.0, entropy=entropy[:-2], next_entropy=entropy[1:-1])
    assert sum(term(InformationGain(), early)) == pytest.approx(np.log(12) - np.log(3))
    ended = steps(0.9, terminated=True, entropy=entropy[:-2], next_entropy=entropy[1:-1])
    # Whoever stops early gets as much as whoever asks on: the potential of an end is 0.
    assert np.dot(0.9 ** np.arange(2), term(InformationGain(), ended)) == pytest.approx(np.log(12))


def turns(points: Sequence[float], won: bool) -> Rollout:
    flags = [False] * (len(points) - 1) + [won]
    way = steps(terminated=True, next_success=flags)
    return replace(way, terms={"env": np.array(points, float)[:, None]})


@pytest.mark.parametrize(
    ("points", "won", "new"),
    [
        ([1, 0, 1, 1], True, [1 / 3, 0, 1 / 3, 1 / 3]),
        ([0, 0], True, [0, 1.0]),  # a win without points
        ([3, 0, 1], True, [0.75, 0, 0.25]),
        ([1, -1, 1], True, [0.5, 0, 0.5]),
        ([1, 0, 1, 0], False, [0.25, 0, 0.25, 0]),
        ([1, 1, 1, 1, 1, 1], False, [1 / 6] * 6),  # more than was said to be the most
        ([-2, 1], False, [-0.5, 0.25]),
    ],
)
def test_points_are_placed_on_their_turns(points: list[float], won: bool, new: list[float]) -> None:
    shaped, _ = TurnCredit(4.0).shape(turns(points, won))
    assert shaped.reward[:, 0].tolist() == pytest.approx(new)


def test_no_loss_is_worth_more_than_a_win() -> None:
    rng = np.random.default_rng(0)
    for most in (None, 2.0, 50.0):
        shaper, wins, losses = TurnCredit(most), list[float](), list[float]()
        for _ in range(300):
            won = bool(rng.random() < 0.5)
            episode = turns(rng.integers(-3, 6, rng.integers(1, 9)).tolist(), won)
            total = float(shaper.shape(episode)[0].reward.sum())
            (wins if won else losses).append(total)
            shaper.update(episode)
        assert wins == pytest.approx([1.0] * len(wins))
        assert max(losses) <= 1.0 + 1e-12
    # As released: d / 1 for a loss. Three points lost beat a win.
    assert sum([1.0, 1.0, 1.0]) > float(TurnCredit().shape(turns([1, 1, 1], True))[0].reward.sum())


def test_rubrics_and_rules_of_steps_and_of_episodes() -> None:
    way = steps(next_caption=["Hello", "I go.", "Bye"])
    judge = Rules(lambda asked: [0.9 if one in asked.text else 0.2 for one in asked.criteria])
    assert term(RubricReward(judge, ["Hello", "Bye"]), way) == pytest.approx([0.55, 0.2, 0.55])
    assert term(RubricReward(judge, ["Hello", "Bye"], when="end"), way) == pytest.approx([0.0, 0.0, 0.9])
    assert term(RuleReward(["Hello", "Bye"], judge), way) == [0.5, 0.0, 0.5]
    rules = RuleSet.fit([("Hello you", "you"), ("Hello", "Bye")], {"greets": lambda text: "Hello" in text})
    fitted = RuleReward(rules)
    assert term(fitted, way) == [1.0, 0.0, 0.0]
    lines = RuleReward({"long": lambda text: len(text) > 5, "two": lambda text: text.count("\n") == 2}, when="end")
    assert term(lines, way) == [0.0, 0.0, 1.0]
    assert lines.contract.needs_episodes


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: JudgedPotential(len), TypeError, r"Judge, got builtin_function_or_method; make one of a function"),
        (lambda: JudgedPotential(Rules(), questions=0), ValueError, "at least 1, got 0"),
        (lambda: CALM(Rules()), ValueError, "needs subgoals, at least one, or a goal"),
        (lambda: CALM(Rules(), []), ValueError, "needs subgoals"),
        (lambda: CALM(Rules(), ["a"], form="reward"), ValueError, "got 'reward' and 2"),
        (lambda: CALM(Rules(), ["a"], use_observation=False, use_action=False), ValueError, "nothing of a step"),
        (lambda: ELLM([]), ValueError, "needs goals"),
        (lambda: TurnCredit(0.0), ValueError, "must be positive, got 0"),
        (lambda: RubricReward(Rules()), ValueError, "needs criteria"),
        (lambda: RubricReward(Rules(), ["a"], when="never"), ValueError, "got 'never'"),
        (lambda: RuleReward(["a"]), ValueError, "in words, with a judge, or functions"),
        (lambda: RuleReward(RuleSet(["a"], Rules()), Rules()), ValueError, "or a RuleSet, without one"),
        (lambda: RuleReward({"a": bool}, Rules()), ValueError, "in words, with a judge, or functions"),
        (
            lambda: term(CALM(Rules(), ["a"], use_action=False), steps(caption=["a"])),
            ValueError,
            "reads the info column 'next_caption'",
        ),
    ],
)
def test_what_is_wrong_is_told(make: Callable[[], Any], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        make()


def test_a_chain_measures_what_its_members_do() -> None:
    chain = Chain(JudgedPotential(SlowRules(), "Go."), CALM(SlowRules(lambda _: (1.0,)), ["a"], use_action=False))
    assert chain.contract.measures == {"info:next_subgoals"}
    keys = frozenset({"caption", "potential", "subgoals"})
    assert chain.contract.columns_in(keys) - chain.contract.info_columns == {"next_subgoals"}
    assert chain.contract.columns_in(frozenset()) == chain.contract.info_columns


CAPTIONS = {"caption": ["wake", "key", "key", "wall"], "next_caption": ["key", "key", "wall", "key"]}


def test_oni_counts_captions_from_the_reset_on_and_anew_in_each_episode() -> None:
    shaper = ONI(Rules(lambda _: (1.0,)))
    way = steps(caption=["key", "key", "wall"], next_caption=["key", "wall", "key"])
    # The reset shows "key" once, so the first step is its second time: 1/8, 1, 1/27.
    assert term(shaper, way) == pytest.approx([1 / 8, 1.0, 1 / 27])
    _, carry = shaper.shape(way, shaper.init(1))
    assert shaper.shape(way, carry)[0].terms["ONI"][:, 0].tolist() == pytest.approx([1 / 8, 1.0, 1 / 27])
    assert term(ONI(Rules(lambda _: (1.0,)), beta=1.0), way) == pytest.approx([1 / 2, 1.0, 1 / 3])


def test_oni_asks_each_caption_once_the_newest_first_and_pays_labels_only() -> None:
    judge = Counts(*[Answer((float(helpful),)) for helpful in (1, 0)])
    shaper, way = ONI(judge, "Leave.", questions=1), steps(**CAPTIONS)
    assert term(shaper, way) == [0.0] * 4
    shaper.update(way)
    shaper.update(way)
    assert shaper.update(way)["asked"] == 0.0
    assert [asked.texts["text"] for asked in judge.asked] == ["wall", "key"]
    assert term(shaper, way) == [0.0, 0.0, 1.0, 0.0]


def test_oni_learns_what_a_judge_says_of_captions_and_of_pairs() -> None:
    captions = [f"a {thing} is {place} steps {way}" for thing in ("key", "wall") for place in range(8) for way in "NE"]
    rng = np.random.default_rng(0)
    way = steps(caption=["wake"] * 32, next_caption=rng.permutation(captions).tolist())
    told = Rules(lambda asked: (float("key" in asked.texts["text"]),))
    classes = ONI(told, "", "classification", steps=40, learning_rate=3e-3, **TINY)
    before = classes.update(way)
    assert before["labels"] == 32.0
    assert "loss" not in classes.update(way)  # nothing new came
    assert [value > 0 for value in term(classes, way)] == ["key" in text for text in way.info["next_caption"][:, 0]]
    prefers = Rules(lambda asked: (float("key" in asked.first) - float("key" in asked.second),))
    ranks = ONI(prefers, "", "ranking", steps=40, pairs=40, learning_rate=3e-3, **TINY)
    for _ in range(3):
        losses = ranks.update(way)
    assert losses["loss"] < 0.55 * np.log(2)  # every other pair is a tie, whose loss is log 2 at least
    keys = np.array(["key" in text for text in way.info["next_caption"][:, 0]])
    found = np.array(term(ranks, way))
    assert found[keys].min() > 0.5
    assert (found[~keys] == 0.0).all()  # below the threshold of -1/2


TINY: dict[str, Any] = {"embedding": 8, "channels": 8, "hidden": 16, "batch_size": 32}


def test_the_loss_of_a_tie_and_of_pairs_turned_round() -> None:
    model = CaptionModel(length=128, learning_rate=0.0, device="cpu", seed=0, **TINY)
    assert model.rank(["a key"], ["a key"], [0.5], 1) == pytest.approx(np.log(2))
    forth, back = model.rank(["a key"], ["a wall"], [0.8], 1), model.rank(["a wall"], ["a key"], [0.2], 1)
    assert forth == pytest.approx(back)
    margin = float(model.numbers(["a key"]) - model.numbers(["a wall"]))
    assert forth == pytest.approx(np.log1p(np.exp(margin)) - 0.8 * margin, rel=1e-5)


def test_motif_is_fitted_once_and_pays_the_better_half(tmp_path: Path) -> None:
    captions = [f"{thing} {number}" for thing in ("a key", "a wall") for number in range(10)]
    prefers = Rules(lambda asked: (float("key" in asked.first) - float("key" in asked.second),))
    motif = Motif.of_captions(captions, prefers, "Leave.", pairs=300, epochs=20, learning_rate=3e-3, **TINY)
    assert motif.fitted["accuracy"] > 0.95
    assert [value > 0 for value in motif.rewards(captions)] == ["key" in caption for caption in captions]
    assert not motif.learns
    lines = tmp_path / "pairs.jsonl"
    lines.write_text('["a key", "a wall", 1]\n["a wall", "a key", -1.0]\n')
    assert Motif(lines, epochs=1, **TINY).fitted.keys() == {"loss"}
    with pytest.raises(ValueError, match=r"number in \[-1, 1\]\), got \('a', 'b', 2\)"):
        Motif([("a", "b", 2), ("a", "b", 0)])
    with pytest.raises(ValueError, match="two pairs of captions at least, got 1"):
        Motif([("a", "b", 1)])
