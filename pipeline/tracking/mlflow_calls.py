"""What is recorded of a run, as calls of MLflow's: at once, or later from a journal in
data/tracking/unsent/."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

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

from ..errors import InputError, StoreUnreachable
from ..files import exclusive
from . import location, store
from .journal import Entry, Journal, all_unsent, unsent

TABLES = "mlflow.loggedArtifacts"  # the tag by which MLflow's pages know tables
LOCAL_ID = "local_id"  # the tag of a run that was sent: what it was called before


def apply(api: MlflowClient, run: str, entry: Entry) -> None:
    """The call of MLflow's that an entry stands for. What MLflow refuses is said, and not tracked."""
    try:
        _call(api, run, entry)
    except MlflowException as error:
        if error.error_code != "INVALID_PARAMETER_VALUE":
            raise
        print(f"convtext: not tracked: {store.reason(error)}", file=sys.stderr)


def _call(api: MlflowClient, run: str, entry: Entry) -> None:
    match entry["do"]:
        case "params":
            api.log_batch(run, params=[Param(*one) for one in entry["values"].items()])
        case "metrics":
            when = entry["time"], entry["step"]
            api.log_batch(run, metrics=[Metric(*one, *when) for one in entry["values"].items()])
        case "tags":
            api.log_batch(run, tags=[RunTag(*one) for one in entry["values"].items()])
        case "inputs":
            api.log_inputs(run, datasets=[_data_set(**one) for one in entry["values"]])
        case "files":
            api.log_artifact(run, entry["path"], entry["folder"])
        case "text":
            api.log_text(run, entry["text"], entry["name"])
        case "table":
            _log_table(api, run, entry["name"], entry["text"])
        case "model":
            _log_model(api, run, Path(entry["path"]))
        case "adopt":
            experiment = api.get_run(run).info.experiment_id
            for child in entry["runs"]:
                if found := counterpart(api, experiment, child):
                    api.set_tag(found, "mlflow.parentRunId", run)
                elif unsent(child).exists():
                    unsent(child).append({"do": "tags", "values": {"mlflow.parentRunId": run}})
        case "end":
            api.set_terminated(run, entry["status"], entry["time"])


def _log_table(api: MlflowClient, run: str, name: str, text: str) -> None:
    """Not by MLflow's `log_table`, which appends to the table of an earlier `evaluate`."""
    api.log_text(run, text, name)
    known = json.loads(api.get_run(run).data.tags.get(TABLES, "[]"))
    entry = {"path": name, "type": "table"}
    api.set_tag(run, TABLES, json.dumps([one for one in known if one != entry] + [entry]))


def _log_model(api: MlflowClient, run_id: str, folder: Path) -> None:
    """Not by MLflow's `log_model`, which loads what it wrote to try the example on it: seconds, in which the
    model's copy of the loops is compiled."""
    from mlflow.models import Model  # here, as nothing else needs the second that it takes

    run = api.get_run(run_id)
    model = api.create_logged_model(run.info.experiment_id, "model", run_id, params=run.data.params)
    description = Model.load(str(folder))
    description.run_id, description.model_id = run_id, model.model_id
    description.save(str(folder / "MLmodel"))
    api.log_model_artifacts(model.model_id, str(folder))
    api.finalize_logged_model(model.model_id, LoggedModelStatus.READY)
    api.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])


def _data_set(context: str, **fields: str) -> DatasetInput:
    return DatasetInput(Dataset(**fields), tags=[InputTag("mlflow.data.context", context)])


def counterpart(api: MlflowClient, experiment: str, run_id: str) -> str | None:
    """The store's id of a run: the same, or that of the run as which it was sent."""
    if not run_id.startswith("local-"):
        try:
            return str(api.get_run(run_id).info.run_id)
        except MlflowException as error:
            if store.is_temporary(error):
                raise
    found = api.search_runs([experiment], f"tags.{LOCAL_ID} = '{run_id}'", max_results=1)
    return str(found[0].info.run_id) if found else None


def send() -> Iterator[tuple[str, bool]]:
    """Replay the journals in the store; says of each run what became of it, and whether it is sent. Raises
    InputError where the store cannot be used."""
    api, experiment = store.client()
    with ExitStack() as stack:
        held: list[Journal] = []
        for journal in all_unsent():
            try:
                stack.enter_context(exclusive(location.running() / journal.run, wait=False))
                held.append(journal)
            except BlockingIOError:
                yield f"{journal.run} is still under way", False
        created: dict[str, str] = {}  # all of them first: one may be another's parent
        for journal in held:
            try:
                created[journal.run] = _in_store(api, experiment, journal)
            except (InputError, *store.FAULTS) as error:
                yield _refused(journal, error), False
        for journal in held:
            if run := created.get(journal.run):
                try:
                    _replay(api, run, journal.entries())
                except (InputError, *store.FAULTS) as error:
                    yield _refused(journal, error), False
                    continue
                journal.remove()
                yield f"{journal.run} is sent, as {run}", True


def _refused(journal: Journal, error: Exception) -> str:
    """Why it is not sent. Raises StoreUnreachable where no other will be."""
    found = store.unusable(error)
    if isinstance(found, StoreUnreachable):
        raise found from error
    return f"{journal.run} is not sent: {error if isinstance(error, InputError) else store.reason(error)}"


def _in_store(api: MlflowClient, experiment: str, journal: Journal) -> str:
    """The store's id of the run, which begins there if it has not."""
    if found := counterpart(api, experiment, journal.run):
        return found
    begin = journal.entries()[0]
    tags = begin["tags"] | {LOCAL_ID: journal.run}
    return str(api.create_run(experiment, start_time=begin["time"], tags=tags).info.run_id)


def _replay(api: MlflowClient, run: str, entries: list[Entry]) -> None:
    for entry in entries:
        apply(api, run, entry)
    # What ended may be tagged afterwards.
    if [one["do"] for one in entries if one["do"] != "tags"][-1:] != ["end"]:
        api.set_terminated(run, RunStatus.to_string(RunStatus.KILLED))
