"""A small catalogue of furniture, for wishes."""

from __future__ import annotations

__all__ = ["ATTRIBUTES", "CATALOGUE"]

ATTRIBUTES = ("kind", "colour", "material", "size", "price")

CATALOGUE: dict[str, tuple[str, str, str, str, str]] = {
    name: (kind, colour, material, size, price)
    for name, kind, colour, material, size, price in (
        line.split()
        for line in """\
Alma lamp white metal small cheap
Birk lamp black metal large fair
Cora lamp red glass small fair
Dino lamp white glass large dear
Ebba lamp black wood small dear
Falk lamp red metal large cheap
Gerd chair white wood small fair
Hugo chair black metal small cheap
Irma chair red wood large dear
Jens chair white metal large fair
Kaja chair black wood large cheap
Lars chair red glass small dear
Mona desk white wood large fair
Nils desk black glass large dear
Olga desk red metal small fair
Pelle desk white metal small cheap
Runa desk black wood small fair
Sven desk red wood large cheap
Tora shelf white wood small cheap
Ulf shelf black metal large fair
Vera shelf red wood small fair
Wim shelf white glass large dear
Yrsa shelf black glass small dear
Zora shelf red metal large cheap
""".splitlines()
    )
}
"""The attributes of each item, by its name."""
