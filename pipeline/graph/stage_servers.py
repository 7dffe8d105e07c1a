"""Processes that run the stages of one line one after another, so that what these import is imported once.

Each stage of the graph is a process of its own, which takes a second to import pandas and scikit-learn, and
three more for TensorFlow. Where Make has several of them to run, processes make these imports side by side
while no stage is to be run, and one more, which imports MLflow, writes their runs. A stage's own process
hands its work to the one that is for it, and ends as the work does; without such a process it does the work
itself. Make, the files and the order of the stages know nothing of this.
"""

from __future__ import annotations

import gc
import json
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import traceback
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from ..environment.program import PACKAGE, WRITER_SOCKET
from ..terminal import say
from .stage_times import MAKE_FOLDER

if TYPE_CHECKING:
    from ..options import InputKind  # a stage's own process has no time for it

# The stages of each server, in their order. `baseline` runs beside `train`. Texts are predicted without
# TensorFlow wherever their network can be folded, images never.
SERVERS: dict[InputKind, tuple[tuple[str, ...], ...]] = {
    "tokens": (("prepare", "tokenize", "embed", "baseline", "evaluate"), ("train",)),
    "images": (("prepare", "baseline"), ("train", "evaluate")),
}
RECORDED = {"train", "evaluate"}
CLEARING_UP = 10  # seconds that a stage has for it
_BEGUN, _INTERRUPT = b"begun\n", b"interrupt\n"
_KILLED = 128 + signal.SIGKILL  # as a shell reports it


@contextmanager
def serving(
    stages: Collection[str], inputs: InputKind, folder: Path, environment: Mapping[str, str]
) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Start the servers of these stages, if there are several, in such an environment, and end them after.

    A stage finds them by MAKE_FOLDER, which names the folder. Yields their processes.
    """
    wanted = [[stage for stage in server if stage in stages] for server in SERVERS[inputs]]
    if sum(map(len, wanted)) < 2:
        wanted = []
    servers = []
    with ExitStack() as stack:
        with suppress(OSError):  # the path is too long for a socket: the stages do their own work
            if wanted and not RECORDED.isdisjoint(stages):
                environment = stack.enter_context(_writer(folder, environment))
            for served in filter(None, wanted):
                servers.append(stack.enter_context(_server(served, folder, environment)))
        yield servers


@contextmanager
def _server(
    stages: Sequence[str], folder: Path, environment: Mapping[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    path = folder / stages[-1]
    for stage in stages[:-1]:
        (folder / stage).symlink_to(path)
    process = _listening(path, "serve", stages, environment)
    try:
        yield process
    except KeyboardInterrupt:  # a second one, while a stage clears up after the first
        with suppress(subprocess.TimeoutExpired):
            process.wait(CLEARING_UP)
        raise
    finally:
        _end(process)


@contextmanager
def _writer(folder: Path, environment: Mapping[str, str]) -> Iterator[dict[str, str]]:
    """Have a process write the runs of all stages, which imports MLflow once a stage's server is connected.

    Yields the environment by which they find it.
    """
    path = folder / "writer"
    # The terminal's Ctrl-C is for the stages, which then have their end to record.
    process = _listening(path, "write-runs", [], environment, process_group=0)
    try:
        yield {**environment, WRITER_SOCKET: str(path)}
    finally:
        _end(process)


def _listening(
    path: Path, verb: str, words: Sequence[str], environment: Mapping[str, str], **options: Any
) -> subprocess.Popen[bytes]:
    """Start a process of this program that others reach by a socket; it ends with its standard input."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        return subprocess.Popen(
            [sys.executable, "-m", PACKAGE, verb, str(listener.fileno()), *words],
            stdin=subprocess.PIPE,  # its end is the end of this process
            pass_fds=[listener.fileno()],
            env=environment,
            **options,
        )


def _end(process: subprocess.Popen[bytes]) -> None:
    process.kill()  # it is idle: a stage that was under way has been waited for
    process.communicate()


def serve(
    listener: int, last: str, run: Callable[[list[str]], int], imports: Iterable[Callable[[], None]] = ()
) -> int:
    """Run the stages that come to the socket, until one fails or the process that started this one ends.

    `run` takes the arguments of a command line and returns its exit code, as does this function. Makes the
    next of the `imports` whenever no stage is waiting. No stage comes after the `last`, and what they have
    left in memory goes with this process.
    """
    ahead = deque(imports)
    with socket.socket(fileno=listener) as stages:
        while True:
            ready, _, _ = select.select([stages, sys.stdin], [], [], 0 if ahead else None)
            if not ready:
                ahead.popleft()()
                continue
            if stages not in ready:
                return 0
            connection, _ = stages.accept()
            with connection, connection.makefile("rb") as requests:
                try:
                    arguments = json.loads(requests.readline())
                    connection.sendall(_BEGUN)
                except (ValueError, OSError):  # the stage's own process is gone
                    continue
                code = _run_watched(run, arguments, connection, requests)
            if code or last in arguments:
                return code  # what a stage that failed has left in memory is not to be relied on
            gc.collect()  # networks of Keras hold themselves


def _run_watched(
    run: Callable[[list[str]], int], arguments: list[str], connection: socket.socket, requests: BinaryIO
) -> int:
    """Run a stage, answer with its exit code and return it; its own process may interrupt it."""
    has_ended = threading.Event()
    watcher = threading.Thread(target=_watch, args=(requests, has_ended))
    code = 1
    try:
        watcher.start()
        code = run(arguments)
    except KeyboardInterrupt:  # just before the stage could handle it, or just after
        code = 130
    except Exception:  # as a process of its own would show it
        say(traceback.format_exc(), sys.stderr)
    finally:  # else the watcher would wait for the stage's own process, and that for this one
        has_ended.set()
        with suppress(OSError):  # it has been killed
            connection.sendall(f"{code}\n".encode())
            connection.shutdown(socket.SHUT_RDWR)
        watcher.join()
    return code


def _watch(requests: BinaryIO, has_ended: threading.Event) -> None:
    """Interrupt the stage when its own process says so or is gone."""
    requests.readline()
    if not has_ended.is_set():
        os.kill(os.getpid(), signal.SIGTERM)


def ask(stage: str, arguments: list[str]) -> int | None:
    """Have a server run a stage; return the stage's exit code, or None where no server has begun it.

    An interrupt is handed on, and the end of the stage waited for. Raises KeyboardInterrupt where the server
    has ended by it before the stage began.
    """
    folder = os.environ.get(MAKE_FOLDER)
    if not folder:
        return None
    answer, is_interrupted = b"", False
    with socket.socket(socket.AF_UNIX) as connection, suppress(OSError):
        connection.connect(f"{folder}/{stage}")
        connection.sendall(json.dumps(arguments).encode() + b"\n")
        while answer.count(b"\n") < 2:
            try:
                piece = connection.recv(64)
            except KeyboardInterrupt:
                is_interrupted = True
                with suppress(OSError):  # it has ended by its own: what it answered is still to be read
                    connection.sendall(_INTERRUPT)
                continue
            if not piece:
                break
            answer += piece
    if is_interrupted and answer.count(b"\n") < 2:
        raise KeyboardInterrupt
    if not answer:
        return None
    _, _, code = answer.partition(b"\n")
    return int(code) if code.endswith(b"\n") else _KILLED
