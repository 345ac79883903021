"""The field's pitfalls, by number: the wrong way is shown to fail, with numbers, and ours is shown not to."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode, SyncVectorEnv
from hypothesis import given, settings
from hypothesis import strategies as st

from potentia.envs.exact import TransitionModel, optimum
from potentia.returns import gae, n_step_returns
from potentia.rollout import Rollout
from potentia.shaping import (
    RND,
    Chain,
    ClipReward,
    Count,
    EpisodicCount,
    LookAheadAdvice,
    LookBackAdvice,
    NormalizeReward,
    PotentialShaping,
    ScheduleDiscount,
)
from potentia.shaping._models.running import ForwardFilter
from potentia.wrappers import ShapeReward, ShapeVectorReward
from tests.episodes import GAMMA, rollout


def discounted(terms: np.ndarray, gamma: float = GAMMA) -> float:
    """sum gamma^t F_t of one column."""
    return float((gamma ** np.arange(len(terms)) * terms[:, 0]).sum())


def world(transition: Any, reward: Any, terminal: list[bool]) -> TransitionModel:
    transition = np.array(transition, float)
    states = len(transition)
    ends = np.array(terminal)
    start = np.eye(states)[0]
    return TransitionModel(transition, np.array(reward, float), ends, start, ends, tuple(map(str, range(states))))


def test_p01_a_potential_kept_at_termination_changes_what_is_optimal() -> None:
    """F = gamma * (1 - terminated) * potential(s') - potential(s): the potential of an end is 0."""
    # From s0, action 0 ends with reward 1, action 1 with 0.9, in the states 1 and 2 of potential 0 and 0.5.
    ways = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
    pays = [[1.0, 0.9], [0, 0], [0, 0]]
    end = [False, True, True]
    kept = np.array(pays)
    kept[0, 1] += GAMMA * 0.5  # 0.9 + 0.495 = 1.395 > 1
    assert optimum(world(ways, pays, end), GAMMA).policy[0] == 0
    assert optimum(world(ways, kept, end), GAMMA).policy[0] == 1
    # Ours: both ends are worth the same, whatever is said of them.
    table = PotentialShaping([0.0, 0.0, 0.5])
    for last in (1, 2):
        shaped, _ = table.shape(rollout([0, last], terminated=True))
        assert shaped.terms["PotentialShaping"].item() == 0.0


def test_p02_a_potential_zeroed_at_a_cut_flips_the_best_loop() -> None:
    """A bootstrapping learner at a cut: F = gamma * potential(final_obs) - potential(s), not zeroed."""
    # s0 chooses loop A (reward 1 a step, potential 5) or B (0.9, potential 0); each step is cut with probability 0.05.
    ways = [[[0, 1, 0], [0, 0, 1]], [[0, 1, 0]] * 2, [[0, 0, 1]] * 2]
    pays = np.array([[0, 0], [1, 1], [0.9, 0.9]])
    potential = np.array([0, 5.0, 0])
    model = world(ways, pays, [False] * 3)
    true = optimum(model, GAMMA)
    np.testing.assert_allclose(true.action_values[0], [99.0, 89.1])
    follows = np.array(ways, float) @ potential
    right = pays + GAMMA * follows - potential[:, None]
    zeroed = pays + 0.95 * GAMMA * follows - potential[:, None]
    np.testing.assert_allclose(optimum(replace(model, reward=right), GAMMA).action_values[0], [99.0, 89.1])
    wrong = optimum(replace(model, reward=zeroed), GAMMA)
    np.testing.assert_allclose(wrong.action_values[0], [74.25, 89.1], atol=0.01)  # loop A lost 5 * 0.05 * 0.99 * 100
    assert (true.policy[0], wrong.policy[0]) == (0, 1)
    shaped, _ = PotentialShaping(potential).shape(rollout([1, 1], truncated=True))
    assert shaped.terms["PotentialShaping"].item() == pytest.approx(GAMMA * 5 - 5)


def test_p03_for_a_learner_that_does_not_bootstrap_a_cut_is_an_end() -> None:
    """There F = -potential(s): else states of high potential are inflated."""
    lake = gym.make("FrozenLake-v1", is_slippery=False, max_episode_steps=1)
    rewards = {}
    for rule in ("bootstrap", "terminal"):
        env = ShapeReward(lake, PotentialShaping(lambda s: s + 1.0), gamma=0.9, truncation=rule)  # type: ignore[arg-type]
        env.reset(seed=0)
        rewards[rule] = env.step(2)[1]  # from state 0 to state 1, and cut
    assert rewards == {"bootstrap": pytest.approx(0.9 * 2 - 1), "terminal": -1.0}


def test_p04_a_horizon_that_belongs_to_the_task_is_a_termination() -> None:
    """Time is then in the observation, and the last step is terminated: potential(., H) = 0 follows from P1."""
    episode = rollout([0, 1, 2], terminated=True)
    shaped, _ = PotentialShaping([3.0, 1.0, 7.0]).shape(episode)
    assert discounted(shaped.terms["PotentialShaping"]) == pytest.approx(-3.0)


def test_p05_another_gamma_than_the_learners_pays_for_loitering() -> None:
    """With gamma 1 in the shaping, each step at potential 1.2 pays 0.012: for ever 1.2, more than the exit."""
    ways = [[[0, 1], [1, 0]], [[0, 1], [0, 1]]]  # action 0 exits with reward 1, action 1 stays
    pays = np.array([[1.0, 0.0], [0.0, 0.0]])
    model = world(ways, pays, [False, True])
    potential = 1.2

    def policy(gamma: float) -> int:
        added = np.array([[-potential, gamma * potential - potential], [0, 0]])
        return int(optimum(replace(model, reward=pays + added), GAMMA).policy[0])

    assert optimum(model, GAMMA).policy[0] == 0
    assert policy(GAMMA) == 0
    assert policy(1.0) == 1
    # Ours has no gamma of its own to get wrong, and a driver assumes none.
    with pytest.raises(TypeError):
        PotentialShaping([0.0], gamma=1.0)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="needs gamma, the learner's own discount factor, by name, and assumes none"):
        ShapeReward(gym.make("FrozenLake-v1"), PotentialShaping(np.arange(16)))  # type: ignore[call-arg]


def test_p06_macro_steps_carry_their_own_discount() -> None:
    """Over k steps F = gamma^k potential(s_(t+k)) - potential(s_t); k differs where an episode ends early."""
    k = np.array([[4], [4], [2]])
    macro = replace(rollout([0, 1, 2, 3], terminated=True), discount=0.9**k * np.array([[1], [1], [0]]))
    term = PotentialShaping([1.0, 2.0, 3.0, 9.0]).shape(macro)[0].terms["PotentialShaping"][:, 0]
    np.testing.assert_allclose(term, [0.9**4 * 2 - 1, 0.9**4 * 3 - 2, -3])
    wrong = 0.9 * np.array([2, 3, 0]) - np.array([1, 2, 3])
    weights = np.array([1, 0.9**4, 0.9**8])
    assert weights @ term == pytest.approx(-1.0)  # telescopes to -potential(first)
    assert weights @ wrong == pytest.approx(-1 + (0.9 - 0.9**4) * (2 + 0.9**4 * 3))  # does not


@settings(max_examples=50, deadline=None, derandomize=True)
@given(seed=st.integers(0, 10_000), lambda_=st.floats(0, 1))
def test_p06_shaping_enters_before_gae(seed: int, lambda_: float) -> None:
    """GAE of shaped rewards with values V - potential equals GAE of raw ones with V: to the last digit but rounding."""
    rng = np.random.default_rng(seed)
    table, values = rng.normal(size=5), rng.normal(size=5)
    raw = rollout(rng.integers(0, 5, 9).tolist(), truncated=True, rewards=rng.normal(size=8))
    shaped, _ = PotentialShaping(table).shape(raw)
    want = gae(raw, values[raw.obs], values[raw.next_obs], lambda_)
    offset = values - table
    got = gae(shaped, offset[raw.obs], offset[raw.next_obs], lambda_)
    np.testing.assert_allclose(got, want, atol=1e-12)


def test_p07_a_learned_potential_must_keep_the_value_of_arrival() -> None:
    """Devlin and Kudenko 2012: reading both ends anew with the new potential makes the sum depend on the way."""
    steps = 6
    potentials = [(1 + 0.2 * t) * np.array([2.0, 3.0, 1.0, 0.5]) for t in range(steps + 1)]
    for way in ([0, 1, 2, 3, 1, 2, 0], [0, 3, 3, 3, 3, 3, 0]):
        arrived = [potentials[t][s] for t, s in enumerate(way[:-1])] + [0.0]
        kept = sum(GAMMA**t * (GAMMA * arrived[t + 1] - arrived[t]) for t in range(steps))
        assert kept == pytest.approx(-potentials[0][0])
        anew = sum(
            GAMMA**t * (GAMMA * (potentials[t + 1][way[t + 1]] if t + 1 < steps else 0) - potentials[t + 1][way[t]])
            for t in range(steps)
        )
        assert abs(anew - kept) > 0.3
    # `telescoping_while_learning` catches shapers that get it wrong; tests/shaping/test_potentials.py has ours.


def test_p08_look_ahead_advice_must_be_acted_on() -> None:
    """Q' = Q - advice, so the best action is argmax Q' + advice; argmax Q' undoes the advice and errs."""
    ways = [[[0, 1], [0, 1]], [[0, 1], [0, 1]]]  # both actions end; action 1 pays more
    pays = np.array([[1.0, 1.2], [0, 0]])
    advice = np.array([[0.0, 0.5], [0.0, 0.0]])  # good advice, in favour of action 1
    step = replace(rollout([0, 1], terminated=True), info={"next_action": np.zeros((1, 1), int)})
    added = [
        LookAheadAdvice(advice).shape(replace(step, action=np.array([[a]])))[0].terms["LookAheadAdvice"].item()
        for a in (0, 1)
    ]
    assert added == [0.0, -0.5]
    shaped = optimum(replace(world(ways, pays, [False, True]), reward=pays + np.array([added, [0, 0]])), GAMMA)
    assert shaped.policy[0] == 0
    assert int((shaped.action_values + advice)[0].argmax()) == 1
    assert LookAheadAdvice(advice).contract.basis == "state_action"


def test_p08_look_back_advice_is_paid_back_with_interest() -> None:
    """F = advice_t - advice_(t-1) / gamma, nothing at an end: over an episode that ends it is worth exactly nothing."""
    table = np.array([[1.0], [5.0], [2.0], [0.0]])
    shaped, _ = LookBackAdvice(table).shape(rollout([0, 1, 2, 3], terminated=True))
    np.testing.assert_allclose(shaped.terms["LookBackAdvice"][:, 0], [1.0, 5 - 1 / GAMMA, -5 / GAMMA])
    assert discounted(shaped.terms["LookBackAdvice"]) == pytest.approx(0.0, abs=1e-12)
    # Paid at the end as well, the last advice would be worth gamma^2 * 2: an incentive of its own.
    assert discounted(shaped.terms["LookBackAdvice"] + np.array([[0], [0], [2.0]])) == pytest.approx(GAMMA**2 * 2)


def test_p09_a_reward_turned_into_advice_claims_no_more_than_it_can_keep() -> None:
    """Learned advice (Harutyunyan 2015) can lose the optimum (Behboudian 2020): only fixed advice is offered."""
    advice = LookAheadAdvice(np.zeros((2, 2)))
    assert advice.state_dict() == {}
    assert advice.update(rollout([0, 1])) == {}


def test_p11_a_bootstrapped_potential_is_read_without_gradients_and_not_at_ends() -> None:
    """potential = eta * V: no gradient flows through the reward, and the value of an end is 0 whatever V says there."""
    value = torch.nn.Linear(1, 1)

    def potential(obs: torch.Tensor) -> torch.Tensor:
        with torch.no_grad():
            return 0.5 * value(obs[..., None].float())[..., 0].double()

    raw = rollout([1, 2], terminated=True).map(torch.as_tensor)
    shaped, _ = PotentialShaping(potential).shape(raw)
    assert not shaped.reward.requires_grad
    assert shaped.reward.item() == pytest.approx(-potential(torch.tensor([[1]])).item())


class Countdown(gym.Env[int, int]):
    """States 3, 2, 1, 0 and an end; then 7, 6, ... by the number of the episode."""

    observation_space = gym.spaces.Discrete(20)
    action_space = gym.spaces.Discrete(2)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[int, dict[str, Any]]:
        super().reset(seed=seed)
        self.episode = 0 if seed is not None else self.episode + 1
        self.state = 3 + 4 * (self.episode % 3)
        return self.state, {}

    def step(self, action: int) -> tuple[int, float, bool, bool, dict[str, Any]]:
        self.state -= 1
        return self.state, 1.0, self.state == 0, self.state in (4, 8), {}


def ledger(mode: AutoresetMode | None, steps: int = 12) -> list[float]:
    shaper = PotentialShaping(lambda s: np.asarray(s) * 1.0)
    if mode is None:
        env: Any = ShapeReward(Countdown(), shaper, gamma=0.5)
    else:
        env = ShapeVectorReward(SyncVectorEnv([Countdown], autoreset_mode=mode), shaper, gamma=0.5)
    env.reset(seed=0)
    paid: list[float] = []
    skip = False
    while len(paid) < steps:
        _, reward, terminated, truncated, _ = env.step(0 if mode is None else np.array([0]))
        done = bool(np.any(terminated | truncated))
        if not skip:
            paid.append(float(np.asarray(reward).item()))
        else:
            assert float(np.asarray(reward).item()) == 0.0
        skip = done and mode is AutoresetMode.NEXT_STEP
        if done and mode is None:
            env.reset()
        if done and mode is AutoresetMode.DISABLED:
            env.reset(options={"reset_mask": np.array([True])})
    return paid


def test_p13_every_autoreset_mode_has_the_same_ledger() -> None:
    """The true last observation is used where the mode hides it; a step that only resets pays nothing."""
    # 3 2 1 0 ends, 7 6 5 4 is cut: reward 1 + 0.5 * s' - s, without the first part at the end.
    want = [1 + 0.5 * 2 - 3, 1 + 0.5 * 1 - 2, 1 - 1, 1 + 0.5 * 6 - 7, 1 + 0.5 * 5 - 6, 1 + 0.5 * 4 - 5]
    assert ledger(None)[:6] == want
    for mode in AutoresetMode:
        assert ledger(mode) == ledger(None), mode
    # The naive way pays across the reset: SAME_STEP shows 11, the next episode's start, as the successor of 5.
    assert want[5] != 1 + 0.5 * 11 - 5


def test_p13_an_environment_that_does_not_say_its_mode_is_refused() -> None:
    """Guessing the mode corrupts the transitions at every end."""
    env = SyncVectorEnv([Countdown])
    env.metadata = {}
    del env.autoreset_mode
    with pytest.raises(ValueError, match="does not say when it resets"):
        ShapeVectorReward(env, Count(), gamma=0.99)


def test_p14_clipping_or_rescaling_a_potential_breaks_it() -> None:
    """Clip and normalise the true reward first, add the potential outside; a Chain refuses the other order."""
    table = np.array([3.0, 0.2, 2.6, 0.4, 0.0])
    term = PotentialShaping(table).shape(rollout([0, 1, 2, 3, 4], terminated=True))[0].terms["PotentialShaping"]
    assert discounted(term) == pytest.approx(-3.0)
    assert discounted(term.clip(-1, 1)) == pytest.approx(-1 + GAMMA - GAMMA**2 - 0.4 * GAMMA**3)  # -1.378
    assert discounted(term / np.array([[1], [1.5], [2], [2.5]])) != pytest.approx(-3.0, abs=0.5)
    for rescaler in (ClipReward(), NormalizeReward()):
        with pytest.raises(ValueError, match="would destroy the guarantee"):
            Chain(PotentialShaping(table), rescaler)
        assert Chain(rescaler, PotentialShaping(table)).term_names[1] == "PotentialShaping"


def test_p14_the_scale_of_returns_starts_anew_at_ends() -> None:
    """The filter of rewards of 1 at gamma 0.9 runs 1, 1.9, 2.71, 3.439, and again: no leak into the next episode."""
    ones = torch.ones(8, 1, dtype=torch.float64)
    decay = torch.full((8, 1), 0.9, dtype=torch.float64)
    decay[3] = 0.0  # an episode ends after the fourth reward
    seen = ForwardFilter().run(ones, decay, torch.ones(8, 1, dtype=torch.bool))
    np.testing.assert_allclose(seen[:, 0], [1, 1.9, 2.71, 3.439] * 2)
    leaking = ForwardFilter().run(ones, torch.full_like(decay, 0.9), torch.ones(8, 1, dtype=torch.bool))
    assert leaking[4].item() == pytest.approx(4.0951)  # never reset, as if the episode went on


def test_p15_a_bonus_added_after_the_advantages_has_no_credit_in_time() -> None:
    """It must enter the temporal-difference errors: then the step before a bonus is credited with it too."""
    raw = rollout([0, 1, 2], terminated=True)
    bonus = np.array([[0.0], [1.0]])
    zeros = np.zeros((2, 1))
    before = gae(raw.add("bonus", bonus), zeros, zeros, 0.95)
    after = gae(raw, zeros, zeros, 0.95) + bonus
    np.testing.assert_allclose(before[:, 0], [GAMMA * 0.95, 1.0])
    np.testing.assert_allclose(after[:, 0], [0.0, 1.0])


def test_p16_a_stream_that_is_not_episodic_goes_on_across_ends() -> None:
    """Its return at an end includes V of the next episode's first observation; an episodic one is cut there."""
    columns = {"terminated": np.array([[True], [False]]), "truncated": np.zeros((2, 1), bool)}
    raw = Rollout(
        obs=np.array([[0], [5]]),
        action=np.zeros((2, 1)),
        next_obs=np.array([[1], [6]]),
        terms={"env": np.zeros((2, 1))},
        discount=np.array([[0.0], [GAMMA]]),
        **columns,
    )
    values, next_values = np.array([[1.0], [10.0]]), np.array([[7.0], [20.0]])
    reward = np.ones((2, 1))
    episodic = gae(raw, values, next_values, 0.0, reward=reward, gamma=0.5, episodic=True)
    going_on = gae(raw, values, next_values, 0.0, reward=reward, gamma=0.5, episodic=False)
    assert episodic[0, 0] == 1 - 1
    assert going_on[0, 0] == 1 + 0.5 * 10 - 1  # V(5) = 10, not V(1) = 7: the terminal state has no future
    assert RND(gym.spaces.Discrete(3)).streams["RND"].episodic is False


def test_p17_a_batch_is_scored_before_it_is_learned_from() -> None:
    """Counting first would halve the bonus of a new state: 1 / sqrt(2) instead of 1."""
    count, batch = Count(), rollout([0, 1])
    assert count.shape(batch)[0].terms["Count"].item() == 1.0
    count.update(batch)
    assert count.shape(batch)[0].terms["Count"].item() == pytest.approx(2**-0.5)


def test_p18_episodic_memory_is_cleared_after_the_last_step_is_scored() -> None:
    """Clearing before it would pay for the last state as if it were new; not clearing would starve the next episode."""
    twice = rollout([0, 1, 1], terminated=True)
    shaper = EpisodicCount(first_visit=True)
    first, carry = shaper.shape(twice, shaper.init(1))
    assert first.terms["EpisodicCount"][:, 0].tolist() == [1.0, 0.0]
    again, _ = shaper.shape(twice, carry)
    assert again.terms["EpisodicCount"][:, 0].tolist() == [1.0, 0.0]


def test_p19_the_true_reward_stays_in_sight() -> None:
    """What is reported is the sum of the term 'env', whatever the learner is shown."""
    env = ShapeReward(gym.make("FrozenLake-v1", is_slippery=False), PotentialShaping(np.arange(16)), gamma=0.9)
    env.reset(seed=0)
    shown = true = 0.0
    for action in (1, 1, 2, 1, 2, 2):  # the way to the goal, which pays 1
        _, reward, terminated, _, info = env.step(action)
        shown, true = shown + float(reward), true + info["true_reward"]
    assert terminated
    assert true == 1.0
    assert shown == pytest.approx(1 + (0.9 * (4 + 8 + 9 + 13 + 14) - (0 + 4 + 8 + 9 + 13 + 14)))


def test_p20_what_is_saved_goes_on_bit_by_bit() -> None:
    """Networks, optimiser, moments, filter, counts and generator: without any of them the next update differs."""
    batch = rollout([0, 1, 2, 0, 1, 2, 2, 1])
    shaper, other = (RND(gym.spaces.Discrete(3), batch_size=4, hidden=8, output_dim=4) for _ in range(2))
    shaper.update(batch)
    other.load_state_dict(shaper.state_dict())
    assert shaper.update(batch) == other.update(batch)
    np.testing.assert_array_equal(shaper.shape(batch)[0].reward, other.shape(batch)[0].reward)
    lame = RND(gym.spaces.Discrete(3), batch_size=4, hidden=8, output_dim=4)
    lame.load_state_dict(shaper.state_dict() | {"filter": {"values": None}})
    assert lame.update(batch)["sigma"] != shaper.update(batch)["sigma"]


def test_p21_a_potential_of_hidden_state_is_invariant_but_noise_to_the_critic() -> None:
    """An oracle in info is allowed, for it telescopes; but values then vary among states that look the same."""
    hidden = {"potential": np.array([[1.0], [4.0]]), "next_potential": np.array([[4.0], [9.0]])}
    blind = replace(rollout([0, 0, 0], terminated=True), info=hidden)
    shaped, _ = PotentialShaping("potential").shape(blind)
    term = shaped.terms["PotentialShaping"]
    assert discounted(term) == pytest.approx(-1.0)
    assert term[0, 0] != term[1, 0]  # the same observation, another term
    with pytest.raises(ValueError, match="info column 'potential'"):
        PotentialShaping("potential").shape(rollout([0, 1]))


def test_p23_a_shift_keeps_the_optimum_and_moves_the_start() -> None:
    """Adding c to a potential adds -(1 - gamma) c to every step and -c at the end; only exploration notices."""
    episode = rollout([0, 1, 2], terminated=True)
    plain = PotentialShaping([0.0, 0.0, 0.0]).shape(episode)[0].reward[:, 0]
    raised = PotentialShaping([0.0, 0.0, 0.0], shift=10.0).shape(episode)[0].reward[:, 0]
    np.testing.assert_allclose(raised - plain, [-(1 - GAMMA) * 10, -10])


def test_p25_types_that_lose_digits_or_wrap() -> None:
    """uint8 observations do not wrap, float32 rewards stay float32, -0.0 is 0.0, counts are whole numbers."""
    frames = np.full((1, 1, 4), 250, np.uint8)
    raw = replace(rollout([0, 1]), obs=frames, next_obs=frames + 1)
    shaped, _ = PotentialShaping(lambda obs: obs.astype(float).sum(-1)).shape(raw)
    assert shaped.reward.item() == pytest.approx(GAMMA * 1004 - 1000)
    low = replace(raw, terms={"env": np.zeros((1, 1), np.float32)})
    assert PotentialShaping(lambda obs: obs.astype(float).sum(-1)).shape(low)[0].reward.dtype == np.float32
    count = Count()
    count.update(replace(raw, next_obs=np.zeros((1, 1, 2))))
    count.update(replace(raw, next_obs=-np.zeros((1, 1, 2))))
    assert count.state_dict()["table"]["counts"].tolist() == [2]


def test_p06_n_step_returns_stop_where_the_discount_is_zero() -> None:
    """Two-step returns from discounts as data: the end's next value is never asked, be it NaN-like nonsense."""
    raw = rollout([0, 1, 2, 3], terminated=True, rewards=[1, 2, 4], discount=0.5)
    values = np.array([[10.0], [20.0], [30.0]])
    next_values = np.array([[20.0], [30.0], [1e9]])
    returns = n_step_returns(raw, values, next_values, 2)[:, 0]
    np.testing.assert_allclose(returns, [1 + 0.5 * 2 + 0.25 * 30, 2 + 0.5 * 4, 4])


def test_p05_a_schedule_of_the_discount_is_followed_by_potential_and_learner_alike() -> None:
    """The term uses the discount of the very target it stands in, and must come after whoever sets it."""
    chain = Chain(ScheduleDiscount(0.5), PotentialShaping([1.0, 2.0, 0.0]))
    shaped, _ = chain.shape(rollout([0, 1, 2], terminated=True), ())
    assert shaped.discount[:, 0].tolist() == [0.5, 0.0]
    assert shaped.reward[:, 0].tolist() == [0.5 * 2 - 1, -2]
    with pytest.raises(ValueError, match="must come first"):
        Chain(PotentialShaping([0.0]), ScheduleDiscount(0.5))
