"""Runs under way in MLflow: one run for each train-and-evaluate.

How a record travels: the stage calls a method of its `Run`, which turns it into an entry, one call of
MLflow's as JSON. A thread hands the entries in order to the writer process, which has MLflow imported and
writes them to the store, so that neither MLflow's import nor a slow store holds up a stage. If the store
fails, this costs its record, not the training: from then on the run writes its entries to a journal in
data/tracking/unsent/, which `send` replays.
"""

from __future__ import annotations

import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import InputError, StoreUnreachable
from ..files import exclusive
from ..terminal import say
from . import location
from .journal import Entry, unsent_journal
from .locks import record_holder
from .provenance import environment
from .writer_client import WriterClient, writer

if TYPE_CHECKING:
    import pandas as pd

MAX_PARAMETER_CHARACTERS = 6000  # MLflow's limit


class Run:
    """A run that is under way. Its methods return at once; the entries are written in order meanwhile."""

    def __init__(self, local_id: str, begin: Entry) -> None:
        """Begin or resume a run; `local_id` names it until a store assigns an id."""
        self._id, self._tags, self._journal = local_id, begin.get("tags", {}), unsent_journal(local_id)
        self._writer = writer()
        self._lock = ExitStack()
        self._written = [self._writer.submit(self._begin, begin)]

    @property
    def id(self) -> str:
        """The id in MLflow, or the local one while the run is unsent.

        Waits until the run has begun. Raises InputError if the store cannot be used.
        """
        self._written[0].result()
        return self._id

    def log_metrics(self, metrics: dict[str, float], epoch: int = 0) -> None:
        values = {name: float(value) for name, value in metrics.items()}
        self.record(do="metrics", values=values, step=epoch, time=_now())

    def adopt(self, runs: Iterable[str]) -> None:
        """Show the runs of these ids below this one."""
        self.record(do="adopt", runs=list(runs))

    def tag(self, name: str, value: str) -> None:
        self.record(do="tags", values={name: value})

    def describe(self, markdown: str) -> None:
        """Set the text at the head of the run's page."""
        self.tag("mlflow.note.content", markdown)

    def log_data(self, data_sets: list[dict[str, str]]) -> None:
        """Log the data sets that the run learns from and is tested on, as `provenance.data_sets` has them."""
        self.record(do="inputs", values=data_sets)

    def log_table(self, name: str, table: pd.DataFrame) -> None:
        """Log a table that MLflow's pages show as such: the artifact <name>.json."""
        text = table.to_json(orient="split", index=False, date_format="iso")
        self.record(do="table", name=f"{name}.json", text=text)

    def log_text(self, name: str, text: str) -> None:
        """Log an artifact of this content."""
        self.record(do="text", name=name, text=text)

    def log_file(self, path: Path, folder: str | None = None) -> None:
        """Log a file, which must stay as it is until the run ends."""
        self.record(do="files", path=str(path), folder=folder)

    def log_model(self, folder: Path) -> None:
        """Log the classifier of a data/build/<corpus>/<model> as an MLflow model."""
        self._written.append(self._writer.submit(self._pack, folder))

    def record(self, **entry: Any) -> None:
        """Have an entry written, as `mlflow_calls` knows them."""
        self._written.append(self._writer.submit(self._write, entry))

    def wait(self) -> None:
        """Wait until all is written.

        Raises InputError if the store cannot be used, OSError if not even the journal could be written.
        """
        for written in self._written:
            written.result()

    def check(self) -> None:
        """Raise what `wait` would, of what is known by now."""
        for written in self._written:
            if written.done():
                written.result()

    def end(self, status: str) -> None:
        """End the run. Raises as `wait` does.

        If the end is not recorded, the lock's file stays, so that the next to open the store marks the run.
        """
        with self._lock:
            self.record(do="end", status=status, time=_now())
            self.wait()

    def _begin(self, begin: Entry) -> None:
        if begin["do"] == "resume":  # by one process at a time; `send` is another
            lock = self._lock.enter_context(exclusive(location.lock_file(self._id)))
        if not self._journal.exists():
            try:
                begun = self._writer.ask(begin)
                self._id, self._tags = begun["run"], begun["tags"]
                self._journal = unsent_journal(self._id)
            except InputError as error:
                # If the stage has a run in the store, it was usable and has broken: that stops no stage.
                if not isinstance(error, StoreUnreachable) and not self._writer.has_begun_a_run:
                    raise
                self._start_journal(error)
            self._writer.has_begun_a_run = True
        if begin["do"] == "begin":
            lock = self._lock.enter_context(exclusive(location.lock_file(self._id)))
        record_holder(lock, location.store_fingerprint(), self._id)

    def _write(self, entry: Entry) -> None:
        """Write an entry into the store, or into the journal once the store has failed."""
        run_id = self.id
        if not self._journal.exists():
            try:
                self._writer.ask(entry | {"run": run_id})
                if entry["do"] == "tags":
                    self._tags |= entry["values"]
                return
            except InputError as error:
                self._start_journal(error)
        self._journal.append(entry)

    def _start_journal(self, error: InputError) -> None:
        self._journal.append({"do": "begin", "tags": self._tags, "time": _now()})
        folder = self._journal.folder
        say(f"convtext: {error}; the run is kept in {folder}: `make send` sends it", sys.stderr)

    def _pack(self, folder: Path) -> None:
        with TemporaryDirectory() as scratch:
            packed = str(Path(scratch, "model"))
            request = {"do": "pack", "folder": str(folder), "place": packed}
            try:
                self._writer.ask(request)
            except StoreUnreachable:  # packing needs no store, but a process that lives
                self._writer.give_up()
                WriterClient().ask(request)
            self._write({"do": "model", "path": packed})


def description(command: str, result: str) -> str:
    """Return the head of a run's page as Markdown: the result, and the command that repeats it."""
    return f"{result}\n\nTo repeat it:\n```\n{command}\n```\n"


@contextmanager
def new_run(name: str, options: dict[str, Any], tags: dict[str, str]) -> Iterator[Run]:
    """Begin a run with its parameters (nested keys joined by dots) and tags.

    It is marked failed or killed if the block ends so.
    """
    tags = {"mlflow.runName": name, "mlflow.source.name": "make train"} | tags | environment()
    parameters = {key: str(value)[:MAX_PARAMETER_CHARACTERS] for key, value in _flat(options).items()}
    begin = {"do": "begin", "tags": tags, "time": _now()}
    with _ending(Run(f"local-{uuid.uuid4().hex}", begin)) as run:
        run.record(do="params", values=parameters)
        yield run


@contextmanager
def resumed_run(run_id: str) -> Iterator[Run]:
    """Resume the run that `train` began, for `evaluate` to finish."""
    with _ending(Run(run_id, {"do": "resume", "run": run_id})) as run:
        yield run


@contextmanager
def _ending(run: Run) -> Iterator[Run]:
    status = "FAILED"
    try:
        yield run
        status = "FINISHED"
    except KeyboardInterrupt:
        status = "KILLED"
        raise
    finally:
        run.end(status)


def _now() -> int:
    """Return the time in milliseconds, as MLflow has it."""
    return int(time.time() * 1000)


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in options.items():
        # Keys that a user invented, such as labels, may hold characters that MLflow does not allow in names.
        nested = isinstance(value, dict) and all(name.isidentifier() for name in value)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat
