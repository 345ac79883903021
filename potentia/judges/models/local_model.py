"""A judge that is a language model on this machine."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.models.from_files import from_files
from potentia.judges.models.prompts import VERSION, fingerprint, messages
from potentia.judges.models.replies import form_of, read_reply
from potentia.judges.question import Achieved, Answer, Holds, Ideas, Question
from potentia.judges.usage import Usage
from potentia.limits import check_at_least

__all__ = ["LocalModel"]


class LocalModel(Judge):
    """``sum of p(reply) score(reply) / sum of p(reply)`` over all replies that a question allows.

    The prompts are those of `ChatServer`. Nothing is drawn: a reply such as ``{"answer": true}`` has the probability
    that the model gives to its tokens after the prompt, and each allowed reply is read. So every answer is valid, and
    the same each time. A question of several subgoals or criteria is asked for one of them at a time, so they don't
    depend on each other. Only `Ideas` are written by the model, the most likely token each time. That reply is checked
    like a server's.

    Args:
        path: The folder of a causal language model for `transformers`. Nothing is downloaded.
        device: Where it runs.
        batch: How many texts it reads at once.
        length: How many tokens of a prompt are read. Of a longer one the end is kept. None is as many as the model has
            positions for.

    Raises:
        ValueError: If ``batch`` or ``length`` is less than 1.
        OSError: While it answers, if the folder holds no model.
        ImportError: While it answers, if the extra ``lm`` is not installed.
    """

    def __init__(self, path: str | Path, *, device: str = "cpu", batch: int = 16, length: int | None = None) -> None:
        check_at_least(1, batch=batch, length=length)
        self.path, self.device, self.batch, self.length = Path(path), device, batch, length
        self.name = f"{self.path.name} prompts {VERSION}"
        self._lock = Lock()
        self._loaded: tuple[Any, Any] | None = None

    @property
    def identity(self) -> dict[str, Any]:
        """The model's folder, and the prompts."""
        prompts = {"prompts": fingerprint(VERSION), "length": self.length}
        return super().identity | {"path": str(self.path)} | prompts

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """Expected scores, or the texts that the model writes.

        Raises:
            OSError: If the folder holds no model.
            ImportError: If the extra is not installed.
        """
        with self._lock:
            parts = [singles(question) for question in questions]
            flat = [part for some in parts for part in some if not isinstance(part, Ideas)]
            scores = iter(self._scores(flat))
            answers = []
            for question, some in zip(questions, parts, strict=True):
                if isinstance(question, Ideas):
                    answers.append(self._write(question))
                    continue
                found = [next(scores) for _ in some]
                read = sum(tokens for _, tokens in found)
                answers.append(Answer(tuple(score for score, _ in found), tokens_in=read, calls=len(some)))
                self._spend(Usage(questions=1, calls=len(some), tokens_in=read))
            return answers

    def _scores(self, questions: Sequence[Question]) -> list[tuple[float, int]]:
        """The expected score of each question of one number, and how many tokens were read for it."""
        rows: list[tuple[list[int], list[int]]] = []
        for question in questions:
            form, prompt = form_of(question), self._prompt(question)
            for label in form.scores:
                value = json.loads(label)
                rows.append((prompt, self._tokens(json.dumps({"answer": value if form.count is None else [value]}))))
        logarithms = self._logarithms(rows)
        results, start = [], 0
        for question in questions:
            scores = np.array(list(form_of(question).scores.values()))
            mine = slice(start, start + len(scores))
            start = mine.stop
            weights = np.exp(logarithms[mine] - logarithms[mine].max())
            expected = float(np.clip(weights @ scores / weights.sum(), question.low, 1.0))
            results.append((expected, sum(len(prompt) + len(reply) for prompt, reply in rows[mine])))
        return results

    def _logarithms(self, rows: Sequence[tuple[list[int], list[int]]]) -> np.ndarray[Any, Any]:
        """``log p(reply | prompt)`` of each row of tokens."""
        _, model = self._model()
        most = self.length or getattr(model.config, "max_position_embeddings", None) or 1 << 30
        order = sorted(range(len(rows)), key=lambda place: len(rows[place][0]))  # of one length: less padding
        found = np.zeros(len(rows))
        for start in range(0, len(order), self.batch):
            places = order[start : start + self.batch]
            texts = [(rows[place][0] + rows[place][1])[-most:] for place in places]
            width, kept = max(map(len, texts)), max(len(rows[place][1]) for place in places) + 1
            tokens = torch.zeros((len(texts), width), dtype=torch.long)
            mask = torch.zeros_like(tokens)
            for row, text in enumerate(texts):  # on the left, so that all replies end at the end
                tokens[row, width - len(text) :] = torch.tensor(text)
                mask[row, width - len(text) :] = 1
            positions = (mask.cumsum(1) - 1).clamp(min=0)
            with torch.inference_mode():
                logits = model(
                    input_ids=tokens.to(self.device),
                    attention_mask=mask.to(self.device),
                    position_ids=positions.to(self.device),
                    logits_to_keep=kept,
                ).logits
            logs = torch.log_softmax(logits.float(), -1).cpu()
            for row, place in enumerate(places):
                reply = torch.tensor(rows[place][1])
                before = logs[row, -len(reply) - 1 : -1]  # what is said of a token stands at the one before
                found[place] = float(before.gather(1, reply[:, None]).sum())
        return found

    def _write(self, question: Ideas) -> Answer:
        tokenizer, model = self._model()
        prompt = torch.tensor([self._prompt(question)], device=self.device)
        most = 48 * form_of(question).texts
        limit = getattr(model.config, "max_position_embeddings", None) or 1 << 30
        prompt = prompt[:, -max(limit - most, 1) :]
        with torch.inference_mode():
            written = model.generate(
                prompt,
                attention_mask=torch.ones_like(prompt),
                max_new_tokens=min(most, limit - prompt.shape[1]),
                do_sample=False,
                pad_token_id=tokenizer.pad_token_id or tokenizer.eos_token_id or 0,
            )[0, prompt.shape[1] :]
        try:
            answer = read_reply(question, tokenizer.decode(written, skip_special_tokens=True))
        except ValueError as error:
            answer = question.nothing(f"no valid reply: {error}")
        read, wrote = prompt.shape[1], len(written)
        self._spend(Usage(questions=1, calls=1, tokens_in=read, tokens_out=wrote, invalid=not answer.valid))
        return replace(answer, tokens_in=read, tokens_out=wrote)

    def _prompt(self, question: Question) -> list[int]:
        tokenizer, _ = self._model()
        chat = messages(question)
        if tokenizer.chat_template:
            text = tokenizer.apply_chat_template(chat, tokenize=False, add_generation_prompt=True)
            return list(tokenizer(text, add_special_tokens=False)["input_ids"])
        text = "\n\n".join(part["content"] for part in chat)
        return list(tokenizer(f"{text}\n\nReply:\n")["input_ids"])

    def _tokens(self, reply: str) -> list[int]:
        return list(self._model()[0](reply, add_special_tokens=False)["input_ids"])

    def _model(self) -> tuple[Any, Any]:
        if self._loaded is None:
            try:
                from transformers import AutoModelForCausalLM  # noqa: PLC0415 - an extra
            except ImportError as error:
                raise ImportError('a local model needs transformers: pip install "potentia[lm]"') from error
            self._loaded = from_files(AutoModelForCausalLM, self.path, self.device)
        return self._loaded

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_loaded": None}


def singles(question: Question) -> list[Question]:
    """The question of several numbers as questions of one number each."""
    match question:
        case Achieved(subgoals=subgoals):
            return [replace(question, subgoals=(subgoal,), truth=None) for subgoal in subgoals]
        case Holds(criteria=criteria):
            return [replace(question, criteria=(criterion,), truth=None) for criterion in criteria]
    return [question]
