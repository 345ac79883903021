"""A language model of a few thousand weights, made in a second or two, which has learned one reply by heart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

POSITIONS = 1024
START = '{"answer": '
"""One token, so that the whole reply can be learned from one token to the next."""


def make_model(folder: Path, reply: str | None = None) -> Path:
    """Writes a byte-level GPT-2 of one layer to a folder.

    Args:
        folder: Where.
        reply: What it says after every prompt. None leaves its weights random.
    """
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {letter: place for place, letter in enumerate([*letters, "<end>", "<reply>", START])}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, eos_token="<end>", pad_token="<end>")
    fast.add_special_tokens({"additional_special_tokens": ["<reply>"]})
    fast.add_tokens([START])
    fast.chat_template = (
        "{% for message in messages %}{{ message['content'] }}\n{% endfor %}"
        "{% if add_generation_prompt %}<reply>{% endif %}"
    )
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=len(vocabulary),
        n_positions=POSITIONS,
        n_embd=64,
        n_layer=1,
        n_head=4,
        bos_token_id=vocabulary["<end>"],
        eos_token_id=vocabulary["<end>"],
        resid_pdrop=0.0,
        embd_pdrop=0.0,
        attn_pdrop=0.0,
    )
    model = GPT2LMHeadModel(config)
    if reply is not None:
        _learn(model, fast, reply)
    model.generation_config.pad_token_id = vocabulary["<end>"]
    model.save_pretrained(folder)
    fast.save_pretrained(folder)
    return folder


def _learn(model: Any, tokenizer: Any, reply: str) -> None:
    """Trains it to say the reply after the mark, wherever that stands and whatever is before it."""
    target = tokenizer("<reply>" + reply)["input_ids"] + [tokenizer.eos_token_id]
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    length = len(target)
    for _ in range(40):
        before = torch.randint(0, 256, (8, 16))
        text = torch.cat([before, torch.tensor(target).expand(8, -1)], 1)
        start = torch.randint(0, POSITIONS - text.shape[1], (8, 1))
        logits = model(input_ids=text, position_ids=start + torch.arange(text.shape[1])).logits
        loss = torch.nn.functional.cross_entropy(logits[:, -length:-1].flatten(0, 1), text[:, 1 - length :].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
