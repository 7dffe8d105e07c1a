"""The cores that a process may use."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipeline.cores import cores


@pytest.mark.parametrize(
    ("limit", "expected"), [("100000 100000\n", 1), ("150000 100000\n", 2), ("1 100000\n", 1)]
)
def test_a_containers_limit_is_kept(limit: str, expected: int, tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text(limit)
    assert cores(tmp_path / "cpu.max") == min(expected, cores(tmp_path / "none"))


def test_without_a_limit_all_cores_are_used(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert cores(tmp_path / "cpu.max") == cores(tmp_path / "none") <= (os.cpu_count() or 1)
