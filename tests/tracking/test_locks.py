from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.files import exclusive
from pipeline.tracking.locks import abandoned_runs, record_holder

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys, time
from pathlib import Path
from pipeline.files import exclusive
from pipeline.tracking.locks import record_holder
with exclusive(Path(sys.argv[1]) / "one") as file:
    record_holder(file, "sqlite:///a.db", "id of one")
    print("held", flush=True)
    time.sleep(60)
"""


def is_under_way(folder: Path) -> bool:
    try:
        with exclusive(folder / "one", wait=False):
            return False
    except BlockingIOError:
        return True


def test_a_run_is_under_way_while_its_block_lasts_and_leaves_nothing(tmp_path: Path) -> None:
    with exclusive(tmp_path / "one") as file:
        assert is_under_way(tmp_path)
        record_holder(file, "sqlite:///a.db", "id of one")
        record_holder(file, "sqlite:///a.db", "id")
        assert (tmp_path / "one").read_text() == '["sqlite:///a.db", "id"]'
        assert list(abandoned_runs(tmp_path, "sqlite:///a.db")) == []
    assert not is_under_way(tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_the_run_of_a_process_that_was_killed_is_found_abandoned_once_and_in_its_store_alone(
    tmp_path: Path,
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)], cwd=ROOT, stdout=subprocess.PIPE, text=True
    )
    assert holder.stdout is not None
    with holder.stdout:
        assert holder.stdout.readline() == "held\n"
        assert is_under_way(tmp_path)
        assert list(abandoned_runs(tmp_path, "sqlite:///a.db")) == []
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
    assert list(abandoned_runs(tmp_path, "http://elsewhere")) == []
    assert list(abandoned_runs(tmp_path, "sqlite:///a.db")) == ["id of one"]
    assert list(abandoned_runs(tmp_path, "sqlite:///a.db")) == []


def test_a_run_that_its_finder_could_not_deal_with_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "one").write_text('["sqlite:///a.db", "id of one"]')
    (tmp_path / "another").write_text("")  # killed before it had noted anything
    assert next(abandoned_runs(tmp_path, "sqlite:///a.db")) == "id of one"  # and no further
    assert list(abandoned_runs(tmp_path, "sqlite:///a.db")) == ["id of one"]


@pytest.mark.parametrize(
    "content", ["7", "{}", "[]", '["a", "b", "c"]', '["sqlite:///a.db", 7]', '["sqlite:///a.db", {}]']
)
def test_a_lock_with_other_content_is_no_runs_and_removed(content: str, tmp_path: Path) -> None:
    (tmp_path / "one").write_text(content)
    (tmp_path / "two").write_text('["sqlite:///a.db", "id"]')
    assert list(abandoned_runs(tmp_path, "sqlite:///a.db")) == ["id"]
    assert list(tmp_path.iterdir()) == []
