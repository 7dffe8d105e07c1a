"""The store: created once, opened, and its errors in one line."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

from pipeline.errors import InputError, StoreUnreachable
from pipeline.tracking import store
from pipeline.tracking.run import new_run
from tests.hostile_server import NONSENSE, hostile_server
from tests.tracking_runs import query, start_tracking, track

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("data_folder"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


@pytest.mark.parametrize("name", ["", "sqlite:///{}/tracking/mlflow.db"])
def test_two_processes_that_create_the_store_at_once_both_keep_their_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tracking").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", name.format(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(track, ["", ""]))
    assert [process.stderr for process in done] == ["", ""]
    assert query(tmp_path, "select status from runs") == [("FINISHED",), ("FINISHED",)]
    assert query(tmp_path, "select distinct key, value from params") == [("network.windows", "[3, 4]")]
    assert {path.name for path in (tmp_path / "tracking").iterdir()} <= {"mlflow.db", "artifacts", "running"}


def test_a_run_whose_process_is_killed_is_marked_so_by_the_next_to_open_the_store(tmp_path: Path) -> None:
    waits = "    run.wait(); print('begun', flush=True); import time; time.sleep(60)"
    with start_tracking(waits) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        process.kill()
        process.wait(timeout=30)
    assert query(tmp_path, "select status from runs") == [("RUNNING",)]
    store.connect()
    assert query(tmp_path, "select status from runs") == [("KILLED",)]


def test_an_address_that_is_wrong_is_an_error_and_not_a_server_that_is_away(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class NoTracking(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), NoTracking) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        for uri in (
            "htp://127.0.0.1",
            "./mlruns",
            "http://127.0.0.1:99999",
            f"http://127.0.0.1:{other.server_port}",
        ):
            monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
            with pytest.raises(InputError, match="cannot be used") as caught, new_run("one", {}, {}):
                pass
            assert not isinstance(caught.value, StoreUnreachable)
        other.shutdown()


def test_a_file_that_is_no_database_is_refused_in_a_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "not.db").write_text("some text, and no database " * 40)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path / 'not.db'}")
    with pytest.raises(InputError, match="cannot be used"), new_run("one", {}, {}) as run:
        run.wait()
    with pytest.raises(InputError, match="cannot be used"), new_run("two", {}, {}) as run:
        for _ in range(600):  # epochs of a training, which does not wait for the answer
            run.check()
            time.sleep(0.1)
        pytest.fail("a minute's training was done for a store that cannot be used")
    with pytest.raises(InputError, match="cannot be used"):
        store.connect()
    assert capfd.readouterr().err == ""


def test_a_server_names_a_folder_of_this_machine_only_as_mlflow_lays_it_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = "0123456789abcdef" * 2
    laid_out = [tmp_path / "1" / run / "artifacts", tmp_path / "1" / "models" / f"m-{run}" / "artifacts"]
    others = [tmp_path, tmp_path / run / ".." / "home", tmp_path / f"{run}.d"]
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "victim.txt").write_text("overwritten")
    (tmp_path / "victim.txt").write_text("precious")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://127.0.0.1:9")
    for folder in laid_out:
        get_artifact_repository(folder.as_uri()).log_artifacts(str(tmp_path / "source"))
        assert (folder / "victim.txt").exists()
    for folder in others:
        for address in (str(folder), f"file://{folder}"):
            there = get_artifact_repository(address)
            with pytest.raises(MlflowException, match="is no place for artifacts"):
                there.log_artifacts(str(tmp_path / "source"))
            with pytest.raises(MlflowException, match="is no place for artifacts"):
                there.log_artifact(str(tmp_path / "source" / "victim.txt"))
    assert (tmp_path / "victim.txt").read_text() == "precious"
    monkeypatch.delenv("MLFLOW_TRACKING_URI")
    get_artifact_repository(str(tmp_path)).log_artifact(str(tmp_path / "source" / "victim.txt"))


@pytest.mark.parametrize("nonsense", ["a page", "a list for an object", "other types", "an empty object"])
def test_a_server_that_makes_no_sense_is_one_that_cannot_be_reached(
    nonsense: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hostile_server({"*": NONSENSE[nonsense]}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        client = MlflowClient(tracking_uri=uri)
        with pytest.raises(StoreUnreachable, match=f"the tracking server {uri} "), store.store_errors():
            store.answered_id(client.create_run("1").info.run_id)
