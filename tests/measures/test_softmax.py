from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays
from scipy import special

from pipeline.measures.softmax import compiled_softmax, log_softmax, softmax

logits_of = arrays(
    np.float32, array_shapes(min_dims=2, max_dims=2, max_side=6), elements=st.floats(-50, 50, width=32)
)


@pytest.mark.parametrize("softmax", [softmax, compiled_softmax])
def test_the_softmax_of_logits_over_the_temperature_is_that_computed_by_hand(softmax) -> None:
    logits = np.log(np.array([[1, 4, 16]], np.float32))
    np.testing.assert_allclose(softmax(logits, 1.0), [[1 / 21, 4 / 21, 16 / 21]], rtol=1e-6)
    np.testing.assert_allclose(softmax(logits, 2.0), [[1 / 7, 2 / 7, 4 / 7]], rtol=1e-6)
    assert softmax(logits, 1.0).dtype == np.float32
    assert softmax(np.array([[1e5, 0]], np.float32), 0.1).tolist() == [[1, 0]]


@given(logits_of)
def test_both_precisions_are_scipys(logits: np.ndarray) -> None:
    expected = special.softmax(logits.astype(np.float64), axis=1)
    for probabilities in (softmax(logits), compiled_softmax(logits, 1.0)):
        np.testing.assert_allclose(probabilities, expected, rtol=1e-5, atol=1e-30)
    np.testing.assert_allclose(
        log_softmax(logits), special.log_softmax(logits.astype(np.float64), axis=1), rtol=1e-5, atol=1e-5
    )


def test_float64_logits_keep_their_precision() -> None:
    logits = np.array([[0.1, 0.2, 0.3]])
    np.testing.assert_allclose(log_softmax(logits), special.log_softmax(logits, axis=1), rtol=1e-14)
