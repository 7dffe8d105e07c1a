"""The vectors against the plain loop, which tests of `descend` compare with results by hand."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from subprocess import PIPE

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import ir
from numba import njit, typeof

from pipeline.compilation.kernel import compiles
from pipeline.linear.descent import WIDTHS, Group
from pipeline.linear.llvm_descent import called, descent, plain_descent, vector_descent

VECTORS = {width: njit(called(vector_descent(width))) for width in WIDTHS}
PLAIN = {width: njit(plain_descent(width)) for width in WIDTHS}


def group(seed: int, width: int, is_scaled: bool) -> Group:
    """Five rows of up to four of six features, some of them empty, with some dual variables at zero."""
    random = np.random.default_rng(seed)
    starts = np.cumsum([0, *random.integers(0, 5, 5)])

    def numbers(*shape: int) -> np.ndarray:
        return random.random(shape, np.float32) * 2

    return Group(
        starts,
        columns=random.integers(0, 6, starts[-1]).astype(np.int32),
        values=numbers(starts[-1]),
        positives=random.integers(-1, width + 1, 5),
        squares=1 + numbers(5, width),
        slacks=0.1 + numbers(5),
        scales=numbers(6 if is_scaled else 0, width),
        dual=np.maximum(numbers(5, width) - 1, 0),
        weights=numbers(6, width) - 1,
        bias=numbers(width) - 1,
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from(WIDTHS), st.booleans())
def test_vectors_and_loop_give_the_same_bits(seed: int, width: int, is_scaled: bool) -> None:
    order = np.random.default_rng(seed).permutation(5)
    one, other = group(seed, width, is_scaled), group(seed, width, is_scaled)
    assert VECTORS[width](one, order) == PLAIN[width](other, order) > 0
    assert (one.dual != group(seed, width, is_scaled).dual).any()
    for mine, own in zip(one, other, strict=True):
        np.testing.assert_array_equal(mine, own)


def test_a_kernel_calls_the_vectors_where_they_compile() -> None:
    kernel, plain = njit(called(descent(4))), njit(plain_descent(4))
    for function in (kernel, plain):
        function(group(1, 4, True), np.arange(5))
    (code,), (loop,) = kernel.inspect_llvm().values(), plain.inspect_llvm().values()
    assert "<4 x float>" in code and "<4 x float>" not in loop


def test_of_arrays_that_are_not_contiguous_the_loop_makes_the_same() -> None:
    columns = group(1, 4, True)
    columns = columns._replace(
        dual=np.asfortranarray(columns.dual), squares=np.asfortranarray(columns.squares)
    )
    rows = group(1, 4, True)
    assert njit(called(descent(4)))(columns, np.arange(5)) == PLAIN[4](rows, np.arange(5))
    np.testing.assert_array_equal(columns.dual, rows.dual)
    np.testing.assert_array_equal(columns.weights, rows.weights)


def test_where_the_vectors_do_not_compile_the_loop_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(*arguments: object) -> None:
        raise AttributeError("'VectorType' object has no attribute 'as_pointer'")

    monkeypatch.setattr(ir.VectorType, "as_pointer", removed)
    one, other = group(2, 8, False), group(2, 8, False)
    assert not compiles(called(vector_descent(8)), (typeof(one), typeof(np.arange(5))))
    assert njit(called(descent(8)))(one, np.arange(5)) == PLAIN[8](other, np.arange(5))
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.mark.slow
def test_widths_that_several_processes_compiled_stay_apart(tmp_path: Path) -> None:
    code = (
        "import sys, numpy\n"
        "from pipeline.compilation import native_kernels\n"
        "native_kernels._library = lambda: (None, {})\n"
        "from pipeline.linear.descent import descend\n"
        "from tests.linear.test_llvm_descent import group\n"
        "for width in map(int, sys.argv[1:]):\n"
        "    taken = group(3, width, True)\n"
        "    descend(taken, numpy.arange(5))\n"
        "    print(taken.weights.tolist())\n"
    )

    def run(*widths: str) -> list[str]:
        command = [sys.executable, "-c", code, *widths]
        environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
        return subprocess.run(
            command, env=environment, stdout=PIPE, text=True, check=True
        ).stdout.splitlines()

    expected = list[str]()
    for width in (16, 8, 4):
        taken = group(3, width, True)
        PLAIN[width](taken, np.arange(5))
        expected.append(str(taken.weights.tolist()))
    assert run("16") + run("8") + run("4") == expected
    assert run("16", "8", "4") == expected
