"""Shapers that are broken in how they learn, save and load: each must be caught, by the law that it breaks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from potentia.arrays import host_array, is_tensor, like_column
from potentia.rollout import Rollout
from potentia.shaping import RND, Carry, Count, Discriminator, NormalizeReward, Shaper
from tests.shaping.law_table import ACTIONS, SHOWN, VECTOR
from tests.testing.honest import Mean, Plain, Steps, Tally, assert_caught, change, name_of


class SaysWords(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        return super().update(rollout) | {"state": "learned"}


class SaysArrays(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        return super().update(rollout) | {"rewards": rollout.terms["env"]}


class SaysNothing(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        super().update(rollout)
        return None  # type: ignore[return-value]


class SaysNaNAtUpdate40(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        metrics = super().update(rollout)
        return metrics if self.updates < 40 else {"mean": float("nan")}


class RaisesAtUpdate40(Mean):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        super().update(rollout)
        return {"mean": [self.mean][self.updates // 40]}


class ForgetsItsOptimiser(RND):
    def __init__(self) -> None:
        super().__init__(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2)

    def state_dict(self) -> dict[str, Any]:
        return super().state_dict() | {"optimizer": ForgetsItsOptimiser().model.optimizer.state_dict()}


class ForgetsItsUpdates(Mean):
    """After 40 updates it pays the double, unless it was saved in between."""

    @property
    def mean(self) -> float:
        return super().mean * (2 if self.updates > 40 else 1)


class MergesWhatItLoads(Tally):
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.counts.update(state["counts"])


class AddsWhatItLoads(Tally):
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        for page, count in state["counts"].items():
            self.counts[page] = self.counts.get(page, 0.0) + count


class KeepsWhatItLoads(Tally):
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.counts = state["counts"]  # type: ignore[assignment]


class GivesAwayWhatItCounts(KeepsWhatItLoads):
    def state_dict(self) -> dict[str, Any]:
        return {"counts": self.counts}


class CutsWhatItLoads(Tally):
    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.counts = dict(list(state["counts"].items())[:100])


class CutsWhatItSaves(Tally):
    def state_dict(self) -> dict[str, Any]:
        return {"counts": dict(list(self.counts.items())[:256])}


class RoundsWhatItSaves(Mean):
    def state_dict(self) -> dict[str, Any]:
        return {"sum": float(np.float32(self.sum)), "number": self.number}


class LearnsFromNonsense(Count):
    """Masked steps are counted too."""

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        return super().update(replace(rollout, mask=rollout.mask | True))


class DecaysWithMaskedSteps(Mean):
    """What stands in a masked step does not matter, but that it is there."""

    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        super().learn(reward, mask, rollout)
        self.number += 0.1 * float((~mask).sum())


class LearnsFromTheFirstEnvironment(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        super().learn(reward[:, :1], mask[:, :1], rollout)


class LearnsFromTheLastStep(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        super().learn(reward[-1:], mask[-1:], rollout)


class AveragesOneAfterTheOther(Mean):
    """The last environment counts most."""

    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        for env in range(rollout.num_envs):
            self.sum = 0.9 * self.sum + 0.1 * float(reward[:, env][mask[:, env]].sum())
        self.number = 1.0


class DividesByTheNumberOfEnvironments(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        self.sum += float(reward[mask].sum()) / rollout.num_envs
        self.number = 1.0


class AveragesItsUpdates(Mean):
    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        self.sum += float(reward[mask].mean())
        self.number += 1


class CountsUpdates(Mean):
    """A schedule of updates, not of steps."""

    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        self.sum, self.number = self.sum + 1.0, 1.0


class CountsEachPageOnceAnUpdate(Tally):
    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        for page in set(self.pages(rollout)[host_array(rollout.mask)].tolist()):
            self.counts[page] = self.counts.get(page, 0.0) + 1
        return {}


class DoesNotClearTheReturn(NormalizeReward):
    """The return goes on where an episode is cut and bootstrapped."""

    contract = change(NormalizeReward.contract, reads=frozenset({"reward", "discount", "terminated"}))

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        return super().update(rollout._replace(truncated=rollout.truncated & False))


class TrainsOnTheFirstEnvironment(Plain):
    """By an optimiser, whose minibatch is all that there is."""

    contract = change(Plain.contract, scope="lifelong")

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.net = nn.Linear(4, 1, dtype=torch.float64)
        self.optimizer = torch.optim.SGD(self.net.parameters(), 0.1)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        with torch.no_grad():
            values = self.net(torch.as_tensor(rollout.obs).double())[..., 0]
        return rollout.add(self.name, like_column(values, rollout.discount)), carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        mask = torch.as_tensor(host_array(rollout.mask))[:, :1]
        if mask.any():
            with torch.inference_mode(False), torch.enable_grad():
                obs = torch.tensor(host_array(rollout.obs)[:, :1]).double().nan_to_num()
                loss = ((self.net(obs)[..., 0] - 1).square() * mask).sum() / mask.sum()
                self.optimizer.zero_grad()
                loss.backward()
                self.optimizer.step()
        return {}

    def state_dict(self) -> dict[str, Any]:
        return {"net": {name: part.clone() for name, part in self.net.state_dict().items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.net.load_state_dict(state["net"])


class ReturnsItsBuffer(Plain):
    """Its term is the same memory each time."""

    def __init__(self) -> None:
        super().__init__()
        self.buffer = np.zeros((0, 0))

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped, carry = super().shape(rollout, carry)
        if is_tensor(rollout.discount) or rollout.discount.dtype != np.float64:
            return shaped, carry
        if self.buffer.shape != rollout.discount.shape:
            self.buffer = np.zeros(rollout.discount.shape)
        self.buffer[...] = shaped.terms[self.name]
        return shaped._replace(terms={**rollout.terms, self.name: self.buffer}), carry


class KeepsRollouts(Mean):
    """It learns from a rollout at the update after."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[Any] = []

    def learn(self, reward: Any, mask: Any, rollout: Rollout) -> None:
        self.kept.append((reward, mask))

    @property
    def mean(self) -> float:
        number = sum(float(mask.sum()) for _, mask in self.kept) + self.number
        return (sum(float(reward[mask].sum()) for reward, mask in self.kept) + self.sum) / max(number, 1.0)

    def state_dict(self) -> dict[str, Any]:
        self._settle()
        return super().state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        self.kept = []
        super().load_state_dict(state)

    def _settle(self) -> None:
        for reward, mask in self.kept:
            super().learn(reward, mask, None)  # type: ignore[arg-type]
        self.kept = []


class ScalesWithTheNumberOfEnvironments(RND):
    """Sigma grows with the environments, masked ones among them."""

    def __init__(self) -> None:
        super().__init__(VECTOR, hidden=16, output_dim=8, batch_size=16, learning_rate=1e-2)

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        metrics = super().update(rollout)
        self.returns.var = self.returns.var * (rollout.num_envs / 4 if host_array(rollout.mask).any() else 1)
        return metrics


class CountsMaskedStepsFromUpdate40On(Count):
    """Of its updates nothing is saved."""

    updates = 0

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, float]:
        self.updates += 1
        return super().update(rollout if self.updates < 40 else replace(rollout, mask=rollout.mask | True))


class LearnsWhenItIsAsked(Discriminator):
    """Its spectral norms take a power iteration each time that D is computed, also to pay."""

    def __init__(self) -> None:
        super().__init__(VECTOR, ACTIONS, SHOWN, spectral_norm=True, hidden=16, batch_size=4)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        self.adversary.network.train()
        return super().shape(rollout, carry)


class KeepsTheLastObservation(Steps):
    """How far it came since the step before; of that its carry holds a view."""

    contract = change(Steps.contract, reads=Steps.contract.reads | {"obs"})

    def init(self, num_envs: int) -> Carry:
        return {"steps": np.zeros(num_envs), "obs": np.zeros((num_envs, 4))}

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        carry = carry or self.init(rollout.num_envs)
        before, first = host_array(carry["obs"]), host_array(carry["steps"]) == 0
        steps = host_array(carry["steps"])
        obs, rows = host_array(rollout.obs), np.zeros(rollout.discount.shape)
        mask, done = host_array(rollout.mask), host_array(rollout.done)
        for t in range(rollout.num_steps):
            rows[t] = np.where(first, 0.0, np.abs(np.nan_to_num(obs[t]) - before).sum(-1))
            before = obs[t] if mask[t].all() else np.where(mask[t][:, None], obs[t], before)
            steps = np.where(mask[t], np.where(done[t], 0, steps + 1), steps)
            first = steps == 0
        return rollout.add(self.name, like_column(rows, rollout.discount)), {"steps": steps, "obs": before}


BROKEN: list[tuple[Callable[[], Shaper], str]] = [
    (SaysWords, "metrics"),
    (SaysArrays, "metrics"),
    (SaysNothing, "metrics"),
    (SaysNaNAtUpdate40, "metrics"),
    (RaisesAtUpdate40, "metrics"),
    (ForgetsItsOptimiser, "save_load"),
    (ForgetsItsUpdates, "save_load"),
    (MergesWhatItLoads, "save_load"),
    (AddsWhatItLoads, "save_load"),
    (KeepsWhatItLoads, "save_load"),
    (GivesAwayWhatItCounts, "save_load"),
    (CutsWhatItLoads, "save_load"),
    (CutsWhatItSaves, "save_load"),
    (RoundsWhatItSaves, "save_load"),
    (LearnsFromNonsense, "mask"),
    (DecaysWithMaskedSteps, "learning"),
    (LearnsFromTheFirstEnvironment, "learning"),
    (LearnsFromTheLastStep, "learning"),
    (AveragesOneAfterTheOther, "learning"),
    (DividesByTheNumberOfEnvironments, "learning"),
    (AveragesItsUpdates, "learning"),
    (CountsUpdates, "learning"),
    (CountsEachPageOnceAnUpdate, "learning"),
    (DoesNotClearTheReturn, "learning"),
    (TrainsOnTheFirstEnvironment, "learning"),
    (ScalesWithTheNumberOfEnvironments, "learning"),
    (CountsMaskedStepsFromUpdate40On, "save_load"),
    (LearnsWhenItIsAsked, "shape_never_learns"),
    (KeepsTheLastObservation, "references"),
    (ReturnsItsBuffer, "chunks"),
    (KeepsRollouts, "references"),
]


@pytest.mark.parametrize(("make", "law"), BROKEN, ids=name_of)
def test_a_broken_learner_is_caught_by_name(make: Callable[[], Shaper], law: str) -> None:
    assert_caught(make, law)
