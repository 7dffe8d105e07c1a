"""The runs in MLflow: one run for each train-and-evaluate. The only module that imports MLflow.

The store is MLFLOW_TRACKING_URI if that is set, else a SQLite file in data/tracking/, which outlives
`make clean`.
"""

from __future__ import annotations

import logging
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.artifacts import data_folder
from pipeline.errors import InputError
from pipeline.address import store

os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
os.environ.setdefault("GIT_PYTHON_REFRESH", "quiet")
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # of a few megabytes

import mlflow
from mlflow.entities import Metric, Param, RunStatus
from mlflow.exceptions import MlflowException

if TYPE_CHECKING:
    import pandas as pd

EXPERIMENT = "convtext"
KIND = {"mlflow.experimentKind": "custom_model_development"}  # the pages for training, not for chats
for chatty in ("mlflow", "alembic"):
    logging.getLogger(chatty).setLevel(logging.WARNING)


class Run:
    """A run that is under way."""

    def __init__(self, api: mlflow.MlflowClient, run_id: str) -> None:
        self._api = api
        self.id = run_id

    def log_metrics(self, metrics: dict[str, float], epoch: int = 0) -> None:
        now = int(time.time() * 1000)
        entries = [Metric(name, float(value), now, epoch) for name, value in metrics.items()]
        with _not_fatal():
            self._api.log_batch(self.id, metrics=entries)

    def adopt(self, runs: Iterable[str]) -> None:
        """Show the runs of these ids below this one."""
        with _not_fatal():
            for run in runs:
                self._api.set_tag(run, "mlflow.parentRunId", self.id)

    def tag(self, name: str, value: str) -> None:
        with _not_fatal():
            self._api.set_tag(self.id, name, value)

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """A table that MLflow's pages show as such: the artifact <name>.json, in MLflow's table format."""
        with _not_fatal():
            self._api.log_table(self.id, frame, f"{name}.json")

    def log(self, path: Path, folder: str | None = None) -> None:
        """A file, or what is in a folder."""
        with _not_fatal():
            if path.is_dir():
                self._api.log_artifacts(self.id, str(path), folder)
            else:
                self._api.log_artifact(self.id, str(path), folder)


@contextmanager
def new_run(name: str, options: dict[str, Any], tags: dict[str, str]) -> Iterator[Run]:
    """A new run with its parameters (nested keys joined by dots) and tags; marked failed or killed if the
    block ends so."""
    api, experiment = client()
    tags = {"mlflow.runName": name, "mlflow.source.name": "make train"} | _environment() | tags
    parameters = [Param(key, str(value)[:6000]) for key, value in _flat(options).items()]
    try:
        run = api.create_run(experiment, tags=tags)
        api.log_batch(run.info.run_id, params=parameters)
    except MlflowException as error:
        raise InputError(f"the tracking store {store()} cannot be used: {error}") from error
    with _ending(api, run.info.run_id):
        yield Run(api, run.info.run_id)


@contextmanager
def resumed_run(run_id: str) -> Iterator[Run]:
    """The run that `train` began, for `evaluate` to finish."""
    api, _ = client()
    try:
        api.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
    except MlflowException as error:
        raise InputError(
            f"run {run_id} is not in {store()}: the tracking store was changed or emptied since training; "
            "set MLFLOW_TRACKING_URI as it was, or train again"
        ) from error
    with _ending(api, run_id):
        yield Run(api, run_id)


def serve(port: int) -> None:
    """Replace this process by MLflow's server on the store, on the loopback address only."""
    client()
    uri = store()
    if uri.startswith("http"):
        print(f"The runs are at {uri}")
        return
    print(f"The runs are at http://127.0.0.1:{port} (Ctrl-C ends it; they are kept in {uri})", flush=True)
    command = [sys.executable, "-m", "mlflow", "server", "--backend-store-uri", uri]
    command += ["--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    os.execv(sys.executable, command)


@contextmanager
def _ending(api: mlflow.MlflowClient, run_id: str) -> Iterator[None]:
    status = RunStatus.FAILED
    try:
        yield
        status = RunStatus.FINISHED
    except KeyboardInterrupt:
        status = RunStatus.KILLED
        raise
    finally:
        with _not_fatal():
            api.set_terminated(run_id, RunStatus.to_string(status))


@contextmanager
def _not_fatal() -> Iterator[None]:
    """A store that fails half-way costs its record, not the training."""
    try:
        yield
    except MlflowException as error:
        print(f"convtext: not tracked in {store()}: {str(error).splitlines()[0]}", file=sys.stderr)


def client() -> tuple[mlflow.MlflowClient, str]:
    """MLflow's client of the store, and the id of the experiment in it. Raises InputError."""
    uri = store()
    if not os.environ.get("MLFLOW_TRACKING_URI"):
        _create_local_store((data_folder() / "tracking").resolve())
    try:
        api = mlflow.MlflowClient(tracking_uri=uri)
        experiment = api.get_experiment_by_name(EXPERIMENT)
        return api, experiment.experiment_id if experiment else api.create_experiment(EXPERIMENT, tags=KIND)
    except MlflowException as error:
        raise InputError(f"the tracking store {uri} cannot be used: {error}") from error


def _create_local_store(folder: Path) -> None:
    """Create the store under another name and link it to its own: two processes that begin at once would
    both create its tables, and MLflow bears that badly."""
    if (folder / "mlflow.db").exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        fresh = Path(scratch) / "mlflow.db"
        api = mlflow.MlflowClient(tracking_uri=f"sqlite:///{fresh}")
        api.create_experiment(EXPERIMENT, (folder / "artifacts").as_uri(), tags=KIND)
        with suppress(FileExistsError):
            os.link(fresh, folder / "mlflow.db")


def _environment() -> dict[str, str]:
    packages = ("tensorflow", "tensorflow-cpu", "keras", "numpy")
    versions = {f"version.{name}": found for name in packages if (found := _version(name))}
    commit = _git("rev-parse", "HEAD")
    dirty = "yes" if _git("status", "--porcelain", "--untracked-files=no") else "no"
    source = {"mlflow.source.git.commit": commit, "git.dirty": dirty} if commit else {}
    return versions | source | {"version.python": platform.python_version(), "cores": str(os.cpu_count())}


def _version(package: str) -> str:
    try:
        return version(package)
    except ImportError:
        return ""


def _git(*arguments: str) -> str:
    """What git says of this checkout; nothing where there is no git or no checkout."""
    try:
        command = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in options.items():
        # Keys that a user invented, such as labels, may hold what MLflow does not take as a name.
        nested = isinstance(value, dict) and all(name.isidentifier() for name in value)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat
