"""Batches of Arrow, labelled as a task does it."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("pyspark", reason="Spark is installed by `make test-all` alone")
from pipeline.spark.tasks import valid_utf8

BYTES = st.lists(st.none() | st.binary(max_size=8) | st.text(max_size=4).map(str.encode), max_size=6)


@given(BYTES, st.sampled_from([pa.binary(), pa.large_binary(), pa.string(), pa.large_string()]))
def test_only_what_is_not_utf_8_is_mended(values: list[bytes | None], kind: pa.DataType) -> None:
    stored = pa.array(values, pa.large_binary() if "large" in str(kind) else pa.binary())
    column = pa.Array.from_buffers(kind, len(stored), stored.buffers())  # strings that nobody has checked
    found, mended = valid_utf8(column)
    expected = [value if value is None else value.decode("utf-8", "replace") for value in values]
    assert (found.type, found.to_pylist()) == (pa.large_string(), expected)
    assert mended.tolist() == [
        text is not None and text.encode() != value for text, value in zip(expected, values, strict=True)
    ]


def test_a_part_of_a_batch_is_read_from_its_own_first_row() -> None:
    column = pa.array(["w2", "w3 w4", None, "w5"]).slice(1, 2)
    found, mended = valid_utf8(column)
    assert found.to_pylist() == ["w3 w4", None]
    assert mended.tolist() == [False, False]
