"""Processes that record a run, and queries of the store that they record it in."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CODE = """
from pipeline.tracking.run import new_run
with new_run("one", {"network": {"windows": [3, 4]}}, {"model": "kim-rand"}) as run:
    run.log_metrics({"loss": 0.5}, 1)
"""


def start_tracking(code: str) -> subprocess.Popen[str]:
    """Begin a run in a process of its own; `code` is more of the run's block."""
    command = [sys.executable, "-c", CODE + code]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def track(code: str = "") -> subprocess.CompletedProcess[str]:
    """Record a whole run in a process of its own."""
    with start_tracking(code) as process:
        out, err = process.communicate()
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


def query(data: Path, statement: str) -> list[tuple[object, ...]]:
    """Ask the SQLite file of the store in a data folder."""
    with closing(sqlite3.connect(data / "tracking" / "mlflow.db")) as database:
        return database.execute(statement).fetchall()
