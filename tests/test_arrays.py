"""Arrays from a file, checked before a kernel reads them; samples, and distinct values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.arrays import check_array, check_finite, numbered, sample
from pipeline.errors import InputError

TABLE = np.zeros((3, 2), np.float32)


def test_an_array_of_the_expected_type_and_shape_is_taken() -> None:
    check_array("table", TABLE, np.float32, (3, 2))
    check_array("table", TABLE, np.float32, (None, 2))
    check_array("table", np.zeros((0, 2), np.float32), np.float32, (None, 2))


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (TABLE[:2], r"table is float32 \[2, 2\], expected float32 \[3, 2\]"),
        (TABLE.ravel(), r"table is float32 \[6\], expected"),
        (TABLE[..., None], r"table is float32 \[3, 2, 1\], expected"),
        (np.float32(1) + np.zeros((), np.float32), r"table is float32 \[\], expected"),
        (TABLE.astype(np.float64), r"table is float64 \[3, 2\], expected float32"),
        (TABLE.astype(">f4"), r"table is >f4 \[3, 2\], expected"),
        (TABLE.astype(object), r"table is object \[3, 2\], expected"),
        (np.asfortranarray(TABLE), "table does not lie in memory row by row"),
        (np.frombuffer(b"0" * 25, np.uint8)[1:].view(np.float32).reshape(3, 2), "does not lie in memory"),
    ],
)
def test_any_other_is_refused_with_what_was_expected(array: np.ndarray, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_array("table", array, np.float32, (3, 2))


@pytest.mark.parametrize("number", [np.nan, np.inf, -np.inf])
def test_a_number_that_is_not_finite_is_refused(number: float) -> None:
    check_finite("bias", np.ones(2))
    with pytest.raises(InputError, match="bias holds NaN or an infinite number"):
        check_finite("bias", np.array([1, number]))


@given(st.integers(0, 40), st.integers(1, 50), st.integers(0, 3))
def test_a_sample_keeps_the_order_and_has_its_size(count: int, size: int, seed: int) -> None:
    places = np.arange(count) * 3
    found = sample(places, size, seed).tolist()
    assert (
        len(found) == min(count, size) and found == sorted(set(found)) and set(found) <= set(places.tolist())
    )
    assert sample(places, size, seed).tolist() == found


@pytest.mark.parametrize("dtype", [np.int32, np.int64])
@given(values=st.lists(st.integers(-(2**31), 2**31 - 1) | st.integers(0, 3)))
def test_values_are_numbered_as_numpy_does(dtype: type, values: list[int]) -> None:
    distinct, places = numbered(np.array(values, dtype))
    expected, expected_places = np.unique(np.array(values, dtype), return_inverse=True)
    assert distinct.dtype == dtype and places.dtype == np.int64
    assert distinct.tolist() == expected.tolist() and places.tolist() == expected_places.tolist()
