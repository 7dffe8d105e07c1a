"""The kernels against plain NumPy."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.folding import kernels
from pipeline.inputs import PADDING, Sequences


@given(
    st.integers(0, 2**32 - 1), st.sampled_from([1, 3, 63, 64, 65, 100, 130]), st.sampled_from(["f4", "i2"])
)
def test_features_are_the_greatest_sums_of_numpy(seed: int, count: int, form: str) -> None:
    """Rows have boundaries, which are 0, anywhere: each text between them stands by itself."""
    random = np.random.default_rng(seed)
    windows, filters = np.array([2, 5]), np.array([count, 1 + count // 2])
    table = random.integers(-1000, 1000, (9, windows @ filters)).astype(form)
    table[PADDING] = 0
    rows = [(random.integers(1, 9, size) * (random.random(size) > 0.2)).tolist() for size in range(5, 10)]
    rows += [[], [PADDING], [PADDING, 3], [4, PADDING]]
    texts = Sequences.from_rows(rows)
    scale, bias = np.full(filters.sum(), 0.5, np.float32), np.ones(filters.sum(), np.float32)
    features = kernels.features(texts.ids, texts.offsets, table, windows, filters, scale, bias)
    starts, firsts, ends = kernels.winning_windows(texts.ids, texts.offsets, table, windows, filters)
    for number, row in enumerate(rows):
        column = first = 0
        for size, columns in zip(windows.tolist(), filters.tolist(), strict=True):
            products = table[:, column : column + size * columns].reshape(-1, size, columns).astype(np.int64)
            places = list(windows_of(row, size))
            sums = [sum(products[row[t + k], k] for k in range(low - t, high - t)) for t, low, high in places]
            bank = slice(first, first + columns)
            expected = 0.5 * np.max(sums, axis=0) + 1 if sums else np.ones(columns)
            np.testing.assert_array_equal(features[number, bank], expected)
            best = np.argmax(sums, axis=0) if sums else []
            for found, part in ((starts, 0), (firsts, 1), (ends, 2)):
                np.testing.assert_array_equal(found[number, bank], [places[i][part] for i in best] or 0)
            column, first = column + size * columns, first + columns


def windows_of(row: list[int], size: int) -> Iterator[tuple[int, int, int]]:
    """Yield the start of each window that touches a text of the row, and its first token and the last + 1."""
    begin = 0
    for end in [place for place, token in enumerate([*row, PADDING]) if token == PADDING]:
        if end > begin:
            yield from ((t, max(t, begin), min(t + size, end)) for t in range(begin + 1 - size, end))
        begin = end + 1


@pytest.mark.parametrize(
    ("activation", "function"),
    [(0, lambda x: x), (kernels.RELU, lambda x: np.maximum(x, 0)), (kernels.TANH, np.tanh)],
)
def test_the_dense_layer_is_that_of_numpy(activation, function) -> None:
    random = np.random.default_rng(1)
    inputs, weights, bias = (random.normal(size=size).astype(np.float32) for size in ((5, 7), (3, 7), 3))
    logits = kernels.dense(inputs, activation, weights, bias)
    np.testing.assert_allclose(logits, function(inputs) @ weights.T + bias, rtol=1e-5, atol=1e-6)
