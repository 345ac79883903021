"""What there is in a house: kinds of rooms, receptacles and objects, which holds which, and what can be done to them.

The facts are those of ALFRED (Shridhar et al. 2020, arXiv 1912.01734) as ALFWorld 0.4.2 has them (Shridhar et al. 2021,
arXiv 2010.03768): what a receptacle can hold, what opens, what can be cleaned, heated, cooled and sliced. How many
receptacles a room has, and which objects lie in it, follows what its 120 floor plans have. Both are under the MIT
License, Copyright (c) 2020 Mohit Shridhar and others. Paper towels and rolls, which seldom occur, are left out.
"""

from __future__ import annotations

__all__ = [
    "CLEANABLE",
    "COOLABLE",
    "HEATABLE",
    "HOLDERS",
    "KNIVES",
    "LAMP",
    "LAMP_STANDS",
    "OBJECTS",
    "OPENABLE",
    "RECEPTACLES",
    "SLICEABLE",
    "VESSELS",
]


def _names(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _kinds(text: str) -> frozenset[str]:
    return frozenset(text.split())


_HOLD = {
    "armchair ottoman sofa": """
        basketball book box cellphone cloth creditcard keychain laptop newspaper pillow remotecontrol
    """,
    "bathtubbasin": "cloth dishsponge handtowel soapbar",
    "bed": "baseballbat basketball book cellphone laptop newspaper pillow tennisracket",
    "cabinet": """
        book bowl box candle cd cloth cup dishsponge glassbottle handtowel kettle ladle mug newspaper
        pan peppershaker plate plunger pot saltshaker soapbar soapbottle spraybottle tissuebox
        toiletpaper vase wateringcan winebottle
    """,
    "cart": """
        candle cloth dishsponge handtowel mug plunger soapbar soapbottle spraybottle statue
        tissuebox toiletpaper vase
    """,
    "coffeemachine": "mug",
    "coffeetable countertop diningtable sidetable": """
        alarmclock apple baseballbat basketball book bowl box bread butterknife candle cd cellphone
        cloth creditcard cup dishsponge egg fork glassbottle handtowel kettle keychain knife ladle
        laptop lettuce mug newspaper pan pen pencil peppershaker plate pot potato
        remotecontrol saltshaker soapbar soapbottle spatula spoon spraybottle statue tennisracket
        tissuebox toiletpaper tomato vase watch wateringcan winebottle
    """,
    "desk": """
        alarmclock basketball book bowl box candle cd cellphone cloth creditcard cup glassbottle
        keychain laptop mug newspaper pen pencil plate remotecontrol soapbottle spraybottle statue
        tennisracket tissuebox toiletpaper vase watch wateringcan winebottle
    """,
    "drawer": """
        book butterknife candle cd cellphone cloth creditcard dishsponge fork handtowel keychain knife
        ladle newspaper pen pencil peppershaker remotecontrol saltshaker soapbar soapbottle spatula
        spoon spraybottle tissuebox toiletpaper watch wateringcan
    """,
    "dresser": """
        alarmclock basketball book bowl box candle cd cellphone cloth creditcard cup glassbottle
        keychain laptop mug newspaper pen pencil plate remotecontrol spraybottle statue tennisracket
        tissuebox toiletpaper vase watch wateringcan winebottle
    """,
    "fridge": """
        apple bowl bread cup egg glassbottle lettuce mug pan plate pot potato tomato winebottle
    """,
    "garbagecan": """
        apple bread cd cloth dishsponge egg handtowel lettuce newspaper pen pencil potato
        soapbar soapbottle spraybottle tissuebox toiletpaper tomato winebottle
    """,
    "handtowelholder": "handtowel",
    "laundryhamper": "cloth",
    "microwave": "apple bowl bread cup egg glassbottle mug plate potato tomato",
    "safe": "cd cellphone creditcard keychain statue vase watch",
    "shelf": """
        alarmclock book bowl box candle cd cellphone cloth creditcard cup dishsponge glassbottle
        handtowel kettle keychain mug newspaper pen pencil peppershaker plate pot
        remotecontrol saltshaker soapbar soapbottle spraybottle statue tissuebox toiletpaper
        vase watch wateringcan winebottle
    """,
    "sinkbasin": """
        apple bowl butterknife cloth cup dishsponge egg fork glassbottle handtowel kettle knife ladle
        lettuce mug pan plate pot potato soapbar spatula spoon tomato
    """,
    "stoveburner": "kettle pan pot",
    "toaster": "",
    "toilet": """
        candle cloth dishsponge handtowel newspaper soapbar soapbottle spraybottle tissuebox
        toiletpaper
    """,
    "toiletpaperhanger": "toiletpaper",
    "towelholder": "towel",
    "tvstand": "tissuebox",
}

HOLDERS: dict[str, frozenset[str]] = {
    kind: _kinds(objects) for kinds, objects in _HOLD.items() for kind in kinds.split()
}
"""The objects that each kind of receptacle can hold."""

OPENABLE = frozenset({"fridge", "cabinet", "microwave", "drawer", "safe"})
CLEANABLE = _kinds(
    "apple bowl butterknife cloth cup dishsponge egg fork kettle knife ladle lettuce mug pan plate pot potato "
    "soapbar spatula spoon tomato"
)
HEATABLE = _kinds("apple bread cup egg mug plate potato tomato")
COOLABLE = _kinds("apple bowl bread cup egg lettuce mug pan plate pot potato tomato winebottle")
SLICEABLE = _kinds("apple bread egg lettuce potato tomato")
KNIVES = frozenset({"knife", "butterknife"})
VESSELS = frozenset({"bowl", "box", "cup", "mug", "plate", "pan", "pot"})
"""Objects that are receptacles themselves. In ALFWorld's rules they stay empty."""
LAMP = "desklamp"
"""It can be turned on. It can't be taken."""
LAMP_STANDS = ("desk", "sidetable", "dresser", "coffeetable", "diningtable")

RECEPTACLES: dict[str, dict[str, tuple[int, int]]] = {
    "kitchen": {
        "cabinet": (4, 10),
        "coffeemachine": (1, 1),
        "countertop": (1, 3),
        "diningtable": (0, 1),
        "drawer": (2, 8),
        "fridge": (1, 1),
        "garbagecan": (1, 1),
        "microwave": (1, 1),
        "shelf": (0, 2),
        "sidetable": (0, 1),
        "sinkbasin": (1, 1),
        "stoveburner": (4, 4),
        "toaster": (1, 1),
    },
    "livingroom": {
        "armchair": (1, 2),
        "cabinet": (0, 4),
        "coffeetable": (0, 1),
        "diningtable": (0, 1),
        "drawer": (1, 8),
        "dresser": (0, 1),
        "garbagecan": (1, 1),
        "ottoman": (0, 1),
        "safe": (0, 1),
        "shelf": (0, 5),
        "sidetable": (1, 3),
        "sofa": (1, 2),
        "tvstand": (0, 1),
    },
    "bedroom": {
        "armchair": (0, 1),
        "bed": (1, 2),
        "cabinet": (0, 2),
        "desk": (1, 2),
        "drawer": (2, 9),
        "dresser": (0, 1),
        "garbagecan": (1, 1),
        "laundryhamper": (0, 1),
        "safe": (0, 1),
        "shelf": (1, 6),
        "sidetable": (1, 2),
    },
    "bathroom": {
        "bathtubbasin": (0, 1),
        "cabinet": (2, 6),
        "cart": (0, 1),
        "countertop": (1, 2),
        "drawer": (0, 6),
        "garbagecan": (1, 1),
        "handtowelholder": (1, 2),
        "shelf": (0, 2),
        "sinkbasin": (1, 2),
        "toilet": (1, 1),
        "toiletpaperhanger": (1, 1),
        "towelholder": (1, 1),
    },
}
"""The fewest and the most of each kind of receptacle, by kind of room."""

OBJECTS: dict[str, tuple[str, ...]] = {
    "kitchen": _names(
        "apple book bowl bread butterknife cellphone creditcard cup dishsponge egg fork glassbottle kettle knife "
        "ladle lettuce mug pan pen pencil peppershaker plate pot potato saltshaker soapbottle spatula spoon "
        "spraybottle statue tomato vase winebottle"
    ),
    "livingroom": _names(
        "book bowl box candle cellphone creditcard keychain laptop newspaper pen pencil pillow plate "
        "remotecontrol statue tissuebox vase watch wateringcan"
    ),
    "bedroom": _names(
        "alarmclock baseballbat basketball book bowl box cd cellphone cloth creditcard keychain laptop mug pen "
        "pencil pillow remotecontrol statue tennisracket tissuebox vase watch"
    ),
    "bathroom": _names(
        "candle cloth dishsponge handtowel plunger soapbar soapbottle spraybottle tissuebox toiletpaper towel"
    ),
}
"""The kinds of objects that may lie in each kind of room."""
