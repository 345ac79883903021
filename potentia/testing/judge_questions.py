"""Questions for a judge whose answers a world knows."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np

from potentia.envs.world import Restorable, ask, offered_keys
from potentia.judges import Achieved, Forward, Prefers, Progress, Question

__all__ = ["judge_questions"]

_KEYS = ("caption", "distance", "potential", "subgoals")


def judge_questions(
    world: str, *, episodes: int = 4, seed: int = 0, share: float = 0.6, most: int = 60, goal: str | None = None
) -> list[Question]:
    """Questions about the states and steps of episodes in a world, with the truth that the world knows.

    An action is the best one with probability ``share``, else a random one, so that episodes get somewhere. For each
    step: `Achieved` (the events of ``subgoals``, with spaces for underscores), `Progress` (1 + ``potential``),
    `Forward` (whether ``distance`` fell) and `Prefers` between the state and an earlier one of its episode (by
    ``potential``).

    Args:
        world: The id of an environment with captions, subgoals, distance and potential, and with save and restore.
        episodes: How many episodes.
        seed: Of the episodes.
        share: How often the best action is taken.
        most: The steps of an episode.
        goal: The task in words. None is the world's own text.

    Raises:
        ValueError: If the world does not have what is needed.

    >>> questions = judge_questions("potentia/KeyRooms-v0", episodes=1, most=2)
    >>> [type(question).__name__ for question in questions]
    ['Achieved', 'Progress', 'Forward', 'Prefers', 'Achieved', 'Progress', 'Forward', 'Prefers']
    """
    env = gym.make(world)
    base: Any = env.unwrapped
    space = env.action_space
    missing = set(_KEYS) - offered_keys(env)
    restorable = isinstance(env.unwrapped, Restorable)
    if missing or not restorable or not isinstance(space, gym.spaces.Discrete):
        raise ValueError(
            f"questions are drawn from worlds with {', '.join(_KEYS)}, save and restore, and discrete actions; "
            f"{world} lacks {', '.join(sorted(missing)) or 'save and restore, or discrete actions'}"
        )
    ask(env, _KEYS)
    rng = np.random.default_rng(seed)
    questions: list[Question] = []
    for episode in range(episodes):
        _, info = env.reset(seed=seed + episode)
        task = base.goal_text() if goal is None else goal
        seen = [info]
        for _ in range(most):
            action = _best(base, int(space.n)) if rng.random() < share else int(rng.integers(space.n))
            _, _, terminated, truncated, after = env.step(action)
            questions += _of_step(task, info, base.action_text(action), after, seen[int(rng.integers(len(seen)))])
            info = after
            seen.append(info)
            if terminated or truncated:
                break
    env.close()
    return questions


def _best(world: Any, actions: int) -> int:
    """An action that brings the world nearer, the first of several."""
    saved = world.save()
    distances = []
    for action in range(actions):
        after = world.step(action)[4]
        distances.append(float(after["distance"]) if after["distance"] >= 0 else np.inf)
        world.restore(saved)
    return int(np.argmin(distances))


def _of_step(
    goal: str, before: dict[str, Any], action: str, after: dict[str, Any], earlier: dict[str, Any]
) -> list[Question]:
    events = after["subgoals"]
    caption, progress = str(after["caption"]), 1.0 + float(after["potential"])
    past = 1.0 + float(earlier["potential"])
    nearer = 0 <= after["distance"] < before["distance"]
    return [
        Achieved(
            tuple(name.replace("_", " ") for name in events),
            str(before["caption"]),
            action,
            caption,
            goal=goal,
            truth=tuple(float(happened) for happened in events.values()),
        ),
        Progress(goal, caption, truth=(progress,)),
        Forward(goal, str(before["caption"]), action, caption, truth=(float(nearer),)),
        Prefers(goal, caption, str(earlier["caption"]), truth=(float(np.sign(progress - past)),)),
    ]
