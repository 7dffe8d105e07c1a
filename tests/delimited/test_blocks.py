"""Blocks of bytes against the csv module, a physical line at a time."""

from __future__ import annotations

import csv
import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.delimited.blocks import CsvBlocks
from pipeline.delimited.layout import Layout
from pipeline.delimited.records import FIELD_LIMIT, Place
from tests.delimited.reading import contents, plain, read_blocks

ROOT = Path(__file__).resolve().parents[2]


def expected(
    text: str, encoding: str = "utf-8", limit: int = FIELD_LIMIT, extra: int = 0
) -> list[tuple[object, ...]]:
    """(first line, last line, values or reason, the line's text if bad) of each record after the header."""
    lines = re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", text)
    found: list[tuple[object, ...]] = []
    at, width, nameless, spare, before = 0, 0, 0, 32 * limit, csv.field_size_limit(limit)
    while at < len(lines):
        record: list[str] = []

        def taken(at: int = at, record: list[str] = record) -> Iterator[str]:
            for line in lines[at:]:
                record.append(line)
                if sum(map(len, record)) >= 4 * limit:
                    raise csv.Error("too long")
                yield line

        reason = ""
        try:
            values = next(csv.reader(taken(), strict=True), None)
        except csv.Error as error:
            reason = str(error)
        whole, first = "".join(record)[: 4 * limit], at + 1
        at, spare = at + len(record), spare + size(whole)
        if not reason:
            if not values:
                continue
            width = width or len(values)
            if extra and len(values) == width + extra and not "".join(values[width:]).strip(" "):
                values = values[:width]
            if not found:
                nameless = next((n for n, name in enumerate(reversed(values)) if name.strip()), width)
            if width - nameless <= len(values) < width:
                values += [""] * (width - len(values))
            reason = misfit(record, first, encoding, len(values), width)
        elif "expected after" in reason:
            reason = "a quote inside a quoted field is not doubled"
        else:
            reason = refusal(reason, len(record), limit)
            if len(record) > 1 and size(whole) <= spare:
                at, spare, whole = first, spare + size(record[0]) - 2 * size(whole), record[0]
        text = whole.rstrip("\r\n").encode("utf-8", "backslashreplace").decode()
        found.append((first, at, reason, text) if reason else (first, at, values))
    csv.field_size_limit(before)
    return found[1:]


def extra_of(path: Path, encoding: str = "utf-8", limit: int = FIELD_LIMIT) -> int:
    with CsvBlocks(path, Layout(encoding), limit) as file:
        return file.extra


def without_tails(found: list[tuple[object, ...]]) -> list[tuple[object, ...]]:
    """The texts of bad rows without empty fields at their ends, which are no part of a record."""
    return [(*row[:3], *(str(text).rstrip(' ,"') for text in row[3:])) for row in found]


def size(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))


def refusal(message: str, lines: int, limit: int) -> str:
    if "end of data" in message:
        return "a quote is opened and not closed before the end of the file"
    if lines > 1:
        return f"a quote is opened and not closed within {limit:,} characters"
    if message == "too long":
        return f"a line of {4 * limit:,} characters or more"
    return f"a field of more than {limit:,} characters"


def misfit(record: list[str], first: int, encoding: str, width: int, header: int) -> str:
    for number, line in enumerate(record, first):
        if stray := re.search("[\ud800-\udfff]", line):
            position = len(line[: stray.start()].encode(encoding, "replace")) + 1
            byte = f"0x{ord(stray[0]) & 0xFF:02x}"
            return f"byte {byte} at position {position} of line {number} is not {encoding}"
    if "\0" in "".join(record):
        return "a NUL character"
    return (
        ""
        if width == header
        else f"{width} {'field' if width == 1 else 'fields'} where the header has {header}"
    )


# By hand


def test_a_block_tells_where_records_and_texts_stand(path: Path) -> None:
    path.write_bytes(b'label,text\n1,fine\n\n"0","a ""b"", c\nd"\r\n,""\n')
    with CsvBlocks(path) as file:
        assert (file.header, file.dialect.delimiter, file.bytes_total) == (["label", "text"], ",", 43)
        (block,) = file.blocks(file.column("text", "source.text"))
        assert file.bytes_read == 43
    at = [[block.data[start:end].tobytes() for start, end in spans] for spans in (block.records, block.texts)]
    assert at[0] == [b"1,fine", b'"0","a ""b"", c\nd"', b',""']
    assert at[1] == [b"fine", b'a ""b"", c\nd', b""]
    assert block.doubled.tolist() == [False, True, False]
    assert block.lines.tolist() == [[2, 2], [4, 5], [6, 6]]
    assert (block.bad, block.place[:2]) == ([], (43, 6))
    assert [array.dtype for array in block[:5]] == [np.uint8, np.int64, np.int64, np.bool_, np.int64]


def test_bad_rows_stand_beside_the_good_ones(path: Path) -> None:
    path.write_bytes(b'a,b\n1,2\nx\n"y" z,2\n\xff,1\n3,\0\n5" x,6\n"7,8\n9,10')
    assert plain(read_blocks(path)) == [
        (2, 2, ["1", "2"]),
        (3, 3, "1 field where the header has 2", "x"),
        (4, 4, "a quote inside a quoted field is not doubled", '"y" z,2'),
        (5, 5, "byte 0xff at position 1 of line 5 is not utf-8", "\\udcff,1"),
        (6, 6, "a NUL character", "3,\0"),
        (7, 7, ['5" x', "6"]),
        (8, 8, "a quote is opened and not closed before the end of the file", '"7,8'),
        (9, 9, ["9", "10"]),
    ]  # fmt: skip


# Any bytes

PIECES = st.lists(st.sampled_from([
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"a", b"long enough", b"\xff", b"\0", "é好😀".encode(),
    "\ud55c".encode(), b"\xe2\x82", b"\xed\xa0\x80", b"1,2\n", b'1,"x\n', b'x","""\n', b'"x,""y"" \n",1\n',
]), max_size=60).map(b"".join)  # fmt: skip
LIMITS = st.sampled_from([4, 12, FIELD_LIMIT])
HEADERS = st.sampled_from([b"a,b\n", b"a,,\n", b'a, ,""\n'])
SIZES = st.sampled_from([1, 2, 3, 7, 16, 64, 1 << 20])


@settings(max_examples=600)
@given(content=st.one_of(PIECES, st.binary(max_size=200)), limit=LIMITS, size=SIZES, header=HEADERS)
def test_any_bytes_are_read_as_the_csv_module_reads_them(
    scratch: Path, content: bytes, limit: int, size: int, header: bytes
) -> None:
    scratch.write_bytes(header + content)
    text = (header + content).decode("utf-8", "surrogateescape")
    found = plain(read_blocks(scratch, field_limit=limit, block_size=size))
    rows = expected(text, limit=limit, extra=extra_of(scratch, limit=limit))
    assert without_tails(found) == without_tails(rows)


@settings(max_examples=150)
@given(
    content=PIECES, encoding=st.sampled_from(["windows-1252", "ascii", "shift_jis", "gb18030"]), size=SIZES
)
def test_other_encodings_are_read_in_the_same_way(
    scratch: Path, content: bytes, encoding: str, size: int
) -> None:
    scratch.write_bytes(b"a,b\n" + content)
    text = (b"a,b\n" + content).decode(encoding, "surrogateescape")
    found = plain(read_blocks(scratch, encoding, column=1, block_size=size))
    assert without_tails(found) == without_tails(expected(text, encoding, extra=extra_of(scratch, encoding)))


@settings(max_examples=150)
@given(
    content=PIECES, limit=LIMITS, size=SIZES, later=SIZES, pack=st.sampled_from([bytes, gzip.compress]),
    encoding=st.sampled_from(["utf-8", "windows-1252"]), mark=st.booleans(),
)  # fmt: skip
def test_reading_goes_on_from_any_place_as_if_it_had_not_stopped(
    scratch: Path, content: bytes, limit: int, size: int, later: int, pack, encoding: str, mark: bool
) -> None:
    bom = b"\xef\xbb\xbf" if mark and encoding == "utf-8" else b""
    scratch.write_bytes(pack(bom + b"a,b\n" + content))
    with CsvBlocks(scratch, Layout(encoding), limit, size) as file:
        blocks = [(block.place, contents(file, block, 0)) for block in file.blocks(0)]
    for number in range(0, len(blocks), max(1, len(blocks) // 4)):
        place = Place(*json.loads(json.dumps(blocks[number][0])))
        rest = [row for _, rows in blocks[number + 1 :] for row in rows]
        assert read_blocks(scratch, encoding, place=place, field_limit=limit, block_size=later) == rest
