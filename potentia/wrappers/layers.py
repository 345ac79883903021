"""The rules of order in a stack of wrappers, whoever described it: a live stack, a script or a file of settings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from potentia.rollout import Truncation
from potentia.shaping.compose import Scale, members
from potentia.shaping.fit import Finding
from potentia.shaping.potentials.potential_shaping import PotentialShaping
from potentia.shaping.potentials.sources import TablePotential
from potentia.shaping.shaper import Shaper

Role = Literal["shapes", "changes", "repeats", "reports", "limits", "steps", "passes"]
"""What a wrapper does to a reward: adds terms, returns another number, sums it over repeated actions, keeps statistics
of it, ends episodes by a limit, has a ``step`` of which no more is known, or passes it on."""


@dataclass(frozen=True)
class Layer:
    """One wrapper of a stack.

    Attributes:
        name: Its class, or its shaper if it shapes.
        role: What it does to the reward.
        invariant: A term that it adds is policy-invariant, as long as nobody changes it afterwards.
        gamma: The discount factor that it was given. None if it has none, or it is not known.
        truncation: What it was told of the learner. None if it was told nothing.
        size: The greatest absolute value of its potential, if it is known.
        discounted: False if the potential's difference is taken without gamma.
        sees_end: False if the potential of a terminal state is paid.
        tells: Its info has the true return.
        place: Where it stands in a file.
    """

    name: str
    role: Role
    invariant: bool = False
    gamma: float | None = None
    truncation: Truncation | None = None
    size: float | None = None
    discounted: bool = True
    sees_end: bool = True
    tells: bool = False
    place: str = ""


@dataclass(frozen=True)
class Learner:
    """What is known of whoever learns from a stack.

    Attributes:
        gamma: Its discount factor. None if it is not to be compared.
        truncation: What it does where an episode is cut. None if it is not to be compared.
        stores: Its name, if it stores the reward inside of ``VecNormalize`` whatever stands outside.
    """

    gamma: float | None = None
    truncation: Truncation | None = None
    stores: str = ""


def shaping_layer(shaper: Shaper, gamma: float | None, truncation: Truncation | None) -> Layer:
    """What is known of one of our shaping wrappers."""
    return Layer(
        shaper.name, "shapes", has_invariant(shaper), gamma, truncation, size=potential_size(shaper), tells=True
    )


def has_invariant(shaper: Shaper) -> bool:
    """Whether a term of it is policy-invariant as long as nobody changes it afterwards."""
    return any(one.contract.guarantee == "policy_invariant" and one.term_names for one in members(shaper))


def potential_size(shaper: Shaper) -> float | None:
    """The greatest absolute value of its potential, if that is a table."""
    sizes = []
    for one in members(shaper):
        weight = 1.0
        inner: Any = one
        while isinstance(inner, Scale) and not callable(inner.weight):
            inner, weight = inner.shaper, weight * inner.weight
        if isinstance(inner, PotentialShaping) and isinstance(inner.potential, TablePotential):
            sizes.append(abs(weight) * float(abs(inner.potential.table + inner.shift).max(initial=0.0)))
    return sum(sizes) if sizes else None


def findings_of(layers: Sequence[Layer], learner: Learner) -> list[Finding]:
    """One finding for each kind of mistake of each wrapper.

    Args:
        layers: The stack, outermost first.
        learner: Who learns from it.
    """
    found: dict[Finding, None] = {}
    for index, layer in enumerate(layers):
        outside = layers[:index]
        if layer.role == "shapes":
            found.update(dict.fromkeys(_around(layer, outside)))
            found.update(dict.fromkeys(_of_potential(layer, learner)))
            found.update(dict.fromkeys(_of_learner(layer, learner)))
        elif layer.role == "changes":
            found.update(dict.fromkeys(_normalising(layer, outside, learner)))
            found.update(dict.fromkeys(_reporting(layer, outside)))
        if layer.role in ("shapes", "changes", "steps") and layer.name != "VecNormalize":
            found.update(dict.fromkeys(_dropped(layer, layers[index + 1 :], learner)))
    return list(found)


def _around(shaping: Layer, outside: Sequence[Layer]) -> Iterator[Finding]:
    """What stands outside of a shaping and spoils it."""
    name = shaping.name
    for layer in outside:
        where = f"{layer.name} stands outside of {name}"
        if layer.role == "changes" and shaping.invariant:
            problem = f"{where} and changes its terms, which then no longer telescope"
            yield Finding("rescaled", problem, "put it inside", place=layer.place)
        elif layer.role == "repeats" and shaping.invariant:
            problem = f"{where} and sums its terms without their discount"
            yield Finding("repeated", problem, "put it inside", place=layer.place)
        elif layer.role == "limits" and shaping.truncation == "terminal":
            problem = f"{where}, which does not see the ends that the learner sees (truncation='terminal')"
            yield Finding("limit", problem, "put it inside", place=layer.place)
        elif layer.role == "steps":
            problem = f"{where} and has a step of its own"
            advice = "if it changes rewards or repeats actions, put it inside"
            yield Finding("unknown", problem, advice, severe=False, place=layer.place)
    yield from _reporting(shaping, outside)


def _reporting(layer: Layer, outside: Sequence[Layer]) -> Iterator[Finding]:
    kind = "shaped" if layer.role == "shapes" else "changed"
    for report in outside:
        if report.role == "reports":
            problem = f"{report.name} stands outside of {layer.name} and reports {kind} returns as if they were true"
            advice = "put it inside" + (", or read info['true_return']" if layer.tells else "")
            yield Finding("monitor", problem, advice, severe=False, place=report.place)


def _of_potential(shaping: Layer, learner: Learner) -> Iterator[Finding]:
    """Two rules that whoever writes a potential by hand forgets."""
    if not shaping.discounted and learner.gamma is not None and learner.gamma < 1:
        waits = f"each step pays {1 - learner.gamma:.3g} times the potential to whoever waits"
        problem = (
            f"{shaping.name} adds a difference of a potential without gamma: to a learner with {learner.gamma} {waits}"
        )
        yield Finding("gamma", problem, "multiply the later one by the learner's gamma", place=shaping.place)
    if not shaping.sees_end:
        problem = f"{shaping.name} keeps the potential of a terminal state, which is then paid for ending there"
        advice = "count it as 0 where terminated is True, and only there; or use potentia.wrappers.ShapeReward"
        yield Finding("terminal", problem, advice, place=shaping.place)


def _of_learner(shaping: Layer, learner: Learner) -> Iterator[Finding]:
    if None not in (shaping.gamma, learner.gamma) and shaping.gamma != learner.gamma:
        problem = f"{shaping.name} was wrapped with gamma={shaping.gamma}, the learner has {learner.gamma}"
        yield Finding("gamma", problem + _worth(shaping, learner), "use one number", place=shaping.place)
    if None not in (shaping.truncation, learner.truncation) and shaping.truncation != learner.truncation:
        does = {"bootstrap": "uses the next value", "terminal": "sees an end"}[learner.truncation or "bootstrap"]
        problem = f"{shaping.name} was wrapped with truncation={shaping.truncation!r}, but the learner {does} where an "
        advice = f"wrap with truncation={learner.truncation!r}"
        yield Finding("truncation", f"{problem}episode is cut", advice, place=shaping.place)


def _worth(shaping: Layer, learner: Learner) -> str:
    """The bound of what a wrong gamma pays: ``|gamma_s - gamma| max|potential| / (1 - gamma)``."""
    if not shaping.invariant or learner.gamma is None or shaping.gamma is None or learner.gamma >= 1:
        return ""
    factor = abs(shaping.gamma - learner.gamma) / (1 - learner.gamma)
    if shaping.size is None:
        return f": worth up to {factor:.3g} times the greatest potential"
    return f": worth up to {factor * shaping.size:.3g}, at a greatest potential of {shaping.size:.3g}"


def _normalising(layer: Layer, outside: Sequence[Layer], learner: Learner) -> Iterator[Finding]:
    """Running scales: of returns at the learner's gamma, and once."""
    if layer.gamma is None:
        return
    if learner.gamma is not None and layer.gamma != learner.gamma:
        problem = f"{layer.name} scales by returns at gamma={layer.gamma}, the learner has {learner.gamma}"
        yield Finding("gamma", problem, f"give it gamma={learner.gamma}", place=layer.place)
    for other in outside:
        if other.role == "changes" and other.gamma is not None:
            problem = f"{other.name} stands outside of {layer.name}: the reward is divided by its scale twice"
            yield Finding("doubled", problem, "leave one out", severe=False, place=other.place)


def _dropped(layer: Layer, inside: Sequence[Layer], learner: Learner) -> Iterator[Finding]:
    if learner.stores and any(other.name == "VecNormalize" for other in inside):
        problem = f"{layer.name} stands outside of VecNormalize, whose original reward is what {learner.stores} stores"
        yield Finding("dropped", problem, "put it inside", place=layer.place)


def evaluation_findings(stacks: Sequence[Sequence[Layer]]) -> Iterator[Finding]:
    """Whether an evaluation in these stacks reports the true return: statistics are kept inside of what changes it."""
    for layers in stacks:
        for index, layer in enumerate(layers):
            true = layer.tells or any(inside.role == "reports" for inside in layers[index + 1 :])
            if layer.role in ("changes", "shapes") and not true:
                problem = f"the policy would be evaluated on a reward that {layer.name} has changed"
                advice = "leave it out there, or put RecordEpisodeStatistics (Monitor) inside of it"
                yield Finding("evaluation", problem, advice, severe=False)


def relabelled(shaping: str) -> Finding:
    """The finding that hindsight asks the world for rewards, which lack the terms of a shaping."""
    problem = "HerReplayBuffer asks the innermost environment for the rewards of relabelled goals, which then lack the "
    advice = "use a replay without hindsight, or hindsight without shaping"
    return Finding("relabelled", f"{problem}terms of {shaping}", advice)


def cut_is_an_end(learner: str) -> Finding:
    """The finding that a replay of Stable-Baselines3 was told to treat a cut as an end."""
    problem = f"the replay of {learner} takes a cut for an end (handle_timeout_termination=False)"
    advice = "leave it True, so that the next value counts where a time limit cuts"
    return Finding("truncation", problem, advice, severe=False)
