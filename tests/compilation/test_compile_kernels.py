"""The kernels that a first training and prediction need are compiled when the environment is made."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.compilation import native_kernels
from tests.project import Project


@pytest.mark.slow
def test_every_kernel_of_texts_is_compiled_and_nothing_is_left(project: Project, tmp_path: Path) -> None:
    for name in ("pipeline", "conf"):
        shutil.copytree(
            project.root / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "prebuilt")
        )
    shutil.copy(project.root / "Makefile", tmp_path)
    command = [sys.executable, "-m", "pipeline.compilation.compile_kernels"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "compiling the kernels, once\n" and not done.stderr
    assert {path.name for path in tmp_path.iterdir()} == {"pipeline", "conf", "Makefile"}
    ahead = {name.rpartition(".")[2] for name in native_kernels.SOURCES}
    assert (tmp_path / "pipeline" / "prebuilt" / "kernels.so").is_file()
    with_kernels = {
        path.stem
        for path in (tmp_path / "pipeline").rglob("*.py")
        if path.stem not in ahead and re.search(r"^@(summing_)?kernel$", path.read_text(), re.MULTILINE)
    }
    compiled = {path.name.partition(".")[0] for path in (tmp_path / "pipeline").rglob("*.nbi")}
    assert with_kernels - compiled == set()
