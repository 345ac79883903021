"""What a process reward can get wrong without an error, each caught by name."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pytest

from potentia.rollout import Rollout
from potentia.shaping import BlinkLink, Checklist, ChecklistScore, HierarchicalAction, PairwiseJudge, Shaper
from potentia.shaping.judged.process_reward import ProcessReward
from potentia.shaping.judged.reference import Reference, overlap
from potentia.testing import check_process_reward
from tests.episodes import rollout
from tests.shaping.law_table import SlowRules

SIZE = (1000.0, 500.0)
REFERENCES = ["click_at(100, 50)\n[[80, 40, 40, 20]]", 'fill(3, "red shoes")\n[[200, 40, 100, 20]]']
TARGETS = ["[[80, 40, 40, 20]]", "[[200, 40, 100, 20]]"]
COPIES = ["[[80, 40, 40, 20], [80, 40, 40, 20]]", "[[200, 40, 100, 20], [201, 40, 100, 20]]"]
ACTIONS = ["click_at(100, 50)", 'fill(3, "red shoes")']


def episode(**columns: Any) -> Rollout:
    info = {name: np.array(column)[:, None] for name, column in columns.items()}
    return replace(rollout([0] * (len(next(iter(info.values()))) + 1), terminated=True, discount=0.9), info=info)


def answers(boxes: list[str], actions: list[str]) -> Rollout:
    said = [
        f"<blink>{box}</blink><think>So.</think><link>{action}</link>"
        for box, action in zip(boxes, actions, strict=True)
    ]
    return episode(next_response=said, reference=REFERENCES[: len(said)])


BEST = answers(TARGETS, ACTIONS)
EPISODES = [
    BEST,
    answers(TARGETS, ["click_at(100, 50)", 'fill(4, "red shoes")']),
    answers(COPIES, ACTIONS),
    answers([f"[{', '.join(f'[{40 * i}, 40, 40, 20]' for i in range(25))}]"] * 2, ACTIONS),
    episode(next_response=["", "anything"], reference=REFERENCES),
]


def test_blink_link_can_be_earned_and_likes_the_best_most() -> None:
    check_process_reward(BlinkLink(SIZE), EPISODES, 0)


def test_hierarchical_action_can_be_earned_and_likes_the_best_most() -> None:
    reference = ['type_and_submit("search", "red shoes")', 'click("Add to cart")']

    def said(*actions: str) -> Rollout:
        texts = [json.dumps({"rationale": "So.", "action": action}) for action in actions]
        return episode(next_response=texts, reference=reference, next_certainty=[2.0, 3.0])

    check_process_reward(
        HierarchicalAction(),
        [
            said("terminate()", "terminate()"),
            said(*reference),
            said(reference[0], 'click("Add to basket")'),
            said('type_and_submit("search", "red")', reference[1]),
        ],
        1,
    )


def test_a_judge_that_was_asked_can_be_earned() -> None:
    def taken(*actions: str) -> Rollout:
        return episode(
            goal=["press 1"] * 2, caption=["a", "b"], next_response=actions, alternative=[["1", "2"], ["1", "3"]]
        )

    def verdict(asked: Any) -> tuple[float]:
        return (1.0 if asked.first in asked.goal else -1.0 * (asked.second in asked.goal),)

    reward = PairwiseJudge(SlowRules(verdict))
    episodes = [taken("1", "1"), taken("2", "1"), taken("2", "3")]
    with pytest.raises(AssertionError, match=r"^reachable: PairwiseJudge: the part 'verdict' is never above 0"):
        check_process_reward(reward, episodes, 0)
    for one in episodes:
        reward.update(one)
    check_process_reward(reward, episodes, 0)


class StrayCharacter(BlinkLink):
    """One character of the pattern is not what it looks like."""

    def has_format(self, response: str, reference: Reference) -> bool:
        return re.fullmatch(r"<blink>.*</blink><think>.*</think><li·nk>.*</link>", response) is not None


class NeverEqual(BlinkLink):
    """Arguments are compared by identity."""

    def does_the_same(self, response: str, reference: Reference) -> bool:
        return super().does_the_same(response, reference) and reference.call.arguments is object()


class Halved(BlinkLink):
    """A weight is applied twice."""

    def parts(self, experience: Rollout) -> dict[str, Any]:
        parts = super().parts(experience)
        return parts | {"link": 0.5 * parts["link"]}


class Doubled(BlinkLink):
    """More is paid than is promised."""

    def parts(self, experience: Rollout) -> dict[str, Any]:
        parts = super().parts(experience)
        return parts | {"blink": 2.0 * parts["blink"]}


class NotFinite(BlinkLink):
    """A mean over no box."""

    def parts(self, experience: Rollout) -> dict[str, Any]:
        parts = super().parts(experience)
        return parts | {"blink": np.where(parts["blink"] > 0, parts["blink"], np.nan)}


class Constant(ProcessReward):
    """Every answer is as good as the best."""

    maxima = MappingProxyType({"all": 1.0})

    def parts(self, experience: Rollout) -> dict[str, Any]:
        return {"all": np.ones(experience.discount.shape)}


class CopiesAllowed(BlinkLink):
    """Any box that fits will do, however many there are."""

    def sees_targets(self, response: str, reference: Reference) -> bool:
        boxes = json.loads(response.partition("<blink>")[2].partition("</blink>")[0] or "[]")
        return any(overlap(tuple(box), target) > self.iou for box in boxes for target in reference.boxes)


class PaysPerBox(BlinkLink):
    """Each box is paid, without a bound."""

    def __init__(self, size: tuple[float, float]) -> None:
        super().__init__(size)
        self.maxima = dict(self.maxima) | {"blink": math.inf}

    def parts(self, experience: Rollout) -> dict[str, Any]:
        counts = [[text.partition("</blink>")[0].count(", 40, ") for text in row] for row in self._said(experience)]
        return super().parts(experience) | {"blink": 0.1 * np.array(counts)}

    @staticmethod
    def _said(experience: Rollout) -> list[list[str]]:
        said: list[list[str]] = experience.info["next_response"].tolist()
        return said


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (StrayCharacter, r"reachable: StrayCharacter: the part 'format' is never above 0"),
        (NeverEqual, r"reachable: NeverEqual: the part 'link' is never above 0"),
        (Halved, r"reachable: Halved: the part 'link' gets to 0\.3, not to its maximum 0\.6"),
        (Doubled, r"reachable: Doubled: the part 'blink' is 0\.6 somewhere, more than its maximum 0\.3"),
        (NotFinite, r"reachable: NotFinite: the part 'blink' is not finite"),
        (CopiesAllowed, r"best: CopiesAllowed: episode 2 earns 1\.9, the best, episode 0, earns 1\.9"),
        (PaysPerBox, r"best: PaysPerBox: episode 2 earns .*: it pays for something else"),
    ],
)
def test_mutants_of_blink_link(make: Callable[..., Shaper], told: str) -> None:
    with pytest.raises(AssertionError, match="^" + told):
        check_process_reward(make(SIZE), EPISODES, 0)


def test_a_constant_tells_nothing_apart() -> None:
    with pytest.raises(AssertionError, match=r"^varies: Constant: it pays 1 at every step"):
        check_process_reward(Constant(), EPISODES, 0)


def test_a_score_of_each_step_pays_for_staying() -> None:
    def states(*values: float) -> Rollout:
        return episode(checklist=values[:-1], next_checklist=values[1:])

    staying = [states(0.0, 0.5, 1.0), states(0.0, 0.5, 0.5, 0.5, 0.5)]
    with pytest.raises(
        AssertionError, match=r"^best: ChecklistScore: episode 1 earns 1\.72, the best, episode 0, earns 1\.4"
    ):
        check_process_reward(ChecklistScore(), staying, 0)
    with pytest.raises(
        AssertionError, match=r"^reachable: ChecklistScore: the part 'ChecklistScore' gets to 1, not to its max"
    ):
        check_process_reward(ChecklistScore(), staying, 0, maxima={"ChecklistScore": 2.0})
    with pytest.raises(AssertionError, match=r"^reachable: ChecklistScore: it has no parts \['items'\], only"):
        check_process_reward(ChecklistScore(), staying, 0, maxima={"items": 1.0})
    with pytest.raises(ValueError, match="policy-invariant"):
        check_process_reward(Checklist(), staying, 0)


def test_what_it_wants_is_told() -> None:
    with pytest.raises(ValueError, match=r"at least two episodes .*, got 1 and best=0"):
        check_process_reward(BlinkLink(SIZE), [BEST], 0)
    with pytest.raises(ValueError, match="got 2 and best=2"):
        check_process_reward(BlinkLink(SIZE), [BEST, BEST], 2)
    two = BEST.map(lambda array: np.concatenate([array, array], axis=1))
    with pytest.raises(ValueError, match=r"episodes\[1\] must be one episode, \(T, 1\), .*, got \(2, 2\)"):
        check_process_reward(BlinkLink(SIZE), [BEST, two], 0)
    with pytest.raises(NotImplementedError, match=r"must implement parts\(rollout\)"):
        check_process_reward(ProcessReward(), [BEST, BEST], 0)
