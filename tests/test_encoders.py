from __future__ import annotations

import numpy as np
import pytest
import torch
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from potentia.encoders import Encoder, box_kind, observation_tensors

BOX = spaces.Box


@pytest.mark.parametrize(
    ("space", "kind"),
    [
        (BOX(-1, 1, (4,), np.float32), "vector"),
        (BOX(0, 255, (7, 7, 3), np.uint8), "categories"),
        (BOX(0, 5976, (9, 9), np.int16), "categories"),
        (BOX(0, 5976, (21, 79), np.int16), "categories"),
        (BOX(0, 255, (84, 84, 3), np.uint8), "image"),
        (BOX(0, 255, (4, 84, 84), np.uint8), "image"),
        (BOX(0, 255, (64, 64), np.uint8), "image"),
        (BOX(-(2**31), 2**31 - 1, (27,), np.int32), "vector"),
        (BOX(0, 100_000, (5, 5), np.int64), "vector"),
        (BOX(0.0, 1.0, (8, 8), np.float32), "vector"),
    ],
)
def test_the_rules_choose_by_dtype_bounds_and_shape(space, kind):
    assert box_kind(space) == kind


SPACES = [
    BOX(-np.inf, np.inf, (3,), np.float64),
    BOX(0, 255, (7, 7, 3), np.uint8),
    BOX(0, 255, (2, 1), np.uint8),
    BOX(0, 5976, (21, 79), np.int16),
    BOX(0, 255, (3, 36, 40), np.uint8),
    spaces.Discrete(5, start=-2),
    spaces.MultiDiscrete([[2, 3], [4, 5]]),
    spaces.MultiBinary((2, 2)),
    spaces.Dict({"b": spaces.Discrete(3), "a": spaces.Tuple((BOX(-1, 1, (2,)), spaces.MultiBinary(2)))}),
]


@pytest.mark.parametrize("space", SPACES, ids=str)
def test_features_of_each_space_are_finite_and_row_by_row(space):
    encoder = Encoder(space, widths=(16,), seed=1)
    batch = batch_space(space, 4)
    batch.seed(0)
    tree = observation_tensors(batch.sample())
    features = encoder(tree)
    assert features.shape == (4, encoder.output_dim) == (4, 16)
    assert bool(features.isfinite().all())
    reversed_rows = encoder(observation_tensors(_reverse(tree)))
    torch.testing.assert_close(reversed_rows.flip(0), features)


def _reverse(tree):
    if isinstance(tree, dict):
        return {key: _reverse(part) for key, part in tree.items()}
    return tuple(map(_reverse, tree)) if isinstance(tree, tuple) else tree.flip(0)


def features_without_layers(space, row, **kwargs):
    return Encoder(space, widths=(), **kwargs)(observation_tensors(np.array([row], dtype=space.dtype)))[0].tolist()


def test_vectors_are_scaled_by_their_bounds():
    # [-2, 6] has center 2 and half width 4: 4 -> .5; unbounded floats are left alone.
    box = BOX(np.array([-2, -np.inf]), np.array([6, np.inf]), dtype=np.float64)
    assert features_without_layers(box, [4, 30]) == [0.5, 30]
    whole = BOX(-(2**63), 2**63 - 1, (2,), np.int64)
    assert features_without_layers(whole, [0, -1]) == pytest.approx([0, -np.log(2)])


def test_codes_are_one_hot():
    assert features_without_layers(spaces.Discrete(3, start=5), 6) == [0, 1, 0]
    assert features_without_layers(spaces.MultiDiscrete([2, 3]), [1, 2]) == [0, 1, 0, 0, 1]


def test_codes_in_a_grid_have_no_order():
    # Numbers close to each other are as far apart as any: swapping codes 3 and 200 moves the features by O(1).
    box = BOX(0, 255, (7, 7, 1), np.uint8)
    encoder = Encoder(box, seed=0)
    grids = np.full((3, 7, 7, 1), 3)
    grids[1], grids[2] = 4, 200
    near, far = (
        (encoder(torch.as_tensor(grids[:1])) - encoder(torch.as_tensor(grids[i : i + 1]))).norm().item() for i in (1, 2)
    )
    assert 1 / 3 < near / far < 3


def test_seeds_decide_and_the_global_generator_is_untouched():
    box = BOX(0, 255, (7, 7, 3), np.uint8)
    torch.manual_seed(0)
    before = torch.get_rng_state()
    first, same, other = (Encoder(box, seed=seed).state_dict() for seed in (1, 1, 2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[key], same[key]) for key in first)
    assert not torch.equal(first["mlp.0.weight"], other["mlp.0.weight"])


def test_a_kind_can_be_chosen_and_must_fit():
    small = BOX(0, 255, (7, 7, 3), np.uint8)
    assert Encoder(small, widths=(), kinds="vector").output_dim == 147
    both = spaces.Dict({"image": small, "inventory": BOX(0, 9, (3, 3), np.int32)})
    assert Encoder(both, widths=(), kinds={"['image']": "vector", "['inventory']": "vector"}).output_dim == 156
    with pytest.raises(ValueError, match="can't be read as 'image'"):
        Encoder(small, kinds="image")
    with pytest.raises(ValueError, match="must be 'vector', 'image' or 'categories', got 'pixels'"):
        Encoder(small, kinds="pixels")


def test_a_space_without_encoder_is_named():
    with pytest.raises(TypeError, match=r"the observation\['mission'\] has the space Text"):
        Encoder(spaces.Dict({"mission": spaces.Text(10)}))


def test_tensors_share_memory_where_they_can_and_accept_what_torch_does_not():
    array = np.zeros(3, dtype=np.float32)
    assert observation_tensors(array).data_ptr() == array.ctypes.data
    frozen = np.arange(3)
    frozen.flags.writeable = False
    tree = observation_tensors({"a": (frozen, np.arange(3, dtype=np.uint16)[::-1])})
    assert tree["a"][0].tolist() == [0, 1, 2]
    assert tree["a"][1].tolist() == [2, 1, 0]
