"""A guard against whatever makes the host wait for the device."""

from __future__ import annotations

import sys
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves


class StaysOnDevice(TorchDispatchMode):
    """Refuses whatever would make the host wait for the device, or is elsewhere."""

    waits = ("_local_scalar_dense", "item", "is_nonzero", "nonzero", "masked_select", "equal", "_unique2")

    def __init__(self, device: str) -> None:
        super().__init__()
        self.device = device
        self.count = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = func._schema.name.removeprefix("aten::")
        assert name not in self.waits, f"{name} waits for the device"
        if name in ("index", "index_put", "index_put_"):
            masks = [part.dtype in (torch.bool, torch.uint8) for part in args[1] if part is not None]
            assert not any(masks), f"{name} by a mask waits for the device"
        result = func(*args, **(kwargs or {}))
        for leaf in tree_leaves((args, kwargs, result)):
            assert not isinstance(leaf, Tensor) or leaf.device.type == self.device, f"{name} leaves the device"
        self.count += 1
        return result


def as_on_an_accelerator(monkeypatch: pytest.MonkeyPatch) -> None:
    """Has the package believe that no tensor is on the CPU, so that it takes the ways that wait for nothing."""
    for name, module in list(sys.modules.items()):
        if name.startswith("potentia.") and hasattr(module, "on_cpu"):
            monkeypatch.setattr(module, "on_cpu", lambda device: False)
