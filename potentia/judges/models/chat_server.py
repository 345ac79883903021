"""A judge behind a server of chat completions: OpenAI's, vLLM, Ollama, llama.cpp, SGLang, a hosted one."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import os
import time
import weakref
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from potentia.judges.judge import Judge
from potentia.judges.lock import Lock
from potentia.judges.models.event_loop import later, run
from potentia.judges.models.failures import failed
from potentia.judges.models.prompts import VERSION, fingerprint, messages
from potentia.judges.models.replies import Form, Token, form_of, read_reply
from potentia.judges.question import Answer, Question
from potentia.judges.usage import Usage
from potentia.limits import check_at_least

__all__ = ["ChatServer"]

_TOP = 20
"""As many alternatives to a token as OpenAI's interface allows."""
_MAKING = Lock(holds_forks=True)
"""Held while a client is made: OpenSSL's locks and those of cached properties are never free again in a child."""
_OVERHEAD = 16
"""Tokens that a server's template adds to a message, at most."""


class ChatServer(Judge):
    """Asks any server with OpenAI's interface for chat completions, many questions at a time.

    A question becomes a prompt of `potentia/judges/prompts` and the JSON schema of its reply. The reply is checked here
    too, since not every server holds to a schema. One that does not fit is sent back once, with what is wrong, to be
    repaired. If that fails, the answer is not valid. Where the server gives the probabilities of tokens, a number is
    the expected value under them, see `potentia.judges.models.replies.read_reply`.

    Nothing that a server does is raised. A time-out, a lost connection and the statuses 408, 409, 429 and 5xx give
    answers that are not valid, with ``again``, and with ``wait`` if the server asked for patience. `Retried` asks
    again. This class itself does not, and has the client not do it either.

    Requests run on one event loop of the process, on a thread of its own, so it works inside other loops and in forked
    and spawned processes. The key is read from the environment when it is needed, and is kept nowhere.

    Args:
        model: The name of the model, as the server knows it.
        base_url: Such as ``"http://127.0.0.1:8000/v1"``. None is the variable ``OPENAI_BASE_URL``, or OpenAI's own.
        key_variable: The environment variable that holds the key. Servers at home need none.
        temperature: 0 is the most likely reply.
        seed: Of the sampling, where the server has one. Replicates of a question have seeds of their own.
        max_tokens: How long a reply can be. None is what its form needs.
        log_probabilities: Whether to ask for the probabilities of tokens.
        schema: Whether to ask for the reply's schema. Some servers refuse what they can't do.
        concurrency: How many requests run at once.
        timeout: Seconds that one request may take.
        revision: Which weights the server has under this name. It is a part of the key of cached answers, the server's
            address is not.

    Raises:
        ValueError: If ``concurrency`` or ``max_tokens`` is less than 1, or ``timeout`` is not positive.
        ImportError: If the extra ``llm`` is not installed.
    """

    def __init__(
        self,
        model: str,
        base_url: str | None = None,
        *,
        key_variable: str = "OPENAI_API_KEY",
        temperature: float = 0.0,
        seed: int = 0,
        max_tokens: int | None = None,
        log_probabilities: bool = True,
        schema: bool = True,
        concurrency: int = 64,
        timeout: float = 60.0,
        revision: str = "",
    ) -> None:
        check_at_least(1, concurrency=concurrency, max_tokens=max_tokens)
        if not timeout > 0:
            raise ValueError(f"timeout must be positive, in seconds, got {timeout}")
        self.model, self.base_url, self.key_variable = model, base_url, key_variable
        self.temperature, self.seed, self.max_tokens = temperature, seed, max_tokens
        self.log_probabilities, self.schema = log_probabilities, schema
        self.concurrency, self.timeout, self.revision = concurrency, timeout, revision
        self.name = f"{model} prompts {VERSION}"
        self._client: tuple[int, Any, asyncio.Semaphore] | None = None
        _client_class()

    @property
    def identity(self) -> dict[str, Any]:
        """The model, the prompts, the form of the reply and the sampling."""
        names = ("model", "revision", "temperature", "seed", "max_tokens", "log_probabilities", "schema")
        settings = {name: getattr(self, name) for name in names}
        return super().identity | settings | {"prompts": fingerprint(VERSION)}

    def answer(self, questions: Sequence[Question]) -> list[Answer]:
        """What the model says."""
        return run(self._all(list(questions))) if questions else []

    def most(self, question: Question) -> Usage:
        """Two calls, each of a prompt of at most a token a byte, and a whole reply."""
        length = self._length(form_of(question))
        prompt = sum(len(part["content"].encode()) + _OVERHEAD for part in messages(question))
        return Usage(questions=1, calls=2, tokens_in=2 * prompt + length + 4 * _OVERHEAD + 400, tokens_out=2 * length)

    def close(self) -> None:
        """Closes the connections. The next question opens others."""
        client, self._client = self._client, None
        if client is not None and client[0] == os.getpid():
            run(client[1].close())

    def _length(self, form: Form) -> int:
        return self.max_tokens or (48 * form.texts if form.texts else 24 + 6 * (form.count or 1))

    async def _all(self, questions: list[Question]) -> list[Answer]:
        client, slots = self._connected()

        async def one(question: Question) -> Answer:
            async with slots:
                return await self._one(client, question)

        return list(await asyncio.gather(*map(one, questions)))

    def _connected(self) -> tuple[Any, asyncio.Semaphore]:
        if self._client is None or self._client[0] != os.getpid():
            with _MAKING:
                client = _client_class()(
                    base_url=self.base_url,
                    api_key=os.environ.get(self.key_variable) or "none",
                    timeout=self.timeout,
                    max_retries=0,
                )
                assert client.chat.completions  # made when first used
            # Who drops the judge without closing it leaves no connection open.
            weakref.finalize(self, later, client.close, os.getpid()).atexit = False
            self._client = os.getpid(), client, asyncio.Semaphore(self.concurrency)
        return self._client[1:]

    async def _one(self, client: Any, question: Question) -> Answer:
        chat = messages(question)
        spent = Usage(questions=1)
        answer = question.nothing("")
        for _ in range(2):
            start = time.perf_counter()
            try:
                # The client's own limit is on each read: a server that sends a byte now and then is never cut off.
                reply = await asyncio.wait_for(
                    client.chat.completions.create(**self._request(question, chat)), self.timeout
                )
                text, tokens, used = _parts(reply)
            except Exception as error:
                spent += Usage(calls=1, seconds=time.perf_counter() - start)
                answer = failed(question, error)
                break
            spent += Usage(calls=1, tokens_in=used[0], tokens_out=used[1], seconds=time.perf_counter() - start)
            try:
                answer = read_reply(question, text, tokens)
                break
            except ValueError as error:
                answer = question.nothing(f"no valid reply: {error}")
                wrong = {"role": "user", "content": f"This is not valid: {error}. Reply with the JSON object alone."}
                chat = [*chat, {"role": "assistant", "content": text}, wrong]
        self._spend(spent + Usage(invalid=not answer.valid))
        return replace(answer, calls=spent.calls, tokens_in=spent.tokens_in, tokens_out=spent.tokens_out)

    def _request(self, question: Question, chat: list[dict[str, str]]) -> dict[str, Any]:
        form = form_of(question)
        request: dict[str, Any] = {
            "model": self.model,
            "messages": chat,
            "temperature": self.temperature,
            "seed": self.seed + question.replicate,
            "max_tokens": self._length(form),
        }
        if self.schema:
            schema = {"name": "reply", "strict": True, "schema": form.schema}
            request["response_format"] = {"type": "json_schema", "json_schema": schema}
        if self.log_probabilities and not form.texts:
            request |= {"logprobs": True, "top_logprobs": _TOP}
        return request

    def __getstate__(self) -> dict[str, Any]:
        return self.__dict__ | {"_client": None}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        _client_class()


@cache
def _client_class() -> Any:
    """OpenAI's client, imported by who makes the judge: the child of a fork in the middle of an import never has it.

    A client imports more when one is made, so one is made here.
    """
    try:
        import openai.resources.chat  # noqa: PLC0415 - an extra; the client would import this part later
    except ImportError as error:
        raise ImportError('a chat server needs the openai client: pip install "potentia[llm]"') from error
    with contextlib.suppress(ImportError):  # what it would import for its first request
        importlib.import_module("anyio._backends._asyncio")
    openai.AsyncOpenAI(api_key="none", base_url="http://127.0.0.1")
    return openai.AsyncOpenAI


def _parts(reply: Any) -> tuple[str, list[Token], tuple[int, int]]:
    """The text of a reply, its tokens with the probabilities of others, and the tokens read and written.

    Raises:
        ValueError: If it is no reply.
    """
    choices = getattr(reply, "choices", None)
    if not choices or choices[0].message is None:
        raise ValueError(f"the server's reply has no choices: {str(reply)[:200]}")
    choice, usage = choices[0], getattr(reply, "usage", None)
    content = choice.logprobs.content if getattr(choice, "logprobs", None) else None
    tokens = [
        Token(one.token, {one.token: one.logprob} | {other.token: other.logprob for other in one.top_logprobs or ()})
        for one in content or ()
    ]
    used = (usage.prompt_tokens or 0, usage.completion_tokens or 0) if usage else (0, 0)
    return choice.message.content or "", tokens, used
