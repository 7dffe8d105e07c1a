"""Blocks of bytes against the csv module, a physical line at a time."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.errors import InputError
from pipeline.tables.blocks import FIELD_LIMIT, Block, CsvBlocks, Place
from pipeline.tables.faults import BadRow

ROOT = Path(__file__).resolve().parents[2]


class Found(NamedTuple):
    """A record: its lines, its fields, the text as it stands and as the field says."""

    first_line: int
    last_line: int
    values: list[str]
    text: str


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "rows.csv"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One path for all of a property's examples: hypothesis forbids a fresh one for each."""
    return tmp_path_factory.mktemp("blocks") / "rows.csv"


def contents(file: CsvBlocks, block: Block, column: int) -> list[Found | BadRow]:
    """What a block holds, in file order."""
    found: list[Found | BadRow] = list(block.bad)
    assert [row.first_line for row in block.bad] == sorted(row.first_line for row in block.bad)
    for number, (start, end) in enumerate(block.records):
        (values,) = csv.reader([block.data[start:end].tobytes().decode()], delimiter=file.delimiter)
        start, end = block.texts[number]
        text = block.data[start:end].tobytes().decode()
        if block.doubled[number]:
            assert '""' in text
            text = text.replace('""', '"')
        assert text == values[column]
        first, last = block.lines[number].tolist()
        found.append(Found(first, last, values, text))
    return sorted(found, key=lambda row: row.first_line)


def read(
    path: Path | None, encoding: str = "utf-8", column: int = 0, place: Place | None = None, **limits: int
) -> list[Found | BadRow]:
    with CsvBlocks(path, encoding, **limits) as file:
        return [row for block in file.blocks(column, place) for row in contents(file, block, column)]


def expected(text: str, encoding: str = "utf-8", limit: int = FIELD_LIMIT) -> list[tuple[object, ...]]:
    """(first line, last line, values or reason, the line's text if bad) of each record after the header."""
    lines = re.findall(r"[^\r\n]*(?:\r\n?|\n)|[^\r\n]+", text)
    found: list[tuple[object, ...]] = []
    at, width, spare, before = 0, 0, 32 * limit, csv.field_size_limit(limit)
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


def plain(found: list[Found | BadRow]) -> list[tuple[object, ...]]:
    return [tuple(row) if isinstance(row, BadRow) else tuple(row[:3]) for row in found]


# By hand


def test_a_block_tells_where_records_and_texts_stand(path: Path) -> None:
    path.write_bytes(b'label,text\n1,fine\n\n"0","a ""b"", c\nd"\r\n,""\n')
    with CsvBlocks(path) as file:
        assert (file.header, file.delimiter, file.bytes_total) == (["label", "text"], ",", 43)
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
    assert plain(read(path)) == [
        (2, 2, ["1", "2"]),
        (3, 3, "1 field where the header has 2", "x"),
        (4, 4, "a quote inside a quoted field is not doubled", '"y" z,2'),
        (5, 5, "byte 0xff at position 1 of line 5 is not utf-8", "\\udcff,1"),
        (6, 6, "a NUL character", "3,\0"),
        (7, 7, ['5" x', "6"]),
        (8, 8, "a quote is opened and not closed before the end of the file", '"7,8'),
        (9, 9, ["9", "10"]),
    ]  # fmt: skip


def test_a_line_end_cut_by_a_block_is_one_line_end(path: Path) -> None:
    path.write_bytes(b"a,b\r\n1,2\r\n\r\n3,4\r5,6\r\n")
    for block_size in range(1, 24):
        assert plain(read(path, block_size=block_size)) == [
            (2, 2, ["1", "2"]), (4, 4, ["3", "4"]), (5, 5, ["5", "6"]),
        ]  # fmt: skip


def test_limits_count_characters_and_not_bytes(path: Path) -> None:
    path.write_bytes('a,b\n好好好好,"é""é"\n好好好好好,1\n'.encode())
    assert plain(read(path, field_limit=4)) == [
        (2, 2, ["好好好好", 'é"é']),
        (3, 3, "a field of more than 4 characters", "好好好好好,1"),
    ]


def test_a_line_far_longer_than_a_block_is_passed_over(path: Path) -> None:
    path.write_bytes(b"a,b\n" + b"x" * 1000 + b",1\r\n8,9\n")
    assert plain(read(path, field_limit=10, block_size=16)) == [
        (2, 2, "a line of 40 characters or more", "x" * 40),
        (3, 3, ["8", "9"]),
    ]


# Any bytes

PIECES = st.lists(st.sampled_from([
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"a", b"long enough", b"\xff", b"\0", "é好😀".encode(),
    "\ud55c".encode(), b"\xe2\x82", b"\xed\xa0\x80", b"1,2\n", b'1,"x\n', b'x","""\n', b'"x,""y"" \n",1\n',
]), max_size=60).map(b"".join)  # fmt: skip
LIMITS = st.sampled_from([4, 12, FIELD_LIMIT])
SIZES = st.sampled_from([1, 2, 3, 7, 16, 64, 1 << 20])


@settings(deadline=None, max_examples=600)
@given(content=st.one_of(PIECES, st.binary(max_size=200)), limit=LIMITS, size=SIZES)
def test_any_bytes_are_read_as_the_csv_module_reads_them(
    scratch: Path, content: bytes, limit: int, size: int
) -> None:
    scratch.write_bytes(b"a,b\n" + content)
    text = (b"a,b\n" + content).decode("utf-8", "surrogateescape")
    assert plain(read(scratch, field_limit=limit, block_size=size)) == expected(text, limit=limit)


@settings(deadline=None, max_examples=150)
@given(
    content=PIECES, encoding=st.sampled_from(["windows-1252", "ascii", "shift_jis", "gb18030"]), size=SIZES
)
def test_other_encodings_are_read_in_the_same_way(
    scratch: Path, content: bytes, encoding: str, size: int
) -> None:
    scratch.write_bytes(b"a,b\n" + content)
    text = (b"a,b\n" + content).decode(encoding, "surrogateescape")
    assert plain(read(scratch, encoding, column=1, block_size=size)) == expected(text, encoding)


@settings(deadline=None, max_examples=150)
@given(
    content=PIECES, limit=LIMITS, size=SIZES, later=SIZES, pack=st.sampled_from([bytes, gzip.compress]),
    encoding=st.sampled_from(["utf-8", "windows-1252"]), mark=st.booleans(),
)  # fmt: skip
def test_reading_goes_on_from_any_place_as_if_it_had_not_stopped(
    scratch: Path, content: bytes, limit: int, size: int, later: int, pack, encoding: str, mark: bool
) -> None:
    bom = b"\xef\xbb\xbf" if mark and encoding == "utf-8" else b""
    scratch.write_bytes(pack(bom + b"a,b\n" + content))
    with CsvBlocks(scratch, encoding, limit, size) as file:
        blocks = [(block.place, contents(file, block, 0)) for block in file.blocks(0)]
    for number in range(0, len(blocks), max(1, len(blocks) // 4)):
        place = Place(*json.loads(json.dumps(blocks[number][0])))
        rest = [row for _, rows in blocks[number + 1 :] for row in rows]
        assert read(scratch, encoding, place=place, field_limit=limit, block_size=later) == rest


# Files


@pytest.mark.parametrize("block_size", [1, 5, 1 << 20])
def test_utf_16_is_read_up_to_bytes_that_are_none(path: Path, block_size: int) -> None:
    path.write_bytes('a,b\n好,"1\n😀"\n'.encode("utf-16"))
    assert plain(read(path, "utf-16", block_size=block_size)) == [(2, 3, ["好", "1\n😀"])]
    path.write_bytes("a,b\n1,2\n".encode("utf-16-le") + b"\x00\xd8\x31\x00\n\x00")
    with pytest.raises(InputError, match="not utf-16-le"):
        read(path, "utf-16-le", block_size=block_size)


def test_what_stands_before_damage_in_gzip_is_read_whatever_the_block(path: Path) -> None:
    rows = b"".join(b"%d,%s\n" % (number, os.urandom(40).hex().encode()) for number in range(20_000))
    path.write_bytes(gzip.compress(b"a,b\n" + rows)[:-50_000])
    seen = []
    for block_size in (1000, 70_000, 1 << 22):
        count = 0
        with CsvBlocks(path, block_size=block_size) as file, pytest.raises(InputError) as error:
            for block in file.blocks(0):
                count += len(block.records)
        assert "damaged or no gzip data" in str(error.value)
        assert f"after line {count + 1}:" in str(error.value)
        seen.append(count)
    assert seen[0] > 10_000 and len(set(seen)) == 1


def test_a_file_shorter_than_the_place_is_refused(path: Path) -> None:
    for pack in (bytes, gzip.compress):
        path.write_bytes(pack(b"a,b\n1,2\n"))
        assert read(path, place=Place(8, 2, 0, False)) == []
        with pytest.raises(InputError, match="ends before byte 9, where an earlier pass stopped"):
            read(path, place=Place(9, 2, 0, False))


STANDARD_INPUT = """
from pipeline.tables.blocks import CsvBlocks, Place
import sys
with CsvBlocks(None) as file:
    print(file.header, file.bytes_total)
    place = Place(int(sys.argv[1]), 2, 0, False) if sys.argv[1:] else None
    for block in file.blocks(0, place):
        print([block.data[start:end].tobytes() for start, end in block.records], block.lines.tolist())
    print(file.bytes_read)
"""


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_through_a_pipe_however_slowly_it_comes(pack) -> None:
    content = pack(b'a,b\n1,"2\n"\n3,4')
    with subprocess.Popen(
        [sys.executable, "-c", STANDARD_INPUT], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as reader:
        assert reader.stdin and reader.stdout
        for byte in content:
            reader.stdin.write(bytes([byte]))
            reader.stdin.flush()
        reader.stdin.close()
        found = reader.stdout.read().decode().splitlines()
    assert found == ["['a', 'b'] 0", "[b'1,\"2\\n\"', b'3,4'] [[2, 3], [4, 4]]", str(len(content))]


def test_standard_input_goes_on_from_a_place_by_reading_on() -> None:
    done = subprocess.run(
        [sys.executable, "-c", STANDARD_INPUT, "8"], cwd=ROOT, input=b"a,b\n1,2\n3,4\n", capture_output=True
    )
    assert done.stdout.decode().splitlines() == ["['a', 'b'] 0", "[b'3,4'] [[3, 3]]", "12"]
