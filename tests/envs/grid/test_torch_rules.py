"""The rules in PyTorch beside the compiled ones: two texts, one game."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves

from potentia.envs.grid.cells import BALL, BLUE, EMPTY, GOAL, GREEN, LOOKS, PICK_UP, code
from potentia.envs.grid.levels import LEVELS
from potentia.envs.grid.levels.level import Level
from potentia.envs.grid.rules import FORWARD, MARGIN, VIEW
from potentia.envs.grid.torch_env import TorchGridVectorEnv
from potentia.envs.grid.torch_rules import TorchRules, TorchState, TorchStep
from potentia.envs.grid.worlds import DISABLED, GridWorlds
from tests.staying import StaysOnDevice

BALL_CELL, GOAL_CELL = code(BALL, BLUE), code(GOAL, GREEN)
ACTIONS = [0, 1, 2, 2, 2, 2, 3, 4, 5, 5, 6]
KNOWN = [name for name, level in LEVELS.items() if TorchRules.know(level)]
PLAYED = [name for name in KNOWN if not LEVELS[name].family.moves]
ONE_OF_EACH_FAMILY = list({LEVELS[name].family.name: name for name in PLAYED}.values())
WITH_OBSTACLES = [name for name in KNOWN if name not in PLAYED]


def drawn(level: Level, count: int, max_steps: int | None = None) -> GridWorlds:
    worlds = GridWorlds(level, count, DISABLED, max_steps)
    for n in range(count):
        worlds.seed(n, n)
    worlds.reset()
    return worlds


def check_same(worlds: GridWorlds, step: TorchStep, image: Tensor) -> None:
    """Both came to the same, to the last bit."""
    out, state = worlds.out, step.state
    pairs = [(image, out.image), (state.cells, worlds.state.cells), (state.agent, worlds.state.agent)]
    pairs += [(state.task, worlds.state.task), (step.reward, out.reward), (step.terminated, out.terminated)]
    pairs += [(step.truncated, out.truncated), (step.success, out.success)]
    for k, (got, want) in enumerate(pairs):
        np.testing.assert_array_equal(got.numpy(), want, str(k))
    assert (step.reward.dtype, image.dtype, state.cells.dtype) == (torch.float64, torch.uint8, torch.uint8)


@pytest.mark.exhaustive(20)
@pytest.mark.parametrize("name", PLAYED)
def test_every_level_is_the_compiled_game(name: str) -> None:
    worlds, rules = drawn(LEVELS[name], 32), TorchRules(LEVELS[name])
    state = TorchState.from_worlds(worlds)
    assert (rules.observe(state).numpy() == worlds.out.image).all()
    for row in np.random.default_rng(len(name)).choice(ACTIONS, (80, 32)):
        worlds.step(row)
        step = rules.step(state, torch.from_numpy(row))
        state = step.state
        check_same(worlds, step, rules.observe(state))
        if worlds.out.waiting.any():
            worlds.reset(worlds.out.waiting)
            state = TorchState.from_worlds(worlds)


def scramble(worlds: GridWorlds, rng: np.random.Generator) -> None:
    """Anything anywhere: all that the rules tell apart comes up, however rare it is in a game."""
    plan, state, rows = worlds.plan, worlds.state, np.arange(worlds.num_envs)
    inside = np.zeros((plan.height + 2 * MARGIN, plan.stride), bool)
    inside[MARGIN + 1 : MARGIN + plan.height - 1, MARGIN + 1 : MARGIN + plan.width - 1] = True
    places = np.flatnonzero(inside)
    state.cells[:, places] = rng.integers(1, len(LOOKS), (len(rows), len(places)))
    some_empty = rng.random((len(rows), len(places))) < 0.5
    state.cells[:, places] = np.where(some_empty, 1, state.cells[:, places])
    position, direction = rng.choice(places, len(rows)), rng.integers(0, 4, len(rows))
    carried = np.where(rng.random(len(rows)) < 0.5, rng.choice(np.flatnonzero(PICK_UP), len(rows)), 0)
    state.agent[:] = np.stack([position, direction, carried, rng.integers(0, plan.max_steps, len(rows))], 1)
    ahead = position + np.array([1, plan.stride, -1, -plan.stride])[direction]
    notes = [ahead, state.cells[rows, ahead], position, carried, rng.choice(places, len(rows))]
    for column in range(state.task.shape[1]):
        state.task[:, column] = np.choose(rng.integers(0, len(notes), len(rows)), notes)
    worlds.out.waiting[:] = False


@pytest.mark.parametrize("name", ONE_OF_EACH_FAMILY)
def test_every_kind_is_the_compiled_game_wherever_it_stands(name: str) -> None:
    worlds, rules = drawn(LEVELS[name], 120, 37), TorchRules(LEVELS[name], max_steps=37)
    rng = np.random.default_rng(0)
    won = lost = cut = 0
    for _ in range(40):
        scramble(worlds, rng)
        state = TorchState.from_worlds(worlds)
        actions = rng.integers(0, 7, 120)
        worlds.step(actions)
        step = rules.step(state, torch.from_numpy(actions))
        check_same(worlds, step, rules.observe(step.state))
        won += int(step.success.sum())
        lost += int((step.terminated & ~step.success).sum())
        cut += int(step.truncated.sum())
    assert min(won, lost, cut) > 0


def test_a_step_writes_into_nothing_that_it_is_given() -> None:
    worlds = drawn(LEVELS["DoorKey-5x5"], 8)
    state, rules = TorchState.from_worlds(worlds), TorchRules(LEVELS["DoorKey-5x5"])
    kept = [part.clone() for part in state]
    for action in range(7):
        actions = torch.full((8,), action)
        rules.observe(rules.step(state, actions).state)
        assert (actions == action).all()
    assert all(torch.equal(part, before) for part, before in zip(state, kept, strict=True))
    for part in state:
        part.zero_()
    assert worlds.state.cells.any()  # it was a copy


@pytest.mark.parametrize("dtype", [torch.uint8, torch.int32, torch.int64])
def test_actions_of_any_integer_dtype_and_other_numbers_do_nothing(dtype: torch.dtype) -> None:
    state, rules = TorchState.from_worlds(drawn(LEVELS["MemoryS7"], 7)), TorchRules(LEVELS["MemoryS7"])
    got, want = rules.step(state, torch.arange(7, dtype=dtype)), rules.step(state, torch.arange(7))
    assert all(torch.equal(a, b) for a, b in zip(tree_leaves(got), tree_leaves(want), strict=True))
    after = rules.step(state, torch.full((7,), 9, dtype=dtype)).state
    assert torch.equal(after.cells, state.cells)
    assert torch.equal(after.agent - state.agent, torch.tensor([[0, 0, 0, 1]]).expand(7, 4))


@pytest.mark.parametrize("name", [*ONE_OF_EACH_FAMILY, WITH_OBSTACLES[0]])
def test_the_host_never_waits_for_the_device(name: str) -> None:
    state, rules = TorchState.from_worlds(drawn(LEVELS[name], 8)), TorchRules(LEVELS[name])
    actions = torch.arange(8) % 7
    with StaysOnDevice("cpu") as mode:
        for _ in range(3):
            state = rules.step(state, actions).state
            rules.observe(state)
    assert mode.count > 60


@pytest.mark.exhaustive(20)
@pytest.mark.parametrize("name", KNOWN)
def test_nothing_depends_on_what_the_tensors_hold(name: str) -> None:
    """On the device ``meta`` they hold nothing, and can't be read."""
    level, count = LEVELS[name], 5
    size = (level.width + 2 * MARGIN) * (level.height + 2 * MARGIN)
    state = TorchState(
        torch.empty((count, size), dtype=torch.uint8, device="meta"),
        torch.empty((count, 4), dtype=torch.int64, device="meta"),
        torch.empty((count, level.task_width), dtype=torch.int64, device="meta"),
    )
    rules = TorchRules(level, device="meta")
    actions = torch.empty(count, dtype=torch.int64, device="meta")
    with StaysOnDevice("meta"):
        step = rules.step(state, actions)
        image = rules.observe(step.state)
    assert [(part.shape, part.dtype) for part in step.state] == [(part.shape, part.dtype) for part in state]
    assert (image.shape, image.dtype) == ((count, VIEW, VIEW, 3), torch.uint8)
    assert (step.reward.shape, step.reward.dtype) == ((count,), torch.float64)
    for part in step[2:]:
        assert (part.shape, part.dtype) == ((count,), torch.bool)


@pytest.mark.parametrize(
    "wait",
    [
        lambda x: x[0].item(),
        lambda x: bool((x > 0).any()),
        lambda x: x[x > 0],
        lambda x: x.masked_select(x > 0),
        lambda x: (x > 0).nonzero(),
        lambda x: x.index_put((x > 0,), x[0]),
        lambda x: x.to("meta"),
    ],
)
def test_the_check_itself_sees_who_waits(wait: Callable[[Tensor], object]) -> None:
    x = torch.arange(3)
    with pytest.raises(AssertionError, match="the device"), StaysOnDevice("cpu"):
        wait(x)


@pytest.mark.parametrize("name", WITH_OBSTACLES)
def test_all_but_where_obstacles_go_is_the_compiled_game(name: str) -> None:
    """Rewards and ends depend on what is there before the obstacles move; the agent's place on where they went."""
    worlds = drawn(LEVELS[name], 64, 30)
    rules = TorchRules(LEVELS[name], max_steps=30, generator=torch.Generator().manual_seed(0))
    rng, crashes, wins, moved = np.random.default_rng(0), 0, 0, 0
    for _ in range(100):
        before, actions = TorchState.from_worlds(worlds), torch.from_numpy(rng.choice([0, 1, 2, 2, 2, 5], 64))
        worlds.step(actions.numpy())
        after, out = rules.step(before, actions), worlds.out
        for got, want in ((after.reward, out.reward), (after.terminated, out.terminated)):
            np.testing.assert_array_equal(got.numpy(), want)
        for got, want in ((after.truncated, out.truncated), (after.success, out.success)):
            np.testing.assert_array_equal(got.numpy(), want)
        state, ahead = after.state, before.agent[:, 0] + rules._heading[before.agent[:, 1]]
        free = torch.from_numpy(np.isin(state.cells.gather(1, ahead[:, None])[:, 0].numpy(), [EMPTY, GOAL_CELL]))
        goes = (actions == FORWARD) & free & ~(state.task[:, 1:] == ahead[:, None]).any(1)
        # To where an obstacle stood goes who crashes into one that moves on.
        assert torch.equal(state.agent[:, 0], torch.where(goes, ahead, before.agent[:, 0]))
        np.testing.assert_array_equal(state.agent[:, 1:].numpy(), worlds.state.agent[:, 1:])
        obstacles = (state.cells == BALL_CELL).sum(1)
        assert (obstacles == LEVELS[name].parameters.number).all()
        assert (state.cells.gather(1, state.task[:, 1:]) == BALL_CELL).all()
        steps = (state.task[:, 1:] - before.task[:, 1:]).abs() % rules.stride
        assert ((steps <= 1) | (steps == rules.stride - 1)).all()
        crashes, wins = crashes + int((after.reward == -1).sum()), wins + int(after.success.sum())
        moved += int((state.task[:, 1:] != before.task[:, 1:]).sum())
        if worlds.out.waiting.any():
            worlds.reset(worlds.out.waiting)
    assert min(crashes, moved) > 100
    assert (wins > 0) == (LEVELS[name].width < 16)  # from whose corner 30 steps are too few


@pytest.mark.parametrize(("name", "seed"), [("Dynamic-Obstacles-5x5", 0), ("Dynamic-Obstacles-6x6", 3)])
def test_obstacles_move_as_often_to_each_cell_as_in_the_compiled_game(name: str, seed: int) -> None:
    """Of 40,000 worlds that stand alike, the shares of where all obstacles are, and each, differ by less than 0.015.

    The standard deviation of a difference is at most 0.0035.
    """
    count, level = 40_000, LEVELS[name]
    worlds = GridWorlds(level, count, DISABLED)
    one = GridWorlds(level, 1, DISABLED)
    one.seed(0, seed)
    one.reset()
    saved = one.save()
    streams = worlds.state.rng.copy()
    for n in range(count):
        streams[n] = np.random.default_rng([seed, n]).integers(0, 2**63, 6)
    streams[:, 3] |= np.uint64(1)
    streams[:, 4:] = 0
    worlds.restore(saved, np.zeros(count, int))
    worlds.state.rng[:] = streams
    state = TorchState.from_worlds(worlds)
    step = TorchRules(level, generator=torch.Generator().manual_seed(0)).step(state, torch.zeros(count).long())
    worlds.step(np.zeros(count, np.int64))
    ours, theirs = step.state.task[:, 1:].numpy(), worlds.state.task[:, 1:]
    arrangements, which = np.unique(np.concatenate([ours, theirs]), axis=0, return_inverse=True)
    shares = [np.bincount(part, minlength=len(arrangements)) / count for part in np.split(which.reshape(-1), 2)]
    assert len(arrangements) > 10
    assert np.abs(shares[0] - shares[1]).max() < 0.015
    for k in range(level.parameters.number):
        a, b = (np.bincount(part[:, k], minlength=state.cells.shape[1]) / count for part in (ours, theirs))
        assert np.abs(a - b).max() < 0.015


def test_an_obstacle_with_nowhere_to_go_stays() -> None:
    worlds = drawn(LEVELS["Dynamic-Obstacles-8x8"], 4)
    rules = TorchRules(LEVELS["Dynamic-Obstacles-8x8"])
    state = TorchState.from_worlds(worlds)
    state.cells[state.cells == EMPTY] = int(state.cells[0, 0])  # wall
    step = rules.step(state, torch.zeros(4).long())
    assert torch.equal(step.state.task[:, 1:], state.task[:, 1:])
    assert torch.equal(step.state.cells, state.cells)


def test_the_vector_environment_has_obstacles_too() -> None:
    envs = TorchGridVectorEnv("Dynamic-Obstacles-6x6", 16, pool=32, max_steps=20)
    runs = []
    for _ in range(2):
        envs.reset(seed=4)
        given = [envs.step(torch.full((16,), FORWARD)) for _ in range(30)]
        runs.append(torch.stack([reward for _, reward, *_ in given]))
    assert torch.equal(*runs)
    assert (runs[0] == -1).sum() > 16
