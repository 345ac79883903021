"""Words for the rows of the applications, and how to draw different ones."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

FIRST_NAMES = (
    "Amina", "Bruno", "Carla", "Dmitri", "Elena", "Farid", "Greta", "Hugo", "Ines", "Jonas", "Kavya", "Liam", "Mila",
    "Noah", "Olga", "Pablo", "Quinn", "Rosa", "Samir", "Tara", "Umar", "Vera", "Wang", "Yara", "Zoe",
)  # fmt: skip
LAST_NAMES = (
    "Abbott", "Bauer", "Castro", "Dubois", "Evans", "Fischer", "Garcia", "Haddad", "Ivanov", "Jensen", "Kim", "Lopez",
    "Meyer", "Novak", "Okafor", "Patel", "Rossi", "Sato", "Tran", "Vogel", "Weber", "Young",
)  # fmt: skip
COLOURS = ("Amber", "Black", "Blue", "Copper", "Coral", "Green", "Grey", "Ivory", "Olive", "Red", "Silver", "White")
THINGS = (
    "backpack", "basket", "blanket", "bottle", "bowl", "clock", "cushion", "folder", "glove", "hammer", "jug", "kettle",
    "lamp", "lantern", "mug", "notebook", "pan", "plate", "scarf", "shelf", "spade", "stapler", "tent", "towel", "vase",
)  # fmt: skip
ADJECTIVES = ("Sturdy", "Too small", "Lovely", "As described", "Broke early", "Good value", "Heavy", "Looks nice")
STREETS = ("Bridge Street", "Castle Lane", "Hill Road", "Lake View", "Market Square", "Mill Lane", "Park Avenue")
CITIES = ("Ashford", "Brookvale", "Eastport", "Fairview", "Kingsbury", "Lakeside", "Milltown", "Westbridge")
TOPICS = (
    "budget", "roadmap", "invoice", "holiday", "interview", "launch", "contract", "picnic", "survey", "training",
    "inventory", "newsletter", "audit", "migration", "offsite", "catering", "parking", "deadline", "warranty", "garden",
)  # fmt: skip
NOTE_KINDS = ("ideas", "plan", "questions", "draft", "minutes", "links", "summary", "checklist")
ERRANDS = (
    "Ask for a quote", "Book a room", "Call the bank", "Check the dates", "Compare the prices", "Find a photo",
    "Print two copies", "Read it again", "Return the keys", "Send the photos", "Talk to the team", "Write a reply",
)  # fmt: skip
GROCERIES = (
    "apples", "bread", "butter", "carrots", "coffee", "eggs", "flour", "grapes", "honey", "lemons", "noodles", "onions",
    "pears", "pepper", "salt", "soap", "spinach", "tofu", "walnuts", "yeast",
)  # fmt: skip
PROJECTS = ("Atlas", "Beacon", "Comet", "Delta", "Ember", "Falcon", "Harbor", "Meadow")
DEFECTS = (
    "Crash in", "Typo in", "Slow loading of", "Wrong colours in", "Broken link in", "No sorting in", "Blank page after",
)  # fmt: skip
FEATURES = (
    "login page", "report export", "user list", "help menu", "price table", "file upload", "date picker", "mobile view",
    "search box", "settings", "print view", "sign-up form",
)  # fmt: skip


def distinct(
    random: Random, count: int, make: Callable[[], str], *, besides: frozenset[str] = frozenset()
) -> list[str]:
    """``count`` different texts from ``make``, none of them in ``besides``, in the order in which they were drawn.

    Raises:
        ValueError: If ``make`` has too few different ones to give.
    """
    found: dict[str, None] = {}
    for _ in range(1000 + 50 * count):
        if len(found) == count:
            return list(found)
        if (text := make()) not in besides:
            found[text] = None
    del random
    raise ValueError(f"there are no {count} different texts to be had, only {len(found)}: ask for fewer rows")
