"""Compiles level descriptions ("des-files") and packs them into the archive that NetHack loads.

The stock package starts a shell script and six processes for each level. MiniGrid-shaped tasks pay that at
every reset. Here one process compiles, the archive is written directly, and a level seen before is not
compiled again.
"""

from __future__ import annotations

import functools
import os
import subprocess
import tempfile
from pathlib import Path

_COMPILED_LEVELS_KEPT = 512


def read_description(description: str, folder: Path) -> str:
    """The text of a des-file, given as text or as a file name.

    Args:
        description: the text itself, or a name ending in ".des", absolute or inside `folder`.
        folder: where bundled des-files lie.

    Raises:
        FileNotFoundError: if a named file does not exist.
    """
    if not description.endswith(".des"):
        return description
    for path in (Path(description), folder / description):
        if path.exists():
            return path.read_text(encoding="utf-8")
    raise FileNotFoundError(f"des-file {description!r} was found neither as given nor in {folder}")


@functools.lru_cache(maxsize=_COMPILED_LEVELS_KEPT)
def compile_level(text: str, compiler: str) -> bytes:
    """The compiled form of one level.

    Args:
        text: the des-file, for a level named "mylevel".
        compiler: path of NetHack's `lev_comp`.

    Raises:
        ValueError: if the description does not compile. The message holds the compiler's own.
    """
    with tempfile.TemporaryDirectory(prefix="potentia-level-") as folder:
        source = Path(folder, "mylevel.des")
        source.write_text(text, encoding="utf-8")
        done = subprocess.run(
            [compiler, source.name],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            stdin=subprocess.DEVNULL,
        )
        level = Path(folder, "mylevel.lev")
        if done.returncode != 0 or not level.exists():
            log = (done.stdout + done.stderr).strip() or f"exit status {done.returncode}"
            raise ValueError(f"the level description does not compile ({log}); it begins with {text.strip()[:200]!r}")
        return level.read_bytes()


def pack_archive(files: dict[str, bytes]) -> bytes:
    """A NetHack data library ("nhdat"): a header, a directory and the files one after another.

    Args:
        files: contents by name.
    """
    members = {"Directory": b"", **files}
    names_size = sum(len(name) + 1 for name in members)
    # The header line takes 40 bytes. A directory line takes its name, one handling letter, and 10 for the offset.
    start = 40 + sum(len(name) + 11 for name in members)
    directory, offset = [], start
    for name, content in members.items():
        position = 0 if name == "Directory" else offset
        directory.append(f"n{name} {position:8d}\n")
        offset += len(content)
    header = f"{1:3d} {len(members):8d} {names_size:8d} {start:8d} {offset:8d}\n"
    return (header + "".join(directory)).encode("ascii") + b"".join(members.values())


@functools.lru_cache(maxsize=4)
def _fixed_files(folder: str) -> tuple[tuple[str, bytes], ...]:
    return tuple((path.name, path.read_bytes()) for path in sorted(Path(folder).iterdir()) if path.is_file())


def install_level(text: str, *, game_folder: str, compiler: str, fixed_files: str) -> None:
    """Makes `text` the level of the next game that starts in `game_folder`.

    Args:
        text: the des-file.
        game_folder: the game's own folder, which holds its "nhdat".
        compiler: path of NetHack's `lev_comp`.
        fixed_files: folder of the files that every archive holds besides the level.
    """
    files = dict(_fixed_files(fixed_files)) | {"mylevel.lev": compile_level(text, compiler)}
    archive = pack_archive(dict(sorted(files.items())))
    fresh = Path(game_folder, "nhdat.new")
    fresh.write_bytes(archive)
    # A rename, so that a game still running keeps reading the file it has open.
    os.replace(fresh, Path(game_folder, "nhdat"))
