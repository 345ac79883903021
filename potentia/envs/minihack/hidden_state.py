"""Reads the true state of a running NetHack game: the map, the things on it, the hero.

NLE shows only what the hero has seen. The game itself is a shared library that NLE has loaded into this
process, and its global variables (`level`, `u`, `invent`, `ftrap`) are exported symbols, so the ground truth
can be read in place: no second game, no wizard mode, no effect on the game's random numbers. The record
layouts below are those of NetHack 3.6.6 as built by nle 1.3.0 on 64-bit machines. The method `HiddenState.attach`
checks them at every reset.
"""

from __future__ import annotations

import _ctypes
import ctypes
import struct
from collections.abc import Callable
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

COLUMNS, ROWS = 79, 21
"""Size of the map as NLE shows it. NetHack's own column 0 is never used, so its x is ours plus one."""

_GAME_COLUMNS = COLUMNS + 1
_CELL_BYTES = 8
_CELLS_BYTES = _GAME_COLUMNS * ROWS * _CELL_BYTES
_POINTER_GRID_BYTES = _GAME_COLUMNS * ROWS * 8
_FIRST_OBJECT = _CELLS_BYTES + 2 * _POINTER_GRID_BYTES
_FIRST_MONSTER = _FIRST_OBJECT + 16

# A cell's second word: terrain type in byte 0, what the hero has seen in byte 1, state of doors in 5 bits of
# byte 2.
_CELL_MASK = np.uint32(0x001F00FF)
_TERRAIN_BITS, _STATE_SHIFT = 0xFF, 16

_MAX_THINGS = 4096
_LAZY = 1

_OBJECT = struct.Struct("<Q20xbbhIxxxxqbBBxxxB25xQ")
_MONSTER = struct.Struct("<Q12xhhxxBxbb10xi")
_TRAP = struct.Struct("<QbbxxxxB")
_LISTS = {
    "items": ("level", _FIRST_OBJECT, _OBJECT),
    "inventory": ("invent", 0, _OBJECT),
    "monsters": ("level", _FIRST_MONSTER, _MONSTER),
    "traps": ("ftrap", 0, _TRAP),
}
_HOLINESS = [bytes((bits & 3,)) for bits in range(256)]
_TRAP_KIND = [bytes((bits & 31,)) for bits in range(256)]
_NO_HIT_POINTS = bytes(4)
# Byte ranges of the layouts above: place, kind and weight, quantity and bonus, curse, worn; hit points of
# monsters.
_PRINTS: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "items": lambda records: [r[28:36] + r[40:49] + _HOLINESS[r[54]] + r[80:88] for r in records],
    "inventory": lambda records: [r[30:36] + r[40:49] + _HOLINESS[r[54]] + r[80:88] for r in records],
    "monsters": lambda records: [r[20:22] + r[26:30] + r[40:44] for r in records if r[40:44] > _NO_HIT_POINTS],
    "traps": lambda records: [r[8:10] + _TRAP_KIND[r[14]] for r in records],
}


class Item(NamedTuple):
    """One stack of objects, on the floor or carried."""

    column: int
    row: int
    kind: int
    quantity: int
    bonus: int
    weight: int
    holiness: int
    worn: int


class Monster(NamedTuple):
    """One monster on the level."""

    column: int
    row: int
    kind: int
    level: int
    hit_points: int


class Trap(NamedTuple):
    """One trap, discovered or not."""

    column: int
    row: int
    kind: int


class LoadedGame(Protocol):
    """The part of `nle.nethack.Nethack` that is needed here."""

    dlpath: str


class HiddenState:
    """The ground truth of one game. It is valid from `attach` until the game is reset or closed.

    Args:
        game: the `nle.nethack.Nethack` object whose library is read.

    Attributes:
        map: terrain and door state of every cell as of the last `refresh`. The function `terrain_and_state` decodes it.
            The same object as before where nothing has changed, so that comparing and hashing it is cheap.
    """

    def __init__(self, game: LoadedGame) -> None:
        self._game = game
        self._addresses: dict[str, int] = {}
        self._cells: NDArray[np.uint32] | None = None
        self._hero: ctypes.Array[ctypes.c_int8] | None = None
        self._lists: dict[str, list[bytes]] = {}
        self._prints: dict[str, tuple[list[bytes], bytes]] = {}
        self.map = b""

    def attach(self, column: int, row: int) -> None:
        """Finds the game's variables again (NLE reloads its library at every reset) and refreshes.

        Args:
            column: the hero's column as NLE reports it.
            row: the hero's row as NLE reports it.

        Raises:
            RuntimeError: if the library's memory is not laid out as this module expects.
        """
        # The handle is closed at once: a handle kept open would stop NLE from reloading the library at its
        # next reset, and the next game would start in this game's memory. NLE's own handle keeps the
        # addresses valid.
        handle = _ctypes.dlopen(self._game.dlpath, _LAZY)
        try:
            names = ("level", "u", "invent", "ftrap")
            self._addresses = {name: _ctypes.dlsym(handle, name) for name in names}
        finally:
            _ctypes.dlclose(handle)
        words = (ctypes.c_uint32 * (_CELLS_BYTES // 4)).from_address(self._addresses["level"])
        self._cells = np.ctypeslib.as_array(words)[1::2]
        self._hero = (ctypes.c_int8 * 2).from_address(self._addresses["u"])
        if self.hero() != (column, row):
            raise RuntimeError(
                f"the hero is at {(column, row)} but the game's memory says {self.hero()}: this build of "
                "nle is not laid out as nle 1.3.0 on 64-bit machines is. Install nle==1.3.0, or leave the "
                "hidden state out with info_keys=('caption', 'success')."
            )
        self.refresh()

    def detach(self) -> None:
        """Forgets every address. It is to be called before the game is reset or closed, and once it is over."""
        self._addresses = {}
        self._cells = None
        self._hero = None
        self._lists = {}

    def refresh(self) -> None:
        """Takes note of the state after an action."""
        assert self._cells is not None, "attach() first"
        self._lists = {}
        drawn = (self._cells & _CELL_MASK).tobytes()
        if drawn != self.map:
            self.map = drawn

    def hero(self) -> tuple[int, int]:
        """The hero's (column, row)."""
        assert self._hero is not None, "attach() first"
        return self._hero[0] - 1, self._hero[1]

    def items(self) -> tuple[Item, ...]:
        """The objects lying on the level."""
        return tuple(_item(record) for record in self._records("items"))

    def inventory(self) -> tuple[Item, ...]:
        """The objects that the hero carries. Their place is meaningless."""
        return tuple(_item(record) for record in self._records("inventory"))

    def monsters(self) -> tuple[Monster, ...]:
        """The living monsters on the level."""
        found = []
        for record in self._records("monsters"):
            _, kind, _, level, x, y, hit_points = _MONSTER.unpack(record)
            if hit_points > 0:
                found.append(Monster(x - 1, y, kind, level, hit_points))
        return tuple(found)

    def traps(self) -> tuple[Trap, ...]:
        """The traps on the level."""
        return tuple(Trap(x - 1, y, bits & 31) for _, x, y, bits in map(_TRAP.unpack, self._records("traps")))

    def fingerprint(self) -> bytes:
        """Everything but the map, as bytes: hero's place, objects, what is carried, monsters, traps.

        Equal for equal states, whatever the order in which the game keeps its lists. Leaves out what is only
        the hero's knowledge (which objects are identified, which traps are found).
        """
        parts = [self._printed(name) for name in _PRINTS]
        return b"|".join((*parts, b"%d,%d" % self.hero()))

    def _printed(self, name: str) -> bytes:
        records = self._records(name)
        known, printed = self._prints.get(name, (None, b""))
        if records != known:
            parts = sorted(_PRINTS[name](records))
            printed = b"%d:" % len(parts) + b"".join(parts)
            self._prints[name] = (records, printed)
        return printed

    def _records(self, name: str) -> list[bytes]:
        """The raw records of one of the game's linked lists, read once per refresh."""
        records = self._lists.get(name)
        if records is None:
            variable, offset, layout = _LISTS[name]
            address = ctypes.c_void_p.from_address(self._addresses[variable] + offset).value
            records = self._lists[name] = _chain(address, layout.size)
        return records


def _chain(address: int | None, size: int) -> list[bytes]:
    """Follows a linked list of records, each of which starts with the address of the next."""
    records: list[bytes] = []
    while address and len(records) < _MAX_THINGS:
        record = ctypes.string_at(address, size)
        records.append(record)
        address = int.from_bytes(record[:8], "little")
    return records


def _item(record: bytes) -> Item:
    _, x, y, kind, weight, quantity, bonus, _, _, bits, worn = _OBJECT.unpack(record)
    return Item(x - 1, y, kind, quantity, bonus, weight, bits & 3, worn)


def terrain_and_state(drawn: bytes) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Splits `HiddenState.map` into terrain type and door state, each (21, 79)."""
    grid = np.frombuffer(drawn, np.uint32).reshape(_GAME_COLUMNS, ROWS).T[:, 1:]
    return (grid & _TERRAIN_BITS).astype(np.uint8), (grid >> _STATE_SHIFT).astype(np.uint8)
