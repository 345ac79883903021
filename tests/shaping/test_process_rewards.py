"""Process rewards worked by hand, and what each must not pay for."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linear_sum_assignment

from potentia.envs.action_text import parse_action
from potentia.judges import Answer, Judge, Rules
from potentia.rollout import Rollout
from potentia.shaping import BlinkLink, Checklist, ChecklistScore, HierarchicalAction, PairwiseJudge, Shaper
from potentia.shaping.columns import text_column
from potentia.shaping.judged.hierarchical_action import rouge_l, self_certainty
from potentia.shaping.judged.reference import Box, Reference, overlap, parse_reference
from potentia.testing import check_shaper
from tests.episodes import rollout
from tests.shaping.law_table import JUDGE, SlowRules


def steps(discount: float = 0.5, **columns: Sequence[Any]) -> Rollout:
    """An episode cut after as many steps as the columns have rows."""
    length = len(next(iter(columns.values())))
    info = {name: np.array(column)[:, None] for name, column in columns.items()}
    return replace(rollout(list(range(length + 1)), truncated=True, discount=discount), info=info)


def term(shaper: Shaper, experience: Rollout) -> list[float]:
    return [float(value) for value in shaper.shape(experience)[0].terms[shaper.name][:, 0]]


TARGET = "click_at(100, 50)\n[[80, 40, 40, 20]]"
SEEN = "[[80, 40, 40, 20]]"


def blink(boxes: str, link: str) -> str:
    return f"<blink>{boxes}</blink>\n<think>The button is there.</think>\n<link>{link}</link>"


@pytest.mark.parametrize(
    ("response", "reference", "earned"),
    [
        (blink(SEEN, "click_at(110, 55)"), TARGET, 0.1 + 0.3 + 0.6),
        (blink(SEEN, "click_at(70, 50)"), TARGET, 0.4),  # near, but beside the box
        # In the box, but 190 of 1000 pixels away: 0.19 > 0.14.
        (blink("[[0, 40, 400, 20]]", "click_at(200, 50)"), "click_at(10, 50)\n[[0, 40, 400, 20]]", 0.4),
        (blink("[]", "click_at(110, 55)"), TARGET, 0.7),
        (blink("[[80, 40, 80, 20]]", "click_at(110, 55)"), TARGET, 0.7),  # overlap 800 / 1600, not above 1/2
        (blink("[[80, 40, 40, 20], [81, 40, 40, 20]]", "click_at(110, 55)"), TARGET, 0.7),  # a copy: 39 / 41
        (blink(f"[{', '.join(f'[{40 * i}, 40, 40, 20]' for i in range(6))}]", "click_at(110, 55)"), TARGET, 0.7),
        (blink(f"[{', '.join(f'[{40 * i}, 40, 40, 20]' for i in range(5))}]", "click_at(110, 55)"), TARGET, 1.0),
        (blink(SEEN, "click(100, 50)"), TARGET, 0.4),  # another action
        (blink(SEEN, "noop("), TARGET, 0.3),  # neither a link nor the form
        ("I see. " + blink(SEEN, "click_at(100, 50)"), TARGET, 0.9),
        (blink(SEEN, "click_at(100, 50)") + " Done.", TARGET, 0.9),
        (blink(SEEN, "click_at(100, 50)") + "<link>back()</link>", TARGET, 0.3),  # two links are none
        (blink("the button", "click_at(100, 50)"), TARGET, 0.6),
        ("click_at(100, 50)", TARGET, 0.0),
        ("", TARGET, 0.0),
        (blink("[]", "click(3)"), "", 0.0),  # nothing to compare with
        (blink("[]", "click(3)"), "click(3)", 1.0),  # no box to be seen
        (blink("[]", "click(4)"), "click(3)", 0.4),
        (blink("[]", 'fill(3, "Red shoes")'), 'fill(3, "red running shoes")', 1.0),  # F1 = 2 * 2 / (2 + 3) = 0.8
        (blink("[]", 'fill(3, "red hat for me")'), 'fill(3, "red running shoes")', 0.4),  # 2 * 1 / (4 + 3) = 0.29
        (blink("[]", 'fill(4, "red running shoes")'), 'fill(3, "red running shoes")', 0.4),
        (blink("[]", 'fill("3", "red")'), 'fill(3, "red")', 0.4),
        (blink("[]", "fill(3)"), 'fill(3, "red")', 0.4),
        (blink(SEEN, "click_at(100, 50, 1)"), TARGET, 0.4),
        (blink("[]", 'answer("42 dollars")'), 'answer("42")', 1.0),  # 2 * 1 / (2 + 1) = 0.67
        (blink("[]", 'press("Enter")'), 'press("Tab")', 0.4),
        (blink("[]", 'scroll("down")'), 'scroll("down")', 1.0),
        (blink("[]", "swipe(10, 10, 40, 200)"), "swipe(50, 50, 45, 400)", 1.0),  # both mainly down
        (blink("[]", "swipe(10, 200, 40, 10)"), "swipe(50, 50, 45, 400)", 0.4),
        (blink("[]", "drag(0, 0, 90, 10)"), "drag(5, 5, 20, 5)", 1.0),
        (blink("[]", "drag(3, 7)"), "drag(3, 7)", 1.0),
        (blink("[]", "drag(3, 8)"), "drag(3, 7)", 0.4),
        (blink("[]", "click_at(1" + "0" * 400 + ", 5)"), TARGET, 0.0),
        (blink("[" * 100_000, "back()"), TARGET, 0.0),
    ],
)
def test_blink_link_by_hand(response: str, reference: str, earned: float) -> None:
    way = steps(next_response=[response], reference=[reference])
    assert term(BlinkLink((1000.0, 500.0)), way) == pytest.approx([earned])
    assert term(BlinkLink((1000.0, 500.0)), way.map(_tensors)) == pytest.approx([earned])


def _tensors(array: Any) -> Any:
    return array if array.dtype.kind in "OU" else torch.as_tensor(array)


def test_the_parts_of_an_answer_are_logged_apart() -> None:
    way = steps(
        next_response=[blink(SEEN, "click_at(100, 50)"), blink("[]", "back()"), "?", "?"], reference=[TARGET] * 4
    )
    masked = replace(way, mask=np.array([[True], [True], [True], [False]]))
    assert BlinkLink((1000.0, 500.0)).update(masked) == pytest.approx({"format": 0.2 / 3, "blink": 0.1, "link": 0.2})


@pytest.mark.parametrize("reward", [BlinkLink((1000.0, 500.0)), HierarchicalAction(alpha=0.0)])
def test_behind_the_mask_there_may_be_anything(reward: Shaper) -> None:
    way = steps(next_response=[None, "?"], reference=[None, "back()"])
    assert term(reward, replace(way, mask=np.array([[False], [True]]))) == [0.0, 0.3 * isinstance(reward, BlinkLink)]
    with pytest.raises(TypeError, match="got NoneType"):
        term(reward, way)


BOXES = st.lists(
    st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(-6, 6), st.integers(4, 16)), min_size=1, max_size=5
)


@settings(max_examples=200, deadline=None)
@given(cells=st.sets(st.integers(0, 15), min_size=1, max_size=4), guesses=BOXES)
def test_for_disjoint_targets_any_match_is_what_the_hungarian_algorithm_finds(
    cells: set[int], guesses: list[tuple[int, int, int, int]]
) -> None:
    targets: tuple[Box, ...] = tuple((10.0 * (cell % 4), 10.0 * (cell // 4), 10.0, 10.0) for cell in sorted(cells))
    boxes: list[Box] = [(10.0 * x + shift, 10.0 * y, float(width), 10.0) for x, y, shift, width in guesses]
    fits = np.array([[overlap(box, target) > 0.5 for box in boxes] for target in targets])
    rows, columns = linear_sum_assignment(fits, maximize=True)
    separate = all(overlap(one, other) < 0.5 for i, one in enumerate(boxes) for other in boxes[:i])
    response = blink(json.dumps(boxes), "back()")
    want = separate and int(fits[rows, columns].sum()) == len(targets)
    assert BlinkLink((40.0, 40.0)).sees_targets(response, Reference(parse_action("back()"), targets)) == want


def answer(action: str, rationale: str = "I like red.") -> str:
    return json.dumps({"rationale": rationale, "action": action})


@pytest.mark.parametrize(
    ("response", "reference", "earned"),
    [
        (answer('click("Add to cart")'), 'click("Add to cart")', 0.5 + 0.3 + 0.2 + 1000.0),
        (answer('click("add to CART")'), 'click("Add to cart")\n[[0, 0, 9, 9]]', 1001.0),
        (answer('click("Add to basket")'), 'click("Add to cart")', 1.0),  # 2 * 2 / (3 + 3) < 0.75
        (answer('click("")'), 'click("Add to cart")', 0.8),
        (answer("click()"), 'click("Add to cart")', 0.8),
        (answer('click("Add to cart", "now")'), 'click("Add to cart")', 0.8),
        (answer("terminate()"), "terminate()", 0.8),
        (answer("terminate()"), 'click("Add to cart")', 0.5),
        # 0.1 * 1 for the name, 1000 * 2 * 2 / (3 + 2) for the text.
        (answer('type_and_submit("search", "red running shoes")'), 'type_and_submit("search", "red shoes")', 801.1),
        (answer('type_and_submit("find", "red shoes")'), 'type_and_submit("search", "red shoes")', 1001.0),
        (answer('type_and_submit("search")'), 'type_and_submit("search", "red shoes")', 0.5 + 0.3 + 0.1 + 0.1),
        (answer("click(3)"), "click(3)", 1001.0),
        (answer("click(4)"), "click(3)", 1.0),
        (answer("click(3)"), "", 0.0),
        ("click(3)", "click(3)", 0.0),
        ('{"action": "click(3)"}', "click(3)", 0.0),
        ('{"rationale": 3, "action": "click(3)"}', "click(3)", 0.0),
        (answer("click 3"), "click(3)", 0.0),
        ("[" * 100_000, "click(3)", 0.0),
    ],
)
def test_hierarchical_action_by_hand(response: str, reference: str, earned: float) -> None:
    way = steps(next_response=[response], reference=[reference], next_certainty=[4.0])
    assert term(HierarchicalAction(alpha=0.0), way) == pytest.approx([earned])
    sure = earned + 0.005 * 4.0 * (earned > 0)  # no rationale, no certainty
    assert term(HierarchicalAction(), way) == pytest.approx([sure])
    assert term(HierarchicalAction(), way.map(_tensors)) == pytest.approx([sure])


def test_difficulty_is_a_weight_and_the_threshold_a_step() -> None:
    way = steps(next_response=[answer('click("Add to basket")')], reference=['click("Add to cart")'])
    assert term(HierarchicalAction(alpha=0.0, dars=3.0, threshold=0.6), way) == pytest.approx([1.0 + 3.0 * 2 / 3])
    assert rouge_l("", "") == 1.0
    assert rouge_l("", "a") == 0.0
    assert rouge_l("c b a", "a b c") == pytest.approx(1 / 3)


def test_self_certainty_of_distributions_worked_by_hand() -> None:
    with np.errstate(divide="ignore"):
        rows = np.log(np.array([[0.25] * 4, [1.0, 0.0, 0.0, 0.0], [0.5, 0.5, 0.0, 0.0]]))
    assert [self_certainty(row[None]) for row in rows] == pytest.approx([0.0, math.log(4), math.log(2)])
    assert self_certainty(torch.as_tensor(rows)) == pytest.approx(math.log(2))
    with pytest.raises(ValueError, match=r"shape \(tokens, V\)"):
        self_certainty(np.zeros(3))
    with pytest.raises(ValueError, match="must be normalised"):
        self_certainty(np.zeros((1, 3)))


class Tells(Judge):
    """Prefers what the goal names, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def answer(self, questions: Sequence[Any]) -> list[Answer]:
        self.asked += [(asked.first, asked.second) for asked in questions]
        return [
            Answer((1.0 if asked.first in asked.goal else -1.0 if asked.second in asked.goal else 0.0,))
            for asked in questions
        ]


def counts(metrics: dict[str, Any]) -> tuple[float, float]:
    return metrics["known"], metrics["asked"]


def judged() -> Rollout:
    return steps(
        goal=["do click(1)"] * 3,
        caption=["a page"] * 3,
        next_response=["click(1)", "click(2)", "click(3)"],
        alternative=[["click(2)", "click(3)"], ["click(1)", "click(3)"], ["click(3)", ""]],
    )


def test_pairwise_verdicts_are_asked_for_once_in_update_and_paid_afterwards() -> None:
    arbiter = Tells()
    reward, way = PairwiseJudge(arbiter, questions=3), judged()
    assert term(reward, way) == [0.0, 0.0, 0.0]
    assert not arbiter.asked
    assert counts(reward.update(way)) == (0.0, 3.0)
    # The newest first.
    assert arbiter.asked == [("click(1)", "click(3)"), ("click(2)", "click(1)"), ("click(2)", "click(3)")]
    assert counts(reward.update(way)) == (0.75, 1.0)
    assert counts(reward.update(way)) == (1.0, 0.0)
    # (1 + 1) / 2, (-1 + 0) / 2, and an action without any other to compare with.
    assert term(reward, way) == [1.0, -0.5, 0.0]
    assert len(arbiter.asked) == 4
    again = PairwiseJudge(arbiter)
    again.load_state_dict(reward.state_dict())
    assert term(again, way) == [1.0, -0.5, 0.0]


def test_alternatives_may_come_from_a_function() -> None:
    way = judged()
    way = replace(way, info={name: column for name, column in way.info.items() if name != "alternative"})
    reward = PairwiseJudge(Tells(), lambda goal, page, action: ["click(1)", action])
    assert reward.contract.info_columns == {"goal", "caption", "next_response"}
    reward.update(way)
    assert term(reward, way) == [0.0, -1.0, -1.0]


def test_the_items_of_a_checklist_and_those_that_do_not_exist() -> None:
    states = np.array([[0.0, 0.0, -1.0], [1.0, 0.5, -1.0], [1.0, 1.0, 0.0]], np.float32)[:, None]
    way = replace(steps(x=[0, 0]), info={"checklist": states[:-1], "next_checklist": states[1:]})
    # done: 0, 0.75, 2/3; the discount is 1/2.
    assert term(Checklist(), way) == pytest.approx([0.375, 1 / 3 - 0.75])
    assert term(ChecklistScore(), way) == pytest.approx([0.75, 2 / 3])
    whole = replace(way, info={"checklist": np.array([[0.0], [0.75]]), "next_checklist": np.array([[0.75], [2 / 3]])})
    assert term(Checklist(), whole) == pytest.approx(term(Checklist(), way))


SAYS = {"shop": (0.0, 0.0), "cart": (1.0, 0.5), "paid": (1.0, 0.75)}


def says(question: Any) -> tuple[float, ...]:
    return SAYS[question.text]


def test_a_judgement_that_comes_late_leaves_the_differences_telescoping() -> None:
    reward = Checklist(["fill the cart", "pay"], SlowRules(says))
    way = steps(caption=["shop", "cart"], next_caption=["cart", "paid"])
    carry = reward.init(1)
    first, carry = reward.shape(way[:1], carry)
    assert float(first.terms["Checklist"][0, 0]) == 0.0  # the cart is not judged yet: 0.5 * 0 - 0
    assert counts(reward.update(way)) == (0.0, 3.0)
    second, carry = reward.shape(way[1:], carry)
    # done: 0, 0.75, 0.875. The cart was entered with 0, so 0.5 * 0.875 - 0; anew it would be 0.5 * 0.875 - 0.75.
    assert float(second.terms["Checklist"][0, 0]) == 0.4375
    assert np.isnan(carry).all()  # the episode ended
    assert term(reward, way) == [0.5 * 0.75, 0.5 * 0.875 - 0.75]
    score = ChecklistScore(["fill the cart", "pay"], SlowRules(says))
    assert counts(score.update(way)) == (0.0, 2.0)
    assert term(score, way) == [0.75, 0.875]


class ReadsAnew(Checklist):
    """What a page was worth when it was entered is not kept."""

    def init(self, num_envs: int) -> Any:
        return ()

    def shape(self, rollout: Rollout, carry: Any = ()) -> tuple[Rollout, Any]:
        return super().shape(rollout)[0], ()


def test_the_law_tells_a_judged_checklist_that_forgets() -> None:
    with pytest.raises(AssertionError, match=r"^telescoping_while_learning: ReadsAnew"):
        check_shaper(lambda: ReadsAnew(["find", "buy"], JUDGE, questions=1), second_process=False)


@pytest.mark.parametrize(
    ("make", "error", "told"),
    [
        (lambda: BlinkLink((0.0, 5.0)), ValueError, "width and height in pixels"),
        (lambda: BlinkLink((5.0, 5.0), iou=0.4), ValueError, r"\[0\.5, 1\)"),
        (lambda: BlinkLink((5.0, 5.0), max_boxes=0), ValueError, "at least 1, got 0"),
        (lambda: term(BlinkLink((5.0, 5.0)), steps(reference=["back()"])), ValueError, "'next_response'"),
        (lambda: term(BlinkLink((5.0, 5.0)), steps(next_response=[3], reference=[""])), TypeError, "got int: 3"),
        (lambda: term(BlinkLink((5.0, 5.0)), steps(next_response=[""], reference=["click"])), ValueError, "one call"),
        (lambda: parse_reference("back()\n[[0, 0, 1]]"), ValueError, "four finite numbers"),
        (lambda: parse_reference("back()\n[[0, 0, 1, 0]]"), ValueError, "above 0"),
        (lambda: parse_reference("back()\n{}"), ValueError, "must be a list"),
        (lambda: parse_reference("back()\nboxes"), ValueError, "must be JSON"),
        (lambda: HierarchicalAction(threshold=1.5), ValueError, r"\[0, 1\], got 1\.5"),
        (
            lambda: term(HierarchicalAction(), steps(next_response=[""], reference=[""], next_certainty=[[1.0, 2.0]])),
            ValueError,
            r"shape \(T, B\) = \(1, 1\), got \(1, 1, 2\)",
        ),
        (lambda: PairwiseJudge(Tells(), questions=0), ValueError, "questions and tries must be at least 1, got 0"),
        (lambda: PairwiseJudge(lambda *_: 2.0), TypeError, r"Judge, got function; make one of a function"),
        (lambda: PairwiseJudge(Rules(lambda _: (2.0,))).update(judged()), ValueError, r"\[-1, 1\], got \(2\.0,\)"),
        (lambda: PairwiseJudge(Tells()).load_state_dict({}), ValueError, "must have the keys"),
        (lambda: Checklist(["find"]), ValueError, "both items"),
        (lambda: Checklist([], Tells()), ValueError, "at least one"),
        (lambda: term(Checklist(), steps(x=[0])), ValueError, "reads the info column 'checklist'"),
        (
            lambda: term(ChecklistScore(), steps(next_checklist=[1.5])),
            ValueError,
            r"in \[0, 1\].*\[1\.5\] in 'next_checklist'",
        ),
        (lambda: term(ChecklistScore(), steps(next_checklist=[[-1.0] * 2])), ValueError, "and one must exist"),
        (lambda: term(ChecklistScore(), steps(next_checklist=[np.nan])), ValueError, r"got \[nan\]"),
        (lambda: term(ChecklistScore(), steps(next_checklist=[[[0.0]]])), ValueError, r"\(T, B, I\)"),
        (
            lambda: Checklist(["find"], SlowRules(lambda _: (1.0, 0.0))).update(
                steps(caption=["a"], next_caption=["b"])
            ),
            ValueError,
            r"an answer to Holds must have 1 numbers in \[0, 1\], got \(1\.0, 0\.0\)",
        ),
    ],
)
def test_what_is_wrong_is_told(make: Callable[[], Any], error: type[Exception], told: str) -> None:
    with pytest.raises(error, match=told):
        make()


@pytest.mark.parametrize("bytes_", [lambda texts: np.array(texts, "S"), lambda texts: np.array(texts, object)])
def test_texts_that_come_back_as_bytes_are_decoded(bytes_: Any) -> None:
    """HDF5 gives texts back as bytes."""
    texts = [["é1".encode()], [b"b"]]
    way = replace(steps(x=[0, 0]), info={"caption": bytes_(texts)})
    assert text_column(way, "caption", "a test").ravel().tolist() == ["é1", "b"]
