import csv
import gzip
import os
import re
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.csv_line import csv_line
from pipeline.errors import InputError
from pipeline.tables.blocks import FIELD_LIMIT
from pipeline.tables.faults import BadRow
from pipeline.tables.rows import CsvFile, Row

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "rows.csv"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory):
    """One path for all of a property's examples: hypothesis forbids a fresh one for each."""
    return tmp_path_factory.mktemp("fuzz") / "rows.csv"


def read(path, content, encoding="utf-8", **options):
    path.write_bytes(content)
    with CsvFile(path, encoding, **options) as file:
        return file.header, list(file)


def rows(path, content, **options):
    return read(path, content, **options)[1]


def refusal(path, content, encoding="utf-8"):
    with pytest.raises(InputError) as error:
        read(path, content, encoding)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


# Rows


def test_rows_carry_their_values_and_lines(path):
    assert read(path, b"text,label\nfine,1\nbad,0\n") == (
        ["text", "label"],
        [Row(2, 2, ["fine", "1"]), Row(3, 3, ["bad", "0"])],
    )


def test_a_last_line_without_a_newline_is_a_row(path):
    assert rows(path, b"a,b\n1,2") == [Row(2, 2, ["1", "2"])]


def test_a_quoted_field_may_hold_delimiters_quotes_and_every_kind_of_line_end(path):
    content = b'a,b\n"x,""y"" \n two\r\n three\r four",1\nlast,2\n'
    assert rows(path, content) == [
        Row(2, 5, ['x,"y" \n two\r\n three\r four', "1"]),
        Row(6, 6, ["last", "2"]),
    ]


def test_newline_carriage_return_and_both_together_each_end_one_line(path):
    assert rows(path, b"a,b\r1,2\r\n3,4\n5,6\r") == [
        Row(2, 2, ["1", "2"]),
        Row(3, 3, ["3", "4"]),
        Row(4, 4, ["5", "6"]),
    ]


def test_unicode_line_separators_do_not_end_a_line(path):
    content = "a,b\nx\u2028y\x0b\x0c\x85z,1\n".encode()
    assert rows(path, content) == [Row(2, 2, ["x\u2028y\x0b\x0c\x85z", "1"])]


def test_empty_lines_are_skipped_and_counted(path):
    assert rows(path, b"\n\r\na,b\n\n1,2\n\n\n3,4\n\n") == [Row(5, 5, ["1", "2"]), Row(8, 8, ["3", "4"])]


def test_empty_lines_of_a_single_column_are_skipped_and_a_quoted_blank_is_a_row(path):
    assert rows(path, b'a\n\n""\nx\n') == [Row(3, 3, [""]), Row(4, 4, ["x"])]


def test_a_header_alone_has_no_rows(path):
    assert read(path, b"text,label\n") == (["text", "label"], [])


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_the_delimiter_is_taken_from_the_header(path, delimiter):
    content = f'text{delimiter}"x;,\ty"\na;,\tb\n'.replace("a;,\tb", f'"a;,\tb"{delimiter}1').encode()
    path.write_bytes(content)
    with CsvFile(path) as file:
        assert file.delimiter == delimiter
        assert file.header == ["text", "x;,\ty"]
        assert list(file) == [Row(2, 2, ["a;,\tb", "1"])]


def test_a_name_in_quotes_may_run_over_lines(path):
    assert read(path, b'a;"b, c\r\n(""d"")";5" e\n1;2;3\n') == (
        ["a", 'b, c\r\n("d")', '5" e'],
        [Row(3, 3, ["1", "2", "3"])],
    )


def test_a_comma_in_the_header_outweighs_other_delimiters(path):
    assert read(path, b"a;b;c,d\n1,2\n") == (["a;b;c", "d"], [Row(2, 2, ["1", "2"])])


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


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_bytes_read_grow_to_the_size_of_the_file(path, pack):
    path.write_bytes(pack(b"a,b\n" + b"".join(b"%d,%d\n" % (i * i, -i) for i in range(50_000))))
    with CsvFile(path) as file:
        seen = [file.bytes_read for _ in file]
        assert seen == sorted(seen) and 0 < seen[0] < file.bytes_total / 2
        assert seen[-1] == file.bytes_read == file.bytes_total == path.stat().st_size


# Columns


def test_a_column_is_found_by_name(path):
    path.write_bytes(b"text,label\n")
    with CsvFile(path) as file:
        assert (file.column("text", "source.text"), file.column("label", "source.label")) == (0, 1)


def test_a_missing_column_is_named_with_those_there_are_and_the_nearest(path):
    path.write_bytes(b"id,Text,label\n")
    with CsvFile(path) as file, pytest.raises(InputError) as error:
        file.column("text", "source.text")
    assert str(error.value) == (
        f"{path}, line 1: there is no column 'text' among 'id', 'Text', 'label', did you mean 'Text'?"
    )


def test_a_long_list_of_columns_is_cut(path):
    path.write_bytes(",".join(f"c{i}" for i in range(500)).encode())
    with CsvFile(path) as file, pytest.raises(InputError, match=r"'c19' and 480 more$"):
        file.column("xyz", "source.label")


# Bad rows


def bad(content, path, **options):
    """The one bad row among `1,2` before it and `8,9` after it."""
    first, *middle, last = rows(path, b"a,b\n1,2\n" + content + b"8,9\n", **options)
    assert first == Row(2, 2, ["1", "2"]) and last.values == ["8", "9"]
    (row,) = middle
    assert isinstance(row, BadRow) and last.first_line == row.last_line + 1
    return row


def test_too_few_and_too_many_fields_are_counted(path):
    assert bad(b"x\n", path) == BadRow(3, 3, "1 field where the header has 2", "x")
    assert bad(b'"x\ny",2,3\n', path) == BadRow(3, 4, "3 fields where the header has 2", '"x\ny",2,3')


def test_undecodable_bytes_are_shown_with_line_and_byte_position(path):
    # The é of UTF-8 before it counts two bytes: x=1, é=2-3, y=4.
    assert bad(b'"x\nx\xc3\xa9y\xe9z",2\n', path) == BadRow(
        3, 4,
        "byte 0xe9 at position 5 of line 4 is not utf-8",
        '"x\nxéy\\udce9z",2',
    )  # fmt: skip


def test_bytes_without_a_character_in_windows_1252_cost_one_row(path):
    assert "byte 0x81 at position 1 of line 3" in bad(b"\x81,2\n", path, encoding="windows-1252").reason


def test_nul_is_a_bad_row(path):
    assert bad(b"x\0,2\n", path).reason == "a NUL character"


def test_a_quote_not_doubled_condemns_the_lines_of_its_record(path):
    assert bad(b'"x" y,2\n', path) == BadRow(3, 3, "a quote inside a quoted field is not doubled", '"x" y,2')
    assert bad(b'"x\n"y,2\n', path) == BadRow(
        3, 4, "a quote inside a quoted field is not doubled", '"x\n"y,2'
    )


def test_a_quote_inside_an_unquoted_field_is_a_character(path):
    assert rows(path, b'a,b\n5" long,"6"""\n') == [Row(2, 2, ['5" long', '6"'])]


def test_a_quote_open_at_the_end_of_the_file_condemns_its_first_line_only(path):
    assert rows(path, b'a,b\n1,"x\n3,4\n\n5,6\n') == [
        BadRow(2, 2, "a quote is opened and not closed before the end of the file", '1,"x'),
        Row(3, 3, ["3", "4"]),
        Row(5, 5, ["5", "6"]),
    ]


def test_a_quote_open_on_the_last_line_condemns_that_line(path):
    assert [(type(row), row.first_line, row.last_line) for row in rows(path, b'a,b\n1,2\n3,"')] == [
        (Row, 2, 2),
        (BadRow, 3, 3),
    ]


def test_a_quote_that_runs_past_the_limit_condemns_its_first_line_only(path):
    found = rows(path, b'a,b\n"x,1\n' + b"y,2\n" * 20 + b'"z",3\n', field_limit=40)
    reason = "a quote is opened and not closed within 40 characters"
    assert found == [
        BadRow(2, 2, reason, '"x,1'),
        *(Row(line, line, ["y", "2"]) for line in range(3, 23)),
        Row(23, 23, ["z", "3"]),
    ]


def test_a_field_of_the_limit_is_read_and_one_above_it_is_a_bad_row(path):
    field = b"x" * FIELD_LIMIT
    assert rows(path, b"a,b\n" + field + b",1\n") == [Row(2, 2, [field.decode(), "1"])]
    row = bad(b'"' + field + b'y",1\n', path)
    assert row.reason == "a field of more than 1,000,000 characters"
    assert len(row.text) == 501


@pytest.mark.parametrize("end", [b"\n", b"\r", b"\r\n"])
def test_a_line_far_above_the_limit_is_skipped_to_its_end_wherever_the_limit_falls(path, end):
    for length in range(70, 90):  # pieces of 4 * 10 characters are read
        row = bad(b"x" * length + end, path, field_limit=10)
        assert (row.first_line, row.last_line) == (3, 3)
        assert row.reason == "a line of 40 characters or more"


def test_an_overlong_line_after_an_open_quote_leaves_the_lines_behind_it_whole(path):
    found = rows(path, b'a,b\n","\n","\n' + b"x" * 100 + b"\n8,9\n", field_limit=10)
    assert found[-1] == Row(5, 5, ["8", "9"])


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


@pytest.mark.parametrize("line", [b'x","""z\n', b'"\n', b'""",\n', b'x"",",z\n', b'x,"""",""\n'])
def test_lines_made_of_quotes_take_time_in_proportion(path, line):
    # Each line opens a quote when read from its start: re-reading from each would take 20,000 times the file.
    path.write_bytes(b"a,b\n" + line * 40_000)
    started = time.process_time()
    with CsvFile(path, field_limit=10_000) as file:
        last = [row.last_line for row in file][-1]
    assert last == 40_001
    assert time.process_time() - started < 5  # of some 30 seconds; half a second is usual


def test_other_readers_keep_their_field_limit(path):
    before = csv.field_size_limit()
    path.write_bytes(b'a,b\n1,2\n3,"4\n')
    with CsvFile(path, field_limit=7) as file:
        for _ in file:
            assert csv.field_size_limit() == before
    assert csv.field_size_limit() == before


# Files that are refused


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


@pytest.mark.parametrize("content", [b"", b"\n\r\n\r", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n"])
def test_an_empty_file_is_refused(path, content):
    assert "is empty" in refusal(path, content)


def test_two_columns_of_one_name_are_refused(path):
    assert "line 2: 2 columns are named 'a'" in refusal(path, b"\na,b,a\n1,2,3\n")
    assert "2 columns are named ''" in refusal(path, b"a,,\n")


def test_one_column_may_have_no_name(path):
    assert read(path, b",text\n0,x\n") == (["", "text"], [Row(2, 2, ["0", "x"])])


@pytest.mark.parametrize(("content", "words"), [
    (b"PK\x03\x04\x14\0\x06\0", "Excel workbook or a ZIP archive, not like CSV: save the sheet as CSV"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "old Excel workbook"),
    (b"PAR1\x15\x04\x15", "Parquet"),
    (b"%PDF-1.7\n", "PDF"),
    (b"\x89PNG\r\n\x1a\n\0\0", "PNG"),
    (gzip.compress(b"PK\x03\x04\x14\0\x06\0", mtime=0), "ZIP"),
    (b"text,\0label\n1,2\n", "in the header, a NUL character; is the file binary, or in UTF-16"),
    ("text,label\n".encode("utf-16-le"), "is the file binary, or in UTF-16?"),
    ("text,label\n".encode("utf-16"), "utf-16 by its byte order mark, not utf-8"),
    ("text,label\n".encode("utf-32"), "is utf-32 by its byte order mark, not utf-8"),
    (b"t\xe9xt,label\n", "line 1: in the header, byte 0xe9 at position 2 of line 1 is not utf-8"),
    (b'"text,label\n1,2\n', "line 1: in the header, a quote is opened and not closed"),
])  # fmt: skip
def test_a_file_of_another_kind_is_named_with_its_remedy(path, content, words):
    assert words in refusal(path, content)


def test_utf_8_by_its_mark_is_not_read_in_another_encoding(path):
    assert "is utf-8 by its byte order mark, not windows-1252" in refusal(
        path, b"\xef\xbb\xbfa,b\n", "windows-1252"
    )


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "", "a\0b"])
def test_an_unknown_encoding_is_refused(path, encoding):
    assert "is not a text encoding known to Python" in refusal(path, b"a,b\n", encoding)


def test_bytes_that_are_no_utf_16_end_the_reading(path):
    content = "a,b\n1,2\n".encode("utf-16-le") + b"\x00\xd8\x31\x00\n\x00"
    assert "not utf-16-le" in refusal(path, content, "utf-16-le")


def test_damaged_gzip_is_refused(tmp_path):
    path = tmp_path / "rows.csv.gz"
    packed = gzip.compress(b"a,b\n" + os.urandom(20_000).hex().encode() + b",1\n")
    for content in (packed[:5], packed[:-9], packed[:9000] + b"\xff" * 9 + packed[9009:], b"a,b\n1,2\n"):
        assert "damaged or no gzip data" in refusal(path, content)


def test_a_refused_file_is_closed_and_the_limit_restored(path):
    before = csv.field_size_limit()
    refusal(path, b"a,a\n")  # an open file would raise ResourceWarning, which is an error here
    assert csv.field_size_limit() == before


# Writing

TEXTS = st.text(st.one_of(
    st.sampled_from('",;\t\r\n \u2028\x85\x0b\ufeff='), st.characters(exclude_categories=["Cs"],
                                                                       exclude_characters="\0")
))  # fmt: skip


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@settings(deadline=None)
@given(table=st.lists(st.tuples(TEXTS, TEXTS, TEXTS), min_size=1, max_size=5))
def test_rows_written_are_read_back_equal(scratch, delimiter, table):
    names = [f"{number}{name}" for number, name in enumerate(table[0])]  # each its own, and no BOM first
    written = [list(row) for row in table[1:]]
    scratch.write_bytes(b"".join(csv_line(row, delimiter) for row in [names, *written]))
    with CsvFile(scratch) as file:
        assert (file.delimiter, file.header) == (delimiter, names)
        assert [row.values for row in file if isinstance(row, Row)] == written


@settings(deadline=None)
@given(written=st.lists(TEXTS, max_size=5))
def test_a_single_column_is_read_back_equal(scratch, written):
    scratch.write_bytes(b"".join(csv_line([text]) for text in ["a;b", *written]))
    header, found = read(scratch, scratch.read_bytes())
    assert header == ["a;b"]
    assert [row.values for row in found] == [[text] for text in written]


# Any bytes

PIECES = st.lists(st.sampled_from([
    b'"', b'""', b",", b"\n", b"\r", b"\r\n", b"a", b"long enough", b"\xff", b"\0", "é".encode(), b"1,2\n",
    b'1,"x\n', b'x","""\n',
]), max_size=60).map(b"".join)  # fmt: skip


@settings(deadline=None, max_examples=400)
@given(content=st.one_of(PIECES, st.binary(max_size=200)), limit=st.sampled_from([4, 12, FIELD_LIMIT]))
def test_every_line_is_in_one_row_or_empty(scratch, content, limit):
    found = rows(scratch, b"a,b\n" + content, field_limit=limit)
    lines = re.split(r"\r\n|\r|\n", content.decode("utf-8", "surrogateescape"))
    if not lines[-1]:
        lines.pop()
    covered = [line for row in found for line in range(row.first_line, row.last_line + 1)]
    assert covered == sorted(set(covered))
    assert [lines[line - 2] for line in range(2, len(lines) + 2) if line not in covered] == [""] * (
        len(lines) - len(covered)
    )
    for row in found:
        if isinstance(row, Row):
            assert len(row.values) == 2 and all(len(value) <= limit for value in row.values)
            "".join(row.values).encode()


@settings(deadline=None, max_examples=400)
@given(
    content=st.one_of(PIECES, st.tuples(st.sampled_from([b"", b"\x1f\x8b"]), st.binary()).map(b"".join)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "utf-32-le", "windows-1252", "shift_jis",
                              "gb18030", "utf-7", "iso2022_jp", "ascii", "cp037", "punycode"]),
)  # fmt: skip
def test_any_bytes_give_rows_or_an_input_error(scratch, content, encoding):
    try:
        read(scratch, content, encoding, field_limit=20)
    except InputError as error:
        assert str(scratch) in str(error)


# Real files


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
@pytest.mark.parametrize(("name", "count"), [
    ("mr.csv", 10662), ("trec_train.csv", 5452), ("chnsenticorp_htl/all.csv", 7766),
    ("nsmc/test.csv.gz", 50000),
])  # fmt: skip
def test_real_corpora_are_read_without_a_bad_row(name, count):
    with CsvFile(CORPORA / name) as file:
        assert file.header == ["text", "label"]
        found = list(file)
    assert len(found) == count
    assert all(isinstance(row, Row) for row in found)


@pytest.mark.parametrize(
    ("content", "encoding"),
    [
        (b"a,b\n1,2\n", "utf-9"),
        ("a,b\n".encode("utf-16"), "utf-8"),
        (b"a,\0b\n", "utf-8"),
        (b"\xe9,b\n", "utf-8"),
    ],
)
def test_an_error_of_the_encoding_names_its_option(path, content, encoding):
    path.write_bytes(content)
    with pytest.raises(InputError) as error, CsvFile(path, encoding):
        pass
    assert error.value.option == "source.encoding"


def test_a_row_in_another_encoding_names_the_option_and_other_bad_rows_none(path):
    undecodable, narrow = rows(path, b"a,b\n\xe9,1\nx\n")
    assert (undecodable.option, narrow.option) == ("source.encoding", "")


def test_a_missing_column_names_the_option_that_chooses_another(path):
    path.write_bytes(b"a,b\n")
    with CsvFile(path) as file, pytest.raises(InputError) as error:
        file.column("text", "source.text")
    assert error.value.option == "source.text"
