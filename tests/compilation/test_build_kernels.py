"""The library of kernels, as it is built."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.compilation import build_kernels, native_kernels

ROOT = Path(__file__).resolve().parents[2]


def test_without_a_c_compiler_nothing_is_built(tmp_path: Path) -> None:
    shutil.copytree(
        ROOT / "pipeline", tmp_path / "pipeline", ignore=shutil.ignore_patterns("__pycache__", "prebuilt")
    )
    done = subprocess.run(
        [sys.executable, "-m", "pipeline.compilation.build_kernels"],
        cwd=tmp_path, env=os.environ | {"CC": "no-compiler -m64"}, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode and done.stderr.splitlines()[-1].endswith("there is no C compiler no-compiler")
    assert not (tmp_path / "pipeline" / "prebuilt").exists()


@pytest.mark.skipif(not shutil.which(os.environ.get("CC", "cc")), reason="there is no C compiler")
def test_every_level_has_a_function_for_each_signature() -> None:
    build_kernels.build()
    kernels = {kernel.key: kernel.signatures for kernel in build_kernels._kernels()}
    assert len(kernels) > 10
    levels = native_kernels.contents()["levels"]
    assert {*levels} == {*map(str, build_kernels.PROCESSORS)}
    for level, functions in levels.items():
        assert {key: len(forms) for key, forms in functions.items()} == {
            key: len(signatures) for key, signatures in kernels.items()
        }
        assert {form[0] for forms in functions.values() for form in forms} == {
            f"{key}.{number}.{level}" for key, forms in kernels.items() for number in range(len(forms))
        }
    built = native_kernels.LIBRARY.stat()
    build_kernels.build()  # nothing more
    assert native_kernels.LIBRARY.stat() == built
