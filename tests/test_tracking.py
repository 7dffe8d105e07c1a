from __future__ import annotations

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.errors import InputError

ROOT = Path(__file__).resolve().parents[1]
TRACK = """
from pipeline.tracking import new_run
with new_run("one", {"network": {"windows": [3, 4]}}, {"model": "kim-rand"}) as run:
    run.log_metrics({"loss": 0.5}, 1)
"""


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


def execute(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)


def ask(folder: Path, query: str) -> list[tuple[object, ...]]:
    store = sqlite3.connect(folder / "tracking" / "mlflow.db")
    try:
        return store.execute(query).fetchall()
    finally:
        store.close()


def test_two_processes_that_create_the_store_at_once_both_keep_their_runs(tmp_path: Path) -> None:
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(execute, [TRACK, TRACK]))
    assert [one.stderr for one in done] == ["", ""]
    assert ask(tmp_path, "select status from runs") == [("FINISHED",), ("FINISHED",)]
    assert ask(tmp_path, "select distinct key, value from params") == [("network.windows", "[3, 4]")]
    assert {path.name for path in (tmp_path / "tracking").iterdir()} <= {"mlflow.db", "artifacts"}


def test_a_run_that_fails_or_is_interrupted_is_marked_so(tmp_path: Path) -> None:
    for fault in ("RuntimeError", "KeyboardInterrupt"):
        execute(TRACK + f"    raise {fault}\n")
    assert ask(tmp_path, "select status from runs order by start_time") == [("FAILED",), ("KILLED",)]


# MLflow's own use of SQLAlchemy.
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_run_of_another_store_is_refused_with_the_remedy() -> None:
    from pipeline.tracking import resumed_run

    with (
        pytest.raises(InputError, match=r"run 123 is not in sqlite:.*MLFLOW_TRACKING_URI"),
        resumed_run("123"),
    ):
        pass


def test_the_dashboard_serves_the_store_on_the_loopback_address_and_prints_where(tmp_path: Path) -> None:
    execute(TRACK)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "dashboard", "--port", str(port)],
        cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert f"http://127.0.0.1:{port}" in process.stdout.readline()
        assert _answer(f"http://127.0.0.1:{port}/health") == "OK"
        experiments = _answer(
            f"http://127.0.0.1:{port}/api/2.0/mlflow/experiments/get-by-name?experiment_name=convtext"
        )
        assert '"name": "convtext"' in experiments
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.communicate(timeout=30)


def _answer(url: str) -> str:
    for _ in range(300):
        try:
            with urllib.request.urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except OSError:
            time.sleep(0.1)
    raise TimeoutError(url)
