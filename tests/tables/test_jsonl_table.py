"""Tables of JSON objects, one on each line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.delimited.layout import Layout
from pipeline.delimited.records import Place
from pipeline.errors import InputError
from pipeline.tables import jsonl_table
from pipeline.tables.columns import NameColumn, NumberColumn
from pipeline.tables.formats import Form, open_table
from pipeline.tables.table import Batch


def read(path: Path, place: Place | None = None, output: Form | None = None) -> tuple[Any, list[Batch]]:
    with open_table(path, Layout(), output=output) as table:
        table.select_columns(["review"])
        return table, list(table.batches(place))


def values(table: Any, batches: list[Batch]) -> list[list[str]]:
    return [row for batch in batches for row in table.values(batch)]


def written(path: Path, *lines: str) -> Path:
    path.write_text("".join(f"{line}\n" for line in lines), "utf-8")
    return path


def test_the_keys_of_the_first_lines_are_the_columns_and_a_missing_one_is_empty(tmp_path: Path) -> None:
    lines = ['{"review": "a", "stars": 5}', "", '{"id": null, "stars": 5.0}', '{"review": "b", "id": true}']
    table, batches = read(written(tmp_path / "a.jsonl", *lines))
    assert table.header == ["review", "stars", "id"]
    assert values(table, batches) == [["a", "5", ""], ["", "5", ""], ["b", "", "true"]]
    assert batches[0].lines[:, 0].tolist() == [1, 3, 4]


def test_marks_line_ends_and_gzip_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b'\xef\xbb\xbf{"review": "a"}\r\n{"review": "\xc3\xa9"}')
    assert values(*read(tmp_path / "a.jsonl")) == [["a"], ["é"]]
    (tmp_path / "b.JSONL.gz").write_bytes(gzip.compress(b'{"review": "b"}\n'))
    assert values(*read(tmp_path / "b.JSONL.gz")) == [["b"]]
    (tmp_path / "c.jsonl").write_bytes('\ufeff{"review": "c"}\n'.encode("utf-16"))
    assert values(*read(tmp_path / "c.jsonl")) == [["c"]]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[1]", "no JSON object, such as {...}"),
        (b'{"review": "cut', 'no JSON: unterminated string starting at, in \'{"review": "cut\''),
        (b'{"review": ["a"]}', "a list or an object where a text was expected in 'review'"),
        (b'{"review": "\\ud800"}', "an escape of half a character"),
        (b'{"review": "\\u0000"}', "a NUL character"),
        (b'{"review": "\xff"}', "byte 0xff at position 13 of line 2 is not utf-8"),
        (b'{"review": "b", "review": "c"}', "a key twice in an object, in 'review'"),
        (b"[" * 100_000, "lists or objects within others, too many to be read"),
        (b'{"n": ' + b"9" * 5000 + b"}", "a number of too many digits"),
        (b'{"review": "' + b"x" * jsonl_table.LINE_LIMIT + b'"}', "a line of more than 4,000,000 bytes"),
    ],
)
def test_a_line_that_cannot_be_read_is_set_aside(tmp_path: Path, line: bytes, reason: str) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(b'{"review": "a"}\n' + line + b'\n{"review": "b"}\n')
    table, batches = read(path)
    assert values(table, batches) == [["a"], ["b"]]
    assert [row[:3] for batch in batches for row in batch.bad] == [(2, 2, reason)]
    assert [number for batch in batches for number in batch.lines[:, 0].tolist()] == [1, 3]


def test_nesting_where_no_text_is_asked_for_is_no_fault(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"review": "a", "tags": ["é", 1]}')
    assert values(*read(path)) == [["a", '["é", 1]']]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", "is empty: an object of JSON on each line was expected"),
        ('[\n{"review": "a"}]\n', "line 1: no JSON: expecting value"),
        ("review,stars\na,5\n", "line 1: no JSON"),
        ('{"text": "a"}\n', "there is no column 'review' among 'text'"),
    ],
)
def test_a_file_without_objects_or_without_the_column_is_an_error(
    tmp_path: Path, content: str, expected: str
) -> None:
    (tmp_path / "a.jsonl").write_text(content)
    with pytest.raises(InputError, match=expected):
        read(tmp_path / "a.jsonl")


def test_damaged_gzip_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl.gz").write_bytes(gzip.compress(b'{"review": "b"}\n' * 99)[:-9])
    with pytest.raises(InputError, match="damaged or no gzip data"):
        read(tmp_path / "a.jsonl.gz")


def test_every_place_continues_a_pass(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_table, "BLOCK_BYTES", 64)
    path = written(tmp_path / "a.jsonl", *(json.dumps({"review": f"é {n}" * (n % 7)}) for n in range(50)))
    table, batches = read(path)
    expected = values(table, batches)
    assert len(batches) > 5 and len(expected) == 50
    for number, batch in enumerate(batches[:-1], 1):
        table, rest = read(path, batch.place)
        assert values(table, rest) == [row for b in batches[number:] for row in table.values(b)]


def test_lines_are_written_as_they_stand(tmp_path: Path) -> None:
    path = written(tmp_path / "a.jsonl", '{"review":"a", "n": 1.50 }', "{}", '{"review": "é"}')
    table, (batch,) = read(path)
    columns = [
        NameColumn("label", np.array([0, 1, 0]), ["no", 'y"es']),
        NumberColumn("p", np.full(3, 0.25, np.float32)),
    ]
    assert table.to_json(batch, columns).decode().splitlines() == [
        '{"review":"a", "n": 1.50, "label": "no", "p": 0.25}',
        '{"label": "y\\"es", "p": 0.25}',
        '{"review": "é", "label": "no", "p": 0.25}',
    ]


def test_what_pandas_writes_for_a_missing_number_is_no_text(tmp_path: Path) -> None:
    table, batches = read(written(tmp_path / "a.ndjson", '{"review": NaN, "n": NaN, "i": Infinity}'))
    assert values(table, batches) == [["", "", "Infinity"]]


def test_no_key_is_written_twice(tmp_path: Path) -> None:
    table, (batch,) = read(written(tmp_path / "a.jsonl", '{"review": "a"}', '{"review": "b", "label": "c"}'))
    with pytest.raises(InputError, match="a.jsonl, line 2: there is a key 'label' already"):
        table.to_json(batch, [NameColumn("label", np.array([0, 0]), ["no"])])


def test_in_another_form_no_key_is_lost_however_late_it_comes(tmp_path: Path) -> None:
    lines = ['{"review": "a"}'] * (jsonl_table.SAMPLE_LINES + 1) + ['{"review": "b", "late": 1}']
    path = written(tmp_path / "a.jsonl", *lines)
    assert read(path, output="jsonl")[0].header == ["review"]
    table, batches = read(path, output="csv")
    assert values(table, batches)[-1] == ["b", "1"]


def test_too_many_keys_are_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jsonl_table, "MAX_KEYS", 2)
    with pytest.raises(InputError, match="more than 2 different keys"):
        read(written(tmp_path / "a.jsonl", '{"review": "a", "b": 1, "c": 1}'))
