"""A policy over element tables whose answer does not depend on the order of the rows."""

from __future__ import annotations

from itertools import pairwise
from typing import Any, Literal, NamedTuple

import torch
from gymnasium import spaces
from torch import Tensor, nn

from potentia.agents.action_heads import CategoricalHead
from potentia.agents.elements.element_table import (
    FIELD_FACTS,
    PAGE_FACTS,
    PAIR_FACTS,
    ROW_FACTS,
    TableSizes,
    read_table,
)
from potentia.agents.networks import PolicyNetwork
from potentia.encoders import initialize
from potentia.trees import Tree

_ROLE_WIDTH = 8
_WORD_SCALE = 0.02  # words never met keep their first vectors for ever: they must say little


class TableFeatures(NamedTuple):
    """What the heads act on.

    Attributes:
        rows: ``(N, R, D)``.
        live: Which rows are not empty, ``(N, R, 1)`` bool.
        fields: ``(N, K, 4 + 2 * word width)``.
        slots: The rows that can be typed into, ``(N, P)``.
        pairs: ``(N, P, K, 6)``.
        context: Of the whole page and the goal, ``(N, D)``.
    """

    rows: Tensor
    live: Tensor
    fields: Tensor
    slots: Tensor
    pairs: Tensor
    context: Tensor


class ElementHead(CategoricalHead):
    """Logits of noop, clicks (E), typing (E * K), answers (E) and four more, by small networks that rows share.

    ``click_e, answer_e = f(row_e, context)`` and ``type_ek = g(row_e, field_k, match_ek, context)``. An empty row has
    0, and so has typing where the mask rules it out.

    Args:
        sizes: The table's sizes.
        width: D.
        word_width: The width of a word's vector.
    """

    def __init__(self, sizes: TableSizes, width: int, word_width: int) -> None:
        super().__init__(None, [1 + sizes.elements * (2 + sizes.fields) + 4], [0], ())
        self.sizes = sizes
        self.element = nn.Linear(width, width)
        self.slot = nn.Linear(width, width)
        self.context = nn.Linear(width, 2 * width, bias=False)
        self.field = nn.Linear(FIELD_FACTS + 2 * word_width, width, bias=False)
        self.pair = nn.Linear(PAIR_FACTS, width, bias=False)
        self.element_out = nn.Linear(width, 2)
        self.pair_out = nn.Linear(width, 1)
        self.page_out = nn.Linear(width, 5)

    def forward(self, features: TableFeatures) -> Tensor:
        """The logits ``(N, A)``."""
        rows, slots = features.rows, features.slots.unsqueeze(-1)
        for_elements, for_pairs = self.context(features.context).chunk(2, -1)
        inner = self.element(rows) + for_elements[:, None]
        elements = self.element_out(inner.relu()) * features.live
        chosen = rows.gather(1, slots.clamp(max=rows.shape[1] - 1).expand(-1, -1, rows.shape[2]))
        inner = (self.slot(chosen) + for_pairs[:, None])[:, :, None] + self.field(features.fields)[:, None]
        pairs = self.pair_out((inner + self.pair(features.pairs)).relu()).squeeze(-1)
        page = self.page_out(features.context)
        size, fields = pairs.shape[0], pairs.shape[2]
        click, answer = nn.functional.pad(elements, (0, 0, 0, self.sizes.elements - rows.shape[1])).unbind(-1)
        typing = pairs.new_zeros(size, self.sizes.elements + 1, fields)  # the last row takes what is no slot
        typing = typing.scatter(1, slots.expand(-1, -1, fields), pairs)[:, :-1].flatten(1)
        return torch.cat([page[:, :1], click, typing, answer, page[:, 1:]], 1)


class PageReader(nn.Module):
    """From tables to `TableFeatures`: each row by the same layers, the page as mean and maximum over rows.

    Args:
        sizes: The table's sizes.
        widths: Widths of the layers that read a row. The last one is D.
        activation: ``"relu"`` or ``"tanh"``.
        word_buckets: How many vectors all words share.
        word_width: The width of a word's vector.
    """

    def __init__(
        self,
        sizes: TableSizes,
        widths: tuple[int, ...],
        activation: Literal["relu", "tanh"],
        word_buckets: int,
        word_width: int,
    ) -> None:
        super().__init__()
        act = nn.ReLU if activation == "relu" else nn.Tanh
        inputs = _ROLE_WIDTH + sizes.flags + ROW_FACTS + word_width
        self.words = nn.EmbeddingBag(word_buckets, word_width, mode="sum", padding_idx=0)
        self.roles = nn.Embedding(sizes.roles, _ROLE_WIDTH)
        layers: list[nn.Module] = []
        for before, after in pairwise((inputs, *widths)):
            layers += [nn.Linear(before, after), act()]
        self.rows = nn.Sequential(*layers)
        self.page = nn.Sequential(nn.Linear(2 * widths[-1] + word_width + PAGE_FACTS, widths[-1]), act())

    def forward(self, seen: Tree) -> TableFeatures:
        """Features of what `ElementNetwork.read` returned."""
        live = (seen["role"] != 0).unsqueeze(-1)
        rows = self.rows(torch.cat([self.roles(seen["role"]), seen["facts"], self._texts(seen["names"])], -1))
        mean = (rows * live).sum(1) / live.sum(1).clamp(min=1)
        most = rows.masked_fill(~live, -1.0).amax(1)
        goal = self._texts(seen["goal"]) * 0.25
        context = self.page(torch.cat([mean, most, goal, seen["page"]], -1))
        beside = self._texts(seen["beside"].unsqueeze(-1)).flatten(-2)
        fields = torch.cat([seen["fields"], beside], -1)
        return TableFeatures(rows, live, fields, seen["slots"], seen["pairs"], context)

    def _texts(self, numbers: Tensor) -> Tensor:
        """The summed vectors of words ``(..., W)``."""
        summed: Tensor = self.words(numbers.flatten(0, -2)).unflatten(0, numbers.shape[:-1])
        return summed


class ElementNetwork(PolicyNetwork):
    """Each row is read by the same layers.

    The page is read as mean and maximum over rows, with the goal's words (Zaheer et al. 2017).

    "Deep sets", arXiv 1703.06114: sums and maxima make the values invariant, and the policy equivariant, to the order
    of rows. Text enters as vectors of hashed words, summed, and as matches with the goal
    (`potentia.agents.elements.element_table`), which hold for words that were never met.

    Args:
        observation_space: The ``Dict`` of an element table.
        action_space: ``Discrete(1 + E + E * K + E + 4)``.
        num_values: The number of value heads.
        widths: Widths of the layers that read a row. The last one is D.
        activation: ``"relu"`` or ``"tanh"``.
        word_buckets: How many vectors all words share.
        word_width: The width of a word's vector.
        shared: Whether policy and values share the layers that read a page.
        seed: Seed of the initial weights.

    Raises:
        ValueError: If the spaces are not those of an element table.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        num_values: int,
        *,
        widths: tuple[int, ...],
        activation: Literal["relu", "tanh"],
        word_buckets: int,
        word_width: int,
        shared: bool,
        seed: int,
    ) -> None:
        super().__init__(observation_space, action_space)
        self.sizes = TableSizes.of(observation_space, action_space)
        self.word_buckets = word_buckets
        generator = torch.Generator().manual_seed(seed)
        reading = self.sizes, widths, activation, word_buckets, word_width
        with torch.random.fork_rng(devices=[]):
            self.reader = PageReader(*reading)
            self.head = ElementHead(self.sizes, widths[-1], word_width)
            self.value_head = nn.Linear(widths[-1], num_values)
            self.critic = None if shared else PageReader(*reading)
        initialize(self, generator)
        initialize(self.value_head, generator, gain=1.0)
        with torch.no_grad():
            for reader in (self.reader, self.critic):
                if reader is not None:
                    reader.words.weight.normal_(0.0, _WORD_SCALE, generator=generator)[0] = 0.0
            for last in (self.head.element_out, self.head.pair_out, self.head.page_out):
                last.weight.mul_(0.01)  # the first policy is near uniform over possible actions

    def read(self, obs: Tree) -> Tree:
        """See `potentia.agents.elements.element_table.read_table`."""
        return read_table(obs, self.word_buckets)

    def features(self, seen: Tree, carry: Tree = ()) -> tuple[TableFeatures, Tree]:
        """What the policy's head acts on."""
        features: TableFeatures = self.reader(seen)
        return features, carry

    def values(self, features: TableFeatures, seen: Tree) -> Tensor:
        """``(N, num_values)``."""
        context = features.context if self.critic is None else self.critic(seen).context
        values: Tensor = self.value_head(context)
        return values
