"""Does a shaper fit where it is to run? Each home says what it offers, and one function compares."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from potentia.rollout import Truncation
from potentia.shaping.shaper import Shaper
from potentia.transitions import NEXT_ACTION
from potentia.trees import leaves


@dataclass(frozen=True)
class Finding:
    """What is wrong with a shaper, a stack of wrappers, a script or a study, and what to do about it.

    Attributes:
        name: A word for the kind of mistake, such as ``"episodes"`` or ``"gamma"``.
        problem: What is wrong.
        advice: What to do. Empty where the problem says it.
        severe: Whether training would be wrong. Otherwise only what is reported would be, or something is lost.
        place: Where it stands, such as ``"ppo.py:88"`` or ``"shapings[1].shapers[0]"``. Empty if the problem says it.
    """

    name: str
    problem: str
    advice: str
    severe: bool = True
    place: str = ""

    @property
    def message(self) -> str:
        """The problem and the advice in one line."""
        return f"{self.problem}; {self.advice}" if self.advice else self.problem


@dataclass(frozen=True)
class Home:
    """What a place where shapers run offers them. The default is what an environment in steps can offer.

    Attributes:
        name: What it is called in messages.
        episodes: Rollouts hold whole episodes.
        ordered: Steps come in the order of time, so that a carry makes sense.
        learns: `potentia.shaping.Shaper.update` is called.
        policy: `potentia.shaping.Shaper.update` is given the policy.
        next_action: The info column ``next_action`` is there.
        values: The learner's values are there, in info columns.
        streams: A term may have a value head of its own.
        discounts: The learner reads the discount column, so a shaper may set it.
        truncation: What the learner does where an episode is cut. None if the data says it.
        keys: The keys of the environment's info. None if they are not known yet.
    """

    name: str
    episodes: bool = False
    ordered: bool = True
    learns: bool = True
    policy: bool = False
    next_action: bool = False
    values: bool = False
    streams: bool = False
    discounts: bool = True
    truncation: Truncation | None = "bootstrap"
    keys: frozenset[str] | None = None


class FitError(ValueError):
    """A shaper does not fit where it is to run.

    Attributes:
        findings: What is wrong, one for each reason.
    """

    def __init__(self, shaper: Shaper, home: Home, findings: list[Finding]) -> None:
        self.findings = findings
        reasons = "; ".join(finding.message for finding in findings)
        super().__init__(f"{shaper.name} does not fit {home.name}: {reasons}")


def fit(shaper: Shaper, home: Home) -> list[Finding]:
    """Compares what a shaper's contract asks for with what a home offers. An empty list says that all is there."""
    return [*_missing(shaper, home), *_rules(shaper, home)]


def require_fit(shaper: Shaper, home: Home) -> list[Finding]:
    """The findings that are not severe.

    Raises:
        TypeError: If it is no `potentia.shaping.Shaper`.
        FitError: If a finding is severe.
    """
    if not isinstance(shaper, Shaper):
        raise TypeError(f"shaper must be a potentia.shaping.Shaper, got {type(shaper).__name__}: {shaper!r}")
    findings = fit(shaper, home)
    severe = [finding for finding in findings if finding.severe]
    if severe:
        raise FitError(shaper, home, severe)
    return findings


def without_learning(home: Home) -> Home:
    """The same home where nothing is learned."""
    return replace(home, learns=False)


def _missing(shaper: Shaper, home: Home) -> Iterator[Finding]:
    """What the shaper needs to see."""
    contract = shaper.contract
    if contract.needs_episodes and not home.episodes:
        yield Finding(
            "episodes",
            "it needs whole episodes, which are cut anywhere here",
            "collect them with potentia.collect.collect_episodes and call shaper.shape(rollout) on them, or name it in "
            "a study",
        )
    if not home.ordered and any(True for _ in leaves(shaper.init(1))):
        yield Finding(
            "order",
            "it remembers within an episode, but samples have no order here",
            "wrap the environment with potentia.wrappers.ShapeReward instead",
        )
    if contract.needs_policy and home.learns and not home.policy:
        yield Finding(
            "policy",
            "it needs the learner's policy to learn, which is not known here",
            "call shaper.update(rollout, policy=...) yourself (a wrapper takes learn=False then), or use a study",
        )
    if contract.needs_values and not home.values:
        yield Finding(
            "values", "it reads the learner's values, which are not known here", "use a learner of potentia.agents"
        )
    if NEXT_ACTION in contract.info_columns and not home.next_action:
        yield Finding(
            "next_action",
            "it reads the next action, which is not known yet here",
            "shape whole rollouts from potentia.collect.collect(..., columns=shaper.contract.info_columns), or look "
            "back instead of ahead",
        )
    if home.keys is not None and (lacking := contract.info_keys - home.keys):
        yield Finding(
            "columns",
            f"it reads {', '.join(map(repr, sorted(lacking)))}, which is not in the environment's info",
            f"that has {', '.join(sorted(home.keys)) or 'nothing'}",
        )


def _rules(shaper: Shaper, home: Home) -> Iterator[Finding]:
    """What the learner must do with it."""
    contract = shaper.contract
    if contract.sets_discount and not home.discounts:
        yield Finding(
            "discount",
            "it sets the discount, but the learner here has one gamma for all steps",
            "use a learner of potentia.agents",
        )
    if home.truncation is not None and contract.truncation not in ("data", home.truncation):
        does = {"bootstrap": "uses the next value", "terminal": "sees an end"}
        yield Finding(
            "truncation",
            f"it is right only for a learner that {does[contract.truncation]} where an episode is cut "
            f"(truncation={contract.truncation!r}), but the one here {does[home.truncation]}",
            f"use a learner that {does[contract.truncation]} there",
        )
    if shaper.streams and not home.streams:
        yield Finding(
            "streams",
            f"its terms {', '.join(shaper.streams)} ask for value heads of their own; here they are added to the one "
            "reward, under the learner's own discount",
            "use potentia.agents.PPO with streams, or take it as it is",
            severe=False,
        )
