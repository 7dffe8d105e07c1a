from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from pipeline.running import abandoned, is_under_way, under_way

ROOT = Path(__file__).resolve().parents[1]
HOLD = """
import sys, time
from pathlib import Path
from pipeline.running import under_way
with under_way(Path(sys.argv[1]), "one", "sqlite:///a.db"):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_run_is_under_way_while_its_block_lasts_and_leaves_nothing(tmp_path: Path) -> None:
    with under_way(tmp_path, "one", "sqlite:///a.db"):
        assert is_under_way(tmp_path, "one")
        assert list(abandoned(tmp_path, "sqlite:///a.db")) == []
    assert not is_under_way(tmp_path, "one")
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
        assert is_under_way(tmp_path, "one")
        assert list(abandoned(tmp_path, "sqlite:///a.db")) == []
        holder.send_signal(signal.SIGKILL)
        holder.wait(timeout=30)
    assert not is_under_way(tmp_path, "one")
    assert list(abandoned(tmp_path, "http://elsewhere")) == []
    assert list(abandoned(tmp_path, "sqlite:///a.db")) == ["one"]
    assert list(abandoned(tmp_path, "sqlite:///a.db")) == []


def test_a_run_that_its_finder_could_not_deal_with_is_found_again(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("sqlite:///a.db")
    assert next(abandoned(tmp_path, "sqlite:///a.db")) == "one"  # and no further
    assert list(abandoned(tmp_path, "sqlite:///a.db")) == ["one"]
