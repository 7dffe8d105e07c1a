"""Runs in MLflow, found by whatever a person calls them."""

from __future__ import annotations

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

from ..errors import InputError
from ..tracking import location, store
from ..tracking.mlflow_calls import stored_run_id

RUN_ID = re.compile(r"[0-9a-f]{32}")
SEARCHED_RUNS = 1000  # the latest runs, among which a beginning of an id is looked for


@dataclass(frozen=True)
class RunRecord:
    """A run's parameters and the last values of its metrics, by name."""

    id: str
    name: str
    parameters: dict[str, str]
    metrics: dict[str, float]


def find_run(text: str) -> RunRecord:
    """Return the run whose id is the text or begins with it, or the last run of that name.

    Raises InputError if there is none, or if several ids begin so.
    """
    client, experiment = store.connect()
    quote = '"' if "'" in text else "'"  # MLflow's filters have no escapes
    with store.store_errors():
        if RUN_ID.fullmatch(text):
            with suppress(MlflowException):  # it may be a name after all
                return _record(client.get_run(text))
        if quote not in text:
            is_name = f"attributes.run_name = {quote}{text}{quote}"
            if named := client.search_runs([experiment], is_name, max_results=1):
                return _record(named[0])
        latest = client.search_runs([experiment], max_results=SEARCHED_RUNS)
    matches = [run for run in latest if text and run.info.run_id.startswith(text)]
    if len(matches) > 1:
        raise InputError(f"{len(matches)} runs begin with {text!r}: expected more of the id")
    if not matches:
        raise InputError(
            f"no run {text!r} in {location.redacted_uri()}: expected an id, the beginning of one, a name, or "
            "a folder in data/build"
        )
    return _record(matches[0])


def artifact(run_id: str, name: str, folder: Path) -> Path:
    """Return a copy of one artifact in `folder`. Raises InputError if the run has none of that name."""
    try:
        path = mlflow.artifacts.download_artifacts(
            run_id=run_id, artifact_path=name, dst_path=str(folder), tracking_uri=location.store_uri()
        )
    except Exception as error:
        found = f"run {run_id} has no {name} in {location.redacted_uri()} ({store.reason(error)})"
        raise InputError(f"{found}: finish it first") from error
    return Path(path)


def stored_id(run_id: str) -> str:
    """Return the store's id of a run, which may have been sent later under an id of its own.

    Raises InputError if the run is not in the store.
    """
    client, experiment = store.connect()
    with store.store_errors():
        stored = stored_run_id(client, experiment, run_id)
    if stored is None:
        raise InputError(f"run {run_id} is not in {location.redacted_uri()}, nor sent to it")
    return stored


def _record(run: Any) -> RunRecord:
    return RunRecord(
        store.answered_id(run.info.run_id), run.info.run_name, dict(run.data.params), dict(run.data.metrics)
    )
