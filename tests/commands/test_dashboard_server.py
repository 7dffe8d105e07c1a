"""The dashboard's port and server; test_dashboard looks at its pages."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest

from pipeline.commands import dashboard
from pipeline.config.command_line import parse_words
from pipeline.errors import InputError
from tests.tracking_runs import track
from tests.tracking_server import free_port

ROOT = Path(__file__).resolve().parents[2]
# MLflow's own use of SQLAlchemy.
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning")]


@pytest.fixture(autouse=True)
def _data_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONVTEXT_DATA", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)


@pytest.mark.parametrize("port", ["abc", "0", "65536", "-1", "", "５０００"])
def test_a_port_that_is_none_is_refused(port: str) -> None:
    with pytest.raises(InputError, match=f"PORT={port}: expected a whole number from 1 to 65535"):
        parse_words("dashboard", [f"PORT={port}"])


def test_a_port_that_is_taken_is_refused_before_the_server_starts() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        with pytest.raises(InputError, match=f"PORT={port}: address already in use"):
            dashboard.run(parse_words("dashboard", [f"PORT={port}"]))


def test_the_dashboard_serves_the_store_on_the_loopback_address_and_prints_where(tmp_path: Path) -> None:
    track()
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline", "dashboard", f"PORT={port}"],
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
