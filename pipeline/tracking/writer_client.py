"""The stage's end of the writer process: starts it, sends it entries and waits for the answers."""

from __future__ import annotations

import atexit
import json
import os
import select
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ..environment.checkout import python_path
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
    """A writer process, and the thread that waits for its answers while the stage goes on."""

    def __init__(self) -> None:
        location.set_mlflow_defaults()
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.writer_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": python_path()},
            process_group=0,  # the terminal's Ctrl-C is for the stage, which then has its end to record
        )
        atexit.register(self._process.communicate)  # it ends with its input
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
        requests, answers = self._process.stdin, self._process.stdout
        assert requests and answers
        line = ""
        with suppress(OSError):  # of a process that is gone
            requests.write(json.dumps(entry) + "\n")
            requests.flush()
            seconds = _patience(entry)
            poll = select.poll()
            poll.register(answers, select.POLLIN)
            if not poll.poll(seconds and seconds * 1000):
                self._process.kill()
                late = f"the tracking server {location.redacted_uri()} has not answered in {seconds:.0f} s"
                return {"error": late, "unreachable": True}
            line = answers.readline()
        answer: dict[str, Any] = json.loads(line) if line.endswith("\n") else PROCESS_ENDED
        return answer


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
    """Start the writer, which imports MLflow."""
    writer()


def start() -> None:
    """Have the writer open the store while the stage prepares its run.

    It knows nothing of an earlier stage of this process: where that has lost the store, another tries again.
    """
    if writer().has_failed:
        _writer_of.cache_clear()
    writer().has_begun_a_run = False
    writer().submit(writer().open)
