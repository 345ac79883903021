"""The exact verdict on a shaping in an enumerable world: both problems solved, and their optima compared."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from potentia.audit.memory import Shaped, shaped_problem
from potentia.audit.solving import best_actions
from potentia.audit.transitions import Transitions, transitions_of
from potentia.gamma import check_gamma, needs_gamma
from potentia.shaping.objects import to_data
from potentia.shaping.shaper import Shaper

__all__ = ["Certificate", "Change", "certify"]

_SHOWN = 10
_LONGEST = 100
_FROZEN = "What the shaper has learned is taken as it is now: learning on may change the verdict."
_OTHERS = "Nothing is said of other worlds, of other discounts, or of how fast anybody learns."


@dataclass(frozen=True)
class Change:
    """A state in which the shaped problem makes other actions optimal.

    Attributes:
        state: What it is called.
        true: The actions that are optimal in truth.
        shaped: Those that are optimal with the shaping.
    """

    state: str
    true: tuple[str, ...]
    shaped: tuple[str, ...]


@dataclass(frozen=True)
class Certificate:
    """What was proved of a shaper in a world at a discount.

    Attributes:
        world: What the world is called.
        shaper: The shaper, as data where it can be written, else in words.
        gamma: The learner's discount factor.
        promised: The guarantee of the shaper's contract.
        optimum_preserved: Whether every policy that is optimal with the shaping is optimal in truth, from every state
            that can be reached.
        same_optimum: Whether the optimal actions are the same in each of them.
        worst_regret: What the worst of the policies that are optimal with the shaping loses: the true optimal value of
            the start less that policy's true value.
        worst_regret_anywhere: The same from the state where that policy loses most.
        optimal_value: The true optimal value of the start.
        witness: How that policy acts from the start by its likeliest way, as pairs of a state and an action.
        changes: States with other optimal actions, ten at most.
        num_changed: How many there are. A state counts once for each memory that the shaper can have in it.
        num_nodes: Of how many.
        num_states: How many states the world has.
        world_digest: Of all numbers of the world.
        shaper_digest: Of all numbers that the shaper gives in this world.
        not_covered: What the verdict leaves out, in sentences.
    """

    world: str
    shaper: Any
    gamma: float
    promised: str
    optimum_preserved: bool
    same_optimum: bool
    worst_regret: float
    worst_regret_anywhere: float
    optimal_value: float
    witness: tuple[tuple[str, str], ...]
    changes: tuple[Change, ...]
    num_changed: int
    num_nodes: int
    num_states: int
    world_digest: str
    shaper_digest: str
    not_covered: tuple[str, ...]

    def to_json(self) -> str:
        """The certificate as JSON, with sorted keys: equal certificates give equal texts."""
        return json.dumps(asdict(self), sort_keys=True, indent=1)

    def __str__(self) -> str:
        """The certificate in words."""
        name = self.shaper if isinstance(self.shaper, str) else json.dumps(self.shaper)
        head = f"{name} in {self.world} at gamma = {self.gamma:g}, promised: {self.promised}"
        if self.optimum_preserved:
            verdict = "CERTIFIED: whoever is optimal with it is optimal in truth"
            verdict += "." if self.same_optimum else ", though it tells some equally good actions apart."
        else:
            verdict = (
                f"REFUTED: it changes what is optimal in {self.num_changed} of {self.num_nodes} states. The worst "
                f"policy that it calls optimal loses {self.worst_regret:.6g} of {self.optimal_value:.6g} from the "
                f"start, and {self.worst_regret_anywhere:.6g} where it loses most."
            )
        lines = [head, verdict]
        lines += [f"  in {one.state}: {'/'.join(one.shaped)}, in truth {'/'.join(one.true)}" for one in self.changes]
        lines += [f"Not covered: {line}" for line in self.not_covered]
        return "\n".join(lines)


@needs_gamma
def certify(
    world: Any,
    shaper: Shaper,
    *,
    gamma: float,
    seed: int = 0,
    max_nodes: int = 20_000,
    tolerance: float = 1e-9,
    **kwargs: Any,
) -> Certificate:
    """Solves a world with and without a shaper, exactly, and compares what is optimal state by state.

    A shaper that remembers within an episode is solved together with its memory: a node is a state and what the shaper
    remembers there. Its learned parameters stay as they are.

    Args:
        world: As for `potentia.audit.transitions_of`: a model, an environment or its id.
        shaper: The shaper, or a `Chain`.
        gamma: The learner's discount factor, below 1.
        seed: The map, for worlds that are walked.
        max_nodes: How many pairs of a state and a memory there may be.
        tolerance: Two actions are equally good if their values differ by less than this times the largest |Q|.
        kwargs: For the constructor, if ``world`` is an id.

    Raises:
        TypeError: If the world can't be enumerated.
        ValueError: If there are too many nodes, or the shaper needs what a single transition does not show: whole
            episodes, the next action, the learner's values.

    >>> from potentia.envs.exact import chain
    >>> from potentia.shaping import PotentialShaping, Progress
    >>> certify(chain(5), PotentialShaping("potential"), gamma=0.9).optimum_preserved
    True
    """
    gamma = check_gamma(gamma)
    if gamma == 1.0:
        raise ValueError("gamma must be below 1 for values that exist in every world, got 1.0")
    _require_steps(shaper)
    found = world if isinstance(world, Transitions) else transitions_of(
        world, shaper.contract.info_columns, seed=seed, max_states=max_nodes, **kwargs
    )  # fmt: skip
    shaped = shaped_problem(found, shaper, gamma, max_nodes)
    return _verdict(found, shaper, shaped, gamma, tolerance)


def _require_steps(shaper: Shaper) -> None:
    contract = shaper.contract
    needs = {
        "whole episodes": contract.needs_episodes,
        "the next action": contract.basis == "state_action",
        "the learner's values": contract.needs_values,
    }
    if lacking := [what for what, needed in needs.items() if needed]:
        raise ValueError(
            f"{shaper.name} needs {' and '.join(lacking)}, which single transitions don't show; "
            "potentia.testing.check_shaper holds it to its contract on random experience instead"
        )


def _verdict(world: Transitions, shaper: Shaper, shaped: Shaped, gamma: float, tolerance: float) -> Certificate:
    problem, live = shaped.problem, shaped.problem.live
    reward, discount = world.reward[shaped.origin], gamma * world.rollout.discount[0, shaped.origin]
    q = problem.action_values(reward, discount)
    true = best_actions(q, live, tolerance)
    other = best_actions(problem.action_values(reward + shaped.added, shaped.discount), live, tolerance)
    wrong = (other & ~true).any(axis=1)
    least = np.where(other, problem.action_values(reward, discount, other, worst=True), np.inf)
    acts = least.argmin(axis=1)
    lost = np.where(live, q.max(axis=1) - least.min(axis=1), 0.0)
    lost = np.where(lost > tolerance * float(np.abs(q).max(initial=0.0)), lost, 0.0)
    return Certificate(
        world=world.world,
        shaper=_in_words(shaper),
        gamma=gamma,
        promised=shaper.contract.guarantee,
        optimum_preserved=not wrong.any(),
        same_optimum=bool((other == true).all()),
        worst_regret=float(shaped.start @ lost),
        worst_regret_anywhere=float(lost.max(initial=0.0)),
        optimal_value=float(shaped.start @ q.max(axis=1)),
        witness=_witness(world, shaped, acts),
        changes=tuple(_change(world, int(shaped.state[n]), true[n], other[n]) for n in np.flatnonzero(wrong)[:_SHOWN]),
        num_changed=int(wrong.sum()),
        num_nodes=int(live.sum()),
        num_states=world.num_states,
        world_digest=world.digest,
        shaper_digest=hashlib.sha256(shaped.added.tobytes() + shaped.discount.tobytes()).hexdigest()[:16],
        not_covered=(*world.assumptions, *((_FROZEN,) if shaper.learns else ()), _OTHERS),
    )


def _change(world: Transitions, state: int, true: NDArray[np.bool_], shaped: NDArray[np.bool_]) -> Change:
    names = [tuple(world.actions[a] for a in np.flatnonzero(which)) for which in (true, shaped)]
    return Change(world.names[state], *names)


def _witness(world: Transitions, shaped: Shaped, acts: NDArray[np.int64]) -> tuple[tuple[str, str], ...]:
    """The way from the likeliest start by the likeliest outcomes, until it ends or comes back."""
    problem = shaped.problem
    places = problem.node * problem.num_actions + problem.action
    node, seen, way = int(shaped.start.argmax()), set[int](), list[tuple[str, str]]()
    while node not in seen and len(way) < _LONGEST and problem.live[node]:
        seen.add(node)
        action = int(acts[node])
        way.append((world.names[shaped.state[node]], world.actions[action]))
        begin, end = np.searchsorted(
            places, [node * problem.num_actions + action, node * problem.num_actions + action + 1]
        )
        likeliest = begin + int(problem.probability[begin:end].argmax())
        if world.terminated[shaped.origin[likeliest]]:
            break
        node = int(problem.after[likeliest])
    return tuple(way)


def _in_words(shaper: Shaper) -> Any:
    try:
        return to_data(shaper)
    except ValueError:
        return repr(shaper)
