"""What `predict` reads and writes, CSV and Parquet."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.delimited.blocks import CsvBlocks
from pipeline.delimited.layout import Layout
from pipeline.errors import InputError
from pipeline.tables.block_table import BlockTable
from pipeline.tables.columns import NameColumn, NumberColumn
from pipeline.tables.formats import open_table
from pipeline.tables.parquet_table import ParquetTable
from pipeline.tables.table import Batch, named_columns

ROWS = [
    ["1", "a lovely film", "plain"],
    ["2", 'said "so", twice', ""],
    ["3", "two\nlines", "x;y"],
    ["", "", '"'],
    ["5", "café 😀", "\t"],
]
HEADER = ["id", "review", "note, free"]


def csv_file(path: Path, rows: list[list[str]] = ROWS) -> Path:
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([HEADER, *rows])
    return path


def parquet_file(path: Path, **columns: Any) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def texts(batch: Batch) -> list[str]:
    return [batch.data[start:end].tobytes().decode() for start, end in batch.texts.tolist()]


def added(count: int) -> list[NameColumn | NumberColumn]:
    return [
        NameColumn("predicted_label", np.arange(count, dtype=np.int64) % 2, ["no", "y,es"]),
        NumberColumn("probability", np.full(count, 0.5, np.float32)),
    ]


def every(table: BlockTable | ParquetTable) -> list[Batch]:
    return list(table.batches(None))


def read_parquet(
    path: Path, column: str = "review", harmless: bool = False
) -> tuple[ParquetTable, list[Batch]]:
    table = ParquetTable(path, harmless)
    table.select_columns([column])
    return table, every(table)


def parsed(lines: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(lines.decode(), newline=""), strict=True))


def test_a_csv_becomes_parquet_and_csv_again_with_every_column_and_text(tmp_path: Path) -> None:
    with CsvBlocks(csv_file(tmp_path / "rows.csv")) as blocks:
        table = BlockTable(blocks, harmless=False)
        table.select_columns(["review"])
        (batch,) = every(table)
        assert texts(batch) == [row[1] for row in ROWS]
        labelled = table.to_arrow(batch, added(5))
        assert parsed(table.to_csv(batch, added(5))) == [
            [*row, ["no", "y,es"][n % 2], "0.5000"] for n, row in enumerate(ROWS)
        ]
    assert labelled.column_names == [*HEADER, "predicted_label", "probability"]
    assert [list(row.values())[:3] for row in labelled.to_pylist()] == ROWS
    pq.write_table(labelled.select(HEADER), tmp_path / "rows.parquet")
    again, (batch,) = read_parquet(tmp_path / "rows.parquet")
    assert again.header == HEADER
    assert texts(batch) == [row[1] for row in ROWS]
    assert parsed(again.to_csv(batch, added(5))) == [
        [*row, ["no", "y,es"][n % 2], "0.5000"] for n, row in enumerate(ROWS)
    ]


def test_lines_of_a_csv_stand_as_they_are_byte_for_byte(tmp_path: Path) -> None:
    lines = ['1,"plain",a', '2,"a ""b""", c ', "3,,"]
    (tmp_path / "rows.csv").write_text("id,review,x\r\n" + "\r\n".join(lines), newline="")
    with CsvBlocks(tmp_path / "rows.csv") as blocks:
        table = BlockTable(blocks, harmless=False)
        table.select_columns(["review"])
        (batch,) = every(table)
        assert table.to_csv(batch, added(3)).decode().split("\n") == [
            f'{lines[0]},no,0.5000', f'{lines[1]},"y,es",0.5000', f"{lines[2]},no,0.5000", "",
        ]  # fmt: skip


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_the_delimiter_of_the_file_is_that_of_what_is_added(tmp_path: Path, delimiter: str) -> None:
    (tmp_path / "rows.csv").write_text(f"review{delimiter}x\nfine{delimiter}2\n")
    with CsvBlocks(tmp_path / "rows.csv") as blocks:
        table = BlockTable(blocks, harmless=False)
        table.select_columns(["review"])
        (batch,) = every(table)
        one = [NameColumn("label", np.array([0], np.int64), [f"a{delimiter}b"])]
        assert table.to_csv(batch, one).decode() == f'fine{delimiter}2{delimiter}"a{delimiter}b"\n'
        assert table.to_arrow(batch, one).to_pylist() == [
            {"review": "fine", "x": "2", "label": f"a{delimiter}b"}
        ]


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["good", None, "", "bad é", "good"]),
        pa.array(["good", None, "", "bad é", "good"], pa.large_string()),
        pa.array(["good", None, "", "bad é", "good"]).dictionary_encode(),
        pa.array(["good", None, "", "bad é", "good"], pa.large_string()).dictionary_encode(),
    ],
)
def test_strings_of_every_kind_are_read_and_nulls_are_empty_texts_and_stay_nulls(
    tmp_path: Path, column: Any
) -> None:
    path = parquet_file(tmp_path / "rows.parquet", review=column, n=pa.array([1, 2, None, 4, 5]))
    table, (batch,) = read_parquet(path)
    assert texts(batch) == ["good", "", "", "bad é", "good"]
    labelled = table.to_arrow(batch, added(5))
    assert labelled.schema.field("review").type == pq.read_schema(path).field("review").type
    assert labelled["review"].to_pylist() == column.to_pylist()
    assert labelled["n"].to_pylist() == [1, 2, None, 4, 5]
    assert labelled["predicted_label"].to_pylist() == ["no", "y,es", "no", "y,es", "no"]
    assert parsed(table.to_csv(batch, added(5)))[1:3] == [
        ["", "2", "y,es", "0.5000"],
        ["", "", "no", "0.5000"],
    ]


def test_batches_that_are_slices_have_their_own_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tables.parquet.BATCH_ROWS", 3)
    numbers = list(range(10))
    words = pa.array([None if n == 4 else f"text {n}" for n in numbers])
    path = tmp_path / "rows.parquet"
    pq.write_table(pa.table({"n": numbers, "review": words}), path, row_group_size=7)
    table, batches = read_parquet(path)
    assert len(batches) > 3
    assert [text for batch in batches for text in texts(batch)] == [
        "" if n == 4 else f"text {n}" for n in numbers
    ]
    labelled = pa.concat_tables(table.to_arrow(batch, added(len(batch.texts))) for batch in batches)
    assert labelled["n"].to_pylist() == numbers
    assert batches[-1].read == path.stat().st_size


def test_a_pass_goes_on_behind_the_rows_of_any_batch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.tables.parquet.BATCH_ROWS", 3)
    path = parquet_file(tmp_path / "rows.parquet", review=[f"text {n}" for n in range(10)])
    table, batches = read_parquet(path)
    for number, batch in enumerate(batches):
        rest = list(table.batches(batch.place))
        assert [texts(one) for one in rest] == [texts(one) for one in batches[number + 1 :]]


def test_a_file_without_rows_has_no_texts(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "rows.parquet", review=pa.array([], pa.string()))
    assert [texts(batch) for batch in read_parquet(path)[1] if len(batch.texts)] == []


def test_rows_that_are_refused_are_numbered_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.tables.parquet.BATCH_ROWS", 2)
    path = parquet_file(tmp_path / "rows.parquet", review=["a", "b", "c", "d"], n=[1, 2, 3, 4])
    table, (_, second) = read_parquet(path)
    left = table.without(second, ["", "no image"])
    assert left.rows["n"].to_pylist() == [3]
    assert [tuple(row) for row in left.bad] == [(4, 4, "no image", "d")]
    with CsvBlocks(csv_file(tmp_path / "rows.csv")) as blocks:
        of_csv = BlockTable(blocks, harmless=False)
        of_csv.select_columns(["review"])
        (batch,) = every(of_csv)
        left = of_csv.without(batch, ["", "", "no image", "", "gone"])
        assert [row[:3] for row in left.bad] == [(4, 5, "no image"), (7, 7, "gone")]
        assert [row[0] for row in parsed(of_csv.to_csv(left, added(3)))] == ["1", "2", ""]
        assert of_csv.to_arrow(left, added(3))["id"].to_pylist() == ["1", "2", ""]


def test_what_python_or_json_lacks_is_written_nevertheless(tmp_path: Path) -> None:
    path = parquet_file(
        tmp_path / "a.parquet",
        review=["a", "b"],
        number=[float("nan"), 1.0],
        nested=pa.array([[float("inf"), 1.0], None]),
        raw=pa.array([b"\xffx", None]),
        time=pa.array([2**62, 0], pa.timestamp("us")),
    )
    with open_table(path, Layout()) as table:
        table.select_columns(["review"])
        (batch,) = table.batches()
        first, second = table.values(batch)
        assert first == ["a", "", "[inf, 1.0]", "\\xffx", "<value out of range: 4611686018427387904>"]
        assert second == ["b", "1", "", "", "1970-01-01 00:00:00.000000"]
        records = [json.loads(line) for line in table.to_json(batch, added(2)).splitlines()]
        assert records[0]["number"] is None and records[0]["nested"] == [None, 1.0]


def test_harmless_lines_begin_no_formula(tmp_path: Path) -> None:
    rows = [["1", "=A1", '-"2"'], ["2", "fine", "+\n1"]]
    expected = [["1", "'=A1", '\'-"2"'], ["2", "fine", "'+\n1"]]
    label = [NameColumn("label", np.array([0, 1], np.int64), ["@x", "y"])]
    with CsvBlocks(csv_file(tmp_path / "rows.csv", rows)) as blocks:
        table = BlockTable(blocks, harmless=True)
        table.select_columns(["review"])
        (batch,) = every(table)
        assert texts(batch) == ["=A1", "fine"]  # what is labelled is the text itself
        found = parsed(table.to_csv(batch, label))
    assert [row[:3] for row in found] == expected and [row[3] for row in found] == ["'@x", "y"]
    path = parquet_file(tmp_path / "rows.parquet", **dict(zip(HEADER, zip(*rows, strict=True), strict=True)))
    of_parquet, (batch,) = read_parquet(path, harmless=True)
    assert parsed(of_parquet.to_csv(batch, label)) == found


def test_harmless_lines_above_the_header_begin_no_formula_and_excels_line_stays(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text('sep=;\n=1+1;"@x"\nfine; =2\n+id;review\n1;a\n')
    for harmless, expected in [
        (True, "sep=;\n'=1+1;'@x\nfine; =2\n'+id;review;label\n"),
        (False, 'sep=;\n=1+1;"@x"\nfine; =2\n+id;review;label\n'),
    ]:
        with open_table(path, Layout(skip=3), harmless) as table:
            assert table.csv_header(["label"]).decode() == expected


def test_a_harmless_line_above_the_header_may_be_as_long_as_a_row(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    path.write_text(f"{'x' * 300_000}\n{'=y' * 300_000}\nid,review\n1,a\n")
    with open_table(path, Layout(skip=2), harmless=True) as table:
        lines = table.csv_header([]).decode().splitlines()
    assert [line[:3] for line in lines] == ["xxx", "'=y", "id,"]


def test_the_rows_of_every_format_are_read_in_the_same_way(tmp_path: Path) -> None:
    paths = [csv_file(tmp_path / "rows.csv"), tmp_path / "rows.parquet"]
    columns = dict(zip(HEADER, zip(*ROWS, strict=True), strict=True))
    parquet_file(paths[1], **columns)
    for path in paths:
        with open_table(path, Layout()) as table:
            assert (table.name, table.column("review", "source.text")) == (str(path), 1)
            table.select_columns(["review"])
            (batch,) = table.batches()
            assert list(table.values(batch)) == ROWS
            assert len(batch.lines) == 5 and batch.lines[0, 0] == (2 if path.suffix == ".csv" else 1)


def test_a_column_that_is_missing_or_holds_no_strings_is_named(tmp_path: Path) -> None:
    path = parquet_file(tmp_path / "rows.parquet", review=["a"], stars=[5], lists=[["a"]])
    for name, expected in [
        (
            "text",
            r"rows.parquet: there is no column 'text' among 'review', 'stars', 'lists'",
        ),
        ("stars", r"rows.parquet: column 'stars' holds int64, not strings"),
        ("lists", r"rows.parquet: column 'lists' holds list<.*>, not strings"),
    ]:
        with pytest.raises(InputError, match=expected) as raised:
            ParquetTable(path, False).select_columns([name])
        assert raised.value.option == "source.text"
    pq.write_table(pa.Table.from_arrays([pa.array(["a"]), pa.array(["b"])], ["x", "x"]), path)
    with pytest.raises(InputError, match=r"rows.parquet: 2 columns are named 'x': give each its own name"):
        ParquetTable(path, False)


def damaged(content: bytes, how: str) -> bytes:
    middle = len(content) // 3
    return {
        "empty": b"",
        "no parquet": b"review\nfine\n" * 20,
        "cut": content[:middle],
        "flipped": content[:4] + bytes(255 - byte for byte in content[4:middle]) + content[middle:],
        "footer": content[:-100] + bytes(92) + content[-8:],
    }[how]


@pytest.mark.parametrize("how", ["empty", "no parquet", "cut", "flipped", "footer"])
def test_a_damaged_file_is_one_line_with_the_remedy(tmp_path: Path, how: str) -> None:
    path = tmp_path / "rows.parquet"
    random = np.random.default_rng(1)
    strings = [random.bytes(9).hex() for _ in range(2000)]
    pq.write_table(pa.table({"review": strings}), path, use_dictionary=False)
    path.write_bytes(damaged(path.read_bytes(), how))
    with pytest.raises(InputError, match=r"rows.parquet.*(damaged|no Parquet file).*: write it again"):
        read_parquet(path)


def test_strings_that_are_not_utf_8_are_damage(tmp_path: Path) -> None:
    path, raw = tmp_path / "rows.parquet", pa.array([b"fine", b"caf\xe9"], pa.binary())
    strings = pa.Array.from_buffers(pa.string(), 2, raw.buffers())
    for name in ("review", "other"):
        pq.write_table(pa.table({"review": ["a", "b"]} | {name: strings}), path)
        with pytest.raises(InputError, match=r"rows.parquet, after row 0: damaged .*UTF8"):
            read_parquet(path)


@pytest.mark.parametrize(
    ("given", "expected"),
    [("text", ["text"]), ("title, body", ["title", "body"]), ("a,b", ["a,b"]), (",", [","])],
)
def test_a_text_names_one_column_or_several(given: str, expected: list[str]) -> None:
    assert named_columns(given, ["a", "b", "a,b"]) == expected


def test_a_column_cannot_be_named_twice() -> None:
    with pytest.raises(InputError, match="column 'title' is named twice in 'title,body, title'") as error:
        named_columns("title,body, title", ["title", "body"])
    assert error.value.option == "source.text"
