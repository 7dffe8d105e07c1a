"""Files of pretrained vectors as they are opened: recognised, or refused as foreign."""

from __future__ import annotations

import gzip
import pickle
import struct
from pathlib import Path

import pytest

from pipeline.errors import InputError
from pipeline.vectors.vector_stream import open_vectors


def open_and_close(path: Path) -> tuple[int | None, int, bool]:
    with open_vectors(path) as file:
        return file.count, file.dimensions, file.is_text


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"the 1 2 3\nof 4 5 6\n", (None, 3, True)),
        (b"\xef\xbb\xbfthe\t1\t2\t3\n", (None, 3, True)),
        (b"9 to 5 1 2 3\nthe 1 2 3\nof 4 5 6\n", (None, 3, True)),
        (b"2 3\nthe 1 2 3\nof 4 5 6\n", (2, 3, True)),
        (b"1 3\nthe 1 nan x\n", (1, 3, True)),
        (b"1 3\nthe " + struct.pack("<3f", 1, 2, 3), (1, 3, False)),
    ],
)
def test_a_file_is_recognised_and_stands_at_its_first_vector(
    content: bytes, expected: tuple[int | None, int, bool], pack: type[bytes], tmp_path: Path
) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(pack(content))
    assert open_and_close(path) == expected
    with open_vectors(path) as file:
        first = content.removeprefix(b"\xef\xbb\xbf").split(b"\n")[file.count is not None]
        assert file.read_block().startswith(first)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty; expected word2vec"),
        (gzip.compress(b""), "the file is empty"),
        (b"\n", "line 1: no header"),
        (b"a film of quiet power\n", "line 1: no header"),
        (bytes(range(256)) * 9, "line 1: no header"),
        (b"\x00" * 9, "line 1: no header"),
        (b"0 3\n", "line 1 claims 0 words of 3 numbers"),
        (b"3 0\nthe\n", "line 1 claims 3 words of 0 numbers"),
        (b"2 999999999999\nthe 1 2\n", "line 1 claims 2 words of 999999999999 numbers"),
        (b"3 9999999999999999999\nthe 1 2\n", "line 1 claims 3 words of 9999999999999999999 numbers"),
        (b"the" + b" 1" * 10_001 + b"\n", "line 1 has 10001 numbers; expected some words, of 1 to 10,000"),
        (pickle.dumps({"the": [1.0]}), "pickle.*save_word2vec_format"),
        (gzip.compress(pickle.dumps({"the": [1.0]})), "pickle.*save_word2vec_format"),
        (b"PK\x03\x04rest", "zip archive: unpack it"),
        (b"\xba\x16\x4f\x2frest", r"fastText's \.bin: use the \.vec"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_file_of_another_kind_is_an_error_that_says_so(
    content: bytes, message: str, tmp_path: Path
) -> None:
    path = tmp_path / "vectors"
    path.write_bytes(content)
    with pytest.raises(InputError, match=message) as caught:
        open_and_close(path)
    assert str(caught.value).startswith(f"{path}: ")


def test_a_missing_file_and_a_folder_are_errors(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"no such file.*embed\.vectors"):
        open_and_close(tmp_path / "no")
    with pytest.raises(InputError, match="not a file"):
        open_and_close(tmp_path)
