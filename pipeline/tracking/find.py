"""Runs that are tracked in MLflow, found by whatever a person calls them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mlflow
from mlflow.exceptions import MlflowException

from ..errors import InputError
from . import location, store
from .mlflow_calls import counterpart

ID = re.compile(r"[0-9a-f]{32}")
LATEST = 1000  # runs, among which one is looked for by the beginning of its id


@dataclass(frozen=True)
class RunRecord:
    """`parameters` and `metrics` by name, the metrics' last values."""

    id: str
    name: str
    parameters: dict[str, str]
    metrics: dict[str, float]


def find(called: str) -> RunRecord:
    """The run of an id, of the beginning of one, or of a name; of several of one name the last. Raises
    InputError where there is none, or where several ids begin so."""
    api, experiment = store.client()
    quoted = called.replace("\\", "\\\\").replace("'", "\\'")
    with in_use():
        if ID.fullmatch(called):
            with suppress(MlflowException):  # it may be a name after all
                return _record(api.get_run(called))
        named = api.search_runs([experiment], f"attributes.run_name = '{quoted}'", max_results=1)
        if named:
            return _record(named[0])
        latest = api.search_runs([experiment], max_results=LATEST)
    found = [run for run in latest if called and run.info.run_id.startswith(called)]
    if len(found) > 1:
        raise InputError(f"RUNS: {len(found)} runs begin with {called!r}: give more of the id")
    if not found:
        raise InputError(
            f"RUNS: no run {called!r} in {location.shown()}: name it by its id, by the id's first digits, by "
            "its name or by its folder in data/build"
        )
    return _record(found[0])


def artifact(run_id: str, name: str, folder: Path) -> Path:
    """A copy of one artifact in `folder`. Raises InputError where the run has none of that name."""
    try:
        found = mlflow.artifacts.download_artifacts(
            run_id=run_id, artifact_path=name, dst_path=str(folder), tracking_uri=location.store()
        )
    except (MlflowException, OSError) as error:
        raise InputError(
            f"run {run_id} has no {name} in {location.shown()}: finish it by `make train`"
        ) from error
    return Path(found)


def in_store(run_id: str) -> str:
    """The store's id of a run that `train` began, which may have been sent later under another one. Raises
    InputError where it is not there."""
    api, experiment = store.client()
    with in_use():
        found = counterpart(api, experiment, run_id)
    if found is None:
        raise InputError(
            f"run {run_id} is not in {location.shown()}: `make send` sends it, if it was kept here"
        )
    return found


@contextmanager
def in_use() -> Iterator[None]:
    """What MLflow raises of the store becomes an InputError that names it."""
    try:
        yield
    except store.FAULTS as error:
        raise store.unusable(error) from error


def _record(run: Any) -> RunRecord:
    return RunRecord(run.info.run_id, run.info.run_name, dict(run.data.params), dict(run.data.metrics))
