"""Runs that end, fail, are interrupted, or lose their store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands import send
from pipeline.config.command_line import parse_words
from pipeline.tracking import store
from tests.tracking_runs import query, track

# MLflow's own use of Pydantic and SQLAlchemy.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.usefixtures("data_folder"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]


def test_a_run_that_fails_or_is_interrupted_is_marked_so(tmp_path: Path) -> None:
    for fault in ("RuntimeError", "KeyboardInterrupt"):
        track(f"    raise {fault}\n")
    assert query(tmp_path, "select status from runs order by start_time") == [("FAILED",), ("KILLED",)]


def test_a_run_that_is_interrupted_while_it_records_its_interruption_is_marked_later(tmp_path: Path) -> None:
    interrupted = (
        "    from concurrent.futures import Future\n"
        "    def wait(*_): raise KeyboardInterrupt  # the second Ctrl-C\n"
        "    run.id, setattr(Future, 'result', wait)\n"
        "    raise KeyboardInterrupt\n"
    )
    assert "KeyboardInterrupt" in track(interrupted).stderr
    store.connect()
    assert query(tmp_path, "select status from runs") == [("KILLED",)]
    assert list((tmp_path / "tracking" / "running").iterdir()) == []


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
    done = track(breaks)
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("`make send` sends it") == 2 == done.stderr.count("\n")
    path = tmp_path / "tracking" / "mlflow.db"
    path.with_suffix(".kept").rename(path)
    send.run(parse_words("send", []))
    assert sorted(query(tmp_path, "select name, status from runs")) == [
        ("one", "FINISHED"),
        ("two", "FINISHED"),
    ]
    losses = "select runs.name, value from metrics join runs using (run_uuid) order by value"
    assert query(tmp_path, losses) == [("two", 0.25), ("one", 0.5)]
    assert query(tmp_path, "select count(*) from tags where key = 'mlflow.parentRunId'") == [(1,)]
