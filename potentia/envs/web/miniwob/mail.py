"""How far MiniWoB++'s mail pages are from done."""

from __future__ import annotations

import re
from collections.abc import Sequence

from potentia.envs.web.elements import PageState

__all__ = ["Inbox"]

_SENDER = re.compile(r"^Find the email by (.+?) and (?:reply|forward|click) ")
_RECEIVER = re.compile(r"forward that email to (.+)\.$")
_QUOTED = re.compile(r'"(.+)"')


class Inbox:
    """Counts the actions left of the shortest way.

    The way is to open the sender's email, press "Reply" or "Forward", fill in and send. For other goals it is to press
    the icon beside the email.

    The page has five views: the inbox, the search, an email, and the forms to reply and to forward. What is in a form
    does not tell whose email it answers, so `see` is to be called after each action.

    Args:
        goal: The page's sentence.
        given: What the page says of it besides, empty if it does not: the action (unless it is to forward), the sender,
            the text or the receiver.
    """

    def __init__(self, goal: str, given: Sequence[str]) -> None:
        self._form, self._sender, self._text = _asked(goal, given)
        self._open = self._body = ""
        self._whole = 4 if self._form else 1
        self.left = self._whole

    @property
    def potential(self) -> float:
        """``-left / (actions of the shortest way + 2)`` in [-1, 0]: a form of another email is two actions astray."""
        return -self.left / (self._whole + 2)

    def see(self, page: PageState) -> None:
        """Takes in what an action led to."""
        self.left = self._count(page)

    def _count(self, page: PageState) -> int:
        names = [row.name for row in page.elements]
        if "close-email" in names:
            place = names.index("to me")
            self._open, self._body = names[place - 1], names[place + 1]
            return self._from_email()
        texts = [row.value for row in page.elements if row.role == "textbox"]
        for form, wanted in (("reply", [self._text]), ("forward", [self._text, self._body])):
            if f"close-{form}" in names:
                if form != self._form or self._open != self._sender:
                    return 1 + self._from_email()
                return 1 + sum(text != value for text, value in zip(wanted, texts, strict=True))
        return self._whole + ("search-cancel" in names)

    def _from_email(self) -> int:
        if self._open != self._sender:
            return 1 + self._whole
        return 3 if self._form else 1


def _asked(goal: str, given: Sequence[str]) -> tuple[str, str, str]:
    """Which form it takes ("" for none), the sender, and what to fill in."""
    if given:
        kind, sender, *rest = given if given[0] in ("reply", "forward", "delete", "star") else ("forward", *given)
        return kind if rest else "", sender, "".join(rest)
    sender = _SENDER.findall(goal)[0]
    if receiver := _RECEIVER.findall(goal):
        return "forward", sender, receiver[0]
    quoted = _QUOTED.findall(goal)
    return ("reply", sender, quoted[0]) if quoted else ("", sender, "")
