"""The process that writes runs into the store."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.environment.program import WRITER_SOCKET
from pipeline.errors import InputError
from pipeline.tracking.run import resumed_run
from tests.hostile_server import Answer, drip, hostile_server
from tests.tracking_runs import query, track

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("data_folder"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_run_of_another_store_is_refused_with_the_remedy() -> None:
    with (
        pytest.raises(InputError, match=r"run 123 is not in sqlite:.*MLFLOW_TRACKING_URI"),
        resumed_run("123"),
    ):
        pass


@pytest.fixture
def shared(socket_path: str) -> Iterator[subprocess.Popen[bytes]]:
    """A writer for the processes that `track` starts."""
    with shared_writer(socket_path) as process:
        yield process


@pytest.fixture
def socket_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.setenv(WRITER_SOCKET, path := str(tmp_path / "w"))
    return path


@contextmanager
def shared_writer(path: str) -> Iterator[subprocess.Popen[bytes]]:
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        command = [sys.executable, "-m", "pipeline", "write-runs", str(listener.fileno())]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, pass_fds=[listener.fileno()])
    with process:
        yield process
        process.kill()


HAS_A_WRITER_OF_ITS_OWN = """
    from pipeline.tracking import writer_client
    print("Popen" in repr(writer_client.writer().give_up))
"""


def test_one_writer_serves_one_process_after_another(shared: subprocess.Popen[bytes], tmp_path: Path) -> None:
    for _ in range(2):
        done = track(HAS_A_WRITER_OF_ITS_OWN)
        assert (done.returncode, done.stdout, done.stderr) == (0, "False\n", "")
    assert query(tmp_path, "select status from runs") == [("FINISHED",)] * 2
    assert shared.stdin
    shared.stdin.close()
    assert shared.wait(10) == 0


def test_a_shared_writer_that_is_gone_is_replaced(shared: subprocess.Popen[bytes], tmp_path: Path) -> None:
    shared.kill()
    shared.wait()
    assert track(HAS_A_WRITER_OF_ITS_OWN).stdout == "True\n"
    assert query(tmp_path, "select status from runs") == [("FINISHED",)]


def test_a_store_that_could_not_be_opened_is_tried_again_for_the_next_process(
    shared: subprocess.Popen[bytes], tmp_path: Path
) -> None:
    (tmp_path / "tracking").mkdir()
    store = tmp_path / "tracking" / "mlflow.db"
    store.mkdir()
    assert "mlflow.db" in track().stderr
    store.rmdir()
    assert track().returncode == 0
    assert query(tmp_path, "select status from runs") == [("FINISHED",)]


def test_a_process_that_is_killed_costs_no_other_its_writer(
    shared: subprocess.Popen[bytes], socket_path: str, tmp_path: Path
) -> None:
    with socket.socket(socket.AF_UNIX) as killed:
        killed.connect(socket_path)
        killed.sendall(b'{"do": "open"}\n{"do": "ope')
    assert track(HAS_A_WRITER_OF_ITS_OWN).stdout == "False\n"
    assert query(tmp_path, "select status from runs") == [("FINISHED",)]


PACKS = """
    from pathlib import Path
    run.log_model(Path("nowhere"))
"""


def test_a_classifier_is_packed_though_the_store_has_failed(
    socket_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with hostile_server({"runs/log-batch": Answer(b"no JSON")}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with shared_writer(socket_path):
            failed = track(PACKS).stderr
    assert "the run is kept in" in failed and "nowhere/model/manifest.json is missing" in failed


IS_IMPATIENT = """
    from pipeline.tracking import writer_client
    writer_client.PATIENCE = 2
"""


def test_a_shared_writer_that_is_stuck_is_left_by_all(
    socket_path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with hostile_server({"runs/log-batch": Answer(drip)}) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with shared_writer(socket_path):
            assert "has not answered in 2 s" in track(IS_IMPATIENT).stderr
            done = track(IS_IMPATIENT + HAS_A_WRITER_OF_ITS_OWN)
    assert done.stdout == "True\n"
