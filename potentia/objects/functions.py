"""Functions by the name under which they are imported: a potential, a judge or a schedule of one's own."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any

from potentia.objects.kinds import Kind, add_kind, unknown


def import_function(name: str) -> Callable[..., Any]:
    """The function that ``module:name`` names.

    Args:
        name: For example ``"my_project.potentials:distance"``.

    Raises:
        ValueError: If the name has another form, the module can't be imported, or has no such function.

    >>> import_function("math:hypot")(3.0, 4.0)
    5.0
    """
    module, _, attribute = name.partition(":")
    if not module or not attribute:
        raise ValueError(f"a function is named module:name, got {name!r}")
    try:
        found = importlib.import_module(module)
    except Exception as error:
        raise ValueError(f"the module {module!r} can't be imported: {type(error).__name__}: {error}") from error
    if not callable(getattr(found, attribute, None)):
        functions = [key for key, value in vars(found).items() if callable(value) and not key.startswith("_")]
        raise ValueError(unknown(f"function of {module}", attribute, functions))
    function: Callable[..., Any] = getattr(found, attribute)
    return function


FUNCTIONS = add_kind(Kind("function", (Callable,), lambda: {"function": import_function}))
