"""Long lists, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from potentia.envs.web.apps.application import BadInput
from potentia.envs.web.http import Request

__all__ = ["A_PAGE", "Paging", "paged"]

A_PAGE = 10
"""Rows a page: with the bar and the controls, few enough for the element table."""


@dataclass(frozen=True)
class Paging:
    """One page of a list.

    Attributes:
        rows: At most `A_PAGE` of them.
        previous: The address of the page before. It is "" if this is the first.
        following: The address of the next page. It is "" if this is the last.
    """

    rows: Sequence[Any]
    previous: str
    following: str


def paged(request: Request, found: Sequence[Any]) -> Paging:
    """The page of ``found`` that the field ``start`` of the URL asks for.

    Raises:
        BadInput: If ``start`` is no number.
    """
    asked = request.asked("start", "0")
    if not asked.isdecimal():
        raise BadInput(f"The first row must be a number, not {asked}.")
    start = int(asked)

    def address(row: int) -> str:
        fields = {name: values[0] for name, values in request.query.items()}
        return f"{request.path}?{urlencode(fields | {'start': str(row)})}"

    return Paging(
        found[start : start + A_PAGE],
        previous=address(max(start - A_PAGE, 0)) if start else "",
        following=address(start + A_PAGE) if start + A_PAGE < len(found) else "",
    )
