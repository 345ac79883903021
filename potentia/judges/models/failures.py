"""Which failures of a server pass, and how long it asks to wait."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping

from potentia.judges.question import Answer, Question

__all__ = ["failed"]

_PASSING = frozenset({408, 409, 425, 429})
_LONGEST = 300.0
"""Seconds. A server that asks for more is not waited for so long at once."""


def failed(question: Question, error: Exception) -> Answer:
    """The answer to a question that a server did not answer, with ``again`` and ``wait``.

    It may help to ask again after a time-out, a lost connection, a reply that is no JSON, and the statuses 408, 409,
    425, 429 and from 500 on.

    Args:
        question: The question.
        error: What the client raised.
    """
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None)
    again = status is None or status in _PASSING or status >= 500
    wait = _wait(response.headers) if again and response is not None else 0.0
    text = " ".join(str(error).split())[:300] or "no reply in time"
    reason = f"{type(error).__name__}: {text}"
    answer = question.nothing(reason)
    return Answer(answer.values, valid=False, reason=reason, again=again, wait=wait)


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds, from ``retry-after-ms`` or ``Retry-After``, which is a number or a date (RFC 9110, 10.2.3)."""
    text = headers.get("retry-after", "")
    try:
        wait = float(headers["retry-after-ms"]) / 1000 if "retry-after-ms" in headers else float(text)
    except ValueError:
        try:
            wait = email.utils.parsedate_to_datetime(text).timestamp() - time.time()
        except ValueError:
            wait = 0.0
    return min(max(0.0, wait), _LONGEST)  # in this order NaN is 0
