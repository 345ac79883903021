"""The page of recorded episodes: one file that needs nothing else, and lets nothing in."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any

from potentia.replay.episode import Episode, distinct, episode_number, load_episode
from potentia.replay.images import media_type

_LARGEST = 256 * 2**20
"""Bytes of pictures: a page of more than about twice this is too much for a browser."""
_EXACT = 2**53
"""JavaScript's numbers hold integers exactly up to here."""


def write_page(paths: Sequence[Path], to: Path) -> Path:
    """Writes the page of some episodes. The page makes no request and works from a disk.

    Args:
        paths: Their files, at least one.
        to: The HTML file. A file that is there is replaced.

    Returns:
        ``to``.

    Raises:
        ValueError: If a file is no episode, or their pictures are more than 256 MiB.
        OSError: If the page can't be written.
    """
    total = sum(path.stat().st_size for path in paths)
    if total > _LARGEST:
        raise ValueError(
            f"the {len(paths)} episodes have {total / 2**20:,.0f} MiB, more than a browser can open as one page; "
            "choose one with --episode N, or record fewer pictures with RecordEpisodes(..., max_frames=...)"
        )
    return save_page([(episode_number(path), load_episode(path)) for path in paths], to)


def save_page(episodes: Sequence[tuple[int, Episode]], to: Path) -> Path:
    """Writes the page of numbered episodes. Returns where it is.

    Raises:
        OSError: If the page can't be written.
    """
    text = page(episodes)
    to.parent.mkdir(parents=True, exist_ok=True)
    to.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return to


def page(episodes: Sequence[tuple[int, Episode]]) -> str:
    """The page of numbered episodes as text.

    What was recorded may come from hostile pages. It is in the page as JSON only, in which no tag can begin or end, and
    is shown as text. On top, the page's policy allows no script but its own, and no request.
    """
    style, script = _asset("style.css"), _asset("replay.js")
    worlds = list(dict.fromkeys(episode.world for _, episode in episodes))
    policy = f"default-src 'none'; img-src data:; style-src {_hash(style)}; script-src {_hash(script)}"
    data = [_data(f"data-{index}", _document(episode)) for index, (_, episode) in enumerate(episodes)]
    parts = {
        "title": escape(f"Replay: {', '.join(worlds)}"),
        "policy": policy,
        "style": style,
        "data": "\n".join([_data("data-episodes", [_summary(*numbered) for numbered in episodes]), *data]),
        "script": script,
    }
    text = _asset("page.html")
    pieces = text.split("@@")  # text, name, text, name, ..., so that what is put in is never searched again
    return "".join(parts[piece] if index % 2 else piece for index, piece in enumerate(pieces))


def _summary(number: int, episode: Episode) -> dict[str, Any]:
    return {
        "number": number,
        "world": episode.world,
        "length": episode.length,
        "true": episode.true_return,
        "shaped": episode.shaped_return,
        "end": episode.end,
        "failure": episode.failure,
    }


def _document(episode: Episode) -> dict[str, Any]:
    """What the page is told of an episode."""
    return {
        "goal": episode.goal,
        "flags": [name for name in ("terminated", "truncated") if getattr(episode, name)],
        "labels": episode.labels,
        "actions": episode.actions,
        "true": episode.true_rewards,
        "terms": episode.terms,
        "captions": distinct(episode.captions),
        "texts": distinct(episode.texts),
        "events": episode.events,
        "info": {name: [_exact(value) for value in column] for name, column in episode.info.items()},
        "frames": episode.frames,
        "stride": episode.stride,
        "images": [
            f"data:{media_type(image)};base64,{base64.b64encode(image).decode('ascii')}" for image in episode.images
        ],
    }


def _exact(value: Any) -> Any:
    return str(value) if isinstance(value, int) and abs(value) > _EXACT else value


def _data(name: str, value: Any) -> str:
    """JSON as an element that nothing inside can end: ``<`` occurs only in strings, where it may be written so."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":")).replace("<", "\\u003c")
    return f'<script type="application/json" id="{name}">{text}</script>'


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _asset(name: str) -> str:
    return files("potentia.replay").joinpath("assets", name).read_text(encoding="utf-8")
