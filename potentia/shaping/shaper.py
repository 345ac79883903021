"""The one concept: a shaper maps a rollout to a rollout. What it promises is its contract."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from potentia.objects import Recorded
from potentia.rollout import Rollout
from potentia.state import Stateful
from potentia.transitions import info_keys

Carry = Any
"""Per-environment memory: ``()``, or a tree (see `potentia.trees`) whose leaves are arrays or lists of length B.

Row b belongs to environment b, so that whoever steps environments can start one anew alone. An array may grow along its
second axis as an episode gets longer. Zeros there must mean nothing."""

Guarantee = Literal["policy_invariant", "return_preserving", "vanishing", "unconstrained"]
Basis = Literal["state", "state_action", "history"]
Scope = Literal["step", "episode", "lifelong"]

_STRENGTH: tuple[Guarantee, ...] = ("unconstrained", "vanishing", "return_preserving", "policy_invariant")


@dataclass(frozen=True)
class Contract:
    """What a shaper promises and what it needs. `potentia.testing.check_shaper` holds it to its word.

    Attributes:
        guarantee: ``policy_invariant``: no optimal policy of any world changes. ``return_preserving``: a whole
            episode's sum of the term is 0. ``vanishing``: on fixed experience the term tends to 0 as `Shaper.update`
            is repeated. ``unconstrained``: none of these.
        basis: For ``policy_invariant``: what the values of the shaped problem depend on. ``state``: V' = V -
            potential(s). ``state_action``: Q' = Q - potential(s, a), so act on Q' + potential. ``history``: also on
            the recent past, by an amount that does not depend on the action.
        reads: The columns it looks at: fields of `Rollout`, ``"reward"``, and ``"info:<name>"`` for info columns.
        measures: Info columns that it reads for its metrics alone, where they are there: ``"info:<name>"``. No term
            depends on them.
        scope: How far it remembers in its carry or parameters: not at all, within an episode, or for ever.
        truncation: ``data``: it follows the discount column and so is right for learners that bootstrap at a cut and
            for those that don't. Else the one rule it is right for.
        needs_episodes: It must see whole episodes, so it can't run inside an environment.
        needs_policy: Its `Shaper.update` must be given the policy.
        needs_values: It reads the learner's values of states, which a home must put into info columns.
        sets_discount: It sets the discount and so must come before every term.
        rescales: It scales or clips the reward so far, which would destroy a guarantee made before it.
    """

    guarantee: Guarantee = "unconstrained"
    basis: Basis = "state"
    reads: frozenset[str] = frozenset()
    measures: frozenset[str] = frozenset()
    scope: Scope = "step"
    truncation: Literal["data", "bootstrap", "terminal"] = "data"
    needs_episodes: bool = False
    needs_policy: bool = False
    needs_values: bool = False
    sets_discount: bool = False
    rescales: bool = False

    @property
    def info_columns(self) -> frozenset[str]:
        """The names of the info columns it reads."""
        return _info_columns(self.reads)

    def columns_in(self, keys: frozenset[str]) -> frozenset[str]:
        """The info columns to collect where info has ``keys``: those it reads, and those it measures with."""
        return self.info_columns | {name for name in _info_columns(self.measures) if keys.issuperset(info_keys([name]))}

    @property
    def info_keys(self) -> frozenset[str]:
        """The keys that an environment's info must have for these columns."""
        return frozenset(info_keys(self.info_columns))


def _info_columns(reads: frozenset[str]) -> frozenset[str]:
    return frozenset(name.removeprefix("info:") for name in reads if name.startswith("info:"))


@dataclass(frozen=True)
class Stream:
    """A reward term that a learner values apart, with its own value head (Burda et al. 2018, arXiv 1810.12894, 2.3).

    Attributes:
        gamma: The stream's own discount factor.
        episodic: False if its return goes on across the ends of episodes.
        weight: What its advantage is multiplied by before it joins the others.
    """

    gamma: float = 0.99
    episodic: bool = False
    weight: float = 1.0


class Shaper(Recorded, Stateful):
    """Maps a `Rollout` to a `Rollout`: it may add one named reward term or set the discount, and change nothing else.

    It has two kinds of state, never mixed. Parameters learn: they are shared by all environments, changed only by
    `update`, and saved (`saved` names them). The carry remembers: each environment has a row of its own, which goes in
    and out of `shape` and is forgotten where an episode ends. Only `shape` is compulsory.

    Attributes:
        name: The name of its term.
        contract: What it promises and needs.
        update_size: How many transitions its `update` wants at least. Drivers gather as many before they call it.
    """

    contract: Contract = Contract()
    update_size: int = 1

    def __init__(self, name: str | None = None) -> None:
        self.name = name or type(self).__name__
        if "/" in self.name:
            raise ValueError(f"a shaper's name must have no '/', got {self.name!r}")

    @property
    def term_names(self) -> tuple[str, ...]:
        """The names of the terms it adds, in order."""
        return () if self.contract.sets_discount else (self.name,)

    @property
    def streams(self) -> dict[str, Stream]:
        """Those of its terms that ask for a value head of their own, if the learner has one to give."""
        return {}

    @property
    def learns(self) -> bool:
        """Whether `update` does anything, so that drivers need to remember what they have seen."""
        return type(self).update is not Shaper.update

    def init(self, num_envs: int) -> Carry:
        """Fresh per-environment memory (`Carry`) for ``num_envs`` environments at the start of their episodes."""
        del num_envs
        return ()

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Returns the rollout with this shaper's term (or discount) and the carry for the steps that follow.

        It never learns and never waits. Shaping T steps at once gives the same as shaping them in parts with the carry
        passed on.

        Args:
            rollout: Experience, ``(T, B)``.
            carry: What the previous call returned for these environments, or ``()`` at the start. It may be changed in
                place: don't use it again.

        Raises:
            ValueError: If the rollout lacks an info column that the contract lists, or a column has a wrong shape.
            TypeError: If a column has a wrong type.
        """
        raise NotImplementedError(f"{type(self).__name__} must implement shape(rollout, carry)")

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Learns from a rollout, as the environment gave it or as `shape` returned it. Returns metrics by name.

        A metric is a number, or a tensor of one number where reading it would wait for the device.
        """
        del rollout, policy
        return {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}(name={self.name!r})"


def weakest(contracts: list[Contract]) -> Contract:
    """The contract of a chain: the weakest guarantee and the sum of all needs."""
    rules = {contract.truncation for contract in contracts} - {"data"}
    if len(rules) > 1:
        raise ValueError("these shapers assume different rules at truncation (bootstrap and terminal); use one rule")
    bases: tuple[Basis, ...] = ("state", "state_action", "history")
    scopes: tuple[Scope, ...] = ("step", "episode", "lifelong")
    return Contract(
        guarantee=min((c.guarantee for c in contracts), key=_STRENGTH.index, default="policy_invariant"),
        basis=max((c.basis for c in contracts), key=bases.index, default="state"),
        reads=frozenset().union(*(c.reads for c in contracts)),
        measures=frozenset().union(*(c.measures for c in contracts)),
        scope=max((c.scope for c in contracts), key=scopes.index, default="step"),
        truncation=rules.pop() if rules else "data",
        needs_episodes=any(c.needs_episodes for c in contracts),
        needs_policy=any(c.needs_policy for c in contracts),
        needs_values=any(c.needs_values for c in contracts),
        sets_discount=any(c.sets_discount for c in contracts),
        rescales=any(c.rescales for c in contracts),
    )
