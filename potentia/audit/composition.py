"""How the parts of a shaper fit together, beyond what a chain refuses."""

from __future__ import annotations

from collections.abc import Iterator

from potentia.shaping.compose import Scale, members
from potentia.shaping.fit import Finding
from potentia.shaping.shaper import Shaper


def composition(shaper: Shaper) -> Iterator[Finding]:
    """How the parts of a shaper fit together, beyond what `Chain` refuses.

    - ``schedule``: a policy-invariant term whose weight is a schedule does not telescope.
    - ``stream``: a bonus that is forgotten with the episode in a stream that goes on past it, which pays to end
      episodes; or a lifelong bonus in a stream that ends with them, which is not severe.
    """
    for member in members(shaper):
        inner = member.shaper.contract.guarantee if isinstance(member, Scale) and callable(member.weight) else ""
        if inner == "policy_invariant":
            problem = f"{member.name} is policy-invariant, but under a schedule of its weight it does not telescope"
            advice = "weight it by a number, or let the potential itself change: it keeps its value as of arrival"
            yield Finding("schedule", problem, advice)
        yield from _of_streams(member)


def _of_streams(shaper: Shaper) -> Iterator[Finding]:
    """A bonus within an episode belongs into a stream that ends with it, and a lifelong one into one that goes on."""
    scope = shaper.contract.scope
    for name, stream in shaper.streams.items():
        if scope == "episode" and not stream.episodic:
            yield Finding(
                "stream",
                f"{name} forgets what it has seen at the end of an episode, but its stream goes on past that: to end "
                "an episode renews the bonus",
                "give it Stream(episodic=True)",
            )
        if scope == "lifelong" and stream.episodic and shaper.contract.guarantee != "policy_invariant":
            yield Finding(
                "stream",
                f"{name} is a lifelong bonus in a stream that ends with the episode: exploring is punished where it is "
                "deadly",
                "give it Stream(episodic=False) (Burda et al. 2018, section 2.3)",
                severe=False,
            )
