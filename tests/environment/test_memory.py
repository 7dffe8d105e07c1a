from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no limit of the address space")
@pytest.mark.parametrize("mebibytes", [160, 400, 767])
def test_a_limit_too_low_for_any_command_is_one_line(tmp_path: Path, mebibytes: int) -> None:
    limits = (mebibytes << 20, mebibytes << 20)
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", "predict", "INPUT=new.csv"],
        cwd=ROOT, env=os.environ | {"CONVTEXT_DATA": str(tmp_path)}, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, limits),
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        f"convtext: not enough memory: ulimit -v allows {mebibytes} MiB, and 768 MiB are the least that a "
        "command takes\n"
    )
