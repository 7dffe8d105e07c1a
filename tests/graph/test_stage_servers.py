"""Stages that another process runs: their exit codes and interrupts are as of processes of their own."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep

import pytest

from pipeline.graph.stage_servers import ask, serving
from pipeline.graph.stage_times import MAKE_FOLDER
from pipeline.options import InputKind

ROOT = Path(__file__).resolve().parents[2]
# A stage waits for so many seconds, and ends with such a code.
SERVER = """
import os, signal, sys, time
from pipeline.graph.stage_servers import serve

def interrupt(number, frame):
    raise KeyboardInterrupt

def run(arguments):
    seconds, code = map(float, arguments[:2])
    try:
        print(os.getpid(), flush=True)
        time.sleep(seconds)
    except KeyboardInterrupt:
        print("interrupted", flush=True)
        return 130
    if code == 1:
        raise ValueError("unexpected")
    return int(code)

signal.signal(signal.SIGTERM, interrupt)
sys.exit(serve(int(sys.argv[1]), sys.argv[2], run))
"""
CLIENT = "import sys; from pipeline.graph.stage_servers import ask; sys.exit(ask('train', sys.argv[1:]))"


@contextmanager
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[str]]:
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/train")
        Path(folder, "evaluate").symlink_to("train")
        listener.listen()
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(listener.fileno()), "last"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, pass_fds=[listener.fileno()],
        )  # fmt: skip
        listener.close()
        monkeypatch.setenv(MAKE_FOLDER, folder)
        with process:
            yield process
            process.kill()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def test_stages_run_in_one_process_until_one_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch) as process:
        assert [ask("train", ["0", "0"]), ask("evaluate", ["0", "0"])] == [0, 0]
        assert ask("assign_folds", ["0", "0"]) is None  # of no server
        assert ask("train", ["0", "2"]) == 2
        assert {line(process) for _ in range(3)} == {str(process.pid)}
        assert process.wait(10) == 2
        assert ask("train", ["0", "0"]) is None


def test_an_unexpected_error_is_shown_and_ends_the_server(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with server(monkeypatch) as process:
        assert ask("train", ["0", "1"]) == 1
        assert process.wait(10) == 1
    assert "ValueError: unexpected" in capfd.readouterr().err


def test_no_stage_comes_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch) as process:
        assert ask("evaluate", ["0", "0", "last"]) == 0
        assert process.wait(10) == 0


def test_a_client_that_is_gone_before_it_asks_is_not_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch) as process, socket.socket(socket.AF_UNIX) as client:
        client.connect(f"{os.environ[MAKE_FOLDER]}/train")
        client.close()
        assert ask("train", ["0", "0"]) == 0 and process.poll() is None


def test_an_interrupt_before_the_stage_has_begun_is_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server, which still makes its imports, ends by the same Ctrl-C, and the stage must not begin."""
    with TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"{folder}/train")
        listener.listen()
        monkeypatch.setenv(MAKE_FOLDER, folder)
        own = subprocess.Popen(
            [sys.executable, "-c", CLIENT, "60", "0"], cwd=ROOT, stderr=subprocess.PIPE, text=True
        )
        select.select([listener], [], [])  # it has come
        own.send_signal(signal.SIGINT)
        sleep(0.2)
        listener.close()
        assert "KeyboardInterrupt" in own.communicate(timeout=10)[1]
        assert own.returncode == -signal.SIGINT


def test_without_a_server_a_stage_is_left_to_its_own_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(MAKE_FOLDER, raising=False)
    assert ask("train", []) is None
    monkeypatch.setenv(MAKE_FOLDER, "/nowhere")
    assert ask("train", []) is None


def test_where_no_socket_can_be_the_stages_do_their_own_work(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    long = tmp_path / ("x" * 120)  # a socket's path has at most 107 bytes
    long.mkdir()
    monkeypatch.setenv(MAKE_FOLDER, str(long))
    with serving(["prepare", "tokenize", "train", "evaluate"], "tokens", long, dict(os.environ)) as servers:
        assert servers == [] and ask("train", []) is None


@pytest.mark.parametrize(("inputs", "of_train"), [("tokens", []), ("images", ["evaluate"])])
def test_each_stage_of_a_line_has_its_server(
    inputs: InputKind, of_train: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    line = ["assign_folds", "prepare", "train", "evaluate"]
    with TemporaryDirectory() as folder:
        monkeypatch.setenv(MAKE_FOLDER, folder)
        with serving(line, inputs, Path(folder), dict(os.environ)) as servers:
            one, other = ([word for word in process.args if word in line] for process in servers)
            assert [ask("prepare", ["--version"]), ask("train", ["--version"])] == [0, 0]
            assert ask("tokenize", ["--version"]) is None  # it is not planned
            assert Path(folder, "writer").is_socket()
        assert all(process.poll() is not None for process in servers)
    assert other == ["train", *of_train] and sorted([*one, *other]) == sorted(line[1:])


def test_a_single_stage_needs_no_server() -> None:
    with (
        TemporaryDirectory() as folder,
        serving(["prepare", "assign_folds"], "tokens", Path(folder), dict(os.environ)) as servers,
    ):
        assert servers == [] and not list(Path(folder).iterdir())


def test_a_server_ends_with_the_process_that_started_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch) as process:
        assert ask("train", ["0", "0"]) == 0
        assert process.stdin
        process.stdin.close()
        assert process.wait(10) == 0


@pytest.mark.parametrize(("sent", "code"), [(signal.SIGINT, 130), (signal.SIGKILL, -signal.SIGKILL)])
def test_what_ends_the_stages_own_process_interrupts_the_stage(
    monkeypatch: pytest.MonkeyPatch, sent: int, code: int
) -> None:
    with server(monkeypatch) as process:
        own = subprocess.Popen([sys.executable, "-c", CLIENT, "60", "0"], cwd=ROOT)
        assert line(process) == str(process.pid)
        own.send_signal(sent)
        assert own.wait(10) == code
        assert line(process) == "interrupted"
        assert process.wait(10) == 130


def test_a_server_that_is_killed_has_killed_its_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    with server(monkeypatch) as process:
        own = subprocess.Popen([sys.executable, "-c", CLIENT, "60", "0"], cwd=ROOT)
        assert line(process) == str(process.pid)
        os.kill(process.pid, signal.SIGKILL)
        assert own.wait(10) == 137
