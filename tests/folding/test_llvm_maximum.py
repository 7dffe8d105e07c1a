"""The vectors against the plain loop, and the loop against plain NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from llvmlite import ir
from numba import njit, typeof

from pipeline.compilation.kernel import compiles
from pipeline.folding import llvm_maximum
from pipeline.folding.llvm_maximum import called, plain_maximum, vector_maximum, window_maximum

LANES = (1, 3, 64)
VECTORS = {lanes: njit(called(vector_maximum(lanes))) for lanes in LANES}
PLAIN = {lanes: njit(plain_maximum(lanes)) for lanes in LANES}


def arguments(seed: int, lanes: int, form: str, size: int) -> tuple[Any, ...]:
    """A bank of filters over `size` tokens, which is wider than the lanes, and a text."""
    random = np.random.default_rng(seed)
    stride, begin, end = lanes + 2, int(random.integers(0, 3)), int(random.integers(3, 9))
    table = random.integers(-1000, 1000, (7, 5 + size * stride)).astype(form)
    tokens, best = random.integers(0, 7, end + size - 1), np.zeros(lanes + 4, form)
    return (
        best,
        int(random.integers(0, 4)),
        tokens,
        begin,
        end,
        table,
        int(random.integers(0, 4)),
        stride,
        size,
    )


@given(st.integers(0, 2**32 - 1), st.sampled_from(LANES), st.sampled_from(["f4", "i2"]), st.integers(1, 5))
def test_vectors_and_loop_give_the_maximum_of_numpy(seed: int, lanes: int, form: str, size: int) -> None:
    best, place, tokens, begin, end, table, column, stride, _ = arguments(seed, lanes, form, size)
    sums = [
        sum(table[tokens[t + k], column + stride * k : column + stride * k + lanes] for k in range(size))
        for t in range(begin, end)
    ]
    expected = best.copy()
    expected[place : place + lanes] = np.max(sums, axis=0)
    for maximum in (VECTORS[lanes], PLAIN[lanes]):
        result = best.copy()
        maximum(result, place, tokens, begin, end, table, column, stride, size)
        np.testing.assert_array_equal(result, expected)


def test_a_kernel_calls_the_vectors_where_they_compile() -> None:
    maximum = window_maximum(3)
    kernel, plain = njit(called(maximum)), njit(plain_maximum(3))
    values = arguments(1, 3, "f4", 2)
    kernel(*values)
    plain(*values)
    (code,), (loop,) = kernel.inspect_llvm().values(), plain.inspect_llvm().values()
    assert "<3 x float>" in code and "<3 x float>" not in loop


def test_where_the_vectors_do_not_compile_the_loop_is_called(monkeypatch: pytest.MonkeyPatch) -> None:
    def removed(*arguments: object) -> None:
        raise AttributeError("'VectorType' object has no attribute 'as_pointer'")

    monkeypatch.setattr(ir.VectorType, "as_pointer", removed)
    values, again = arguments(2, 5, "i2", 2), arguments(2, 5, "i2", 2)
    assert not compiles(called(vector_maximum(5)), tuple(typeof(value) for value in values))
    njit(called(window_maximum(5)))(*values)
    llvm_maximum.plain_maximum(5)(*again)  # in Python
    np.testing.assert_array_equal(values[0], again[0])
