"""The cores that a process may use."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pipeline.environment.cores import BESIDE, cores, let_others_first

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("limit", "expected"), [("100000 100000\n", 1), ("150000 100000\n", 2), ("1 100000\n", 1)]
)
def test_a_containers_limit_is_kept(limit: str, expected: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    assert cores(tmp_path / "cpu.max") == min(expected, cores(tmp_path / "none"))


def test_without_a_limit_all_cores_are_used(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cores(tmp_path / "cpu.max") == cores(tmp_path / "none") <= (os.cpu_count() or 1)


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="only Linux keeps a process from cores")
def test_cores_that_the_process_is_kept_from_are_not_counted() -> None:
    code = "import os; os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}); "
    code += "from pipeline.environment.cores import cores; print(cores())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "1\n"


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux knows the niceness of a thread")
def test_a_thread_that_lets_others_first_is_alone_in_that() -> None:
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    before = niceness()
    with ThreadPoolExecutor(1, initializer=let_others_first) as thread:
        assert thread.submit(niceness).result() == max(before, BESIDE)
    assert niceness() == before
