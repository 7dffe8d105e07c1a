"""The process that writes runs into the tracking store, so that a stage need not import MLflow.

It reads entries, one JSON line each, and answers each with one line: what was asked for, or an `error` and
whether the store is `unreachable`. `python -m pipeline.tracking.writer_process` takes those of one stage from
standard input, and ends with it; `serve` takes those of one stage after another.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from collections.abc import Iterable
from contextlib import suppress
from functools import cache
from pathlib import Path
from select import select
from socket import socket
from typing import IO, Any

from ..artifacts import RunFolder
from ..environment.imports import uncollected
from ..errors import InputError, StoreUnreachable
from .journal import Entry

with uncollected():
    from mlflow.entities import RunStatus

    from . import location, mlflow_calls, store

MAX_MEMORY_BYTES = 3 * 2**30  # for what a server answers, which may be without end: MLflow reads it whole


def main() -> None:
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    _start()
    with suppress(BrokenPipeError):  # the stage was killed
        _answer_all(sys.stdin, answers)
    os._exit(0)  # without the tear-down, which takes a while


def serve(listener: socket) -> None:
    """Answer the stages that connect, one after another, until standard input ends."""
    _start()
    while listener in select([listener, sys.stdin], [], [])[0]:
        connection, _ = listener.accept()
        _forget_failure()
        with (
            suppress(BrokenPipeError, ConnectionResetError),  # the stage was killed, or has given this up
            connection,
            connection.makefile("rw", encoding="utf-8") as stream,
        ):
            _answer_all(stream, stream)


def _start() -> None:
    os.dup2(2, 1)  # what MLflow prints is neither an answer nor a result
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the stage is asked to end, and has that to record
    _limit_memory(MAX_MEMORY_BYTES)


def _answer_all(entries: Iterable[str], answers: IO[str]) -> None:
    for line in entries:
        if line.endswith("\n"):  # else the stage was killed while it wrote
            print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)


def _answer(entry: Entry) -> dict[str, Any]:
    try:
        return _execute(entry)
    except Exception as cause:
        error = store.input_error(cause)
        is_known = isinstance(cause, (InputError, *store.STORE_ERRORS))  # no other is worth the training
        return {"error": str(error), "unreachable": not is_known or isinstance(error, StoreUnreachable)}


def _execute(entry: Entry) -> dict[str, Any]:
    match entry:
        case {"do": "open"}:
            _connection_or_error()
        case {"do": "begin", "time": time, "tags": tags}:
            client, experiment = _connection()
            run = client.create_run(experiment, start_time=time, tags=tags)
            return {"run": store.answered_id(run.info.run_id), "tags": tags}
        case {"do": "resume", "run": run_id}:
            return _resume(run_id)
        case {"do": "pack", "folder": folder, "place": place}:
            _limit_memory(resource.RLIM_INFINITY)  # of a classifier as large as may be, and no server's
            try:
                _pack(RunFolder(Path(folder)), Path(place))
            finally:
                _limit_memory(MAX_MEMORY_BYTES)
        case _:
            mlflow_calls.apply(_connection().client, entry["run"], entry)
    return {}


def _limit_memory(limit: int) -> None:
    """Limit this process's memory where the store is a server, within what the user's own limit allows."""
    if location.is_remote():
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        bounds = [bound for bound in (limit, hard) if bound != resource.RLIM_INFINITY]
        resource.setrlimit(resource.RLIMIT_DATA, (min(bounds, default=resource.RLIM_INFINITY), hard))


def _connection() -> store.Connection:
    connection = _connection_or_error()
    if isinstance(connection, Exception):
        raise connection
    return connection


@cache
def _connection_or_error() -> store.Connection | Exception:
    """Connect once for a stage, whether that succeeds or not: a store that hangs takes its time."""
    try:
        with uncollected():  # MLflow imports its database's libraries only here
            return store.connect()
    except Exception as error:
        return error


def _forget_failure() -> None:
    """Let the next stage try again to open a store that could not be opened."""
    if _connection_or_error.cache_info().currsize and isinstance(_connection_or_error(), Exception):
        _connection_or_error.cache_clear()


def _resume(run_id: str) -> dict[str, Any]:
    client, experiment = _connection()
    stored = mlflow_calls.stored_run_id(client, experiment, run_id)
    if stored is None:
        raise InputError(
            f"run {run_id} is not in {location.redacted_uri()}: the tracking store was changed or emptied "
            "since training; set MLFLOW_TRACKING_URI as it was, or train again"
        )
    client.update_run(stored, status=RunStatus.to_string(RunStatus.RUNNING))
    return {"run": stored, "tags": client.get_run(stored).data.tags}


def _pack(folder: RunFolder, place: Path) -> None:
    from . import package  # not at the top: it takes a while, and only `evaluate` packs

    try:
        package.save(place, folder.model, folder.row_keys, folder.model_card)
    except OSError as error:
        raise InputError(f"the MLflow model cannot be written: {error}") from error


if __name__ == "__main__":
    main()
