"""What asking has cost."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["Usage"]


@dataclass(frozen=True)
class Usage:
    """Counts of what a judge was asked and what that took. Two of them can be added and subtracted.

    Attributes:
        questions: How many answers were given.
        calls: How many of a model's or a server's replies, or of a rule's results, that took.
        tokens_in: The tokens that were read.
        tokens_out: The tokens that were written.
        dollars: What they cost, where `potentia.judges.Budgeted` knows the prices.
        cached: How many answers were looked up.
        invalid: How many answers were not valid.
        seconds: How long the askers waited, in all.

    >>> Usage(calls=2, tokens_in=90) + Usage(calls=1, tokens_out=10)
    Usage(questions=0, calls=3, tokens_in=90, tokens_out=10, dollars=0.0, cached=0, invalid=0, seconds=0.0)
    """

    questions: int = 0
    calls: int = 0
    tokens_in: int = 0
    tokens_out: int = 0
    dollars: float = 0.0
    cached: int = 0
    invalid: int = 0
    seconds: float = 0.0

    @property
    def tokens(self) -> int:
        """The tokens that were read and written."""
        return self.tokens_in + self.tokens_out

    def __add__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, one.name) + getattr(other, one.name) for one in fields(self)))

    def __sub__(self, other: Usage) -> Usage:
        return Usage(*(getattr(self, one.name) - getattr(other, one.name) for one in fields(self)))

    def __mul__(self, times: int) -> Usage:
        return Usage(*(getattr(self, one.name) * times for one in fields(self)))

    def metrics(self, prefix: str = "judge/") -> dict[str, float]:
        """The counts by name, as a shaper's ``update`` returns them.

        >>> Usage(calls=2, tokens_in=90).metrics()["judge/tokens_in"]
        90.0
        """
        return {prefix + one.name: float(getattr(self, one.name)) for one in fields(self)}
