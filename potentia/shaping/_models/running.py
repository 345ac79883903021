"""Running moments of a stream of numbers or vectors."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from potentia.arrays import on_cpu
from potentia.compiling import compiled
from potentia.state import Stateful


class RunningMoments(Stateful):
    """The mean and the population variance of all samples seen, merged batch by batch (Chan et al. 1979), in float64.

    Args:
        shape: The shape of one sample, ``()`` for numbers.
        device: Where the moments live.
    """

    saved = ("mean", "var", "count")

    def __init__(self, shape: tuple[int, ...] = (), device: torch.device | str = "cpu") -> None:
        self.mean = torch.zeros(shape, dtype=torch.float64, device=device)
        self.var = torch.zeros(shape, dtype=torch.float64, device=device)
        self.count = torch.zeros((), dtype=torch.float64, device=device)

    def update(self, batch: Tensor, mask: Tensor | None = None) -> None:
        """Takes in those of a batch ``(N, *shape)``, finite numbers, where ``mask`` ``(N,)`` is True."""
        samples = batch.reshape(len(batch), self.mean.numel())
        weights = samples.new_ones(len(samples)) if mask is None else mask.to(samples.dtype)
        number = weights.sum(dtype=torch.float64)
        mean = (weights @ samples).double() / number.clamp(min=1)
        spread = (samples - mean.to(samples.dtype)).square_()
        var = (weights @ spread).double() / number.clamp(min=1)
        mean, var = mean.reshape(self.mean.shape), var.reshape(self.var.shape)
        total = self.count + number
        share, delta = number / total.clamp(min=1), mean - self.mean
        self.var = self.var + share * (var - self.var + delta.square() * (1 - share))
        self.mean = self.mean + share * delta
        self.count = total

    @property
    def std(self) -> Tensor:
        """The standard deviation. It is 0 before any sample."""
        return self.var.sqrt()


class ForwardFilter(Stateful):
    """``x_t = decay_t x_(t-1) + reward_t`` for each environment, run forward over time: the scale of returns.

    The standard deviation of x is what RND (Burda et al. 2018, arXiv 1810.12894, 2.4) and Stable-Baselines3's
    ``VecNormalize`` divide rewards by. Masked steps leave x as it is.
    """

    saved = ("values",)

    def __init__(self) -> None:
        self.values: Tensor | None = None

    def run(self, reward: Tensor, decay: Tensor, mask: Tensor) -> Tensor:
        """The values of x ``(T, B)`` for rewards and decays ``(T, B)``. Those of masked steps mean nothing.

        ``decay[t]`` multiplies x *after* step t. The last values are remembered for the next call. Another number of
        environments than before starts again from 0.
        """
        values = self.values
        if values is None or values.shape != reward.shape[1:]:
            values = torch.zeros(reward.shape[1:], dtype=torch.float64, device=reward.device)
        values = values.to(reward.device)
        seen = torch.empty_like(reward, dtype=torch.float64)
        for t in range(reward.shape[0]):
            seen[t] = values + reward[t]
            values = torch.where(mask[t], seen[t] * decay[t], values)
        self.values = values
        return seen


def episode_means(values: Tensor, counted: Tensor, ends: Tensor, sums: Tensor) -> tuple[Tensor, Tensor]:
    """The mean of the values of an episode up to each step, in float64.

    Args:
        values: ``(B, T)``.
        counted: ``(B, T)`` bool: which of them count.
        ends: ``(B, T)`` bool: where an episode ends.
        sums: ``(B, 2)`` float64: the sum and the number of the values of the episode that runs.

    Returns:
        The means ``(B, T)`` of the dtype of ``values``, 0 before any, and ``sums`` afterwards.
    """
    means = torch.empty_like(values)
    if on_cpu(values):
        sums = sums.clone()
        _episode_means(*(part.numpy() for part in (values, counted, ends, sums, means)))
        return means, sums
    for t in range(values.shape[1]):
        sums = sums + torch.stack([values[:, t], torch.ones_like(values[:, t])], 1) * counted[:, t, None]
        means[:, t] = sums[:, 0] / sums[:, 1].clamp(min=1)
        sums = torch.where(ends[:, t, None], 0, sums)
    return means, sums


@compiled("the means of episodes", work=lambda values, *_: 1.0 * values.size)
def _episode_means(values: Any, counted: Any, ends: Any, sums: Any, means: Any) -> None:
    """Writes ``means``, and changes ``sums``."""
    for b in range(values.shape[0]):
        for t in range(values.shape[1]):
            if counted[b, t]:
                sums[b, 0] += values[b, t]
                sums[b, 1] += 1
            means[b, t] = sums[b, 0] / max(sums[b, 1], 1.0)
            if ends[b, t]:
                sums[b, 0] = 0.0
                sums[b, 1] = 0.0
