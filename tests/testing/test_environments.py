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


class Long(Corridor):
    """Sixteen places and no lucky end in random play, so that late steps are seen."""

    limit = 60
    end = 15

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 15.0, shape=(1,), dtype=np.float32)

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.place = min(max(self.place + (1 if action else -1), 0), self.end)
        self.steps += 1
        terminated, truncated = self.ends()
        return self.observe(), self.reward(), terminated, truncated, self.info(first=False)

    def reward(self) -> Any:
        return float(self.place == self.end)

    def ends(self) -> tuple[bool, bool]:
        return self.place == self.end, self.place != self.end and self.steps >= self.limit

    def info(self, *, first: bool) -> dict[str, Any]:
        left = self.end - self.place
        told = {"distance": float(left), "potential": 0.0 - left / self.end, "success": left == 0}
        return {**super().info(first=first), **told, "subgoals": {"reached_end": not first and left == 0}}


class ObservationOutsideFromTheThirdStep(Long):
    def observe(self) -> Any:
        return super().observe() - np.float32(20.0 * (self.steps >= 3))


class ObservationOfAnotherTypeFromTheThirdStep(Long):
    def observe(self) -> Any:
        return super().observe().astype(np.float64 if self.steps >= 3 else np.float32)


class ObservationOfAnotherPlaceFromTheThirdStep(Long):
    def observe(self) -> Any:
        return np.float32(15.0) - super().observe() if self.steps >= 3 else super().observe()


class ObservationStandsStillFromTheThirdStep(Long):
    limit = 200
    seen = np.zeros(1, np.float32)

    def observe(self) -> Any:
        self.seen = super().observe() if self.steps < 3 else self.seen.copy()
        return self.seen


class ObservationBreaksInTheThirtiethStep(Long):
    def observe(self) -> Any:
        return np.float32(15.0) - super().observe() if self.steps >= 30 else super().observe()


class RewardIsNoNumberFromTheThirdStep(Long):
    def reward(self) -> Any:
        return float("nan") if self.steps >= 3 else super().reward()


class RewardIsAnArrayFromTheThirdStep(Long):
    def reward(self) -> Any:
        return np.zeros(1) if self.steps >= 3 else super().reward()


class RewardIsAnotherFromTheThirdStep(Long):
    def reward(self) -> Any:
        return super().reward() + 0.5 * (self.steps >= 3)


class _Tells(Long):
    """Changes what the info says."""

    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        raise NotImplementedError

    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return {**info, **self.change(info)}


class HashKnowsTheTime(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"state_hash": info["state_hash"] + 100 * self.steps}


class HashKnowsTheTimeRoughly(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"state_hash": info["state_hash"] + 100 * (self.steps // 10)}


class HashMissesWhatDecides(_Tells):
    """One hash for two places, though what is seen tells them apart."""

    chance = False

    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"state_hash": info["state_hash"] // 2}

    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return {key: info[key] for key in ("caption", "state_hash", "success")}  # a distance would tell them apart, too


class PotentialKnowsTheTime(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"potential": max(info["potential"] - 0.001 * self.steps * (info["potential"] < 0), -1.0)}


class PotentialWithoutDistanceKnowsTheTime(PotentialKnowsTheTime):
    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return {key: value for key, value in info.items() if key != "distance"}


class DistanceKnowsTheTime(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        late = self.steps >= 20 and not info["success"]
        return {"distance": info["distance"] + late, "potential": -1.0 if info["distance"] else 0.0}


class PotentialReversed(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"potential": 0.0 if info["success"] else -1.0 - info["potential"]}


class PotentialOfAnotherShape(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"potential": 0.0 - info["potential"] ** 2}


class PotentialLeftAtSuccess(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"potential": (info["potential"] - 1.0) / 2}


class DistanceDoubled(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"distance": 2 * info["distance"]}


class DistanceHalved(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"distance": info["distance"] / 2}


class DistanceCapped(_Tells):
    """Nothing ever falls by more than one; but from the start no action is nearer."""

    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        near = min(info["distance"], 4.0)
        return {"distance": near, "potential": 0.0 - near / 4}


class DistanceTooLongByOne(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        longer = info["distance"] + (not info["success"])
        return {"distance": longer, "potential": 0.0 - longer / 16}


class DistanceOfAFlight(_Tells):
    """Never too long, as the crow flies in a world where only every other step can be taken."""

    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        flight = float((int(info["distance"]) + 1) // 2)
        return {"distance": flight, "potential": 0.0 - flight / 8}


class NoWayAndYetAWay(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        lost = self.place == 3
        return {"distance": -1.0, "potential": -1.0} if lost else {}


class SuccessNever(_Tells):
    def change(self, info: dict[str, Any]) -> dict[str, Any]:
        return {"success": False}


class SuccessNeverWithoutDistance(Corridor):
    def info(self, *, first: bool) -> dict[str, Any]:
        return {"success": False, "state_hash": self.place}


class SuccessIsCutOff(Corridor):
    def ends(self) -> tuple[bool, bool]:
        return False, self.place == 4 or self.steps >= self.limit


class SuccessIsCutOffFarAway(Long):
    def ends(self) -> tuple[bool, bool]:
        return False, self.place == self.end or self.steps >= self.limit


class SuccessGoesOn(Long):
    """Good: success ends nothing here, and a limit that comes while it lasts is no fault."""

    end = 3

    def ends(self) -> tuple[bool, bool]:
        return False, self.steps >= self.limit

    def info(self, *, first: bool) -> dict[str, Any]:
        info = super().info(first=first)
        return info | {"subgoals": {}}


class TimeInSight(Long):
    """Good: the observation, but not the hash, tells the time."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 60.0, shape=(2,), dtype=np.float32)

    def observe(self) -> Any:
        return np.array([self.place, self.steps // 2], dtype=np.float32)


class MemoryInSight(Long):
    """Good: the observation tells the farthest place so far, which the hash leaves out."""

    def __init__(self) -> None:
        super().__init__()
        self.observation_space = spaces.Box(0.0, 15.0, shape=(2,), dtype=np.float32)
        self.farthest = 0

    def observe(self) -> Any:
        self.farthest = self.place if self.steps == 0 else max(self.farthest, self.place)
        return np.array([self.place, self.farthest], dtype=np.float32)


class Slippery(Long):
    """Good: every third step slips, and distances are those of the luckiest run."""

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        return super().step(1 - action if self.np_random.random() < 1 / 3 else action)


class HiddenDice(Long):
    """Good: something unseen, which is part of the state, changes by chance; it says so."""

    chance = True
    dice = 0

    def info(self, *, first: bool) -> dict[str, Any]:
        self.dice = int(self.np_random.integers(2**40))
        return {**super().info(first=first), "state_hash": self.place + 100 * self.dice}


@pytest.mark.parametrize("good", [Corridor, Long, SuccessGoesOn, TimeInSight, MemoryInSight, Slippery, HiddenDice])
def test_a_good_environment_passes(good: type[Corridor]) -> None:
    untried = check_env(good)
    assert ("distance" in untried) == (good in {Slippery, HiddenDice})


def test_what_could_not_be_tried_is_told_and_a_solution_tries_it() -> None:
    class Silent(Long):
        def info(self, *, first: bool) -> dict[str, Any]:
            info = super().info(first=first)
            return {key: info[key] for key in ("state_hash", "success", "potential")}

    class WrongAtItsEnd(Silent):
        def info(self, *, first: bool) -> dict[str, Any]:
            info = super().info(first=first)
            return info | {"potential": -1.0 - info["potential"]}

    assert check_env(Silent) == {"success"}
    assert check_env(Silent, solution=lambda env, observation, info: 1) == frozenset()
    assert check_env(WrongAtItsEnd) == {"success"}
    with pytest.raises(AssertionError, match="info_values: at success potential must be"):
        check_env(WrongAtItsEnd, solution=lambda env, observation, info: 1)
    with pytest.raises(AssertionError, match="success: the solution that was given did not succeed"):
        check_env(Silent, solution=lambda env, observation, info: 0)


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
        (ObservationOutsideFromTheThirdStep, "observation"),
        (ObservationOfAnotherTypeFromTheThirdStep, "observation"),
        (ObservationOfAnotherPlaceFromTheThirdStep, "observation"),
        (ObservationStandsStillFromTheThirdStep, "observation"),
        (ObservationBreaksInTheThirtiethStep, "observation"),
        (RewardIsNoNumberFromTheThirdStep, "reward"),
        (RewardIsAnArrayFromTheThirdStep, "reward"),
        (RewardIsAnotherFromTheThirdStep, "reward"),
        (HashKnowsTheTime, "state_hash"),
        (HashKnowsTheTimeRoughly, "state_hash"),
        (HashMissesWhatDecides, "state_hash"),
        (PotentialKnowsTheTime, "potential"),
        (PotentialWithoutDistanceKnowsTheTime, "potential"),
        (PotentialReversed, "potential"),
        (PotentialOfAnotherShape, "potential"),
        (PotentialLeftAtSuccess, "potential"),
        (DistanceKnowsTheTime, "distance"),
        (DistanceDoubled, "distance"),
        (DistanceHalved, "info_values"),
        (DistanceCapped, "distance"),
        (DistanceTooLongByOne, "distance"),
        (DistanceOfAFlight, "distance"),
        (NoWayAndYetAWay, "distance"),
        (SuccessNever, "success"),
        (SuccessNeverWithoutDistance, "success"),
        (SuccessIsCutOff, "success"),
        (SuccessIsCutOffFarAway, "success"),
    ],
)
def test_a_mutant_is_caught_by_the_name_of_its_rule(mutant: type[Corridor], rule: str) -> None:
    with pytest.raises(AssertionError) as caught:
        check_env(mutant)
    named = str(caught.value).split(":")[0]
    # Gymnasium 1.4's own checker finds reused data too, before the rule of this library does.
    assert named == rule or (rule in {"fresh_buffers", "determinism", "termination"} and named == "api"), caught.value


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
