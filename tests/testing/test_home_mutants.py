"""Shapers that are broken where they are used, and broken drivers: each must be caught, by the law that it breaks."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from potentia.arrays import host_array, is_tensor, like_column
from potentia.rollout import Rollout
from potentia.shaping import Carry, Contract, EpisodicCount, PotentialShaping, Shaper
from potentia.testing import check_shaper
from potentia.testing.case import Case
from potentia.testing.driver_law import drivers
from potentia.testing.shapers import draw_experience
from potentia.transitions import TransitionReader
from potentia.wrappers.driver import Driver
from tests.shaping.law_table import height
from tests.testing.honest import Mean, Plain, Tally, assert_caught, change, name_of


class NumpyOnly(Plain):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        term = np.where(rollout.mask, height(np.asarray(rollout.obs)), 0)
        return replace(rollout, terms={**rollout.terms, self.name: term}), carry


class RefusesTensors(Plain):
    def term(self, rollout: Rollout) -> Any:
        return np.linalg.norm(rollout.obs.astype(np.float64), axis=-1)


class WritesIntoTensors(Plain):
    def term(self, rollout: Rollout) -> Any:
        if is_tensor(rollout.obs):
            rollout.obs.mul_(0.5)
            return height(2 * rollout.obs)
        return height(rollout.obs)


class CastsTensors(Plain):
    """It gives tensors of 64 bits whatever the reward has."""

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        if not is_tensor(rollout.obs):
            return super().shape(rollout, carry)
        term = torch.where(rollout.mask, height(rollout.obs), 0.0).double()
        return replace(rollout, terms={**rollout.terms, self.name: term}), carry


class RoundsTensors(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs.half() if is_tensor(rollout.obs) else rollout.obs)


class LearnsNothingFromTensors(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        return {} if is_tensor(rollout.mask) else super().update(rollout)


class SeedsTheProcess(Plain):
    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        random.seed(0)
        return super().shape(rollout, carry)


class SeedsNumPy(Plain):
    """By the old way, which the whole process shares."""

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        np.random.seed(0)  # noqa: NPY002
        return super().shape(rollout, carry)


class DrawsFromTheProcess(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        torch.randperm(3)
        super().learn(reward, mask, rollout)


class TurnsGradientsOff(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        torch.set_grad_enabled(False)
        super().learn(reward, mask, rollout)


class SetsTheDefaultDtype(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        torch.set_default_dtype(torch.float16)
        super().learn(reward, mask, rollout)


class TurnsErrorsOff(Plain):
    def term(self, rollout: Rollout) -> Any:
        np.seterr(all="ignore")
        return super().term(rollout)


class NeedsGradients(Mean):
    """It learns by gradients, which the caller may have switched off."""

    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        guess = torch.tensor(0.0, requires_grad=True)
        (guess * float(reward[mask].sum())).backward()
        assert guess.grad is not None
        self.sum, self.number = self.sum + float(guess.grad), self.number + float(mask.sum())


class TakesTheDefaultDtype(Plain):
    def term(self, rollout: Rollout) -> Any:
        weights = torch.tensor([2.0, -1.0, 0.0, 0.0])
        return like_column(torch.as_tensor(rollout.obs).float() @ weights, rollout.discount)


class CarriesWhatItMakes(Plain):
    """Its carry is changed in place, also where it was made in inference mode."""

    def init(self, num_envs: int) -> Carry:
        return np.zeros(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        made = torch.as_tensor(self.init(rollout.num_envs) if isinstance(carry, tuple) else carry)
        return super().shape(rollout)[0], made.add_(0.0)[:]


class HashesTexts(Tally):
    def pages(self, rollout: Rollout) -> Any:
        texts = super().pages(rollout)
        return np.array([str(hash(text) % 7) for text in texts.ravel().tolist()]).reshape(texts.shape)


class SeedsByItsName(Plain):
    def __init__(self) -> None:
        super().__init__()
        self.weight = np.random.default_rng(hash("weight") % 2**32).uniform()

    def term(self, rollout: Rollout) -> Any:
        return self.weight * height(rollout.obs)


class NumbersAsASetComes(Plain):
    def term(self, rollout: Rollout) -> Any:
        first = list({f"place {number}" for number in range(1000)}).index("place 0")  # few would be alike by chance
        return (1 + first) * height(rollout.obs)


BROKEN: list[tuple[Callable[[], Shaper], str]] = [
    (NumpyOnly, "backends"),
    (RefusesTensors, "backends"),
    (WritesIntoTensors, "backends"),
    (CastsTensors, "backends"),
    (RoundsTensors, "backends"),
    (LearnsNothingFromTensors, "backends"),
    (SeedsTheProcess, "surroundings"),
    (SeedsNumPy, "surroundings"),
    (DrawsFromTheProcess, "surroundings"),
    (TurnsGradientsOff, "surroundings"),
    (SetsTheDefaultDtype, "surroundings"),
    (TurnsErrorsOff, "surroundings"),
    (NeedsGradients, "surroundings"),
    (TakesTheDefaultDtype, "surroundings"),
    (CarriesWhatItMakes, "surroundings"),
]


@pytest.mark.parametrize(("make", "law"), BROKEN, ids=name_of)
def test_a_shaper_that_is_broken_somewhere_is_caught_by_name(make: Callable[[], Shaper], law: str) -> None:
    assert_caught(make, law)


def test_what_a_shaper_does_to_the_process_is_undone() -> None:
    before = torch.get_default_dtype(), torch.get_rng_state().tolist(), np.geterr(), random.getstate()
    for make, _ in BROKEN:
        with pytest.raises(AssertionError):
            check_shaper(make, second_process=False)
    assert (torch.get_default_dtype(), torch.get_rng_state().tolist(), np.geterr(), random.getstate()) == before
    assert torch.is_grad_enabled()


ELSEWHERE: list[Callable[[], Shaper]] = [HashesTexts, SeedsByItsName, NumbersAsASetComes]


@pytest.mark.parametrize("make", ELSEWHERE, ids=name_of)
def test_what_differs_in_another_process_is_caught(make: Callable[[], Shaper]) -> None:
    check_shaper(make, second_process=False)
    assert_caught(make, "processes", second_process=True)


def test_the_laws_say_which_columns_and_what_to_use() -> None:
    with pytest.raises(AssertionError, match=r"it reads action, but .* add it to Contract\(reads="):
        check_shaper(OfTheAction)
    with pytest.raises(AssertionError, match=r"columns that it reads \(obs\), .*host_array, .*like_column\(values"):
        check_shaper(RefusesTensors)
    with pytest.raises(AssertionError, match=r"differ: at step \d+ of environment \d .* it reads obs, .*rollout\.mask"):
        drivers(Case(KeepsOnItself, draw_experience(KeepsOnItself), 0))


class OfTheAction(Plain):
    def term(self, rollout: Rollout) -> Any:
        return height(rollout.obs) * rollout.action


class KeepsOnItself(Plain):
    """What it remembers is on the object, not in the carry: the environments of a vector share it."""

    def __init__(self) -> None:
        super().__init__()
        self.paid = 0

    def term(self, rollout: Rollout) -> Any:
        self.paid += int(host_array(rollout.mask).sum())
        return height(rollout.obs) * self.paid


def _ignore_final_obs(monkeypatch: pytest.MonkeyPatch) -> None:
    final = TransitionReader._final
    monkeypatch.setattr(
        TransitionReader, "_final", lambda self, done, obs, *rest: (obs, final(self, done, obs, *rest)[1])
    )


def _ignore_final_info(monkeypatch: pytest.MonkeyPatch) -> None:
    read = TransitionReader._read
    latest: dict[str, Any] = {}

    def wrong(self: TransitionReader, info: Mapping[str, Any], key: str, rows: Any, of: str = "info") -> Any:
        if of == "info":
            latest[key] = read(self, info, key, rows)
        return latest[key]

    monkeypatch.setattr(TransitionReader, "_read", wrong)


def _unmask_autoreset_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TransitionReader, "_advance", lambda self, done: None)


def _forget_everybody_at_a_partial_reset(monkeypatch: pytest.MonkeyPatch) -> None:
    reset = Driver.reset

    def wrong(self: Driver, obs: Any, info: Mapping[str, Any], mask: Any = None) -> None:
        reset(self, obs, info, mask)
        self.carry = self.shaper.init(self.reader.num_envs)

    monkeypatch.setattr(Driver, "reset", wrong)


BROKEN_DRIVERS: list[tuple[Callable[[pytest.MonkeyPatch], None], Callable[[], Shaper]]] = [
    (_ignore_final_obs, lambda: PotentialShaping(height)),
    (_ignore_final_info, lambda: PotentialShaping("potential")),
    (_unmask_autoreset_steps, lambda: PotentialShaping(height)),
    (_forget_everybody_at_a_partial_reset, EpisodicCount),
]


@pytest.mark.parametrize(("damage", "make"), BROKEN_DRIVERS, ids=name_of)
def test_a_broken_driver_is_caught_by_the_law_of_drivers(
    monkeypatch: pytest.MonkeyPatch, damage: Callable[[pytest.MonkeyPatch], None], make: Callable[[], Shaper]
) -> None:
    check_shaper(make, seeds=1, second_process=False)
    damage(monkeypatch)
    assert_caught(make, "drivers")


def test_a_driver_must_refuse_what_it_cannot_give(monkeypatch: pytest.MonkeyPatch) -> None:
    class OfWholeEpisodes(Plain):
        contract = change(Contract(), needs_episodes=True, reads=frozenset({"obs"}))

    check_shaper(OfWholeEpisodes, second_process=False)
    init = Driver.__init__

    def careless(self: Driver, shaper: Shaper, *args: Any) -> None:
        shaper.contract = change(shaper.contract, needs_episodes=False)
        init(self, shaper, *args)

    monkeypatch.setattr(Driver, "__init__", careless)
    assert_caught(OfWholeEpisodes, "drivers")
