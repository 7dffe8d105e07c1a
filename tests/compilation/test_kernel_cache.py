"""Compiled kernels are read from a folder that cannot be written to."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULE = """
from numba import njit

@njit(cache=True)
def doubled(number):
    return 2 * number
"""
CALL = """
import kernels
print(kernels.doubled(21), dict(kernels.doubled.stats.cache_hits) != {})
"""
# As a file system that is mounted read-only; the root user may write into a folder of any mode.
READ_ONLY = """
import errno, os, sys

def refuse(event, arguments):
    writes = event == "open" and arguments[2] is not None and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in ("os.mkdir", "os.rename"):
        raise OSError(errno.EROFS, "Read-only file system", str(arguments[0]))

sys.addaudithook(refuse)
"""
LOCATOR = {"NUMBA_CACHE_LOCATOR_CLASSES": "pipeline.compilation.kernel_cache.ReadOnlyCache"}


def call(folder: Path, code: str, settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PYTHONPATH": f"{folder}:{ROOT}", "PYTHONDONTWRITEBYTECODE": "1"} | settings
    command = [sys.executable, "-c", code]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)


@pytest.mark.slow
def test_kernels_that_were_compiled_before_are_read_where_nothing_can_be_written(tmp_path: Path) -> None:
    (tmp_path / "kernels.py").write_text(MODULE)
    done = call(tmp_path, CALL, {})
    assert done.stdout == "42 False\n", done.stderr
    assert "no locator available" in call(tmp_path, READ_ONLY + CALL, {}).stderr  # by numba's own
    done = call(tmp_path, READ_ONLY + CALL, LOCATOR)
    assert done.stdout == "42 True\n", done.stderr
