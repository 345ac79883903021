"""A small network that reads the cells of MiniGrid's images, made to learn from many worlds fast."""

from __future__ import annotations

from contextlib import nullcontext
from itertools import pairwise
from typing import Any, Literal

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.action_heads import CategoricalHead
from potentia.agents.networks import PolicyNetwork
from potentia.arrays import on_cpu
from potentia.encoders import initialize
from potentia.trees import Tree

Encoding = Literal["codes", "numbers"]
_CODES = 256
_MUCH = 1 << 14
_AT_ONCE = 1 << 20  # numbers in the widest layer that a CPU computes at a time: about what its caches hold
_AT_ONCE_ELSEWHERE = 1 << 26  # bounds the memory of an accelerator


def cell_codes(image: Tensor) -> Tensor:
    """One number for each cell of MiniGrid's images ``(..., 7, 7, 3)`` uint8: ``(..., 49)`` uint8.

    18 * object + 3 * colour + state, which is less than 256 for every object, colour and state.
    """
    object_, color, state = image.unbind(-1)
    return (object_ * 18 + color * 3 + state).flatten(-2)


class _Numbers(nn.Linear):
    """A first layer that reads numbers divided by 10: it is the weights that are divided, which are fewer."""

    def forward(self, x: Tensor) -> Tensor:
        return nn.functional.linear(x, matrix_of(self), self.bias)


def matrix_of(layer: nn.Linear) -> Tensor:
    """What a layer multiplies its inputs with."""
    return layer.weight * 0.1 if isinstance(layer, _Numbers) else layer.weight


def tanh_(x: Tensor) -> Tensor:
    """``tanh x = 2 sigmoid(2 x) - 1`` in place, as PyTorch computes it faster on a CPU where there is much of it."""
    if not on_cpu(x) or x.numel() < _MUCH:
        return x.tanh_()
    return x.add_(x).sigmoid_().mul_(2).sub_(1)


class _TanhOf(torch.autograd.Function):
    """`tanh_` of a copy. Its gradient is that of tanh, in one call, and not those of its parts."""

    @staticmethod
    def forward(x: Tensor) -> Tensor:
        return tanh_(x.clone())

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor], output: Tensor) -> None:
        ctx.save_for_backward(output)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        (y,) = ctx.saved_tensors
        found: Tensor = torch.ops.aten.tanh_backward(gradient, y)
        return found


class _Tanh(nn.Module):
    """tanh, fast where there is much of it."""

    def forward(self, x: Tensor) -> Tensor:
        if not on_cpu(x) or x.numel() < _MUCH:
            return x.tanh()
        y: Tensor = _TanhOf.apply(x)  # type: ignore[no-untyped-call]
        return y


class GridHead(CategoricalHead):
    """`CategoricalHead` of one choice, whose logits come from elsewhere, and which is fast where there are many rows.

    Args:
        num_actions: Actions are 0, ..., num_actions - 1.
    """

    def __init__(self, num_actions: int) -> None:
        super().__init__(None, [num_actions], [0], ())

    def sample(self, parameters: Tensor, generator: torch.Generator | None) -> Tensor:
        """Actions ``(N,)``."""
        noise = 0.0 if generator is None else gumbel(*parameters.shape, generator=generator, device=parameters.device)
        return (parameters + noise).argmax(-1)

    def log_prob_and_entropy(self, parameters: Tensor, action: Tensor) -> tuple[Tensor, Tensor]:
        """As `CategoricalHead`, as ``(actions, n)``: a CPU's vector instructions don't work along rows so short."""
        log_probs = parameters.T.contiguous().log_softmax(0)
        taken = log_probs.gather(0, action[None].long())[0]
        return taken, -(log_probs.exp() * log_probs).sum(0)


class Towers(PolicyNetwork):
    """A policy and values for each image, by fully connected layers, shared or apart.

    Its features are the logits ``(n, actions)`` and the values ``(n, num_values)`` themselves.

    Args:
        observation_space: MiniGrid's image, ``(7, 7, 3)`` of bytes.
        action_space: ``Discrete``, from 0.
        num_values: The number of value heads.
        widths: Widths of the layers.
        activation: ``"relu"`` or ``"tanh"``.
        shared: Whether policy and values share the layers.
        encoding: What is seen of an image: a vector for each cell's code, or the 147 numbers.
        code_width: Numbers in a code's vector.
        bfloat16: Whether matrix products are computed in bfloat16.
        seed: Seeds the weights.
    """

    codes: Tensor

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Discrete,
        num_values: int,
        *,
        widths: tuple[int, ...],
        activation: Literal["relu", "tanh"],
        shared: bool,
        encoding: Encoding,
        code_width: int,
        bfloat16: bool,
        seed: int,
    ) -> None:
        super().__init__(observation_space, action_space)
        generator = torch.Generator().manual_seed(seed)
        self.encoding, self.in_bfloat16, self.num_actions = encoding, bfloat16, int(action_space.n)
        self.activation = activation
        self.head = GridHead(self.num_actions)
        self.register_buffer("codes", code_vectors(code_width, generator))
        if encoding == "numbers":
            self.codes = torch.zeros(0)
        inputs = 49 * code_width if encoding == "codes" else 147
        self._widest = max(inputs, *widths)
        outputs = [self.num_actions + num_values] if shared else [self.num_actions, num_values]
        layer = nn.ReLU if activation == "relu" else _Tanh
        first = _Numbers if encoding == "numbers" else nn.Linear
        with torch.random.fork_rng(devices=[]):
            towers = []
            for output in outputs:
                sizes, layers = (inputs, *widths), list[nn.Module]()
                for before, after in pairwise(sizes):
                    layers += [(nn.Linear if layers else first)(before, after), layer()]
                towers.append(nn.Sequential(*layers, nn.Linear(sizes[-1], output)))
            self.towers = nn.ModuleList(towers)
        initialize(self.towers, generator)
        last: Any = towers[0][-1]
        with torch.no_grad():  # near 0, so that the first policy is near uniform
            last.weight[: self.num_actions] *= 0.01

    def inputs(self, seen: Tensor) -> Tensor:
        """What the towers are given of what `read` returned: ``(n, I)``."""
        return self.codes[seen.int()].flatten(1) if self.encoding == "codes" else seen.float()

    def features(self, seen: Tree, carry: Tree = ()) -> tuple[tuple[Tensor, Tensor], Tree]:
        """Logits and values of ``seen``: codes ``(n, 49)`` or numbers ``(n, 147)``, uint8."""
        with self._precision(seen):
            x = self.inputs(seen)
            out = [tower(x) for tower in self.towers]
        logits = out[0][:, : self.num_actions].float()
        values = out[0][:, self.num_actions :] if len(out) == 1 else out[1]
        return (logits, values.float()), carry

    def critic(self, seen: Tensor) -> Tensor:
        """The values ``(n, num_values)`` of ``seen`` alone."""
        with self._precision(seen):
            out: Tensor = self.towers[-1](self.inputs(seen))
        return (out[:, self.num_actions :] if len(self.towers) == 1 else out).float()

    @property
    def rows_at_once(self) -> int:
        """How many rows it should be given at a time, at most."""
        return max(1, (_AT_ONCE if on_cpu(self.device) else _AT_ONCE_ELSEWHERE) // self._widest)

    def _precision(self, seen: Tensor) -> Any:
        return torch.autocast(seen.device.type, torch.bfloat16) if self.in_bfloat16 else nullcontext()

    def distribution(self, features: tuple[Tensor, Tensor], mask: Tensor | None) -> Tensor:
        """The logits."""
        del mask
        return features[0]

    def values(self, features: tuple[Tensor, Tensor], seen: Tree) -> Tensor:
        """``(n, num_values)``."""
        del seen
        return features[1]

    def read(self, obs: Tree) -> Tensor:
        """What the network takes in of images ``(..., 7, 7, 3)`` uint8."""
        image: Tensor = obs
        return cell_codes(image) if self.encoding == "codes" else image.flatten(-3)


def code_vectors(width: int, generator: torch.Generator) -> Tensor:
    """The fixed random vectors of cells' codes, ``(256, width)``."""
    vectors: Tensor = torch.randn(_CODES, width, generator=generator) * ((49 * width) ** -0.5 * 7)
    return vectors


def gumbel(*shape: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Noise g for which ``(logits + g).argmax(-1)`` is drawn by the logits' probabilities."""
    return torch.rand(shape, generator=generator, device=device).log_().neg_().log_().neg_()
