"""What asking a server costs beside the bare HTTP client, and what the wrappers around it add, in one run.

``python benchmarks/judge_server.py``. The server is a process of its own that answers at once. Each way of asking takes
turns for some rounds, 64 requests at a time. CPU time of this process is counted, not the clock, so that a busy machine
changes little. It prints a table.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from potentia.judges import Background, Budgeted, Cached, ChatServer, Limited, Progress, Recording, Retried
from potentia.judges.models.event_loop import run
from potentia.judges.models.prompts import messages

REPLY = {
    "id": "1",
    "object": "chat.completion",
    "created": 0,
    "model": "m",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": '{"answer": 7}'}}],
    "usage": {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105},
}
AT_ONCE = 64


class Answering(asyncio.Protocol):
    """The least of a server: it counts requests and answers each with the same bytes."""

    def __init__(self) -> None:
        self.left = b""

    def connection_made(self, transport: Any) -> None:
        """Keeps the connection."""
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        """Answers each request that is complete."""
        self.left += data
        while (end := self.left.find(b"\r\n\r\n")) >= 0:
            head = self.left[:end].lower()
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self.left) < end + 4 + length:
                return
            self.left = self.left[end + 4 + length :]
            body = json.dumps(REPLY).encode()
            head = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            self.transport.write(head + body)


async def serve() -> None:
    server = await asyncio.get_running_loop().create_server(Answering, "127.0.0.1", 0, backlog=256)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


def bare(url: str, count: int) -> Callable[[], None]:
    """Httpx alone: the request that `ChatServer` would send, and the reply's text as JSON."""
    import httpx

    judge = ChatServer("m", url)
    questions = states(count)
    bodies = [judge._request(question, messages(question)) for question in questions]

    async def ask() -> None:
        slots = asyncio.Semaphore(AT_ONCE)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=AT_ONCE)
        async with httpx.AsyncClient(limits=limits) as client:

            async def one(body: dict[str, Any]) -> Any:
                async with slots:
                    reply = await client.post(f"{url}/chat/completions", json=body)
                    return json.loads(reply.json()["choices"][0]["message"]["content"])

            await asyncio.gather(*map(one, bodies))

    return lambda: run(ask())


def client_alone(url: str, count: int) -> Callable[[], None]:
    """OpenAI's client alone."""
    from openai import AsyncOpenAI

    judge = ChatServer("m", url)
    bodies = [judge._request(question, messages(question)) for question in states(count)]

    async def ask() -> None:
        slots = asyncio.Semaphore(AT_ONCE)
        async with AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:

            async def one(body: dict[str, Any]) -> Any:
                async with slots:
                    reply = await client.chat.completions.create(**body)
                    return json.loads(reply.choices[0].message.content or "")

            await asyncio.gather(*map(one, bodies))

    return lambda: run(ask())


def states(count: int) -> list[Any]:
    return [Progress("Leave by the stairs.", f"Room {number}. A door is open in the north.") for number in range(count)]


def asked(judge: Any, questions: list[Any]) -> Callable[[], None]:
    def ask() -> None:
        answers = judge.answer(questions)
        assert all(answer.valid for answer in answers)

    return ask


def in_background(judge: Any, questions: list[Any]) -> Callable[[], None]:
    def ask() -> None:
        background = Background(judge, batch=256)
        background.submit(questions)
        background.wait()
        assert len(background.drain()) == len(questions)

    return ask


def ways(url: str, count: int, folder: Path) -> dict[str, Callable[[], None]]:
    """Ways of asking the same number of questions."""
    server = ChatServer("m", url)
    full = Cached(Retried(Limited(Budgeted(server, calls=10**9), calls_per_minute=1e9)))
    on_disk = Cached(ChatServer("m", url), folder / "cache.sqlite")
    on_disk.answer(states(count))
    in_memory = Cached(ChatServer("m", url))
    in_memory.answer(states(count))
    fresh = iter(range(10**9))

    def uncached() -> None:
        number = next(fresh)
        full.answer([Progress(f"Task {number}.", question.state) for question in states(count)])

    return {
        "httpx alone": bare(url, count),
        "OpenAI's client alone": client_alone(url, count),
        "`ChatServer`": asked(server, states(count)),
        "the same, through `Background`": in_background(server, states(count)),
        "`Cached(Retried(Limited(Budgeted(ChatServer))))`, new questions": uncached,
        "`Recording(ChatServer)`": asked(Recording(server, folder / "out.jsonl"), states(count)),
        "`Cached` in memory, known questions": asked(in_memory, states(count)),
        "`Cached` on disk, known questions": asked(on_disk, states(count)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--serve", action="store_true")
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    with (
        subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as process,
        tempfile.TemporaryDirectory() as folder,
    ):
        assert process.stdout is not None
        try:
            url = f"http://127.0.0.1:{process.stdout.readline().strip()}/v1"
            measure(ways(url, options.count, Path(folder)), options.count, options.rounds)
        finally:
            process.kill()


def measure(asking: dict[str, Callable[[], None]], count: int, rounds: int) -> None:
    taken: dict[str, list[float]] = {name: [] for name in asking}
    for number in range(rounds + 1):
        for name, ask in asking.items():
            start = time.process_time()
            ask()
            if number:  # the first round warms up
                taken[name].append((time.process_time() - start) / count)
    base = taken["httpx alone"]
    print("| way | CPU ms a question | times httpx alone |\n|---|---|---|")
    for name, times in taken.items():
        ratios = [one / other for one, other in zip(times, base, strict=True)]
        print(f"| {name} | {1e3 * statistics.median(times):.2f} | {statistics.median(ratios):.2f} |")


if __name__ == "__main__":
    main()
