"""The opening of CSV files: kinds, encodings, byte order marks, and what is refused."""

from __future__ import annotations

import csv
import gzip
import os

import pytest

from pipeline.errors import InputError
from tests.delimited.reading import CsvFile, Row, read, refusal, rows


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "gb18030"])
def test_a_byte_order_mark_is_no_part_of_the_header(path, encoding):
    bom = "\ufeff" if encoding in ("utf-8", "utf-16-le") else ""
    content = (bom + "text,label\n好,1\n").encode(encoding)
    assert read(path, content, encoding) == (["text", "label"], [Row(2, 2, ["好", "1"])])


def test_utf_8_text_with_a_byte_order_mark_and_leading_empty_lines_is_read(path):
    assert read(path, b"\xef\xbb\xbf\na,b\n1,2\n") == (["a", "b"], [Row(3, 3, ["1", "2"])])


def test_other_encodings_are_read_by_name(path):
    assert read(path, "text,label\ncafé “x”,1\n".encode("windows-1252"), "windows-1252")[1] == [
        Row(2, 2, ["café “x”", "1"])
    ]


def test_gzip_is_known_by_its_name_or_its_first_bytes(tmp_path):
    for name in ("rows.csv.gz", "rows.csv"):
        assert rows(tmp_path / name, gzip.compress(b"a,b\n1,2\n")) == [Row(2, 2, ["1", "2"])]


def test_a_path_that_is_no_file_is_refused(tmp_path):
    for path, words in ((tmp_path / "none.csv", "does not exist"), (tmp_path, "is a folder")):
        with pytest.raises(InputError, match=words), CsvFile(path):
            pass


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission_is_refused(path):
    path.write_bytes(b"a,b\n")
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"), CsvFile(path):
        pass


@pytest.mark.parametrize(("content", "words"), [
    (b"PK\x03\x04\x14\0\x06\0", "Excel workbook or a ZIP archive, not like CSV: give its name"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
    (b"PAR1\x15\x04\x15", "Parquet"),
    (b"%PDF-1.7\n", "PDF"),
    (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
    (gzip.compress(b"PK\x03\x04\x14\0\x06\0", mtime=0), "ZIP"),
    (b"text,\0label\n1,2\n", "in the header, a NUL character; is the file binary, or in UTF-16"),
    ("text,label\n".encode("utf-16-le"), "is the file binary, or in UTF-16?"),
    (b"t\xe9xt,label\n", "line 1: in the header, byte 0xe9 at position 2 of line 1 is not utf-8"),
    (b'"text,label\n1,2\n', "line 1: in the header, a quote is opened and not closed"),
])  # fmt: skip
def test_a_file_of_another_kind_is_named_with_its_remedy(path, content, words):
    assert words in refusal(path, content)


@pytest.mark.parametrize("family", ["utf-8", "utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
@pytest.mark.parametrize("given", ["utf-8", "windows-1252", "utf-16"])
def test_a_byte_order_mark_says_the_encoding_whatever_is_given(path, family, given):
    path.write_bytes("\ufefftext,label\n好,1\n".encode(family))
    with CsvFile(path, given) as file:
        assert (file.header, list(file)) == (["text", "label"], [Row(2, 2, ["好", "1"])])
        assert file.mark == b"\xef\xbb\xbf"
        assert file.written("\ufeff好".encode()) == "\ufeff好".encode(family)


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "", "a\0b"])
def test_an_unknown_encoding_is_refused(path, encoding):
    assert "is not a text encoding known to Python" in refusal(path, b"a,b\n", encoding)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-9"),
        (b"a,\0b\n", "utf-8"),
        (b"\xe9,b\n", "utf-8"),
    ],
)
def test_an_error_of_the_encoding_names_its_option(path, content, encoding):
    path.write_bytes(content)
    with pytest.raises(InputError) as error, CsvFile(path, encoding):
        pass
    assert error.value.option == "source.encoding"


def test_a_refused_file_is_closed_and_the_limit_restored(path):
    before = csv.field_size_limit()
    refusal(path, b"a\0,a\n")  # an open file would raise ResourceWarning, which is an error here
    assert csv.field_size_limit() == before
