"""The store of the runs in use. The first module to import MLflow, which it keeps quiet and quick."""

from __future__ import annotations

import base64
import json
import logging
import os
import re
import tempfile
import zlib
from contextlib import suppress
from pathlib import Path

from ..errors import InputError, StoreUnreachable
from . import location, locks

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # of a few megabytes
# A dead server costs seconds: by MLflow's own limits it would be minutes, for every call.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "1")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "20")

import mlflow
from mlflow.entities import RunStatus
from mlflow.exceptions import InvalidUrlException, MlflowException
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

EXPERIMENT = "convtext"
# MLflow's words for a run that was deleted.
GONE = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")
KIND = {"mlflow.experimentKind": "custom_model_development"}  # the pages for training, not for chats
VIEW = "results"
COLUMNS = {  # of the table of runs, in their order, with their widths in pixels
    "metrics.`test.accuracy`": 150,
    "metrics.`test.accuracy.low`": 150,
    "metrics.`test.accuracy.high`": 150,
    "metrics.`test.baseline_accuracy`": 150,
    "metrics.`test.macro_f1`": 150,
    "tags.`corpus`": 140,
    "tags.`model`": 140,
    "attributes.`Duration`": 110,
    "attributes.`Dataset`": 140,
    "metrics.`test.train_seconds`": 150,
    "params.`seed`": 80,
}
FAULTS = (MlflowException, SQLAlchemyError, OSError)  # what a store that cannot be used comes to
LOUDEST = {"mlflow": logging.WARNING, "mlflow.store.db": logging.CRITICAL, "alembic": logging.WARNING}
for chatty, level in LOUDEST.items():
    logging.getLogger(chatty).setLevel(level)


def client() -> tuple[mlflow.MlflowClient, str]:
    """MLflow's client of the store, and the id of the experiment in it. Runs whose process died are marked.

    Raises InputError where the store cannot be used; StoreUnreachable where it may be on another day.
    """
    try:
        _create_database()
        api = mlflow.MlflowClient(tracking_uri=location.store())
        experiment = _experiment(api)
        _mark_killed(api)
        return api, experiment
    except (*FAULTS, ImportError, ValueError) as error:
        if isinstance(error, MlflowException) and error.error_code == "INVALID_PARAMETER_VALUE":
            expected = (
                "expected an address such as http://host:5000 or sqlite:///runs.db as MLFLOW_TRACKING_URI"
            )
            raise InputError(f"the tracking store {location.shown()} cannot be used: {expected}") from error
        raise unusable(error) from error


def unusable(error: Exception) -> InputError:
    """What the user is told of an error of the store."""
    if isinstance(error, InputError):
        return error
    if location.is_remote() and is_temporary(error):
        return StoreUnreachable(f"the tracking server {location.shown()} does not answer ({reason(error)})")
    if "database is locked" in str(error):
        return StoreUnreachable(f"the tracking store {location.shown()} is locked by another process")
    return InputError(f"the tracking store {location.shown()} cannot be used: {reason(error)}")


def is_temporary(error: Exception) -> bool:
    """Whether the same call may succeed later: the store, not the call, is at fault."""
    if isinstance(error, MlflowException):
        return not isinstance(error, InvalidUrlException) and error.get_http_status_code() >= 500
    return isinstance(error, OSError) and not error.filename  # a file's fault is this machine's


def reason(error: Exception) -> str:
    """The error in a few words: MLflow's messages hold addresses, classes and whole pages."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {str(error.strerror).lower()}"
    text = location.without_password(str(error))
    cause = re.search(r"\[Errno -?\d+\] ([^'\")]+)|(Read timed out|timed out)", text)
    if cause:
        return (cause[1] or cause[2]).lower()
    return text.strip().partition("\n")[0][:200] or type(error).__name__


def prepare_pages() -> tuple[str, str]:
    """The address of the table of runs, from the first slash, and where the store keeps artifacts.

    What columns the table shows first is a view, which MLflow's pages read from a tag of the experiment.
    """
    api, experiment = client()
    state = {"selectedColumns": list(COLUMNS), "columnOrder": list(COLUMNS), "columnWidths": COLUMNS}
    packed = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode()
    saved = {"name": "Results", "createdAt": 0, "state": f"deflate;{packed}"}
    try:
        api.set_experiment_tag(experiment, f"mlflow.sharedViewState.{VIEW}", json.dumps(saved))
        artifacts = api.get_experiment(experiment).artifact_location
    except MlflowException as error:
        raise unusable(error) from error
    query = f"workflowType=machine_learning&viewStateShareKey={VIEW}"  # not the pages for chats
    return f"/#/experiments/{experiment}/runs?{query}", artifacts


def _experiment(api: mlflow.MlflowClient) -> str:
    found = api.get_experiment_by_name(EXPERIMENT)
    if not found:
        with suppress(MlflowException):  # another process was quicker
            return str(api.create_experiment(EXPERIMENT, tags=KIND))
        found = api.get_experiment_by_name(EXPERIMENT)
    return str(found.experiment_id)


def _mark_killed(api: mlflow.MlflowClient) -> None:
    for run in locks.abandoned(location.running(), location.fingerprint()):
        try:
            if api.get_run(run).info.status == RunStatus.to_string(RunStatus.RUNNING):
                api.set_terminated(run, RunStatus.to_string(RunStatus.KILLED))
        except MlflowException as error:
            if error.error_code not in GONE:
                raise


def _create_database() -> None:
    """Create a SQLite file under another name and link it to its own: two processes that begin at once would
    both create its tables, and MLflow bears that badly."""
    named = make_url(location.store()).database if location.store().startswith("sqlite:///") else None
    if not named or named == ":memory:" or Path(named).exists():
        return
    path, artifacts = Path(named), None
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        path.parent.mkdir(parents=True, exist_ok=True)
        artifacts = (path.parent / "artifacts").as_uri()
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        fresh = Path(scratch) / "mlflow.db"
        api = mlflow.MlflowClient(tracking_uri=f"sqlite:///{fresh}")
        api.create_experiment(EXPERIMENT, artifacts, tags=KIND)
        with suppress(FileExistsError):
            os.link(fresh, path)
