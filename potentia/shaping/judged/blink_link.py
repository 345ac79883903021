"""Blink, think, link: a process reward for agents that look, reason and act on a page."""

from __future__ import annotations

import math
from itertools import combinations

from potentia.arrays import like_column
from potentia.envs.action_text import ActionCall, parse_action
from potentia.rollout import Array, Rollout
from potentia.shaping.columns import each_step, text_column
from potentia.shaping.judged.process_reward import ProcessReward
from potentia.shaping.judged.reference import Box, Reference, inside, overlap, parse_boxes, parse_reference
from potentia.shaping.shaper import Contract

_TAGS = ("blink", "think", "link")


class BlinkLink(ProcessReward):
    r"""``0.1 format + 0.3 blink + 0.6 link``: rules that judge where an agent looked and what it did, step by step.

    Zhang et al. 2025 (BTL-UI), arXiv 2509.15566. Each part is 0 or 1 before its weight:

    *format*: the answer is ``<blink>boxes</blink><think>any text</think><link>action</link>``, with nothing before,
    between or after but white space, and each tag once. The boxes are a JSON list ``[[x, y, width, height], ...]`` in
    pixels. The action is a call in the grammar of `potentia.envs.action_text`.

    *blink*: each box of the reference has a box of the answer with an overlap (intersection over union) above ``iou``,
    no two boxes of the answer overlap by ``iou`` or more (padding with copies), and there are at most ``max_boxes`` (a
    grid of boxes over the page would meet any target). The last bound is ours. It is 1 if the reference has no box. The
    paper matches boxes by the Hungarian algorithm, its code takes any that fits. For targets that don't overlap the two
    are one: a box can't share more than half of itself with each of two disjoint boxes, so with ``iou`` of at least
    1/2 no box fits two targets, and there is nothing to assign. Where targets overlap, one box may stand for both.

    *link*: the actions have one name, and their arguments agree. ``click_at(x, y)``: in one of the reference's boxes,
    if it has any, and less than ``distance`` away from its point, in widths and heights of the page. ``drag`` and
    ``swipe`` of four coordinates: the same main direction, left, right, up or down. ``fill(element, text)``: the same
    element, and an F1 of at least ``f1`` between the sets of words. ``answer(text)``: the same F1. All others: equal.

    It reads the info columns ``next_response`` and ``reference``, arrays of str ``(T, B)``. So the environment's info
    must hold ``response``, all the text of the agent that led here ("" at a reset), and ``reference``, the action to be
    done next: a call, and optionally in a second line the boxes of its targets: ``'click(3)\n[[10, 20, 80, 24]]'``. A
    step whose reference is "" earns 0. What an answer can earn has no potential behind it: it can change the optimum.

    Args:
        size: Width and height of the page in pixels, by which distances are measured.
        weights: Of format, blink and link.
        iou: The overlap from which two boxes are one, in [0.5, 1).
        distance: How far a point may be off, as a share of the page.
        f1: How much of a text must be right, in [0, 1].
        max_boxes: How many boxes an answer may have.
        name: The term's name.

    Raises:
        ValueError: If ``size`` is not positive, ``iou`` lies outside [0.5, 1) or ``max_boxes`` is less than 1.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> answer = "<blink>[[10, 20, 80, 20]]</blink><think>The red one.</think><link>click({})</link>"
    >>> zeros = np.zeros((2, 1))
    >>> rollout = Rollout(
    ...     obs=zeros, action=zeros, next_obs=zeros, terms={"env": zeros}, discount=zeros + 0.99,
    ...     terminated=zeros > 0, truncated=zeros > 0, info={
    ...         "reference": np.array([["click(3)\n[[10, 20, 80, 24]]"]] * 2),
    ...         "next_response": np.array([[answer.format(3)], [answer.format(4)]])})
    >>> shaper = BlinkLink((640, 480))
    >>> shaper.shape(rollout)[0].terms["BlinkLink"][:, 0].round(1).tolist()  # boxes overlap by 20 / 24; 3 is right
    [1.0, 0.4]
    >>> {name: part[:, 0].tolist() for name, part in shaper.parts(rollout).items()}
    {'format': [0.1, 0.1], 'blink': [0.3, 0.3], 'link': [0.6, 0.0]}
    """

    def __init__(
        self,
        size: tuple[float, float],
        *,
        weights: tuple[float, float, float] = (0.1, 0.3, 0.6),
        iou: float = 0.5,
        distance: float = 0.14,
        f1: float = 0.5,
        max_boxes: int = 5,
        name: str | None = None,
    ) -> None:
        super().__init__(name)
        if min(size) <= 0:
            raise ValueError(f"size must be the page's width and height in pixels, both above 0, got {size}")
        if not 0.5 <= iou < 1:
            raise ValueError(f"iou must lie in [0.5, 1): below, one box could stand for two targets, got {iou}")
        if max_boxes < 1:
            raise ValueError(f"max_boxes must be at least 1, got {max_boxes}")
        self.size, self.iou, self.distance, self.f1, self.max_boxes = size, iou, distance, f1, max_boxes
        self.weights = dict(zip(("format", "blink", "link"), weights, strict=True))
        self.maxima = self.weights
        self.contract: Contract = Contract(reads=frozenset({"info:next_response", "info:reference"}))

    def parts(self, rollout: Rollout) -> dict[str, Array]:
        """The weighted parts ``format``, ``blink`` and ``link``.

        Raises:
            ValueError: If a column is missing, or a reference is not one.
            TypeError: If a column does not hold text.
        """
        responses = text_column(rollout, "next_response", self.name)
        references = text_column(rollout, "reference", self.name)
        rules = self.has_format, self.sees_targets, self.does_the_same

        def judge(t: int, b: int) -> list[float]:
            reference, response = parse_reference(str(references[t, b])), str(responses[t, b])
            return [0.0 if reference is None else float(rule(response, reference)) for rule in rules]

        kept = each_step(rollout, judge, len(rules))
        return {
            name: like_column(weight * kept[..., index], rollout.discount)
            for index, (name, weight) in enumerate(self.weights.items())
        }

    def has_format(self, response: str, reference: Reference) -> bool:
        """Whether the answer is of the form that is asked for, whatever the reference is."""
        del reference
        rest = response.strip()
        for tag in _TAGS:
            start, end = f"<{tag}>", rest.find(f"</{tag}>")
            if not rest.startswith(start) or end < 0:
                return False
            rest = rest[end + len(start) + 1 :].lstrip()
        return not rest and boxes_of(response) is not None and action_of(response) is not None

    def sees_targets(self, response: str, reference: Reference) -> bool:
        """Whether each target has a box of its own, among few that do not overlap."""
        if not reference.boxes:
            return True
        boxes = boxes_of(response)
        if not boxes or len(boxes) > self.max_boxes:
            return False
        if any(overlap(one, other) >= self.iou for one, other in combinations(boxes, 2)):
            return False
        return all(any(overlap(box, target) > self.iou for box in boxes) for target in reference.boxes)

    def does_the_same(self, response: str, reference: Reference) -> bool:
        """Whether the answer's action is the reference's, up to what does not matter."""
        action, wanted = action_of(response), reference.call
        if action is None or action.name != wanted.name or kinds(action) != kinds(wanted):
            return False
        if action.name == "click_at" and kinds(action) == "nn":
            return self._points(action, wanted, reference.boxes)
        if action.name in ("drag", "swipe") and kinds(action) == "nnnn":
            return direction(action) == direction(wanted)
        if action.name in ("fill", "answer"):
            return all(self._agree(one, other) for one, other in zip(action.arguments, wanted.arguments, strict=True))
        return action.arguments == wanted.arguments

    def _points(self, action: ActionCall, wanted: ActionCall, boxes: tuple[Box, ...]) -> bool:
        (x, y), (to_x, to_y) = numbers(action), numbers(wanted)
        away = math.hypot((x - to_x) / self.size[0], (y - to_y) / self.size[1])
        return away < self.distance and (not boxes or any(inside(x, y, box) for box in boxes))

    def _agree(self, one: object, other: object) -> bool:
        if isinstance(one, str) and isinstance(other, str):
            return word_f1(one, other) >= self.f1
        return one == other


def part_of(response: str, tag: str) -> str | None:
    """The text between ``<tag>`` and ``</tag>``. None unless there is just one of each: two would be a hedge."""
    start, end = f"<{tag}>", f"</{tag}>"
    if response.count(start) != 1 or response.count(end) != 1:
        return None
    _, opened, rest = response.partition(start)
    inner, closed, _ = rest.partition(end)
    return inner if opened and closed else None


def boxes_of(response: str) -> tuple[Box, ...] | None:
    """The boxes of an answer, or None if it has none that can be read."""
    try:
        return parse_boxes(part_of(response, "blink") or "")
    except ValueError:
        return None


def action_of(response: str) -> ActionCall | None:
    """The action of an answer, or None if it has none that can be read."""
    try:
        return parse_action(part_of(response, "link") or "")
    except ValueError:
        return None


def kinds(call: ActionCall) -> str:
    """``n`` for each number and ``t`` for each text among the arguments."""
    return "".join("t" if isinstance(argument, str) else "n" for argument in call.arguments)


def numbers(call: ActionCall) -> tuple[float, ...]:
    """The arguments of a call of numbers."""
    return tuple(float(argument) for argument in call.arguments)


def direction(call: ActionCall) -> str:
    """Where a movement ``(x1, y1, x2, y2)`` mainly goes, as y grows downwards. "" if it stays where it is."""
    x1, y1, x2, y2 = numbers(call)
    right, down = x2 - x1, y2 - y1
    if right == 0 == down:
        return ""
    if abs(right) > abs(down):
        return "right" if right > 0 else "left"
    return "down" if down > 0 else "up"


def word_f1(one: str, other: str) -> float:
    """``2 |common| / (|one| + |other|)`` for the sets of words in small letters. 1 if neither has any."""
    first, second = set(one.lower().split()), set(other.lower().split())
    return 2 * len(first & second) / (len(first) + len(second)) if first or second else 1.0
