"""A number that stops being finite is found where it appears: which quantity, and after how many steps."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from potentia.arrays import array_namespace, on_cpu
from potentia.rollout import ENV, Array, Rollout
from potentia.trees import leaves

_ADVICE = {
    "observation": "mend the environment",
    "next observation": "mend the environment",
    f"reward term {ENV!r}": "mend the environment",
    "discount": "mend the shaper that sets the discount",
    "reward term": "mend the shaper that adds it, or its weight",
    "the learner's": "lower learning_rate or max_grad_norm, or scale the rewards down",
    "the shaper's": "mend the shaper, or lower its learning rate",
}


class FiniteWatch:
    """Raises where a number of a run stops being finite. On an accelerator it waits for nothing until `check`.

    Args:
        device: Where tensors are.
    """

    def __init__(self, device: torch.device) -> None:
        self.device = device
        self._first: dict[str, Tensor] = {}  # the step of each quantity's first bad value, or -1

    def rollout(self, rollout: Rollout, names: Mapping[str, Array], steps: int | Tensor) -> None:
        """Looks at columns ``(T, B, ...)`` where the mask is True.

        Args:
            rollout: Whose mask counts.
            names: Arrays by what they are called.
            steps: How many steps were taken before the rollout.

        Raises:
            ValueError: If one is not finite.
        """
        for name, array in names.items():
            if not _floating(array):
                continue
            xp = array_namespace(array)
            finite = xp.isfinite(array)
            if array.ndim > 2:
                finite = xp.all(finite.reshape(*array.shape[:2], -1), axis=-1)
            bad = rollout.mask & ~finite
            if self._waits_for(bad):
                self._note(name, xp.any(bad), steps)
            elif bool(xp.any(bad)):
                t, b = (int(index[0]) for index in xp.nonzero(bad))
                value = array[t, b].reshape(-1)
                value = float(value[~xp.isfinite(value)][0])
                raise ValueError(_message(name, value, f"at (t, b) = ({t}, {b}) of the rollout", steps))

    def numbers(self, owner: str, numbers: Mapping[str, Any], steps: int | Tensor) -> None:
        """Looks at numbers, or tensors of one number. Nested mappings are looked into.

        Raises:
            ValueError: If one is not finite.
        """
        for name, value in _flat(numbers):
            if isinstance(value, Tensor) and self._waits_for(value):
                self._note(f"{owner} {name}", ~torch.isfinite(value).all(), steps)
            elif isinstance(value, float | Tensor) and not math.isfinite(float(value)):
                raise ValueError(_message(f"{owner} {name}", float(value), "in the update", steps))

    def weights(self, owner: str, policy: Any, steps: int | Tensor) -> None:
        """Looks at the parameters of a policy, if it has any.

        Raises:
            ValueError: If one is not finite.
        """
        for name, weight in policy.named_parameters() if isinstance(policy, torch.nn.Module) else ():
            bad = ~torch.isfinite(weight.detach()).all()
            if self._waits_for(bad):
                self._note(f"{owner} weights", bad, steps)
            elif bool(bad):
                values = weight.detach().flatten()
                value = float(values[~torch.isfinite(values)][0])
                raise ValueError(_message(f"{owner} weights", value, f"in {name} after the update", steps))

    def check(self) -> None:
        """Waits for the device and raises for what was found on it.

        Raises:
            ValueError: If a number was not finite.
        """
        if not self._first:
            return
        first = dict(zip(self._first, torch.stack(list(self._first.values())).tolist(), strict=True))
        found = {name: step for name, step in first.items() if step >= 0}
        if found:
            name = min(found, key=lambda name: found[name])
            raise ValueError(_message(name, None, "in the rollout or the update", int(found[name])))

    def _waits_for(self, array: Any) -> bool:
        return isinstance(array, Tensor) and not on_cpu(array)

    def _note(self, name: str, bad: Any, steps: int | Tensor) -> None:
        first = self._first.get(name, torch.full((), -1, dtype=torch.int64, device=self.device))
        self._first[name] = torch.where((first < 0) & bad, torch.as_tensor(steps, device=self.device), first)


def collected(rollout: Rollout) -> dict[str, Array]:
    """What an environment gave: observations, its reward and the discount, by what `FiniteWatch` calls them."""
    names = {f"next observation{path}": leaf for path, leaf in leaves(rollout.next_obs)}
    names |= {f"observation{path}": leaf for path, leaf in leaves(rollout.obs)}
    return names | {f"reward term {ENV!r}": rollout.terms[ENV], "discount": rollout.discount}


def shaped(rollout: Rollout) -> dict[str, Array]:
    """What shapers gave, by what `FiniteWatch` calls it."""
    terms = {f"reward term {name!r}": term for name, term in rollout.terms.items() if name != ENV}
    return terms | {"discount": rollout.discount}


def _message(name: str, value: float | None, where: str, steps: int | Tensor) -> str:
    seen = "it is not" if value is None else f"got {value}"
    advice = next((text for start, text in _ADVICE.items() if name.startswith(start)), "")
    return f"{name} must be finite, {seen} {where} after {int(steps):,} steps; {advice}"


def _floating(array: Array) -> bool:
    kind = getattr(array.dtype, "kind", None)
    return bool(array.dtype.is_floating_point) if kind is None else kind == "f"


def _flat(numbers: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in numbers.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
