"""Structured intents: a value for each attribute, with priors, coupling, and a user who may err."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from potentia.envs.text.inquiry.belief import Question, Vector

__all__ = ["Intents"]

_MOST = 2**16


class Intents:
    """All intents ``z = (z_1, ..., z_D)`` and how probable each is.

    The first attribute follows its prior. Each further one follows the one before it with probability ``coupling``: its
    value is the one with the same number, modulo its number of values. Otherwise it follows its prior.

    Args:
        attributes: The values of each attribute, by name.
        priors: Probabilities of those values. An attribute that is missing has equal ones.
        coupling: In [0, 1].
        noise: The probability that the user answers wrongly, in [0, 1).

    Raises:
        ValueError: If something of it is out of range, or there are more than 65,536 intents.
    """

    def __init__(
        self,
        attributes: Mapping[str, Sequence[str]],
        priors: Mapping[str, Sequence[float]] | None = None,
        *,
        coupling: float = 0.0,
        noise: float = 0.0,
    ) -> None:
        self.attributes = {name: tuple(values) for name, values in attributes.items()}
        sizes = [len(values) for values in self.attributes.values()]
        if not sizes or min(sizes) < 2 or np.prod(sizes, dtype=float) > _MOST:
            raise ValueError(f"attributes must have 2 values or more each and {_MOST} intents at most, got {sizes}")
        if not 0 <= coupling <= 1 or not 0 <= noise < 1:
            raise ValueError(f"coupling must be in [0, 1] and noise in [0, 1), got {coupling!r} and {noise!r}")
        self.noise = noise
        self.values: NDArray[np.int64] = np.stack([grid.ravel() for grid in np.indices(sizes)])
        """The value of each attribute in each intent, ``(D, N)``."""
        self.prior = self._joint(_checked(self.attributes, priors or {}), coupling)
        """The probability of each intent, ``(N,)``."""

    def _joint(self, priors: list[Vector], coupling: float) -> Vector:
        joint = priors[0][self.values[0]]
        for d in range(1, len(priors)):
            follows = self.values[d] == self.values[d - 1] % len(priors[d])
            joint = joint * (coupling * follows + (1 - coupling) * priors[d][self.values[d]])
        return np.asarray(joint, np.float64)

    @property
    def independent(self) -> Vector:
        """The prior of somebody who takes the attributes for independent: the product of their marginals, ``(N,)``."""
        product = np.ones_like(self.prior)
        for column in self.values:
            product *= np.bincount(column, self.prior)[column]
        return product

    def text(self, intent: int) -> str:
        """An intent in words: ``shape=circle colour=red``."""
        names = self.attributes.items()
        return " ".join(
            f"{name}={values[k]}" for (name, values), k in zip(names, self.values[:, intent], strict=True)
        )  # fmt: skip

    def right(self, intent: int, words: Sequence[str]) -> tuple[bool, ...]:
        """Which attributes of an intent are among words such as ``colour=red``, if each is named once at most."""
        named = [word.partition("=")[0] for word in words]
        pairs = self.text(intent).split(" ")
        return tuple(named.count(pair.partition("=")[0]) == 1 and pair in words for pair in pairs)

    def questions(self, kinds: str = "both") -> tuple[Question, ...]:
        """What can be asked: ``"open"``, which value an attribute has; ``"closed"``, whether it has one; or both."""
        return tuple(
            question
            for d, (name, values) in enumerate(self.attributes.items())
            for question in (
                *([self._open(d, name, values)] if kinds != "closed" else []),
                *([self._closed(d, name, k, value) for k, value in enumerate(values)] if kinds != "open" else []),
            )
        )

    def _open(self, d: int, name: str, values: tuple[str, ...]) -> Question:
        meant = self.values[d] == np.arange(len(values))[:, None]
        chances = np.where(meant, 1 - self.noise, self.noise / (len(values) - 1))
        return Question(f"ask {name}", tuple(f"The {name} is {value}." for value in values), chances)

    def _closed(self, d: int, name: str, k: int, value: str) -> Question:
        yes = np.where(self.values[d] == k, 1 - self.noise, self.noise)
        replies = (f"Yes, the {name} is {value}.", f"No, the {name} is not {value}.")
        return Question(f"is {name} {value}", replies, np.stack([yes, 1 - yes]))


def _checked(attributes: Mapping[str, tuple[str, ...]], priors: Mapping[str, Sequence[float]]) -> list[Vector]:
    if unknown := sorted(set(priors) - set(attributes)):
        raise ValueError(f"priors must be of attributes among {sorted(attributes)}, got {unknown}")
    found = []
    for name, values in attributes.items():
        prior = np.asarray(priors.get(name, np.full(len(values), 1 / len(values))), np.float64)
        if prior.shape != (len(values),) or prior.min() < 0 or abs(prior.sum() - 1) > 1e-9:
            raise ValueError(f"the prior of {name} must be {len(values)} probabilities that add up to 1, got {prior}")
        if any(not word or set(word) & set(" =\n\t") for word in (name, *values)) or len(set(values)) < len(values):
            raise ValueError(f"{name} and its values must be single words, all different, got {values}")
        found.append(prior / prior.sum())
    return found
