from __future__ import annotations

import errno
import os

import numpy as np
import pytest
import torch

from potentia import checkpoint


def test_everything_a_run_needs_comes_back_as_it_was(tmp_path):
    path = tmp_path / "checkpoint.pt"
    state = {
        "tensor": torch.arange(6).reshape(2, 3)[:, 1],
        "arrays": [np.array([1, 2], dtype=np.uint16), np.array(["a", "bc"]), np.array(True), np.zeros((0, 2))],
        "scalar": np.float64(0.1),
        "rng": np.random.default_rng(3).bit_generator.state,
        "plain": (1, 2.5, "x", b"y", None, True, {"nested": []}, {0: "integer keys"}),
    }
    checkpoint.save(path, agent=state, steps=7)
    loaded = checkpoint.load(path)
    assert loaded["steps"] == 7
    got = loaded["agent"]
    assert torch.equal(got["tensor"], torch.tensor([1, 4]))
    for before, after in zip(state["arrays"], got["arrays"], strict=True):
        assert (after.dtype, after.shape, after.tolist()) == (before.dtype, before.shape, before.tolist())
    assert type(got["scalar"]) is np.float64
    assert got["scalar"] == 0.1
    assert got["rng"] == state["rng"]
    assert got["plain"] == state["plain"]
    assert torch.load(path, weights_only=True)["steps"] == 7


def test_a_small_view_does_not_drag_its_storage_along(tmp_path):
    checkpoint.save(tmp_path / "c.pt", part=torch.zeros(1_000_000)[:1])
    assert (tmp_path / "c.pt").stat().st_size < 10_000


@pytest.mark.parametrize(
    "value", [np.array([object()]), np.zeros(1, dtype=[("a", int)]), {1, 2}, object(), {(1, 2): 0}]
)
def test_what_cannot_be_saved_is_named_and_the_old_file_survives(tmp_path, value):
    path = tmp_path / "c.pt"
    checkpoint.save(path, steps=1)
    with pytest.raises(TypeError, match=r"\['agent'\].*\['deep'\]|keys of\['agent'\]\['deep'\]"):
        checkpoint.save(path, agent={"deep": value})
    assert checkpoint.load(path) == {"steps": 1}
    assert os.listdir(tmp_path) == ["c.pt"]


@pytest.mark.parametrize("failing", ["fsync", "replace"])
def test_a_full_disk_is_reported_and_the_old_file_survives(tmp_path, monkeypatch, failing):
    path = tmp_path / "c.pt"
    checkpoint.save(path, steps=1)

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint.os, failing, full)
    with pytest.raises(OSError, match=r"could not write the checkpoint .No space left on device.*untouched") as caught:
        checkpoint.save(path, steps=2)
    assert caught.value.errno == errno.ENOSPC
    monkeypatch.undo()
    assert checkpoint.load(path) == {"steps": 1}
    assert os.listdir(tmp_path) == ["c.pt"]


def test_a_missing_folder_is_reported(tmp_path):
    with pytest.raises(FileNotFoundError, match="could not write the checkpoint"):
        checkpoint.save(tmp_path / "no" / "c.pt", steps=1)


def test_a_damaged_file_is_refused_and_no_code_in_it_runs(tmp_path):
    path = tmp_path / "c.pt"
    checkpoint.save(path, weights=torch.zeros(1000))
    path.write_bytes(path.read_bytes()[:500])
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        checkpoint.load(path)
    torch.save({"x": os.getcwd}, path)
    with pytest.raises(ValueError, match="not a whole checkpoint"):
        checkpoint.load(path)
    with pytest.raises(FileNotFoundError):
        checkpoint.load(tmp_path / "none.pt")
