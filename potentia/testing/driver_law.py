"""The law of the drivers: wherever a shaper runs, it earns the same. It raises ``AssertionError`` if broken."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from potentia.shaping.shaper import Shaper
from potentia.testing.case import Case
from potentia.testing.compare import columns_of
from potentia.testing.experience import NUM_ACTIONS, WalkWorld
from potentia.transitions import NEXT_ACTION
from potentia.trees import Tree
from potentia.wrappers import ShapeReward, ShapeVectorReward

_ENVS = range(3)


def drivers(case: Case) -> None:
    """An environment, a vector of them in each autoreset mode, and relabelling earn the same, or the driver refuses."""
    shaper = case.trained()
    contract = shaper.contract
    gamma, calm, steps = (1.0, 25, 45) if case.late else (0.9, 0, 20)

    def world() -> WalkWorld:
        return WalkWorld(case.experience, calm)

    if contract.needs_episodes or contract.needs_values or NEXT_ACTION in contract.info_columns:
        try:
            ShapeReward(world(), shaper, gamma=gamma, learn=False)
        except ValueError:
            return
        raise AssertionError("a driver must refuse it with a ValueError: it cannot know what it needs")
    settings: dict[str, Any] = {"gamma": gamma, "learn": False}
    if contract.truncation != "data":
        settings["truncation"] = contract.truncation
    act = case.experience.act
    try:
        want = [_single_ledger(ShapeReward(world(), case.trained(), **settings), act, env, steps) for env in _ENVS]
        for mode in AutoresetMode:
            vector = SyncVectorEnv([world] * len(_ENVS), autoreset_mode=mode)
            got = _vector_ledger(ShapeVectorReward(vector, case.trained(), **settings), act, mode, steps)
            for env in _ENVS:
                _check_ledgers(want[env], got[env], env, mode)
    except Exception as error:
        if isinstance(error, AssertionError):
            raise AssertionError(f"{error}; {_hints(shaper)}") from error
        problem = f"inside a driver, step by step, it raises {type(error).__name__}: {error}; {_hints(shaper)}"
        raise AssertionError(problem) from error


def _hints(shaper: Shaper) -> str:
    return (
        f"it reads {columns_of(shaper)}, and a driver gives (1, N) rollouts with just these: next_obs is the true "
        "successor, steps that only reset an environment are False in rollout.mask, and what is remembered belongs in "
        "the carry, one entry an environment"
    )


def _check_ledgers(want: list[list[float]], got: list[list[float]], env: int, mode: AutoresetMode) -> None:
    for step, rows in enumerate(zip(want, got, strict=True)):
        for what, one, other in zip(("reward", "true reward", "discount"), *rows, strict=True):
            assert abs(other - one) <= 1e-6 + 1e-5 * abs(one), (
                f"Env and VectorEnv ({mode.name}) differ: at step {step} of environment {env} the {what} is {one:.6g} "
                f"alone and {other:.6g} in the vector"
            )


def _actions(env: int) -> Iterator[int]:
    rng = np.random.default_rng(env)
    while True:
        yield int(rng.integers(NUM_ACTIONS))


def _single_ledger(env: ShapeReward, act: Callable[[Any], Tree], index: int, steps: int) -> list[list[float]]:
    env.reset(seed=index)
    ledger: list[list[float]] = []
    actions = _actions(index)
    while len(ledger) < steps:
        _, reward, terminated, truncated, info = env.step(act(next(actions)))
        ledger.append([float(reward), info["true_reward"], info["discount"]])
        if terminated or truncated:
            env.reset()
    return ledger


def _vector_ledger(
    env: ShapeVectorReward, act: Callable[[Any], Tree], mode: AutoresetMode, steps: int
) -> list[list[list[float]]]:
    env.reset(seed=[0, 1, 2])
    ledgers: list[list[list[float]]] = [[], [], []]
    actions = [_actions(index) for index in range(3)]
    resetting = np.zeros(3, bool)
    while min(map(len, ledgers)) < steps:
        taken = np.array([0 if wait else next(a) for wait, a in zip(resetting, actions, strict=True)])
        _, reward, terminated, truncated, info = env.step(act(taken))
        for index in range(3):
            row = [float(reward[index]), float(info["true_reward"][index]), float(info["discount"][index])]
            if not resetting[index]:
                ledgers[index].append(row)
            else:
                assert row[0] == 0, f"a step that only resets an environment earned {row[0]}"
        done = terminated | truncated
        resetting = done if mode is AutoresetMode.NEXT_STEP else np.zeros(3, bool)
        if mode is AutoresetMode.DISABLED and done.any():
            env.reset(options={"reset_mask": done})
    return [ledger[:steps] for ledger in ledgers]
