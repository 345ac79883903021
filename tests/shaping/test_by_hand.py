"""Each shaper's formula, worked by hand on an episode of a few steps, in numpy and in torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from potentia.rollout import Rollout
from potentia.shaping import (
    E3B,
    RND,
    Chain,
    ClipReward,
    Count,
    EpisodicCount,
    EpisodicNovelty,
    LookAheadAdvice,
    LookBackAdvice,
    NormalizeReward,
    NovelD,
    PotentialShaping,
    Progress,
    Scale,
    ScheduleDiscount,
    Shaper,
)
from potentia.shaping._models.keys import state_keys
from potentia.shaping._models.running import ForwardFilter, RunningMoments
from potentia.shaping.schedules import Exponential, Linear
from tests.episodes import rollout

TABLE = [1.0, 2.0, 4.0, 8.0]
BOTH = pytest.mark.parametrize("convert", [lambda r: r, lambda r: r.map(torch.as_tensor)], ids=["numpy", "torch"])
Convert = Callable[[Rollout], Rollout]


def term(shaper: Shaper, experience: Rollout, carry: Any = None) -> list[float]:
    """The shaper's term of the first environment."""
    shaped, _ = shaper.shape(experience, shaper.init(experience.num_envs) if carry is None else carry)
    return [float(value) for value in shaped.terms[shaper.name][:, 0]]


@BOTH
def test_a_potential_at_an_end_at_a_cut_and_behind_a_mask(convert: Convert) -> None:
    ended = rollout([0, 1, 2], terminated=True, discount=0.5)
    assert term(PotentialShaping(TABLE), convert(ended)) == [0.5 * 2 - 1, -2.0]
    cut = rollout([0, 1, 2], truncated=True, discount=0.5)
    assert term(PotentialShaping(TABLE), convert(cut)) == [0.0, 0.5 * 4 - 2]
    masked = replace(cut, mask=np.array([[True], [False]]))
    assert term(PotentialShaping(TABLE), convert(masked)) == [0.0, 0.0]


@BOTH
def test_progress_is_the_rise_of_the_potential_whatever_the_discount(convert: Convert) -> None:
    ended = convert(rollout([0, 1, 3, 1], terminated=True, discount=0.5))
    assert term(Progress(TABLE), ended) == [1.0, 6.0, -6.0]
    assert Progress(TABLE).contract.guarantee == "unconstrained"


@BOTH
def test_the_scale_and_the_shift_of_a_potential(convert: Convert) -> None:
    way = rollout([0, 1, 2], discount=0.5)
    # phi = 3 * table - 1: 2, 5, 11.
    assert term(PotentialShaping(TABLE, shift=-1.0), convert(way)) == [0.5 * 1 - 0, 0.5 * 3 - 1]


def test_a_potential_from_a_function_and_from_an_info_column_are_one() -> None:
    way = rollout([0, 1, 2], discount=0.5)
    given = replace(way, info={"height": np.array([[1.0], [2.0]]), "next_height": np.array([[2.0], [4.0]])})
    squared = PotentialShaping(lambda obs: 2.0**obs)
    assert term(squared, way) == term(PotentialShaping("height"), given) == term(PotentialShaping(TABLE), way)
    assert PotentialShaping("height").contract.info_columns == {"height", "next_height"}
    assert squared.contract.guarantee == "policy_invariant"


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: PotentialShaping(object()), TypeError, "function of observations, a table"),
        (lambda: PotentialShaping([[1.0]]), TypeError, r"shape \(states,\), got \(1, 1\)"),
        (lambda: term(PotentialShaping(lambda obs: obs[0]), rollout([0, 1])), ValueError, r"shape \(T, B\) = \(1, 1\)"),
        (lambda: term(PotentialShaping("height"), rollout([0, 1])), ValueError, "reads the info column 'height'"),
        (lambda: term(PotentialShaping(TABLE), rollout([0, 9])), IndexError, "9"),
        (lambda: LookBackAdvice(TABLE), TypeError, r"shape \(states, actions\), got \(4,\)"),
        (lambda: Count(hash_bits=63), ValueError, r"1\.\.62, got 63"),
        (lambda: EpisodicCount(hash_bits=0), ValueError, r"1\.\.62, got 0"),
        (lambda: ScheduleDiscount(1.5), ValueError, r"\[0, 1\], got 1\.5"),
        (lambda: ClipReward(1.0, 1.0), ValueError, "low must be less than high"),
        (lambda: NormalizeReward(clip=0.0), ValueError, "must be positive"),
        (lambda: RND(gym.spaces.Discrete(2), proportion=0.0), ValueError, r"proportion must lie in \(0, 1\]"),
        (lambda: Scale(ScheduleDiscount(0.9), 2.0), ValueError, "cannot be scaled"),
        (lambda: Chain(Count(), Count()), ValueError, "two shapers add the term 'Count'"),
        (lambda: Chain(PotentialShaping(TABLE), ScheduleDiscount(0.5)), ValueError, "must come first"),
        (lambda: Chain([Count()]), TypeError, "Chain takes shapers"),
        (lambda: Chain(Count()).shape(rollout([0, 1]), ((), ())), ValueError, "one part for each of 1 shapers, got 2"),
        (lambda: Count(name="a/b"), ValueError, "no '/'"),
        (lambda: Count().load_state_dict({}), ValueError, r"must have the keys \['table'\], got \[\]"),
        (lambda: Linear(1.0, 0.0, 0), ValueError, "steps > 0, got 0"),
        (lambda: Exponential(1.0, 0.0, 0), ValueError, "half_life > 0, got 0"),
    ],
)
def test_what_is_wrong_is_told(make: Callable[[], Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()


ADVICE = np.array([[1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])


@BOTH
def test_look_ahead_advice_reads_the_next_action(convert: Convert) -> None:
    way = rollout([0, 1, 2], truncated=True, discount=0.5)
    acted = replace(way, action=np.array([[0], [1]]), info={"next_action": np.array([[1], [0]])})
    # 0.5 * A(1, 1) - A(0, 0), and 0.5 * A(2, 0) - A(1, 1).
    assert term(LookAheadAdvice(ADVICE), convert(acted)) == [0.5 * 20 - 1, 0.5 * 4 - 20]
    ended = replace(acted, discount=np.array([[0.5], [0.0]]), terminated=np.array([[False], [True]]))
    assert term(LookAheadAdvice(ADVICE), convert(ended)) == [0.5 * 20 - 1, -20]


@BOTH
def test_look_back_advice_pays_now_and_takes_back_with_interest(convert: Convert) -> None:
    way = rollout([0, 1, 2, 0], truncated=True, discount=0.5)
    acted = replace(way, action=np.array([[0], [1], [0]]))
    # A(0, 0); A(1, 1) - A(0, 0) / 0.5; A(2, 0) - A(1, 1) / 0.5.
    assert term(LookBackAdvice(ADVICE), convert(acted)) == [1.0, 20 - 1 / 0.5, 4 - 20 / 0.5]
    ended = replace(acted, discount=np.array([[0.5], [0.5], [0.0]]), terminated=np.array([[False], [False], [True]]))
    terms = term(LookBackAdvice(ADVICE), convert(ended))
    assert terms == [1.0, 18.0, -40.0]  # nothing is paid at an end, the debt is
    assert terms[0] + 0.5 * terms[1] + 0.25 * terms[2] == 0.0


@BOTH
def test_a_count_is_of_the_time_before_the_rollout(convert: Convert) -> None:
    count = Count()
    way = convert(rollout([0, 1, 1, 2]))
    assert term(count, way) == [1.0, 1.0, 1.0]
    assert count.update(way) == {"states": 2.0}  # state 0 was never arrived in
    assert term(count, way) == pytest.approx([1 / 3**0.5, 1 / 3**0.5, 1 / 2**0.5])
    assert term(count, convert(rollout([2, 0]))) == [1.0]
    again = Count()
    again.load_state_dict(count.state_dict())
    assert term(again, way) == term(count, way)


def test_a_masked_step_is_not_counted() -> None:
    count = Count()
    way = replace(rollout([0, 1, 2]), mask=np.array([[True], [False]]))
    assert count.update(way) == {"states": 1.0}
    assert term(count, way)[1] == 0.0


@BOTH
def test_a_count_within_an_episode_starts_anew_with_the_next(convert: Convert) -> None:
    way = convert(rollout([0, 1, 1, 2], terminated=True))
    for first_visit, want in ((False, [1, 1 / 2**0.5, 1]), (True, [1, 0, 1])):
        shaper = EpisodicCount(first_visit=first_visit)
        shaped, carry = shaper.shape(way, shaper.init(1))
        assert shaped.terms["EpisodicCount"][:, 0].tolist() == pytest.approx(want)
        assert term(shaper, way, carry) == pytest.approx(want)  # the end of the episode emptied the table
    unfinished = convert(rollout([0, 1, 1, 2]))
    open_way = replace(unfinished, truncated=unfinished.terminated)
    _, carry = (shaper := EpisodicCount()).shape(open_way, shaper.init(1))
    assert term(shaper, open_way, carry) == pytest.approx([3**-0.5, 2**-1.0, 2**-0.5])


def test_keys_are_equal_where_states_are() -> None:
    obs = {"a": np.array([[0.0, -0.0, 1.0]]), "b": np.array([[[1, 2], [1, 2], [1, 2]]])}
    first, second, third = state_keys(obs)
    assert first == second != third
    texts = state_keys(np.array([["a door", "a door", "a key"]], dtype=object))
    assert texts[0] == texts[1] != texts[2]
    # The sign of a projection does not depend on the length of the vector, but on its direction.
    plus, twice, minus = state_keys(np.array([[[1.0, 2.0], [2.0, 4.0], [-1.0, -2.0]]]), hash_bits=16)
    assert plus == twice != minus


@BOTH
def test_a_scheduled_discount_moves_with_the_steps_seen(convert: Convert) -> None:
    shaper = ScheduleDiscount(Linear(0.5, 1.0, 4))
    way = convert(rollout([0, 1, 2], terminated=True, discount=0.9))
    assert shaper.shape(way)[0].discount[:, 0].tolist() == [0.5, 0.0]  # an end stays an end
    assert shaper.update(way) == {"gamma": 0.75}
    assert shaper.shape(way)[0].discount[:, 0].tolist() == [0.75, 0.0]
    shaper.update(way)
    shaper.update(way)
    assert shaper.gamma == 1.0


def test_schedules_by_hand() -> None:
    linear, exponential = Linear(1.0, 3.0, 4), Exponential(8.0, 0.0, 10)
    assert [linear(step) for step in (0, 1, 4, 99)] == [1.0, 1.5, 3.0, 3.0]
    assert [exponential(step) for step in (0, 10, 30)] == [8.0, 4.0, 1.0]


@BOTH
def test_clipping_is_a_term(convert: Convert) -> None:
    way = convert(rollout([0, 1, 2, 3], rewards=[5.0, -0.5, -3.0]))
    shaped, _ = ClipReward(-1.0, 2.0).shape(way)
    assert shaped.terms["ClipReward"][:, 0].tolist() == [-3.0, 0.0, 2.0]
    assert shaped.reward[:, 0].tolist() == [2.0, -0.5, -1.0]
    assert shaped.terms["env"][:, 0].tolist() == [5.0, -0.5, -3.0]


@BOTH
def test_normalising_divides_by_the_deviation_of_the_filtered_return(convert: Convert) -> None:
    shaper = NormalizeReward()
    way = convert(rollout([0, 1, 2], truncated=True, discount=0.5, rewards=[2.0, 4.0]))
    assert term(shaper, way) == [0.0, 0.0]  # no scale is known yet
    # The filter: 2, then 0.5 * 2 + 4 = 5; their standard deviation is 1.5.
    assert shaper.update(way)["sigma"] == pytest.approx(1.5)
    assert term(shaper, way) == pytest.approx([2 / 1.5 - 2, 4 / 1.5 - 4])
    # The cut ended the episode, so the filter began again: 2, 5, 2, 5.
    assert shaper.update(way)["sigma"] == pytest.approx(1.5)
    tight = NormalizeReward(clip=1.0)
    tight.load_state_dict(shaper.state_dict())
    assert np.add([2.0, 4.0], term(tight, way)) == pytest.approx([1.0, 1.0])


def test_running_moments_merge_as_if_they_had_seen_all_at_once() -> None:
    values = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0], dtype=torch.float64)
    moments = RunningMoments()
    for part in (values[:1], values[1:4], values[4:4], values[4:]):
        moments.update(part)
    assert moments.count == 5
    assert float(moments.mean) == pytest.approx(float(values.mean()))
    assert float(moments.var) == pytest.approx(float(values.var(correction=0)))
    assert float(moments.std) == pytest.approx(float(values.std(correction=0)))


def test_the_filter_goes_on_and_passes_over_masked_steps() -> None:
    filtered = ForwardFilter()
    reward, half = torch.tensor([[1.0], [9.0], [1.0]]), torch.full((3, 1), 0.5)
    mask = torch.tensor([[True], [False], [True]])
    assert filtered.run(reward, half, mask)[mask].tolist() == [1.0, 1.5]
    assert filtered.run(reward[:1], half[:1], mask[:1])[mask[:1]].tolist() == [1.75]


@BOTH
def test_rnd_is_the_error_over_sigma_and_nothing_before_there_is_a_sigma(convert: Convert) -> None:
    rnd = RND(gym.spaces.Discrete(4), learning_rate=1e-2)
    way = convert(rollout([0, 1, 2, 1]))
    assert term(rnd, way) == [0.0, 0.0, 0.0]
    rnd.update(way)
    with torch.no_grad():
        codes = torch.eye(4)[[1, 2, 1]]
        x = ((codes - rnd.model.features.mean.float()) / (rnd.model.features.var + 1e-8).sqrt().float()).clamp(-5, 5)
        error = (rnd.model.predictor(x) - rnd.model.target(x)).square().mean(-1)
    sigma = float(rnd.returns.var + 1e-8) ** 0.5
    assert term(rnd, way) == pytest.approx([float(e) / sigma for e in error], rel=1e-5)
    first = sum(term(rnd, way))
    for _ in range(50):
        rnd.update(way)
    assert sum(term(rnd, way)) < 0.1 * first  # what is seen again and again is no news
    assert rnd.streams["RND"].episodic is False


@BOTH
def test_noveld_is_the_rise_of_novelty_at_first_visits(convert: Convert) -> None:
    shaper = NovelD(gym.spaces.Discrete(4), alpha=0.5, learning_rate=1e-2)
    way = convert(rollout([0, 1, 2, 1, 3]))
    assert term(shaper, way) == [0.0, 0.0, 0.0, 0.0]
    shaper.update(way)
    with torch.no_grad():
        x = shaper.model.normalised(torch.eye(4))
        n = shaper.model.errors(x, shaper.model.targets(x)).sqrt()
    sigma = float(shaper.novelties.var + 1e-8) ** 0.5
    rises = [max(float(n[b] - 0.5 * n[a]), 0.0) / sigma for a, b in ((0, 1), (1, 2), (1, 3))]
    assert term(shaper, way) == pytest.approx([rises[0], rises[1], 0.0, rises[2]], rel=1e-5)
    assert sorted(rises)[1] > 0


def unembedded(shaper: Any) -> Any:
    """The same shaper, for which an observation is its own embedding."""
    shaper.model.embed = lambda obs, mask: torch.as_tensor(obs).float()
    return shaper


def vectors(*rows: list[float]) -> Rollout:
    way = rollout([0] * (len(rows) + 1))
    return replace(way, next_obs=np.array(rows)[:, None])


VECTORS = gym.spaces.Box(-9.0, 9.0, (2,)), gym.spaces.Discrete(3)


@BOTH
def test_e3b_of_one_hot_vectors_is_a_count(convert: Convert) -> None:
    """With f one-hot C^-1 is diagonal and f' C^-1 f = 1 / (n + ridge): n earlier visits in the episode."""
    shaper = unembedded(E3B(*VECTORS, ridge=0.5, output_dim=2))
    way = convert(vectors([1, 0], [0, 1], [1, 0], [1, 0]))
    assert term(shaper, way) == pytest.approx([1 / 0.5, 1 / 0.5, 1 / 1.5, 1 / 2.5])
    ended = replace(way, terminated=way.terminated | True, discount=way.discount * 0)
    assert term(shaper, ended) == pytest.approx([2.0] * 4)  # each is an episode of its own


def test_e3b_is_the_inverse_by_any_other_name() -> None:
    rows = np.random.default_rng(0).normal(size=(30, 2))
    shaper = unembedded(E3B(*VECTORS, ridge=0.1, output_dim=2))
    want, c = [], 0.1 * np.eye(2)
    for f in rows:
        want.append(f @ np.linalg.inv(c) @ f)
        c += np.outer(f, f)
    assert term(shaper, vectors(*rows.tolist())) == pytest.approx(want, rel=1e-4)


@BOTH
def test_episodic_novelty_by_hand(convert: Convert) -> None:
    """Two neighbours, memory of three, on a line: the nearest are always at squared distances of 1 and 4."""
    shaper = unembedded(EpisodicNovelty(*VECTORS, neighbours=2, memory=3, output_dim=2))
    way = convert(vectors([0, 0], [1, 0], [2, 0], [3, 0]))

    def kernel(relative: float) -> float:
        return 1e-3 / (max(relative - 8e-3, 0.0) + 1e-3)

    # The first knows none. The second one, at 1: m = 1, its kernel counts twice. The third 1 and 4: m = (1 + 2.5) / 2.
    second = 1 / ((2 * kernel(1.0)) ** 0.5 + 1e-3)
    m = (1 + 2.5) / 2
    third = 1 / ((kernel(1 / m) + kernel(4 / m)) ** 0.5 + 1e-3)
    m = (1 + 2.5 + 2.5) / 3  # the two nearest of three are at 1 and 4 again
    fourth = 1 / ((kernel(1 / m) + kernel(4 / m)) ** 0.5 + 1e-3)
    assert term(shaper, way) == pytest.approx([0.0, second, third, fourth], rel=1e-4)
    still = convert(vectors(*[[1.0, 1.0]] * 4))  # nothing but itself: the kernel is 1, the root of 2 is not above 8
    assert term(shaper, still)[1:] == pytest.approx([1 / (2**0.5 + 1e-3)] * 3, rel=1e-4)


@pytest.mark.parametrize(
    "actions", [gym.spaces.Discrete(3, start=1), gym.spaces.MultiDiscrete([3, 2]), gym.spaces.Box(-1, 1, (2,))]
)
def test_embeddings_learn_to_tell_the_action(actions: gym.Space[Any]) -> None:
    """The action is what the observation changes by: after 300 passes the loss is less than a tenth of the first."""
    actions.seed(0)
    chosen = np.stack([np.asarray(actions.sample()) for _ in range(64)])[:, None]
    before = np.random.default_rng(0).normal(size=(64, 1, 2))
    change = chosen.reshape(64, 1, -1) * np.array([1.0, 2.0])
    flags = np.zeros((64, 1), bool)
    way = Rollout(before, chosen, before + change, {"env": flags * 0.0}, flags + 1.0, flags, flags)
    space = gym.spaces.Box(-np.inf, np.inf, (2,), np.float64)
    model = E3B(space, actions, hidden=64, output_dim=4, learning_rate=3e-3)
    losses = [float(model.update(way)["loss"]) for _ in range(300)]
    assert losses[-1] < 0.1 * losses[0]


@BOTH
def test_a_weight_multiplies_and_a_schedule_of_it_keeps_no_invariance(convert: Convert) -> None:
    way = convert(rollout([0, 1, 2], discount=0.5))
    plain = term(PotentialShaping(TABLE), way)
    assert term(Scale(PotentialShaping(TABLE), 3.0), way) == [3 * value for value in plain]
    fading = Scale(PotentialShaping(TABLE), Linear(1.0, 0.0, 4))
    fading.update(way)
    assert term(fading, way) == [0.5 * value for value in plain]
    assert fading.contract.guarantee == "unconstrained"
    assert Scale(PotentialShaping(TABLE), 3.0).contract.guarantee == "policy_invariant"
    assert Scale(Count(), Linear(1.0, 0.0, 4)).contract.guarantee == "vanishing"


@BOTH
def test_a_chain_adds_up_and_each_member_sees_the_reward_so_far(convert: Convert) -> None:
    way = convert(rollout([0, 1, 2], terminated=True, discount=0.9, rewards=[5.0, 0.0]))
    chain = Chain(ScheduleDiscount(0.5), ClipReward(), PotentialShaping(TABLE), Count())
    shaped, carry = chain.shape(way, chain.init(1))
    assert list(shaped.terms) == ["env", "ClipReward", "PotentialShaping", "Count"]
    # clip(5) + (0.5 * 2 - 1) + 1, and 0 - 2 + 1: the potential read the scheduled discount.
    assert shaped.reward[:, 0].tolist() == [1 + 0 + 1, 0 - 2 + 1]
    assert len(carry) == 4
    assert chain.contract.guarantee == "unconstrained"
    assert chain.update(shaped) == {"ScheduleDiscount/gamma": 0.5, "Count/states": 2.0}
