"""Distances in MiniHack worlds: by hand on drawn maps, and against the game itself."""

from __future__ import annotations

import contextlib
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest

pytest.importorskip("nle", reason="needs the extra 'minihack'")
pytest.importorskip("minigrid", reason="needs the extra 'minigrid'")

from potentia.envs.minihack import register
from potentia.envs.minihack.level_files import compile_level, pack_archive, read_description
from potentia.envs.minihack.stock_game import nethack
from potentia.envs.minihack.walking import UNREACHABLE, Abilities, cell_index, distances, survey

register()

# Terrain type and door state of each drawn cell, as NetHack numbers them.
CELLS = {
    " ": (0, 0),
    "#": (23, 0),
    ".": (24, 0),
    ">": (25, 2),
    "<": (25, 1),
    "'": (22, 2),
    "+": (22, 4),
    "L": (22, 8),
    "D": (22, 0),
    "S": (14, 0),
    "h": (15, 0),
    "~": (20, 0),
    "T": (13, 0),
}


def drawn(*rows: str) -> bytes:
    """A level with `rows` in its top left corner, as in the game's memory (whose column 0 is unused)."""
    cells = np.zeros((80, 21), np.uint32)
    for y, row in enumerate(rows):
        for x, letter in enumerate(row):
            terrain, state = CELLS[letter]
            cells[x + 1, y] = terrain | state << 16
    return cells.tobytes()


def walk(level: bytes, column: int, row: int, abilities: Abilities | None = None) -> int:
    terrain = survey(level, abilities or Abilities())
    return distances(terrain, dict.fromkeys(terrain.goals, 0))[cell_index(column, row)]


def test_diagonal_steps_count_one() -> None:
    # From (0, 0) to (4, 2): the larger difference, 4.
    assert walk(drawn(".....", ".....", "....>"), 0, 0) == 4


def test_stairs_up_are_not_the_goal() -> None:
    assert walk(drawn("<..>"), 1, 0) == 2


@pytest.mark.parametrize(
    ("door", "abilities", "expected"),
    [
        # Stairs at (2, 1), the door at (1, 1), the hero at (0, 0).
        # Diagonally in and straight out of a doorway without a door: 2.
        ("D", Abilities(), 2),
        # Not diagonally through an open door: down, in, out = 3.
        ("'", Abilities(), 3),
        # The same and opening it: 4.
        ("+", Abilities(), 4),
        # A locked door stops who cannot kick; kick, direction, then diagonally through the wreck: 2 + 2.
        ("L", Abilities(), UNREACHABLE),
        ("L", Abilities(kick=True), 4),
        # A hidden door: search from where the hero is, then as a closed one: 1 + 4.
        ("S", Abilities(kick=True), UNREACHABLE),
        ("S", Abilities(search=True), 5),
        # A hidden corridor: search, then diagonally in and out: 1 + 2.
        ("h", Abilities(search=True), 3),
        ("~", Abilities(kick=True, search=True), UNREACHABLE),
        ("T", Abilities(kick=True, search=True), UNREACHABLE),
    ],
)
def test_doors(door: str, abilities: Abilities, expected: int) -> None:
    assert walk(drawn(". ", f".{door}>"), 0, 0, abilities) == expected


def test_heavy_load_does_not_squeeze_between_rocks() -> None:
    level = drawn(". ", " >")
    assert walk(level, 0, 0, Abilities(squeeze=True)) == 1
    assert walk(level, 0, 0, Abilities(squeeze=False)) == UNREACHABLE
    assert walk(drawn("..", " >"), 0, 0, Abilities(squeeze=False)) == 1


def test_hero_on_a_closed_off_cell_still_gets_away() -> None:
    terrain = survey(drawn("....>"), Abilities()).without([cell_index(1, 0)])
    field = distances(terrain, dict.fromkeys(terrain.goals, 0))
    # The trap at (1, 0) can be left, not entered.
    assert field[cell_index(1, 0)] == 3
    assert field[cell_index(0, 0)] == UNREACHABLE


@pytest.mark.parametrize(
    ("task", "seeds"),
    [
        ("MiniHack-Room-5x5-v0", 2),
        ("MiniHack-Room-Random-15x15-v0", 4),
        ("MiniHack-Room-Dark-15x15-v0", 4),
        ("MiniHack-Room-Trap-15x15-v0", 4),
        ("MiniHack-KeyRoom-S5-v0", 4),
        ("MiniHack-KeyRoom-Dark-S15-v0", 2),
        ("MiniHack-MazeWalk-9x9-v0", 3),
        ("MiniHack-MultiRoom-N2-v0", 3),
        ("MiniHack-MultiRoom-N4-Locked-v0", 1),
        ("MiniHack-Corridor-R2-v0", 2),
        ("MiniHack-HideNSeek-v0", 1),
    ],
)
def test_distance_is_exact_in_the_game(task: str, seeds: int) -> None:
    """Tries every action in every state of an episode, by replay: the best leaves one less, none leaves less.

    With 0 at success only, that makes the distance the exact number of actions. A chance action that fails (a
    stuck door, a kick) leaves the distance as it is, or adds one if its question was open; it is tried again.
    """
    with contextlib.closing(gym.make(f"potentia/{task}", info_keys=("caption", "distance", "success"))) as env:
        for seed in range(seeds):
            _, info = env.reset(seed=seed)
            path: list[int] = []
            failures = 0
            while not info["success"]:
                reached = [_after(env, seed, [*path, action]) for action in range(env.action_space.n)]
                left = [there["distance"] for there in reached if there["distance"] >= 0]
                assert min(left) >= info["distance"] - 1
                best = [there["distance"] for there in reached].index(min(left))
                if min(left) != info["distance"] - 1:
                    failures += 1
                    best = _chance_action(reached)
                path.append(best)
                info = reached[best]
                assert len(path) < 150
            expected = _after(env, seed, [])["distance"]
            assert len(path) == expected or failures


def _after(env: gym.Env, seed: int, actions: list[int]) -> dict:
    _, info = env.reset(seed=seed)
    for action in actions:
        *_, info = env.step(action)
    return info


def _chance_action(reached: list[dict]) -> int:
    """The action that met with bad luck; searching, the corridors' last action, fails silently."""
    unlucky = ("This door is stuck", "The door is stuck", "WHAMM", "Whammm", "Thump")
    for action, info in enumerate(reached):
        if any(word.lower() in info["caption"].lower() for word in unlucky):
            return action
    assert len(reached) == 11, [(info["distance"], info["caption"]) for info in reached]
    return 10


def test_quest_freezes_a_way_across_the_lava() -> None:
    with contextlib.closing(gym.make("potentia/MiniHack-Quest-Easy-v0", info_keys="all")) as env:
        actions = [int(action) for action in env.unwrapped._game.actions]
        # The eight directions, the command to zap, and the letter of the wand.
        candidates = [actions.index(ord(key)) for key in "hjklyubnzg"]
        _, info = env.reset(seed=0)
        path: list[int] = []
        happened: list[str] = []
        start = info["distance"]
        while not info["success"]:
            reached = [_after(env, 0, [*path, action]) for action in candidates]
            left = [there["distance"] for there in reached]
            # Never less than one less, and in this level no monster is in the way of the best.
            assert min(value for value in left if value >= 0) == info["distance"] - 1
            best = left.index(info["distance"] - 1)
            path.append(candidates[best])
            info = reached[best]
            happened += [name for name, now in info["subgoals"].items() if now and name != "defeated_monster"]
    assert len(path) == start
    assert happened == ["bridged", "reached_goal"]


def test_key_room_events_come_in_order() -> None:
    with contextlib.closing(gym.make("potentia/MiniHack-KeyRoom-S5-v0", info_keys="all")) as env:
        for seed in range(3):
            _, info = env.reset(seed=seed)
            path: list[int] = []
            happened: list[str] = []
            while not info["success"]:
                reached = [_after(env, seed, [*path, action]) for action in range(env.action_space.n)]
                path.append(next(a for a, there in enumerate(reached) if there["distance"] == info["distance"] - 1))
                info = reached[path[-1]]
                happened += [name for name, now in info["subgoals"].items() if now]
            assert happened == ["picked_up_key", "opened_door", "unlocked_door", "reached_goal"]


def test_hidden_state_agrees_with_what_a_lit_room_shows() -> None:
    with contextlib.closing(
        gym.make("potentia/MiniHack-Room-Monster-15x15-v0", info_keys="all", observation_keys=("glyphs",))
    ) as env:
        for seed in range(5):
            observation, _ = env.reset(seed=seed)
            hidden = env.unwrapped._hidden
            shown = {
                (x, y)
                for (y, x), glyph in np.ndenumerate(observation["glyphs"])
                if nethack().glyph_is_monster(int(glyph)) and (x, y) != hidden.hero()
            }
            assert {(monster.column, monster.row) for monster in hidden.monsters()} == shown
            assert len(shown) >= 3  # a jackal brings friends


def test_archive_has_the_bytes_of_the_game_s_own_packer() -> None:
    # Header 40 bytes; directory "nDirectory        0\n" (20) and "na.lev" + 10 (16): contents start at 76.
    archive = pack_archive({"a.lev": b"xyz"})
    assert archive == (
        b"  1        2       16       76       79\n" + b"nDirectory        0\n" + b"na.lev       76\n" + b"xyz"
    )


def test_bad_level_is_refused_with_the_compilers_words(tmp_path: Path) -> None:
    nle = pytest.importorskip("nle")
    compiler = str(Path(nle.__file__).parent / "nethackdir" / "lev_comp")
    with pytest.raises(ValueError, match="does not compile"):
        compile_level('MAZE: "mylevel" oops', compiler)
    with pytest.raises(FileNotFoundError, match=r"nowhere\.des"):
        read_description("nowhere.des", tmp_path)
