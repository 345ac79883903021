from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

from potentia.judges import Achieved, Forward, Holds, Ideas, LocalModel, Prefers, Progress
from tests.judges.tiny_model import POSITIONS, make_model

pytest.importorskip("transformers")

QUESTIONS = [
    Progress("leave", "a door"),
    Forward("leave", "a door", "push", "a gap"),
    Prefers("leave", "push", "wait"),
    Achieved(("a door is open", "you left"), "a door", "push", "a gap"),
    Holds(("it is short",), "a door"),
]


@pytest.fixture(scope="module")
def random_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("random"))


def test_a_score_is_the_expected_value_under_the_models_probabilities(random_model: Path) -> None:
    judge = LocalModel(random_model)
    (answer,) = judge.answer([Prefers("leave", "push", "wait")])
    tokenizer, model = judge._model()
    prompt = judge._prompt(Prefers("leave", "push", "wait"))
    masses = {}
    for label, score in (("A", 1.0), ("B", -1.0), ("neither", 0.0)):
        reply = tokenizer(f'{{"answer": "{label}"}}')["input_ids"]
        with torch.inference_mode():
            logs = torch.log_softmax(model(torch.tensor([prompt + reply])).logits[0].double(), -1)
        places = range(len(prompt) - 1, len(prompt) + len(reply) - 1)
        masses[score] = sum(logs[place, token] for place, token in zip(places, reply, strict=True)).exp().item()
    expected = sum(score * mass for score, mass in masses.items()) / sum(masses.values())
    assert answer.value == pytest.approx(expected, abs=1e-5)
    assert answer.tokens_in == 3 * len(prompt) + 2 * 5 + 11


def test_answers_do_not_depend_on_what_is_asked_beside_them(random_model: Path) -> None:
    together = LocalModel(random_model, batch=7).answer(QUESTIONS)
    alone = [LocalModel(random_model, batch=1).answer([question])[0] for question in QUESTIONS]
    assert [answer.values for answer in together] == [pytest.approx(answer.values, abs=1e-5) for answer in alone]
    assert all(answer.valid for answer in together)
    (one,) = LocalModel(random_model).answer([Achieved(("you left",), "a door", "push", "a gap")])
    assert together[3].values[1] == pytest.approx(one.value, abs=1e-5)


def test_of_a_long_prompt_the_end_is_read(random_model: Path) -> None:
    judge = LocalModel(random_model)
    assert judge.answer([Progress("leave", "x" * 5000)])[0].valid
    # The end of both prompts is the same, and longer than what is read.
    first, second = (
        LocalModel(random_model, length=100).answer([Progress(goal, "a door")])[0] for goal in ("go", "stay")
    )
    assert first.values == pytest.approx(second.values, abs=1e-6)
    assert judge._model()[1].config.max_position_embeddings == POSITIONS


def test_what_a_model_has_learned_to_say_is_its_answer(tmp_path: Path) -> None:
    judge = LocalModel(make_model(tmp_path / "seven", '{"answer": 7}'))
    for copied in (judge, pickle.loads(pickle.dumps(judge))):
        assert copied.answer(QUESTIONS[:1])[0].value == pytest.approx(7 / 9, abs=0.01)
    assert (judge.name, judge.usage.calls) == ("seven prompts v1", 1)


def test_ideas_are_written_and_checked(random_model: Path) -> None:
    judge = LocalModel(random_model)
    (answer,) = judge.answer([Ideas("rules", "leave", most=1)])
    assert (answer.valid, answer.tokens_out > 0, judge.usage.invalid) == (False, True, 1)
    assert "no valid reply: it is not JSON" in answer.reason


def test_nothing_is_downloaded() -> None:
    with pytest.raises(OSError, match=r"a model is a folder on this machine \(nothing is downloaded\), got gpt2"):
        LocalModel(Path("gpt2")).answer(QUESTIONS)
    with pytest.raises(ValueError, match="batch must be at least 1, got 0"):
        LocalModel(Path("gpt2"), batch=0)
