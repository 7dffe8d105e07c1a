"""The tracking store through MLflow: connections to it, and its errors in one line."""

from __future__ import annotations

import base64
import json
import logging
import re
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import mlflow
from mlflow.entities import RunStatus
from mlflow.exceptions import InvalidUrlException, MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_registered_artifact_repositories
from mlflow.store.artifact.local_artifact_repo import LocalArtifactRepository
from sqlalchemy.exc import SQLAlchemyError

from ..artifacts import artifacts_folder, checked_id
from ..environment.moved_data import mend_store
from ..errors import InputError, StoreUnreachable
from ..terminal import without_password
from . import location, locks

EXPERIMENT = "convtext"
EXPERIMENT_TAGS = {"mlflow.experimentKind": "custom_model_development"}  # the pages for training, not chats
RUN_DELETED = ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE")  # MLflow's error codes
# Of a store that cannot be used. Whatever else MLflow raises comes of an answer that makes no sense.
STORE_ERRORS = (MlflowException, SQLAlchemyError, OSError)
ARTIFACT_FOLDER = re.compile(r"(m-)?[0-9a-f]{32}")  # of a run or a model
VIEW = "results"
COLUMN_WIDTHS = {  # of the table of runs, in its order, in pixels
    "tags.`corpus`": 150,
    "metrics.`test.accuracy`": 115,
    "metrics.`test.baseline_accuracy`": 175,
    "metrics.`test.difference`": 115,
    "metrics.`test.difference.low`": 145,
    "metrics.`test.difference.high`": 145,
    "metrics.`test.macro_f1`": 130,
    "metrics.`test.train_seconds`": 155,
    "tags.`model`": 140,
    "params.`seed`": 80,
    "attributes.`Duration`": 110,
}
LOG_LEVELS = {"mlflow": logging.WARNING, "mlflow.store.db": logging.CRITICAL, "alembic": logging.WARNING}


class Connection(NamedTuple):
    """MLflow's client of the store, and the id of the experiment in it."""

    client: mlflow.MlflowClient
    experiment: str


def connect() -> Connection:
    """Open the store, which is created if need be, and mark the runs whose process died.

    Raises InputError if the store cannot be used, StoreUnreachable if it may be later.
    """
    if "%" in mlflow.__file__ and not location.is_remote():  # its migrations of databases are not found there
        folder = Path(mlflow.__file__).parent
        raise InputError(f"MLflow opens no database from a folder with % in its path: move {folder}")
    for logger, level in LOG_LEVELS.items():
        logging.getLogger(logger).setLevel(level)
    try:
        _create_database()
        if location.is_default():
            mend_store()
        client = mlflow.MlflowClient(tracking_uri=location.store_uri())
        experiment = _experiment(client)
        _mark_killed_runs(client)
        return Connection(client, experiment)
    except Exception as error:
        if isinstance(error, MlflowException) and error.error_code == "INVALID_PARAMETER_VALUE":
            expected = (
                "expected an address such as http://host:5000 or sqlite:///runs.db as MLFLOW_TRACKING_URI"
            )
            message = f"the tracking store {location.redacted_uri()} cannot be used: {expected}"
            raise InputError(message) from error
        raise input_error(error) from error


@contextmanager
def store_errors() -> Iterator[None]:
    """Turn MLflow's errors of the store into an InputError that names the store."""
    try:
        yield
    except Exception as error:
        raise input_error(error) from error


def input_error(error: Exception) -> InputError:
    """Return the error of a store as one for the user."""
    if isinstance(error, InputError):
        return error
    address = location.redacted_uri()
    if location.is_remote() and is_temporary(error):
        return StoreUnreachable(f"the tracking server {address} does not answer ({reason(error)})")
    if "database is locked" in str(error):
        return StoreUnreachable(f"the tracking store {address} is locked by another process")
    if location.is_remote() and not isinstance(error, STORE_ERRORS):
        cause = f"{type(error).__name__}: {reason(error)}"
        return StoreUnreachable(f"the tracking server {address} gives no sensible answer ({cause})")
    return InputError(f"the tracking store {address} cannot be used: {reason(error)}")


def is_temporary(error: Exception) -> bool:
    """Return True if the same call may succeed later: the store, not the call, is at fault."""
    if isinstance(error, MlflowException):
        return not isinstance(error, InvalidUrlException) and error.get_http_status_code() >= 500
    return isinstance(error, OSError) and not error.filename  # an error of a file is this machine's


def reason(error: Exception) -> str:
    """Return the error in a few words: MLflow's messages hold addresses, classes and whole pages."""
    if isinstance(error, OSError) and error.filename and error.strerror:
        return f"{error.filename2 or error.filename}: {error.strerror.lower()}"
    text = without_password(str(error))
    cause = re.search(r"\[Errno -?\d+\] ([^'\")]+)|(Read timed out|timed out)", text)
    if cause:
        return (cause[1] or cause[2]).lower()
    return text.strip().partition("\n")[0][:200] or type(error).__name__


def answered_id(value: object) -> str:
    """Return an id that the store has given. Raises StoreUnreachable for one that it cannot have meant."""
    try:
        return checked_id(value)
    except InputError as error:
        address = location.redacted_uri()
        raise StoreUnreachable(f"the tracking server {address} gives no sensible answer ({error})") from error


class SharedFolder(LocalArtifactRepository):  # type: ignore[misc]  # MLflow has no types
    """A folder of this machine to which artifacts are written.

    A server may name one that both can see, as MLflow lays it out: in a folder of the run's or the model's
    own. Any other would have its answer say which of the user's files are overwritten.
    """

    def log_artifact(self, local_file: str, artifact_path: str | None = None) -> None:
        """Copy a file into the folder. Raises MlflowException if no server should name that folder."""
        self._check()
        super().log_artifact(local_file, artifact_path)

    def log_artifacts(self, local_dir: str, artifact_path: str | None = None) -> None:
        """Copy a folder's files into the folder. Raises as `log_artifact` does."""
        self._check()
        super().log_artifacts(local_dir, artifact_path)

    def _check(self) -> None:
        parts = Path(self.artifact_dir).resolve().parts
        if location.is_remote() and not any(ARTIFACT_FOLDER.fullmatch(part) for part in parts):
            raise MlflowException(f"{self.artifact_dir} is no place for artifacts")


get_registered_artifact_repositories().update({"": SharedFolder, "file": SharedFolder})


class Pages(NamedTuple):
    """MLflow's pages of the runs: the experiment, the path of its table, and where its artifacts are."""

    experiment: str
    path: str
    artifacts: str


def prepare_pages() -> Pages:
    """Return where MLflow's pages show the runs.

    On a server the table's columns are a shared view, which the pages read from a tag of the experiment.
    """
    client, experiment = connect()
    query = "workflowType=machine_learning"  # not the pages for chats
    with store_errors():
        if location.is_remote():
            packed = base64.b64encode(zlib.compress(json.dumps(table_state()).encode())).decode()
            view = {"name": "Results", "createdAt": 0, "state": f"deflate;{packed}"}
            client.set_experiment_tag(experiment, f"mlflow.sharedViewState.{VIEW}", json.dumps(view))
            query += f"&viewStateShareKey={VIEW}"
        artifacts = client.get_experiment(experiment).artifact_location
    return Pages(experiment, f"/#/experiments/{experiment}/runs?{query}", artifacts)


def table_state() -> dict[str, Any]:
    """Return the columns of the table of runs, as MLflow's pages keep them."""
    columns = list(COLUMN_WIDTHS)
    return {"selectedColumns": columns, "columnOrder": columns, "columnWidths": COLUMN_WIDTHS}


def _experiment(client: mlflow.MlflowClient) -> str:
    experiment = client.get_experiment_by_name(EXPERIMENT)
    if not experiment:
        with suppress(MlflowException):  # another process was quicker
            return str(client.create_experiment(EXPERIMENT, tags=EXPERIMENT_TAGS))
        experiment = client.get_experiment_by_name(EXPERIMENT)
    return str(experiment.experiment_id)


def _mark_killed_runs(client: mlflow.MlflowClient) -> None:
    for run_id in locks.abandoned_runs(location.locks_folder(), location.store_fingerprint()):
        try:
            if client.get_run(run_id).info.status == RunStatus.to_string(RunStatus.RUNNING):
                client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
        except MlflowException as error:
            if error.error_code not in RUN_DELETED:
                raise


def _create_database() -> None:
    """Create the SQLite file under another name and link it to its own, so that it appears whole.

    Two processes that begin at once would both create its tables, which MLflow does not survive.
    """
    path = location.sqlite_file()
    if path is None or path.exists():
        return
    artifacts = None
    if location.is_default():
        path.parent.mkdir(parents=True, exist_ok=True)
        artifacts = artifacts_folder().as_uri()
    with tempfile.TemporaryDirectory(dir=path.parent) as scratch:
        fresh = Path(scratch) / "mlflow.db"
        client = mlflow.MlflowClient(tracking_uri=location.sqlite_uri(fresh))
        client.create_experiment(EXPERIMENT, artifacts, tags=EXPERIMENT_TAGS)
        with suppress(FileExistsError):
            path.hardlink_to(fresh)
