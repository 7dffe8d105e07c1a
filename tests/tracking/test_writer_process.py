"""The process that writes runs into the store."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.environment.program import WRITER_SOCKET
from pipeline.errors import InputError
from pipeline.tracking.run import resumed_run
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
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[subprocess.Popen[bytes]]:
    """A writer for the processes that `track` starts."""
    monkeypatch.setenv(WRITER_SOCKET, str(path := tmp_path / "w"))
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
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
