"""Optimal transport with an entropy term, by Sinkhorn's iterations: batches of small problems, compiled for a CPU."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from potentia import arrays
from potentia.compiling import compiled, part
from potentia.limits import check_at_least
from potentia.rollout import Array

_MOST = 1e10
"""Scalings above this are taken into the potentials: what has underflowed in the kernel stays far from mattering."""
_FAST = {"reassoc", "contract", "nsz"}
_BETWEEN = 8
"""Iterations after which a device does so, needed or not: to ask it would be to wait."""


def sinkhorn(
    cost: Array,
    epsilon: float = 0.05,
    iterations: int = 100,
    *,
    row_mass: Array | None = None,
    column_mass: Array | None = None,
    row_mask: Array | None = None,
    column_mask: Array | None = None,
    tolerance: float | None = None,
) -> Array:
    """``argmin_P <P, C> - epsilon H(P)``: the plan that moves the rows' mass to the columns, in its entropic form.

    Cuturi 2013, "Sinkhorn distances: lightspeed computation of optimal transport", arXiv 1306.0895. One iteration
    scales the columns of exp(-C / epsilon) to their mass and then its rows. So after any number of iterations the rows
    have their mass, and the columns have nearly theirs. The scalings are multiplied in the exponential domain, and
    moved into potentials before they get large (Schmitzer 2019, arXiv 1610.06519, section 3.1). So a small epsilon
    neither overflows nor underflows, and the plan is that of the logarithmic domain up to rounding.

    Nothing waits for an accelerator. No gradient flows.

    Args:
        cost: C, ``(..., n, m)``, an array or a tensor. Less precise than float32 is computed as float32.
        epsilon: The weight of the entropy H, in units of the cost.
        iterations: The most iterations.
        row_mass: ``(..., n)``, positive or 0, with a sum of 1. None shares it equally among the rows that count.
        column_mass: ``(..., m)``, likewise.
        row_mask: ``(..., n)`` bool: False for rows that are padding, whatever cost stands there. They get no mass.
        column_mask: ``(..., m)``, likewise.
        tolerance: Stops a problem once the columns' masses differ from their own by no more than this in sum.

    Returns:
        The plan P, ``(..., n, m)``, of the kind of ``cost``.

    Raises:
        ValueError: If epsilon is not positive, or a shape is wrong.

    >>> # Straight on costs 1 and 1. To cross costs 2 and 0, which is the same, or 4 and 0, which is dearer.
    >>> sinkhorn(np.array([[1.0, 2.0], [0.0, 1.0]]), 0.01).round(2).tolist()
    [[0.25, 0.25], [0.25, 0.25]]
    >>> sinkhorn(np.array([[1.0, 4.0], [0.0, 1.0]]), 0.01).round(2).tolist()
    [[0.5, 0.0], [0.0, 0.5]]
    """
    if not epsilon > 0:
        raise ValueError(f"epsilon must be positive, got {epsilon}; let it go to 0 for the plan without entropy")
    check_at_least(1, iterations=iterations)
    check_at_least(0, tolerance=tolerance)
    with torch.no_grad():
        tensor = (
            cost.detach() if arrays.is_tensor(cost) else torch.from_numpy(np.require(cost, requirements=["C", "W"]))
        )
        exact = tensor if tensor.dtype in (torch.float32, torch.float64) else tensor.float()
        rows = _mass("row", row_mass, row_mask, exact, -2)
        columns = _mass("column", column_mass, column_mask, exact, -1)
        solve = _on_cpu if arrays.on_cpu(exact) else _on_device
        flat = exact.reshape(exact.shape[:-2].numel(), *exact.shape[-2:])
        plan = solve(flat, rows, columns, epsilon, iterations, -1.0 if tolerance is None else tolerance)
        return arrays.like_column(plan, cost)


def _mass(what: str, mass: Array | None, mask: Array | None, cost: Tensor, axis: int) -> Tensor:
    """The mass of each row (axis -2) or column (-1) of flat problems, ``(B, n)``."""
    size, lead = cost.shape[axis], cost.shape[:-2]
    number = lead.numel()
    if mass is None and mask is None:
        return cost.new_full((number, size), 1 / size)
    for name, found in ((f"{what}_mass", mass), (f"{what}_mask", mask)):
        if found is not None and (not found.ndim or found.shape[-1] != size):
            raise ValueError(
                f"{name} must have shape (..., {size}), as cost {tuple(cost.shape)} has {size} {what}s, got "
                f"{tuple(found.shape)}"
            )
    if mask is None:
        shares = torch.as_tensor(mass, device=cost.device)
    else:
        live = torch.as_tensor(mask, device=cost.device).double()
        shares = live / live.sum(-1, keepdim=True).clamp(min=1)
        if mass is not None:
            shares = torch.where(live > 0, torch.as_tensor(mass, device=cost.device), 0)
    return shares.to(cost.dtype).expand(*lead, size).reshape(number, size).contiguous()


def _on_cpu(cost: Tensor, rows: Tensor, columns: Tensor, epsilon: float, iterations: int, tolerance: float) -> Tensor:
    costs, mass, share = (part.contiguous().numpy() for part in (cost, rows, columns))
    kernel, left = np.empty_like(costs), np.full(len(costs), iterations)
    f, g, v = np.zeros_like(mass), np.zeros_like(share), np.ones_like(share)
    _least_costs(costs, mass, share, f, g)
    u, least = np.exp(f / -epsilon), float(np.log(np.finfo(kernel.dtype).tiny))
    while True:
        _exponents(costs, mass, share, f, g, epsilon, least, kernel)
        np.exp(kernel, out=kernel)
        _scale(kernel, mass, share, u, v, left, tolerance, _MOST)
        if not left.any():
            return torch.from_numpy(kernel)
        f += epsilon * np.log(u, where=u > 0, out=np.zeros_like(u))
        g += epsilon * np.log(v, where=v > 0, out=np.zeros_like(v))
        u[:], v[:] = 1, 1


def _on_device(
    cost: Tensor, rows: Tensor, columns: Tensor, epsilon: float, iterations: int, tolerance: float
) -> Tensor:
    live = (rows > 0)[:, :, None] & (columns > 0)[:, None, :]
    cost = torch.where(live, cost, torch.inf)
    g = _finite(cost.amin(1))
    f = _finite((cost - g[:, None, :]).amin(2))
    u, v = (f / -epsilon).exp(), torch.ones_like(g)
    running = torch.ones_like(u[:, :1], dtype=torch.bool)
    kernel = torch.empty_like(cost)
    for iteration in range(iterations):
        if iteration % _BETWEEN == 0:
            if iteration:
                f, g = (
                    f + epsilon * torch.where(rows > 0, u, 1).log(),
                    g + epsilon * torch.where(columns > 0, v, 1).log(),
                )
                u, v = torch.ones_like(u), torch.ones_like(v)
            kernel = (f[:, :, None] + g[:, None, :]).sub_(cost).div_(epsilon).exp_()
        sums = (u[:, None, :] @ kernel)[:, 0]
        if tolerance >= 0 and iteration:
            running = running & ((v * sums - columns).abs().sum(1, keepdim=True) > tolerance)
        v = torch.where(running, _quotient(columns, sums), v)
        u = torch.where(running, _quotient(rows, (kernel @ v[:, :, None])[..., 0]), u)
    return kernel.mul_(u[:, :, None]).mul_(v[:, None, :])


def _finite(potential: Tensor) -> Tensor:
    return torch.where(potential.isfinite(), potential, 0)


def _quotient(mass: Tensor, sums: Tensor) -> Tensor:
    return torch.where(mass > 0, mass / torch.where(mass > 0, sums, 1), 0)


@compiled("the potentials of optimal transport", work=None, fastmath=_FAST)
def _least_costs(cost: Any, rows: Any, columns: Any, f: Any, g: Any) -> None:
    """Writes the first potentials: g the least costs of columns, f of rows once these are taken off."""
    zero = cost.dtype.type(0)
    for b in range(cost.shape[0]):
        low = g[b]
        low[:] = np.inf
        for i in range(cost.shape[1]):
            if rows[b, i] > zero:
                for j in range(cost.shape[2]):
                    low[j] = min(low[j], cost[b, i, j])
        for j in range(cost.shape[2]):
            low[j] = low[j] if columns[b, j] > zero and low[j] < np.inf else zero
        for i in range(cost.shape[1]):
            if rows[b, i] > zero:
                least = cost.dtype.type(np.inf)
                for j in range(cost.shape[2]):
                    if columns[b, j] > zero:
                        least = min(least, cost[b, i, j] - low[j])
                f[b, i] = least if least < np.inf else zero


@compiled("the kernel of optimal transport", work=None, fastmath=_FAST)
def _exponents(cost: Any, rows: Any, columns: Any, f: Any, g: Any, epsilon: float, least: float, kernel: Any) -> None:
    """Writes the logarithms of the kernel: minus infinity where there is no mass, or less than ``least``."""
    zero, low, nothing = cost.dtype.type(0), cost.dtype.type(least), cost.dtype.type(-np.inf)
    for b in range(cost.shape[0]):
        share = columns[b]
        for i in range(cost.shape[1]):
            height, costs, out = f[b, i], cost[b, i], kernel[b, i]
            if rows[b, i] > zero:
                for j in range(cost.shape[2]):
                    exponent = cost.dtype.type((height + g[b, j] - costs[j]) / epsilon)
                    out[j] = exponent if (exponent > low) & (share[j] > zero) else nothing
            else:
                out[:] = nothing


@compiled("optimal transport", work=None, fastmath=_FAST)
def _scale(kernel: Any, rows: Any, columns: Any, u: Any, v: Any, left: Any, tolerance: float, most: float) -> None:
    """Iterates each problem until none is ``left`` or a scaling exceeds ``most``. Writes u, v and left.

    The kernel of a problem that is done becomes its plan.
    """
    sums = np.empty(kernel.shape[2], kernel.dtype)
    for b in range(kernel.shape[0]):
        if left[b] == 0:
            continue
        _sums_of_columns(kernel[b], u[b], sums)
        _scale_columns(v[b], columns[b], sums)
        largest = sums.dtype.type(0)
        while left[b] > 0 and largest <= most:
            _scale_rows(kernel[b], rows[b], u[b], v[b], sums)
            left[b] -= 1
            if tolerance >= 0.0 and _error(v[b], columns[b], sums) <= tolerance:
                left[b] = 0
            if left[b] > 0:
                largest = max(_scale_columns(v[b], columns[b], sums), u[b].max())
        if left[b] == 0:
            for i in range(kernel.shape[1]):
                for j in range(kernel.shape[2]):
                    kernel[b, i, j] *= u[b, i] * v[b, j]


@part(fastmath=_FAST)
def _sums_of_columns(kernel: Any, u: Any, sums: Any) -> None:
    sums[:] = 0
    for i in range(kernel.shape[0]):
        for j in range(kernel.shape[1]):
            sums[j] += u[i] * kernel[i, j]


@part(fastmath=_FAST)
def _scale_columns(v: Any, mass: Any, sums: Any) -> Any:
    """Writes v. Returns the largest of it."""
    largest = sums.dtype.type(0)
    for j in range(v.shape[0]):
        if mass[j] > 0:
            v[j] = mass[j] / sums[j]
            largest = max(largest, v[j])
    return largest


@part(fastmath=_FAST)
def _error(v: Any, mass: Any, sums: Any) -> float:
    """How much the columns differ from their mass, in sum."""
    total = 0.0
    for j in range(v.shape[0]):
        if mass[j] > 0:
            total += abs(v[j] * sums[j] - mass[j])
    return total


@part(fastmath=_FAST)
def _scale_rows(kernel: Any, mass: Any, u: Any, v: Any, sums: Any) -> None:
    """Writes u, and in the same pass over the kernel the sums of the columns with it: four rows at a time.

    So v and the sums are read once for the four.
    """
    n, m, zero = kernel.shape[0], kernel.shape[1], sums.dtype.type(0)
    sums[:] = zero
    for i in range(0, n - 3, 4):
        k0, k1, k2, k3 = kernel[i], kernel[i + 1], kernel[i + 2], kernel[i + 3]
        s0, s1, s2, s3 = zero, zero, zero, zero
        for j in range(m):
            s0 += k0[j] * v[j]
            s1 += k1[j] * v[j]
            s2 += k2[j] * v[j]
            s3 += k3[j] * v[j]
        u0 = mass[i] / s0 if s0 > zero else zero
        u1 = mass[i + 1] / s1 if s1 > zero else zero
        u2 = mass[i + 2] / s2 if s2 > zero else zero
        u3 = mass[i + 3] / s3 if s3 > zero else zero
        for j in range(m):
            sums[j] += (u0 * k0[j] + u1 * k1[j]) + (u2 * k2[j] + u3 * k3[j])
        u[i], u[i + 1], u[i + 2], u[i + 3] = u0, u1, u2, u3
    for i in range(n - n % 4, n):
        row, total = kernel[i], zero
        for j in range(m):
            total += row[j] * v[j]
        u[i] = mass[i] / total if total > zero else zero
        for j in range(m):
            sums[j] += u[i] * row[j]
