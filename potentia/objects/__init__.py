"""Objects as data: ``{type: name, argument: value, ...}``, so that files can say shapers, schedules, judges and files.

What may stand where is read from the annotations of constructors, as deep as objects are nested. The same form is
written back by `as_data`.
"""

from potentia.objects.kinds import Kind, add_kind, find_kind, unknown
from potentia.objects.reading import FILLED_IN, ObjectError, Recipe, read
from potentia.objects.writing import Recorded, as_data

__all__ = [
    "FILLED_IN",
    "Kind",
    "ObjectError",
    "Recipe",
    "Recorded",
    "add_kind",
    "as_data",
    "find_kind",
    "read",
    "unknown",
]
