"""Batches of Arrow, labelled as a task does it."""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from pipeline.prediction.classifier import Classifier
from pipeline.prediction.labeller import LabelCounts, Labeller
from pipeline.prediction.output_columns import OutputColumns
from tests.prediction.model_folders import save_image_model

pytest.importorskip("pyspark", reason="Spark is installed by `make test-all` alone")
from pipeline.spark.report import RowCounts
from pipeline.spark.tasks import label_batch, valid_utf8

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


@pytest.mark.filterwarnings("ignore:__array__ implementation doesn't:DeprecationWarning")  # TensorFlow's
def test_images_that_cannot_be_read_are_left_out_and_counted_by_reason(tmp_path: Path) -> None:
    save_image_model(tmp_path)
    file = BytesIO()
    Image.new("L", (4, 4), 90).save(file, "PNG")
    contents = [file.getvalue(), b"no image", None, file.getvalue(), b"\xff\xd8\xff broken"]
    batch = pa.record_batch({"id": pa.array(range(5)), "content": pa.array(contents, pa.binary())})
    labelled, counts = label_batch(batch, Labeller(Classifier.load(tmp_path), OutputColumns(), None), [1])
    assert labelled.column("id").to_pylist() == [0, 3]
    assert labelled.num_columns == 4
    assert (counts.labelled.rows, counts.mended, counts.rejects.total) == (2, 0, 3)
    total = RowCounts(LabelCounts.zero(3))
    for _ in range(2):
        total.add(counts)
    assert (total.labelled.rows, total.rejects.total) == (4, 6)
    assert sum(int(line.rpartition(": ")[2]) for line in total.rejects.lines()) == 6
