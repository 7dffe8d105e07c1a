from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.inputs import PADDING, Sequences

rows_of_ids = st.lists(st.lists(st.integers(1, 9), max_size=6), max_size=8)


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


@given(rows_of_ids, st.data())
def test_selecting_gives_the_rows_in_the_order_asked_for(rows: list[list[int]], data: st.DataObject) -> None:
    chosen = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=10)) if rows else []
    selected = Sequences.from_rows(rows).select(np.array(chosen, np.int64))
    expected = Sequences.from_rows([rows[i] for i in chosen])
    assert selected.ids.tolist() == expected.ids.tolist()
    assert selected.offsets.tolist() == expected.offsets.tolist()


@given(rows_of_ids)
def test_padding_loses_and_adds_no_token(rows: list[list[int]]) -> None:
    padded = Sequences.from_rows(rows).padded()
    assert [[i for i in row if i != PADDING] for row in padded.tolist()] == rows
