"""The composition language: shapers in order, and a shaper times a weight. Both are shapers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream, check_keys, weakest


class Chain(Shaper):
    """``reward = env + first term + second term + ...``: shapers in order, each sees the reward so far.

    Args:
        *shapers: The members, with names unlike each other's.
        name: The chain's own name, used by an outer chain for its metrics and saved state.

    Raises:
        ValueError: If two terms have one name, a discount is set after a term was added, or the reward is rescaled
            after a policy-invariant term (which would no longer telescope).
    """

    def __init__(self, *shapers: Shaper, name: str | None = None) -> None:
        super().__init__(name)
        for shaper in shapers:
            if not isinstance(shaper, Shaper):
                raise TypeError(f"Chain takes shapers: Chain(a, b, ...), got {type(shaper).__name__}: {shaper!r}")
        self.shapers = shapers
        self.contract: Contract = weakest([shaper.contract for shaper in shapers])
        self.update_size = max((shaper.update_size for shaper in shapers), default=1)
        self._check_order()

    def _check_order(self) -> None:
        names: list[str] = []
        invariant: list[str] = []
        for shaper in self.shapers:
            contract = shaper.contract
            if contract.sets_discount and names:
                raise ValueError(
                    f"{shaper.name} sets the discount and must come first: {', '.join(names)} reads the old one"
                )
            if contract.rescales and invariant:
                raise ValueError(
                    f"{shaper.name} rescales the reward so far, which would destroy the guarantee of "
                    f"{', '.join(invariant)} (policy_invariant); put {shaper.name} before it"
                )
            if contract.guarantee == "policy_invariant" and shaper.term_names:
                invariant.append(shaper.name)
            for name in shaper.term_names:
                if name in names:
                    raise ValueError(f"two shapers add the term {name!r}; give one another name: name='...'")
                names.append(name)
        members = [shaper.name for shaper in self.shapers]
        for name in members:
            if members.count(name) > 1:
                raise ValueError(f"two shapers have the name {name!r}; give one another name: name='...'")

    @property
    def term_names(self) -> tuple[str, ...]:
        """The names of the terms its members add, in order."""
        return tuple(name for shaper in self.shapers for name in shaper.term_names)

    @property
    def streams(self) -> dict[str, Stream]:
        """The streams of all its members."""
        return {name: stream for shaper in self.shapers for name, stream in shaper.streams.items()}

    def init(self, num_envs: int) -> Carry:
        """The tuple of its members' carries."""
        return tuple(shaper.init(num_envs) for shaper in self.shapers)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Applies its members in order.

        Raises:
            ValueError: If the carry is not one of this chain's.
        """
        carries = carry if carry != () else self.init(rollout.num_envs)
        if len(carries) != len(self.shapers):
            raise ValueError(
                f"the carry must have one part for each of {len(self.shapers)} shapers, got {len(carries)}; "
                "start with carry = chain.init(num_envs)"
            )
        after = []
        for shaper, part in zip(self.shapers, carries, strict=True):
            rollout, part_after = shaper.shape(rollout, part)
            after.append(part_after)
        return rollout, tuple(after)

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Updates each member; metrics are prefixed with the member's name."""
        return {
            f"{shaper.name}/{key}": value
            for shaper in self.shapers
            for key, value in shaper.update(rollout, policy=policy).items()
        }

    def state_dict(self) -> dict[str, Any]:
        """The members' states by name."""
        return {shaper.name: shaper.state_dict() for shaper in self.shapers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores the members' states by name."""
        check_keys(self, state, tuple(shaper.name for shaper in self.shapers))
        for shaper in self.shapers:
            shaper.load_state_dict(state[shaper.name])

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.shapers))})"


class Scale(Shaper):
    """``weight * term``: a shaper whose terms are multiplied by a number, or by a schedule of the steps seen.

    A fixed positive weight keeps every guarantee. A schedule breaks the telescoping of a potential, so it keeps none
    but ``vanishing`` (Devlin & Kudenko 2012: scale the potential itself, and keep its value as of arrival).

    Args:
        shaper: What to scale; it must add at least one term.
        weight: A number, or a function from the number of unmasked transitions seen by `update` to a number.
        name: The name of the scaled shaper; its terms keep their names. By default the inner shaper's.

    Raises:
        ValueError: If the shaper sets the discount, which has no weight.
    """

    def __init__(self, shaper: Shaper, weight: float | Callable[[int], float], name: str | None = None) -> None:
        super().__init__(name or shaper.name)
        if shaper.contract.sets_discount:
            raise ValueError(f"{shaper.name} sets the discount, which cannot be scaled; scale the other shapers")
        self.shaper = shaper
        self.weight = weight
        self.steps = 0
        inner = shaper.contract
        kept = inner.guarantee if not callable(weight) or inner.guarantee == "vanishing" else "unconstrained"
        self.contract = dataclasses.replace(inner, guarantee=kept)
        self.update_size = shaper.update_size

    @property
    def term_names(self) -> tuple[str, ...]:
        """The inner shaper's terms."""
        return self.shaper.term_names

    @property
    def streams(self) -> dict[str, Stream]:
        """The inner shaper's streams."""
        return self.shaper.streams

    def init(self, num_envs: int) -> Carry:
        """The inner shaper's carry."""
        return self.shaper.init(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        """Shapes with the inner shaper and multiplies the terms it added."""
        shaped, carry = self.shaper.shape(rollout, carry)
        weight = self.weight(self.steps) if callable(self.weight) else self.weight
        scaled = rollout
        for name, term in shaped.terms.items():
            if name not in rollout.terms:
                scaled = scaled.add(name, weight * term)
        return scaled, carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        """Updates the inner shaper and advances the schedule by the unmasked transitions."""
        metrics = self.shaper.update(rollout, policy=policy)
        if callable(self.weight):
            self.steps += int(rollout.mask.sum())
            metrics = metrics | {"weight": float(self.weight(self.steps))}
        return metrics

    def state_dict(self) -> dict[str, Any]:
        """The inner state and the steps seen."""
        return {"shaper": self.shaper.state_dict(), "steps": self.steps}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        check_keys(self, state, ("shaper", "steps"))
        self.shaper.load_state_dict(state["shaper"])
        self.steps = int(state["steps"])

    def __repr__(self) -> str:
        return f"Scale({self.shaper!r}, {self.weight!r})"
