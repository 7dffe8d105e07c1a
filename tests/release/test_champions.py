"""The champion as `predict` finds it."""

from __future__ import annotations

from pathlib import Path

import pytest
from mlflow.models import Model

from pipeline.release import champions, find, registry
from pipeline.tracking import mlflow_calls
from pipeline.tracking.run import new_run
from tests.tracking_server import Server, free_port

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))


def test_a_model_that_was_kept_is_sent_and_is_champion_on_the_server(
    tracking_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = tmp_path / "packed"
    packed.mkdir()
    Model().save(str(packed / "MLmodel"))
    (packed / "weights").write_text("1 2 3")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{free_port()}")
    with new_run("one", {"seed": 1}, {}) as run:
        run.record(do="model", path=str(packed))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", tracking_server.uri)
    assert champions.current("reviews") is None
    list(mlflow_calls.send())

    sent = find.stored_id(run.id)
    model = registry.model_of(sent)
    assert registry.promote("reviews", sent, model, "kim-rand", {}).replaced == ""
    champion = champions.current("reviews")
    assert champion is not None
    assert (champion.version, champion.title, champion.model_id) == ("1", "kim-rand", model)
    assert (champion.files.path / "weights").read_text() == "1 2 3"
    described = Model.load(str(champion.files.path))
    assert (described.model_id, described.run_id) == (model, sent)
    assert registry.promote("reviews", sent, model, "kim-rand", {}).replaced == "1"
    assert registry.previous("reviews")[0].number == "1"
