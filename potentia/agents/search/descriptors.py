"""What a search takes a policy's behaviour to be: a column of info, or the signature of a path."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import torch
from torch import Tensor

from potentia.agents.search.signature import log_signature
from potentia.agents.search.table import Rows


class Descriptor(Protocol):
    """From what an evaluation showed to a behaviour ``(n, f)``.

    Attributes:
        column: The info column that it reads.
    """

    column: str

    def keep(self, shown: Tensor) -> Rows:
        """What individuals keep of the column ``(n, ...)``, to be described by."""
        ...

    def describe(self, rows: Rows) -> Rows:
        """The columns ``behaviour (n, f)``, and what else there is to say of individuals."""
        ...

    def state_dict(self) -> Mapping[str, Any]:
        """What it learned."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restores what `state_dict` returned."""
        ...


class ColumnDescriptor:
    """The behaviour is an info column ``(n, f)``: as a rule the world's own descriptor.

    Args:
        column: Its name.
    """

    def __init__(self, column: str = "descriptor") -> None:
        self.column = column

    def keep(self, shown: Tensor) -> Rows:
        """The column is the behaviour."""
        return {"behaviour": shown.float().reshape(len(shown), -1)}

    def describe(self, rows: Rows) -> Rows:
        """As it was kept."""
        return {"behaviour": rows["behaviour"]}

    def state_dict(self) -> Mapping[str, Any]:
        """It learns nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """It learned nothing."""


class SignatureDescriptor(ColumnDescriptor):
    """The behaviour is the log-signature of order 2 of the column ``path (n, L, c)`` (`log_signature`).

    Args:
        time: Whether the time is a channel of the path, too.
    """

    def __init__(self, *, time: bool = False) -> None:
        super().__init__("path")
        self.time = time

    def keep(self, shown: Tensor) -> Rows:
        """The path's log-signature."""
        return {"behaviour": log_signature(shown.float(), time=self.time)}


def info_column(info: Mapping[str, Any], name: str, device: torch.device) -> Tensor:
    """What the info of a rollout ``(T, B)`` says of a name after each step, as a tensor of T * B rows.

    Raises:
        ValueError: If the rollout has no such column.
    """
    column = f"next_{name}"
    if column not in info:
        raise ValueError(
            f"a search learns from info[{column!r}], which the rollout lacks; collect with columns=columns_of(search), "
            "from a world that offers it"
        )
    return torch.as_tensor(info[column]).to(device).flatten(0, 1)
