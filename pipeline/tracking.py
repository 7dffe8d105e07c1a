"""The runs in MLflow: one run for each train-and-evaluate.

A store that fails costs its record, not the training: from then on the run is written to a journal in
data/tracking/unsent/, which `send` replays.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mlflow import MlflowClient
from mlflow.entities import RunStatus
from mlflow.exceptions import MlflowException

from pipeline import address, store
from pipeline.errors import InputError
from pipeline.journal import Entry
from pipeline.provenance import environment
from pipeline.replay import apply, counterpart, unsent
from pipeline.running import under_way
from pipeline.store import client

if TYPE_CHECKING:
    import pandas as pd

TABLES = "mlflow.loggedArtifacts"  # the tag by which MLflow's pages know tables
LONGEST = 6000  # characters of a parameter that MLflow takes


class Run:
    """A run that is under way. Its `id` is MLflow's, or one of our own while the run is unsent.

    What is recorded is written in order by a thread of its own: a slow store does not hold up the training.
    """

    def __init__(self, run_id: str, api: MlflowClient | None, tags: dict[str, str]) -> None:
        self.id = run_id
        self.tags = tags
        self._api = api
        self._journal = unsent(run_id)
        self._writer = ThreadPoolExecutor(1, "tracking")
        self._written: list[Future[None]] = []

    def log_metrics(self, metrics: dict[str, float], epoch: int = 0) -> None:
        values = {name: float(value) for name, value in metrics.items()}
        self.record(do="metrics", values=values, step=epoch, time=_now())

    def adopt(self, runs: Iterable[str]) -> None:
        """Show the runs of these ids below this one."""
        self.record(do="adopt", runs=list(runs))

    def tag(self, name: str, value: str) -> None:
        self.tags[name] = value
        self.record(do="tags", values={name: value}).result()

    def describe(self, markdown: str) -> None:
        """What stands at the head of the run's page."""
        self.tag("mlflow.note.content", markdown)

    def data(self, data_sets: list[dict[str, str]]) -> None:
        """What it learns from and is tested on, as `provenance.data_sets` has it."""
        self.record(do="inputs", values=data_sets)

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """A table that MLflow's pages show as such: the artifact <name>.json."""
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / f"{name}.json"
            frame.to_json(path, orient="split", index=False, date_format="iso")
            self.log(path)
        known = json.loads(self.tags.get(TABLES, "[]"))
        entry = {"path": path.name, "type": "table"}
        self.tag(TABLES, json.dumps([one for one in known if one != entry] + [entry]))

    def log(self, path: Path, folder: str | None = None) -> None:
        """A file, or what is in a folder; it may change or go afterwards."""
        self.record(do="files", path=str(path), folder=folder).result()

    def model(self, path: Path) -> None:
        """An MLflow model, as `mlflow_model` saves it, as the run's own."""
        self.record(do="model", path=str(path)).result()

    def record(self, **entry: Any) -> Future[None]:
        """An entry, as `replay` knows them; the future is done when it is written."""
        self._written.append(self._writer.submit(self._write, entry))
        return self._written[-1]

    def finish(self) -> None:
        """Wait until all is written. Raises OSError where not even the journal could be."""
        for one in self._written:
            one.result()

    def _write(self, entry: Entry) -> None:
        """Into the store; into the journal once that has failed."""
        if self._api and not self._journal.exists():
            try:
                apply(self._api, self.id, entry)
                return
            except (MlflowException, OSError) as error:
                self.keep(store.unusable(error))
        self._journal.append(entry)

    def keep(self, error: InputError) -> None:
        """Write the journal from now on, and say so; where there is one already, that was said."""
        if not self._journal.exists():
            self._journal.append({"do": "begin", "tags": self.tags, "time": _now()})
            where = self._journal.folder
            print(f"convtext: {error}; the run is kept in {where}: `make send` sends it", file=sys.stderr)


def description(command: str, result: str) -> str:
    """The head of a run's page, Markdown: what came out, and the command that repeats it."""
    return f"{result}\n\nTo repeat it:\n```\n{command}\n```\n"


@contextmanager
def new_run(name: str, options: dict[str, Any], tags: dict[str, str]) -> Iterator[Run]:
    """A new run with its parameters (nested keys joined by dots) and tags; marked failed or killed if the
    block ends so."""
    tags = {"mlflow.runName": name, "mlflow.source.name": "make train"} | tags | environment()

    def begin(api: MlflowClient, experiment: str) -> Run:
        return Run(api.create_run(experiment, tags=tags).info.run_id, api, tags)

    run = _begun(begin, Run(f"local-{uuid.uuid4().hex}", None, tags))
    with _ending(run):
        run.record(do="params", values={key: str(value)[:LONGEST] for key, value in _flat(options).items()})
        yield run


@contextmanager
def resumed_run(run_id: str) -> Iterator[Run]:
    """The run that `train` began, for `evaluate` to finish."""

    def begin(api: MlflowClient, experiment: str) -> Run:
        found = counterpart(api, experiment, run_id)
        if found is None:
            raise InputError(
                f"run {run_id} is not in {address.shown()}: the tracking store was changed or emptied since "
                "training; set MLFLOW_TRACKING_URI as it was, or train again"
            )
        api.update_run(found, status=RunStatus.to_string(RunStatus.RUNNING))
        return Run(found, api, api.get_run(found).data.tags)

    unsent_run = Run(run_id, None, {})
    run = unsent_run if unsent(run_id).exists() else _begun(begin, unsent_run)
    with _ending(run):
        yield run


def _begun(begin: Callable[[MlflowClient, str], Run], unsent_run: Run) -> Run:
    """The run in the store, or the unsent one where no server answers."""
    try:
        try:
            return begin(*client())
        except MlflowException as error:
            raise store.unusable(error) from error
    except store.StoreUnreachable as error:
        unsent_run.keep(error)
        return unsent_run


@contextmanager
def _ending(run: Run) -> Iterator[None]:
    status = RunStatus.FAILED
    with under_way(address.folder() / "running", run.id, address.store()):
        try:
            yield
            status = RunStatus.FINISHED
        except KeyboardInterrupt:
            status = RunStatus.KILLED
            raise
        finally:
            run.record(do="end", status=RunStatus.to_string(status), time=_now())
            run.finish()


def _now() -> int:
    """Milliseconds, as MLflow has times."""
    return int(time.time() * 1000)


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in options.items():
        # Keys that a user invented, such as labels, may hold what MLflow does not take as a name.
        nested = isinstance(value, dict) and all(name.isidentifier() for name in value)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat


__all__ = ["Run", "client", "description", "new_run", "resumed_run"]
