from __future__ import annotations

import pytest

from potentia.judges import Achieved, Forward, Prefers, Progress
from potentia.testing import judge_questions


@pytest.mark.parametrize("world", ["potentia/KeyRooms-v0", "potentia/DoorKey-5x5-v0"])
def test_the_truth_is_that_of_the_world(world: str) -> None:
    questions = judge_questions(world, episodes=2, share=1.0)
    assert questions == judge_questions(world, episodes=2, share=1.0)
    assert all(question.truth for question in questions if isinstance(question, Forward))
    steps = [question for question in questions if isinstance(question, Forward)]
    assert {question.truth for question in steps} == {(1.0,)}  # each step of a shortest way is one forward
    progress = [question.truth[0] for question in questions if isinstance(question, Progress) and question.truth]
    assert progress.count(1.0) == 2
    assert all(0.0 <= value <= 1.0 for value in progress)
    events = [question for question in questions if isinstance(question, Achieved)]
    assert len(events) == len(steps)
    totals = [sum(question.truth[place] for question in events if question.truth) for place in range(events[0].size)]
    assert min(totals) >= 2.0  # the best way passes every subgoal, in each of two episodes
    assert any(question.truth == (1.0,) for question in questions if isinstance(question, Prefers))


def test_random_steps_are_not_all_forward_and_another_goal_is_taken() -> None:
    questions = judge_questions("potentia/KeyRooms-v0", episodes=1, share=0.0, most=30, goal="leave")
    steps = [question for question in questions if isinstance(question, Forward)]
    assert len(steps) == 30
    assert {question.truth for question in steps} == {(0.0,), (1.0,)}
    assert {question.goal for question in steps} == {"leave"}


def test_a_world_without_what_is_needed_is_refused() -> None:
    with pytest.raises(ValueError, match="CartPole-v1 lacks caption, distance, potential, subgoals"):
        judge_questions("CartPole-v1")
