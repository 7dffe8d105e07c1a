from __future__ import annotations

import argparse
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

from pipeline.commands import dashboard, send
from pipeline.errors import InputError
from pipeline.tracking import store

ROOT = Path(__file__).resolve().parents[2]
TRACK = """
from pipeline.tracking.run import new_run
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


@pytest.mark.parametrize("name", ["", "sqlite:///{}/tracking/mlflow.db"])
def test_two_processes_that_create_the_store_at_once_both_keep_their_runs(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tracking").mkdir()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", name.format(tmp_path))
    with ThreadPoolExecutor(2) as pool:
        done = list(pool.map(execute, [TRACK, TRACK]))
    assert [one.stderr for one in done] == ["", ""]
    assert ask(tmp_path, "select status from runs") == [("FINISHED",), ("FINISHED",)]
    assert ask(tmp_path, "select distinct key, value from params") == [("network.windows", "[3, 4]")]
    assert {path.name for path in (tmp_path / "tracking").iterdir()} <= {"mlflow.db", "artifacts", "running"}


def test_a_run_that_fails_or_is_interrupted_is_marked_so(tmp_path: Path) -> None:
    for fault in ("RuntimeError", "KeyboardInterrupt"):
        execute(TRACK + f"    raise {fault}\n")
    assert ask(tmp_path, "select status from runs order by start_time") == [("FAILED",), ("KILLED",)]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_run_whose_process_is_killed_is_marked_so_by_the_next_to_open_the_store(tmp_path: Path) -> None:
    waits = "    run.wait(); print('begun', flush=True); import time; time.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", TRACK + waits],
        cwd=ROOT, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline() == "begun\n"
        process.kill()
        process.wait(timeout=30)
    assert ask(tmp_path, "select status from runs") == [("RUNNING",)]
    store.client()
    assert ask(tmp_path, "select status from runs") == [("KILLED",)]


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_run_that_is_interrupted_while_it_records_its_interruption_is_marked_later(tmp_path: Path) -> None:
    interrupted = (
        "    from concurrent.futures import Future\n"
        "    def wait(*_): raise KeyboardInterrupt  # the second Ctrl-C\n"
        "    run.id, setattr(Future, 'result', wait)\n"
        "    raise KeyboardInterrupt\n"
    )
    assert "KeyboardInterrupt" in execute(TRACK + interrupted).stderr
    store.client()
    assert ask(tmp_path, "select status from runs") == [("KILLED",)]
    assert list((tmp_path / "tracking" / "running").iterdir()) == []


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_store_that_breaks_costs_no_run_of_a_stage_that_has_begun_one(tmp_path: Path) -> None:
    breaks = (
        "    from pathlib import Path\n"
        "    run.wait()\n"
        f"    path = Path({str(tmp_path / 'tracking' / 'mlflow.db')!r})\n"
        "    path.with_suffix('.kept').write_bytes(path.read_bytes())\n"
        "    path.write_text('no database ' * 999)\n"
        "    with new_run('two', {}, {}) as other:\n"
        "        run.adopt([other.id])\n"
        "        other.log_metrics({'loss': 0.25}, 1)\n"
    )
    done = execute(TRACK + breaks)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("`make send` sends it") == 2 == done.stderr.count("\n")
    path = tmp_path / "tracking" / "mlflow.db"
    path.with_suffix(".kept").rename(path)
    send.run(argparse.Namespace())
    assert sorted(ask(tmp_path, "select name, status from runs")) == [
        ("one", "FINISHED"),
        ("two", "FINISHED"),
    ]
    losses = "select runs.name, value from metrics join runs using (run_uuid) order by value"
    assert ask(tmp_path, losses) == [("two", 0.25), ("one", 0.5)]
    assert ask(tmp_path, "select count(*) from tags where key = 'mlflow.parentRunId'") == [(1,)]


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "", "５０００"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(InputError, match=f"PORT={port}: expected a whole number from 1 to 65535"):
        dashboard.run(argparse.Namespace(port=port))


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_port_that_is_taken_is_refused_before_the_server_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(InputError, match=f"PORT={port}: address already in use"):
            dashboard.run(argparse.Namespace(port=port))


# MLflow's own use of SQLAlchemy.
@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")
def test_a_run_of_another_store_is_refused_with_the_remedy() -> None:
    from pipeline.tracking.run import resumed_run

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
