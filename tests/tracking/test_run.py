"""Runs that end, fail, are interrupted, or lose their store."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.commands import send
from pipeline.config.command_line import parse_words
from pipeline.errors import InputError
from pipeline.tracking import store
from pipeline.tracking.journal import unsent_journals
from pipeline.tracking.run import Run
from tests.hostile_server import hostile_server
from tests.hostile_server import run as hostile_server_run
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


def test_a_run_whose_end_is_recorded_nowhere_is_marked_by_the_next_to_open_the_store(tmp_path: Path) -> None:
    """As on a full disk, where neither the store nor the journal can be written."""
    fails = (
        "    from pathlib import Path\n"
        "    run.wait()\n"
        f"    path = Path({str(tmp_path / 'tracking' / 'mlflow.db')!r})\n"
        "    path.rename(path.with_suffix('.kept')), path.write_text('no database ' * 999)\n"
        "    path.with_name('unsent').write_text('no folder')\n"
    )
    done = track(fails)
    assert done.returncode == 1 and "NotADirectoryError" in done.stderr
    path = tmp_path / "tracking" / "mlflow.db"
    path.with_suffix(".kept").rename(path)
    assert query(tmp_path, "select status from runs") == [("RUNNING",)]
    store.connect()
    assert query(tmp_path, "select status from runs") == [("KILLED",)]
    assert list((tmp_path / "tracking" / "running").iterdir()) == []


@pytest.mark.parametrize("run_id", ["../../../victim.txt", "/victim.txt", "", ".", "a b", "x" * 300])
def test_an_id_of_a_server_that_can_be_none_costs_its_record_alone(
    run_id: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    victim = tmp_path.parent / "victim.txt"
    victim.write_text("precious")
    with hostile_server(
        {"runs/create": hostile_server_run(run_id), "runs/get": hostile_server_run(run_id)}
    ) as uri:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        done = track()
    assert (done.returncode, done.stderr.count("\n")) == (0, 1), done.stderr
    assert "is no id of MLflow's" in done.stderr and "`make send` sends it" in done.stderr
    assert victim.read_text() == "precious"
    (journal,) = unsent_journals()
    assert [entry["do"] for entry in journal.entries()] == ["begin", "params", "metrics", "end"]
    with pytest.raises(InputError, match="is no id"):
        Run(run_id, {"do": "resume", "run": run_id})
