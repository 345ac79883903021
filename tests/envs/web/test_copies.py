"""A copy of an environment goes on as the environment does, or there is none."""

from __future__ import annotations

import copy
import pickle

import gymnasium as gym
import numpy as np
import pytest

import potentia  # noqa: F401 - registers the worlds
from potentia.envs.web import WebEnv
from potentia.envs.web.browsergym.env import FromBrowserGym
from potentia.envs.web.tasks import TEMPLATES
from tests.envs.web.hostile import PageTask

cloudpickle = pytest.importorskip("cloudpickle")
WAYS = {
    "deepcopy": copy.deepcopy,
    "pickle": lambda env: pickle.loads(pickle.dumps(env)),
    "cloudpickle": lambda env: cloudpickle.loads(cloudpickle.dumps(env)),
}
by_all_ways = pytest.mark.parametrize("way", WAYS)


def plain(value):
    """A result as lists and numbers, which know whether they are equal."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [plain(part) for part in value]
    return plain(value.tolist()) if isinstance(value, np.ndarray) else value


CASES = [("pickle", name) for name in sorted(TEMPLATES)] + [(way, "NotesMerge") for way in ("deepcopy", "cloudpickle")]


@pytest.mark.exhaustive(14)
@pytest.mark.parametrize(("way", "name"), CASES)
def test_a_copy_goes_on_equally_and_by_itself(way, name):
    env = gym.make(f"potentia/Web-{name}-v0", backend="html", actions="text", info_keys="all")
    _, info = env.reset(seed=5)
    for _ in range(2):  # both in the midst of the reference solution and with a mistake behind
        first = info["reference"].partition("\n")[0]
        other = WAYS[way](env)
        WAYS[way](env).step("click(3)")  # which is nobody else's doing
        assert plain(env.step(first)) == plain(other.step(first))
        for action in ("click(3)", "back()", 'fill(9, "text")'):
            *_, info = result = env.step(action)
            assert plain(result) == plain(other.step(action))
        env = other
    other = WAYS[way](env)
    assert plain(env.reset()) == plain(other.reset())


@by_all_ways
@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_a_copy_of_a_vector_goes_on_equally(way, mode):
    envs = gym.make_vec("potentia/Web-ShopBuy-v0", 3, backend="html", max_steps=4, autoreset_mode=mode)
    envs.reset(seed=2)
    rng = np.random.default_rng(0)
    envs.step(rng.integers(20, size=3))
    other = WAYS[way](envs)
    for _ in range(6):  # beyond the end of the episodes
        actions = rng.integers(20, size=3)
        assert plain(envs.step(actions)) == plain(other.step(actions))


@by_all_ways
@pytest.mark.parametrize("driver", ["cdp", "playwright"])
def test_a_browser_can_t_be_copied_and_the_error_says_what_to_do(way, driver):
    env = WebEnv(PageTask({"/": "<p>here"}), backend=driver)
    for begun in (False, True):
        if begun:
            env.reset(seed=0)
        with pytest.raises(TypeError, match="make another one"):
            WAYS[way](env)
    env.step(0)
    env.close()


@by_all_ways
def test_nor_can_one_of_browsergym(way):
    class Space(gym.Env):
        observation_space = action_space = gym.spaces.Discrete(2)

    with pytest.raises(TypeError, match="an environment of BrowserGym can't be copied"):
        WAYS[way](FromBrowserGym(Space()))
