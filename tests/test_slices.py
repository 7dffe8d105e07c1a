"""Accuracy by the share of a row's words that no pretrained vector covers."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sequences import Sequences
from pipeline.slices import by_uncovered_share, summary

FOUND = np.array([True, False, True, False])  # padding, unknown, a word found, a word missing


def row(found: int, missing: int = 0, unknown: int = 0) -> list[int]:
    return [2] * found + [3] * missing + [1] * unknown


def test_rows_fall_into_the_bins_counted_by_hand() -> None:
    rows = [
        row(4),
        [],  # no word, so none missing
        row(9, missing=1),  # 10 %, still in `up to 10 %`
        row(19, unknown=1),  # 5 %
        row(8, missing=1),  # 11 %
        row(3, unknown=1),  # 25 %, still in `10 to 25 %`
        row(7, missing=2, unknown=1),  # 30 %
        row(0, missing=1),
        row(0, unknown=2),
    ]
    correct = np.array([True, False, True, True, False, False, True, True, False])
    assert by_uncovered_share(Sequences.of(rows), FOUND, correct) == [
        {"uncovered": "0 %", "rows": 2, "accuracy": 1 / 2},
        {"uncovered": "up to 10 %", "rows": 2, "accuracy": 1.0},
        {"uncovered": "10 to 25 %", "rows": 2, "accuracy": 0.0},
        {"uncovered": "above 25 %", "rows": 3, "accuracy": 2 / 3},
    ]


def test_the_unknown_word_is_uncovered_even_where_no_file_was_read() -> None:
    table = by_uncovered_share(Sequences.of([[2, 1], [2]]), np.ones(4, np.bool_), np.array([True, True]))
    assert [entry["rows"] for entry in table] == [1, 0, 0, 1]


def test_no_rows_give_empty_bins_without_an_accuracy() -> None:
    table = by_uncovered_share(Sequences.of([]), FOUND, np.zeros(0, np.bool_))
    assert {entry["rows"] for entry in table} == {0} and {entry["accuracy"] for entry in table} == {None}
    assert len(summary(table).splitlines()) == 1


def test_the_summary_leaves_out_empty_bins_and_fits_a_terminal() -> None:
    table = by_uncovered_share(Sequences.of([row(4), row(0, 1)]), FOUND, np.array([True, False]))
    table[0]["rows"] = 100_000_000
    lines = summary(table).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["0", "above"]
    assert "100.0%" in lines[1] and max(map(len, lines)) <= 80


@given(st.lists(st.tuples(st.lists(st.integers(1, 3), max_size=40), st.booleans())))
def test_every_row_is_in_one_bin_and_the_bins_hold_all_that_are_right(
    rows: list[tuple[list[int], bool]],
) -> None:
    correct = np.array([right for _, right in rows], np.bool_)
    table = by_uncovered_share(Sequences.of([ids for ids, _ in rows]), FOUND, correct)
    assert sum(entry["rows"] for entry in table) == len(rows)
    assert round(sum(entry["rows"] * (entry["accuracy"] or 0) for entry in table)) == correct.sum()
