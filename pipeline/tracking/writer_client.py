"""The stage's end of the writer process: connects to it or starts it, sends it entries, awaits answers."""

from __future__ import annotations

import atexit
import json
import os
import select
import socket
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import IO, Any

from ..environment.checkout import python_path
from ..environment.program import WRITER_SOCKET
from ..errors import InputError, StoreUnreachable
from . import location
from .journal import Entry

PROCESS_ENDED = {"error": "the process that writes to the tracking store has ended", "unreachable": True}
# How long a server may take for an entry, as a multiple of the time that MLflow waits for each piece of an
# answer: one that sends a byte now and then would keep the training waiting for ever.
PATIENCE = 30
UPLOAD_PATIENCE = 300  # for files, which a slow line takes long to carry
UPLOADS = ("files", "model")


class WriterClient:
    """The connection to a writer process, and the thread that awaits its answers while the stage goes on."""

    def __init__(self) -> None:
        location.set_mlflow_defaults()
        self._requests, self._answers, self.give_up = _shared_writer() or _own_writer()
        self._thread = ThreadPoolExecutor(1, "tracking")
        self._failure = ""
        self.has_begun_a_run = False

    @property
    def has_failed(self) -> bool:
        return bool(self._failure)

    def submit(self, write: Callable[..., None], *arguments: Any) -> Future[None]:
        """Have the thread call `write` once it has made all earlier calls."""
        return self._thread.submit(write, *arguments)

    def open(self) -> None:
        """Have the store opened; what it cannot be opened for is the answer to the first entry."""
        answer = self._exchange({"do": "open"})
        self._failure = answer.get("error", "")

    def ask(self, entry: Entry) -> dict[str, Any]:
        """Send an entry and return the answer.

        Raises InputError if the store cannot be used, StoreUnreachable if it may be later. A store that could
        not be reached once is not tried again: that may take a minute each time.
        """
        if self._failure:
            raise StoreUnreachable(self._failure)
        answer = self._exchange(entry)
        if "error" not in answer:
            return answer
        if not answer["unreachable"]:
            raise InputError(answer["error"])
        self._failure = answer["error"]
        raise StoreUnreachable(self._failure)

    def _exchange(self, entry: Entry) -> dict[str, Any]:
        line = ""
        with suppress(OSError):  # of a process that is gone, or was given up
            self._requests.write(json.dumps(entry) + "\n")
            self._requests.flush()
            seconds = _patience(entry)
            poll = select.poll()
            poll.register(self._answers, select.POLLIN)
            if not poll.poll(seconds and seconds * 1000):
                self.give_up()
                late = f"the tracking server {location.redacted_uri()} has not answered in {seconds:.0f} s"
                return {"error": late, "unreachable": True}
            line = self._answers.readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith("\n") else PROCESS_ENDED
        return answer


Writer = tuple[IO[str], IO[str], Callable[[], None]]  # takes entries, gives answers, is given up


def _shared_writer() -> Writer | None:
    """Return the process that writes the runs of a make's stages one after another, if there is one."""
    path = os.environ.get(WRITER_SOCKET, "")
    connection = socket.socket(socket.AF_UNIX)
    try:
        connection.connect(path)
    except OSError:  # none was started, or it has ended
        connection.close()
        return None
    requests, answers = (connection.makefile(mode, encoding="utf-8") for mode in ("w", "r"))
    return requests, answers, partial(_leave, path, connection)


def _leave(path: str, connection: socket.socket) -> None:
    """Leave the shared writer, which may be busy with an entry for a long time, and let no stage find it."""
    Path(path).unlink(missing_ok=True)
    with suppress(OSError):  # it is gone
        connection.shutdown(socket.SHUT_RDWR)


def _own_writer() -> Writer:
    process = subprocess.Popen(
        [sys.executable, "-m", f"{__package__}.writer_process"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
        env=os.environ | {"PYTHONPATH": python_path()},
        process_group=0,  # the terminal's Ctrl-C is for the stage, which then has its end to record
    )
    atexit.register(process.communicate)  # it ends with its input
    assert process.stdin and process.stdout
    return process.stdin, process.stdout, process.kill


def _patience(entry: Entry) -> float | None:
    """Return how many seconds to wait for the answer to an entry; None where no server has a part in it."""
    if entry["do"] == "pack" or not location.is_remote():
        return None
    patience = UPLOAD_PATIENCE if entry["do"] in UPLOADS else PATIENCE
    return patience * max(1.0, location.request_seconds())


def writer() -> WriterClient:
    """Return the writer of the store in use: one for all runs of a stage."""
    return _writer_of(location.store_uri(), location.tracking_folder())


@cache
def _writer_of(_store: str, _folder: Path) -> WriterClient:
    return WriterClient()


def launch() -> None:
    """Connect to the writer, or start it: it imports MLflow."""
    writer()


def start() -> None:
    """Have the writer open the store while the stage prepares its run.

    It knows nothing of an earlier stage of this process: where that has lost the store, another tries again.
    """
    if writer().has_failed:
        writer().give_up()
        _writer_of.cache_clear()
    writer().has_begun_a_run = False
    writer().submit(writer().open)
