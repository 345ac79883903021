"""Progress from hops: exact with exact hops, better together than the worst, and nothing to farm."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from potentia.rollout import Rollout
from potentia.shaping import HopPotential, Progress, Shaper
from potentia.shaping.imitation.hops import FUSIONS, Fusion, advanced, oracle_hop

GAMMA = 0.9


def walk(*progress: float, cut: bool = False, gamma: float = GAMMA) -> Rollout:
    """An episode through states of such progress, which are the observations too. It ends, or is cut."""
    states, steps = np.array(progress)[:, None], len(progress) - 1
    zeros, last = np.zeros((steps, 1)), np.arange(steps)[:, None] == steps - 1
    return Rollout(
        obs=states[:-1], action=zeros, next_obs=states[1:], terms={"env": zeros},
        discount=np.where(last & (not cut), 0.0, gamma), terminated=last & (not cut), truncated=last & cut,
        info={"progress": states[:-1], "next_progress": states[1:]},
    )  # fmt: skip


def terms(shaper: Shaper, rollout: Rollout) -> np.ndarray[Any, Any]:
    return shaper.shape(rollout)[0].terms[shaper.name][:, 0]


def discounted(shaper: Shaper, rollout: Rollout) -> float:
    return float(GAMMA ** np.arange(rollout.num_steps) @ terms(shaper, rollout))


@pytest.mark.parametrize("fusion", FUSIONS)
def test_exact_hops_give_the_true_progress_by_every_estimate(fusion: Fusion) -> None:
    progress = np.random.default_rng(0).random(30)
    want = GAMMA * progress[1:] - progress[:-1]
    want[-1] = -progress[-2]  # the end has no progress
    assert terms(HopPotential("progress", fusion=fusion), walk(*progress)) == pytest.approx(want, abs=1e-12)


def test_what_is_left_is_the_product_of_what_each_hop_leaves() -> None:
    progress = np.sort(np.random.default_rng(1).random(20))
    left = np.cumprod(1 - oracle_hop(progress[:-1], progress[1:]))
    assert 1 - progress[1:] == pytest.approx((1 - progress[0]) * left)
    back = progress[::-1]
    assert advanced(back[:-1], oracle_hop(back[:-1], back[1:])) == pytest.approx(back[1:])


def test_estimates_by_hand_where_hops_disagree() -> None:
    hops = {(0.0, 1.0): 0.5, (1.0, 2.0): 0.2, (0.0, 2.0): 0.4, (9.0, 0.0): -1.0, (9.0, 1.0): -0.5, (9.0, 2.0): -0.2}

    def hop(before: np.ndarray[Any, Any], after: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        pairs = np.broadcast_arrays(before, after)
        return np.vectorize(lambda p, q: hops.get((p, q), 0.0))(*pairs)

    episode = walk(0.0, 1.0, 2.0, 0.0, gamma=1.0)
    # Step 1: all say 0.5. Step 2: incremental 0.5 + 0.5 * 0.2 = 0.6, forward 0.4, backward 1 - 0.2 = 0.8, their mean
    # 0.6 and d = 0.4 / 0.6. So 0.5 + exp(-4/9) / 2 * (0.1 + 0.1).
    after = {"incremental": 0.6, "forward": 0.4, "backward": 0.8, "mean": 0.6, "consistent": 0.5 + 0.1 * np.exp(-4 / 9)}
    for fusion, second in after.items():
        found = terms(HopPotential(hop, np.float64(9.0), fusion=fusion), episode)  # type: ignore[arg-type]
        assert found == pytest.approx([0.5, second - 0.5, -second], abs=1e-5), fusion


def test_estimates_together_are_no_worse_than_the_worst_of_them() -> None:
    rng = np.random.default_rng(2)
    errors: dict[str, list[float]] = {fusion: [] for fusion in FUSIONS}
    for _ in range(20):
        progress = np.clip(np.linspace(0, 1, 40) + 0.05 * rng.normal(size=40), 0, 1)
        progress[0] = 0
        noise = iter(rng.normal(size=(1000, 39, 1)) * 0.1)

        def hop(before: np.ndarray[Any, Any], after: np.ndarray[Any, Any], noise: Any = noise) -> np.ndarray[Any, Any]:
            return np.clip(oracle_hop(*np.broadcast_arrays(before, after)) + next(noise), -1, 1)

        for fusion in FUSIONS:
            found = terms(HopPotential(hop, np.float64(1.0), fusion=fusion), walk(*progress, gamma=1.0))
            estimate = np.cumsum(found[:-1]) - found.sum()  # progress(t + 1), as all terms sum to -progress(0)
            errors[fusion].append(float(np.mean((estimate - progress[1:-1]) ** 2)))
    means = {fusion: float(np.mean(found)) ** 0.5 for fusion, found in errors.items()}
    assert means["consistent"] < max(means[one] for one in ("incremental", "forward", "backward"))


def test_a_cut_episode_sums_to_the_progress_of_its_two_ends() -> None:
    episode = walk(0.1, 0.7, 0.3, cut=True)
    noisy = HopPotential(lambda before, after: 0.6 * (after - before), np.float64(1.0))
    # From the goal alone: 1 + 0.6 * (0.1 - 1) = 0.46 at first, 1 + 0.6 * (0.3 - 1) = 0.58 at last.
    assert discounted(noisy, episode) == pytest.approx(GAMMA**2 * 0.58 - 0.46)
    assert discounted(noisy, walk(0.1, 0.2, 0.3, cut=True)) == pytest.approx(GAMMA**2 * 0.58 - 0.46)
    assert discounted(noisy, walk(0.1, 0.7, 0.3)) == pytest.approx(-0.46)


def test_the_difference_without_a_discount_rewards_loitering() -> None:
    # In a state of progress 0.2 an agent may end the episode for 0.2, or go to and fro to a state of progress 0.8.
    to_and_fro = walk(*[0.2, 0.8] * 200, 0.2, cut=True)
    naive, right = Progress("progress", name="naive"), HopPotential("progress")
    # Ending: 0.2 + (0 - 0.2) = 0 by either. Loitering: 0.6 (1 - g + g^2 - ...) = 0.6 / 1.9, and never less for longer.
    assert discounted(naive, to_and_fro) == pytest.approx(0.6 / 1.9)
    assert discounted(right, to_and_fro) == pytest.approx(-0.2)
    end = walk(0.2, 0.0)
    assert 0.2 + discounted(naive, end) == pytest.approx(0.0)
    assert 0.2 + discounted(right, end) == pytest.approx(0.0)
    # One round: (g^2 - 1) * 0.2 by the potential; 0.6 (1 - g) by the naive one.
    once = walk(0.2, 0.8, 0.2, cut=True)
    assert discounted(right, once) == pytest.approx((GAMMA**2 - 1) * 0.2)
    assert discounted(naive, once) == pytest.approx(0.6 * (1 - GAMMA))


def test_progress_kept_at_a_true_end_rewards_ending_beside_the_goal() -> None:
    # In five steps to the goal, which pays 0.2; or in one to an end beside it, of progress 0.9, which pays nothing.
    goal, beside = walk(0.0, 0.2, 0.4, 0.6, 0.8, 1.0), walk(0.0, 0.9)

    def kept(episode: Rollout) -> float:
        discount = np.full_like(episode.discount, GAMMA)
        return discounted(HopPotential("progress"), replace(episode, discount=discount, terminated=discount < 0))

    paid = GAMMA**4 * 0.2
    assert paid + discounted(HopPotential("progress"), goal) == pytest.approx(0.13122)
    assert discounted(HopPotential("progress"), beside) == 0
    assert paid + kept(goal) == pytest.approx(0.13122 + GAMMA**5)  # 0.72171
    assert kept(beside) == pytest.approx(0.81)  # more, for less


def test_what_is_wrong_is_named() -> None:
    with pytest.raises(ValueError, match="a function of hops needs a goal"):
        HopPotential(oracle_hop)
    with pytest.raises(ValueError, match="a column of progress needs none"):
        HopPotential("progress", np.float64(1.0))
    with pytest.raises(ValueError, match="fusion must be among"):
        HopPotential("progress", fusion="sum")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match=r"a hop must have shape \(T, B\) = \(1, 1\), got \(\)"):
        HopPotential(lambda before, after: (after - before).sum(), np.float64(1.0)).shape(walk(0.0, 1.0))
