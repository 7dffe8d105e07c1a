"""A table that is written with its labels, and what is said of it afterwards."""

from __future__ import annotations

import io
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pipeline.delimited.blocks import CsvBlocks
from pipeline.errors import InputError
from pipeline.images.path_table import PathTable
from pipeline.prediction.drift import Reference
from pipeline.prediction.label_table import LabelledTable, rejects_path
from pipeline.prediction.labeller import Labeller
from pipeline.prediction.output_columns import OutputColumns
from pipeline.tables.block_table import BlockTable
from pipeline.tables.parquet_table import ParquetTable
from tests.prediction.handmade import images_classifier, texts_classifier


def test_a_file_is_labelled_in_its_order_and_its_summary_counts_the_rows(tmp_path: Path) -> None:
    source, output = tmp_path / "rows.csv", tmp_path / "out.csv"
    source.write_text("id,text\n1,good\n2,bad\n3\n4,zzz\n")
    classifier = texts_classifier()
    classifier.reference = Reference(outside=0.0, classes=[0.5, 0.5])
    with CsvBlocks(source, block_size=1) as blocks:
        table = BlockTable(blocks, harmless=False)
        table.select_columns(["text"])
        labelled = LabelledTable(table, Labeller(classifier, OutputColumns(abstain=0.75), Path()), 3)
        labelled.write(output, None)
    assert output.read_text().splitlines() == [
        "id,text,predicted_label,probability", "1,good,good,0.9820", "2,bad,bad,0.9820", "4,zzz,,0.0000",
    ]  # fmt: skip
    assert rejects_path(output).read_text().splitlines()[1] == "4,4,1 field where the header has 2,3"
    first, *lines = labelled.summary(output).splitlines()
    assert first.startswith("predict: 3 rows labelled, ") and first.endswith(f"a second: {output}")
    assert lines == [
        "  texts without any known word, with probability 0: 1",
        "  rows left without a label, of probability below 0.75: 1",
        "  rows that could not be read: 1",
        "    1 field where the header has 2: 1",
        f"  they are listed in {output}.rejects.csv",
        "  unknown words 33.3% (of the validation part 0.0%)",
        "  labels bad 67% (50%), good 33% (50%)",
    ]


def test_the_summary_of_images_says_nothing_of_words(tmp_path: Path) -> None:
    Image.new("L", (2, 2), 200).save(tmp_path / "light.png")
    classifier = images_classifier()
    classifier.reference = Reference(outside=0.0, classes=[0.0, 1.0])
    with PathTable(tmp_path) as files:
        table = BlockTable(files, harmless=False)
        labelled = LabelledTable(table, Labeller(classifier, OutputColumns(), Path()), 1)
        stream = io.BytesIO()
        labelled.to_stream(stream)
    assert stream.getvalue().decode() == (
        f"path,predicted_label,probability\n{tmp_path}/light.png,good,1.0000\n"
    )
    assert labelled.summary(None).splitlines()[1:] == ["  labels good 100% (100%), bad 0% (0%)"]


def test_a_table_without_rows_is_no_parquet_file(tmp_path: Path) -> None:
    source = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": pa.array([], pa.string())}), source)
    table = ParquetTable(source, harmless=False)
    table.select_columns(["text"])
    labelled = LabelledTable(table, Labeller(texts_classifier(), OutputColumns(), Path()), 1)
    with pytest.raises(InputError, match="there are no rows to write as Parquet") as raised:
        labelled.write(tmp_path / "out.parquet", None)
    assert raised.value.option == "output" and not (tmp_path / "out.parquet").exists()


def test_an_error_in_a_thread_is_raised_and_the_stream_ends_where_it_was(tmp_path: Path) -> None:
    source = tmp_path / "rows.csv"
    source.write_text("text\ngood\n")
    classifier = texts_classifier()
    classifier.softmax = lambda logits: 1 / 0
    with CsvBlocks(source) as blocks:
        table = BlockTable(blocks, harmless=False)
        table.select_columns(["text"])
        labelled = LabelledTable(table, Labeller(classifier, OutputColumns(), Path()), 2)
        with pytest.raises(ZeroDivisionError) as raised:
            labelled.to_stream(io.BytesIO())
    assert raised.value.__notes__ == ["standard output ends where it was"]
