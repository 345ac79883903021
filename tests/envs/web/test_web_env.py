"""The environment: deterministic, the same by every backend, proper in every view of actions and every autoreset mode."""

from __future__ import annotations

import asyncio
import hashlib
import subprocess
import sys
import threading

import gymnasium as gym
import numpy as np
import pytest

import potentia
from potentia.envs.web import TASKS, WebEnv, WebVectorEnv
from potentia.envs.web.actions import KINDS, Action, read_text, write_text
from potentia.envs.web.tasks import TEMPLATES
from potentia.testing import check_env
from tests.envs.web.hostile import PageTask
from tests.episodes import *  # noqa: F403

BACKENDS = ("cdp", "playwright", "html")


def draw(env, rng, obs):
    return int(rng.choice(np.flatnonzero(obs["action_mask"])))


def episode_hash(env, seed, steps=12, *, pictures=False):
    """Of all that is seen in an episode of random actions."""
    digest = hashlib.sha256()
    rng = np.random.default_rng(seed)
    obs, info = env.reset(seed=seed)
    for _ in range(steps):
        action = draw(env, rng, obs)
        obs, reward, terminated, truncated, info = env.step(action)
        for name in sorted(obs):
            part = obs[name]
            digest.update(part.encode() if isinstance(part, str) else part.tobytes())
        digest.update(repr((reward, terminated, truncated, info["state_hash"], info["blocked"])).encode())
        if pictures:
            digest.update(env.render().tobytes())
        if terminated or truncated:
            obs, info = env.reset()
    return digest.hexdigest()


@pytest.mark.parametrize("task", ["ShopBuy", "MiniWoB-click-checkboxes", "MiniWoB-enter-date"])
def test_the_same_seed_gives_the_same_pages_and_pictures_in_every_launch(task):
    hashes = set()
    for _ in range(2):
        env = WebEnv(task, render_mode="rgb_array")
        hashes.add(episode_hash(env, 3, pictures=True))
        hashes.add(episode_hash(env, 3, pictures=True))
        assert episode_hash(env, 4) not in hashes
        env.close()
    assert len(hashes) == 1


def test_clocks_and_chance_are_the_episode_s_own():
    page = """<p id=a></p><p id=b></p><script>
    let ticks = 0; setInterval(() => { ticks++; show() }, 50);
    const show = () => { a.textContent = [Date.now(), new Date().toISOString(), performance.now(), ticks,
      Date().slice(0, 15), typeof Date(), new Date(0).getTime(), new Date() instanceof Date].join(' ') };
    b.textContent = [Math.random(), crypto.getRandomValues(new Uint8Array(4)), performance.now()].join(' '); show()
    </script><div style="width:9px;height:9px;background:red;animation:m 1s infinite alternate"></div>
    <style>@keyframes m { to { margin-left: 90px } }</style>"""
    env = WebEnv(PageTask({"/": page}), render_mode="rgb_array")
    seen = []
    for seed in (1, 1, 2):
        env.reset(seed=seed)
        for _ in range(5):
            env.step(0)
        names = [element.name for element in env.play.state.elements]
        seen.append((names, env.render().tobytes()))
    env.close()
    assert seen[0] == seen[1]
    assert seen[0][0][0] == seen[2][0][0]  # the clock does not depend on the seed
    assert seen[0][0][1] != seen[2][0][1]
    clock = seen[0][0][0].split(" ")
    assert clock[0] == str(1773651600000 + 300 + 5 * 60)
    assert clock[1] == "2026-03-16T09:00:00.600Z"
    assert clock[-3:] == ["string", "0", "true"]


@pytest.mark.parametrize("name", sorted(TEMPLATES))
def test_chromium_and_the_backend_without_browser_see_the_same(name):
    """Along the reference solution, page by page: elements, text, mask, potential, checklist; and both succeed."""
    parts = ("goal", "text", "elements", "fields", "action_mask")
    envs = [WebEnv(name, backend=backend, observation=parts, actions="text") for backend in ("cdp", "html")]
    return envs
