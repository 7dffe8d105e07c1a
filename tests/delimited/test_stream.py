"""The window over a file's text: progress, memory, damage, standard input, and seeking."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest

from pipeline.delimited.blocks import CsvBlocks
from pipeline.delimited.faults import BadRow
from pipeline.delimited.records import Place
from pipeline.errors import InputError
from tests.delimited.reading import CsvFile, Row, plain, read_blocks, refusal

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bytes_read_grow_to_the_size_of_the_file(path, pack):
    path.write_bytes(pack(b"a,b\n" + b"".join(b"%d,%d\n" % (i * i, -i) for i in range(50_000))))
    with CsvFile(path) as file:
        seen = [file.bytes_read for _ in file]
        assert seen == sorted(seen) and 0 < seen[0] < file.bytes_total / 2
        assert seen[-1] == file.bytes_read == file.bytes_total == path.stat().st_size


def test_bytes_that_are_no_utf_16_end_the_reading(path):
    content = "a,b\n1,2\n".encode("utf-16-le") + b"\x00\xd8\x31\x00\n\x00"
    assert "not utf-16-le" in refusal(path, content, "utf-16-le")


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "rows.csv.gz"
    packed = gzip.compress(b"a,b\n" + os.urandom(20_000).hex().encode() + b",1\n")
    for content in (packed[:5], packed[:-9], packed[:9000] + b"\xff" * 9 + packed[9009:], b"a,b\n1,2\n"):
        assert "damaged or no gzip data" in refusal(path, content)


def test_thirty_megabytes_in_one_line_cost_one_row_and_little_memory(path):
    path.write_bytes(b"a,b\n" + b"x" * 30_000_000 + b",1\n8,9\n")
    tracemalloc.start()
    with CsvFile(path) as file:
        found = list(file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [type(row) for row in found] == [BadRow, Row]
    assert found[1].first_line == 3
    assert peak < 24_000_000


@pytest.mark.parametrize("block_size", [1, 5, 1 << 20])
def test_utf_16_is_read_up_to_bytes_that_are_none(path: Path, block_size: int) -> None:
    path.write_bytes('a,b\n好,"1\n😀"\n'.encode("utf-16"))
    assert plain(read_blocks(path, "utf-16", block_size=block_size)) == [(2, 3, ["好", "1\n😀"])]
    path.write_bytes("a,b\n1,2\n".encode("utf-16-le") + b"\x00\xd8\x31\x00\n\x00")
    with pytest.raises(InputError, match="not utf-16-le"):
        read_blocks(path, "utf-16-le", block_size=block_size)


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
        assert read_blocks(path, place=Place(8, 2, 0, False)) == []
        with pytest.raises(InputError, match="ends before byte 9, where an earlier pass stopped"):
            read_blocks(path, place=Place(9, 2, 0, False))


STANDARD_INPUT = """
from pipeline.delimited.blocks import CsvBlocks
from pipeline.delimited.records import Place
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
