from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.environment import memory

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


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("8g", 8 << 30),
        ("1.5G", 3 << 29),
        ("2048m", 2 << 30),
        ("4gb", 4 << 30),
        ("4Gi", 4 << 30),
        (str(1 << 30), 1 << 30),
    ],
)
def test_sizes_are_read_in_powers_of_1024(text: str, size: int) -> None:
    assert memory.parse_size(text) == size


@pytest.mark.parametrize("text", ["", "8", "g", "-1g", "8 k", "1e3g", "٨g", "100m", "0g"])
def test_what_is_no_size_or_too_small_says_what_was_expected(text: str) -> None:
    with pytest.raises(ValueError, match="expected a size such as 8g, and 768m or more"):
        memory.parse_size(text)


def test_a_limit_of_the_container_counts_where_it_is_smaller_and_before_all_what_is_given(
    tmp_path: Path,
) -> None:
    limit = tmp_path / "memory.max"
    whole = memory.available_memory(limit=limit)
    assert whole == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for text, expected in (("max\n", whole), ("1073741824\n", 1 << 30), (f"{2 * whole}\n", whole)):
        limit.write_text(text)
        assert memory.available_memory(None, limit) == expected
        assert memory.available_memory(5 << 30, limit) == 5 << 30


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS has no limit of the address space")
def test_a_limit_of_the_shell_counts_too() -> None:
    told = subprocess.run(
        [sys.executable, "-c", "from pipeline.environment import memory; print(memory.available_memory())"],
        cwd=ROOT, capture_output=True, text=True, check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30)),
    )  # fmt: skip
    assert int(told.stdout) == 1 << 30


def test_what_does_not_fit_is_told() -> None:
    assert memory.note(1000, 2000) == "1,000 of 2,000 rows, all that fit into the memory (MEMORY=)"
    assert memory.note(2000, 2000) == ""
