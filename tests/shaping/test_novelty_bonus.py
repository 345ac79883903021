"""Novelty of whole episodes: distances by hand, what enters the archive, and what a driver pays."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch

from potentia.rollout import Rollout, concatenate
from potentia.shaping import NoveltyBonus
from potentia.shaping._models.nearest import nearest_by_products, nearest_of
from potentia.wrappers import ShapeReward, ShapeVectorReward

Places = list[tuple[float, float]]


def walks(*episodes: Places, truncated: bool = False) -> Rollout:
    """Episodes of a column each that arrive at these places in turn, shorter ones filled up with masked NaN."""
    steps = max(map(len, episodes))
    places = np.full((steps, len(episodes), 2), np.nan)
    for column, episode in enumerate(episodes):
        places[: len(episode), column] = episode
    mask = np.isfinite(places[..., 0])
    ends = mask & ~np.pad(mask[1:], ((0, 1), (0, 0)))
    return Rollout(
        obs=places, action=places, next_obs=places, terms={"env": np.zeros(mask.shape)}, discount=1.0 - ends,
        terminated=ends & (not truncated), truncated=ends & truncated, mask=mask,
    )  # fmt: skip


def term(shaper: NoveltyBonus, experience: Rollout) -> list[list[float]]:
    """Of each environment."""
    return np.asarray(shaper.shape(experience)[0].terms[shaper.name]).T.tolist()


@pytest.mark.parametrize("convert", [lambda r: r, lambda r: r.map(torch.as_tensor)], ids=["numpy", "torch"])
def test_an_end_is_paid_its_mean_distance_to_the_nearest(convert: Any) -> None:
    known = convert(walks([(9, 9), (0, 0)], [(3, 4)], [(6, 8)]))
    bonus = NoveltyBonus(neighbours=2)
    assert term(bonus, known) == [[0.0, 0.0]] * 3  # nothing is known yet
    bonus.update(known)
    new = convert(walks([(50, 0), (0, 0), (3, 0)], [(6, 8)], truncated=True))
    # (3, 0) is 3 from (0, 0) and 4 from (3, 4). (6, 8) is itself an entry, and 5 from (3, 4).
    assert term(bonus, new) == [[0.0, 0.0, 3.5], [2.5, 0.0, 0.0]]
    assert term(bonus, new) == [[0.0, 0.0, 3.5], [2.5, 0.0, 0.0]]  # to shape teaches nothing
    # Three entries are fewer than five neighbours: from (0, 0) they are at 0, 5 and 10.
    few = NoveltyBonus(neighbours=5)
    few.update(known)
    assert term(few, convert(walks([(0, 0)]))) == [[5.0]]


def test_a_spread_novelty_is_the_same_sum_in_equal_parts() -> None:
    known, new = walks([(0, 0)], [(0, 8)]), walks([(0, 0)] * 3 + [(0, 8)], [(6, 0)])
    end, spread = NoveltyBonus(neighbours=2), NoveltyBonus(neighbours=2, spread=True)
    for bonus in (end, spread):
        bonus.update(known)
    assert term(end, new) == [[0.0, 0.0, 0.0, 4.0], [8.0, 0.0, 0.0, 0.0]]  # 0 and 8, and 6 and 10
    assert term(spread, new) == [[1.0] * 4, [8.0, 0.0, 0.0, 0.0]]
    # Two episodes of one column: two steps to (0, 8), then one to (0, 4), which is 4 from both.
    twice = concatenate([walks([(5, 5), (0, 8)]), walks([(0, 4)])])
    assert term(spread, twice) == [[2.0, 2.0, 4.0]]
    # A hole in an episode takes no part.
    mask = np.array([[True], [False], [True], [True]])
    assert term(spread, replace(walks([(0, 0)] * 3 + [(0, 8)]), mask=mask)) == [[4 / 3, 0.0, 4 / 3, 4 / 3]]
    assert spread.contract.needs_episodes
    assert not end.contract.needs_episodes


def test_texts_are_told_apart_by_their_words() -> None:
    texts = np.array([["a red door", "a red door", "a blue box", ""]], object)
    ends = np.ones((1, 4), bool)
    new = replace(walks(*[[(0, 0)]] * 4), terminated=ends, info={"next_caption": texts})
    bonus = NoveltyBonus("caption", neighbours=1, width=512)
    bonus.update(new[:, :1])
    # Two of three words of length 1 / 3 ** 0.5 differ: the square is 4 / 3. Nothing at all is 1 away.
    assert term(bonus, new) == [pytest.approx([d]) for d in (0.0, 0.0, (4 / 3) ** 0.5, 1.0)]
    assert bonus.contract.info_columns == {"next_caption"}


def test_a_full_archive_is_a_uniform_sample_of_all_behaviours() -> None:
    """400 archives of 5 of 50 places: the i-th is in 40 of them, give or take five deviations."""
    rng, kept = np.random.default_rng(0), np.zeros(50)
    for _ in range(400):
        places = rng.normal(size=(50, 2)).astype(np.float32)
        bonus = NoveltyBonus(neighbours=1, capacity=5)
        bonus.update(walks(*[[tuple(place)] for place in places.tolist()]))
        assert len(bonus.archive) == 5
        kept += (places[:, None] == bonus.archive).all(-1).any(1)
    assert kept.sum() == 2000
    assert abs(kept - 40).max() < 5 * (400 * 0.1 * 0.9) ** 0.5


def test_the_archive_depends_on_what_was_seen_and_not_on_when() -> None:
    places = np.random.default_rng(0).integers(0, 8, size=(90, 2)).astype(float)  # 64 places, many of them twice
    many = walks(*[[tuple(place)] for place in places.tolist()])
    for capacity in (1000, 12):
        whole, parts = (NoveltyBonus(neighbours=2, capacity=capacity) for _ in range(2))
        whole.update(many)
        for begin, end in pairwise((0, 7, 14, 15, 40, 90)):
            parts.update(many[:, ::-1][:, begin:end])
        assert parts.archive.tolist() == whole.archive.tolist()
        _, number = np.unique(places, axis=0, return_counts=True)
        assert len(whole.archive) == min(np.minimum(number, 2).sum(), capacity)
        assert whole.archive.nbytes <= 4 * capacity * 2
        assert number.max() > 2  # so that some were left out, which changes no novelty
    bounded, all_of_them = (NoveltyBonus(neighbours=2, capacity=1000) for _ in range(2))
    bounded.update(many)
    all_of_them._archive = places.astype(np.float32)
    assert term(bounded, many) == term(all_of_them, many)


def test_what_is_no_descriptor_is_told() -> None:
    bonus = NoveltyBonus()
    with pytest.raises(ValueError, match=r"finite descriptors.*nan"):
        bonus.update(replace(walks([(0, 0)]), next_obs=np.full((1, 1, 2), np.nan)))
    bonus.update(walks([(0, 0)]))
    with pytest.raises(ValueError, match="of 2 numbers in its archive, got 3"):
        bonus.shape(replace(walks([(0, 0)]), next_obs=np.zeros((1, 1, 3))))
    with pytest.raises(ValueError, match="one for each of 1 episodes"):
        NoveltyBonus(lambda obs: obs[:, :, None].repeat(2, 1)).update(walks([(0, 0)]))
    for wrong in ({"neighbours": 0}, {"neighbours": 6, "capacity": 5}, {"width": 0}):
        with pytest.raises(ValueError, match="must"):
            NoveltyBonus(**wrong)


def test_the_nearest_of_others_are_those_of_brute_force() -> None:
    points, among = (torch.randn(n, 3, generator=torch.Generator().manual_seed(n)) for n in (7, 40))
    squares = torch.cdist(points.double(), among.double()).square()
    assert torch.allclose(nearest_of(points, among, 4).double(), squares.sort(dim=1).values[:, :4], rtol=1e-5)
    # The same on accelerators, where it is by products.
    episodes = torch.cat([torch.full((7,), -1), torch.zeros(40), torch.full((7,), -1)]).long()[None]
    by_products = nearest_by_products(
        torch.cat([points, among, points])[None], episodes, torch.zeros(1, 7).long(), 47, 4
    )
    assert torch.allclose(by_products[0].sort(dim=1).values.double(), squares.sort(dim=1).values[:, :4], atol=1e-5)
    assert nearest_of(points, among[:2], 3)[:, 2].tolist() == [float("inf")] * 7


def test_wrappers_pay_at_the_end_of_an_episode() -> None:
    """In a chain, from state 1: to the left an episode ends in state 0, to the right it is cut in state 3."""
    chain = {"length": 9, "max_episode_steps": 2}
    env = ShapeReward(gym.make("potentia/Chain-v0", **chain), NoveltyBonus(neighbours=1), gamma=0.99)
    paid = []
    for action in (0, 1, 1, 0):
        env.reset(seed=0)
        done, terms = False, []
        while not done:
            *_, terminated, truncated, info = env.step(action)
            done = terminated or truncated
            terms.append(info["terms"]["NoveltyBonus"])
        paid.append(terms)
    assert paid == [[0.0], [0.0, 3.0], [0.0, 0.0], [0.0]]  # nothing is known, then new, then known
    envs = ShapeVectorReward(gym.make_vec("potentia/Chain-v0", 2, **chain), NoveltyBonus(neighbours=2), gamma=0.99)
    envs.reset(seed=0)
    seen = [envs.step(np.array([0, 1]))[4]["terms"]["NoveltyBonus"].tolist() for _ in range(3)]
    # The left one resets in the second step. In the third both nearest are its own end and that of the right: 0 and 3.
    assert seen == [[0.0, 0.0], [0.0, 3.0], [1.5, 0.0]]
    with pytest.raises(ValueError, match="whole episodes"):
        ShapeReward(gym.make("potentia/Chain-v0"), NoveltyBonus(spread=True), gamma=0.99)
