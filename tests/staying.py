"""A guard against whatever makes the host wait for the device."""

from __future__ import annotations

from typing import Any

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
