"""Emitters: who improves goes on, who stagnates ends, and rewards are archived."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium import spaces
from toy_world import areas, drive, make

from potentia.agents.search.emitter import Emitter, EmitterConfig, stagnates
from potentia.agents.search.exploitation import Exploitation, pareto_front
from potentia.agents.search.explorer import Explorer
from potentia.agents.search.serene import SERENE, SERENEConfig
from potentia.agents.search.table import Rows
from potentia.agents.search.variation import Variation


def variation() -> Variation:
    return Variation(spaces.Box(-5.0, 5.0, (2,)), 5.0, "cpu", 0)


def individuals(genomes: torch.Tensor, reward: Any, source: int = -1) -> Rows:
    rewards = torch.as_tensor(reward, dtype=torch.float64).expand(len(genomes)).clone()
    return {
        "genome": genomes,
        "source": torch.full((len(genomes),), source),
        "reward": rewards,
        "return": rewards,
        "behaviour": genomes / 5,
    }


def exploitation(**settings: Any) -> Exploitation:
    config, genes = SERENEConfig(**settings), variation()
    explorer = Explorer(config, genes)
    explorer.tell(individuals(genes.founders(100), 0.0))
    return Exploitation(config, genes, explorer)


def run(exploiting: Exploitation, reward: Any, chunk: int = 1000) -> int:
    """One chunk in which all individuals earn what a function of their genomes says."""
    exploiting.begin(chunk)
    spent = 0
    while (asked := exploiting.ask()) is not None:
        genomes, number = asked
        spent += len(genomes)
        exploiting.tell(individuals(genomes, reward(genomes), number))
    return spent


def test_an_emitter_that_does_not_improve_is_dropped_after_its_bootstrap() -> None:
    exploiting = exploitation()
    exploiting.meet(individuals(torch.zeros(1, 2), 1.0))
    assert run(exploiting, lambda genomes: 1.0) == 6 + 5 * 12
    assert exploiting.emitters == {}
    assert len(exploiting.rewards) == 1  # nothing was better than its ancestor


def test_one_that_improves_goes_on_until_the_chunk_is_spent() -> None:
    exploiting = exploitation()
    exploiting.meet(individuals(torch.ones(1, 2), 1.0))
    spent = run(exploiting, lambda genomes: 10 - (genomes - 3).square().sum(1))
    assert 1000 - 12 < spent <= 1000
    (emitter,) = exploiting.emitters.values()
    assert emitter.greatest > 9.0
    assert len(exploiting.rewards) > 5
    assert float(exploiting.rewards["reward"].diff().min()) > 0.0  # each was better than all before it


def test_individuals_without_a_reward_are_no_candidates() -> None:
    exploiting = exploitation()
    exploiting.meet(individuals(torch.zeros(3, 2), [0.0, 0.5, -1.0]))
    assert len(exploiting.candidates) == len(exploiting.rewards) == 1


def test_candidates_are_tried_in_the_order_of_their_novelty() -> None:
    exploiting = exploitation()
    crowd, loner = torch.zeros(20, 2) + 0.01 * torch.arange(20.0)[:, None], torch.tensor([[4.0, 4.0]])
    exploiting.meet(individuals(torch.cat([crowd, loner]), 1.0))
    exploiting.begin(1000)
    exploiting.ask()
    assert torch.equal(exploiting.emitters[0].ancestor["genome"], loner)


def test_a_third_of_the_chunk_is_kept_for_those_that_improve() -> None:
    exploiting = exploitation()
    exploiting.meet(individuals(torch.randn(50, 2), 1.0))
    run(exploiting, lambda genomes: 1.0)
    # 66 evaluations each, new ones while more than 1/3 of 1000 is left: 1000 - 66 * 11 = 274.
    assert exploiting.number == 11


def test_mutations_reach_a_third_of_the_way_to_the_nearest_other_genome() -> None:
    exploiting = exploitation()
    exploiting.explorer.parents.replace(individuals(torch.tensor([[3.0, 4.0], [0.3, 0.0]]), 0.0))
    exploiting.meet(individuals(torch.zeros(1, 2), 1.0))
    exploiting.begin(1000)
    exploiting.ask()
    assert exploiting.emitters[0].sigma == pytest.approx(0.1)


def test_improvement_compares_the_last_generations_with_the_first() -> None:
    emitter = Emitter(0, EmitterConfig(), variation(), individuals(torch.zeros(1, 2), 1.0))
    assert emitter.improvement == 0.0
    emitter.means = [1.0, 2.0, 3.0, 9.0, 4.0, 5.0, 6.0]
    assert emitter.improvement == 5.0 - 2.0
    emitter.means.reverse()
    assert emitter.improvement == 0.0


def test_constant_and_falling_series_stagnate_when_the_window_is_full() -> None:
    window = 20 * 72 // 6 + 120
    assert stagnates([1.0] * window, genes=72)
    assert not stagnates([1.0] * (window - 1), genes=72)
    assert not stagnates(list(np.linspace(0, 1, window)), genes=72)
    assert stagnates([0.0, *np.linspace(1, 0.5, window)], genes=72)


def test_a_stagnating_emitter_leaves_its_new_individuals_to_the_archive() -> None:
    exploiting = exploitation()
    exploiting.meet(individuals(torch.ones(1, 2), 1.0))
    run(exploiting, lambda genomes: 10 - (genomes - 3).square().sum(1))
    (emitter,) = exploiting.emitters.values()
    assert len(emitter.buffer) >= 5
    emitter.tops = [1.0] * 1000
    run(exploiting, lambda genomes: 0.0, chunk=12)
    assert exploiting.emitters == {}
    assert len(exploiting.explorer.archive) == 5


def test_the_pareto_front_is_what_nobody_beats() -> None:
    values = torch.randn(60, 2)
    beaten = [any(bool((o >= v).all() and (o > v).any()) for o in values) for v in values]
    assert pareto_front(values).tolist() == [i for i, lost in enumerate(beaten) if not lost]
    assert pareto_front(torch.ones(3, 2)).tolist() == [0, 1, 2]


@pytest.mark.parametrize("batch", [12, 100])
def test_serene_shares_evaluations_between_phases_and_reaches_the_top_of_both_areas(batch: int) -> None:
    search = make(SERENE, sigma=0.2)
    assert isinstance(search, SERENE)
    metrics = drive(search, 24_000, batch, areas)
    assert metrics["area_0/best"] > 0.99
    assert metrics["area_1/best"] > 0.99
    assert search.chunks == pytest.approx(12, abs=1)


def test_without_rewards_serene_is_novelty_search() -> None:
    search = make(SERENE)
    assert isinstance(search, SERENE)
    drive(search, 5000, 100, lambda genomes: areas(genomes) | {"reward": np.zeros(len(genomes))})
    assert search.exploitation.number == 0
    assert search.explorer.generations == (5000 - 100) // 200
