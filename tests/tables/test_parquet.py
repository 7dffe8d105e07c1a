"""Parquet files whose rows are many times the bytes of the file."""

from __future__ import annotations

import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline import reading
from pipeline.errors import InputError
from pipeline.tables import parquet
from pipeline.tables.parquet import ParquetBatches

ROOT = Path(__file__).resolve().parents[2]


def repeated(text: str, rows: int) -> pa.DictionaryArray:
    """A column of one long string in each row, without the bytes of each."""
    return pa.DictionaryArray.from_arrays(pa.array(np.zeros(rows, np.int32)), pa.array([text]))


def written(path: Path, store_schema: bool = False, **columns: Any) -> Path:
    """A file whose dictionaries are read as strings, unless the schema is stored beside them."""
    table = pa.table(columns)
    with pq.ParquetWriter(path, table.schema, store_schema=store_schema, compression="zstd") as writer:
        writer.write_table(table)
    return path


@pytest.mark.parametrize("store_schema", [False, True])
def test_one_long_string_in_every_row_is_read_in_bounded_batches(tmp_path: Path, store_schema: bool) -> None:
    path = written(tmp_path / "rows.parquet", store_schema, text=repeated("a" * 300_000, 5_000))
    assert path.stat().st_size < 1000
    for batch in itertools.islice(ParquetBatches(path), 4):
        texts = batch.column(0).cast(pa.string())
        assert batch.num_rows >= 2
        assert texts.nbytes <= parquet.BATCH_BYTES + 8 * batch.num_rows
        assert batch.schema == pq.read_schema(path)


def test_a_long_string_that_only_later_rows_have_counts_from_the_first(tmp_path: Path) -> None:
    indices = pa.array(np.r_[np.zeros(1000), np.ones(2000)].astype(np.int32))
    column = pa.DictionaryArray.from_arrays(indices, pa.array(["short", "b" * 1_000_000]))
    path = written(tmp_path / "rows.parquet", text=column)
    assert max(batch.nbytes for batch in itertools.islice(ParquetBatches(path), 40)) <= parquet.BATCH_BYTES


@pytest.mark.parametrize(
    "column",
    [
        pa.array([{"text": "a" * 300_000}] * 400),
        pa.array([["a" * 300_000]] * 400),
        pa.array([[("key", "a" * 300_000)]] * 400, pa.map_(pa.string(), pa.string())),
        pa.array([b"a" * 300_000] * 400, pa.binary(300_000)),
        pa.array(["a" * 300_000] * 400),
    ],
    ids=["struct", "list", "map", "fixed size", "string"],
)
def test_long_values_of_every_type_are_read_in_bounded_batches(tmp_path: Path, column: Any) -> None:
    pq.write_table(pa.table({"text": column}), tmp_path / "rows.parquet", compression="zstd")
    batches = list(ParquetBatches(tmp_path / "rows.parquet"))
    assert max(batch.nbytes for batch in batches) <= parquet.BATCH_BYTES + 1000
    assert pa.Table.from_batches(batches)["text"].combine_chunks().equals(column)


def test_strings_that_repeat_the_one_before_are_read_in_bounded_batches(tmp_path: Path) -> None:
    table = pa.table({"text": ["a" * 300_000] * 1_000})
    path = tmp_path / "rows.parquet"
    pq.write_table(table, path, use_dictionary=False, column_encoding={"text": "DELTA_BYTE_ARRAY"})
    assert path.stat().st_size < 1_000_000
    assert max(batch.nbytes for batch in ParquetBatches(path)) <= parquet.BATCH_BYTES + 1000


def test_short_rows_come_in_whole_batches(tmp_path: Path) -> None:
    texts = [f"a film of number {number}" for number in range(40_000)]
    path = written(tmp_path / "rows.parquet", id=list(range(40_000)), text=texts)
    sizes = [batch.num_rows for batch in ParquetBatches(path)]
    assert sizes == [parquet.BATCH_ROWS, parquet.BATCH_ROWS, 40_000 - 2 * parquet.BATCH_ROWS]


def test_a_list_that_unpacks_as_a_bomb_does_is_refused_before_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reading, "UNPACKED_BYTES", 1 << 20)
    elements = 1 << 22
    values = pa.array(np.zeros(elements, np.bool_))
    lists = pa.ListArray.from_arrays(pa.array([0, elements], pa.int32()), values)
    path = written(tmp_path / "rows.parquet", flags=lists)
    with pytest.raises(
        InputError, match=r"rows.parquet: column 'flags.list.element' unpacks from .* decompression bomb"
    ):
        next(iter(ParquetBatches(path)))


@settings(max_examples=30)
@given(
    st.lists(st.one_of(st.none(), st.text(max_size=5), st.text("é", min_size=30, max_size=90)), max_size=60),
    st.integers(1, 30),
    st.booleans(),
)
def test_batches_of_any_bound_hold_the_rows_in_their_order(
    tmp_path_factory: pytest.TempPathFactory, texts: list[str | None], group: int, dictionary: bool
) -> None:
    path = tmp_path_factory.mktemp("rows") / "rows.parquet"
    column = pa.array(texts, pa.string())
    table = pa.table({"n": range(len(texts)), "text": column.dictionary_encode() if dictionary else column})
    pq.write_table(table, path, row_group_size=group)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(parquet, "BATCH_BYTES", 100)
        patch.setattr(parquet, "READ_BYTES", 1000)
        batches = list(ParquetBatches(path))
    assert [row for batch in batches for row in batch.to_pylist()] == table.to_pylist()


def test_a_pipe_or_a_folder_is_refused_without_waiting(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.parquet")
    for path in (tmp_path / "pipe.parquet", tmp_path):
        with pytest.raises(InputError, match="is not a file: name a Parquet file"):
            ParquetBatches(path)


def test_too_little_memory_is_not_told_as_damage(tmp_path: Path) -> None:
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"text": ["a" * 100_000_000]}), path, compression=None)
    code = (
        "import resource, sys\nfrom pathlib import Path\nfrom pipeline.tables.parquet import ParquetBatches\n"
        "batches = ParquetBatches(Path(sys.argv[1]))\n"
        "used = int(Path('/proc/self/statm').read_text().split()[0]) * resource.getpagesize()\n"
        "resource.setrlimit(resource.RLIMIT_AS, (used + (30 << 20),) * 2)\n"
        "try:\n    next(iter(batches))\nexcept MemoryError:\n    print('memory')"
    )
    done = subprocess.run([sys.executable, "-c", code, path], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout == "memory\n", done.stderr


def test_json_and_names_with_dots_are_read_as_by_pyarrow(tmp_path: Path) -> None:
    texts = ["{}", '{"a": 1}', None]
    table = pa.table({
        "json": pa.array(texts, pa.json_()),
        "a.b": ["flat", "flat", "long " * 100],
        "a": [{"b": "x"}, {"b": "y"}, None],
    })  # fmt: skip
    pq.write_table(table, tmp_path / "new.parquet")
    batches = list(ParquetBatches(tmp_path / "new.parquet"))
    assert pa.Table.from_batches(batches).equals(pq.read_table(tmp_path / "new.parquet"))


def test_a_file_that_is_missing_is_not_called_damaged(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="a.parquet does not exist: name a Parquet file"):
        ParquetBatches(tmp_path / "a.parquet")
