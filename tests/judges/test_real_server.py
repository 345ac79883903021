"""Against a server that others wrote: that of transformers, with a model made here."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from potentia.judges import Achieved, Background, ChatServer, LocalModel, Progress, Retried
from tests.judges.tiny_model import make_model

pytest.importorskip("openai")
pytest.importorskip("uvicorn")
pytest.importorskip("transformers.cli.serve")


def start(model: Path, port: int, log: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-c", "from transformers.cli.transformers import main; main()", "serve", str(model)]
    flags = ["--device", "cpu", "--host", "127.0.0.1", "--port", str(port)]
    with log.open("ab") as file:
        return subprocess.Popen([*command, *flags], stdout=file, stderr=file)


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 120
    while time.monotonic() < end and process.poll() is None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"the server did not start: {log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "seven", '{"answer": 7}')


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[int, Path]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return port, tmp_path_factory.mktemp("server") / "log.txt"


def test_from_prompt_to_answer_and_through_a_kill_in_mid_run(model: Path, place: tuple[int, Path]) -> None:
    port, log = place
    process = start(model, port, log)
    try:
        wait_for(port, process, log)
        server = ChatServer(str(model), f"http://127.0.0.1:{port}/v1", concurrency=4, timeout=60.0)
        # The model says 7 to everything: right for one kind of question, of the wrong form for the other.
        progress, subgoals = server.answer([Progress("leave", "a door"), Achieved(("out",), "a", "b", "c")])
        assert (progress.value, progress.valid) == (7 / 9, True)
        assert LocalModel(model).answer([Progress("leave", "a door")])[0].value == pytest.approx(7 / 9, abs=0.01)
        assert progress.tokens_in > 100
        assert progress.tokens_out == 4  # the beginning, 7, the brace and the end
        assert (subgoals.values, subgoals.valid) == ((0.5,), False)
        assert subgoals.reason == 'no valid reply: "answer" must be a list of 1'
        assert server.usage.calls == 3

        questions = [Progress("leave", str(number)) for number in range(24)]
        with Background(Retried(server, 600, first=0.2, longest=0.2), batch=8) as background:
            background.submit(questions)
            answers = {}
            while not answers:
                answers |= dict(background.drain())
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.wait()
            process = start(model, port, log)
            assert background.wait(120)
            answers |= dict(background.drain())
        assert set(answers) == set(questions)
        assert {answer.value for answer in answers.values()} == {7 / 9}
    finally:
        process.kill()
        process.wait()
