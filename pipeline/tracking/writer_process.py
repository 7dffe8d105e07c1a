"""The process that writes runs into the tracking store: it has MLflow imported, so that `tracking` need not.

`python -m pipeline.tracking.writer_process` reads entries from standard input, a line of JSON each, and
answers each by another: what was asked for, or an `error`, and whether it is that the store is `unreachable`.
It ends with its input.
"""

from __future__ import annotations

import json
import os
import signal
import sys
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import RunStatus

from ..artifacts import RunFolder
from ..errors import InputError, StoreUnreachable
from . import location, mlflow_calls, store
from .journal import Entry


def main() -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # the stage is asked to end, and has that to record
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what MLflow prints is no answer
    _opened()
    with suppress(BrokenPipeError):  # the stage was killed
        for line in sys.stdin:
            print(json.dumps(_answer(json.loads(line))), file=answers, flush=True)
    os._exit(0)  # without the tear-down, which takes a while


def _answer(entry: Entry) -> dict[str, Any]:
    found: InputError
    try:
        return _done(entry)
    except (InputError, *store.FAULTS) as error:
        found = store.unusable(error)
    except Exception as error:  # whatever it is, it is not worth the training
        found = StoreUnreachable(f"{type(error).__name__}: {store.reason(error)}")
    return {"error": str(found), "unreachable": isinstance(found, StoreUnreachable)}


def _done(entry: Entry) -> dict[str, Any]:
    match entry["do"]:
        case "begin":
            api, experiment = _client()
            run = api.create_run(experiment, start_time=entry["time"], tags=entry["tags"])
            return {"run": run.info.run_id, "tags": entry["tags"]}
        case "resume":
            return _resumed(entry["run"])
        case "pack":
            _pack(RunFolder(Path(entry["folder"])), Path(entry["place"]))
        case _:
            mlflow_calls.apply(_client()[0], entry["run"], entry)
    return {}


def _client() -> tuple[MlflowClient, str]:
    found = _opened()
    if isinstance(found, Exception):
        raise found
    return found


@cache
def _opened() -> tuple[MlflowClient, str] | Exception:
    """As soon as the process begins; a store that hangs is waited for once."""
    try:
        return store.client()
    except Exception as error:
        return error


def _resumed(run_id: str) -> dict[str, Any]:
    api, experiment = _client()
    found = mlflow_calls.counterpart(api, experiment, run_id)
    if found is None:
        raise InputError(
            f"run {run_id} is not in {location.shown()}: the tracking store was changed or emptied since "
            "training; set MLFLOW_TRACKING_URI as it was, or train again"
        )
    api.update_run(found, status=RunStatus.to_string(RunStatus.RUNNING))
    return {"run": found, "tags": api.get_run(found).data.tags}


def _pack(folder: RunFolder, place: Path) -> None:
    from . import package  # here, as it takes a while and only `evaluate` packs

    try:
        package.save(place, folder)
    except OSError as error:
        raise InputError(f"the MLflow model cannot be written: {error}") from error


if __name__ == "__main__":
    main()
