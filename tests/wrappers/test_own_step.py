"""What is read of somebody's own wrapper, from its source."""

from __future__ import annotations

import ast
from typing import Any

import pytest

from potentia.wrappers.own_step import OwnStep, read_class, read_definition

STEP = """
class Own(Wrapper):
    def step(self, action):
        obs, reward, terminated, truncated, info = self.env.step(action)
        {body}
"""


def read(body: str) -> OwnStep:
    definition = ast.parse(STEP.format(body=body.replace("\n", "\n        "))).body[0]
    assert isinstance(definition, ast.ClassDef)
    return read_definition(definition)


@pytest.mark.parametrize(
    "body",
    [
        "return obs, reward, terminated, truncated, info",
        "return obs, float(reward), terminated, truncated, info",
        "reward = np.float32(reward)\nreturn obs, reward, terminated, truncated, info",
        "return obs, reward.item(), terminated, truncated, info",
        "self.total += reward\nreturn self.observation(obs), reward, terminated, truncated, {**info, 'sum': 1}",
    ],
)
def test_a_reward_that_is_passed_on_is_not_changed(body: str) -> None:
    assert read(body) == OwnStep()


@pytest.mark.parametrize(
    "body",
    [
        "return obs, reward - 0.01, terminated, truncated, info",
        "reward += 0.1\nreturn obs, reward, terminated, truncated, info",
        "reward = np.sign(reward)\nreturn obs, reward, terminated, truncated, info",
        "return obs, self.reward_of(obs), terminated, truncated, info",
        "if terminated:\n    return obs, 1.0, True, truncated, info\nreturn obs, reward, terminated, truncated, info",
    ],
)
def test_another_reward_is_a_change_and_no_potential(body: str) -> None:
    own = read(body)
    assert own.changes
    assert not own.potential


@pytest.mark.parametrize(
    ("body", "discounted", "sees_end"),
    [
        ("reward += self.phi(obs) - self.phi(self.last)", False, False),
        ("reward += self.gamma * self.phi(obs) - self.phi(self.last)", True, False),
        ("reward += self.gamma * (1 - terminated) * self.phi(obs) - self.phi(self.last)", True, True),
        (
            "ahead = 0 if terminated else self.gamma * value(obs)\nreward = reward + ahead - value(self.last)",
            True,
            True,
        ),
        ("potential = self.f(obs)\nextra = potential - self.last_potential\nreward += extra", False, False),
    ],
)
def test_the_difference_of_a_potential_is_known(body: str, discounted: bool, sees_end: bool) -> None:
    own = read(f"{body}\nreturn obs, reward, terminated, truncated, info")
    assert (own.changes, own.potential) == (True, True)
    assert (own.discounted, own.sees_end) == (discounted, sees_end)


def test_arithmetic_alike_on_both_sides_is_no_potential() -> None:
    own = read("reward -= np.abs(action) - np.abs(obs)\nreturn obs, reward, terminated, truncated, info")
    assert own.changes
    assert not own.potential


def test_a_class_without_source_is_unknown() -> None:
    made: Any = type("Made", (), {"step": lambda self, action: None})
    assert read_class(made) == OwnStep()
    assert read_class(int) == OwnStep()
