from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from potentia.returns import gae, lambda_returns, n_step_returns
from potentia.rollout import Rollout


def column(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)[:, None]


def flags(*values: int) -> np.ndarray:
    return np.array(values, dtype=bool)[:, None]


def rollout(reward, discount, terminated, truncated=None, mask=None) -> Rollout:
    zeros = np.zeros_like(terminated)
    return Rollout(
        obs=reward * 0, action=reward * 0, next_obs=reward * 0, terms={"env": reward}, discount=discount,
        terminated=terminated, truncated=zeros if truncated is None else truncated, mask=mask,
    )  # fmt: skip


def test_gae_by_hand_with_a_termination():
    # delta = 1 + .5*4 - 2 = 1; 0 + .5*6 - 4 = -1; terminal: 8 + 0 - 6 = 2; next episode: 1 + .5*2 - 1 = 1.
    # With lambda = .5, discount*lambda = .25: A2 = 2 (the trace ends), A1 = -1 + .25*2 = -.5, A0 = 1 + .25*-.5 = .875.
    data = rollout(column(1, 0, 8, 1), column(0.5, 0.5, 0, 0.5), flags(0, 0, 1, 0))
    advantages = gae(data, column(2, 4, 6, 1), column(4, 6, 99, 2), 0.5)
    assert advantages[:, 0].tolist() == [0.875, -0.5, 2.0, 1.0]


def test_a_truncation_bootstraps_and_cuts_the_trace():
    # delta0 = 1 + .5*10 - 2 = 4, and the next episode's delta1 = 100 does not flow back into it.
    data = rollout(column(1, 100), column(0.5, 0.5), flags(0, 0), truncated=flags(1, 0))
    assert gae(data, column(2, 0), column(10, 0), 1.0)[:, 0].tolist() == [4.0, 100.0]


def test_a_masked_step_is_passed_over():
    # delta0 = 1 + .5*4 - 2 = 1, delta2 = 3 + 0 - 4 = -1; A0 = 1 + .5*1*A2 = .5, as if the masked step were not there.
    data = rollout(column(1, np.nan, 3), column(0.5, np.nan, 0.0), flags(0, 0, 1), mask=flags(1, 0, 1))
    values, next_values = column(2, np.nan, 4), column(4, np.nan, 7)
    assert gae(data, values, next_values, 1.0)[:, 0].tolist() == [0.5, 0.0, -1.0]
    assert lambda_returns(data, values, next_values, 1.0)[:, 0].tolist() == [2.5, 0.0, 3.0]
    assert n_step_returns(data, values, next_values, None)[:, 0].tolist() == [2.5, 0.0, 3.0]


def test_a_stream_that_is_not_episodic_goes_on_behind_the_end_of_the_episode():
    # At the end V(obs) of the next unmasked step, 8, replaces V(next_obs), 99: delta0 = 1 + .5*8 - 2 = 3.
    # delta2 = 1 + .5*2 - 8 = -6; A0 = 3 + .5*1*-6 = 0.
    data = rollout(column(1, 0, 1), column(0.9, 0.9, 0.9), flags(1, 0, 0), mask=flags(1, 0, 1))
    values, next_values = column(2, 5, 8), column(99, 98, 2)
    got = gae(data, values, next_values, 1.0, gamma=0.5, episodic=False)
    assert got[:, 0].tolist() == [0.0, 0.0, -6.0]
    # Episodic, the same stream ends there, as rollout.discount is 0: delta0 = 1 + 0 - 2 = -1.
    ended = rollout(column(1, 0, 1), column(0.0, 0.9, 0.9), flags(1, 0, 0), mask=flags(1, 0, 1))
    assert gae(ended, values, next_values, 1.0, gamma=0.5)[:, 0].tolist() == [-1.0, 0.0, -6.0]


def test_an_episodic_stream_bootstraps_where_the_learner_does():
    # The cut has discount .9 (bootstrap): the stream's .5 stays, delta = 1 + .5*4 - 2 = 1.
    data = rollout(column(1), column(0.9), flags(0), truncated=flags(1))
    assert gae(data, column(2), column(4), 1.0, gamma=0.5).item() == 1.0
    terminal = rollout(column(1), column(0.0), flags(0), truncated=flags(1))
    assert gae(terminal, column(2), column(4), 1.0, gamma=0.5).item() == -1.0


def test_a_macro_step_of_k_frames_carries_its_own_discount():
    # 3 frames at .5: discount .125. delta = 2 + .125*8 - 1 = 2.
    data = rollout(column(2), column(0.5**3), flags(0))
    assert gae(data, column(1), column(8), 0.95).item() == 2.0


def test_n_step_returns_by_hand():
    # n = 2: 1 + .5*(2 + .5*V3) with V(next_obs_1) = 8 -> 1 + .5*6 = 4; 2 + .5*(3 + .5*V) with V(next_obs_2) = 4 -> 4.5;
    # the last has one reward only: 3 + .5*4 = 5.
    data = rollout(column(1, 2, 3), column(0.5, 0.5, 0.5), flags(0, 0, 0))
    values, next_values = column(7, 6, 8), column(6, 8, 4)
    assert n_step_returns(data, values, next_values, 2)[:, 0].tolist() == [4.0, 4.5, 5.0]
    assert n_step_returns(data, values, next_values, 1)[:, 0].tolist() == [4.0, 6.0, 5.0]


def test_bad_arguments_are_refused():
    data = rollout(column(1, 2), column(0.5, 0.5), flags(0, 0))
    with pytest.raises(ValueError, match=r"lambda_ must lie in \[0, 1\], got 1.5"):
        gae(data, column(1, 2), column(1, 2), 1.5)
    with pytest.raises(ValueError, match=r"values must have shape \(T, B\) = \(2, 1\).*got \(3, 1\)"):
        gae(data, column(1, 2, 3), column(1, 2), 0.9)
    with pytest.raises(ValueError, match="n must be at least 1"):
        n_step_returns(data, column(1, 2), column(1, 2), 0)


@st.composite
def experiences(draw):
    """A rollout whose values are consistent: V(next_obs_t) is V(obs) of the next unmasked step within an episode."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    shape = draw(st.integers(1, 12)), draw(st.integers(1, 4))
    ends = rng.integers(0, 4, shape)
    terminated, truncated = ends == 1, ends == 2
    mask = rng.random(shape) > draw(st.sampled_from([0.0, 0.3, 0.8]))
    discount = np.where(terminated, 0.0, rng.random(shape))
    values, next_values = rng.normal(size=shape), rng.normal(size=shape)
    for b in range(shape[1]):
        rows = np.flatnonzero(mask[:, b])
        for t, following in pairwise(rows):
            if not (terminated | truncated)[t, b]:
                next_values[t, b] = values[following, b]
    return rollout(rng.normal(size=shape), discount, terminated, truncated, mask), values, next_values


@settings(max_examples=60, deadline=None)
@given(experiences(), st.floats(0, 1), st.integers(0, 1000))
def test_gae_of_shaped_data_with_v_minus_phi_is_gae_of_raw_data_with_v(experience, lambda_, seed):
    data, values, next_values = experience
    rng = np.random.default_rng(seed)
    phi, next_phi = rng.normal(size=values.shape), rng.normal(size=values.shape)
    shaped = data.add("potential", data.discount * next_phi - phi)
    got = gae(shaped, values - phi, next_values - next_phi, lambda_)
    np.testing.assert_allclose(got, gae(data, values, next_values, lambda_), rtol=0, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(experiences())
def test_all_rewards_then_a_value_is_lambda_one_and_one_reward_is_lambda_zero(experience):
    data, values, next_values = experience
    for n, lambda_ in ((None, 1.0), (1, 0.0)):
        got = n_step_returns(data, values, next_values, n)
        np.testing.assert_allclose(got, lambda_returns(data, values, next_values, lambda_), rtol=0, atol=1e-12)


@settings(max_examples=40, deadline=None)
@given(experiences(), st.booleans())
def test_masked_steps_might_as_well_not_exist(experience, episodic):
    data, values, next_values = experience
    full = gae(data, values, next_values, 0.9, gamma=0.8, episodic=episodic)
    for b in range(data.num_envs):
        rows = np.flatnonzero(data.mask[:, b])
        if rows.size:
            part = data[rows][:, b : b + 1]
            alone = gae(part, values[rows, b : b + 1], next_values[rows, b : b + 1], 0.9, gamma=0.8, episodic=episodic)
            assert alone[:, 0].tolist() == full[rows, b].tolist()


def test_numpy_and_torch_agree_bit_for_bit():
    rng = np.random.default_rng(0)
    shape = (9, 3)
    data = rollout(rng.normal(size=shape), rng.random(shape), rng.random(shape) < 0.2, mask=rng.random(shape) < 0.8)
    values, next_values = rng.normal(size=shape), rng.normal(size=shape)
    as_tensors = data.map(torch.as_tensor)
    for function, setting in ((gae, 0.9), (lambda_returns, 0.9), (n_step_returns, 3)):
        for episodic in (True, False):
            got = function(as_tensors, *map(torch.as_tensor, (values, next_values)), setting, episodic=episodic)
            assert got.numpy().tolist() == function(data, values, next_values, setting, episodic=episodic).tolist()
