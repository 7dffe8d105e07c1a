"""The loops against dense NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.networks import convolution_kernels

entries_of = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 6), st.floats(-2, 2)), max_size=40)


@given(entries_of)
def test_the_sparse_product_is_the_dense_one_whatever_a_row_holds(entries: list) -> None:
    matrix = np.random.default_rng(1).normal(size=(7, 5)).astype(np.float32)
    dense = np.zeros((5, 7), np.float32)
    for row, column, value in entries:  # a place may come twice
        dense[row, column] += np.float32(value)
    rows, columns, values = (np.array([entry[i] for entry in entries]) for i in range(3))
    product = convolution_kernels.sparse_product(
        values.astype(np.float32),
        rows.astype(np.int32),
        columns.astype(np.int32),
        matrix,
        5,
    )
    np.testing.assert_allclose(product, dense @ matrix, atol=1e-4)


@given(st.integers(0, 30))
def test_a_row_that_waited_is_as_far_as_by_steps_without_gradient(missed: int) -> None:
    g, a, d = (np.random.default_rng(seed).uniform(0.1, 1, (2, 3)).astype(np.float32) for seed in (1, 2, 3))
    rho, epsilon = np.float32(0.95), np.float32(1e-6)
    waited = convolution_kernels.adadelta_rows(g, a, d, np.full(2, missed), rho, epsilon)
    for _ in range(missed):
        a, d = rho * a, rho * d
    a = rho * a + (1 - rho) * g**2
    u = np.sqrt((d + epsilon) / (a + epsilon)) * g
    for ours, theirs in zip(waited, (a, rho * d + (1 - rho) * u**2, u), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-4)


def test_an_adam_step_of_one_row_by_hand() -> None:
    numbers = [np.float32(number) for number in (0.1, 0.9, 0.99, 1e-7)]  # rate, both decays, epsilon
    tables = [np.array([[value]], np.float32) for value in (2.0, 5.0, 1.0, 4.0)]  # g, x, m, v
    x, m, v = convolution_kernels.adam_rows(*tables, *numbers)
    assert m[0, 0] == pytest.approx(0.9 * 1 + 0.1 * 2)
    assert v[0, 0] == pytest.approx(0.99 * 4 + 0.01 * 2 * 2)
    assert x[0, 0] == pytest.approx(5 - 0.1 * 1.1 / 2)
