"""The entries of a run as calls of MLflow's, made at once or later from a journal."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import (
    Dataset,
    DatasetInput,
    InputTag,
    LoggedModelOutput,
    LoggedModelStatus,
    Metric,
    Param,
    RunStatus,
    RunTag,
)
from mlflow.exceptions import MlflowException

from ..artifacts import MODEL_CARD, checked_id
from ..errors import InputError, StoreUnreachable
from ..files import exclusive
from ..terminal import say
from . import location, store
from .journal import Entry, Journal, unsent_journal, unsent_journals

TABLES_TAG = "mlflow.loggedArtifacts"  # by which MLflow's pages know tables
PARENT_TAG = "mlflow.parentRunId"
NOTE_TAG = "mlflow.note.content"  # the text at the head of a page
LOCAL_ID_TAG = "local_id"  # of a run that was sent: its id before


class SendResult(NamedTuple):
    """The outcome of sending one run, as a line for people."""

    message: str
    is_sent: bool


def apply(client: MlflowClient, run_id: str, entry: Entry) -> None:
    """Make the call that an entry stands for. What MLflow refuses as invalid is reported and left out."""
    try:
        _call(client, run_id, entry)
    except MlflowException as error:
        if error.error_code != "INVALID_PARAMETER_VALUE":
            raise
        say(f"convtext: not tracked: {store.reason(error)}", sys.stderr)


def _call(client: MlflowClient, run_id: str, entry: Entry) -> None:  # noqa: C901  # a table of cases
    match entry:
        case {"do": "begin"}:
            pass  # the run exists
        case {"do": "params", "values": dict(values)}:
            client.log_batch(run_id, params=[Param(*item) for item in values.items()])
        case {"do": "metrics", "values": dict(values), "time": int(time), "step": int(step)}:
            client.log_batch(run_id, metrics=[Metric(*item, time, step) for item in values.items()])
        case {"do": "tags", "values": dict(values)}:
            client.log_batch(run_id, tags=[RunTag(*item) for item in values.items()])
        case {"do": "inputs", "values": list(data_sets)}:
            client.log_inputs(run_id, datasets=[_data_set(**fields) for fields in data_sets])
        case {"do": "files", "path": str(path), "folder": (str() | None) as folder}:
            client.log_artifact(run_id, path, folder)
        case {"do": "text", "text": str(text), "name": str(name)}:
            client.log_text(run_id, text, name)
        case {"do": "table", "name": str(name), "text": str(text)}:
            _log_table(client, run_id, name, text)
        case {"do": "model", "path": str(path)}:
            _log_model(client, run_id, Path(path))
        case {"do": "adopt", "runs": list(children)}:
            _adopt(client, run_id, children)
        case {"do": "end", "status": str(status), "time": int(time)}:
            client.set_terminated(run_id, status, time)
        case _:
            raise InputError(f"entry {entry.get('do')!r} of run {run_id} is unknown or damaged")


def _log_table(client: MlflowClient, run_id: str, name: str, text: str) -> None:
    """Log a table. MLflow's own `log_table` would append to the table of an earlier `evaluate`."""
    client.log_text(run_id, text, name)
    tables = json.loads(client.get_run(run_id).data.tags.get(TABLES_TAG, "[]"))
    table = {"path": name, "type": "table"}
    earlier = [known for known in tables if known != table]
    client.set_tag(run_id, TABLES_TAG, json.dumps([*earlier, table]))


def _log_model(client: MlflowClient, run_id: str, folder: Path) -> None:
    """Log a packed model. MLflow's own `log_model` would load it to try its example, which takes seconds."""
    from mlflow.models import Model  # not at the top: nothing else needs the second that it takes

    run = client.get_run(run_id)
    card = folder / MODEL_CARD
    note = {NOTE_TAG: _without_front_matter(card.read_text("utf-8"))} if card.exists() else {}
    model = client.create_logged_model(
        run.info.experiment_id, "model", run_id, tags=note, params=run.data.params
    )
    description = Model.load(str(folder))
    description.run_id, description.model_id = run_id, model.model_id
    description.save(str(folder / "MLmodel"))
    client.log_model_artifacts(model.model_id, str(folder))
    client.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])


def _without_front_matter(card: str) -> str:
    """Return a model card without the YAML at its head, which MLflow's pages would show as text."""
    return card.removeprefix("---\n").partition("\n---\n")[2].lstrip("\n")


def _adopt(client: MlflowClient, run_id: str, children: list[str]) -> None:
    """Make this run the parent of others, which may be unsent."""
    experiment = client.get_run(run_id).info.experiment_id
    for child in children:
        if stored := stored_run_id(client, experiment, child):
            client.set_tag(stored, PARENT_TAG, run_id)
        elif unsent_journal(child).exists():
            unsent_journal(child).append({"do": "tags", "values": {PARENT_TAG: run_id}})


def _data_set(context: str, **fields: str) -> DatasetInput:
    return DatasetInput(Dataset(**fields), tags=[InputTag("mlflow.data.context", context)])


def stored_run_id(client: MlflowClient, experiment: str, run_id: str) -> str | None:
    """Return the store's id of a run: the same, or that of the run as which it was sent."""
    if not checked_id(run_id).startswith("local-"):
        try:
            return store.answered_id(client.get_run(run_id).info.run_id)
        except MlflowException as error:
            if store.is_temporary(error):
                raise
    sent = client.search_runs([experiment], f"tags.{LOCAL_ID_TAG} = '{run_id}'", max_results=1)
    return store.answered_id(sent[0].info.run_id) if sent else None


def send() -> Iterator[SendResult]:
    """Replay the journals in the store, and remove those that are sent.

    Raises InputError if the store cannot be used.
    """
    client, experiment = store.connect()
    with ExitStack() as stack:
        locked: list[Journal] = []
        for journal in unsent_journals():
            try:
                stack.enter_context(exclusive(location.lock_file(journal.run_id), wait=False))
                locked.append(journal)
            except BlockingIOError:
                yield SendResult(f"{journal.run_id} is still under way", False)
            except InputError as error:
                yield _not_sent(journal, error)
        stored_ids: dict[str, str] = {}  # all of them first: one run may be another's parent
        for journal in locked:
            try:
                stored_ids[journal.run_id] = _create_run(client, experiment, journal)
            except Exception as error:
                yield _not_sent(journal, error)
        for journal in locked:
            if stored := stored_ids.get(journal.run_id):
                try:
                    _replay(client, stored, journal.entries())
                except Exception as error:
                    yield _not_sent(journal, error)
                    continue
                journal.remove()
                yield SendResult(f"{journal.run_id} is sent, as {stored}", True)


def _not_sent(journal: Journal, error: Exception) -> SendResult:
    """Return why a run is not sent. Raises StoreUnreachable where no other run will be sent either."""
    cause = store.input_error(error)
    # Anything else that a server's answer, or this journal, has caused may be this run's alone.
    is_known = isinstance(error, (InputError, *store.STORE_ERRORS))
    if is_known and isinstance(cause, StoreUnreachable):
        raise cause from error
    reason = error if isinstance(error, InputError) else store.reason(error)
    return SendResult(f"{journal.run_id} is not sent: {reason}", False)


def _create_run(client: MlflowClient, experiment: str, journal: Journal) -> str:
    """Return the store's id of the run, which is created unless the store has it."""
    if stored := stored_run_id(client, experiment, journal.run_id):
        return stored
    match journal.entries()[0]:
        case {"do": "begin", "tags": dict(tags), "time": int(time)}:
            created = client.create_run(experiment, time, tags | {LOCAL_ID_TAG: journal.run_id})
            return store.answered_id(created.info.run_id)
    raise InputError(f"{journal.folder} does not begin with a run: remove it")


def _replay(client: MlflowClient, run_id: str, entries: list[Entry]) -> None:
    for entry in entries:
        apply(client, run_id, entry)
    # A run may be tagged after its end; if it has none, its process was killed.
    calls = [entry["do"] for entry in entries if entry["do"] != "tags"]
    if calls[-1:] != ["end"]:
        client.set_terminated(run_id, RunStatus.to_string(RunStatus.KILLED))
