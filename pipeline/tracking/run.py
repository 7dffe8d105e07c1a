"""The runs in MLflow: one run for each train-and-evaluate.

A process of its own, `recorder`, writes them, so that neither MLflow's import nor a slow store holds up a
stage. A store that fails costs its record, not the training: from then on the run is written to a journal
in data/tracking/unsent/, which `send` replays.
"""

from __future__ import annotations

import atexit
import json
import os
import subprocess
import sys
import time
import uuid
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from ..errors import InputError, StoreUnreachable
from ..files import exclusive
from . import location
from .journal import Entry, unsent
from .locks import note
from .provenance import environment

if TYPE_CHECKING:
    import pandas as pd

LONGEST = 6000  # characters of a parameter that MLflow takes


class Run:
    """A run that is under way. What is recorded is written in order, by a thread and the process behind it,
    while the stage goes on."""

    def __init__(self, unsent_id: str, begin: Entry) -> None:
        """`unsent_id` is what it is called while no store has it."""
        self._id, self._tags, self._journal = unsent_id, begin.get("tags", {}), unsent(unsent_id)
        self._recorder = _recorder(location.store(), location.folder())
        self._lock = ExitStack()
        self._written = [self._recorder.thread.submit(self._begin, begin)]

    @property
    def id(self) -> str:
        """MLflow's, or one of our own while the run is unsent. Waits until the run has begun; raises
        InputError where the store cannot be used."""
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
        """What stands at the head of the run's page."""
        self.tag("mlflow.note.content", markdown)

    def data(self, data_sets: list[dict[str, str]]) -> None:
        """What it learns from and is tested on, as `provenance.data_sets` has it."""
        self.record(do="inputs", values=data_sets)

    def table(self, name: str, frame: pd.DataFrame) -> None:
        """A table that MLflow's pages show as such: the artifact <name>.json."""
        text = frame.to_json(orient="split", index=False, date_format="iso")
        self.record(do="table", name=f"{name}.json", text=text)

    def text(self, name: str, text: str) -> None:
        """An artifact of this content."""
        self.record(do="text", name=name, text=text)

    def log(self, path: Path, folder: str | None = None) -> None:
        """A file, which stays as it is until the run ends."""
        self.record(do="files", path=str(path), folder=folder)

    def model(self, folder: Path) -> None:
        """The classifier of a data/build/<corpus>/<model>, as an MLflow model."""
        self._written.append(self._recorder.thread.submit(self._pack, folder))

    def record(self, **entry: Any) -> None:
        """An entry, as `replay` knows them."""
        self._written.append(self._recorder.thread.submit(self._write, entry))

    def wait(self) -> None:
        """Until all is written. Raises InputError where the store cannot be used, and OSError where not even
        the journal could be written."""
        for one in self._written:
            one.result()

    def end(self, status: str) -> None:
        """Raises as `wait` does."""
        self.record(do="end", status=status, time=_now())
        try:
            self.wait()
        except Exception:  # and no interrupt: of that the lock's file stays, so that the run is found dead
            self._lock.close()
            raise
        self._lock.close()

    def _begin(self, begin: Entry) -> None:
        if begin["do"] == "resume":  # by one process at a time; `send` is another
            file = self._lock.enter_context(exclusive(location.running() / self._id))
        if not self._journal.exists():
            try:
                begun = self._recorder.ask(begin)
                self._id, self._tags, self._journal = begun["run"], begun["tags"], unsent(begun["run"])
            except InputError as error:
                # A store that a run of this stage is in was usable: it has broken, and that costs no stage.
                if not isinstance(error, StoreUnreachable) and not self._recorder.has_begun:
                    raise
                self._keep(error)
            self._recorder.has_begun = True
        if begin["do"] == "begin":
            file = self._lock.enter_context(exclusive(location.running() / self._id))
        note(file, location.fingerprint(), self._id)

    def _write(self, entry: Entry) -> None:
        """Into the store; into the journal once that has failed."""
        run = self.id
        if not self._journal.exists():
            try:
                self._recorder.ask(entry | {"run": run})
                if entry["do"] == "tags":
                    self._tags |= entry["values"]
                return
            except InputError as error:
                self._keep(error)
        self._journal.append(entry)

    def _keep(self, error: InputError) -> None:
        """Write the journal from now on, and say so."""
        self._journal.append({"do": "begin", "tags": self._tags, "time": _now()})
        where = self._journal.folder
        print(f"convtext: {error}; the run is kept in {where}: `make send` sends it", file=sys.stderr)

    def _pack(self, folder: Path) -> None:
        with TemporaryDirectory() as scratch:
            packed = str(Path(scratch, "model"))
            asked = {"do": "pack", "folder": str(folder), "place": packed}
            try:
                self._recorder.ask(asked)
            except StoreUnreachable:
                _Recorder().ask(asked)  # it needs no store, but a process that lives
            self._write({"do": "model", "path": packed})


class _Recorder:
    """The process `recorder`: a line of JSON there, and one back. `thread` is who waits for that."""

    def __init__(self) -> None:
        self.thread = ThreadPoolExecutor(1, "tracking")
        found = (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH"))
        self._process = subprocess.Popen(
            [sys.executable, "-m", f"{__package__}.writer_process"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            env=os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, found))},
            process_group=0,  # the terminal's Ctrl-C is for the stage, which then has its end to record
        )
        atexit.register(self._process.communicate)  # it ends with its input
        self._failure = ""
        self.has_begun = False  # a run

    def ask(self, entry: Entry) -> dict[str, Any]:
        """Raises InputError where the store cannot be used, StoreUnreachable where it may be on another day.
        A store that could not be reached once is not tried again: that may take a minute each time."""
        if self._failure:
            raise StoreUnreachable(self._failure)
        sent, received = self._process.stdin, self._process.stdout
        assert sent and received
        line = ""
        with suppress(OSError):  # of a process that is gone
            sent.write(json.dumps(entry) + "\n")
            sent.flush()
            line = received.readline()
        gone = {"error": "the process that writes to the tracking store has ended", "unreachable": True}
        answer: dict[str, Any] = json.loads(line) if line else gone
        if "error" not in answer:
            return answer
        if not answer["unreachable"]:
            raise InputError(answer["error"])
        self._failure = answer["error"]
        raise StoreUnreachable(self._failure)


@cache
def _recorder(_store: str, _folder: Path) -> _Recorder:
    """One for all runs of a stage in the same store."""
    return _Recorder()


def start() -> None:
    """Have MLflow imported and the store opened while the stage does what comes before its run."""
    _recorder(location.store(), location.folder())


def description(command: str, result: str) -> str:
    """The head of a run's page, Markdown: what came out, and the command that repeats it."""
    return f"{result}\n\nTo repeat it:\n```\n{command}\n```\n"


@contextmanager
def new_run(name: str, options: dict[str, Any], tags: dict[str, str]) -> Iterator[Run]:
    """A new run with its parameters (nested keys joined by dots) and tags; marked failed or killed if the
    block ends so."""
    tags = {"mlflow.runName": name, "mlflow.source.name": "make train"} | tags | environment()
    parameters = {key: str(value)[:LONGEST] for key, value in _flat(options).items()}
    begin = {"do": "begin", "tags": tags, "time": _now()}
    with _ending(Run(f"local-{uuid.uuid4().hex}", begin)) as run:
        run.record(do="params", values=parameters)
        yield run


@contextmanager
def resumed_run(run_id: str) -> Iterator[Run]:
    """The run that `train` began, for `evaluate` to finish."""
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
    """Milliseconds, as MLflow has times."""
    return int(time.time() * 1000)


def _flat(options: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in options.items():
        # Keys that a user invented, such as labels, may hold what MLflow does not take as a name.
        nested = isinstance(value, dict) and all(name.isidentifier() for name in value)
        flat |= _flat(value, f"{prefix}{key}.") if nested else {prefix + key: value}
    return flat
