"""A recorded episode, and its file."""

from __future__ import annotations

import json
import math
import os
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Literal

from potentia.replay.images import media_type

End = Literal["success", "terminated", "truncated", "failure", "unfinished"]
Scalar = bool | int | float | str | None

FORMAT = "potentia-episode"
VERSION = 1
_NAME = re.compile(r"episode-(\d{6,})\.zip")
_DOCUMENT = "episode.json"


@dataclass(frozen=True)
class Episode:
    """An episode of T steps: T + 1 states, of which the first is what the reset gave, and T steps between them.

    Its file is a ZIP archive of ``episode.json`` (UTF-8) and the pictures ``frames/00000.webp`` (or ``.png``), ...,
    which any program can open. The JSON object holds ``format`` ("potentia-episode"), ``version`` (1), and the
    fields below but ``images``. Captions and texts, which repeat, are ``{"values": [...], "index": [...]}``: the
    different ones, and which of them each state has. A number that is not finite is null.

    Attributes:
        world: The environment's id.
        goal: What is to be done, in words. It is "" if the environment doesn't say.
        end: Why it ended: "success", "terminated" (without success), "truncated", "failure" (``failure`` tells which),
            or "unfinished" (the recording stopped before the episode did).
        failure: What ``info["failure"]`` said at the end.
        terminated: What the last step said.
        truncated: What the last step said.
        labels: What is known of its making, by name: the learner, the seed.
        actions: T, as readable text.
        true_rewards: T, the environment's own rewards.
        terms: T of each named reward term.
        captions: T + 1, "" where there is none.
        texts: T + 1: what the environment shows as text.
        events: T + 1 lists: the names of what happened on the way to this state.
        event_names: All events that ``info`` told of, whether or not they happened.
        info: T + 1 of each scalar of ``info``. It is None where it was not given.
        frames: T + 1 indices into ``images``, -1 where there is none.
        stride: Every ``stride``-th state has a picture of its own, and the last. The others have the one before.
        images: The different pictures, PNG or WebP.
    """

    world: str
    goal: str
    end: End
    failure: str = ""
    terminated: bool = False
    truncated: bool = False
    labels: Mapping[str, str] = field(default_factory=dict)
    actions: Sequence[str] = ()
    true_rewards: Sequence[float | None] = ()
    terms: Mapping[str, Sequence[float | None]] = field(default_factory=dict)
    captions: Sequence[str] = ("",)
    texts: Sequence[str] = ("",)
    events: Sequence[Sequence[str]] = ((),)
    event_names: Sequence[str] = ()
    info: Mapping[str, Sequence[Scalar]] = field(default_factory=dict)
    frames: Sequence[int] = (-1,)
    stride: int = 1
    images: Sequence[bytes] = ()

    def __post_init__(self) -> None:
        """Checks the lengths.

        Raises:
            ValueError: If a column has another length than T or T + 1.
        """
        steps = len(self.actions)
        of_steps = {"true_rewards": self.true_rewards, **{f"terms[{name!r}]": x for name, x in self.terms.items()}}
        of_states = {name: getattr(self, name) for name in ("captions", "texts", "events", "frames")}
        of_states |= {f"info[{name!r}]": column for name, column in self.info.items()}
        for wanted, columns in ((steps, of_steps), (steps + 1, of_states)):
            for name, column in columns.items():
                if len(column) != wanted:
                    raise ValueError(
                        f"{name} must have {wanted} entries in an episode of {steps} steps, got {len(column)}"
                    )
        if any(not -1 <= index < len(self.images) for index in self.frames):
            raise ValueError(f"frames must be -1 or below {len(self.images)}, the number of images, got {self.frames}")

    @property
    def length(self) -> int:
        """T."""
        return len(self.actions)

    @property
    def true_return(self) -> float:
        """The sum of the true rewards that are finite."""
        return math.fsum(reward for reward in self.true_rewards if reward is not None)

    @property
    def shaped_return(self) -> float:
        """The sum of all terms."""
        return math.fsum(x for term in self.terms.values() for x in term if x is not None)

    def relabelled(self, terms: Mapping[str, Sequence[float]]) -> Episode:
        """The same episode with other reward terms."""
        return replace(self, terms={name: [finite(x) for x in term] for name, term in terms.items()})


def finite(value: float) -> float | None:
    """A number as JSON has it."""
    return float(value) if math.isfinite(value) else None


def save_episode(episode: Episode, folder: Path) -> Path:
    """Writes an episode under the first number that follows all in the folder. Returns the path.

    The file appears whole or not at all, and never in the place of another, also where several processes record into
    one folder.

    Raises:
        OSError: If it can't be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    number = 1 + max((episode_number(path) for path in episode_files(folder)), default=-1)
    while True:
        path = folder / f"episode-{number:06d}.zip"
        temporary = path.with_name(f".{path.name}.tmp")
        try:
            # Whoever makes this file owns the number until it is moved or removed.
            with open(temporary, "xb") as file:
                if mine := not path.exists():
                    _write(episode, file)
            if mine:
                os.replace(temporary, path)
                return path
        except FileExistsError:
            number += 1
            continue
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        temporary.unlink()
        number += 1


def load_episode(path: str | os.PathLike[str]) -> Episode:
    """Reads an episode's file.

    Raises:
        FileNotFoundError: If there is none.
        ValueError: If it is damaged, of another format, or of a later version.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            document = json.loads(archive.read(_DOCUMENT))
            if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
                raise ValueError("its format is another one")
            if (version := document.pop("version", None)) != VERSION:
                raise ValueError(f"it has version {version}, and this library reads {VERSION}")
            names = sorted(name for name in archive.namelist() if name.startswith("frames/"))
            return Episode(**{**document, **_unpacked(document), "images": [archive.read(name) for name in names]})
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, IndexError) as error:
        raise ValueError(f"{path} is not a whole episode recorded by potentia: {error}") from error


def episode_files(folder: Path) -> list[Path]:
    """The episodes of a folder, in the order of their numbers."""
    return sorted((path for path in folder.iterdir() if _NAME.fullmatch(path.name)), key=episode_number)


def episode_number(path: Path) -> int:
    """The number in a file's name, 0 if it was renamed."""
    found = _NAME.fullmatch(path.name)
    return int(found[1]) if found else 0


def distinct(texts: Sequence[str]) -> dict[str, list[Any]]:
    """The different texts, and which of them is at each place."""
    places = {text: place for place, text in enumerate(dict.fromkeys(texts))}
    return {"values": list(places), "index": [places[text] for text in texts]}


def _write(episode: Episode, file: Any) -> None:
    document: dict[str, Any] = {"format": FORMAT, "version": VERSION}
    document |= {part.name: getattr(episode, part.name) for part in fields(episode) if part.name != "images"}
    document |= {name: distinct(document[name]) for name in ("captions", "texts")}
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        # A lone surrogate, which a page may hold, has no UTF-8.
        archive.writestr(_DOCUMENT, text.encode("utf-8", "replace"))
        for index, image in enumerate(episode.images):
            name = f"frames/{index:05d}.{media_type(image).removeprefix('image/')}"
            archive.writestr(name, image, zipfile.ZIP_STORED)  # compressed already
    file.flush()
    os.fsync(file.fileno())


def _unpacked(document: Mapping[str, Any]) -> dict[str, list[str]]:
    packed = {name: document[name] for name in ("captions", "texts")}
    return {name: [part["values"][index] for index in part["index"]] for name, part in packed.items()}
