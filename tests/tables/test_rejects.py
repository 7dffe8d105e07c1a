"""Counts of rows set aside, and what is said of them."""

from __future__ import annotations

import json

import pytest

from pipeline.errors import InputError
from pipeline.tables.rejects import Rejects


def counted(*reasons: str) -> Rejects:
    rejects = Rejects()
    for line, reason in enumerate(reasons, 2):
        rejects.add(reason, line)
    return rejects


def test_reasons_are_counted_by_their_kind_the_most_frequent_first() -> None:
    bytes_ = [f"byte 0xe9 at position {place} of line {place} is not utf-8" for place in (3, 4, 5)]
    rejects = counted("no text", *bytes_, "no time in 'soon'", "no time in 'then'", "a", "b")
    assert rejects.total == 8
    assert rejects.lines() == [
        "    bytes that are not utf-8: 3",
        "    no time: 2",
        "    no text: 1",
        "    a: 1",
        "    other reasons: 1",
    ]


def test_a_long_reason_is_cut_to_the_terminal() -> None:
    (line,) = counted("x" * 200).lines()
    assert len(line) == 79


def test_counts_go_on_from_their_json() -> None:
    rejects = counted("a", "a", "b")
    again = Rejects.from_json(json.loads(json.dumps(rejects.to_json())))
    again.add("b", 9, rows=5)
    assert again.lines() == ["    b: 6", "    a: 2"]
    assert rejects.total == 3


@pytest.mark.parametrize(
    ("reason", "option", "words"),
    [
        (
            "byte 0xe9 at position 1 of line 2 is not utf-8",
            "source.encoding",
            "in another encoding, give that",
        ),
        ("a quote is opened and not closed", "source.quoting", "a quote is a character like others"),
        ("a NUL character", "source.unreadable_rows", "mend them, or allow a share of 0.51"),
    ],
)
def test_the_error_offers_what_mends_the_commonest_fault(reason: str, option: str, words: str) -> None:
    counted(reason).check_unreadable(2, 0.5, "f.csv", None)
    with pytest.raises(InputError) as error:
        counted(reason).check_unreadable(2, 0.4, "f.csv", None)
    assert str(error.value).startswith(
        "f.csv: 1 of 2 rows (50.00%) cannot be read where 40% are allowed, most often as in line 2: "
        f"{reason}: "
    )
    assert words in str(error.value) and error.value.option == option


def test_no_rows_set_aside_are_no_fault_of_an_empty_table() -> None:
    Rejects().check_unreadable(0, 0.01, "f.csv", None)
    Rejects().check_blank(0, 0.01, "f.csv", None, "the columns")
