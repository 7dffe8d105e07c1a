"""Runs and a tracking server that is not always there."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pandas as pd
import pytest

from pipeline.__main__ import main
from pipeline.errors import StoreUnreachable
from pipeline.files import exclusive
from pipeline.tracking import mlflow_calls, store
from pipeline.tracking.journal import unsent_journal, unsent_journals
from pipeline.tracking.run import Run, new_run, resumed_run
from tests.tracking_server import Server, free_port

DATA = {"name": "mr", "digest": "a1", "source_type": "local", "source": "{}", "schema": "{}", "profile": "{}"}
# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = [
    pytest.mark.usefixtures("data_folder"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_run_begun_without_a_server_is_sent_as_a_new_one_and_can_be_finished(
    tracking_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with new_run("parent", {}, {}) as parent, new_run("child", {"network": {"windows": [3]}}, {}) as child:
        parent.adopt([child.id])
        child.log_metrics({"loss": 0.5}, 1)
    with resumed_run(child.id) as again:
        again.log_metrics({"test.accuracy": 0.75})
    printed = capsys.readouterr().err.splitlines()
    assert [f"kept in {tmp_path / 'tracking/unsent'}/{run.id}" in line for run, line in zip(
        (parent, child), printed, strict=True)] == [True, True]  # fmt: skip
    assert all("does not answer (connection refused)" in line and "`make send`" in line for line in printed)

    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    assert [sent for _, sent in mlflow_calls.send()] == [True, True]
    assert list((tmp_path / "tracking" / "unsent").iterdir()) == []
    with resumed_run(child.id) as again:
        assert again.id != child.id
    client = store.connect().client
    sent = client.get_run(again.id)
    assert sent.info.run_name == "child" and sent.info.status == "FINISHED"
    assert sent.data.params == {"network.windows": "[3]"}
    assert sent.data.metrics == {"loss": 0.5, "test.accuracy": 0.75}
    assert client.get_run(sent.data.tags["mlflow.parentRunId"]).info.run_name == "parent"


def test_a_server_that_dies_in_the_middle_costs_nothing_of_the_run(
    tracking_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    before, after = tmp_path / "before" / "curve.json", tmp_path / "after" / "curve.json"
    for path in (before, after):
        path.parent.mkdir()
        path.write_text(path.parent.name)
    with new_run("one", {}, {"corpus": "mr"}) as run:
        run.log_metrics({"loss": 0.5}, 1)
        run.log_file(before, "figures")
        run.wait()
        tracking_server.kill()
        run.log_metrics({"loss": 0.25}, 2)
        run.log_file(after, "figures")
        run.log_data([{"context": part} | DATA | {"digest": part} for part in ("training", "test")])
        run.log_table("mistakes", pd.DataFrame({"text": ["007", "Ü"], "probability": [0.5, 0.75]}))
        run.describe("**75 %**")
    assert capsys.readouterr().err.count("\n") == 1
    with pytest.raises(StoreUnreachable, match="does not answer"):
        list(mlflow_calls.send())
    tracking_server.start()

    assert list(mlflow_calls.send()) == [(f"{run.id} is sent, as {run.id}", True)]
    client = store.connect().client
    sent = client.get_run(run.id)
    assert sent.info.status == "FINISHED"
    assert [metric.value for metric in client.get_metric_history(run.id, "loss")] == [0.5, 0.25]
    assert [data_set.tags[0].value for data_set in sent.inputs.dataset_inputs] == ["training", "test"]
    assert sent.data.tags["mlflow.note.content"] == "**75 %**"
    assert json.loads(sent.data.tags["mlflow.loggedArtifacts"]) == [
        {"path": "mistakes.json", "type": "table"}
    ]
    kept = {path.name: path.read_text() for path in tracking_server.folder.rglob(f"{run.id}/**/*.json")}
    assert kept["curve.json"] == "after"
    assert json.loads(kept["mistakes.json"])["data"] == [["007", 0.5], ["Ü", 0.75]]
    assert list(mlflow_calls.send()) == []


def test_a_run_is_sent_or_finished_and_not_both_at_once(tmp_path: Path) -> None:
    unsent_journal("local-1").append({"do": "begin", "tags": {}, "time": 1_700_000_000_000})
    with exclusive(tmp_path / "tracking" / "running" / "local-1"):  # as another `send` has it
        assert list(mlflow_calls.send()) == [("local-1 is still under way", False)]
        run = Run("local-1", {"do": "resume", "run": "local-1"})
        run.log_metrics({"loss": 0.5})
        time.sleep(0.5)
        assert len(unsent_journal("local-1").entries()) == 1
    run.end("FINISHED")
    assert [entry["do"] for entry in unsent_journal("local-1").entries()] == ["begin", "metrics", "end"]


def test_a_process_that_is_killed_without_a_server_leaves_a_run_that_is_sent_as_killed(
    tracking_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = unsent_journal("local-1")
    kept.append({"do": "begin", "tags": {"mlflow.runName": "cut"}, "time": 1_700_000_000_000})
    kept.append({"do": "metrics", "values": {"loss": 0.5}, "step": 1, "time": 1_700_000_001_000})
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    ((line, _),) = mlflow_calls.send()
    client = store.connect().client
    assert client.get_run(line.split()[-1]).info.status == "KILLED"


def begun_without_a_server(name: str, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with new_run(name, {}, {}) as run:
        return run


def test_a_run_that_was_tagged_after_its_end_is_sent_as_it_ended(
    tracking_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    trial = begun_without_a_server("trial", monkeypatch)
    trial.tag("trial", "pruned")
    trial.wait()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    ((line, _),) = mlflow_calls.send()
    sent = store.connect().client.get_run(line.split()[-1])
    assert (sent.info.status, sent.data.tags["trial"]) == ("FINISHED", "pruned")


def test_a_child_that_is_sent_later_than_its_parent_finds_it(
    tracking_server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    fold = begun_without_a_server("fold", monkeypatch)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    with new_run("crossval", {}, {}) as parent:
        parent.adopt([fold.id])
    ((line, _),) = mlflow_calls.send()
    assert store.connect().client.get_run(line.split()[-1]).data.tags["mlflow.parentRunId"] == parent.id


def test_a_journal_that_cannot_be_sent_stays_and_keeps_no_other_back(
    tracking_server: Server,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for run in ("local-a", "local-b", "local-c"):
        unsent_journal(run).append({"do": "begin", "tags": {}, "time": 1_700_000_000_000})
    (tmp_path / "curve.json").write_text("1")
    unsent_journal("local-a").append({"do": "files", "path": str(tmp_path / "curve.json"), "folder": None})
    (copy,) = unsent_journal("local-a").folder.rglob("curve.json")
    copy.unlink()
    lines = unsent_journal("local-b").folder / "entries.jsonl"
    lines.write_text("{\n" + lines.read_text())
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    assert main(["send"]) == 2
    printed = capsys.readouterr()
    assert f"local-a is not sent: {copy}: no such file or directory" in printed.out
    assert "local-b is not sent: " in printed.out and "line 1: damaged" in printed.out
    assert "local-c is sent, as " in printed.out
    assert printed.err == f"convtext: 2 of 3 runs stay in {tmp_path / 'tracking' / 'unsent'}\n"
    assert [kept.run_id for kept in unsent_journals()] == ["local-a", "local-b"]
