"""Learned descriptors: pictures, training, and that all that is stored changes with it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from toy_world import areas, drive, make, pictures, trap

from potentia.agents.search.autoencoder import Autoencoder, LearnedDescriptor
from potentia.agents.search.stax import STAX
from potentia.agents.search.table import Table
from potentia.agents.search.taxons import TAXONS


def learned(size: int = 16, seed: int = 0) -> LearnedDescriptor:
    generator = torch.Generator().manual_seed(seed)
    return LearnedDescriptor(Autoencoder.small(size, 4), generator, torch.device("cpu"), 1e-3, 32)


def test_the_papers_networks_have_the_papers_sizes() -> None:
    original, small = Autoencoder.original(64, 10), Autoencoder.small(64, 10)
    images = torch.rand(2, 3, 64, 64)
    for network in (original, small):
        assert network.encoder(images).shape == (2, 10)
        assert network(images).shape == images.shape
    widths = [layer.out_features for layer in original.encoder if isinstance(layer, torch.nn.Linear)]
    assert widths == [256, 10]
    assert next(layer.in_features for layer in original.encoder if isinstance(layer, torch.nn.Linear)) == 1024
    with pytest.raises(ValueError, match="a power of 2 and at least 16, got 8"):
        Autoencoder.small(8, 10)


def test_pictures_are_reduced_by_averaging() -> None:
    images = torch.zeros(1, 32, 32, 3, dtype=torch.uint8)
    images[0, :2, :2, 0] = torch.tensor([[200, 100], [0, 100]])
    kept = learned().keep(images)["image"]
    assert kept.shape == (1, 3, 16, 16)
    assert kept[0, 0, 0, 0] == 100
    assert kept.sum() == 100
    with pytest.raises(ValueError, match="uint8, with H a multiple of 16"):
        learned().keep(torch.zeros(1, 30, 30, 3, dtype=torch.uint8))


def test_training_makes_reconstructions_better_and_features_tell_places_apart() -> None:
    place = torch.rand(400, 2, generator=torch.Generator().manual_seed(0)).numpy() * 2 - 1
    descriptor = learned()
    rows = descriptor.keep(torch.from_numpy(pictures(place)))
    before = descriptor.describe(rows)["surprise"].mean()
    found = descriptor.train(rows["image"], epochs=30, validation=0.2, patience=3)
    assert found["epochs"] <= 30
    assert descriptor.describe(rows)["surprise"].mean() < before / 2
    features = descriptor.describe(rows)["behaviour"]
    gaps = torch.cdist(features, features).fill_diagonal_(torch.inf)
    apart = np.linalg.norm(place - place[gaps.argmin(1).numpy()], axis=1)
    assert apart.mean() < 0.3  # of pairs at random it is 1.04


def test_it_stops_when_pictures_kept_aside_get_worse(monkeypatch: pytest.MonkeyPatch) -> None:
    descriptor = learned()
    errors = iter([5.0, 4.0, 4.1, 4.2, 4.15, 4.2, 4.3, 4.4, 4.5, 0.0])
    monkeypatch.setattr(descriptor, "describe", lambda rows: {"surprise": torch.tensor([next(errors)])})
    images = torch.zeros(10, 3, 16, 16, dtype=torch.uint8)
    # Two rises are forgiven by the fall to 4.15; the fourth rise in a row is in epoch 9.
    assert descriptor.train(images, epochs=100, validation=0.2, patience=3)["epochs"] == 9


@pytest.mark.parametrize("kind", [TAXONS, STAX])
def test_after_training_all_that_is_stored_is_described_anew(kind: type[TAXONS] | type[STAX]) -> None:
    settings = {"train_every": 2} if kind is TAXONS else {"chunk": 60}
    search = make(kind, population=20, image_size=16, epochs=2, **settings)
    drive(search, 600, 20, trap)
    assert search.descriptor.epochs > 0
    search._train()
    tables: list[Table] = [search.explorer.parents, search.explorer.children, search.explorer.archive]
    if isinstance(search, STAX):
        exploitation = search.exploitation
        tables += [exploitation.rewards, exploitation.candidates]
        tables += [table for each in exploitation.emitters.values() for table in (each.ancestor, each.individuals)]
        assert exploitation.emitters
    for table in tables:
        if len(table):
            fresh = search.descriptor.describe(table.rows)
            for name, column in fresh.items():
                np.testing.assert_allclose(table[name], column, rtol=1e-4, atol=1e-5)


def test_stax_trains_after_one_chunk_then_after_two_and_three(monkeypatch: pytest.MonkeyPatch) -> None:
    search, trained = make(STAX, population=20, image_size=16, epochs=1, chunk=20), []
    monkeypatch.setattr(search, "_train", lambda: trained.append(search.chunks))
    drive(search, 20 * 2 * 11, 10, areas)
    assert trained == [1, 3, 6, 10]
