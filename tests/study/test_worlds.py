"""Worlds of other people: Gymnasium's own, all of them; and those that a module, a file or a script registers."""

from __future__ import annotations

import json
import signal
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest
from gymnasium.vector import AutoresetMode

from potentia.study import worker
from potentia.study.documents import SpecError
from potentia.study.plan import check_study
from potentia.study.rehearsal import check_cells
from potentia.study.runner import StudyFolder, run_study
from potentia.study.spec import load_study
from potentia.study.world import World
from tests.study.running import STUDY, study

CLASSIC = sorted(
    name
    for name, spec in gym.registry.items()
    if str(spec.entry_point).startswith(("gymnasium.envs.classic_control", "gymnasium.envs.toy_text"))
)
SHORT = {
    "shapings": [{"name": "none"}],
    "learners": [{"type": "ppo", "config": {"rollout_steps": 16, "n_epochs": 1}}],
    "steps": 64,
    "evaluation": {"every": 64, "episodes": 2},
    "checkpoint": {"every": 64},
}


def short(world: dict[str, Any], **changes: Any) -> Any:
    return study(**{**SHORT, "environments": [{"num_envs": 2, "max_episode_steps": 30, **world}], **changes})


def test_there_are_twelve() -> None:
    assert len(CLASSIC) == 12


@pytest.mark.parametrize("name", CLASSIC)
@pytest.mark.filterwarnings("ignore:.*is out of date:DeprecationWarning")
def test_every_classic_and_toy_world_can_be_studied(tmp_path: Path, name: str) -> None:
    spec = short({"id": name})
    check_study(spec, "short")
    folder = StudyFolder(spec, tmp_path)
    check_cells(spec, [config for config, _ in folder.runs], "short")
    folder.prepare()
    handlers = [signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        assert worker.main(str(folder.runs[0][1].path)) == 0  # in this process: an import of PyTorch each would be slow
    finally:
        for number, handler in zip((signal.SIGINT, signal.SIGTERM), handlers, strict=True):
            signal.signal(number, handler)
    assert folder.states() == {"completed": 1}


@pytest.mark.parametrize(
    ("name", "own"), [("CartPole-v1", False), ("FrozenLake-v1", False), ("potentia/Chain-v0", True)]
)
def test_a_vector_form_is_used_where_it_takes_what_a_study_gives(name: str, own: bool) -> None:
    [config] = [config for config, _ in StudyFolder(short({"id": name}), Path("nowhere")).runs]
    envs = World.probe(config).make(2, ())
    assert isinstance(envs.unwrapped, gym.vector.SyncVectorEnv) != own
    assert envs.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    envs.close()


BESIDE = """
import gymnasium as gym
from tests.study.odd_worlds import Odd

if "{name}" not in gym.registry:
    gym.register("{name}", entry_point=Odd)
"""


@pytest.mark.parametrize("form", ["imports", "id"])
def test_a_module_beside_the_file_registers_the_world_in_every_process(tmp_path: Path, form: str) -> None:
    module, name = f"worlds_beside_{form}", f"Beside{form}-v0"
    (tmp_path / f"{module}.py").write_text(BESIDE.format(name=name), "utf-8")
    document = {**STUDY, **SHORT, "learners": STUDY["learners"]}
    document["environments"] = [{"id": name if form == "imports" else f"{module}:{name}", "num_envs": 2}]
    document["imports"] = [module] if form == "imports" else []
    file = tmp_path / "study.yaml"
    file.write_text(json.dumps(document), "utf-8")
    folder, executor = run_study(load_study(file), str(file), tmp_path / "runs")
    assert executor.unfinished() == []
    assert folder.states() == {"completed": 1}


def test_what_a_script_registered_for_itself_is_told_with_what_to_do(tmp_path: Path) -> None:
    from tests.study.odd_worlds import Odd

    gym.register("OnlyHere-v0", entry_point=Odd)
    try:
        with pytest.raises(SpecError, match=r"'OnlyHere-v0' is registered in this .*'imports: \[module\]"):
            run_study(short({"id": "OnlyHere-v0"}), "script", tmp_path)
    finally:
        del gym.registry["OnlyHere-v0"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"imports": ["no_such_module"]}, r"imports: the module 'no_such_module' can't be imported: ModuleNotFound"),
        ({"environments": [{"id": "no_such:W-v0"}]}, r"environments\[0\]\.id: the module 'no_such' can't be imported"),
        ({"environments": [{"id": "json:W-v0"}]}, r"environments\[0\]\.id: unknown environment 'W-v0'"),
        ({"environments": [{"id": "CartPol-v1"}]}, r"did you mean 'CartPole-v1'.*'imports: \[module\]', or the id"),
    ],
)
def test_modules_and_ids_that_are_not_there(change: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        check_study(study(**change), "file.yaml")


def test_a_world_that_changes_its_reward_is_refused_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match=r"environments\[0\] .*ClipReward changes the reward, which a study takes for"):
        run_study(short({"id": "tests.study.odd_worlds:OddClipped-v0"}), "study", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("device", ["cuda", "cuda:99", "meta", "cudaa"])
def test_a_device_that_is_not_there_is_refused_before_anything_is_made(
    device: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if device == "cuda":
        monkeypatch.setattr("torch.cuda._lazy_init", _no_device)
    monkeypatch.setattr(World, "probe", None)
    with pytest.raises(SpecError, match=rf"device: '{device}' can't be used here: \w+Error: .*; write 'device: cpu'"):
        run_study(study(device=device), "study", tmp_path)
    assert list(tmp_path.iterdir()) == []


def _no_device() -> None:
    raise RuntimeError("Found no NVIDIA driver on your system")
