"""Models of `transformers` from files alone, without a network and without a word."""

from __future__ import annotations

from pathlib import Path
from typing import Any


def from_files(kind: Any, path: Path, device: str) -> tuple[Any, Any]:
    """The tokenizer and the model in a folder, ready to be asked.

    Args:
        kind: The class of `transformers` that makes the model, such as ``AutoModel``.
        path: The folder.
        device: Where the model goes.

    Raises:
        OSError: If the folder holds no model.
    """
    from transformers import AutoTokenizer  # noqa: PLC0415 - an extra, and slow to import
    from transformers.utils import logging  # noqa: PLC0415

    if not path.is_dir():
        raise OSError(f"a model is a folder on this machine (nothing is downloaded), got {path}")
    bars = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        tokenizer = AutoTokenizer.from_pretrained(path, local_files_only=True)
        model = kind.from_pretrained(path, local_files_only=True).to(device).eval()
    finally:
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]
    return tokenizer, model
