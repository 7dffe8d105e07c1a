"""Accuracy by class, by length, and by the share of a row's words that the network does not know."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import Sequences
from pipeline.measures.slices import SHARE_NAMES, Slices, by_class, by_length, by_share, summary, uncovered

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
    sequences = Sequences.from_rows(rows)
    lacking = uncovered(sequences, FOUND)
    assert lacking.tolist() == [0, 0, 1, 1, 1, 1, 3, 1, 2]
    table = by_share(lacking, sequences.lengths).accuracy(correct)
    assert [(entry.name, entry.rows, entry.accuracy) for entry in table] == [
        ("0 %", 2, 1 / 2),
        ("up to 10 %", 2, 1.0),
        ("10 to 25 %", 2, 0.0),
        ("above 25 %", 3, 2 / 3),
    ]


def test_a_bin_has_the_interval_of_wilson_and_none_without_rows() -> None:
    table = by_class(np.zeros(10, np.int64), ["all", "none"]).accuracy(np.arange(10) < 8)
    # (0.8 + 1.96² / 20 ± 1.96 sqrt(0.16 / 10 + 1.96² / 400)) / (1 + 1.96² / 10)
    assert table[0].interval == pytest.approx((0.4902, 0.9433), abs=1e-4)
    assert table[1].to_json() == {"slice": "none", "rows": 0, "accuracy": None, "interval": None}


def test_lengths_are_cut_into_bins_of_as_many_rows() -> None:
    found = by_length(np.array([7, 1, 2, 3, 4, 5, 6, 8, 9, 30]))
    assert list(found.names) == ["1 to 2", "3 to 4", "5 to 6", "7 to 8", "9 to 30"]
    assert np.bincount(found.numbers).tolist() == [2, 2, 2, 2, 2]


def test_where_all_texts_are_of_one_length_there_is_one_bin() -> None:
    assert list(by_length(np.full(9, 3)).names) == ["3"]
    assert by_length(np.zeros(0, np.int64)).accuracy(np.zeros(0, np.bool_)) == []


def test_the_unknown_word_is_uncovered_even_where_no_file_was_read() -> None:
    assert uncovered(Sequences.from_rows([[2, 1], [2]]), np.ones(4, np.bool_)).tolist() == [1, 0]


def test_the_summary_leaves_out_empty_bins_and_fits_a_terminal() -> None:
    table = Slices(SHARE_NAMES, np.array([0, 3])).accuracy(np.array([True, False]))
    table[0] = replace(table[0], rows=100_000_000)
    lines = summary("words without a vector", table).splitlines()
    assert [line.split()[0] for line in lines[1:]] == ["0", "above"]
    assert "100.0%" in lines[1] and max(map(len, lines)) <= 80


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40), st.booleans())))
def test_every_row_is_in_one_bin_and_the_bins_hold_all_that_are_right(
    rows: list[tuple[int, int, bool]],
) -> None:
    lengths = np.array([length for length, _, _ in rows], np.int64)
    part = np.minimum(lengths, np.array([some for _, some, _ in rows], np.int64))
    correct = np.array([right for *_, right in rows], np.bool_)
    for found in (by_length(lengths), by_share(part, lengths)):
        table = found.accuracy(correct)
        assert sum(entry.rows for entry in table) == len(rows)
        assert round(sum(entry.rows * (entry.accuracy or 0) for entry in table)) == correct.sum()
        for entry in table:
            if entry.rows:
                assert 0 <= entry.interval[0] <= entry.accuracy <= entry.interval[1] <= 1


def test_the_rows_of_each_bin_are_named_by_what_it_counts() -> None:
    groups = by_length(np.array([1, 2, 3, 4, 5, 6, 7, 8]), 4).masks("tokens")
    assert {title: rows.tolist().count(True) for title, rows in groups.items()} == {
        "1 to 2 tokens": 2, "3 to 4 tokens": 2, "5 to 6 tokens": 2, "7 to 8 tokens": 2,
    }  # fmt: skip
    assert list(by_length(np.array([3, 3, 3]), 4).masks("tokens")) == ["3 tokens"]
