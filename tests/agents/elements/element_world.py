"""A tiny web of one page: the observations and actions of the web family's element tables, with words drawn at will."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode, SyncVectorEnv

LINK, BUTTON, TEXTBOX, TEXT = 1, 2, 3, 12
OTHERS = 5


def vocabulary(count: int, seed: int) -> list[str]:
    """Words of three syllables: seeds of one parity share no word with those of the other."""
    rng = np.random.default_rng(seed)
    first, letters = "bdfgk" if seed % 2 else "lmnpr", "bdfgklmnprstvz"
    words: dict[str, None] = {}
    while len(words) < count:
        syllables = [rng.choice(list(first)), *rng.choice(list(letters), 2)]
        words["".join(consonant + rng.choice(list("aeiou")) for consonant in syllables)] = None
    return list(words)


def table_space(elements: int, fields: int, length: int = 16, goal: int = 96) -> tuple[spaces.Dict, spaces.Discrete]:
    """The spaces of the web family's element tables."""
    actions = 1 + elements * (2 + fields) + 4

    def octets(*shape: int) -> spaces.Box:
        return spaces.Box(0, 255, shape, np.uint8)

    observations = {
        "goal_bytes": octets(goal),
        "role": spaces.Box(0, 16, (elements,), np.uint8),
        "box": spaces.Box(-32768, 32767, (elements, 4), np.int16),
        "flags": spaces.Box(0, 1, (elements, 6), np.uint8),
        "name_bytes": octets(elements, length),
        "value_bytes": octets(elements, length),
        "field_bytes": octets(fields, length),
        "action_mask": spaces.Box(0, 1, (actions,), np.int8),
    }
    return spaces.Dict(observations), spaces.Discrete(actions)


class ElementWorld(gym.Env[Any, Any]):
    """``click "Foo"``, or forms to fill in and send; pays 1 at the end, and any wrong click ends it at 0.

    A form has two text boxes, of which one or both are to be filled in. Their labels stand before or after the quoted
    text: ``Type "abc" into Name and "def" into Place and press Save``, ``Fill Name with "abc" and press Save``.

    Args:
        words: What names, labels and texts are drawn from.
        elements: E.
        fields: K, at least 2.
        length: L.
        goal: G.
        rows: The most rows that are not empty, at least 5.
    """

    def __init__(
        self, words: list[str], elements: int = 10, fields: int = 2, length: int = 16, goal: int = 96, rows: int = 8
    ) -> None:
        self.words, self.elements, self.fields, self.rows = words, elements, fields, rows
        self.observation_space, self.action_space = table_space(elements, fields, length, goal)

    def _write(self, key: str, row: int | None, text: str) -> None:
        array = self.table[key] if row is None else self.table[key][row]
        array[:] = 0
        array[: len(text)] = np.frombuffer(text.encode(), np.uint8)

    def reset(self, *, seed: int | None = None, options: Any = None) -> tuple[Any, dict[str, Any]]:
        super().reset(seed=seed)
        self.table = {key: np.zeros(box.shape, box.dtype) for key, box in self.observation_space.spaces.items()}
        rng, self.t = self.np_random, 0
        rows = int(rng.integers(5, self.rows + 1))
        drawn = [self.words[index] for index in rng.choice(len(self.words), rows + 2, replace=False)]
        names, texts, order = [word.capitalize() for word in drawn[:rows]], drawn[rows:], rng.permutation(rows)
        boxes, self.target = [int(row) for row in order[:2]], int(order[2])
        kind = int(rng.integers(3))
        self.wanted = {row: text for row, text in zip(boxes[:kind], texts[:kind], strict=True)}
        parts = [(f'"{text}"', names[row]) for row, text in self.wanted.items()]
        if not parts:
            goal, boxes, self.texts = f'click "{names[self.target]}"', [], [names[self.target]]
        else:
            before = rng.integers(2)
            told = [f"{label} with {text}" if before else f"{text} into {label}" for text, label in parts]
            goal = f"{'Fill' if before else 'Type'} {' and '.join(told)} and press {names[self.target]}"
            self.texts = list(rng.permutation(texts[:kind]))
        self._write("goal_bytes", None, goal)
        for index, text in enumerate(self.texts):
            self._write("field_bytes", index, text)
        for row, name in enumerate(names):
            self._write("name_bytes", row, name)
            role = TEXTBOX if row in boxes else int(rng.choice([LINK, BUTTON]))
            self.table["role"][row] = role
            self.table["flags"][row] = (1, role == TEXTBOX, 0, 0, 0, 1)
            self.table["box"][row] = (rng.integers(0, 600), 30 * row, 100, 20)
        mask = self.table["action_mask"]
        mask[: 1 + rows] = 1
        for row in boxes:
            start = 1 + self.elements + row * self.fields
            mask[start : start + len(self.texts)] = 1
        self.values: dict[int, str] = {}
        return self._seen(), {"success": False}

    def _seen(self) -> dict[str, Any]:
        return {key: part.copy() for key, part in self.table.items()}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        action, self.t = int(action), self.t + 1
        assert self.table["action_mask"][action] == 1, "an impossible action"
        over = success = False
        if 1 <= action <= self.elements:
            over = self.table["role"][action - 1] != TEXTBOX
            success = action - 1 == self.target and self.values == self.wanted
        elif action > self.elements:
            row, field = divmod(action - 1 - self.elements, self.fields)
            self._write("value_bytes", row, self.texts[field])
            self.values[row] = self.texts[field]
        return self._seen(), float(success), bool(over), self.t >= 6 and not over, {"success": success}


def worlds(words: list[str], count: int = 16, **sizes: int) -> SyncVectorEnv:
    """A vector of worlds that begin anew in the same step."""
    return SyncVectorEnv([lambda: ElementWorld(words, **sizes)] * count, autoreset_mode=AutoresetMode.SAME_STEP)
