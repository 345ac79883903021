"""The real ALFWorld, played by its own engine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from potentia.envs.text.game import TextGame, Turn, text_hash
from potentia.envs.text.household.tasks import TASKS
from potentia.envs.world import Wanted
from potentia.limits import check_among

__all__ = ["ALFWorld", "make_alfworld"]

_CHANGING = frozenset(
    ("atlocation", "holds", "inreceptacle", "opened", "isclean", "ishot", "iscool", "issliced", "istoggled")
)


class ALFWorld(TextGame):
    """Games of the real ALFWorld (Shridhar et al. 2021, arXiv 2010.03768), played by its own engine.

    It needs the packages alfworld and fast-downward-textworld (GPL-3), which this library does not install. The engine
    takes 12 to 16 steps a second. `Household` has the same language and rules and is thousands of times as fast, but
    rooms of its own.

    Args:
        task: A name in `TASKS`, or "any".
        split: A folder of the data: "train", "valid_seen" or "valid_unseen".
        games: Game files (``.tw-pddl``) instead of those in ``$ALFWORLD_DATA/json_2.1.1/<split>``.
        max_episode_steps: After so many commands the episode is truncated.
        info_keys: The keys of ``info`` wanted, "all", or None for those that cost nothing.
        render_mode: "ansi", or None.

    Raises:
        ImportError: If a package is missing.
        FileNotFoundError: If there are no games.
        ValueError: If an argument is none of these.
    """

    def __init__(
        self,
        task: str = "any",
        *,
        split: str = "train",
        games: Sequence[str | os.PathLike[str]] | None = None,
        max_episode_steps: int | None = 50,
        info_keys: Wanted = None,
        render_mode: str | None = None,
    ) -> None:
        check_among(("any", *TASKS), task=task)
        self._start = _starter()
        self._games = [Path(game) for game in games] if games is not None else _stored_games(task, split)
        self._loaded: tuple[Path, Any] | None = None
        self._state: Any = None
        super().__init__(
            {"facts": self._facts, "state_hash": self._hash},
            max_episode_steps=max_episode_steps,
            info_keys=info_keys,
            render_mode=render_mode,
        )

    @property
    def commands(self) -> list[str]:
        """The admissible commands of ALFWorld."""
        return list(self._state["admissible_commands"])

    def goal_text(self) -> str:
        """What the game says after "Your task is to:"."""
        return self._goal

    def close(self) -> None:
        """Ends the engine."""
        if self._loaded is not None:
            self._loaded[1].close()
            self._loaded = None

    def _begin(self) -> str:
        path = self._games[int(self.np_random.integers(len(self._games)))]
        if self._loaded is None or self._loaded[0] != path:
            self.close()
            with _same_arguments():
                self._loaded = path, self._start(str(path))
        with _same_arguments():
            self._state = self._loaded[1].reset()
        text = str(self._state.feedback)
        self._goal = text.partition("Your task is to: ")[2].strip().rstrip(".")
        return text

    def _act(self, command: str) -> Turn:
        assert self._loaded is not None  # TextGame.step has refused without an episode
        self._state, _, _ = self._loaded[1].step(command)
        won = bool(self._state["won"])
        return Turn(str(self._state.feedback), reward=float(won), success=won)

    def _facts(self) -> str:
        names = {key: entity.name for key, entity in self._state["_entity_infos"].items()}
        return "\n".join(sorted(
            f"{fact.name}({', '.join(names[variable.name].strip() for variable in fact.arguments)})"
            for fact in self._state["_facts"] if fact.name in _CHANGING
        ))  # fmt: skip

    def _hash(self) -> int:
        return text_hash(str(self._loaded and self._loaded[0]), self._facts())


def make_alfworld(**kwargs: Any) -> ALFWorld:
    """An `ALFWorld` of these arguments."""
    return ALFWorld(**kwargs)


@contextmanager
def _same_arguments() -> Iterator[None]:
    """Keeps ``sys.argv``, which the planner's translator replaces by its own."""
    kept = sys.argv
    try:
        yield
    finally:
        sys.argv = kept


def _starter() -> Any:
    """A function that starts a game file in ALFWorld's engine."""
    try:
        textworld = import_module("textworld")
        import_module("fast_downward")
        demangler = import_module("alfworld.agents.environment.alfred_tw_env").AlfredDemangler
    except ImportError as error:
        raise ImportError(
            "the real ALFWorld needs `pip install alfworld textworld fast-downward-textworld` (the last is under "
            "GPL-3); potentia/Household-v0 has its language and rules without them"
        ) from error

    def start(path: str) -> Any:
        infos = textworld.EnvInfos(won=True, admissible_commands=True)
        return textworld.start(path, infos, wrappers=[demangler()])

    return start


def _stored_games(task: str, split: str) -> list[Path]:
    """The solvable games of a task in ALFWorld's data, in the order of their names."""
    data = os.environ.get("ALFWORLD_DATA")
    if not data:
        raise FileNotFoundError("set ALFWORLD_DATA to the folder that `alfworld-download` filled, or give games")
    folder = Path(data) / "json_2.1.1" / split
    kinds = [TASKS[task]] if task != "any" else list(TASKS.values())
    found = sorted(path for kind in kinds for path in folder.glob(f"{kind.alfworld}-*/*/game.tw-pddl"))
    games = [
        path for path in found if not {"movable", "Sliced"} & set(path.parent.parent.name.replace("-", "_").split("_"))
    ]
    if not games:
        raise FileNotFoundError(f"no games of {task!r} in {folder}; `alfworld-download` brings them")
    return games
