"""What holds for all searches: the queue, the budget, the best, the state; and that novelty leads out of a trap."""

from __future__ import annotations

import importlib.util
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from toy_world import BOUNDS, areas, drive, make, rollout, trap

from potentia import checkpoint
from potentia.agents.search.novelty_search import NoveltySearch
from potentia.agents.search.random_search import RandomSearch
from potentia.agents.search.ribs_search import CMAMAE, CMAME, MAPElites
from potentia.agents.search.search import Search
from potentia.agents.search.serene import SERENE
from potentia.agents.search.stax import STAX
from potentia.agents.search.taxons import TAXONS
from potentia.shaping import Stream

SMALL: dict[str, Any] = {"population": 20, "bounds": BOUNDS}
PICTURES: dict[str, Any] = {"image_size": 16, "epochs": 1}
KINDS: list[tuple[type[Search], dict[str, Any]]] = [
    (RandomSearch, SMALL),
    (NoveltySearch, SMALL),
    (NoveltySearch, SMALL | {"descriptor": "signature"}),
    (SERENE, SMALL | {"chunk": 60}),
    (TAXONS, SMALL | PICTURES | {"train_every": 3, "novelty_generations": 2}),
    (STAX, SMALL | PICTURES | {"chunk": 60}),
]
if importlib.util.find_spec("ribs"):
    KINDS += [(kind, SMALL) for kind in (MAPElites, CMAME, CMAMAE)]
ALL = pytest.mark.parametrize(("kind", "settings"), KINDS, ids=lambda part: getattr(part, "__name__", ""))


@ALL
def test_a_resumed_search_goes_on_bit_by_bit(kind: type[Search], settings: dict[str, Any]) -> None:
    through, resumed = make(kind, seed=3, **settings), make(kind, seed=99, **settings)
    drive(through, 420, 14, areas)
    resumed.load_state_dict(checkpoint.loads(checkpoint.dumps(through.state_dict())))
    for _ in range(30):
        one, other = rollout(through, 14, areas), rollout(resumed, 14, areas)
        assert np.array_equal(one.action, other.action)
        assert through.learn(one) == resumed.learn(other)


@ALL
def test_each_evaluation_counts_whatever_the_batch(kind: type[Search], settings: dict[str, Any]) -> None:
    for batch in (1, 7, 64):
        search, evaluated = make(kind, **settings), 0
        for _ in range(256 // batch):
            evaluated += batch
            assert search.learn(rollout(search, batch, areas))["evaluations"] == evaluated


@ALL
def test_the_best_is_what_a_greedy_actor_plays(kind: type[Search], settings: dict[str, Any]) -> None:
    search = make(kind, **settings)
    best = drive(search, 420, 14, areas)["best_return"]
    before = checkpoint.dumps(search.state_dict())
    genomes, _ = search.frozen(greedy=True).act(np.zeros((5, 1)), ())
    assert areas(genomes.numpy())["reward"].tolist() == pytest.approx([best] * 5)
    drawn, _ = search.frozen(seed=1).act(np.zeros((50, 1)), ())
    assert len(drawn.unique(dim=0)) > 5
    assert checkpoint.dumps(search.state_dict()) == before


def test_of_equally_good_ones_the_greedy_actor_plays_the_most_novel() -> None:
    search = make(NoveltySearch, population=20)

    def flat(genomes: np.ndarray) -> dict[str, np.ndarray]:
        return trap(genomes) | {"reward": np.zeros(len(genomes))}

    drive(search, 1000, 20, flat)
    genome = search.frozen(greedy=True).act(np.zeros((1, 1)), ())[0]
    reach = np.linalg.norm(search.archive_map()["descriptor"], axis=1)
    assert np.linalg.norm(genome.numpy() / 5) >= np.quantile(reach, 0.8)


def test_without_a_rollout_it_plays_founders() -> None:
    actor = make(RandomSearch).frozen(seed=2)
    assert actor.act(np.zeros((3, 1)), actor.init(3))[0].shape == (3, 2)
    with pytest.raises(ValueError, match="learn first"):
        make(RandomSearch).archive_map()


def test_what_was_not_evaluated_is_asked_again() -> None:
    search = make(RandomSearch)
    masked = rollout(search, 6, areas, mask=np.array([[True, False, True, True, False, True]]))
    assert search.learn(masked)["evaluations"] == 4
    again = rollout(search, 3, areas)
    assert np.array_equal(again.action[0, :2], masked.action[0, [1, 4]])


def test_what_was_asked_and_never_told_is_asked_again_after_loading() -> None:
    search, other = make(RandomSearch), make(RandomSearch, seed=5)
    asked, _ = search.act(np.zeros((4, 1)), ())
    other.load_state_dict(search.state_dict())
    assert torch.equal(other.act(np.zeros((4, 1)), ())[0], asked)


def test_a_rollout_of_others_is_refused() -> None:
    search = make(RandomSearch)
    first = rollout(search, 4, areas)
    search.learn(first)
    with pytest.raises(ValueError, match="must be the last genomes that act gave"):
        search.learn(first)


def test_spaces_streams_and_columns_that_do_not_fit_are_refused() -> None:
    with pytest.raises(TypeError, match=r"wanted a Box of shape \(P,\), got Discrete"):
        RandomSearch(spaces.Discrete(2), spaces.Discrete(2))
    space = spaces.Box(-5.0, 5.0, (2,))
    with pytest.raises(ValueError, match="can't value the streams"):
        RandomSearch(space, space, streams={"rnd": Stream(0.99)})
    search = make(NoveltySearch, descriptor="signature")
    lacking = rollout(search, 2, lambda genomes: {k: v for k, v in trap(genomes).items() if k != "path"})
    with pytest.raises(ValueError, match=r"info\['next_path'\], which the rollout lacks"):
        search.learn(lacking)


def test_it_says_which_columns_it_reads() -> None:
    common = {"info:next_descriptor", "info:next_area"}
    assert make(NoveltySearch).reads == common
    assert make(STAX, **PICTURES).reads == common | {"info:next_image"}
    assert make(NoveltySearch, descriptor="signature").reads == common | {"info:next_path"}


def test_novelty_search_solves_the_trap_and_an_elitist_strategy_does_not() -> None:
    solved = [drive(make(NoveltySearch, seed=s, sigma=0.2), 20_000, 200)["best_return"] == 1.0 for s in range(5)]
    assert all(solved)
    assert sum(elitist(seed) == 1.0 for seed in range(20)) <= 2


def elitist(seed: int) -> float:
    """A strategy (100 + 200) by reward alone, with the same founders and mutations: its best reward."""
    rng = np.random.default_rng(seed)
    genomes = rng.normal(size=(100, 2))
    for _ in range(100):
        everyone = np.concatenate([genomes, np.clip(genomes.repeat(2, 0) + 0.2 * rng.normal(size=(200, 2)), -5, 5)])
        reward = trap(everyone)["reward"]
        genomes = everyone[np.argsort(-reward)[:100]]
    return float(trap(genomes)["reward"].max())


def test_learned_searches_do_not_read_the_true_descriptor() -> None:
    def blind(genomes: np.ndarray) -> dict[str, np.ndarray]:
        found = areas(genomes)
        return found | {"descriptor": np.zeros_like(found["descriptor"]), "area": np.full(len(genomes), -1)}

    for kind, settings in KINDS[4:6]:
        seeing, unseeing = make(kind, **settings), make(kind, **settings)
        for _ in range(30):
            one, other = rollout(seeing, 20, areas), rollout(unseeing, 20, blind)
            assert np.array_equal(one.action, other.action)
            seeing.learn(one)
            unseeing.learn(other)
