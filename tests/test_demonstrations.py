"""Demonstrations: what is whole, what fits a space, and files that give back what was put into them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces

from potentia import demonstrations
from potentia.collect import rollout_tensors
from potentia.demonstrations import as_demonstrations, beside, check_episodes, check_spaces
from potentia.rollout import Rollout
from potentia.trees import leaves
from tests.episodes import rollout

TEXTS = np.array([["a key"], ["größer als\n"], ["\ud800"]], object)


def texts() -> Rollout:
    """An episode of 3 steps whose observations are a text and a picture, with a caption and a tuple beside them."""
    plain = rollout([0, 1, 2, 3], terminated=True, rewards=[0, 0, 1])
    seen = {"text": TEXTS, "image": np.arange(12, dtype=np.uint8).reshape(3, 1, 2, 2)}
    return replace(
        plain,
        obs=seen,
        next_obs=seen,
        action=(plain.action, np.float32([[0.5], [1.5], [2.5]])),
        info={"caption": np.array([["a"], ["bc"], [""]]), "events": {"met": plain.done}},
    )


def assert_same(one: Rollout, other: Rollout) -> None:
    for name in ("obs", "action", "next_obs", "terms", "discount", "terminated", "truncated", "mask", "info"):
        left, right = list(leaves(getattr(one, name))), list(leaves(getattr(other, name)))
        assert [path for path, _ in left] == [path for path, _ in right]
        for (path, a), (_, b) in zip(left, right, strict=True):
            assert a.dtype == b.dtype, (name, path)
            np.testing.assert_array_equal(a, b)


def test_a_file_gives_back_what_was_put_into_it(tmp_path: Path) -> None:
    path = tmp_path / "shown.npz"
    demonstrations.save(path, texts(), environment="potentia/DoorKey-5x5-v0", seed=3)
    assert_same(demonstrations.load(path), texts())
    assert demonstrations.labels(path) == {"environment": "potentia/DoorKey-5x5-v0", "seed": 3}
    assert_same(as_demonstrations(str(path)), as_demonstrations(path))
    assert [file.name for file in tmp_path.iterdir()] == ["shown.npz"]


def test_tensors_are_saved_as_the_arrays_that_they_are(tmp_path: Path) -> None:
    episode = rollout([0, 1, 2], terminated=True)
    demonstrations.save(tmp_path / "a.npz", rollout_tensors(episode))
    assert_same(demonstrations.load(tmp_path / "a.npz"), episode)


def test_no_object_but_a_text_is_saved_and_a_failed_write_leaves_the_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npz"
    demonstrations.save(path, texts())
    before = path.read_bytes()
    strange = np.empty((3, 1), object)
    strange[:] = [[{1}], [{2}], [{3}]]
    with pytest.raises(TypeError, match=r"obs\['sets'\] can't be saved: got an array of object that is not of texts"):
        demonstrations.save(path, replace(texts(), obs={"sets": strange}))
    assert path.read_bytes() == before
    with pytest.raises(FileNotFoundError, match="could not write the demonstrations"):
        demonstrations.save(tmp_path / "nowhere" / "a.npz", texts())
    with pytest.raises(ValueError, match=r"must end in .npz, got 'a.pkl'"):
        demonstrations.save(tmp_path / "a.pkl", texts())


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 broken", b"not an archive"])
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    with pytest.raises(ValueError, match=r"a\.npz is not a whole file of demonstrations"):
        demonstrations.load(path)


def test_another_archive_and_pickled_objects_are_refused(tmp_path: Path) -> None:
    np.savez(tmp_path / "table.npz", obs=np.zeros(3))
    np.savez(tmp_path / "pickled.npz", header=np.array([{}], object))
    for name in ("table", "pickled"):
        with pytest.raises(ValueError, match=f"{name}.npz is not a whole file of demonstrations"):
            demonstrations.load(tmp_path / f"{name}.npz")
    whole = tmp_path / "whole.npz"
    demonstrations.save(whole, texts())
    whole.write_bytes(whole.read_bytes()[:-200])
    with pytest.raises(ValueError, match=r"whole\.npz is not a whole file of demonstrations"):
        demonstrations.load(whole)
    with pytest.raises(FileNotFoundError, match="record them with"):
        demonstrations.load(tmp_path / "none.npz")


def test_columns_are_whole_episodes() -> None:
    whole = beside([rollout([0, 1, 2, 3], terminated=True), rollout([5, 6], truncated=True)])
    assert whole.mask.tolist() == [[True, True], [True, False], [True, False]]
    assert whole.obs[:, 1].tolist() == [5, 5, 5]
    assert whole.done.tolist() == [[False, True], [False, False], [True, False]]
    assert whole.discount.tolist() == [[0.99, 0.99], [0.99, 0.0], [0.0, 0.0]]
    check_episodes(whole)
    with pytest.raises(ValueError, match="got column 0 with 2 steps and 0 ends"):
        as_demonstrations(whole[:2, :1])
    early = replace(whole, terminated=np.ones_like(whole.mask))
    with pytest.raises(ValueError, match="got column 0 with 3 steps and 3 ends"):
        check_episodes(early)
    with pytest.raises(ValueError, match="got column 0 with 3 steps and 1 ends"):
        check_episodes(replace(whole, mask=whole.mask[:, ::-1])[:, ::-1])
    with pytest.raises(TypeError, match="must be a Rollout of whole episodes or the path of a file, got int"):
        as_demonstrations(3)  # type: ignore[arg-type]


def test_episodes_side_by_side_must_hold_the_same() -> None:
    one = rollout([0, 1], terminated=True)
    with pytest.raises(ValueError, match=r"\['env'\] \+ \[\] and \['bonus', 'env'\]"):
        beside([one, one.add("bonus", np.ones((1, 1)))])
    with pytest.raises(ValueError, match="got no rollout"):
        beside([])


BOX = spaces.Box(-1.0, 1.0, (3,), np.float32)


@pytest.mark.parametrize(
    ("obs", "space", "message"),
    [
        (np.zeros((1, 1, 4)), BOX, r"obs must have shape \(T, B, 3\) as Box.* has, got \(1, 1, 4\); record them"),
        (np.full((1, 1), "a"), BOX, r"obs must have shape \(T, B, 3\)"),
        (np.full((1, 1, 3), "a"), BOX, "obs must be numbers like float32 as Box.* has, got dtype <U1"),
        (np.zeros((1, 1)), spaces.Discrete(4), "obs must be numbers like int64 as .* has, got dtype float64"),
        (np.full((1, 1), 4), spaces.Discrete(4), r"obs must lie in Discrete\(4\), got 4"),
        (np.zeros((1, 1)), spaces.Text(9), "obs must be texts as .* has, got dtype float64"),
        (np.zeros((1, 1, 3)), spaces.Dict(a=BOX), r"obs must be a dict of \['a'\], got one array"),
        ({"b": np.zeros((1, 1, 3))}, spaces.Dict(a=BOX), r"obs must be a dict of \['a'\], got a dict of \['b'\]"),
        ({"a": np.zeros((1, 1, 2))}, spaces.Dict(a=BOX), r"obs\['a'\] must have shape \(T, B, 3\)"),
        ((np.zeros((1, 1, 3)),), spaces.Tuple([BOX, BOX]), r"obs must be a tuple of \[0, 1\], got a tuple of \[0\]"),
        ({"a": np.zeros((1, 1, 3))}, BOX, "obs must be one array for Box.*, got a dict"),
    ],
)
def test_what_does_not_fit_a_space_is_named(obs: Any, space: spaces.Space[Any], message: str) -> None:
    episode = replace(rollout([0, 1], terminated=True), obs=obs, next_obs=obs)
    with pytest.raises(ValueError, match=message):
        check_spaces(episode, space)


def test_what_fits_a_space_passes() -> None:
    check_spaces(texts(), spaces.Dict(text=spaces.Text(99), image=spaces.Box(0, 255, (2, 2), np.uint8)))
    check_spaces(rollout_tensors(rollout([0, 1], terminated=True)), spaces.Discrete(2), spaces.Discrete(1))
    padded = beside([rollout([0, 1, 2], terminated=True), rollout([1, 1], terminated=True)])
    wild = torch.as_tensor(padded.obs).clone()
    wild[1, 1] = 99  # behind the mask
    check_spaces(replace(padded, obs=wild), spaces.Discrete(3))
