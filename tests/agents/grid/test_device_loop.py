"""PPO on one device: the host never waits, it learns what PPO learns, and shaping goes through it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.vector import AutoresetMode

from potentia.agents.grid import DeviceCollector, GridPPOConfig, device_loop
from potentia.agents.grid.grid_batch import ACTOR_NEXT_VALUES, ACTOR_VALUES
from potentia.agents.grid.towers import cell_codes
from potentia.agents.loop import EnvCollector, Loop
from potentia.envs.grid import GridVectorEnv
from potentia.envs.grid.cells import LOOKS
from potentia.envs.grid.torch_env import TorchGridVectorEnv
from potentia.returns import gae
from potentia.shaping import E3B, RND, Chain, Count, EpisodicCount, EpisodicNovelty, NovelD, PotentialShaping, Scale
from potentia.study.folder import RunFolder
from potentia.study.plan import runs_of
from potentia.study.spec import parse_study
from potentia.study.training import Training
from potentia.study.world import World
from tests.staying import StaysOnDevice, as_on_an_accelerator

SMALL = GridPPOConfig(n_minibatches=2, n_epochs=2, widths=(32,), shared=False)


def small_loop(envs: Any, config: GridPPOConfig = SMALL, **more: Any) -> Loop:
    return device_loop(envs, config, num_steps=16, gamma=0.99, **more)


def episodes(loop: Loop) -> dict[str, float]:
    assert isinstance(loop.collector, DeviceCollector)
    return loop.collector.read_episodes()


@pytest.mark.parametrize("encoding", ["codes", "numbers"])
@pytest.mark.parametrize("shared", [False, True])
def test_the_host_never_waits_for_the_device(encoding: Any, shared: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Collecting and learning, with worlds in torch and a potential: no number is read back, nothing moves."""
    as_on_an_accelerator(monkeypatch)
    envs = TorchGridVectorEnv("DoorKey-5x5", 8, pool=16, max_steps=10)
    shaper = Scale(PotentialShaping("success"), 0.1)
    learner = small_loop(envs, replace(SMALL, encoding=encoding, shared=shared), shaper=shaper)
    learner.iterate()  # makes its buffers and the optimizer's
    with StaysOnDevice("cpu") as guard:
        for _ in range(3):
            learned = learner.iterate().learned
    assert guard.count > 500
    assert episodes(learner)["episodes"] > 0
    assert all(np.isfinite(float(value)) for value in learned.values())


def test_no_shaper_makes_the_host_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    """Counts, visits, distillation and embeddings as they run on an accelerator: no number is read back."""
    as_on_an_accelerator(monkeypatch)
    envs = TorchGridVectorEnv("DoorKey-5x5", 8, pool=16, max_steps=10)
    spaces = envs.single_observation_space, envs.single_action_space
    small: dict[str, Any] = {"hidden": 16, "output_dim": 4, "batch_size": 64}
    shaper = Chain(
        Scale(PotentialShaping("success"), 0.1), Count(capacity=2**12), EpisodicCount(), RND(spaces[0], **small),
        NovelD(spaces[0], **small), E3B(*spaces, **small), EpisodicNovelty(*spaces, memory=12, neighbours=3, **small),
    )  # fmt: skip
    learner = small_loop(envs, shaper=shaper)
    learner.iterate()
    with StaysOnDevice("cpu") as guard:
        for _ in range(3):
            learner.iterate()
    assert guard.count > 5000
    counts = shaper.shapers[1]
    assert isinstance(counts, Count)
    assert not counts.table.compiled
    assert len(counts.table) > 10


def test_the_guard_catches_what_it_should() -> None:
    with StaysOnDevice("cpu"), pytest.raises(AssertionError, match="waits"):
        torch.ones(2).sum().item()


@pytest.mark.parametrize("encoding", ["codes", "numbers"])
def test_it_solves_empty(encoding: Any) -> None:
    envs = GridVectorEnv("Empty-5x5", 32, device="cpu", info_keys=())
    config = GridPPOConfig(learning_rate=2e-3, encoding=encoding, shared=False)
    learner = device_loop(envs, config, num_steps=32, gamma=0.99, seed=1)
    for _ in range(25):
        learner.iterate()
    episodes(learner)
    learner.iterate()
    done = episodes(learner)
    assert done["success"] > 0.95
    assert done["return"] > 0.9
    assert learner.agent.steps == 26 * 32 * 32
    assert 20 * 32 * 32 < learner.steps < 26 * 32 * 32  # a step of each episode, of six or so, is masked


def test_returns_are_the_true_ones_and_episodes_are_counted_once() -> None:
    envs = GridVectorEnv("Empty-5x5", 4, device="cpu", info_keys=("potential", "success"), max_steps=30)
    learner = small_loop(envs, shaper=Chain(PotentialShaping("potential"), Scale(Count(), 5.0)))
    counted = {"ends": 0, "reward": 0.0, "success": 0}
    step = envs.step

    def spied(actions: Any) -> Any:
        result = step(actions)
        counted["ends"] += int((result[2] | result[3]).sum())
        counted["reward"] += float(result[1].sum())
        counted["success"] += int((result[1] > 0).sum())
        return result

    envs.step = spied  # type: ignore[method-assign]
    for _ in range(12):
        learner.iterate()
    done = episodes(learner)
    assert done["episodes"] == counted["ends"] > 10
    assert done["success"] * done["episodes"] == pytest.approx(counted["success"])
    assert done["return"] * done["episodes"] == pytest.approx(counted["reward"])
    seconds = learner.profile.seconds | learner.collector.profile.seconds
    assert set(seconds) == {"collect", "shape", "learn", "update", "act", "step"}
    assert min(seconds.values()) > 0


def test_what_it_collects_are_true_transitions() -> None:
    """A masked step begins each episode; next_obs of an episode's last step is what was seen then."""
    envs = GridVectorEnv("LavaGapS5", 6, device="cpu", info_keys=(), max_steps=8)
    learner = small_loop(envs)
    seen, ends = [], []
    step = envs.step

    def spied(actions: Any) -> Any:
        result = step(actions)
        seen.append(result[0].clone())
        ends.append(result[2] | result[3])
        return result

    envs.step = spied  # type: ignore[method-assign]
    for _ in range(2):
        rollout = learner.collector.collect(learner.agent)
    assert (rollout.next_obs == torch.stack(seen[-16:])).all()
    assert (rollout.obs[1:] == rollout.next_obs[:-1]).all()
    assert (rollout.mask == ~torch.stack(ends[-17:-1])).all()
    assert (rollout.discount[rollout.terminated] == 0).all()
    assert (rollout.discount[rollout.truncated & ~rollout.terminated] == 0.99).all()
    assert float(rollout.mask.float().mean()) < 1
    values = rollout.info[ACTOR_VALUES][..., 0], rollout.info[ACTOR_NEXT_VALUES][..., 0]
    advantage = gae(rollout, *values, 0.95)
    assert (advantage[~rollout.mask] == 0).all()


def test_every_look_has_a_code_of_its_own() -> None:
    looks = torch.tensor(sorted(set(LOOKS)), dtype=torch.uint8)
    image = torch.zeros(len(looks), 7, 7, 3, dtype=torch.uint8)
    image[:, 2, 3] = looks
    assert len(set(cell_codes(image)[:, 2 * 7 + 3].tolist())) == len(looks)


def test_the_same_seed_learns_the_same() -> None:
    def weights(seed: int) -> torch.Tensor:
        envs = GridVectorEnv("DoorKey-5x5", 4, device="cpu", info_keys=())
        learner = small_loop(envs, seed=seed)
        for _ in range(3):
            learner.iterate()
        return torch.cat([part.flatten() for part in learner.agent.network.parameters()])

    assert torch.equal(weights(3), weights(3))
    assert not torch.equal(weights(3), weights(4))


def test_worlds_in_torch_begin_anew_from_their_pool() -> None:
    envs = TorchGridVectorEnv("Empty-Random-5x5", 5, pool=3, max_steps=4)
    start, _ = envs.reset(seed=0)
    known = {image.numpy().tobytes() for image in start}
    rng = np.random.default_rng(0)
    for _ in range(40):
        waiting = envs._waiting
        image, reward, terminated, truncated, info = envs.step(torch.from_numpy(rng.integers(0, 3, 5)))
        assert (reward[waiting] == 0).all()
        assert not (terminated | truncated)[waiting].any()
        assert ((reward > 0) == info["success"]).all()
        known |= {one.numpy().tobytes() for one in image[waiting]}
    assert len(known) <= 3


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: small_loop(GridVectorEnv("Empty-5x5", 2, autoreset_mode=AutoresetMode.SAME_STEP)), "NEXT_STEP"),
        (lambda: small_loop(GridVectorEnv("Empty-5x5", 2, observation="dict")), "MiniGrid's image"),
        (lambda: TorchGridVectorEnv("Empty-5x5", 0), "at least 1"),
    ],
)
def test_what_does_not_fit_is_refused(make: Any, told: str) -> None:
    with pytest.raises(ValueError, match=told):
        make()


@pytest.mark.parametrize("tensors", [False, True])
def test_a_study_collects_where_the_worlds_are(tensors: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = {
        "name": "tiny",
        "environments": [{"id": "potentia/Empty-5x5-v0", "num_envs": 4}],
        "shapings": [{"name": "potential", "shapers": [{"type": "PotentialShaping", "potential": "potential"}]}],
        "learners": [{"type": "grid_ppo", "config": {"rollout_steps": 16, "n_minibatches": 2}}],
        "seeds": 1,
        "gamma": 0.99,
        "steps": 256,
    }
    config, *_ = runs_of(parse_study(spec))
    if tensors:  # as worlds on an accelerator would be

        def make(self: World, num_envs: int, keys: Any) -> GridVectorEnv:
            return GridVectorEnv("Empty-5x5", num_envs, device="cpu", info_keys=tuple(keys))

        monkeypatch.setattr(World, "make", make)
    folder = RunFolder(tmp_path)
    training = Training(config, folder)
    assert isinstance(training.loop.collector, DeviceCollector if tensors else EnvCollector)
    assert training.run(stop=False)
    lines = [json.loads(line) for line in (tmp_path / "metrics.jsonl").read_text("utf-8").splitlines()]
    learned = [line for line in lines if line["kind"] == "train"]
    assert learned[-1]["step"] >= 256
    assert set(learned[0]["terms"]) == {"env", "PotentialShaping"}
    assert all(np.isfinite(line["learner"]["policy_loss"]) for line in learned)
