"""From a path to a page: an episode's file, a folder of episodes, or the folder of a run."""

from __future__ import annotations

from pathlib import Path

from potentia.replay.episode import episode_files, episode_number
from potentia.replay.page import write_page

_SHOWN = 5


def replay(path: Path, to: Path | None = None, *, episode: int | None = None, episodes: int = 3) -> Path:
    """Writes the page of the episodes at ``path``. Returns where it is.

    Args:
        path: The file of an episode, a folder of episodes, or the folder of a run of a study, with whose policy
            episodes are played first (`potentia.replay.playing.play_run`).
        to: The HTML file. By default it is ``replay.html`` in the folder, or beside the file under its name.
        episode: Show only the one of this number.
        episodes: How many episodes of a run to play.

    Raises:
        FileNotFoundError: If there is nothing at ``path``, or the run has no checkpoint yet.
        ValueError: If ``path`` is none of the three, there is no such episode, or they are too large for a page.
    """
    if not path.exists():
        raise FileNotFoundError(f"there is nothing at {path}; {_WANTED}")
    if path.is_file():
        if path.suffix != ".zip":
            raise ValueError(f"{path} is not the file of an episode; {_WANTED}")
        return write_page([path], to or path.with_suffix(".html"))
    folder = path
    if (path / "config.json").is_file():
        from potentia.replay.playing import play_run  # noqa: PLC0415 - brings the learners, which a folder needs not

        folder = play_run(path, episodes if episode is None else max(episodes, episode + 1))
    files = episode_files(folder)
    if not files:
        raise ValueError(f"there are no episodes in {path}{_runs_in(path)}; {_WANTED}")
    if episode is not None:
        selected = [file for file in files if episode_number(file) == episode]
        if not selected:
            raise ValueError(f"there is no episode {episode} in {folder}; it has {_numbers(files)}")
        files = selected
    return write_page(files, to or path / "replay.html")


_WANTED = (
    "give the file of an episode, a folder of episodes (potentia.replay.RecordEpisodes writes them), or the folder of "
    "a run: one of STUDY/runs"
)


def _runs_in(path: Path) -> str:
    runs = sorted(config.parent for config in path.glob("runs/*/config.json"))
    if not runs:
        return ""
    named = ", ".join(map(str, runs[:_SHOWN])) + (", ..." if len(runs) > _SHOWN else "")
    return f", but it is a study; its runs are {named}"


def _numbers(files: list[Path]) -> str:
    numbers = [episode_number(file) for file in files]
    if len(numbers) > _SHOWN:
        return f"{len(numbers)}, from {numbers[0]} to {numbers[-1]}"
    return ", ".join(map(str, numbers))
