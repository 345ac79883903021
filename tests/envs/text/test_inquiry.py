"""Inquiry and Dialogue: exact beliefs, information that adds up, questions that are the best, and users who err."""

from __future__ import annotations

import copy
import pickle
from functools import cache
from itertools import product
from math import log
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import potentia  # noqa: F401 - registers the ids
from potentia.envs.text.inquiry import Dialogue, Inquiry, Intents, Question, entropy, gain, greedy, posterior
from potentia.envs.text.inquiry.catalogue import ATTRIBUTES, CATALOGUE
from potentia.testing.environments import check_env


def answer(env: gym.Env[Any, Any], observation: Any, info: dict[str, Any]) -> str:
    """What who knows the hidden truth says."""
    game: Any = env.unwrapped
    if isinstance(game, Inquiry):
        return f"answer {game.intent}"
    return f"offer {info['facts'].split('satisfied by: ')[1].split(',')[0].split()[0]}"


@pytest.mark.parametrize("name", ["Inquiry", "Dialogue"])
def test_keeps_every_rule(name: str) -> None:
    assert check_env(f"potentia/{name}-v0", episodes=2, max_steps=25, solution=answer) == frozenset()


@pytest.mark.parametrize("name", ["Inquiry", "Dialogue"])
def test_keeps_every_rule_with_noise_by_number(name: str) -> None:
    check_env(lambda: gym.make(f"potentia/{name}-v0", noise=0.2, cost=0.01, form="flat"), episodes=2, max_steps=25)


def by_hand(intents: Intents, prior: np.ndarray[Any, Any], log_: tuple[str, ...], noise: float) -> float:
    """The entropy after open and closed questions, by Bayes' rule over all intents in plain Python."""
    weights = []
    for intent, before in enumerate(prior):
        weight = before
        values = dict(pair.split("=") for pair in intents.text(intent).split())
        for command, reply in zip(log_[::2], log_[1::2], strict=True):
            verb, name, *value = command.removeprefix("> ").split()
            if verb == "ask":
                told = reply.split()[-1].rstrip(".")
                weight *= 1 - noise if values[name] == told else noise / (len(intents.attributes[name]) - 1)
            elif verb == "is":
                weight *= 1 - noise if (values[name] == value[0]) == reply.startswith("Yes") else noise
        weights.append(weight)
    total = sum(weights)
    return -sum(weight / total * log(weight / total) for weight in weights if weight > 0)


@pytest.mark.parametrize("belief", ["exact", "independent"])
@pytest.mark.parametrize(("coupling", "noise"), [(0.0, 0.0), (0.7, 0.0), (0.0, 0.2), (0.6, 0.15)])
def test_information_adds_up_to_the_fall_of_entropy(belief: str, coupling: float, noise: float) -> None:
    """The entropy at each step is Bayes' rule's by hand, and so gains add up to H0 - HT to rounding."""
    env = Inquiry(
        {"a": ("x", "y", "z"), "b": ("p", "q"), "c": ("u", "v", "w")},
        priors={"a": (0.5, 0.3, 0.2)},
        coupling=coupling, noise=noise, belief=belief, info_keys=("entropy",),
    )  # fmt: skip
    rng = np.random.default_rng(0)
    for seed in range(5):
        _, info = env.reset(seed=seed)
        first, gained = info["entropy"], 0.0
        assert first == pytest.approx(by_hand(env.intents, env._believed, (), noise), abs=1e-12)
        for _ in range(8):
            before = info["entropy"]
            questions = list(env.asking)
            *_, info = env.step(questions[int(rng.integers(len(questions)))])
            gained += before - info["entropy"]
            assert info["entropy"] == pytest.approx(by_hand(env.intents, env._believed, env._log, noise), abs=1e-12)
        assert gained == pytest.approx(first - info["entropy"], abs=1e-12)


def test_four_equal_values_are_two_bits() -> None:
    env = Inquiry({"side": ("north", "south", "east", "west")}, info_keys="all")
    _, info = env.reset(seed=0)
    assert info["entropy"] == pytest.approx(2 * log(2))
    assert info["potential"] == -1.0
    wrong = next(value for value in ("north", "south") if f"side={value}" != env.intent)
    *_, info = env.step(f"is side {wrong}")
    assert info["entropy"] == pytest.approx(log(3))
    assert info["potential"] == pytest.approx(-log(3) / log(4))
    *_, info = env.step("ask side")
    assert info["entropy"] == 0.0
    assert info["commands"].split("\n")[-1] == f"answer {env.intent}"


@settings(max_examples=50, deadline=None)
@given(st.integers(2, 6), st.integers(2, 4), st.integers(0, 2**31))
def test_gain_is_the_expected_fall_of_entropy(hypotheses: int, replies: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    belief = rng.dirichlet(np.ones(hypotheses))
    chances = rng.dirichlet(np.ones(replies), size=hypotheses).T
    question = Question("?", tuple(map(str, range(replies))), chances)
    left = sum((row @ belief) * entropy(posterior(belief, row)) for row in chances)
    assert gain(belief, question) == pytest.approx(entropy(belief) - left, abs=1e-12)


def fewest(prior: np.ndarray[Any, Any], questions: tuple[Question, ...], best: bool) -> float:
    """The expected number of questions until one hypothesis is left: the least there can be, or the greedy asker's."""
    everything = frozenset(np.flatnonzero(prior > 0).tolist())

    def parts(left: frozenset[int], question: Question) -> list[frozenset[int]]:
        found = [frozenset(h for h in left if row[h] > 0) for row in question.chances]
        return [part for part in found if part]

    @cache
    def expected(left: frozenset[int]) -> float:
        if len(left) == 1:
            return 0.0
        belief = np.array([weight if h in left else 0.0 for h, weight in enumerate(prior)])
        belief /= belief.sum()
        asked = [greedy(belief, questions)] if not best else list(questions)
        costs = [
            1 + sum(belief[list(part)].sum() * expected(part) for part in parts(left, question))
            for question in asked
            if len(parts(left, question)) > 1
        ]
        return min(costs)

    return expected(everything)


@pytest.mark.parametrize("kinds", ["open", "closed", "both"])
@pytest.mark.parametrize(
    "priors",
    [
        {"a": (0.5, 0.5), "b": (0.9, 0.1)},
        {"a": (0.7, 0.2, 0.1), "b": (0.4, 0.35, 0.25)},
        {"a": (0.25, 0.25, 0.25, 0.25), "b": (0.6, 0.4)},
        {"a": (0.5, 0.5), "b": (0.3, 0.7), "c": (0.05, 0.95)},
    ],
)
def test_the_most_uncertain_question_is_the_best_on_product_spaces(kinds: str, priors: dict[str, Any]) -> None:
    """Against an exhaustive search over all ways to ask."""
    attributes = {name: tuple(f"v{k}" for k in range(len(prior))) for name, prior in priors.items()}
    intents = Intents(attributes, priors)
    questions = intents.questions(kinds)
    greedy_needs, least = fewest(intents.prior, questions, best=False), fewest(intents.prior, questions, best=True)
    assert greedy_needs == pytest.approx(least, abs=1e-12)
    if kinds == "open":
        assert least == len(priors)


def test_what_taking_attributes_for_independent_costs() -> None:
    """Four attributes of which each follows the first: one question is enough, and the other asker puts all four.

    The entropy believed in is 4 log 3 instead of log 3.
    """
    attributes = {name: ("x", "y", "z") for name in "abcd"}
    needed = {}
    for belief in ("exact", "independent"):
        env = Inquiry(attributes, coupling=1.0, belief=belief, questions="open", info_keys="all")
        _, info = env.reset(seed=0)
        assert info["entropy"] == pytest.approx((1 if belief == "exact" else 4) * log(3))
        count = 0
        while info["entropy"] > 1e-9:
            *_, info = env.step(greedy(env.belief, list(env.asking.values())).text)
            count += 1
        needed[belief] = count
        assert info["commands"].split("\n")[-1] == f"answer {env.intent}"
    assert needed == {"exact": 1, "independent": 4}


@settings(max_examples=30, deadline=None)
@given(st.floats(0, 1), st.integers(2, 4), st.integers(2, 4))
def test_the_independent_belief_has_the_same_marginals_and_no_less_entropy(c: float, n: int, m: int) -> None:
    intents = Intents({"a": [f"v{k}" for k in range(n)], "b": [f"v{k}" for k in range(m)]}, coupling=c)
    assert intents.prior.sum() == pytest.approx(1.0)
    for column in intents.values:
        exact, apart = np.bincount(column, intents.prior), np.bincount(column, intents.independent)
        assert exact == pytest.approx(apart)
    assert entropy(intents.independent) >= entropy(intents.prior) - 1e-12


def test_asking_again_helps_against_noise() -> None:
    """With one wrong reply in five, five questions about each of two attributes find the intent far more often."""
    hits = {}
    for times in (1, 5):
        env = Inquiry({"a": ("x", "y"), "b": ("p", "q", "r")}, noise=0.2, questions="open")
        found = 0
        for seed in range(300):
            env.reset(seed=seed)
            for name in ("a", "b") * times:
                env.step(f"ask {name}")
            found += bool(env.step(env.commands[-1])[1] == 1.0)
        hits[times] = found / 300
    assert 0.55 < hits[1] < 0.73  # 0.8 * 0.8 = 0.64, and 5 standard errors are 0.14
    assert hits[5] > 0.85


def test_the_reward_is_the_weight_of_what_is_right() -> None:
    env = Inquiry({"a": ("x", "y"), "b": ("p", "q")}, weights={"a": 3, "b": 1}, cost=0.1, info_keys="all")
    env.reset(seed=0)
    a, b = env.intent.split()
    assert env.step("ask a")[1] == -0.1
    saved = env.save()
    wrong = "b=p" if b == "b=q" else "b=q"
    _, reward, terminated, _, info = env.step(f"answer {a} {wrong}")
    assert (reward, terminated, bool(info["success"]), bool(info["lost"])) == (0.75, True, False, True)
    assert info["potential"] == -1.0
    env.restore(saved)
    _, reward, _, _, info = env.step(f"answer {b} {a}")
    assert (reward, bool(info["success"]), info["entropy"], info["potential"]) == (1.0, True, 0.0, 0.0)
    env.restore(saved)
    assert env.step(f"answer {a} {b} {wrong}")[1] == 0.75, "two values for one attribute are none"
    env.restore(saved)
    assert env.step(f"answer {b}")[1] == 0.25


def test_what_means_nothing_is_not_remembered() -> None:
    env = Inquiry(info_keys="all")
    _, info = env.reset(seed=0)
    for command in ("", "ask", "ask price", "is kind", "is kind blue", "answer", "look"):
        text, reward, terminated, _, after = env.step(command)
        assert text.endswith("Ask, or say: answer ATTRIBUTE=VALUE ...")
        assert (reward, terminated, after["entropy"]) == (0.0, False, info["entropy"])
        assert after["state_hash"] == info["state_hash"]


def test_each_wish_is_satisfied_by_its_items_and_no_others() -> None:
    env = Dialogue(2)
    for number, wish in enumerate(env._wishes):
        assert sum(map(bool, wish)) == 2
        for item, offer in env.offers.items():
            fits = all(not value or value == CATALOGUE[item][d] for d, value in enumerate(wish))
            assert bool(offer.chances[0, number]) == fits
    assert env._prior.sum() == pytest.approx(1.0)


@pytest.mark.parametrize("wishes", [1, 3, 5])
def test_a_dialogue_that_asks_the_best_question_satisfies(wishes: int) -> None:
    env = Dialogue(wishes, info_keys="all")
    for seed in range(20):
        _, info = env.reset(seed=seed)
        first, gained = info["entropy"], 0.0
        for _ in ATTRIBUTES:
            before = info["entropy"]
            _, _, _, _, info = env.step(greedy(env.belief, list(env.asking.values())).text)
            gained += before - info["entropy"]
        assert info["entropy"] == pytest.approx(0.0, abs=1e-12), "all five replies leave one wish"
        assert gained == pytest.approx(first, abs=1e-9)
        best = max(env.offers.values(), key=lambda offer: float(offer.chances[0] @ env.belief))
        _, reward, terminated, _, info = env.step(best.text)
        assert (reward, terminated, bool(info["success"]), info["potential"]) == (1.0, True, True, 0.0)


def test_a_user_leaves_after_wrong_offers_and_says_what_is_wrong() -> None:
    env = Dialogue(5, patience=2, info_keys="all")
    env.reset(seed=0)
    target = env.wish
    wrong = [item for item, values in CATALOGUE.items() if values != target][:2]
    text, reward, terminated, _, info = env.step(f"offer {wrong[0]}")
    first = next(d for d in range(5) if CATALOGUE[wrong[0]][d] != target[d])
    assert text.endswith(f"No, the {ATTRIBUTES[first]} is not what I want.")
    assert (reward, terminated) == (0.0, False)
    assert info["subgoals"]["learned_something"]
    _, _, terminated, truncated, info = env.step(f"offer {wrong[1]}")
    assert (terminated, truncated, bool(info["lost"]), info["potential"]) == (True, False, True, -1.0)


def test_replies_are_sentences_with_the_value() -> None:
    env = Dialogue(5)
    for seed, (d, name) in product(range(5), enumerate(ATTRIBUTES)):
        env.reset(seed=seed)
        assert env.wish[d] in env.step(f"ask {name}")[0].split("\n")[-1].lower()


def test_copies_go_their_own_ways() -> None:
    env = Dialogue(noise=0.3)
    env.reset(seed=1)
    env.step("ask kind")
    for other in (copy.deepcopy(env), pickle.loads(pickle.dumps(env))):
        saved = env.save()
        assert [env.step("ask size")[0] for _ in range(3)] == [other.step("ask size")[0] for _ in range(3)]
        env.restore(saved)


@pytest.mark.parametrize(
    ("settings_", "message"),
    [
        ({"attributes": {"a": ("x",)}}, "2 values or more"),
        ({"attributes": {"a": ("x y", "z")}}, "single words"),
        ({"priors": {"kind": (1.0, 0.0)}}, "the prior of kind"),
        ({"priors": {"price": (0.5, 0.5)}}, "priors must be of attributes"),
        ({"weights": {"kind": 1.0}}, "weights must be"),
        ({"noise": 1.0}, "noise in"),
        ({"coupling": -0.1}, "coupling must be"),
        ({"belief": "none"}, "belief must be among"),
        ({"questions": "none"}, "questions must be among"),
        ({"cost": -1.0}, "cost must be"),
    ],
)
def test_other_settings_are_refused(settings_: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Inquiry(**settings_)


@pytest.mark.parametrize("settings_", [{"wishes": 0}, {"wishes": 6}, {"noise": 1.0}, {"patience": 0}, {"cost": -1.0}])
def test_other_settings_of_a_dialogue_are_refused(settings_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="must be"):
        Dialogue(**settings_)
