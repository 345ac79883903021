"""The composition language: shapers in order, and a shaper times a weight. Both are shapers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from potentia.rollout import Rollout
from potentia.shaping.shaper import Carry, Contract, Shaper, Stream, weakest
from potentia.state import check_keys


class Chain(Shaper):
    """``reward = env + first term + second term + ...``: shapers in order, each sees the reward so far.

    Args:
        *shapers: The members, with names unlike each other's.
        name: The chain's own name, used by an outer chain for its metrics and saved state.

    Its carry is the tuple of theirs, its metrics are theirs behind ``name/``, and its state is theirs by name.

    Raises:
        TypeError: If a member is not a shaper.
        ValueError: If two terms have one name, a discount is set after a term was added, or the reward is rescaled
            after a policy-invariant term (which would no longer telescope).

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.shaping import ClipReward, PotentialShaping
    >>> rollout = Rollout(
    ...     obs=np.array([[0]]), action=np.zeros((1, 1)), next_obs=np.array([[1]]), terms={"env": np.array([[5.0]])},
    ...     discount=np.array([[0.5]]), terminated=np.zeros((1, 1), bool), truncated=np.zeros((1, 1), bool))
    >>> chain = Chain(ClipReward(), PotentialShaping([1.0, 4.0]))
    >>> shaped, _ = chain.shape(rollout)
    >>> {name: term.item() for name, term in shaped.terms.items()}  # what the world paid, 1 - 5, and 0.5 * 4 - 1
    {'env': 5.0, 'ClipReward': -4.0, 'PotentialShaping': 1.0}
    >>> shaped.reward.item(), chain.contract.guarantee  # the weakest member's
    (2.0, 'unconstrained')
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
        for shaper in members(self):  # also those of chains inside, whose own contract is only the weakest of theirs
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
        own = [shaper.name for shaper in self.shapers]
        for name in own:
            if own.count(name) > 1:
                raise ValueError(f"two shapers have the name {name!r}; give one another name: name='...'")

    @property
    def term_names(self) -> tuple[str, ...]:
        return tuple(name for shaper in self.shapers for name in shaper.term_names)

    @property
    def streams(self) -> dict[str, Stream]:
        return {name: stream for shaper in self.shapers for name, stream in shaper.streams.items()}

    @property
    def learns(self) -> bool:
        return any(shaper.learns for shaper in self.shapers)

    def init(self, num_envs: int) -> Carry:
        return tuple(shaper.init(num_envs) for shaper in self.shapers)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
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
        return {
            f"{shaper.name}/{key}": value
            for shaper in self.shapers
            for key, value in shaper.update(rollout, policy=policy).items()
        }

    def state_dict(self) -> dict[str, Any]:
        return {shaper.name: shaper.state_dict() for shaper in self.shapers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        check_keys(self, state, tuple(shaper.name for shaper in self.shapers))
        for shaper in self.shapers:
            shaper.load_state_dict(state[shaper.name])

    def __repr__(self) -> str:
        return f"Chain({', '.join(map(repr, self.shapers))})"


def members(shaper: Shaper) -> Iterator[Shaper]:
    """The shapers of a chain in order, those of chains inside in their place; of another shaper that itself."""
    if not isinstance(shaper, Chain):
        yield shaper
        return
    for member in shaper.shapers:
        yield from members(member)


class Scale(Shaper):
    """``weight * term``: a shaper whose terms are multiplied by a number, or by a schedule of the steps seen.

    A fixed positive weight keeps every guarantee. A schedule breaks the telescoping of a potential, so it keeps none
    but ``vanishing`` (Devlin & Kudenko 2012: scale the potential itself, and keep its value as of arrival).

    Args:
        shaper: What to scale. It must not set the discount.
        weight: A number, or a function from the number of unmasked transitions seen by `update` to a number.
        name: The name of the scaled shaper, by default the inner shaper's. The terms keep their names.

    Raises:
        ValueError: If the shaper sets the discount, which has no weight.

    >>> import numpy as np
    >>> from potentia import Rollout
    >>> from potentia.shaping import PotentialShaping
    >>> rollout = Rollout(
    ...     obs=np.array([[0]]), action=np.zeros((1, 1)), next_obs=np.array([[1]]), terms={"env": np.zeros((1, 1))},
    ...     discount=np.array([[0.5]]), terminated=np.zeros((1, 1), bool), truncated=np.zeros((1, 1), bool))
    >>> shaped, _ = Scale(PotentialShaping([1.0, 4.0], name="phi"), 3.0).shape(rollout)
    >>> shaped.terms["phi"].item()  # 3 * (0.5 * 4 - 1)
    3.0
    """

    saved = ("shaper", "steps")

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
        return self.shaper.term_names

    @property
    def streams(self) -> dict[str, Stream]:
        return self.shaper.streams

    @property
    def learns(self) -> bool:
        return self.shaper.learns or callable(self.weight)

    def init(self, num_envs: int) -> Carry:
        return self.shaper.init(num_envs)

    def shape(self, rollout: Rollout, carry: Carry = ()) -> tuple[Rollout, Carry]:
        shaped, carry = self.shaper.shape(rollout, carry)
        weight = self.weight(self.steps) if callable(self.weight) else self.weight
        scaled = rollout
        for name, term in shaped.terms.items():
            if name not in rollout.terms:
                scaled = scaled.add(name, weight * term)
        return scaled, carry

    def update(self, rollout: Rollout, *, policy: Any = None) -> dict[str, Any]:
        metrics = self.shaper.update(rollout, policy=policy)
        if callable(self.weight):
            self.steps += int(rollout.mask.sum())
            metrics = metrics | {"weight": float(self.weight(self.steps))}
        return metrics

    def __repr__(self) -> str:
        return f"Scale({self.shaper!r}, {self.weight!r})"
