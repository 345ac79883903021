"""Experience as data: the one type that every shaper reads and returns."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Any, Literal, Self

from potentia.arrays import array_namespace, is_boolean
from potentia.trees import Tree, leaves, map_tree

Array = Any
"""Any array that the array-API standard covers: ``numpy.ndarray``, ``torch.Tensor`` on any device, ..."""

Truncation = Literal["bootstrap", "terminal"]
"""What a learner does where an episode is cut by a limit: use the next state's value, or treat it as an end."""

ENV = "env"
"""The name of the environment's own reward term: its sum over an episode is the true return."""

_MATRICES = ("discount", "terminated", "truncated", "mask")
_COLUMNS = ("obs", "action", "next_obs", *_MATRICES)
_UNMASKED = "_unmasked"
"""Set by whoever makes a rollout and knows that its mask is True everywhere, so that nothing needs to be set to 0."""


@dataclass(frozen=True, eq=False)
class Rollout:
    """Experience in time-major order: every array starts with the axes ``(T, B)``, time and environment.

    A learner's temporal-difference error is ``reward + discount * V(next_obs) - V(obs)``: the discount is data, written
    once by whoever makes the rollout, so that terminations, truncations and schedules of the discount need no rules of
    their own anywhere else.

    Attributes:
        obs: Observations, ``(T, B, *obs_shape)``, or a tree of such arrays.
        action: Actions taken in ``obs``, ``(T, B, *action_shape)``.
        next_obs: The true successors of ``obs``, never an observation made by a reset.
        terms: Named reward terms, each ``(T, B)``. ``"env"`` is the environment's own reward.
        discount: ``(T, B)``: what ``V(next_obs)`` is multiplied by, 0 at termination.
        terminated: ``(T, B)`` bool: the task ended.
        truncated: ``(T, B)`` bool: the episode was cut (a time limit). The state has a future that was not seen.
        mask: ``(T, B)`` bool: False on padding and on steps that merely reset an environment. All True by default.
        info: Further columns, each ``(T, B, ...)``. A column ``x`` describes ``obs`` and ``next_x`` describes
            ``next_obs``.

    Raises:
        ValueError: If shapes or dtypes disagree, or the term ``"env"`` is missing.
    """

    obs: Tree
    action: Tree
    next_obs: Tree
    terms: Mapping[str, Array]
    discount: Array
    terminated: Array
    truncated: Array
    mask: Array = None
    info: Mapping[str, Array] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.mask is None:
            xp = array_namespace(self.terminated)
            object.__setattr__(self, "mask", xp.ones_like(self.terminated))
        object.__setattr__(self, "terms", dict(self.terms))
        object.__setattr__(self, "info", dict(self.info))
        self._check()

    def _check(self) -> None:
        if ENV not in self.terms:
            raise ValueError(
                f"a rollout needs the term {ENV!r}, the environment's own reward, got terms: "
                f"{', '.join(self.terms) or 'none'}; pass terms={{'env': reward}}"
            )
        want = tuple(self.discount.shape)
        if len(want) != 2:
            raise ValueError(f"discount must have the axes (T, B), got shape {want}; add the missing axis")
        named = [(name, getattr(self, name)) for name in _MATRICES]
        named += [(f"terms[{name!r}]", term) for name, term in self.terms.items()]
        for name, array in named:
            if tuple(array.shape) != want:
                raise ValueError(f"{name} must have shape (T, B) = {want}, as discount has, got {tuple(array.shape)}")
        for name in _MATRICES[1:]:
            if not is_boolean(getattr(self, name).dtype):
                raise ValueError(f"{name} must be boolean, got dtype {getattr(self, name).dtype}")
        for name in ("obs", "action", "next_obs"):
            self._check_axes(name, getattr(self, name), want)
        for name, column in self.info.items():
            self._check_axes(f"info[{name!r}]", column, want)

    @staticmethod
    def _check_axes(name: str, tree: Tree, want: tuple[int, ...]) -> None:
        for path, leaf in leaves(tree):
            if tuple(leaf.shape[:2]) != want:
                raise ValueError(
                    f"{name}{path} must start with the axes (T, B) = {want}, got shape {tuple(leaf.shape)}"
                )

    @property
    def num_steps(self) -> int:
        """T, the length of the time axis."""
        return int(self.discount.shape[0])

    @property
    def num_envs(self) -> int:
        """B, the length of the environment axis."""
        return int(self.discount.shape[1])

    # Drivers ask for these two at every step, so they are kept without functools.cached_property, which takes a lock.
    @property
    def reward(self) -> Array:
        """What a learner sees: the sum of all terms, ``(T, B)``, 0 where the mask is False."""
        found = self.__dict__.get("_reward")
        if found is None:
            total = reduce(add, self.terms.values())
            found = self.__dict__["_reward"] = self._masked(total)
        return found

    @property
    def done(self) -> Array:
        """``(T, B)`` bool: the episode ended here, by termination or truncation."""
        found = self.__dict__.get("_done")
        if found is None:
            found = self.__dict__["_done"] = self.terminated | self.truncated
        return found

    def _masked(self, term: Array) -> Array:
        """A term with 0 where the mask is False."""
        if self.__dict__.get(_UNMASKED):
            return term
        return array_namespace(term).where(self.mask, term, 0.0)

    def add(self, name: str, term: Array) -> Rollout:
        """Returns this rollout with one more reward term, set to 0 where the mask is False.

        Args:
            name: The term's name, unlike those present and without ``/``.
            term: ``(T, B)``, cast to the dtype of the term ``"env"``.

        Raises:
            ValueError: If the name is taken or has a ``/``, or the shape is wrong.
        """
        if name in self.terms:
            raise ValueError(
                f"reward term {name!r} is already present (have: {', '.join(self.terms)}); "
                "give the second shaper another name: Shaper(..., name='...')"
            )
        if "/" in name or not name:
            raise ValueError(f"a term's name must be non-empty and have no '/', got {name!r}")
        if tuple(term.shape) != tuple(self.discount.shape):
            raise ValueError(
                f"term {name!r} must have shape (T, B) = {tuple(self.discount.shape)}, got {tuple(term.shape)}"
            )
        dtype = self.terms[ENV].dtype
        term = term if term.dtype == dtype else array_namespace(term).astype(term, dtype)
        return self._replace(terms={**self.terms, name: self._masked(term)})

    def with_discount(self, discount: Array) -> Rollout:
        """Returns this rollout with another discount column, ``(T, B)``, set to 0 where terminated.

        Raises:
            ValueError: If a shaping term exists, which may already have read the old discount, or the shape is wrong.
        """
        if len(self.terms) > 1:
            present = ", ".join(name for name in self.terms if name != ENV)
            raise ValueError(
                f"the discount must be set before any shaping term, but {present} may already have read the old one; "
                "put the discount shaper first in the Chain"
            )
        if tuple(discount.shape) != tuple(self.discount.shape):
            raise ValueError(
                f"discount must have shape (T, B) = {tuple(self.discount.shape)}, got {tuple(discount.shape)}"
            )
        xp = array_namespace(discount)
        return self._replace(discount=xp.where(self.terminated, xp.zeros_like(discount), discount))

    def check_finite(self) -> Rollout:
        """This rollout. Raises ``ValueError`` naming the first term that is not finite where the mask is True."""
        reward = self.reward
        if bool(array_namespace(reward).isfinite(reward).all()):
            return self
        for name, term in self.terms.items():
            xp = array_namespace(term)
            bad = xp.nonzero(self.mask & ~xp.isfinite(term))
            if bad[0].shape[0]:
                t, b = int(bad[0][0]), int(bad[1][0])
                raise ValueError(
                    f"reward term {name!r} must be finite, got {float(term[t, b])} at (t, b) = ({t}, {b}) and "
                    f"{bad[0].shape[0]} such steps in all; "
                    + ("mend the environment" if name == ENV else f"mend the shaper that adds {name!r}")
                )
        raise ValueError(f"the terms {', '.join(self.terms)} are finite but their sum overflows; scale them down")

    def __getitem__(self, index: Any) -> Rollout:
        """A part of the rollout that keeps both axes: ``rollout[t0:t1]`` or ``rollout[:, columns]``."""
        return self.map(lambda array: array[index])

    def map(self, function: Any) -> Rollout:
        """Returns a rollout of ``function(array)`` for each array in it. The axes ``(T, B)`` must come first again."""
        return Rollout(
            **{name: map_tree(function, getattr(self, name)) for name in _COLUMNS},
            terms={name: function(term) for name, term in self.terms.items()},
            info={name: map_tree(function, column) for name, column in self.info.items()},
        )

    @classmethod
    def _unchecked(cls, **fields: Any) -> Self:
        """A rollout of fields that are known to be right: all of them, already in dictionaries of their own.

        ``_unmasked=True`` says that the mask is True everywhere.
        """
        new = object.__new__(cls)
        new.__dict__.update(fields)
        return new

    def _replace(self, **changes: Any) -> Self:
        """Like ``dataclasses.replace`` for terms and discount, without checking again what has not changed."""
        new = object.__new__(type(self))
        state = new.__dict__
        state.update(self.__dict__)
        state.pop("_reward", None)
        state.update(changes)
        return new


def concatenate(rollouts: Iterable[Rollout]) -> Rollout:
    """Joins rollouts along time. All must have the same environments, terms and info columns."""
    parts = list(rollouts)
    if not parts:
        raise ValueError("nothing to concatenate: got no rollout")
    if len(parts) == 1:
        return parts[0]
    first = parts[0]
    for part in parts[1:]:
        if part.terms.keys() != first.terms.keys() or part.info.keys() != first.info.keys():
            raise ValueError(
                "rollouts to concatenate must have the same terms and info columns, got "
                f"{sorted(first.terms)} + {sorted(first.info)} and {sorted(part.terms)} + {sorted(part.info)}"
            )

    def join(*arrays: Array) -> Array:
        return array_namespace(arrays[0]).concat(arrays, axis=0)

    return Rollout(
        **{name: map_tree(join, *(getattr(part, name) for part in parts)) for name in _COLUMNS},
        terms={name: join(*(part.terms[name] for part in parts)) for name in first.terms},
        info={name: map_tree(join, *(part.info[name] for part in parts)) for name in first.info},
    )


def discount_column(
    gamma: float, terminated: Array, truncated: Array, like: Array, truncation: Truncation = "bootstrap"
) -> Array:
    """The discount as data: ``gamma`` where the learner uses the next value, 0 where it does not.

    Args:
        gamma: The learner's discount factor, in [0, 1].
        terminated: Bool, any shape.
        truncated: Bool, the same shape.
        like: A floating-point array of the same shape, whose dtype and device the result takes.
        truncation: ``"bootstrap"`` if the learner uses ``V(next_obs)`` where an episode was cut (it should),
            ``"terminal"`` if it treats a cut as an end. Then a cut is an end for shaping too.
    """
    xp = array_namespace(like)
    ends = terminated if truncation == "bootstrap" else terminated | truncated
    return xp.where(ends, 0.0, xp.full_like(like, gamma))


def check_truncation(truncation: str) -> Truncation:
    """Returns ``truncation``. Raises ``ValueError`` unless it is ``"bootstrap"`` or ``"terminal"``."""
    if truncation not in ("bootstrap", "terminal"):
        raise ValueError(f"truncation must be 'bootstrap' or 'terminal' (what the learner does), got {truncation!r}")
    return truncation  # type: ignore[return-value]
