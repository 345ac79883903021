"""Every task: its reference solution succeeds, in the actions foretold, and a solution that looks right fails."""

from __future__ import annotations

import pytest

from potentia.envs.web.tasks import TEMPLATES
from potentia.envs.web.tasks.episode import Episode
from tests.envs.web.solving import follow, opened, play_mistake

SEEDS = range(6)
each_template = pytest.mark.parametrize("name", sorted(TEMPLATES))


@each_template
def test_the_reference_solution_succeeds_in_the_actions_foretold(name):
    template = TEMPLATES[name]()
    for seed in SEEDS:
        episode = Episode(template, seed)
        page = opened(episode)
        assert not episode.reached or episode.answer is not None
        assert episode.remaining(page.state()) == episode.length
        taken, answer = follow(episode, page, template.budget)
        assert episode.succeeds(answer), f"seed {seed}: {episode.goal}: {episode.difference()}"
        assert taken == episode.length, f"seed {seed}: {episode.goal}"
        assert taken <= template.budget / 2


@each_template
def test_each_action_of_the_reference_solution_brings_the_goal_nearer_by_one(name):
    episode = Episode(TEMPLATES[name](), 0)
    page = opened(episode)
    before = episode.remaining(page.state())
    checked = sum(item.state for item in episode.checklist(page.state()))
    while before > (episode.answer is not None):
        follow(episode, page, 1)
        now = episode.remaining(page.state())
        assert now == before - 1, (episode.goal, page.url, episode.hint(page.state()))
        before = now
    assert sum(item.state for item in episode.checklist(page.state())) > checked


@each_template
def test_a_likely_mistake_fails(name):
    template = TEMPLATES[name]()
    for seed in SEEDS:
        episode = Episode(template, seed)
        page = opened(episode)
        if episode.answer is not None:
            wrong = template.wrong_answer(episode._initial, episode.params)
            assert wrong is not None
            assert episode.succeeds(episode.answer)
            assert not episode.succeeds(wrong), f"seed {seed}: {wrong}"
            continue
        before = episode.world.changes
        play_mistake(episode, page)
        assert episode.world.changes != before, "the mistake changed nothing"
        assert not episode.succeeds(None), f"seed {seed}: {episode.goal}"


@each_template
def test_goals_are_drawn_anew_in_several_phrasings(name):
    template = TEMPLATES[name]
    assert len(template.phrasings) >= 3
    goals = {Episode(template(), seed).goal for seed in range(20)}
    assert len(goals) >= 8
    assert Episode(template(), 3).goal == Episode(template(), 3).goal


@each_template
def test_the_noise_never_makes_the_goal(name):
    for seed in SEEDS:
        for noise in (3, 8, 20):
            episode = Episode(TEMPLATES[name](), seed, noise=noise)
            assert episode.answer is not None or not episode.reached
