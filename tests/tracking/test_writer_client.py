"""The stage's end of the writer process."""

from __future__ import annotations

import pytest

from pipeline.tracking import mlflow_calls, store
from pipeline.tracking.run import new_run

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
        run._writer._process.kill()
        run.log_metrics({"loss": 0.25}, 2)
    assert "has ended; the run is kept in" in capsys.readouterr().err
    assert list(mlflow_calls.send()) == [(f"{run.id} is sent, as {run.id}", True)]
    client = store.connect().client
    assert client.get_run(run.id).info.status == "FINISHED"
    assert [metric.value for metric in client.get_metric_history(run.id, "loss")] == [0.5, 0.25]
