"""What every vector of ours makes of ``reset(seed=...)``: what Gymnasium's own vectors make of it, or it is refused."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from gymnasium.vector import SyncVectorEnv, VectorEnv

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.grid.torch_env import TorchGridVectorEnv
from potentia.envs.world import World, ask, offered_keys

WORLDS: dict[str, Callable[..., Any]] = {
    "exact": partial(gym.make, "potentia/KeyRooms-v0"),
    "grid": partial(gym.make, "potentia/DoorKey-5x5-v0"),
    "web": partial(gym.make, "potentia/Web-ShopReview-v0", backend="html"),
}
SEEDS = (None, 7, np.int64(7), [7, 8, 9], (7, 9, 7), range(3, 6), np.array([5, 3, 1]), [4, None, 6])
REFUSED = (
    (7.0, TypeError),
    ("7", TypeError),
    ({7, 8, 9}, TypeError),
    ([1.0, 2, 3], TypeError),
    (["1", 2, 3], TypeError),
    (np.array(7.0), TypeError),
    ([7, 8], ValueError),
    (range(4), ValueError),
    (-1, ValueError),
    ([1, 2, -3], ValueError),
)


def vector(name: str) -> VectorEnv[Any, Any, Any]:
    options = dict(WORLDS[name].keywords)  # type: ignore[attr-defined]
    envs = gym.make_vec(WORLDS[name].args[0], 3, **options)  # type: ignore[attr-defined]
    assert not isinstance(envs, SyncVectorEnv)
    return envs


@pytest.mark.parametrize("seed", SEEDS, ids=str)
@pytest.mark.parametrize("name", WORLDS)
def test_a_seed_means_what_it_means_to_gymnasium(name: str, seed: Any) -> None:
    ours, theirs = vector(name), SyncVectorEnv([WORLDS[name]] * 3)
    for envs in (ours, theirs):
        envs.reset(seed=[11, 12, 13])
    several = isinstance(seed, list | tuple | range | np.ndarray)
    wanted, _ = theirs.reset(seed=[_plain(one) for one in seed] if several else _plain(seed))
    obs, _ = ours.reset(seed=seed)
    for got, want in zip(_parts(obs), _parts(wanted), strict=True):
        np.testing.assert_array_equal(got, want)
    ours.close(), theirs.close()


def _plain(seed: Any) -> int | None:
    """Gymnasium takes Python's integers alone."""
    return None if seed is None else int(seed)


def _parts(obs: Any) -> list[Any]:
    return [np.asarray(part) for part in obs.values()] if isinstance(obs, dict) else [np.asarray(obs)]


@pytest.mark.parametrize("name", [*WORLDS, "torch"])
def test_what_is_no_seed_is_refused_and_changes_nothing(name: str) -> None:
    make = partial(TorchGridVectorEnv, "DoorKey-5x5", 3, pool=16) if name == "torch" else partial(vector, name)
    envs, untouched = make(), make()
    for each in (envs, untouched):
        each.reset(seed=0)
    for seed, error in REFUSED:
        with pytest.raises(error, match="seed"):
            envs.reset(seed=seed)
    for got, want in zip(_parts(envs.reset()[0]), _parts(untouched.reset()[0]), strict=True):
        np.testing.assert_array_equal(got, want)


def test_worlds_of_one_pool_take_one_seed() -> None:
    envs = TorchGridVectorEnv("DoorKey-5x5", 3, pool=16)
    for seed in ([1, 2, 3], (1, 2, 3), range(3)):
        with pytest.raises(TypeError, match="one number"):
            envs.reset(seed=seed)
    starts = [envs.reset(seed=seed)[0] for seed in (5, np.int64(5), 6)]
    assert torch.equal(starts[0], starts[1])
    assert not torch.equal(starts[0], starts[2])


def test_worlds_in_torch_are_worlds() -> None:
    envs = TorchGridVectorEnv("Empty-5x5", 3, pool=4, max_steps=6)
    assert isinstance(envs, World)
    assert (offered_keys(envs), envs.info_keys) == ({"success"}, ("success",))
    assert envs.time_limit == 6
    assert envs.action_text(2) == "forward"
    assert set(envs.reset(seed=0)[1]) == {"success", "_success"}
    with pytest.raises(ValueError, match="no info"):
        ask(envs, ["distance"])
    with pytest.raises(ValueError, match="info_keys must be among"):
        TorchGridVectorEnv("Empty-5x5", info_keys=("caption",))
    quiet = TorchGridVectorEnv("Empty-5x5", 3, pool=4, info_keys=())
    assert (quiet.reset(seed=0)[1], quiet.step(torch.zeros(3).long())[-1]) == ({}, {})
    ask(quiet, ["success"])
    assert not quiet.step(torch.zeros(3).long())[-1]["success"].any()


def test_worlds_in_torch_begin_anew_where_they_are_asked_to() -> None:
    envs = TorchGridVectorEnv("Empty-Random-6x6", 3, pool=64)
    envs.reset(seed=0)
    before = envs.step(torch.tensor([0, 0, 0]))[0]
    after, _ = envs.reset(options={"reset_mask": np.array([True, False, True])})
    assert torch.equal(after[1], before[1])
    assert not torch.equal(after, before)
    for seed, mask, told in ((3, [True, False, True], "pool that all"), (None, [False] * 3, "not all False")):
        with pytest.raises(ValueError, match=told):
            envs.reset(seed=seed, options={"reset_mask": np.array(mask)})
