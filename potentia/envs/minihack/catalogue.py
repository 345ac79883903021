"""The stock tasks that are registered, and what is known about each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

OracleKind = Literal["walk", "key", "freeze", "none"]


@dataclass(frozen=True)
class Task:
    """One stock task.

    Attributes:
        entry_point: "module:Class" in minihack or nle.
        oracle: how the distance to success is computed. It is "none" where it is not known.
        horizon: D of the potential -min(distance, D) / D, about the largest distance at a start.
        events: names of subgoals, keys of `subgoals.EVENTS`. The event `reached_goal` comes on top.
        buffers: NLE buffers that the stock task's own rules read, besides the usual ones.
    """

    entry_point: str
    oracle: OracleKind = "none"
    horizon: int = 1
    events: tuple[str, ...] = ()
    buffers: tuple[str, ...] = ()


_DOORS = ("opened_door",)
_LOCKS = ("opened_door", "unlocked_door")
_FIGHT = ("defeated_monster",)


def _family(module: str, classes: dict[str, str], **known: Any) -> dict[str, Task]:
    """Tasks of one module, `{"Room-5x5": "MiniHackRoom5x5"}`, about which the same is known."""
    entry = f"minihack.envs.{module}:"
    return {f"MiniHack-{name}-v0": Task(entry + cls, **known) for name, cls in classes.items()}


def _rooms(size: str, horizon: int) -> dict[str, Task]:
    calm = {f"Room-{kind}{size}": f"MiniHackRoom{size}{name}" for kind, name in _CALM_ROOMS.items()}
    fights = {f"Room-{name}-{size}": f"MiniHackRoom{size}{name}" for name in ("Monster", "Ultimate")}
    return {
        **_family("room", calm, oracle="walk", horizon=horizon),
        **_family("room", fights, oracle="walk", horizon=horizon, events=_FIGHT),
    }


_CALM_ROOMS = {"": "", "Random-": "Random", "Dark-": "Dark", "Trap-": "Trap"}


def _multi_rooms() -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for rooms, horizon in ((2, 8), (4, 30), (6, 60), (10, 90)):
        for kind, events in _MULTI_ROOMS.items():
            if rooms == 10 and kind not in {"", "Lava", "OpenDoor", "Lava-OpenDoor"}:
                continue
            if rooms < 6 and kind.endswith("OpenDoor"):
                continue
            name = f"MultiRoom-N{rooms}" + (f"-{kind}" if kind else "")
            cls = f"MiniHackMultiRoomN{rooms}{kind.replace('-', '')}"
            tasks |= _family("minigrid", {name: cls}, oracle="walk", horizon=horizon, events=events)
    return tasks


_MULTI_ROOMS = {
    "": _DOORS,
    "Locked": _LOCKS,
    "Lava": _DOORS,
    "Monster": _DOORS + _FIGHT,
    "Extreme": _LOCKS + _FIGHT,
    "LavaMonsters": _DOORS + _FIGHT,
    "OpenDoor": (),
    "Lava-OpenDoor": (),
}


def _skills() -> dict[str, Task]:
    """Tasks about single skills. What solves them is said in messages, so no distance is known."""
    simple = [
        f"{skill}{kind}"
        for skill in ("Eat", "Pray", "PutOn", "Read", "Sink", "Wear", "Wield", "Zap")
        for kind in ("", "-Fixed", "-Distr")
    ]
    ids = {
        name: "MiniHack" + name.replace("-", "") for name in [*simple, "ClosedDoor", "LockedDoor", "LockedDoor-Fixed"]
    }
    tasks = _family("skills_simple", ids)
    for thing in ("Horn", "Lava", "Random", "Wand"):
        tasks |= _restrictable("skills_freeze", f"Freeze-{thing}", f"MiniHackFreeze{thing}")
    for thing in ("Boots", "Potion", "Ring"):
        tasks |= _family("skills_levitate", {f"Levitate-{thing}-Fixed": f"MiniHackLevitate{thing}Fixed"})
        tasks |= _restrictable("skills_levitate", f"Levitate-{thing}", f"MiniHackLevitate{thing}")
    tasks |= _family("skills_levitate", {"Levitate-Random-Full": "MiniHackLevitateRandom"})
    for way, cls in _LAVA_CROSSINGS.items():
        tasks |= _restrictable("skills_lava", f"LavaCross{way}", f"MiniHackLC{cls}")
    for level in ("Easy", "Medium", "Hard", "Pro"):
        tasks |= _restrictable("skills_wod", f"WoD-{level}", f"MiniHackWoD{level}")
    return tasks


_LAVA_CROSSINGS = {
    "": "",
    "-Levitate": "Levitate",
    "-Levitate-Potion-Inv": "LevitatePotionInv",
    "-Levitate-Potion-Pickup": "LevitatePotionPickup",
    "-Levitate-Ring-Inv": "LevitateRingInv",
    "-Levitate-Ring-Pickup": "LevitateRingPickup",
}


def _restrictable(module: str, name: str, cls: str) -> dict[str, Task]:
    return _family(module, {f"{name}-Full": cls, f"{name}-Restricted": f"{cls}RestrictedActions"})


def _mazes() -> dict[str, Task]:
    tasks: dict[str, Task] = {}
    for size, horizon in (("9x9", 20), ("15x15", 60), ("45x19", 150)):
        classes = {
            f"MazeWalk-{size}": f"MiniHackMazeWalk{size}",
            f"MazeWalk-Mapped-{size}": f"MiniHackMazeWalk{size}Premapped",
        }
        tasks |= _family("mazewalk", classes, oracle="walk", horizon=horizon)
    explore = {
        f"ExploreMaze-{level}{'-Mapped' if mapped else ''}": f"MiniHackExploreMaze{level}{mapped}"
        for level in ("Easy", "Hard")
        for mapped in ("", "Mapped")
    }
    return tasks | _family("exploremaze", explore)


def _nethack() -> dict[str, Task]:
    names = ("Score", "Staircase", "StaircasePet", "Oracle", "Gold", "Eat", "Scout")
    return {f"NetHack{name}-v0": Task(f"nle.env.tasks:NetHack{name}", events=_FIGHT) for name in names}


TASKS: dict[str, Task] = {
    **_rooms("5x5", 5),
    **_rooms("15x15", 15),
    **_family(
        "keyroom",
        {"KeyRoom-Fixed-S5": "MiniHackKeyRoom5x5Fixed"},
        oracle="key",
        horizon=14,
        events=("picked_up_key", *_LOCKS),
    ),
    **_family(
        "keyroom",
        {"KeyRoom-S5": "MiniHackKeyRoom5x5", "KeyRoom-Dark-S5": "MiniHackKeyRoom5x5Dark"},
        oracle="key",
        horizon=14,
        events=("picked_up_key", *_LOCKS),
    ),
    **_family(
        "keyroom",
        {"KeyRoom-S15": "MiniHackKeyRoom15x15", "KeyRoom-Dark-S15": "MiniHackKeyRoom15x15Dark"},
        oracle="key",
        horizon=40,
        events=("picked_up_key", *_LOCKS),
    ),
    **_family(
        "corridor",
        {f"Corridor-R{rooms}": f"MiniHackCorridor{rooms}" for rooms in (2, 3, 5)},
        oracle="walk",
        horizon=110,
        events=("opened_door", "found_hidden"),
    ),
    **_family(
        "fightcorridor",
        {"CorridorBattle": "MiniHackFightCorridor", "CorridorBattle-Dark": "MiniHackFightCorridorDark"},
        oracle="walk",
        horizon=32,
        events=_FIGHT,
    ),
    **_family(
        "river",
        {
            "River": "MiniHackRiver",
            "River-Narrow": "MiniHackRiverNarrow",
            "River-Monster": "MiniHackRiverMonster",
            "River-Lava": "MiniHackRiverLava",
            "River-MonsterLava": "MiniHackRiverMonsterLava",
        },
        events=("bridged",),
    ),
    **_family(
        "hidenseek",
        {
            "HideNSeek": "MiniHackHideAndSeek",
            "HideNSeek-Mapped": "MiniHackHideAndSeekMapped",
            "HideNSeek-Lava": "MiniHackHideAndSeekLava",
            "HideNSeek-Big": "MiniHackHideAndSeekBig",
        },
        oracle="walk",
        horizon=16,
        events=_FIGHT,
    ),
    **_family("lab", {"Labyrinth-Big": "MiniHackLabyrinth"}, oracle="walk", horizon=340),
    **_family("lab", {"Labyrinth-Small": "MiniHackLabyrinthSmall"}, oracle="walk", horizon=80),
    **_family(
        "skills_quest",
        {"Quest-Easy": "MiniHackQuestEasy"},
        oracle="freeze",
        horizon=30,
        events=("bridged", *_FIGHT),
    ),
    **_family(
        "skills_quest",
        {"Quest-Medium": "MiniHackQuestMedium", "Quest-Hard": "MiniHackQuestHard"},
        events=("bridged", *_FIGHT),
    ),
    **_family(
        "memento",
        {
            "Memento-Short-F2": "MiniHackMementoShortF2",
            "Memento-F2": "MiniHackMementoF2",
            "Memento-F4": "MiniHackMementoF4",
        },
    ),
    **_family(
        "sokoban",
        {f"Sokoban{level}{kind}": f"MiniHackSokoban{level}{kind}" for level in range(1, 5) for kind in "ab"},
        buffers=("chars",),
    ),
    **_mazes(),
    **_multi_rooms(),
    **_skills(),
    **_nethack(),
}
"""Every registered task by its stock name, version 0.

Left out: MiniHack's SimpleCrossing and LavaCrossing (they fail with minigrid 3), Boxoban (needs a download)
and NetHackChallenge (refuses seeds)."""

CUSTOM = {
    "MiniHack-Navigation-Custom-v0": Task("minihack.navigation:MiniHackNavigation", oracle="walk", horizon=100),
    "MiniHack-Skill-Custom-v0": Task("minihack.skills:MiniHackSkill"),
}
"""MiniHack's tasks without a level of their own: they are made with ``des_file``, a level of the user's."""
