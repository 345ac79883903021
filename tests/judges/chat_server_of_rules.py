"""A server of chat completions that does what a test says. As a program it answers "7" to everything."""

from __future__ import annotations

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass
class Reply:
    """What the server sends."""

    text: str = '{"answer": 7}'
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes | None = None
    delay: float = 0.0
    tokens: list[tuple[str, dict[str, float]]] = field(default_factory=list)

    def content(self) -> bytes:
        if self.body is not None:
            return self.body
        if self.status != 200:
            return json.dumps({"error": {"message": f"status {self.status}"}}).encode()
        choice: dict[str, Any] = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": self.text},
        }
        if self.tokens:
            choice["logprobs"] = {
                "content": [
                    {
                        "token": token,
                        "logprob": others.get(token, 0.0),
                        "top_logprobs": [{"token": other, "logprob": log} for other, log in others.items()],
                    }
                    for token, others in self.tokens
                ]
            }
        usage = {"prompt_tokens": 100, "completion_tokens": 5, "total_tokens": 105}
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": "m",
            "choices": [choice],
            "usage": usage,
        }
        return json.dumps(reply).encode()


class ChatServerOfRules:
    """Serves on loopback until it is closed. ``rule`` says the reply to a request; requests are kept."""

    def __init__(self, rule: Callable[[dict[str, Any]], Reply], port: int = 0) -> None:
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str] = []
        self.at_once = self.most_at_once = 0
        lock = threading.Lock()
        owner = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with lock:
                    owner.requests.append(request)
                    owner.keys.append(self.headers["Authorization"])
                    owner.at_once += 1
                    owner.most_at_once = max(owner.most_at_once, owner.at_once)
                reply = rule(request)
                time.sleep(reply.delay)
                content = reply.content()
                with lock:
                    owner.at_once -= 1
                try:
                    self.send_response(reply.status)
                    headers = {"Content-Type": "application/json", "Content-Length": str(len(content)), **reply.headers}
                    for name, value in headers.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(content)
                except OSError:  # who asked has gone
                    self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Says nothing."""

        class Server(ThreadingHTTPServer):
            request_queue_size = 128
            daemon_threads = True

        self._server = Server(("127.0.0.1", port), Handler)
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/v1"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> ChatServerOfRules:
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


if __name__ == "__main__":
    with ChatServerOfRules(lambda request: Reply(delay=0.02), int(sys.argv[1])) as server:
        print(server.port, flush=True)
        threading.Event().wait()
