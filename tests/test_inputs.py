from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import PADDING, UNKNOWN, Sequences, UnseenWords, parse_shown

rows_of_ids = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=8)


@pytest.mark.parametrize(
    ("written", "columns", "meant"),
    [
        ("a title | a body", 2, "a title\x1fa body"),
        ("a title | a | body", 2, "a title\x1fa | body"),
        ("| a body", 2, "\x1fa body"),
        ("a title |", 2, "a title\x1f"),
        ("a|b", 2, "a|b"),
        ("a | b", 1, "a | b"),
    ],
)
def test_a_person_writes_a_bar_between_columns(written: str, columns: int, meant: str) -> None:
    assert parse_shown(written, columns) == meant


def test_rows_lie_end_to_end_each_of_its_own_length() -> None:
    sequences = Sequences.from_rows([[5, 6, 7], [], [8]])
    assert sequences.ids.tolist() == [5, 6, 7, 8]
    assert sequences.ids.dtype == np.int32
    assert sequences.offsets.tolist() == [0, 3, 3, 4]
    assert sequences.lengths.tolist() == [3, 0, 1]


def test_padding_goes_to_the_longest_row_on_the_right() -> None:
    assert Sequences.from_rows([[5, 6, 7], [], [8]]).padded().tolist() == [[5, 6, 7], [0, 0, 0], [8, 0, 0]]


def test_rows_without_any_token_are_padded_to_one_column() -> None:
    assert Sequences.from_rows([[], []]).padded().tolist() == [[PADDING], [PADDING]]


@given(rows_of_ids)
def test_rows_of_nothing_but_unknown_words_lack_known_ones(rows: list[list[int]]) -> None:
    lacking = Sequences.from_rows(rows).lack_known_words.tolist()
    assert lacking == [set(row) <= {UNKNOWN} for row in rows]


@given(rows_of_ids, st.data())
def test_selecting_gives_the_rows_in_the_order_asked_for(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=10)) if rows else []
    selected = Sequences.from_rows(rows).select(np.array(chosen, np.int64))
    expected = Sequences.from_rows([rows[i] for i in chosen])
    assert selected.ids.tolist() == expected.ids.tolist()
    assert selected.offsets.tolist() == expected.offsets.tolist()


def test_words_are_spelled_by_their_numbers_whatever_rows_are_selected() -> None:
    unseen = UnseenWords(["zzz", "yyy"])
    words = np.array([2, 5, 3, 4, 4], np.int32)  # 4 and 5 are outside a vocabulary of two
    sequences = Sequences(np.array([2, 1, 3, 1, 1], np.int32), np.array([0, 2, 2, 5]), words, unseen)
    assert sequences.spell(words, ["good", "film"]) == ["good", "yyy", "film", "zzz", "zzz"]
    selected = sequences.select(np.array([2, 0]))
    assert selected.words.tolist() == [3, 4, 4, 2, 5] and selected.words.dtype == np.int32
    assert selected.ids.tolist() == [3, 1, 1, 2, 1]
    assert selected.unseen is unseen


def test_pieces_are_joined_and_words_outside_the_vocabulary_counted_through() -> None:
    shared, own = UnseenWords(["zzz", "yyy"]), UnseenWords(["xxx", "zzz"])
    pieces = [
        Sequences(np.array([2, 1], np.int32), np.array([0, 2]), np.array([2, 5], np.int32), shared),
        Sequences(np.array([1], np.int32), np.array([0, 0, 1]), np.array([4], np.int32), shared),
        Sequences(np.array([1, 1], np.int32), np.array([0, 2]), np.array([4, 5], np.int32), own),
    ]
    joined = Sequences.joined(pieces, 4)
    assert joined.ids.tolist() == [2, 1, 1, 1, 1] and joined.offsets.tolist() == [0, 2, 2, 3, 5]
    assert joined.unseen.words == ["zzz", "yyy", "xxx"]
    assert joined.spell(joined.words, ["good", "film"]) == ["good", "yyy", "zzz", "xxx", "zzz"]
    assert joined.ids.dtype == joined.words.dtype == np.int32


def test_a_word_outside_the_vocabulary_keeps_its_place() -> None:
    unseen = UnseenWords(["a", "b", "a"])
    assert [unseen.add(word) for word in ("b", "ccc", "a", "ccc")] == [1, 2, 0, 2]
    assert unseen.words == ["a", "b", "ccc"] and len(unseen) == 3 and unseen.letters == 5


def test_rows_of_ids_are_of_words_in_the_vocabulary() -> None:
    sequences = Sequences.from_rows([[5, 6], [7]])
    assert sequences.words.tolist() == [5, 6, 7] and len(sequences.unseen) == 0


@given(rows_of_ids)
def test_padding_loses_and_adds_no_token(rows: list[list[int]]) -> None:
    padded = Sequences.from_rows(rows).padded()
    assert [[i for i in row if i != PADDING] for row in padded.tolist()] == rows
