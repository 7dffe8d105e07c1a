"""The process that writes runs into the tracking store, so that a stage need not import MLflow.

`python -m pipeline.tracking.writer_process` reads entries from standard input, one JSON line each, and
answers each with one line: what was asked for, or an `error` and whether the store is `unreachable`. It ends
with its input.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from ..artifacts import RunFolder
from ..environment.imports import uncollected
from ..errors import InputError, StoreUnreachable
from .journal import Entry

with uncollected():
    from mlflow.entities import RunStatus

    from . import location, mlflow_calls, store

MAX_MEMORY_BYTES = 3 * 2**30  # for what a server answers, which may be without end: MLflow reads it whole


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the stage is asked to end, and has that to record
    _limit_memory(MAX_MEMORY_BYTES)
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what MLflow prints is no answer
    with suppress(BrokenPipeError):  # the stage was killed
        for line in sys.stdin:
            print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)
    os._exit(0)  # without the tear-down, which takes a while


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
    """Connect as soon as the process begins, and once only: a store that hangs takes its time."""
    try:
        with uncollected():  # MLflow imports its database's libraries only here
            return store.connect()
    except Exception as error:
        return error


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
