"""The store: created once, opened, and its errors in one line."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.errors import InputError, StoreUnreachable
from pipeline.tracking import store
from pipeline.tracking.run import new_run
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
    with pytest.raises(InputError, match="cannot be used"):
        store.connect()
    assert capfd.readouterr().err == ""
