"""Functions of the reward, worked by hand, and what they do to what is learned."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

from potentia.rollout import Rollout
from potentia.shaping import (
    PAR,
    Chain,
    FlipNoise,
    Gated,
    HideReward,
    IndicatorCost,
    IntervalIoU,
    InvertedReward,
    LengthPenalty,
    Limit,
    PotentialShaping,
    RandomReward,
    ReasoningPattern,
    ScheduleDiscount,
    TemporalAttenuation,
    variance_filter,
)
from potentia.shaping.transforms.par import FORMS


def sigmoid(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def answers(*rewards: float, **columns: Any) -> Rollout:
    """Episodes of one step side by side."""
    reward = np.array([rewards], float)
    zeros, ends = np.zeros(reward.shape), np.ones(reward.shape, bool)
    info = {name: np.asarray(values)[None] for name, values in columns.items()}
    states = np.arange(reward.size).reshape(reward.shape)
    return Rollout(
        obs=states, action=states, next_obs=states, terms={"env": reward}, discount=zeros, terminated=ends,
        truncated=~ends, info=info,
    )  # fmt: skip


def seen(shaper: Any, rollout: Rollout) -> list[float]:
    return np.asarray(shaper.shape(rollout)[0].reward)[0].tolist()


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        ("par", (sigmoid(2 * (3 - 1)) + sigmoid(2 * (3 - 2))) / 2),
        ("centered", 2 * (3 - 1.5)),
        ("sigmoid", sigmoid(2 * 3)),
        ("tanh", (math.tanh(4) + math.tanh(2)) / 2),
        ("arctan", (math.atan(4) + math.atan(2)) / 2),
        ("sgfc", (sigmoid(4 - 3) + sigmoid(2 - 3)) / 2),
        # q85 of a normal with mean 1.5 and deviation 0.5.
        ("lsc", math.log(sigmoid(2 * (3 - 1.5 - 1.0364333894937898 * 0.5)))),
        ("ceiling", 2.5),
    ],
)
def test_each_form_by_hand(form: str, expected: float) -> None:
    shaper = PAR(form, reference=[1.0, 2.0], k=2.0, ceiling=2.5)
    assert seen(shaper, answers(3.0)) == pytest.approx([expected])


def test_the_polynomial_is_close_to_the_sigmoid_and_stays_bounded() -> None:
    shaper = PAR("polynomial", reference=[0.0])
    got = np.array(seen(shaper, answers(*np.linspace(-5, 5, 41))))
    assert np.abs(got - [sigmoid(x) for x in np.linspace(-5, 5, 41)]).max() < 0.022
    assert seen(shaper, answers(1e6)) == pytest.approx(seen(shaper, answers(5.0)))


def test_running_forms_are_those_of_all_rewards_seen() -> None:
    first, second = answers(0.0, 4.0), answers(8.0, 4.0)
    # Of 0, 4, 8, 4 the mean is 4, the deviation sqrt(8), the least 0 and the most 8.
    expected = {"mean_std": 6 / 8**0.5, "clip": 4 + 8**0.5, "min_max": 10 / 8}
    for form, value in expected.items():
        shaper = PAR(form)
        assert seen(shaper, answers(10.0)) == [10.0]  # nothing is known yet
        for rollout in (first, second):
            shaper.update(shaper.shape(rollout)[0])  # its own term is left out
        assert seen(shaper, answers(10.0)) == pytest.approx([value])


@pytest.mark.parametrize("form", sorted(set(FORMS) - {"clip", "mean_std", "min_max"}))
def test_what_is_better_stays_better(form: str) -> None:
    scores = np.linspace(-4, 4, 30)
    got = np.array(seen(PAR(form, reference=[0.0, 0.5], ceiling=9.0), answers(*scores)))
    assert (np.diff(got) > -2e-3).all()  # the polynomial has a ripple at its ends


def test_par_does_not_see_a_shift_of_score_and_references() -> None:
    there = {"references": [[0.5, -1.0], [2.0, 0.0]]}
    moved = {"references": [[7.5, 6.0], [9.0, 7.0]]}
    shaper = PAR(reference="references")
    assert seen(shaper, answers(1.0, 3.0, **there)) == pytest.approx(seen(shaper, answers(8.0, 10.0, **moved)))


def test_the_bounded_form_keeps_from_what_lies_beyond_the_reward_models_data() -> None:
    """On a line of answers x with proxy x and truth x - x^2 / 4, PAR's optimum with a price on KL stays near the best.

    The reference policy is a standard normal. At beta = 0.1 the raw score drives the mean to 10, where the truth
    is -15.
    """
    x = np.linspace(-20, 20, 8001)
    log_reference = -(x**2) / 2

    def truth_at_the_optimum(reward: np.ndarray) -> float:
        logits = log_reference + reward / 0.1
        weights = np.exp(logits - logits.max())
        return float((weights * (x - x**2 / 4)).sum() / weights.sum())

    raw = truth_at_the_optimum(x)
    par = truth_at_the_optimum(np.array(seen(PAR(reference=[0.0]), answers(*x))))
    assert raw == pytest.approx(10 - (100 + 1) / 4, abs=0.05)
    assert par > 0.6


def test_only_ends_are_reshaped_unless_asked() -> None:
    zeros, ends = np.zeros((2, 1)), np.array([[False], [True]])
    rollout = Rollout(
        obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros + 2}, discount=zeros, terminated=ends,
        truncated=zeros > 0,
    )  # fmt: skip
    assert PAR("ceiling", ceiling=1.0).shape(rollout)[0].reward[:, 0].tolist() == [2.0, 1.0]
    assert PAR("ceiling", ceiling=1.0, when="always").shape(rollout)[0].reward[:, 0].tolist() == [1.0, 1.0]


def test_flips_are_as_frequent_as_said_and_shared_as_said() -> None:
    rng = np.random.default_rng(0)
    groups = np.repeat([f"question {k}" for k in range(500)], 4)
    rollout = answers(*rng.integers(0, 2, 2000), task=groups)
    truth = np.asarray(rollout.terms["env"])[0]
    for p in (0.1, 0.4):
        flipped = np.array(seen(FlipNoise(p), rollout)) != truth
        assert flipped.mean() == pytest.approx(p, abs=0.03)
        by_group = (np.array(seen(FlipNoise(p, "group", group="task"), rollout)) != truth).reshape(500, 4)
        assert (by_group == by_group[:, :1]).all()
        assert by_group[:, 0].mean() == pytest.approx(p, abs=0.05)
    assert not flipped.reshape(500, 4).all(1).mean() > 0.1  # draws by step are not shared


def test_each_visit_of_a_question_is_drawn_anew() -> None:
    noise = FlipNoise(0.5, "group", group="task")
    rollout = answers(*np.zeros(300), task=[str(k) for k in range(300)])
    first = seen(noise, rollout)
    assert seen(noise, rollout) == first
    noise.update(rollout)
    assert 100 < np.sum(np.array(seen(noise, rollout)) != first) < 200


def test_a_flip_scales_the_expected_gradient() -> None:
    """The mean advantage of one of two actions under flips is 1 - 2 p times the true one."""
    rng = np.random.default_rng(1)
    choice = rng.integers(0, 2, 20_000)
    rollout = answers(*choice.astype(float))
    for p in (0.0, 0.2, 0.5):
        reward = np.array(seen(FlipNoise(p), rollout))
        difference = reward[choice == 1].mean() - reward[choice == 0].mean()
        assert difference == pytest.approx(1 - 2 * p, abs=0.03)


def test_an_episode_keeps_its_draw() -> None:
    steps, envs = 6, 400
    ends = np.arange(steps)[:, None] % 3 == 2
    states = np.arange(steps * envs).reshape(steps, envs)
    rollout = Rollout(
        obs=states, action=states, next_obs=states, terms={"env": np.zeros((steps, envs))},
        discount=np.ones((steps, envs)), terminated=np.broadcast_to(ends, (steps, envs)),
        truncated=np.zeros((steps, envs), bool),
    )  # fmt: skip
    reward = FlipNoise(0.5, "episode").shape(rollout)[0].reward
    assert (reward[:3] == reward[:1]).all()
    assert (reward[3:] == reward[3:4]).all()
    assert (reward[0] != reward[3]).mean() == pytest.approx(0.5, abs=0.1)


def test_controls() -> None:
    rollout = answers(0.0, 1.0, 0.25)
    assert seen(InvertedReward(), rollout) == [0.0, -1.0, -0.25]
    assert seen(InvertedReward(0.0, 1.0), rollout) == [1.0, 0.0, 0.75]
    many = answers(*np.linspace(-3, 3, 4000))
    drawn = np.array(seen(RandomReward(0.3), many))
    assert set(drawn.round(9).tolist()) == {0.0, 1.0}
    assert drawn.mean() == pytest.approx(0.3, abs=0.03)
    assert abs(np.corrcoef(drawn, np.linspace(-3, 3, 4000))[0, 1]) < 0.05


def test_a_length_is_of_words_or_numbers() -> None:
    assert seen(LengthPenalty("text", 2, 0.5), answers(1, 1, text=["a b", "a b c d"])) == [1.0, 0.0]
    assert seen(LengthPenalty("tokens", 300), answers(1, 1, tokens=[300, 400])) == [1.0, 0.0]


def test_patterns_of_reasoning() -> None:
    shaper = ReasoningPattern("text", ["first", "then", "thus"], enough=4)
    texts = ["First, then: then. Authenticity is no phrase.", "thus"]
    assert seen(shaper, answers(0, 0, text=texts)) == [0.5, 0.25]  # each counts once; "then" is not in "Authenticity"
    repeated = " ".join(["first then thus and so on"] * 30)
    assert seen(shaper, answers(0, text=[repeated])) == [0.0]  # nothing but repetition
    thought = ReasoningPattern("text", ["thus"], enough=1, part="<think>(.*?)</think>")
    assert seen(thought, answers(0, 0, text=["<think>thus</think> 4", "thus 4"])) == [1.0, 0.0]
    second = ReasoningPattern("text", ["thus"], enough=1, alpha=0.1, below=0.5)
    assert seen(second, answers(0.4, 0.5, text=["thus", "thus"])) == pytest.approx([0.5, 0.5])


def test_nothing_counts_behind_a_closed_gate() -> None:
    parts = {ReasoningPattern("text", ["thus"], enough=1): 0.7, LengthPenalty("text", 1, 1.0): 0.1}
    rollout = answers(0, 0, 0, text=["thus a b", "thus a b", "thus a b"], parsed=[1.0, 0.0, 0.5])
    assert seen(Gated("parsed", parts), rollout) == pytest.approx([0.5, 0.0, 0.25])
    by_function = Gated(lambda rollout: rollout.info["parsed"], parts)
    assert seen(by_function, rollout) == pytest.approx([0.5, 0.0, 0.25])


def test_intervals() -> None:
    named = [[0.0, 4.0], [2.0, 6.0], [7.0, 9.0], [5.0, 1.0], [np.nan, 3.0]]
    rollout = answers(0, 0, 0, 0, 0, next_interval=named, target=[[2.0, 6.0]] * 5)
    assert seen(IntervalIoU(weight=0.5), rollout) == pytest.approx([1 / 6, 0.5, 0, 0, 0])
    with pytest.raises(ValueError, match=r"shape \(T, B, 2\).*got \(1, 1, 3\)"):
        IntervalIoU().shape(answers(0, next_interval=[[1, 2, 3]], target=[[1, 2]]))


def test_the_middle_of_an_episode_counts_most() -> None:
    zeros, ends = np.zeros((5, 1)), np.arange(5)[:, None] == 4
    rollout = Rollout(
        obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros + 1}, discount=zeros, terminated=ends,
        truncated=zeros > 0,
    )  # fmt: skip
    got = TemporalAttenuation(1.0, centre=0.4).shape(rollout)[0].reward[:, 0]
    assert got.tolist() == pytest.approx([math.exp(-abs(f - 2)) for f in range(5)])


def test_multipliers_are_a_softmax_and_grow_where_a_bound_is_violated() -> None:
    shaper = IndicatorCost({"lava": 0.1, "look": Limit(0.5, at_least=True)}, learning_rate=0.1)
    assert list(shaper.multipliers.values()) == pytest.approx([1 / 3] * 3)
    rollout = answers(2.0, 2.0, 2.0, lava=[1.0, 0.0, np.nan], look=[False, True, True])
    # w r - lambda lava + lambda look, each weight a third.
    assert seen(shaper, rollout) == pytest.approx([2 / 3 - 1 / 3, 2 / 3 + 1 / 3, 2 / 3 + 1 / 3])
    metrics = shaper.update(rollout)
    assert metrics["lava/rate"] == 0.5  # NaN does not count
    for _ in range(200):
        shaper.update(rollout)
    found = shaper.multipliers
    assert found["lava"] > 0.9  # violated: 0.5 > 0.1
    assert found["look"] < 0.05  # kept: 2 / 3 > 0.5
    assert sum(found.values()) == pytest.approx(1)


def test_a_success_bound_keeps_the_task() -> None:
    shaper = IndicatorCost({"success": Limit(0.99, at_least=True, keeps_task=True), "lava": 0.0}, learning_rate=0.1)
    for _ in range(300):
        shaper.update(answers(0.0, success=[False], lava=[True]))
    found = shaper.multipliers
    assert found["task"] < 0.1
    reward = seen(shaper, answers(10.0, success=[False], lava=[False]))
    assert reward == pytest.approx([10 * max(found["task"], found["success"])])


def test_a_bandit_settles_at_its_bound() -> None:
    """Rewards 1 and 0.5, the first arm costs. The bound is a rate of 0.25, and a learner climbs the shaped reward."""
    shaper, logit, rates = IndicatorCost({"cost": 0.25}, learning_rate=0.02, window=200), 0.0, []
    rng = np.random.default_rng(0)
    for _ in range(3000):
        arm = (rng.random(20) < sigmoid(logit)).astype(float)
        rollout = answers(*np.where(arm, 1.0, 0.5), cost=arm)
        reward = np.array(seen(shaper, rollout))
        shaper.update(rollout)
        logit += 0.3 * float(np.mean((arm - sigmoid(logit)) * (reward - reward.mean())))
        rates.append(arm.mean())
    assert np.mean(rates[500:]) == pytest.approx(0.25, abs=0.03)


def test_tasks_that_vary_are_kept() -> None:
    outcomes = {"a": [0, 1], "b": [1, 1], "c": [0.0, 0.2, 0.1], "d": [3]}
    assert variance_filter(outcomes) == ["a", "c"]
    assert variance_filter(outcomes, least=0.01, tries=2) == ["a"]
    assert variance_filter(outcomes, most=0.1) == ["c"]
    with pytest.raises(ValueError, match="the outcomes of 'a' must be finite"):
        variance_filter({"a": [0, np.nan]})
    with pytest.raises(ValueError, match="two tries"):
        variance_filter(outcomes, tries=1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (PAR, "needs reference="),
        (lambda: PAR("ceiling"), "needs ceiling="),
        (lambda: PAR("best"), "form must be among"),
        (lambda: PAR("sigmoid", when="never"), "when must be among"),
        (lambda: FlipNoise(1.5), r"probability must lie in \[0, 1\]"),
        (lambda: FlipNoise(0.5, "group"), "names the info column"),
        (lambda: RandomReward(-0.1), "probability"),
        (lambda: InvertedReward(0.0), "low and high go together"),
        (lambda: LengthPenalty(free=-1), "at least 0"),
        (lambda: ReasoningPattern(phrases=[]), "wanted phrases"),
        (lambda: Gated("gate", {}), "wanted parts"),
        (lambda: Gated("gate", {ScheduleDiscount(0.5): 1.0}), "sets the discount"),
        (lambda: IndicatorCost({}), "wanted bounds"),
        (lambda: IndicatorCost({"lava": 2.0}), r"in \[0, 1\], got \{'lava': 2.0\}"),
        (lambda: TemporalAttenuation(-1.0), "rate must be at least 0"),
        (lambda: Chain(PotentialShaping([0.0, 1.0]), PAR("sigmoid")), "rescales the reward so far"),
    ],
)
def test_what_is_wrong_is_told(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_the_log_keeps_the_truth() -> None:
    shaped, _ = Chain(HideReward(), PAR("sigmoid")).shape(answers(3.0).map(torch.as_tensor))
    assert shaped.terms["env"].item() == 3.0
    assert shaped.reward.item() == 0.5
