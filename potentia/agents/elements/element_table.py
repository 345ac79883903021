"""What a network takes in of a table of a page's elements: facts of rows and fields, and how they match the goal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from gymnasium import spaces
from torch import Tensor

from potentia.agents.action_masks import ACTION_MASK
from potentia.agents.elements.word_matches import (
    Array,
    bucket,
    find_phrase,
    find_words,
    nearness,
    same_words,
    split_words,
)
from potentia.compiling import compiled, part
from potentia.trees import Tree

NAME_WORDS, GOAL_WORDS = 8, 64
ROW_FACTS, PAIR_FACTS, FIELD_FACTS, PAGE_FACTS = 14, 7, 4, 3
"""How many numbers `read_table` gives for a row (besides its flags), a row and a field, a field, and a page."""

_KEYS = ("role", "flags", "box", "name_bytes", "value_bytes", "goal_bytes", "field_bytes", ACTION_MASK)
_OTHERS = 5


@dataclass(frozen=True)
class TableSizes:
    """How large the tables of a pair of spaces are.

    Attributes:
        elements: E, the rows.
        fields: K, the texts that can be typed.
        roles: The number of roles, with that of an empty row.
        flags: F.
    """

    elements: int
    fields: int
    roles: int
    flags: int

    @classmethod
    def of(cls, observation_space: spaces.Space[Any], action_space: spaces.Space[Any]) -> TableSizes:
        """The sizes.

        Raises:
            ValueError: If the spaces are not those of an element table.
        """
        known = observation_space.spaces if isinstance(observation_space, spaces.Dict) else {}
        missing = [key for key in _KEYS if not isinstance(known.get(key), spaces.Box)]
        if missing:
            raise ValueError(
                f"observations must be a Dict with the boxes {', '.join(_KEYS)}; without {', '.join(missing)} use "
                f"potentia.agents.PPO; got {observation_space}"
            )
        texts = [key for key, space in known.items() if isinstance(space, spaces.Text)]
        if texts:
            raise ValueError(
                f"observations must be numbers, got the texts {', '.join(texts)}; leave them out of the observation"
            )
        (elements,), fields = known["role"].shape or (0,), (known["field_bytes"].shape or (0,))[0]
        role: Any = known["role"]
        count = 1 + elements * (2 + fields) + _OTHERS - 1
        if not isinstance(action_space, spaces.Discrete) or action_space.n != count or action_space.start != 0:
            raise ValueError(
                f"actions must be Discrete(1 + E + E * K + E + 4) = Discrete({count}) for E = {elements} elements and "
                f"K = {fields} fields, got {action_space}; ask the environment for discrete actions"
            )
        return cls(elements, fields, int(np.max(role.high)) + 1, (known["flags"].shape or (0, 0))[1])


def read_table(obs: Tree, word_buckets: int) -> dict[str, Tensor]:
    """Element tables ``(N, ...)`` as numbers that a network can use, without any weights.

    A row's own text, its value and the fields are compared with the goal word for word, so that a policy can act on
    words that it has never met. Compiled loops do it on the CPU, where pages come from. Rows behind the last one that
    is not empty in any of the N tables are left out: R of E are read. P slots hold those that can be typed into.

    Returns:
        Arrays by name. ``role`` is (N, R). ``facts`` (N, R, F + 14) come from `_read_row`. ``names`` (N, R, 8) are
        numbers of words. ``slots`` (N, P) are the rows that can be typed into, E for none. ``pairs`` (N, P, K, 7) come
        from `_read_pair`. ``fields`` (N, K, 4) come from `_read_field`. ``beside`` (N, K, 2) are the words beside each
        field in the goal. ``goal`` (N, 64) are its words. ``page`` (N, 3) are shares of fields given, of these typed,
        and of rows not empty. The last entry is ``action_mask``.
    """
    device = obs["role"].device
    arrays = {key: np.ascontiguousarray(obs[key].cpu().numpy()) for key in _KEYS}
    role, boxes = arrays["role"].astype(np.int64), arrays["box"].astype(np.float32)
    (size, elements), fields, flags = role.shape, arrays["field_bytes"].shape[1], arrays["flags"].shape[2]
    rows = int(np.flatnonzero(role.any(0)).max(initial=0)) + 1
    typing = arrays[ACTION_MASK][:, 1 + elements : 1 + elements * (1 + fields)].reshape(size, elements, fields)
    typed = typing.any(2) & (role != 0)
    count = max(int(typed.sum(1).max(initial=0)), 1)
    # The rows that can be typed into come first, in their order.
    slots = np.sort(np.where(typed, np.arange(elements), elements), axis=1)[:, :count]
    seen = {
        "facts": np.zeros((size, rows, flags + ROW_FACTS), np.float32),
        "names": np.zeros((size, rows, NAME_WORDS), np.int64),
        "pairs": np.zeros((size, count, fields, PAIR_FACTS), np.float32),
        "fields": np.zeros((size, fields, FIELD_FACTS), np.float32),
        "beside": np.zeros((size, fields, 2), np.int64),
        "goal": np.zeros((size, GOAL_WORDS), np.int64),
        "page": np.zeros((size, PAGE_FACTS), np.float32),
    }
    columns = [role, arrays["flags"], boxes, *(arrays[f"{text}_bytes"] for text in ("name", "value", "goal", "field"))]
    fill: Any = _read_pages
    fill(*columns, slots, word_buckets, *seen.values())
    whole = {"role": role[:, :rows].copy(), "slots": slots, **seen}
    return {name: torch.from_numpy(part).to(device) for name, part in whole.items()} | {ACTION_MASK: obs[ACTION_MASK]}


@compiled("the reading of element tables", work=None)
def _read_pages(
    role: Array, flags: Array, boxes: Array, names: Array, values: Array, goals: Array, fields: Array, slots: Array,
    word_buckets: int, facts: Array, name_ids: Array, pairs: Array, field_facts: Array, beside: Array, goal_ids: Array,
    page: Array,
) -> None:  # fmt: skip
    """Fills what `read_table` returns, page by page."""
    (size, rows), count = facts.shape[:2], fields.shape[1]
    goal_words, text_words = np.empty(GOAL_WORDS, np.uint64), np.empty((count + 2, NAME_WORDS), np.uint64)
    lengths, spans = np.zeros(count, np.int64), np.zeros((count, 2), np.int64)
    name, value = text_words[count], text_words[count + 1]
    for i in range(size):
        goal = goal_words[: split_words(goals[i], goal_words)]
        for place in range(len(goal)):
            goal_ids[i, place] = bucket(goal[place], word_buckets)
        for k in range(count):
            lengths[k] = split_words(fields[i, k], text_words[k])
            _read_field(text_words[k, : lengths[k]], goal, word_buckets, spans[k], field_facts[i, k], beside[i, k])
        live, slot, extent = 0, 0, _extent(boxes[i])
        for e in range(rows):
            if role[i, e] == 0:
                continue
            live += 1
            own, content = name[: split_words(names[i, e], name)], value[: split_words(values[i, e], value)]
            for place in range(len(own)):
                name_ids[i, e, place] = bucket(own[place], word_buckets)
            typed = slot < slots.shape[1] and slots[i, slot] == e
            phrase, word = _read_row(own, goal, flags[i, e], boxes[i, e], extent, facts[i, e])
            for k in range(count):
                field = text_words[k, : lengths[k]]
                is_value, is_name = same_words(content, field), same_words(own, field)
                facts[i, e, -4] += is_name
                facts[i, e, -3] += is_value
                field_facts[i, k, 3] = max(field_facts[i, k, 3], is_value)
                if typed:
                    pairs[i, slot, k, 0], pairs[i, slot, k, 1] = is_value, is_name
                    _read_pair(phrase, word, len(own), spans[k], pairs[i, slot, k])
            facts[i, e, -2] = len(content) > 0
            slot += typed
        _read_lines(boxes[i], facts[i])
        _read_order(boxes[i], slots[i], spans, pairs[i])
        known, done = field_facts[i, :, 0].sum(), (field_facts[i, :, 0] * field_facts[i, :, 3]).sum()
        page[i, 0], page[i, 1], page[i, 2] = known / count, done / max(known, 1.0), live / role.shape[1]


@part
def _read_field(field: Array, goal: Array, word_buckets: int, span: Array, facts: Array, beside: Array) -> None:
    """Facts: whether there is a field, whether it is in the goal, where, and (later) whether it is a row's value."""
    begin = find_phrase(field, goal, np.empty(len(goal), np.bool_))
    end = begin + len(field)
    span[0], span[1] = begin, end
    facts[0], facts[1], facts[2] = len(field) > 0, begin >= 0, (begin + 1) / GOAL_WORDS
    if begin > 0:
        beside[0] = bucket(goal[begin - 1], word_buckets)
    if begin >= 0 and end < len(goal):
        beside[1] = bucket(goal[end], word_buckets)


@part
def _extent(boxes: Array) -> tuple[float, float]:
    """How far right and down a page's rows reach, in pixels, at least 1."""
    right, bottom = 1.0, 1.0
    for x, y, width, height in boxes:
        right, bottom = max(right, x + width), max(bottom, y + height)
    return right, bottom


@part
def _read_row(
    name: Array, goal: Array, flags: Array, box: Array, extent: tuple[float, float], facts: Array
) -> tuple[Array, Array]:
    """Facts of a row, and where its name, or a word of it, stands in the goal.

    The flags come first. Then come center and size as shares of how far the page's rows reach, and whether there is a
    layout. Then come whether the name is in the goal, where, and its length. Then come the share of its words that are
    in the goal, and of the goal's that it has. Filled in later are whether it is a field, whether the value is one,
    whether there is a value, and `_read_lines`.
    """
    phrase, word = np.empty(len(goal), np.bool_), np.empty(len(goal), np.bool_)
    first = find_phrase(name, goal, phrase)
    shares = find_words(name, goal, word)
    facts[: len(flags)] = flags
    mine = facts[len(flags) :]
    if box[2] > 0 and box[3] > 0:
        mine[0], mine[1] = (box[0] + box[2] / 2) / extent[0], (box[1] + box[3] / 2) / extent[1]
        mine[2], mine[3], mine[4] = box[2] / extent[0], box[3] / extent[1], 1.0
    mine[5], mine[6] = first >= 0, (first + 1) / GOAL_WORDS
    mine[7] = len(name) / NAME_WORDS if first >= 0 else 0.0
    mine[8], mine[9] = shares
    return phrase, word


@part
def _read_pair(phrase: Array, word: Array, length: int, span: Array, facts: Array) -> None:
    """Facts of a row and a field, but for the first two, whether the value and whether the name is the field.

    How near to the field in the goal the whole name stands, before and after, and how near any word of it does. The
    last fact is that of `_read_order`.
    """
    facts[2], facts[3] = nearness(phrase, length, span[0], span[1])
    facts[4], facts[5] = nearness(word, 1, span[0], span[1])


@part
def _read_order(boxes: Array, slots: Array, spans: Array, pairs: Array) -> None:
    """The last fact of a row and a field: whether as many text boxes stand above it as texts before it in the goal.

    Forms are mostly filled in the order in which the goal tells what to put in. Boxes on one line go from left to
    right. Without a layout it is never so.
    """
    laid = (boxes[:, 2] > 0) & (boxes[:, 3] > 0)
    typed = [row for row in slots if row < len(boxes) and laid[row]]
    before = np.array([((spans[:, 0] >= 0) & (spans[:, 0] < begin)).sum() for begin in spans[:, 0]])
    for p in range(len(slots)):
        row = slots[p]
        if row == len(boxes) or not laid[row]:
            continue
        (x, y), above = boxes[row, :2], 0
        for other in typed:
            above += boxes[other, 1] < y or (boxes[other, 1] == y and boxes[other, 0] < x)
        pairs[p, :, -1] = (spans[:, 0] >= 0) & (before == above)


@part
def _read_lines(boxes: Array, facts: Array) -> None:
    """The last fact: the largest share of a name's words in the goal among other rows that a row's middle line crosses.

    A button says "Delete", and the name of what it deletes stands beside it.
    """
    rows, laid, share = facts.shape[0], facts.shape[1] - 10, facts.shape[1] - 6
    for e in range(rows):
        middle = boxes[e, 1] + boxes[e, 3] / 2
        for other in range(rows):
            crossed = boxes[other, 1] <= middle <= boxes[other, 1] + boxes[other, 3]
            if other != e and facts[e, laid] > 0 and facts[other, laid] > 0 and crossed:
                facts[e, -1] = max(facts[e, -1], facts[other, share])
