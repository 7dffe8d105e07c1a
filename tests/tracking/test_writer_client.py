"""The stage's end of the writer process."""

from __future__ import annotations

import pytest

from pipeline.tracking import mlflow_calls, store, writer_client
from pipeline.tracking.journal import unsent_journal
from pipeline.tracking.run import new_run
from tests.hostile_server import Answer, drip, hostile_server

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("data_folder"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_run_outlives_the_process_that_writes_it(capsys: pytest.CaptureFixture[str]) -> None:
    with new_run("one", {}, {"corpus": "mr"}) as run:
        run.log_metrics({"loss": 0.5}, 1)
        run.wait()
        run._writer.give_up()
        run.log_metrics({"loss": 0.25}, 2)
    assert "has ended; the run is kept in" in capsys.readouterr().err
    assert list(mlflow_calls.send()) == [(f"{run.id} is sent, as {run.id}", True)]
    client = store.connect().client
    assert client.get_run(run.id).info.status == "FINISHED"
    assert [metric.value for metric in client.get_metric_history(run.id, "loss")] == [0.5, 0.25]


def test_a_store_that_never_comes_to_an_end_of_its_answer_is_given_up(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(writer_client, "PATIENCE", 4)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with hostile_server({"runs/log-batch": Answer(drip)}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with new_run("one", {"seed": 1}, {}) as run:
            run.log_metrics({"loss": 0.5}, 1)
    assert f"{uri} has not answered in 4 s; the run is kept in" in capsys.readouterr().err
    assert [entry["do"] for entry in unsent_journal(run.id).entries()] == [
        "begin",
        "params",
        "metrics",
        "end",
    ]
