"""`check_env` passes good environments and names the rule that a broken one breaks."""

from __future__ import annotations

import itertools
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces

from potentia.envs import exact
from potentia.testing.environment_episodes import trajectory_hash
from potentia.testing.environments import check_env

exact.register()

COUNTER = itertools.count()


class Corridor(gym.Env[Any, Any]):
    """A good small environment: walk from 0 to 4 within 12 steps, the start drawn from 0 and 1."""

    metadata = {"render_modes": []}  # noqa: RUF012
    limit = 12

    def __init__(self) -> None:
        self.observation_space = spaces.Box(0.0, 4.0, shape=(1,), dtype=np.float32)
        self.action_space = spaces.Discrete(2)
        self.place = 0
        self.steps = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        super().reset(seed=seed)
        self.place = self.start()
        self.steps = 0
        return self.observe(), self.info(first=True)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.place = min(max(self.place + (1 if action else -1), 0), 4)
        self.steps += 1
        terminated, truncated = self.ends()
        return self.observe(), float(self.place == 4), terminated, truncated, self.info(first=False)

    def start(self) -> int:
        return int(self.np_random.integers(2))

    def observe(self) -> Any:
        return np.array([self.place], dtype=np.float32)

    def ends(self) -> tuple[bool, bool]:
        return self.place == 4, self.place != 4 and self.steps >= self.limit

    def info(self, *, first: bool) -> dict[str, Any]:
        left = 4 - self.place
        return {
            "caption": f"You stand at {self.place}.",
            "state_hash": self.place,
            "distance": float(left),
            "potential": 0.0 - left / 4,
            "subgoals": {"reached_end": not first and left == 0},
            "success": left == 0,
        }


class TimeoutTerminates(Corridor):
    def ends(self) -> tuple[bool, bool]:
        return self.place == 4 or self.steps >= self.limit, False


class BothEnds(Corridor):
    def ends(self) -> tuple[bool, bool]:
        return self.place == 4, self.place == 4 or self.steps >= self.limit


class NumbersForEnds(Corridor):
    def ends(self) -> tuple[Any, Any]:
        return float(self.place == 4), self.steps >= self.limit


class ReusedObservation(Corridor):
    def __init__(self) -> None:
        super().__init__()
        self.buffer = np.zeros(1, dtype=np.float32)

    def observe(self) -> Any:
        self.buffer[0] = self.place
        return self.buffer


class ReusedInfo(Corridor):
    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Any] = {}

    def info(self, *, first: bool) -> dict[str, Any]:
        self.kept.update(super().info(first=first))
        return self.kept


class ChangesWhatItReturned(Corridor):
    """A fresh outer info, but a subgoal dict that later calls write to."""

    def __init__(self) -> None:
        super().__init__()
        self.events: dict[str, bool] = {}

    def info(self, *, first: bool) -> dict[str, Any]:
        fresh = super().info(first=first)
        self.events.update(fresh["subgoals"], places_seen=self.place == 2)
        return {**fresh, "subgoals": self.events}


class GlobalRandomness(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        return {**super().info(first=first), "caption": f"Moment {next(COUNTER)}."}


class RemembersAcrossEpisodes(Corridor):
    """Not reset by its seed: every fourth episode of an instance starts at 1."""

    def __init__(self) -> None:
        super().__init__()
        self.episodes = 0

    def start(self) -> int:
        super().start()
        return 0

    def info(self, *, first: bool) -> dict[str, Any]:
        self.episodes += first
        return {**super().info(first=first), "caption": f"Chapter {self.episodes // 4}."}


class KeyOnlyAtTheEnd(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return info | {"won": True} if info["success"] else info


class SlashInKey(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        return {**super().info(first=first), "reward/env": 0.0}


class PotentialAboveZero(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return {**info, "potential": info["potential"] + 1.0}


class DistanceLeftAtSuccess(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return {**info, "distance": info["distance"] + 1.0}


class EventAtReset(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        return {**super().info(first=first), "subgoals": {"reached_end": first}}


class OutsideItsSpace(Corridor):
    def observe(self) -> Any:
        return super().observe() + np.float32(9.0)


class SharedBetweenInstances(Corridor):
    """Two instances side by side disturb one another: only the vector rule can see it."""

    alive = 0

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, Any]:
        type(self).last = self
        return super().reset(seed=seed, options=options)

    def observe(self) -> Any:
        return np.array([self.last.place], dtype=np.float32)


def test_a_good_environment_passes() -> None:
    check_env(Corridor)


@pytest.mark.parametrize(
    ("mutant", "rule"),
    [
        (TimeoutTerminates, "termination"),
        (BothEnds, "termination"),
        (NumbersForEnds, "termination"),
        (ReusedObservation, "fresh_buffers"),
        (ReusedInfo, "fresh_buffers"),
        (ChangesWhatItReturned, "fresh_buffers"),
        (GlobalRandomness, "determinism"),
        (RemembersAcrossEpisodes, "determinism"),
        (KeyOnlyAtTheEnd, "info_keys"),
        (SlashInKey, "info_keys"),
        (PotentialAboveZero, "info_values"),
        (DistanceLeftAtSuccess, "info_values"),
        (EventAtReset, "info_values"),
        (OutsideItsSpace, "api"),
        (SharedBetweenInstances, "vector"),
    ],
)
def test_a_mutant_is_caught_by_the_name_of_its_rule(mutant: type[Corridor], rule: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_env(mutant, episodes=12)
    named = str(caught.value).split(":")[0]
    # Gymnasium 1.4's own checker finds reused data too, before the rule of this library does.
    assert named == rule or (rule in {"fresh_buffers", "determinism", "termination"} and named == "api")


def test_a_spec_that_makes_something_else_is_caught() -> None:
    def make() -> gym.Env[Any, Any]:
        env = gym.make("potentia/Chain-v0", length=7).unwrapped
        assert env.spec is not None
        env.spec.kwargs["length"] = 5
        env.spec.vector_entry_point = None  # else the vector rule finds it first
        return env

    with pytest.raises(AssertionError, match=r"^spec: gym\.make"):
        check_env(make)


def test_an_instance_without_a_spec_is_refused_with_what_to_do() -> None:
    with pytest.raises(TypeError, match="give check_env a function"):
        check_env(Corridor())


def test_an_instance_with_a_spec_is_checked() -> None:
    check_env(gym.make("potentia/Chain-v0", length=6))


@pytest.mark.parametrize("identifier", ["FrozenLake-v1", "CartPole-v1"])
def test_environments_of_other_packages_are_held_to_the_general_rules(identifier: str) -> None:
    check_env(identifier, max_steps=60)


def test_trajectory_hash_tells_seeds_and_options_apart() -> None:
    make = gym.make
    one = trajectory_hash(make("potentia/FrozenLake8x8-v0"), seed=0)
    assert one == trajectory_hash(make("potentia/FrozenLake8x8-v0"), seed=0)
    assert one != trajectory_hash(make("potentia/FrozenLake8x8-v0"), seed=1)
    assert one != trajectory_hash(make("potentia/FrozenLake8x8-v0", info_keys="all"), seed=0)
