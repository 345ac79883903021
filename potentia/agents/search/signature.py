"""The log-signature of order 2 of a path: where it led, and the areas that it swept."""

from __future__ import annotations

import torch
from torch import Tensor


def log_signature(path: Tensor, *, time: bool = False) -> Tensor:
    """``(end - start, A_ij for i < j)`` with the Levy area ``A_ij = 1/2 * integral of (x_i dx_j - x_j dx_i)``.

    Chen 1957; as a descriptor of behaviour Paolo et al. 2021, STAX (arXiv:2111.01919). x is the path from its start,
    straight between its points. The result does not depend on where the path begins, nor on how fast it is run through,
    unless the time is a channel.

    >>> square = torch.tensor([[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 1.0], [0.0, 0.0]])
    >>> log_signature(square[None])  # back at its start; the area, counter-clockwise, is 1
    tensor([[0., 0., 1.]])

    Args:
        path: ``(n, L, c)``: the points of n paths.
        time: Whether the time from 0 to 1 is put before the channels.

    Returns:
        ``(n, c + c * (c - 1) / 2)``, with c one more if the time is a channel. The areas are in the order (0, 1),
        (0, 2), ..., (1, 2), ...

    Raises:
        ValueError: If the paths have another shape.
    """
    if path.ndim != 3 or path.shape[1] < 1:
        raise ValueError(f"paths must have shape (n, L, c) with L at least 1, got {tuple(path.shape)}")
    if time:
        clock = torch.linspace(0, 1, path.shape[1], dtype=path.dtype, device=path.device)
        path = torch.cat([clock.expand(len(path), -1)[..., None], path], -1)
    begins = path[:, :-1] - path[:, :1]
    swept = begins.mT @ path.diff(dim=1)
    i, j = torch.triu_indices(path.shape[2], path.shape[2], 1, device=path.device)
    areas = (swept - swept.mT)[:, i, j] / 2
    return torch.cat([path[:, -1] - path[:, 0], areas], 1)
