"""State for free: whoever declares what it saves needs no code to save and load it."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch


class Stateful:
    """Has ``state_dict`` and ``load_state_dict`` for the attributes that it names in `saved`.

    An attribute may be whatever has the same two methods (another `Stateful`, a network, an optimiser), a generator
    of PyTorch or NumPy, or plain data: tensors, arrays, numbers, texts, None, in dicts and lists. What is saved is a
    copy, and what is loaded is a copy: neither changes when its source does.

    >>> class Counter(Stateful):
    ...     saved = ("count",)
    ...     count = 0
    >>> counter, other = Counter(), Counter()
    >>> counter.count = 3
    >>> other.load_state_dict(counter.state_dict())
    >>> other.count
    3
    """

    saved: tuple[str, ...] = ()
    """The names of the attributes that are saved. A leading underscore is not a part of the name in the file."""

    def state_dict(self) -> dict[str, Any]:
        """What `saved` names: tensors, arrays, numbers and texts in dicts and lists."""
        return {_key(name): _state_of(getattr(self, name)) for name in self.saved}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned.

        Raises:
            ValueError: If the state is another object's.
        """
        check_keys(self, state, tuple(map(_key, self.saved)))
        for name in self.saved:
            setattr(self, name, _restored(getattr(self, name), state[_key(name)]))


def check_keys(owner: Any, state: Mapping[str, Any], want: tuple[str, ...]) -> None:
    """Raises ``ValueError`` unless the keys of a saved state are those that its owner saves."""
    if set(state) != set(want):
        kind = type(owner).__name__
        name = getattr(owner, "name", kind)
        raise ValueError(
            f"the saved state of {name!r} ({kind}) must have the keys {sorted(want)}, got {sorted(state)}; "
            "it was saved by another object"
        )


def _key(name: str) -> str:
    return name.removeprefix("_")


def _state_of(value: Any) -> Any:
    if isinstance(value, torch.Generator):
        return value.get_state()
    if isinstance(value, np.random.Generator):
        return copy.deepcopy(value.bit_generator.state)
    if hasattr(value, "state_dict"):
        return copy.deepcopy(dict(value.state_dict()))
    return value.detach().clone() if isinstance(value, torch.Tensor) else copy.deepcopy(value)


def _restored(now: Any, state: Any) -> Any:
    """The attribute with the saved state: the same object where it can load one, else a value like it."""
    if isinstance(now, torch.Generator):
        now.set_state(state.cpu())
    elif isinstance(now, np.random.Generator):
        now.bit_generator.state = copy.deepcopy(state)
    elif hasattr(now, "load_state_dict"):
        now.load_state_dict(copy.deepcopy(state))  # PyTorch would share an optimiser's tensors
    elif isinstance(state, torch.Tensor):
        return state.to(now.device if isinstance(now, torch.Tensor) else state.device, copy=True)
    else:
        return copy.deepcopy(state)
    return now
